//! The console's signals: Ctrl-C and Ctrl-Break, held back while the terminal is in an unusual mode, and left to
//! the child while one runs.
#![expect(unsafe_code, reason = "console handlers have no safe interface in std")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

/// How many values of [`Held`] there are.
static HOLDERS: AtomicUsize = AtomicUsize::new(0);
static HAS_COME: AtomicBool = AtomicBool::new(false);

/// Runs in a thread that the system makes. 1 means: nothing more is to be done.
unsafe extern "system" fn on_signal(signal: u32) -> BOOL {
    // The others close the console, log the user off or stop the machine: nothing holds these back.
    if ![CTRL_C_EVENT, CTRL_BREAK_EVENT].contains(&signal) || HOLDERS.load(Ordering::SeqCst) == 0 {
        return 0;
    }
    HAS_COME.store(true, Ordering::SeqCst);
    1
}

/// Signals, held back while this lives. One that came meanwhile is for the holder to ask for.
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    /// Holds Ctrl-C and Ctrl-Break back.
    pub(crate) fn new() -> Self {
        if HOLDERS.fetch_add(1, Ordering::SeqCst) == 0 {
            HAS_COME.store(false, Ordering::SeqCst);
            // SAFETY: the handler is a function of this program, and touches nothing but two atomics. Unlike
            // the attribute that ignores Ctrl-C, it is not inherited by children.
            unsafe { SetConsoleCtrlHandler(Some(on_signal), 1) };
        }
        Self(())
    }

    /// The same: nothing else stops a program of the console.
    pub(crate) fn of_endings_and_stop() -> Self {
        Self::new()
    }

    /// Holds those back that would end this process.
    pub(crate) fn of_endings() -> Self {
        Self::new()
    }

    /// Takes one that has come: it does nothing more by itself.
    #[expect(clippy::unused_self, reason = "only a holder may ask")]
    pub(crate) fn take(&self) -> Option<()> {
        HAS_COME.swap(false, Ordering::SeqCst).then_some(())
    }

    /// Whether one of them has come.
    #[expect(clippy::unused_self, reason = "only a holder may ask")]
    pub(crate) fn is_one_pending(&self) -> bool {
        HAS_COME.load(Ordering::SeqCst)
    }
}

/// Whether Ctrl-C does nothing now.
pub(crate) fn is_interrupt_held() -> bool {
    HOLDERS.load(Ordering::SeqCst) != 0
}

impl Drop for Held {
    fn drop(&mut self) {
        if HOLDERS.fetch_sub(1, Ordering::SeqCst) == 1 {
            // SAFETY: takes back what `new` gave.
            unsafe { SetConsoleCtrlHandler(Some(on_signal), 0) };
        }
    }
}
