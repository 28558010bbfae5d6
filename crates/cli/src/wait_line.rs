//! A line about a slow operation: what hatbox waits for, and how long at most. On a terminal it is erased afterwards;
//! elsewhere it is printed once, and later.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::bar::is_on;
use crate::sys::signals::is_interrupt_held;
#[cfg(unix)]
use crate::sys::signals::{Held, with_terminal_output_held};
use crate::sys::terminal::{is_in_usual_mode, stderr_columns};

/// Shorter waits need no explanation.
const ON_TERMINAL: Duration = Duration::from_millis(300);
/// In a log, only a slow operation is worth a line.
const ELSEWHERE: Duration = Duration::from_secs(5);
/// Starting and ending the thread takes about as long as a fast answer.
const WITHOUT_THREAD: Duration = Duration::from_millis(100);
const FRAME: Duration = Duration::from_millis(200);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// The name of this program in a log.
static NAME: OnceLock<&'static str> = OnceLock::new();

/// Whether no one looks at such lines any more.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Shows no line from now on: nothing in the foreground waits, and the terminal may belong to another program.
pub(crate) fn show_no_lines() {
    IS_OFF.store(true, Ordering::Relaxed);
}

/// Sets the name of this program: `hatbox` or `aws-vault`.
pub(crate) fn set_program_name(name: &'static str) {
    NAME.set(name).ok();
}

/// What else may use the terminal in the meantime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nothing.
    None,
    /// A program that may open the terminal to ask. The line ends when it does: to ask for a secret, or to use the
    /// whole screen, it changes the terminal's modes first.
    MayAsk,
    /// A program whose stdin and stderr are the terminal. Its output cannot be seen here, so nothing can be erased: one
    /// line is printed, unless the terminal's modes were changed by then.
    OnTerminal,
}

/// Shows the line from some time on until it is dropped.
#[derive(Debug)]
pub(crate) struct WaitLine {
    /// Dropped first, which ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WaitLine {
    /// `what` returns the text when it is needed: `waiting for sts.amazonaws.com`. Without a limit, it shows the
    /// progress itself.
    pub(crate) fn start(
        limit: impl Into<Option<Duration>>,
        company: Company,
        what: impl Fn() -> String + Send + 'static,
    ) -> Self {
        Self::start_after(Duration::ZERO, limit.into(), company, what)
    }

    /// Like [`Self::start`], for an operation that has already taken `waited`.
    fn start_after(
        waited: Duration,
        limit: Option<Duration>,
        company: Company,
        what: impl Fn() -> String + Send + 'static,
    ) -> Self {
        // The bar already shows the progress of everything.
        if is_on() || IS_OFF.load(Ordering::Relaxed) {
            return Self { end: None, thread: None };
        }
        let (end, ended) = mpsc::channel::<()>();
        let is_terminal = io::stderr().is_terminal();
        let can_erase = is_terminal
            && company != Company::OnTerminal
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let is_held = is_interrupt_held();
        // The thread must not receive signals that another thread holds back, or that should end the process.
        #[cfg(unix)]
        let _held = Held::of_endings();
        let thread = thread::Builder::new().spawn(move || {
            let started = Instant::now();
            let is_beside = is_terminal && company == Company::OnTerminal;
            let first = if can_erase || is_beside { ON_TERMINAL } else { ELSEWHERE };
            let mut wait = first.saturating_sub(waited);
            // In a log, no one can press it.
            let hint = if is_terminal && !is_held { "; Ctrl-C cancels" } else { "" };
            let mut frame = FRAMES.iter().cycle();
            let mut is_shown = false;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                if is_terminal && company != Company::None && !is_in_usual_mode() {
                    ended.recv().ok();
                    return;
                }
                let text = render(&what(), waited + started.elapsed(), limit, hint);
                if !can_erase {
                    say(&text);
                    ended.recv().ok();
                    return;
                }
                // One column stays free, as some terminals wrap a full line.
                let room = stderr_columns().unwrap_or(80).saturating_sub(1);
                let line = format!("{} {text}", frame.next().unwrap_or(&' '));
                let line: String = line.chars().take(room).collect();
                write!(io::stderr(), "\r{line}\x1b[K").ok();
                (is_shown, wait) = (true, FRAME);
            }
            if is_shown {
                write!(io::stderr(), "\r\x1b[K").ok();
            }
        });
        // Without a thread, there is no line, and everything else continues.
        Self { end: Some(end), thread: thread.ok() }
    }
}

impl Drop for WaitLine {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Awaits `operation`, with the line if it is slow.
pub(crate) async fn await_with_line<T>(
    operation: impl Future<Output = T>,
    limit: Duration,
    what: impl Fn() -> String + Send + 'static,
) -> T {
    let mut operation = pin!(operation);
    if let Ok(done) = tokio::time::timeout(WITHOUT_THREAD, operation.as_mut()).await {
        return done;
    }
    let _line = WaitLine::start_after(WITHOUT_THREAD, Some(limit), Company::None, what);
    operation.await
}

fn render(what: &str, waited: Duration, limit: Option<Duration>, hint: &str) -> String {
    let limit = limit.map(|limit| format!(" (up to {} s{hint})", limit.as_secs())).unwrap_or_default();
    match waited.as_secs() {
        0 => format!("{what}{limit}"),
        seconds => format!("{what}: {seconds} s{limit}"),
    }
}

fn say(text: &str) {
    let name = NAME.get().unwrap_or(&"hatbox");
    let write = || writeln!(io::stderr(), "{name}: {text}").ok();
    // The program may be in the terminal's foreground.
    #[cfg(unix)]
    with_terminal_output_held(write);
    #[cfg(not(unix))]
    write();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_for_how_long_and_for_how_long_at_most() {
        let limit = Some(Duration::from_mins(1));
        for (waited, limit, hint, line) in [
            (400, limit, "", "waiting for x (up to 60 s)"),
            (7900, limit, "", "waiting for x: 7 s (up to 60 s)"),
            (400, limit, "; Ctrl-C cancels", "waiting for x (up to 60 s; Ctrl-C cancels)"),
            (7900, None, "", "waiting for x: 7 s"),
        ] {
            assert_eq!(render("waiting for x", Duration::from_millis(waited), limit, hint), line);
        }
    }
}
