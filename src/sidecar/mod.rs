//! Scanning in another process.
