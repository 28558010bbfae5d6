//! Asks for a yes before something is deleted or replaced.

use std::time::Duration;

use crate::errors::{Failure, FailureKind};
use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// A question whose only answers are yes and no; anything but a yes is a no.
#[derive(Debug)]
pub(crate) struct Confirmation<'a> {
    /// The question, with its blank at the end.
    pub(crate) text: &'a str,
    /// What leads to the question, where it says more than the command: the cause of the failure without a terminal.
    pub(crate) because: Option<&'a str>,
    /// What helps without a terminal.
    pub(crate) hint: &'a str,
    /// How long a person is waited for.
    pub(crate) timeout: Duration,
}

/// Asks on the terminal.
///
/// # Errors
/// Cancelled, or a person is needed and there is none.
pub(crate) fn ask_yes_or_no(world: &World, asked: &Confirmation<'_>) -> Result<bool, Failure> {
    let question =
        Question { text: asked.text, echo: Echo::Shown, timeout: asked.timeout, is_over: &|| false };
    match world.prompter().ask_line(&question) {
        Ok(answer) => Ok(matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "y" | "yes")),
        Err(PromptError::Cancelled) => Err(Failure::new(FailureKind::Cancelled, "cancelled")),
        Err(error) => {
            let failure = unanswered(&error);
            let failure = match asked.because {
                Some(because) => failure.because(because),
                None => failure,
            };
            Err(failure.hint(asked.hint))
        }
    }
}

/// The failure of a question that got no answer.
pub(crate) fn unanswered(error: &PromptError) -> Failure {
    const TEXT: &str = "cannot ask for confirmation";
    match error {
        PromptError::NoTerminal => {
            Failure::new(FailureKind::NeedsPerson, format!("{TEXT}: there is no terminal"))
        }
        error => Failure::new(FailureKind::NeedsPerson, TEXT).caused_by(error),
    }
}
