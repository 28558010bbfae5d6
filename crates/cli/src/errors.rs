//! A command's failure: its kind, the error, its place, causes and hints. This module alone prints it and chooses the
//! exit code.

use std::error::Error;
use std::process::ExitCode;

use hatbox_core::handover::{Format, FormatError};
use hatbox_iam::denial::attempt::FailedCall;
use hatbox_types::text::page::Page;
use hatbox_types::text::printable;
use hatbox_types::text::shell::quote_word;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::client::ClientError;
use crate::output::{CalledAs, Output, StdoutError, render_line};
use crate::store::sealed::SealError;
use crate::sys::exec::ExecError;
use crate::sys::files::FileError;

/// The kind of a failure, which determines the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The operation failed.
    Failed,
    /// Wrong usage, or an invalid config.
    Usage,
    /// Refused on purpose, by a guard or a safety rule.
    Refused,
    /// The user must answer, and cannot be asked.
    NeedsPerson,
    /// The user cancelled.
    Cancelled,
    /// The command to run does not exist.
    CommandNotFound,
    /// The command to run is not executable.
    CommandNotExecutable,
    /// The reader of stdout is gone, which is not reported.
    ReaderGone,
}

impl FailureKind {
    const ALL: [Self; 8] = [
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::NeedsPerson,
        Self::Cancelled,
        Self::CommandNotFound,
        Self::CommandNotExecutable,
        Self::ReaderGone,
    ];

    /// Parses a name that [`FailureKind::as_str`] returns.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the name used in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::NeedsPerson => "needs-person",
            Self::Cancelled => "cancelled",
            Self::CommandNotFound => "command-not-found",
            Self::CommandNotExecutable => "command-not-executable",
            Self::ReaderGone => "reader-gone",
        }
    }
}

/// A failure. Built with the methods below, printed by [`Failure::print`].
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// One line without a final period: what was attempted, with the value in backticks.
    pub(crate) error: String,
    /// File and line, such as `~/.aws/config:14`.
    pub(crate) place: Option<String>,
    /// The causes, outermost first.
    pub(crate) causes: Vec<String>,
    /// What the user can do: sentences with commands to paste.
    pub(crate) hints: Vec<String>,
    /// The call for which AWS returned an error, if that was the cause.
    pub(crate) aws_error: Option<Box<ExplainedError>>,
    /// Whether it applies to other processes that wait for the same result.
    pub(crate) is_shared: bool,
    /// Whether the requested profile is in no file and in no store.
    pub(crate) is_profile_unknown: bool,
    /// Whether the requested profile has no credentials at all.
    pub(crate) has_no_identity: bool,
}

/// A call for which AWS returned an error, with its explanation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExplainedError {
    /// AWS's answer, and the request.
    #[serde(flatten)]
    pub(crate) call: FailedCall,
    /// The likely causes and fixes, as printed lines; empty if the hints say everything.
    #[serde(with = "plain_lines")]
    pub(crate) explanation: Page,
}

/// Serializes a page as the plain text of its lines.
mod plain_lines {
    use hatbox_types::text::page::{Line, Page};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(page: &Page, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(page.0.iter().map(Line::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Page, D::Error> {
        let mut page = Page::default();
        for line in Vec::<String>::deserialize(deserializer)? {
            page.plain(&line);
        }
        Ok(page)
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, error: impl Into<String>) -> Self {
        Self {
            kind,
            error: error.into(),
            place: None,
            causes: Vec::new(),
            hints: Vec::new(),
            aws_error: None,
            is_shared: false,
            is_profile_unknown: false,
            has_no_identity: false,
        }
    }

    /// Creates a failure from an error and its sources.
    pub(crate) fn of_error(kind: FailureKind, error: &dyn Error) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        failure.push_sources(error);
        failure
    }

    fn push_sources(&mut self, error: &dyn Error) {
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            source = cause.source();
        }
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    pub(crate) fn caused_by(mut self, cause: &dyn Error) -> Self {
        self.causes.push(cause.to_string());
        self.push_sources(cause);
        self
    }

    /// Adds a cause that is only known as text.
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    pub(crate) fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// Adds hints, of which there may be none.
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the failure of another profile that needed the same step as `first`. The step is not tried again.
    pub(crate) fn again(&self, first: &str) -> Self {
        let mut failure =
            Self::new(self.kind, format!("profile `{first}` failed with the same error: {}", self.error));
        failure.causes.clone_from(&self.causes);
        failure
    }

    /// Renders it as one line of JSON, for `--error-json` and for other processes.
    pub(crate) fn render_json(&self) -> String {
        let value = json!({
            "kind": self.kind.as_str(),
            "error": self.error,
            "place": self.place,
            "causes": self.causes,
            "hints": self.hints,
            "refused": self.aws_error,
        });
        value.to_string()
    }

    /// Parses the output of [`Failure::render_json`]; `None` for anything else. The text may come from another process,
    /// so each field is reduced to one line.
    pub(crate) fn parse_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let shown = |text: &str| printable(text).into_owned();
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(shown);
        let list = |name: &str| -> Vec<String> {
            let items = value.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(shown).collect()
        };
        let kind = FailureKind::parse(&text("kind")?)?;
        let mut failure = Self::new(kind, text("error")?);
        failure.place = text("place");
        failure.causes = list("causes");
        failure.hints = list("hints");
        failure.aws_error =
            value.get("refused").and_then(|call| ExplainedError::deserialize(call).ok()).map(Box::new);
        Some(failure)
    }

    /// Returns its lines, without colours, as printed among those of other profiles: in the place of the explanation is
    /// the command that shows it.
    pub(crate) fn render_lines(&self, called_as: CalledAs, profile: &str) -> Vec<String> {
        let name = called_as.as_str();
        let why = self.aws_error.as_ref().map(|_| format!("hatbox why {}", quote_word(profile)));
        let mut lines = vec![format!("{name}: error: {}", self.error)];
        lines.extend(self.place.iter().map(|place| format!("  --> {place}")));
        lines.extend(self.causes.iter().map(|cause| format!("  caused by: {cause}")));
        lines.extend(self.hints.iter().chain(&why).map(|hint| format!("{name}: hint: {hint}")));
        // A line break in text from outside must not start a new line.
        lines.into_iter().map(|line| line.replace('\n', "\\n")).collect()
    }

    /// Prints it to stderr.
    pub(crate) fn print(&self, output: &Output) {
        if self.kind == FailureKind::ReaderGone {
            return;
        }
        output.error(&self.error);
        if let Some(place) = &self.place {
            output.raw_line(&format!("  --> {place}"));
        }
        for cause in &self.causes {
            output.raw_line(&format!("  caused by: {cause}"));
        }
        let explanation = self.aws_error.as_ref().map(|error| error.explanation.0.as_slice());
        let explanation = explanation.unwrap_or_default();
        if !explanation.is_empty() {
            output.raw_line("");
        }
        for line in explanation {
            output.raw_line(&render_line(line));
        }
        for hint in &self.hints {
            output.hint(hint);
        }
    }

    /// Returns the exit code.
    ///
    /// | kind | code | in `exec` | as `aws-vault` |
    /// |---|---|---|---|
    /// | wrong usage, invalid config | 2 | 125 | 1 |
    /// | wrong use, bad config | 2 | 125 | 1 |
    /// | the user must answer | 4 | 125 | 1 |
    /// | a person is needed | 4 | 125 | 1 |
    /// | cancelled | 130 | 130 | 130 |
    /// | command not executable, not found | 126, 127 | 126, 127 | 126, 127 |
    pub(crate) fn exit_code(&self, stage: Stage, called_as: CalledAs) -> ExitCode {
        let code = match self.kind {
            FailureKind::Failed => 1,
            FailureKind::Usage => 2,
            FailureKind::Refused => 3,
            FailureKind::NeedsPerson => 4,
            FailureKind::ReaderGone => return ExitCode::SUCCESS,
            FailureKind::Cancelled => return ExitCode::from(130),
            FailureKind::CommandNotExecutable => return ExitCode::from(126),
            FailureKind::CommandNotFound => return ExitCode::from(127),
        };
        ExitCode::from(match (called_as, stage) {
            (CalledAs::AwsVault, _) => 1,
            (CalledAs::Hatbox, Stage::BeforeChild) => 125,
            (CalledAs::Hatbox, Stage::Own) => code,
        })
    }
}

/// Which exit codes apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Those of a hatbox command.
    Own,
    /// Those of `exec` before its child runs, which must differ from the child's.
    BeforeChild,
}

impl From<StdoutError> for Failure {
    fn from(error: StdoutError) -> Self {
        let kind = if error.is_reader_gone() { FailureKind::ReaderGone } else { FailureKind::Failed };
        Self::of_error(kind, &error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let failure = Self::of_error(FailureKind::Failed, &error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<ExecError> for Failure {
    fn from(error: ExecError) -> Self {
        let kind = match error {
            ExecError::NotFound(_) => FailureKind::CommandNotFound,
            ExecError::NotExecutable { .. } => FailureKind::CommandNotExecutable,
            ExecError::Nul => FailureKind::Usage,
        };
        Self::of_error(kind, &error)
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::of_error(FailureKind::Failed, &error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Self::of_error(FailureKind::Failed, &error);
        match error {
            ClientError::Tls(_) => failure.hint(
                "install the package `ca-certificates`, or set AWS_CA_BUNDLE to a file of trusted certificates",
            ),
            ClientError::Runtime(_) => failure,
        }
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::Control(_) => Self::of_error(FailureKind::Failed, &error),
            FormatError::Character { .. } | FormatError::Name(_) => {
                Self::of_error(FailureKind::Failed, &error).hint("use a format that can: --format json")
            }
            FormatError::LongLived => Self::of_error(FailureKind::Usage, &error)
                .hint("leave out --no-session, or use --format json"),
            FormatError::NoUnset(_) => {
                let shells =
                    Format::ALL.into_iter().filter(|format| format.is_of_shell()).map(Format::as_str);
                let shells = shells.collect::<Vec<_>>().join("`, `");
                Self::of_error(FailureKind::Usage, &error)
                    .hint(format!("give the format of your shell with --format: `{shells}`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_the_table_says() {
        let code =
            |kind, stage, called_as| format!("{:?}", Failure::new(kind, "x").exit_code(stage, called_as));
        let exit = |n: u8| format!("{:?}", ExitCode::from(n));
        for (kind, own) in [
            (FailureKind::Failed, 1),
            (FailureKind::Usage, 2),
            (FailureKind::Refused, 3),
            (FailureKind::NeedsPerson, 4),
        ] {
            assert_eq!(code(kind, Stage::Own, CalledAs::Hatbox), exit(own));
            assert_eq!(code(kind, Stage::BeforeChild, CalledAs::Hatbox), exit(125));
            assert_eq!(code(kind, Stage::Own, CalledAs::AwsVault), exit(1));
        }
        assert_eq!(code(FailureKind::Cancelled, Stage::BeforeChild, CalledAs::Hatbox), exit(130));
        assert_eq!(code(FailureKind::CommandNotFound, Stage::BeforeChild, CalledAs::AwsVault), exit(127));
    }

    #[test]
    fn a_failure_comes_back_from_its_json() {
        let failure = Failure::new(FailureKind::Refused, "no").at("x:1").hint("do this");
        let back = Failure::parse_json(&failure.render_json()).unwrap();
        assert_eq!(
            (back.kind, back.error.as_str(), back.place.as_deref()),
            (FailureKind::Refused, "no", Some("x:1"))
        );
        assert_eq!(back.hints, ["do this"]);
        assert!(Failure::parse_json("{}").is_none());
    }
}
