//! Runs the command in a temporary directory with the files of one test.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A token that a built-in rule matches. Built from parts, so that a scan of this source file does
/// not report it.
pub(crate) fn token() -> String {
    format!("ghp_{}", "0123456789abcdefghijklmnopqrstuvwxyz")
}

/// The id of the built-in rule that matches [`token`].
pub(crate) const TOKEN_RULE: &str = "github-personal-access-token";

/// A temporary directory with files.
pub(crate) struct Tree {
    directory: tempfile::TempDir,
}

/// The result of a run of the command. `stderr` is without the fallback warning; see
/// [`without_fallback_warning`].
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
}

impl Run {
    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The lines of standard output, parsed as JSON.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.lines().into_iter().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl Tree {
    pub(crate) fn new() -> Tree {
        Tree { directory: tempfile::tempdir().unwrap() }
    }

    /// A directory with the given files: paths and contents.
    pub(crate) fn with<C: AsRef<[u8]>>(files: &[(&str, C)]) -> Tree {
        let tree = Tree::new();
        for (path, contents) in files {
            tree.write(path, contents);
        }
        tree
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file and creates its parent directories.
    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// Returns the command, to be run in this directory, without environment variables that change
    /// its colors or its ignore rules.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dragnet"));
        command.current_dir(self.path()).args(args);
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GIT_DIR"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the command with `/dev/null` as standard input, which the command does not search.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        finish(self.command(args).stdin(Stdio::null()))
    }

    /// Runs the command with `input` piped into it.
    pub(crate) fn pipe<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: impl AsRef<[u8]>,
    ) -> Run {
        let (output, status) = self.pipe_bytes(args, input.as_ref());
        let stdout = String::from_utf8(output.0).unwrap();
        Run { stdout, stderr: output.1, status }
    }

    /// Like [`Tree::pipe`], for output that is not UTF-8: returns standard output, standard error
    /// and the exit status.
    pub(crate) fn pipe_bytes<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> ((Vec<u8>, String), Option<i32>) {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            // The command may end before it has read all of the input, so an error is ignored.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        });
        ((output.stdout, without_fallback_warning(output.stderr)), output.status.code())
    }
}

fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: without_fallback_warning(output.stderr),
        status: output.status.code(),
    }
}

/// Returns the messages of a run without the warning that the native backend was refused, which
/// depends on the machine that runs the tests.
pub(crate) fn without_fallback_warning(stderr: Vec<u8>) -> String {
    let text = String::from_utf8(stderr).unwrap();
    let is_fallback =
        |line: &&str| line.starts_with("dragnet: warning: falling back to the pure backend");
    text.split_inclusive('\n').filter(|line| !is_fallback(line)).collect()
}
