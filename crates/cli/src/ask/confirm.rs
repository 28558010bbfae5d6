//! Asks for confirmation before something is deleted or replaced.

use std::time::Duration;

use crate::errors::{Failure, FailureKind};
use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// A yes/no question; any answer but yes means no.
#[derive(Debug)]
pub(crate) struct Confirmation<'a> {
    /// The question, with a trailing blank.
    pub(crate) text: &'a str,
    /// The reason for the question, if the command itself does not show it. It is the cause of the failure without a
    /// terminal.
    pub(crate) because: Option<&'a str>,
    /// The hint of the failure without a terminal.
    pub(crate) hint: &'a str,
    /// How long to wait for the answer.
    pub(crate) timeout: Duration,
}

/// Asks on the terminal.
///
/// # Errors
/// If the user cancels the question, or no one can be asked.
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

/// The failure of an unanswered question.
pub(crate) fn unanswered(error: &PromptError) -> Failure {
    const TEXT: &str = "cannot ask for confirmation";
    match error {
        PromptError::NoTerminal => {
            Failure::new(FailureKind::NeedsPerson, format!("{TEXT}: there is no terminal"))
        }
        error => Failure::new(FailureKind::NeedsPerson, TEXT).caused_by(error),
    }
}
