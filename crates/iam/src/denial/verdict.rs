//! What was found of one cause, on which evidence, and the way out.

use super::cause::Cause;

/// What was found of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The cause.
    pub cause: Cause,
    /// Whether it is one here.
    pub standing: Standing,
    /// In words, without a final period.
    pub text: String,
    /// What helps, where something does.
    pub fixes: Vec<Fix>,
    /// Orders causes of equal standing: the higher first.
    pub(super) weight: u8,
}

/// Whether something is a cause here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is one, or probably one.
    Cause(Evidence),
    /// It could be one, and nothing speaks for it.
    Open,
    /// It is none.
    RuledOut(Evidence),
}

/// What a finding rests on, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// AWS's own text.
    AwsSaid,
    /// Policies, devices or calls that were seen.
    Computed,
    /// The config, and what usually goes wrong.
    Likely,
}

impl Evidence {
    /// Its name to people and programs.
    pub fn label(self) -> &'static str {
        match self {
            Self::AwsSaid => "AWS said",
            Self::Computed => "computed",
            Self::Likely => "likely",
        }
    }
}

/// What helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A line for a section of the config.
    Setting {
        /// `mfa_serial = arn:aws:iam::111122223333:mfa/alice`
        line: String,
        /// `~/.aws/config`
        file: String,
        /// `profile prod`
        section: String,
    },
    /// A command to paste.
    Command(String),
    /// Something for a person to do, or to hand to somebody else.
    Words(String),
    /// A statement to hand to whoever manages the policies.
    Statement {
        /// Whose policy it belongs into.
        belongs: String,
        /// JSON, on one line.
        json: String,
    },
}

impl Fix {
    /// As one line; what is to be pasted is not broken.
    pub fn render(&self) -> String {
        match self {
            Self::Setting { line, file, section } => format!("{line}     in {file}, [{section}]"),
            Self::Command(text) | Self::Words(text) => text.clone(),
            Self::Statement { belongs, json } => format!("{json}     in {belongs}"),
        }
    }
}

impl Verdict {
    fn new(cause: Cause, standing: Standing, text: impl Into<String>) -> Self {
        Self { cause, standing, text: text.into(), fixes: Vec::new(), weight: 0 }
    }

    /// AWS named it.
    pub(super) fn said(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 100, ..Self::new(cause, Standing::Cause(Evidence::AwsSaid), text) }
    }

    /// What was seen shows it.
    pub(super) fn computed(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 90, ..Self::new(cause, Standing::Cause(Evidence::Computed), text) }
    }

    /// The config speaks for it, this much.
    pub(super) fn likely(cause: Cause, weight: u8, text: impl Into<String>) -> Self {
        Self { weight, ..Self::new(cause, Standing::Cause(Evidence::Likely), text) }
    }

    /// Nobody knows.
    pub(super) fn open(cause: Cause, text: impl Into<String>) -> Self {
        Self::new(cause, Standing::Open, text)
    }

    /// It is none, by this evidence.
    pub(super) fn ruled_out(cause: Cause, evidence: Evidence, text: impl Into<String>) -> Self {
        Self::new(cause, Standing::RuledOut(evidence), text)
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    pub(super) fn weigh(self, weight: u8) -> Self {
        Self { weight, ..self }
    }
}
