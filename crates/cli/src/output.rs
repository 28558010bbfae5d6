//! The two streams: stdout for data that another program may read, stderr for everything else.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use hatbox_core::plan::explain::{Line, Style as Stress};

/// The program's name as it is shown in front of messages: `hatbox`, or `aws-vault` when called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalledAs {
    /// By its own name.
    Hatbox,
    /// Through a link named `aws-vault`.
    AwsVault,
}

impl CalledAs {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hatbox => "hatbox",
            Self::AwsVault => "aws-vault",
        }
    }
}

/// How much goes to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Errors, warnings, what the user should know.
    Usual,
    /// `--debug`: also what is done, step by step, without secrets.
    Debug,
}

/// The streams.
#[derive(Debug)]
pub(crate) struct Output {
    called_as: CalledAs,
    detail: Detail,
    said: Cell<u32>,
}

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();

/// A line with its newline, in colours where there are any.
pub(crate) fn render_line(line: &Line) -> String {
    let mut text = String::new();
    for span in &line.0 {
        let style = match span.style {
            Stress::Plain => Style::new(),
            Stress::Strong => BOLD,
            Stress::Quiet => DIM,
            Stress::Good => GOOD,
            Stress::Warning => WARNING,
        };
        text.push_str(&format!("{style}{}{style:#}", span.text));
    }
    text.push('\n');
    text
}

fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

impl Output {
    pub(crate) fn new(called_as: CalledAs, detail: Detail) -> Self {
        Self { called_as, detail, said: Cell::new(0) }
    }

    pub(crate) fn called_as(&self) -> CalledAs {
        self.called_as
    }

    /// Writes data to stdout, as it is. Colours in it are dropped where stdout wants none.
    ///
    /// # Errors
    /// When the reader has gone away, or the disk is full.
    #[expect(clippy::unused_self, reason = "whoever writes data has been given the streams")]
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        let stdout = io::stdout().lock();
        // A graph may have megabytes: they are not searched for colours letter by letter.
        if !text.contains('\u{1b}') {
            return write_all(stdout, text);
        }
        write_all(anstream::AutoStream::auto(stdout), text)
    }

    pub(crate) fn is_stdout_terminal() -> bool {
        io::stdout().is_terminal()
    }

    fn line(&self, label: &str, style: Style, text: &str) {
        let name = self.called_as.as_str();
        self.raw_line(&format!("{name}: {style}{label}{style:#}: {text}"));
    }

    /// Writes a line to stderr without a label.
    pub(crate) fn raw_line(&self, text: &str) {
        self.said.set(self.said.get() + 1);
        let mut stderr = anstream::AutoStream::auto(io::stderr().lock());
        // Nobody is left to be told that stderr is gone.
        writeln!(stderr, "{text}").ok();
    }

    pub(crate) fn error(&self, text: &str) {
        self.line("error", ERROR, text);
    }

    pub(crate) fn warn(&self, text: &str) {
        self.line("warning", WARNING, text);
    }

    pub(crate) fn hint(&self, text: &str) {
        self.line("hint", HINT, text);
    }

    /// Says what the user should know and need not act on.
    pub(crate) fn note(&self, text: &str) {
        let name = self.called_as.as_str();
        self.raw_line(&format!("{name}: {text}"));
    }

    /// Says what is done, under `--debug` only. The closure is not called otherwise.
    pub(crate) fn debug(&self, text: impl FnOnce() -> String) {
        if self.detail == Detail::Debug {
            self.line("debug", DIM, &text());
        }
    }
}
