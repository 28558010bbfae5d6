//! Asking a person: one question at a time, on the terminal device, erased afterwards.

use std::time::Duration;

use hatbox_types::secret::SecretString;

use picker::Choice;

pub(crate) mod picker;
#[cfg(feature = "iam")]
pub(crate) mod qr;
pub(crate) mod terminal;

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// As typed.
    Shown,
    /// Nothing at all.
    Hidden,
}

/// A question.
pub(crate) struct Question<'a> {
    /// One line, with its colon and blank.
    pub(crate) text: &'a str,
    pub(crate) echo: Echo,
    /// How long to wait for the answer.
    pub(crate) timeout: Duration,
    /// Whether it was answered elsewhere meanwhile; asked every 100 ms.
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
    /// [`Question::is_over`] said so.
    #[error("answered elsewhere")]
    AnsweredElsewhere,
    /// The terminal failed.
    #[error("could not use the terminal")]
    Io(#[source] std::io::Error),
}

/// What a person typed where no question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// No line.
    Nothing,
    /// Enter alone.
    Enter,
    /// A line with something in it. What it was is not kept: it may be a secret.
    Text,
}

/// Something that can ask a person.
pub(crate) trait Prompter: std::fmt::Debug {
    /// Asks, and waits for one line.
    fn ask_line(&self, question: &Question<'_>) -> Result<SecretString, PromptError>;

    /// Lets a person choose from a list, and returns the index of the row.
    fn pick(&self, choice: &Choice<'_>) -> Result<usize, PromptError>;

    /// Shows a line that stays.
    fn show(&self, line: &str);

    /// Gives a text to the terminal's clipboard, by the sequence OSC 52, and returns whether it was sent. A terminal on
    /// another machine, behind SSH, has its own clipboard.
    fn copy(&self, text: &SecretString) -> bool;

    /// Keeps what is wrong with the last answer for the next question: it is shown above it, and erased with it.
    fn reject(&self, reason: &str);

    /// Draws lines that may hold sequences of colours: on the alternate screen, where there is one.
    ///
    /// Security: what is drawn may be a secret, and that screen has no scrollback.
    #[cfg(feature = "iam")]
    fn draw(&self, lines: &[String]);

    /// Takes what was drawn off the screen, where that can be done.
    #[cfg(feature = "iam")]
    fn end_drawing(&self);

    /// Whether sequences of colours and of the cursor are understood.
    #[cfg(feature = "iam")]
    fn has_sequences(&self) -> bool;

    /// Characters in a line.
    #[cfg(feature = "iam")]
    fn columns(&self) -> Option<usize>;

    /// Lines on the screen.
    #[cfg(feature = "iam")]
    fn rows(&self) -> Option<usize>;

    /// The device's name, for those who wait for an answer given here: `/dev/pts/3`.
    fn device(&self) -> Option<&str>;

    /// Forgets what was typed so far.
    fn forget_input(&self);

    /// What was typed since the last call, without waiting.
    fn read_typed(&self) -> Typed;
}

/// No terminal to ask on.
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
