//! A step of the demo as data: what it says, what it runs, what is typed, and what must come of it.

/// A step: what it says, what it runs, and what must come of it.
pub(super) struct Step {
    pub(super) caption: String,
    /// What is different here from a real machine.
    pub(super) remark: Option<&'static str>,
    /// The command as it is shown and run; the first word is `hatbox`.
    pub(super) command: Vec<String>,
    /// Questions in the order in which they must come: how each begins, and what is typed.
    pub(super) answers: Vec<(&'static str, Typed)>,
    pub(super) expected: Expected,
    pub(super) shown: Shown,
    pub(super) reading: Reading,
}

/// What must come of a step.
pub(super) struct Expected {
    pub(super) code: i32,
    /// Each must be in the output.
    pub(super) texts: Vec<String>,
}

/// What is typed in answer to a question.
pub(super) enum Typed {
    /// This, seen as it is typed.
    Text(String),
    /// This, and nothing is seen.
    Hidden(String),
    /// A code that the device does not show.
    WrongCode,
    /// The code that the device shows. Waits for the next rather than type one twice.
    Code,
}

/// How much of the output is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All.
    All,
    /// Only how many lines it was.
    Counted,
}

/// How long the output stays, on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Long enough to see what it is about.
    Glance,
    /// Until Enter, or long enough to be read.
    Study,
}
