//! Signals: remembers the disposition of SIGPIPE, and holds fatal signals back while the terminal's modes are changed.
#![expect(unsafe_code, reason = "signal masks and dispositions have no safe interface in std or rustix")]

use std::os::fd::IntoRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

pub(crate) use rustix::process::Signal;

static PIPE_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Runs before `main`, because std's startup code then ignores SIGPIPE, and the child must get the disposition that
/// hatbox received.
#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static REMEMBER_PIPE: extern "C" fn() = {
    extern "C" fn remember_pipe() {
        PIPE_WAS_IGNORED.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
    }
    remember_pipe
};

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: sigaction with a null new action only reads, into a zeroed local struct.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Restores the disposition of SIGPIPE that the process was started with.
pub(crate) fn restore_pipe() {
    let disposition = if PIPE_WAS_IGNORED.load(Ordering::Relaxed) { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: both dispositions are valid for SIGPIPE, and this program installs no handler for it.
    unsafe {
        libc::signal(libc::SIGPIPE, disposition);
    }
}

/// Runs `work` without being stopped by SIGTTOU, which a background process gets for changing the terminal.
pub(crate) fn with_terminal_output_held<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: the sets are initialized before use and outlive the calls, which only change the mask of this thread.
    unsafe {
        let mut block: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut block);
        libc::sigemptyset(&raw mut before);
        libc::sigaddset(&raw mut block, libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const block, &raw mut before);
        let done = work();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        done
    }
}

const HELD: [libc::c_int; 5] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP];

/// The mask for programs, if this process holds signals back for as long as it runs.
static MASK_OF_PROGRAMS: OnceLock<libc::sigset_t> = OnceLock::new();

/// Whether this process is about to end.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Ends the questions and programs of all threads as if a signal had arrived, because this process is about to end.
pub(crate) fn end_questions() {
    IS_ENDING.store(true, Ordering::SeqCst);
}

/// Holds fatal signals back. On drop, restores the mask, and a signal that arrived meanwhile takes effect.
#[derive(Debug)]
pub(crate) struct Held {
    held: libc::sigset_t,
    before: libc::sigset_t,
}

impl Held {
    /// Holds SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP back.
    pub(crate) fn new() -> Self {
        Self::of(HELD)
    }

    /// Holds back signals that would end this process: not SIGTSTP, and no signal that is ignored, as under `nohup`.
    pub(crate) fn of_endings() -> Self {
        Self::of(HELD.into_iter().filter(|&signal| signal != libc::SIGTSTP && !is_ignored(signal)))
    }

    /// Holds back the signals that would end this process, for as long as it runs: threads hold them back too. Programs
    /// get the mask from before.
    pub(crate) fn of_endings_for_good() -> Self {
        let held = Self::of_endings();
        MASK_OF_PROGRAMS.set(held.before).ok();
        held
    }

    fn of(signals: impl IntoIterator<Item = libc::c_int>) -> Self {
        // SAFETY: the sets are initialized by sigemptyset before use, and outlive the calls.
        unsafe {
            let mut block: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut block);
            libc::sigemptyset(&raw mut before);
            for signal in signals {
                libc::sigaddset(&raw mut block, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const block, &raw mut before);
            Self { held: block, before }
        }
    }

    /// Whether one of the signals is pending, or another thread has taken one that ends this process.
    pub(crate) fn is_one_pending(&self) -> bool {
        self.pending().is_some() || IS_ENDING.load(Ordering::SeqCst)
    }

    fn pending(&self) -> Option<libc::c_int> {
        // SAFETY: the set is initialized by sigemptyset, and outlives the calls.
        unsafe {
            let mut pending: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut pending);
            libc::sigpending(&raw mut pending);
            HELD.into_iter().find(|&signal| {
                libc::sigismember(&raw const pending, signal) == 1
                    && libc::sigismember(&raw const self.held, signal) == 1
                    && libc::sigismember(&raw const self.before, signal) == 0
            })
        }
    }
}

/// The descriptor to which [`catch_endings`] writes signals.
static ENDINGS: AtomicI32 = AtomicI32::new(-1);

/// Turns the signals that would end this process into bytes of the returned stream. Processes started by this one
/// receive the signals as usual.
pub(crate) fn catch_endings() -> std::io::Result<std::io::PipeReader> {
    extern "C" fn say(_: libc::c_int) {
        // SAFETY: write(2) is safe in a handler (signal-safety(7)), and the byte outlives the call. Nothing else writes
        // to the pipe, which has room for thousands of bytes, so errno does not change.
        unsafe {
            libc::write(ENDINGS.load(Ordering::Relaxed), (&raw const BYTE).cast(), 1);
        }
    }
    static BYTE: u8 = 0;
    let (reader, writer) = std::io::pipe()?;
    // It stays open until the process ends.
    ENDINGS.store(writer.into_raw_fd(), Ordering::Relaxed);
    for signal in HELD.into_iter().filter(|&signal| signal != libc::SIGTSTP && !is_ignored(signal)) {
        let handler: extern "C" fn(libc::c_int) = say;
        // SAFETY: the handler has the right type, and only does what a handler may do.
        unsafe {
            libc::signal(signal, handler as libc::sighandler_t);
        }
    }
    Ok(reader)
}

/// Whether Ctrl-C has no effect now: this thread holds it back, or the process ignores it.
pub(crate) fn is_interrupt_held() -> bool {
    // SAFETY: the set is initialized by sigemptyset and outlives the calls; a null new mask only reads.
    unsafe {
        let mut now: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut now);
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut now);
        libc::sigismember(&raw const now, libc::SIGINT) == 1 || is_ignored(libc::SIGINT)
    }
}

/// Sets the signal mask of this thread with one system call, which is safe between fork and exec.
pub(super) fn set_mask(mask: &libc::sigset_t) -> std::io::Result<()> {
    // SAFETY: the set is initialized, and outlives the call.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(std::io::Error::from_raw_os_error(error)),
    }
}

impl Held {
    /// Makes `command` start with the original mask, as std passes the parent's mask on.
    pub(crate) fn release_in(&self, command: &mut std::process::Command) {
        use std::os::unix::process::CommandExt;
        let before = MASK_OF_PROGRAMS.get().copied().unwrap_or(self.before);
        // SAFETY: between fork and exec, the closure makes one system call, with a set that it owns.
        unsafe {
            command.pre_exec(move || set_mask(&before));
        }
    }
}

/// For a process that continues after a signal.
impl Held {
    /// Holds back signals that would end or stop this process, except ignored ones.
    pub(crate) fn of_endings_and_stop() -> Self {
        Self::of(HELD.into_iter().filter(|&signal| !is_ignored(signal)))
    }

    /// The mask from before.
    pub(super) fn before(&self) -> libc::sigset_t {
        self.before
    }

    /// Takes a pending signal, which then has no other effect.
    pub(crate) fn take(&self) -> Option<Signal> {
        let number = self.pending()?;
        // SAFETY: the set is initialized by sigemptyset and outlives the call, which does not block: the signal is
        // pending, and no other thread waits for it.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, number);
            let mut taken = 0;
            libc::sigwait(&raw const set, &raw mut taken);
        }
        Signal::from_named_raw(number)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `before` was filled by pthread_sigmask in `new`.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut());
        }
    }
}

/// Sends a signal to a child whose exit status was not collected yet.
#[cfg(feature = "sandbox")]
pub(crate) fn send(child: &std::process::Child, signal: Signal) {
    // It may have ended meanwhile.
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).ok();
}

/// Stops this process until it is continued.
pub(crate) fn stop_self() {
    rustix::process::kill_process(rustix::process::getpid(), Signal::STOP).ok();
}

/// Starts a new session without a terminal, so closing the old terminal does not end this process.
#[cfg(feature = "sandbox")]
pub(crate) fn leave_session() {
    rustix::process::setsid().ok();
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_held_back_only_as_its_parent_was_before() {
        let blocked = |held: Option<&Held>| {
            // Without a shell, as some shells clear the mask themselves.
            let mut command = Command::new("grep");
            command.args(["SigBlk", "/proc/self/status"]);
            if let Some(held) = held {
                held.release_in(&mut command);
            }
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        let before = blocked(None);
        let held = Held::new();
        assert_ne!(blocked(None), before, "std hands the mask on");
        assert_eq!(blocked(Some(&held)), before);
    }

    #[test]
    fn a_signal_that_was_taken_does_nothing_more() {
        let held = Held::new();
        assert_eq!(held.take(), None);
        // Sent to this thread only: other threads of the test do not hold it back.
        // SAFETY: raises a signal that this thread holds back.
        unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGTERM) };
        assert!(held.is_one_pending());
        assert_eq!(held.take(), Some(Signal::TERM));
        assert!(!held.is_one_pending());
        drop(held);
    }
}
