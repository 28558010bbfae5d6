//! Protects this process's memory before it contains a secret.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What to restore for the child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    core_limit: Rlimit,
}

/// Keeps other processes of the same user from reading this one's memory, and disables core files.
///
/// Only changes the soft core limit, which can be restored for the child.
///
/// The soft limit becomes 1, not 0: with a piped `core_pattern`, Linux ignores 0 (core(5)) and still writes a core file
/// through the pipe.
pub(crate) fn harden() -> Received {
    let core_limit = getrlimit(Resource::Core);
    // Security: both are best effort. hatbox must work on a kernel without them.
    close_memory();
    let lowered = Rlimit { current: Some(core_limit.maximum.map_or(1, |hard| hard.min(1))), ..core_limit };
    setrlimit(Resource::Core, lowered).ok();
    Received { core_limit }
}

/// Makes the process not dumpable, which denies `/proc/PID/{environ,mem}`, `process_vm_readv` and ptrace.
#[cfg(target_os = "linux")]
fn close_memory() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
}

/// Denies debuggers (ptrace(2), PT_DENY_ATTACH); ends at once if one is attached. Apple does not document whether this
/// also applies to the command that replaces hatbox.
#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "ptrace has no safe interface")]
fn close_memory() {
    // SAFETY: this request takes no address and no data, and only sets a flag of this process.
    unsafe {
        libc::ptrace(libc::PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0);
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn close_memory() {}

impl Received {
    /// Nothing was changed, so nothing is restored.
    #[cfg(test)]
    pub(crate) fn unchanged() -> Self {
        Self { core_limit: getrlimit(Resource::Core) }
    }

    /// Restores the core limit for the child. Linux resets the dumpable flag itself on execve.
    pub(crate) fn restore(self) {
        setrlimit(Resource::Core, self.core_limit).ok();
    }
}
