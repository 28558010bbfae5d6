//! Closes the doors to this process's memory before a secret is in it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the child must get back as it was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    core_limit: Rlimit,
}

/// Keeps other processes of the same user out of this one's memory, and forbids core files.
///
/// Only the soft core limit is touched: it can be put back for the child.
///
/// The soft limit becomes 1, not 0: with a piped `core_pattern` Linux ignores 0 (core(5)), and writes a
/// core through the pipe all the same.
pub(crate) fn harden() -> Received {
    let core_limit = getrlimit(Resource::Core);
    // Security: both are best effort. A kernel without them is no reason to keep the user from working.
    close_memory();
    let lowered = Rlimit { current: Some(core_limit.maximum.map_or(1, |hard| hard.min(1))), ..core_limit };
    setrlimit(Resource::Core, lowered).ok();
    Received { core_limit }
}

/// Not dumpable: denies `/proc/PID/{environ,mem}`, `process_vm_readv` and ptrace.
#[cfg(target_os = "linux")]
fn close_memory() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
}

/// Refuses debuggers (ptrace(2), PT_DENY_ATTACH), and ends at once when there is one already. Whether the command
/// that replaces hatbox can be debugged again, Apple does not say.
#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "ptrace has no safe interface")]
fn close_memory() {
    // SAFETY: this request takes no address and no data, and changes a flag of this process only.
    unsafe {
        libc::ptrace(libc::PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0);
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn close_memory() {}

impl Received {
    /// What there is to put back where nothing was changed.
    #[cfg(test)]
    pub(crate) fn unchanged() -> Self {
        Self { core_limit: getrlimit(Resource::Core) }
    }

    /// Puts the core limit back, for the child. (Linux's dumpable flag comes back by itself at execve.)
    pub(crate) fn restore(self) {
        setrlimit(Resource::Core, self.core_limit).ok();
    }
}
