//! The system calls that a server gives up before it reads the first message of its client.

use std::collections::BTreeMap;

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

/// All system calls that are not on the list, for all threads of the process.
pub(super) fn give_up_system_calls() -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("seccomp: {error}");
    let rules: BTreeMap<i64, Vec<_>> = ALLOWED.iter().map(|&number| (number, Vec::new())).collect();
    let processor = std::env::consts::ARCH.try_into().map_err(|error| failed(&error))?;
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let program: BpfProgram = SeccompFilter::new(rules, refused, SeccompAction::Allow, processor)
        .and_then(TryInto::try_into)
        .map_err(|error| failed(&error))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| failed(&error))
}
