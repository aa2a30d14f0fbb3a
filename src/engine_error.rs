//! The errors of the native backend.

/// Why an engine could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The native backend was requested in a build without it.
    #[error(
        "this build has no native backend; install Hyperscan or Vectorscan 5.4 or later and \
         rebuild with `--features native`"
    )]
    NotBuilt,
    /// The C library is older than version 5.4.
    #[error("{library} is too old; 5.4 or later is needed")]
    TooOld {
        /// Name and version of the library.
        library: String,
    },
    /// The C library does not support this processor.
    #[error("{library} does not support this processor")]
    Unsupported {
        /// Name and version of the library.
        library: String,
    },
    /// The C library gave a wrong answer in its self-test, and is not used.
    #[error("{library} failed its self-test: {case}")]
    SelfTest {
        /// Name and version of the library.
        library: String,
        /// The failed case: the pattern, the record, the expected matches and those found.
        case: String,
    },
    /// The C library returned an error, such as a lack of memory, during its self-test. The error says
    /// nothing about the library's answers, so the next engine runs the self-test again.
    #[error("{library} failed: {reason}")]
    Library {
        /// Name and version of the library.
        library: String,
        /// The library's message.
        reason: String,
    },
}
