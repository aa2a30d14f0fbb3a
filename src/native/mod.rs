//! The C-backed engine.
