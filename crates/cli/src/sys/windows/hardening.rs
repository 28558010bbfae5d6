//! Closes the doors to this process's memory before a secret is in it, as far as Windows has any: every process
//! of the same user may open this one.
#![expect(unsafe_code, reason = "std has no word for error reports")]

use windows_sys::Win32::System::ErrorReporting::{WER_FAULT_REPORTING_FLAG_NOHEAP, WerSetFlags};

/// What the child must get back as it was received: nothing is changed that it would inherit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {}

#[cfg(test)]
impl Received {
    /// What there is to put back where nothing was changed.
    pub(crate) fn unchanged() -> Self {
        Self {}
    }
}

/// Keeps what is in memory out of the report that Windows makes, and may send, when a program crashes.
pub(crate) fn harden() -> Received {
    // Security: best effort. A system without error reports is no reason to keep the user from working.
    // SAFETY: it takes a number, and changes flags of this process only.
    unsafe {
        WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP);
    }
    Received {}
}
