//! Waits for a user who is in the browser, with a line about it, Ctrl-C, and a time limit.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// The polling interval without a terminal.
const LOOK: Duration = Duration::from_millis(100);

/// The result of waiting.
pub(crate) enum Waited<T> {
    Answer(T),
    /// Another process asks now.
    TakenOver,
    /// Ctrl-C.
    Cancelled,
    TimedOut,
}

/// Waits for a message in `answers`. The sender must send one before it is dropped.
pub(crate) fn wait_for_person<T>(
    world: &World,
    answers: &Receiver<T>,
    patience: Duration,
    is_over: &dyn Fn() -> bool,
) -> Waited<T> {
    let end = Instant::now() + patience;
    let text = format!(
        "Waiting for the sign-in in the browser ({} min; Ctrl-C cancels) ",
        patience.as_secs().div_ceil(60)
    );
    let answer = RefCell::new(None);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Waited::TimedOut;
        }
        let is_done = || {
            if let Ok(came) = answers.try_recv() {
                answer.replace(Some(came));
            }
            answer.borrow().is_some() || is_over()
        };
        let question = Question { text: &text, echo: Echo::Hidden, timeout: left, is_over: &is_done };
        match world.prompter().ask_line(&question) {
            // Enter has no meaning here.
            Ok(_) => {}
            Err(PromptError::AnsweredElsewhere) => {
                return answer.take().map_or(Waited::TakenOver, Waited::Answer);
            }
            Err(PromptError::Cancelled) => return Waited::Cancelled,
            Err(PromptError::TimedOut(_)) => return Waited::TimedOut,
            Err(PromptError::NoTerminal | PromptError::Io(_)) => {
                return wait_unseen(answers, end, is_over);
            }
        }
    }
}

/// Without a terminal, the program that started hatbox has to end it.
fn wait_unseen<T>(answers: &Receiver<T>, end: Instant, is_over: &dyn Fn() -> bool) -> Waited<T> {
    loop {
        match answers.recv_timeout(LOOK) {
            Ok(answer) => return Waited::Answer(answer),
            Err(RecvTimeoutError::Timeout) if is_over() => return Waited::TakenOver,
            Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Waited::TimedOut,
        }
    }
}
