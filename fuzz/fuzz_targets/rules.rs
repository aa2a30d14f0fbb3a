//! Loads arbitrary bytes as a rule file or a pattern file of the command. The result must be rules,
//! or error messages that name the file and contain no terminal control characters.
//!
//! The first byte of an input selects options, and the rest is the file. Bit 0 turns Unicode on;
//! bit 1 selects a pattern file instead of a rule file; bit 2 searches across lines.

#![no_main]
#![allow(dead_code, reason = "the command uses more of its modules")]

use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use rustix::fs::MemfdFlags;

#[path = "../../cli/src/escape.rs"]
mod escape;
#[path = "../../cli/src/rules/mod.rs"]
mod rules;
#[path = "../../cli/src/status.rs"]
mod status;

/// The options of the command line that name rules.
mod args {
    use std::path::PathBuf;

    #[derive(Default)]
    pub(crate) struct RuleArgs {
        pub(crate) expressions: Vec<String>,
        pub(crate) pattern_files: Vec<PathBuf>,
        pub(crate) rule_files: Vec<PathBuf>,
        pub(crate) unicode: bool,
        pub(crate) ignore_case: bool,
        pub(crate) word_regexp: bool,
        pub(crate) crlf: bool,
    }
}

/// Messages to the user, which are checked instead of printed.
mod messages {
    use std::fmt::Display;

    pub(crate) fn error(message: impl Display) {
        check(&message.to_string());
    }

    pub(crate) fn warning(message: impl Display) {
        check(&message.to_string());
    }

    pub(crate) fn check(message: &str) {
        assert!(!message.is_empty());
        for line in message.split('\n') {
            assert_eq!(crate::escape::text(line.as_bytes()), line, "it could control a terminal");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, file)) = data.split_first() else { return };
    let memory = rustix::fs::memfd_create("rules", MemfdFlags::CLOEXEC).expect("there is memory");
    let mut memory = std::fs::File::from(memory);
    memory.write_all(file).expect("there is memory");
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let paths = vec![PathBuf::from(&path)];
    let mut args = args::RuleArgs { unicode: kind & 1 == 1, ..Default::default() };
    if kind & 2 == 0 {
        args.rule_files = paths;
    } else {
        args.pattern_files = paths;
    }
    let multiline = if kind & 4 == 0 { rules::Multiline::None } else { rules::Multiline::All };
    match rules::Rules::load(&args, multiline) {
        Ok(rules) => {
            assert_eq!(rules.iter().len(), rules.patterns().len());
            for (number, (rule, pattern)) in rules.iter().zip(rules.patterns()).enumerate() {
                assert_eq!(rules.id(number), rule.id);
                assert_eq!(pattern.as_str(), rule.regex);
            }
        }
        Err(status::Failure::Errors(errors)) => {
            assert!(!errors.is_empty());
            for error in &errors {
                messages::check(error);
                assert!(
                    error.starts_with(&path) || error.starts_with("the rules can't"),
                    "{error}"
                );
            }
        }
        Err(failure) => panic!("{failure:?}"),
    }
});
