//! Drops access to files, the network, other processes and new privileges.

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, Scope};

/// Restricts the calling thread, and all threads it starts, for good.
///
/// Sets `no_new_privs`, disables core dumps (which would contain records), and uses Landlock to
/// deny access to files, TCP, and the signals and abstract sockets of other processes. File
/// descriptors that are already open stay usable. Landlock is applied as far as the kernel supports
/// it, which may be not at all; that is not an error.
pub(super) fn restrict() -> Result<(), String> {
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| format!("can't set no_new_privs: {error}"))?;
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)
        .map_err(|error| format!("can't disable core dumps: {error}"))?;
    // A ruleset is best-effort by default: it leaves out what the kernel does not support.
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
