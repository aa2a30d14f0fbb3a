//! Code that dragnet's tests, benchmarks and fuzz targets share: a generator of random patterns and
//! records, an oracle that says which matches are right, and every scanner that must find them.
//!
//! - [`patterns`], [`literals`], [`secret_rules`] and [`case`] draw patterns and batches from any
//!   source of [`Choices`]: a seed ([`Rng`]), a fuzzer's input, or proptest ([`drawn`]), which then shrinks
//!   them.
//! - [`Oracle`] finds matches with a backtracking matcher of its own.
//! - [`contenders`] lists every scanner of this build: one per engine, per instruction set and per
//!   placement. [`Comparison`] compares all of them with the oracle, so that a test names no
//!   scanner, and a scanner that is added to the list is in every test.
//!
//! This is a crate, because a module would be compiled again for each test program.

mod choices;
mod comparison;
mod contenders;
mod grammar;
mod layouts;
mod node;
mod notices;
mod oracle;
#[cfg(feature = "placements")]
mod placements;
#[cfg(feature = "proptest")]
mod property;
mod records;
mod rules;
mod sample;
#[cfg(all(target_os = "linux", feature = "placements"))]
mod server;
#[cfg(feature = "proptest")]
mod shrink;
mod spec;
mod streams;

pub use choices::{Choices, Rng};
pub use comparison::{BLOCK, Comparison, by_blocks};
pub use contenders::{Contender, Native, contenders, native};
pub use grammar::{Case, case, flags, literals, pattern, patterns};
pub use layouts::Layout;
pub use node::Node;
pub use notices::{not_tested, say};
pub use oracle::{Found, Oracle};
#[cfg(feature = "proptest")]
pub use property::{config, drawn};
pub use records::records;
pub use rules::secret_rules;
pub use sample::sample;
#[cfg(all(target_os = "linux", feature = "placements"))]
pub use server::{
    MEMORY_LIMIT, REGION_LIMIT, serve_if_asked, server, server_socket, server_unavailable_reason,
};
pub use spec::{Bounds, Flags, Spec, set};
pub use streams::{Division, Pieces, Stream, StreamFound};
