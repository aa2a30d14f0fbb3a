//! The C-backed engine: Hyperscan or Vectorscan behind one call per batch.
//!
//! Patterns are printed in libhs's syntax from the same parsed form that the pure engine
//! compiles. What libhs can't take, or would understand differently, runs on the pure engine
//! inside the same scan; [`Engine::fallbacks`] lists it. libhs decides which patterns match which
//! records; where they match is found in Rust, for just those pairs.
//!
//! The library is on trial: before its first use in a process it must pass a known-answer test,
//! or it is refused with [`EngineError::SelfTest`](crate::EngineError::SelfTest).

mod compile;
mod compiled_set;
mod engine;
mod ffi;
mod layout;
mod library;
mod merge;
mod objects;
mod raw;
mod records;
mod scanner;
mod self_test;
mod translate;

pub use compile::Fallback;
pub use engine::Engine;
pub use scanner::Scanner;
