//! Asks the user one question at a time, on the terminal device, and erases it afterwards.

use std::time::Duration;

use hatbox_types::secret::SecretString;

use picker::Choice;

pub(crate) mod picker;
#[cfg(feature = "iam")]
pub(crate) mod qr;
pub(crate) mod terminal;

/// Whether the input is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// As typed.
    Shown,
    /// Nothing at all.
    Hidden,
}

/// A question.
pub(crate) struct Question<'a> {
    /// One line, ending with a colon and a blank.
    pub(crate) text: &'a str,
    pub(crate) echo: Echo,
    /// How long to wait for the answer.
    pub(crate) timeout: Duration,
    /// Whether it was answered elsewhere; called every 100 ms.
    pub(crate) is_over: &'a dyn Fn() -> bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptError {
    /// There is no terminal to ask on.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C, Ctrl-D, or a signal.
    #[error("cancelled")]
    Cancelled,
    /// There was no answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// [`Question::is_over`] returned true.
    #[error("answered elsewhere")]
    AnsweredElsewhere,
    /// The terminal failed.
    #[error("could not use the terminal")]
    Io(#[source] std::io::Error),
}

/// What the user typed while no question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// No complete line.
    Nothing,
    /// An empty line.
    Enter,
    /// A line with text, which is not kept, as it may be a secret.
    Text,
}

/// Something that can ask the user.
pub(crate) trait Prompter: std::fmt::Debug {
    /// Asks a question, and waits for a line.
    fn ask_line(&self, question: &Question<'_>) -> Result<SecretString, PromptError>;

    /// Lets the user pick from a list. Returns the index of the row.
    fn pick(&self, choice: &Choice<'_>) -> Result<usize, PromptError>;

    /// Prints a line that is not erased.
    fn show(&self, line: &str);

    /// Sends a text to the terminal's clipboard with the sequence OSC 52, and returns whether it was sent. A terminal
    /// on another machine, connected by SSH, has its own clipboard.
    fn copy(&self, text: &SecretString) -> bool;

    /// Remembers what is wrong with the last answer. The next question shows it above itself, and erases it too.
    fn reject(&self, reason: &str);

    /// Draws lines that may contain colour sequences, on the alternate screen if there is one.
    ///
    /// Security: the drawing may be a secret, and that screen has no scrollback.
    #[cfg(feature = "iam")]
    fn draw(&self, lines: &[String]);

    /// Removes the drawing from the screen, if possible.
    #[cfg(feature = "iam")]
    fn end_drawing(&self);

    /// Whether the terminal supports sequences for colours and the cursor.
    #[cfg(feature = "iam")]
    fn has_sequences(&self) -> bool;

    /// The width in columns.
    #[cfg(feature = "iam")]
    fn columns(&self) -> Option<usize>;

    /// The height in lines.
    #[cfg(feature = "iam")]
    fn rows(&self) -> Option<usize>;

    /// The name of the device, such as `/dev/pts/3`, for processes that wait for an answer given on it.
    fn device(&self) -> Option<&str>;

    /// Discards pending input.
    fn forget_input(&self);

    /// Returns what was typed since the last call, without waiting.
    fn read_typed(&self) -> Typed;
}

/// There is no terminal to ask on.
#[derive(Debug)]
pub(crate) struct NoPrompter;

impl Prompter for NoPrompter {
    fn ask_line(&self, _: &Question<'_>) -> Result<SecretString, PromptError> {
        Err(PromptError::NoTerminal)
    }

    fn pick(&self, _: &Choice<'_>) -> Result<usize, PromptError> {
        Err(PromptError::NoTerminal)
    }

    fn show(&self, _: &str) {}

    fn copy(&self, _: &SecretString) -> bool {
        false
    }

    fn reject(&self, _: &str) {}

    #[cfg(feature = "iam")]
    fn draw(&self, _: &[String]) {}

    #[cfg(feature = "iam")]
    fn end_drawing(&self) {}

    #[cfg(feature = "iam")]
    fn has_sequences(&self) -> bool {
        false
    }

    #[cfg(feature = "iam")]
    fn columns(&self) -> Option<usize> {
        None
    }

    #[cfg(feature = "iam")]
    fn rows(&self) -> Option<usize> {
        None
    }

    fn device(&self) -> Option<&str> {
        None
    }

    fn forget_input(&self) {}

    fn read_typed(&self) -> Typed {
        Typed::Nothing
    }
}
