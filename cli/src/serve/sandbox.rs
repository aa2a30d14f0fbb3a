//! What a server gives up before it reads the first message of its client.

use std::collections::BTreeMap;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, Scope};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// The system calls that a server needs: for memory, for its socket, for futexes, and to end. All
/// others fail.
const ALLOWED: &[libc::c_long] = &[
    // Memory. What a client sends is mapped, and the engines allocate.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_madvise,
    // The socket, and the descriptors that come over it.
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_shutdown,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_statx,
    libc::SYS_close,
    // Messages on standard error.
    libc::SYS_write,
    libc::SYS_writev,
    // Threads: the one that looks out for the client's end is there already.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_tgkill,
    // Time and chance.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    // The end.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

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

/// All system calls that are not on the list, for all threads of the process. Nothing on processors
/// for which there are no filters.
pub(super) fn give_up_system_calls() -> Result<(), String> {
    let Ok(processor) = std::env::consts::ARCH.try_into() else { return Ok(()) };
    #[expect(clippy::unnecessary_cast, reason = "they have 32 bits on some processors")]
    let rules: BTreeMap<i64, Vec<_>> =
        ALLOWED.iter().map(|&number| (number as i64, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let program: BpfProgram = SeccompFilter::new(rules, refused, SeccompAction::Allow, processor)
        .and_then(TryInto::try_into)
        .map_err(|error| format!("seccomp: {error}"))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| format!("seccomp: {error}"))
}
