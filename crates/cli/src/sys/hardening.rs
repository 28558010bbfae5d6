//! Closes the doors to this process's memory before a secret is in it.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// What the child must get back as it was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    core_limit: Rlimit,
}

/// Makes the process not dumpable and forbids core files.
///
/// Not dumpable denies `/proc/PID/{environ,mem}`, `process_vm_readv` and ptrace to other processes of
/// the same user. Only the soft core limit is touched: it can be put back for the child.
///
/// The soft limit becomes 1, not 0: with a piped `core_pattern` Linux ignores 0 (core(5)), and writes a
/// core through the pipe all the same.
pub(crate) fn harden() -> Received {
    let core_limit = getrlimit(Resource::Core);
    // Security: both are best effort. A kernel without them is no reason to keep the user from working.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    let lowered = Rlimit { current: Some(core_limit.maximum.map_or(1, |hard| hard.min(1))), ..core_limit };
    setrlimit(Resource::Core, lowered).ok();
    Received { core_limit }
}

impl Received {
    /// Puts the core limit back, for the child. (The dumpable flag comes back by itself at execve.)
    pub(crate) fn restore(self) {
        setrlimit(Resource::Core, self.core_limit).ok();
    }
}
