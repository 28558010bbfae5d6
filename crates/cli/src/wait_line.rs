//! A line for what takes longer than a person waits without a word: what is waited for, and for how long at most. On
//! a terminal it is erased afterwards; elsewhere it is said once, and later.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::bar::is_on;
use crate::sys::signals::is_interrupt_held;
#[cfg(unix)]
use crate::sys::signals::{Held, with_terminal_output_held};
use crate::sys::terminal::{is_in_usual_mode, stderr_columns};

/// No one wonders before.
const ON_TERMINAL: Duration = Duration::from_millis(300);
/// In a log it is worth a line only when something is slow.
const ELSEWHERE: Duration = Duration::from_secs(5);
const FRAME: Duration = Duration::from_millis(200);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// What this program is called, in a log.
static NAME: OnceLock<&'static str> = OnceLock::new();

/// Sets what this program is called: `hatbox`, `aws-vault`.
pub(crate) fn set_program_name(name: &'static str) {
    NAME.set(name).ok();
}

/// Who else may use the terminal meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// No one.
    None,
    /// A program that may open the terminal to ask. The line gives way for good where it does: to ask for a secret, or
    /// over the whole screen, it takes the terminal out of its usual mode first.
    MayAsk,
    /// A program whose stdin and stderr are the terminal. What it writes there is not seen, so nothing can be erased:
    /// one line is said, unless the terminal is out of its usual mode by then.
    OnTerminal,
}

/// Shows the line, where there is time for it, until it is dropped.
#[derive(Debug)]
pub(crate) struct WaitLine {
    /// Dropped first: that ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WaitLine {
    /// `what` gives the text when it is needed: `waiting for sts.amazonaws.com`. Without a limit, it says how far it is.
    pub(crate) fn start(
        limit: impl Into<Option<Duration>>,
        company: Company,
        what: impl Fn() -> String + Send + 'static,
    ) -> Self {
        let limit = limit.into();
        // The bar counts for all that is waited for.
        if is_on() {
            return Self { end: None, thread: None };
        }
        let (end, ended) = mpsc::channel::<()>();
        let is_terminal = io::stderr().is_terminal();
        let can_erase = is_terminal
            && company != Company::OnTerminal
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let is_held = is_interrupt_held();
        // The thread takes no signal that another one holds back, or is to be ended by.
        #[cfg(unix)]
        let _held = Held::of_endings();
        let thread = thread::Builder::new().spawn(move || {
            let started = Instant::now();
            let is_beside = is_terminal && company == Company::OnTerminal;
            let mut wait = if can_erase || is_beside { ON_TERMINAL } else { ELSEWHERE };
            // In a log there is no one to press it.
            let hint = if is_terminal && !is_held { "; Ctrl-C cancels" } else { "" };
            let mut frame = FRAMES.iter().cycle();
            let mut is_shown = false;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                if is_terminal && company != Company::None && !is_in_usual_mode() {
                    ended.recv().ok();
                    return;
                }
                let text = render(&what(), started.elapsed(), limit, hint);
                if !can_erase {
                    say(&text);
                    ended.recv().ok();
                    return;
                }
                // One column stays free: some terminals go on to the next line by themselves.
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
        // Without a thread there is no line, and all else goes on.
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
    // The program may have the terminal's foreground.
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
