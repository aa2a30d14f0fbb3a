//! `dragnet completions` and `dragnet man`: generate shell completions and manual pages from the
//! definition of the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::output;
use crate::status::{ExitStatus, Failure};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet completions bash > ~/.local/share/bash-completion/completions/dragnet\n  \
        dragnet completions zsh > ~/.zfunc/_dragnet\n  \
        dragnet completions fish > ~/.config/fish/completions/dragnet.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// Print the manual page of dragnet or of one of its commands
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet man scan | man -l -\n  \
        dragnet man > dragnet.1 && dragnet man scan > dragnet-scan.1")]
pub(crate) struct ManArgs {
    /// The command, such as scan
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Runs `dragnet completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "dragnet", &mut out);
    output::print(&out)?;
    Ok(ExitStatus::Success)
}

/// Runs `dragnet man`.
pub(crate) fn man(args: &ManArgs) -> Result<ExitStatus, Failure> {
    let mut command = Args::command();
    command.build();
    if let Some(name) = &args.command {
        let found = command.find_subcommand(name).filter(|found| !found.is_hide_set());
        command = found.cloned().ok_or_else(|| Failure::new(format!("no command {name}")))?;
    }
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out).map_err(|error| Failure::output(&error))?;
    output::print(&out)?;
    Ok(ExitStatus::Success)
}
