//! Forbids the system calls that the server of one client does not need.
//!
//! The filter is an allow list, so it also denies the system calls of future kernels. A denied call
//! fails with `EPERM`.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// The system calls that remain allowed: for memory, the client's socket, synchronization and
/// exiting.
const ALLOWED: &[libc::c_long] = &[
    // Memory: mapping the regions that the client shares, and allocating.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_madvise,
    // The client's socket, and the file descriptors that it passes.
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
    // Synchronization and signals. No call that starts a thread: the thread that watches for the
    // client's disconnection is already running.
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
    // Time, and random seeds of hash maps.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    // Exiting.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Denies all system calls that are not [`ALLOWED`] to all threads of the process, for good.
pub(super) fn restrict() -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("seccomp: {error}");
    let rules: BTreeMap<i64, Vec<_>> = ALLOWED.iter().map(|&number| (number, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| failed(&error))?;
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    let program: BpfProgram = SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture)
        .and_then(TryInto::try_into)
        .map_err(|error| failed(&error))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| failed(&error))
}
