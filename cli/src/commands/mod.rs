//! The subcommands, one module each: `dragnet scan` runs [`scan::run`] with [`scan::ScanArgs`].

pub(crate) mod compare;
pub(crate) mod cost;
pub(crate) mod docs;
pub(crate) mod redact;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod serve;
