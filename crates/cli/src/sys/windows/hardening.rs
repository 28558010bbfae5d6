//! Protects this process's memory before it contains a secret, as far as Windows can: every process of the same user
//! may open this one.
#![expect(unsafe_code, reason = "std has no word for error reports")]

use windows_sys::Win32::System::ErrorReporting::{WER_FAULT_REPORTING_FLAG_NOHEAP, WerSetFlags};

/// What to restore for the child: nothing, as nothing that it inherits is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {}

#[cfg(test)]
impl Received {
    /// Nothing was changed, so nothing is restored.
    pub(crate) fn unchanged() -> Self {
        Self {}
    }
}

/// Keeps the memory out of the report that Windows creates, and may send, when a program crashes.
pub(crate) fn harden() -> Received {
    // Security: best effort. hatbox must work on a system without error reports.
    // SAFETY: the call takes a number, and changes flags of this process only.
    unsafe {
        WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP);
    }
    Received {}
}
