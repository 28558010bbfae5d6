//! The console's signals, Ctrl-C and Ctrl-Break: held back while the console is in raw mode, and left to a child while
//! one runs.
#![expect(unsafe_code, reason = "console handlers have no safe interface in std")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

/// The number of values of [`Held`].
static HOLDERS: AtomicUsize = AtomicUsize::new(0);
static HAS_COME: AtomicBool = AtomicBool::new(false);
/// Whether this process is about to end.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Called in a thread of the system. Returning 1 means that the signal was handled.
unsafe extern "system" fn on_signal(signal: u32) -> BOOL {
    // The other signals close the console, log the user off or shut down, and cannot be held back.
    if ![CTRL_C_EVENT, CTRL_BREAK_EVENT].contains(&signal) || HOLDERS.load(Ordering::SeqCst) == 0 {
        return 0;
    }
    HAS_COME.store(true, Ordering::SeqCst);
    1
}

/// Holds signals back. The holder checks for one that arrived.
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    /// Holds Ctrl-C and Ctrl-Break back.
    pub(crate) fn new() -> Self {
        if HOLDERS.fetch_add(1, Ordering::SeqCst) == 0 {
            HAS_COME.store(false, Ordering::SeqCst);
            // SAFETY: the handler is a function of this program that only touches two atomics. Unlike the attribute
            // that ignores Ctrl-C, children do not inherit it.
            unsafe { SetConsoleCtrlHandler(Some(on_signal), 1) };
        }
        Self(())
    }

    /// Does the same: nothing else stops a program of the console.
    pub(crate) fn of_endings_and_stop() -> Self {
        Self::new()
    }

    /// Holds back the signals that would end this process, for as long as it runs.
    pub(crate) fn of_endings_for_good() -> Self {
        Self::new()
    }

    /// Takes a signal that arrived, which then has no other effect.
    #[expect(clippy::unused_self, reason = "only a holder may ask")]
    pub(crate) fn take(&self) -> Option<()> {
        HAS_COME.swap(false, Ordering::SeqCst).then_some(())
    }

    /// Whether one of the signals arrived.
    #[expect(clippy::unused_self, reason = "only a holder may ask")]
    pub(crate) fn is_one_pending(&self) -> bool {
        HAS_COME.load(Ordering::SeqCst) || IS_ENDING.load(Ordering::SeqCst)
    }
}

/// Ends the questions and programs of all threads as if a signal had arrived, because this process is about to end.
pub(crate) fn end_questions() {
    IS_ENDING.store(true, Ordering::SeqCst);
}

/// Whether Ctrl-C has no effect now.
pub(crate) fn is_interrupt_held() -> bool {
    HOLDERS.load(Ordering::SeqCst) != 0
}

impl Drop for Held {
    fn drop(&mut self) {
        if HOLDERS.fetch_sub(1, Ordering::SeqCst) == 1 {
            // SAFETY: removes the handler that `new` added.
            unsafe { SetConsoleCtrlHandler(Some(on_signal), 0) };
        }
    }
}
