//! A step of the demo as data: its text, its command, what is typed, and the expected result.

pub(super) struct Step {
    pub(super) caption: String,
    /// What differs from a real machine.
    pub(super) remark: Option<&'static str>,
    /// The command to show and run; the first word is `hatbox`.
    pub(super) command: Vec<String>,
    /// The questions in their expected order: how each begins, and what to type.
    pub(super) answers: Vec<(&'static str, Typed)>,
    pub(super) expected: Expected,
    pub(super) shown: Shown,
    pub(super) reading: Reading,
}

/// The expected result of a step.
pub(super) struct Expected {
    pub(super) code: i32,
    /// Texts that must be in the output.
    pub(super) texts: Vec<String>,
}

/// What is typed in answer to a question.
pub(super) enum Typed {
    /// This text, visible as it is typed.
    Text(String),
    /// This text, hidden.
    Hidden(String),
    /// A code that the device does not show.
    WrongCode,
    /// The code that the device shows, or the next one if that was typed already.
    Code,
}

/// How much of the output is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it.
    All,
    /// Only the number of lines.
    Counted,
}

/// How long the output stays on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Long enough to see what it is about.
    Glance,
    /// Until Enter, or long enough to be read.
    Study,
}
