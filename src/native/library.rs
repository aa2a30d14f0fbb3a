//! The libhs that this process has loaded, and whether it may be used.
//!
//! Where libhs is a shared library, its version can differ from the one that the crate was compiled
//! with. So its version, the processor and its answers are checked at run time, once per process.

use std::fmt;
use std::sync::OnceLock;

use super::{objects, self_test};
use crate::EngineError;

/// The oldest version that is accepted, as major and minor.
const OLDEST: (u32, u32) = (5, 4);

/// A library that passed all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    /// Such as `5.4.0`.
    version: String,
}

impl Library {
    /// Returns the library if it is recent enough, supports this processor and passes the
    /// self-test.
    ///
    /// The result is cached for the process, with one exception: if the self-test can't finish, as
    /// when memory is short, nothing is known of the library's answers. The error is then returned
    /// and the next call runs the test again.
    pub(super) fn get() -> Result<&'static Library, EngineError> {
        static CHECKED: OnceLock<Result<Library, EngineError>> = OnceLock::new();
        let checked = match CHECKED.get() {
            Some(checked) => checked,
            // Threads that call this at the same time each run the test, and all get the result of
            // the first that finishes.
            None => match Library::check() {
                Err(error @ EngineError::Library { .. }) => return Err(error),
                checked => CHECKED.get_or_init(|| checked),
            },
        };
        checked.as_ref().map_err(Clone::clone)
    }

    fn check() -> Result<Library, EngineError> {
        let library = Library::new(&objects::version());
        if library.major_minor() < OLDEST {
            return Err(EngineError::TooOld { library: library.to_string() });
        }
        if !objects::valid_platform() {
            return Err(EngineError::Unsupported { library: library.to_string() });
        }
        self_test::run(self_test::libhs).map_err(|failure| match failure {
            self_test::Failure::Wrong(case) => {
                EngineError::SelfTest { library: library.to_string(), case }
            }
            self_test::Failure::Unfinished(reason) => {
                EngineError::Library { library: library.to_string(), reason }
            }
        })?;
        Ok(library)
    }

    /// Parses the text of `hs_version`: the version and the date of the build, such as
    /// `5.4.0 2021-01-26`.
    fn new(text: &str) -> Library {
        let version = text.split_whitespace().next().unwrap_or("of unknown version");
        Library { version: version.to_owned() }
    }

    /// The parts of the version. Those that are missing or not numbers are 0.
    fn numbers(&self) -> [u32; 3] {
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(self.version.split('.')) {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            *number = digits.parse().unwrap_or(0);
        }
        numbers
    }

    fn major_minor(&self) -> (u32, u32) {
        let [major, minor, _] = self.numbers();
        (major, minor)
    }

    /// The name of the project that released the library.
    ///
    /// Neither library reports its name, so it is derived from the target and the version:
    /// Hyperscan runs on x86 only and its last open-source release is 5.4.2; Vectorscan, its fork,
    /// continues with 5.4.3.
    fn name(&self) -> &'static str {
        let x86 = cfg!(any(target_arch = "x86_64", target_arch = "x86"));
        match self.numbers() {
            _ if !x86 => "Vectorscan",
            [5, 4, 0..=2] => "Hyperscan",
            [5, 4, _] => "Vectorscan",
            _ => "libhs",
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.version)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::Library;

    #[test]
    fn name_follows_from_the_version() {
        let cases = [
            ("5.4.0 2021-01-26", "Hyperscan 5.4.0", (5, 4)),
            ("5.4.9 ", "Vectorscan 5.4.9", (5, 4)),
            ("5.4.12 2025-06-01", "Vectorscan 5.4.12", (5, 4)),
            ("5.6.1 2024-01-01", "libhs 5.6.1", (5, 6)),
            ("4.7.0", "libhs 4.7.0", (4, 7)),
            ("", "libhs of unknown version", (0, 0)),
        ];
        for (text, name, version) in cases {
            let library = Library::new(text);
            assert_eq!((library.to_string(), library.major_minor()), (name.to_owned(), version));
        }
    }
}
