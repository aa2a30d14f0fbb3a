//! The files, the network and the privileges that a server gives up before it reads the first message
//! of its client.

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, Scope};

/// No new privileges, no core dumps with records in them; and, where the kernel has Landlock, no
/// files, no network and no signals to other processes.
pub(super) fn give_up_files() -> Result<(), String> {
    rustix::thread::set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)
        .map_err(|error| format!("the limit on core dumps: {error}"))?;
    // As much of it as the kernel knows, which may be nothing.
    let restrict = || -> Result<_, RulesetError> {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .restrict_self()
    };
    restrict().map(|_| ()).map_err(|error| format!("landlock: {error}"))
}
