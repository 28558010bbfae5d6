//! The two streams: stdout for data that another program may read, and stderr for everything else.
//!
//! Security: others choose the names of roles, policies and answers. Everything unprintable is escaped here, whatever
//! produced the text; the only sequences that reach a terminal are hatbox's own colours.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use hatbox_types::text::page::{Line, Page, Style as Stress};
use hatbox_types::text::wrap::wrap_line;
use hatbox_types::text::{printable, printable_lines};

use crate::bar::without_bar;
use crate::sys::terminal::{stderr_columns, stdout_columns};

/// The name shown before messages: `hatbox`, or `aws-vault` if called by that name.
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

/// How much is printed to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Errors, warnings and notes.
    Usual,
    /// With `--debug`: also each step, without secrets.
    Debug,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The streams.
#[derive(Debug)]
pub(crate) struct Output {
    called_as: CalledAs,
    detail: Detail,
}

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// The sequences of the styles above, and of clap.
const OWN_SEQUENCES: [&str; 8] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[4m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[36m",
];

/// Escapes everything that a terminal or CI system obeys, except hatbox's own colours and line ends.
fn render_safe(text: &str) -> Cow<'_, str> {
    printable_lines(text, &OWN_SEQUENCES)
}

/// Does the same for one line, in which a line end belongs to someone else's text.
fn render_safe_line(text: &str) -> Cow<'_, str> {
    let text = render_safe(text);
    if !text.contains(['\n', '\t']) {
        return text;
    }
    Cow::Owned(text.replace('\n', "\\n").replace('\t', "\\t"))
}

/// Renders a page with colours, which a stream without colours drops.
pub(crate) fn render_page(page: &Page) -> String {
    page.0.iter().map(|line| render_line(line) + "\n").collect()
}

/// Renders a line with colours, without its newline.
pub(crate) fn render_line(line: &Line) -> String {
    let mut text = String::new();
    for span in &line.0 {
        let style = match span.style {
            Stress::Plain => Style::new(),
            Stress::Strong => BOLD,
            Stress::Quiet => DIM,
            Stress::Good => GOOD,
            Stress::Warning => WARNING,
            Stress::Bad => BAD,
        };
        text.push_str(&format!("{style}{}{style:#}", span.text));
    }
    text
}

/// Why writing to stdout failed: the reader is gone, or the disk is full.
#[derive(Debug, thiserror::Error)]
#[error("could not write to stdout")]
pub(crate) struct StdoutError(#[source] io::Error);

impl StdoutError {
    /// Whether the reader is gone, which is not an error.
    pub(crate) fn is_reader_gone(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

fn write_stdout(stream: impl Write, text: &str) -> Result<(), StdoutError> {
    write_all(stream, text).map_err(StdoutError)
}

fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

impl Output {
    pub(crate) fn new(called_as: CalledAs, detail: Detail) -> Self {
        Self { called_as, detail }
    }

    pub(crate) fn called_as(&self) -> CalledAs {
        self.called_as
    }

    /// Writes lines or JSON to stdout. Escapes unprintable characters as JSON does, so JSON keeps its value. Drops
    /// colours if stdout does not support them.
    #[expect(clippy::unused_self, reason = "whoever writes data has been given the streams")]
    pub(crate) fn data(&self, text: &str) -> Result<(), StdoutError> {
        let text = render_safe(text);
        let stdout = io::stdout().lock();
        // A graph may have megabytes, which need not be searched for colours.
        if !text.contains('\u{1b}') {
            return write_stdout(stdout, &text);
        }
        write_stdout(anstream::AutoStream::auto(stdout), &text)
    }

    /// Writes lines to stdout, with long ones wrapped at words on a terminal.
    pub(crate) fn page(&self, text: &str) -> Result<(), StdoutError> {
        let Some(columns) = stdout_columns() else { return self.data(text) };
        let lines = text.lines().flat_map(|line| wrap_line(line, columns, &OWN_SEQUENCES));
        self.data(&lines.map(|line| line + "\n").collect::<String>())
    }

    /// Writes to stdout unchanged: credentials, and hatbox's own cursor movements.
    #[expect(clippy::unused_self, reason = "whoever writes data has been given the streams")]
    pub(crate) fn exact(&self, text: &str) -> Result<(), StdoutError> {
        write_stdout(anstream::AutoStream::auto(io::stdout().lock()), text)
    }

    /// Writes binary data to stdout.
    #[cfg(all(unix, feature = "sandbox"))]
    #[expect(clippy::unused_self, reason = "whoever writes data has been given the streams")]
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), StdoutError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(StdoutError)
    }

    /// Writes complete lines of a command to the stream that they came from. The caller has removed all sequences
    /// except colours, which are dropped if the stream does not support them.
    #[expect(clippy::unused_self, reason = "whoever writes has been given the streams")]
    pub(crate) fn lines_of_command(&self, stream: Stream, text: &str) -> Result<(), StdoutError> {
        match stream {
            Stream::Stdout if Self::is_stdout_terminal() => {
                without_bar(|| write_stdout(anstream::AutoStream::auto(io::stdout().lock()), text))
            }
            Stream::Stdout => write_stdout(anstream::AutoStream::auto(io::stdout().lock()), text),
            Stream::Stderr => {
                // If stderr is closed, nothing can be reported.
                without_bar(|| write_all(anstream::AutoStream::auto(io::stderr().lock()), text).ok());
                Ok(())
            }
        }
    }

    pub(crate) fn is_stdout_terminal() -> bool {
        io::stdout().is_terminal()
    }

    fn line(&self, label: &str, style: Style, text: &str) {
        let name = self.called_as.as_str();
        let line = format!("{name}: {style}{label}{style:#}: {text}");
        // A hint that is a command is for pasting: it must not contain an added line break.
        if label == "hint" && text.starts_with("hatbox ") {
            Self::write_line(&line, None);
        } else {
            self.raw_line(&line);
        }
    }

    /// Writes a line to stderr without a label, wrapped at words on a terminal. Escapes line ends within it.
    #[expect(clippy::unused_self, reason = "whoever writes has been given the streams")]
    pub(crate) fn raw_line(&self, text: &str) {
        Self::write_line(text, stderr_columns());
    }

    fn write_line(text: &str, columns: Option<usize>) {
        let text = render_safe_line(text);
        let text = match columns {
            None => text,
            Some(columns) => Cow::Owned(wrap_line(&text, columns, &OWN_SEQUENCES).join("\n")),
        };
        // If stderr is closed, nothing can be reported.
        without_bar(|| writeln!(anstream::AutoStream::auto(io::stderr().lock()), "{text}").ok());
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

    /// Prints a note, which needs no action.
    pub(crate) fn note(&self, text: &str) {
        let name = self.called_as.as_str();
        self.raw_line(&format!("{name}: {text}"));
    }

    /// Prints a step, only with `--debug`; otherwise does not call the closure.
    pub(crate) fn debug(&self, text: impl FnOnce() -> String) {
        if self.detail == Detail::Debug {
            self.line("debug", DIM, &text());
        }
    }
}

/// Prints clap's answer: help and version to stdout, errors to stderr. It quotes `words`, which may be file names found
/// by a shell.
///
/// Ignores a closed stream.
pub(crate) fn print_usage(error: &clap::Error, words: &[OsString]) {
    let mut text = error.render().ansi().to_string();
    for word in words {
        let word = word.to_string_lossy();
        // Clap quotes `--flag=value` in parts, too.
        for part in [
            Some(&*word),
            word.split_once('=').map(|(flag, _)| flag),
            word.split_once('=').map(|(_, value)| value),
        ] {
            if let Some(part) = part
                && let Cow::Owned(shown) = printable(part)
            {
                text = text.replace(part, &shown);
            }
        }
    }
    let text = render_safe(&text);
    if error.use_stderr() {
        write_all(anstream::AutoStream::auto(io::stderr().lock()), &text).ok();
    } else {
        write_all(anstream::AutoStream::auto(io::stdout().lock()), &text).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_are_made_of_the_sequences_that_pass() {
        let clap = clap::builder::Styles::styled();
        let clap = [clap.get_header(), clap.get_error(), clap.get_usage(), clap.get_literal()]
            .into_iter()
            .chain([clap.get_placeholder(), clap.get_valid(), clap.get_invalid()]);
        for style in [ERROR, WARNING, HINT, BOLD, DIM, GOOD, BAD].iter().chain(clap) {
            let text = format!("{style}word{style:#}\n");
            assert_eq!(render_safe(&text), text, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_obeys_nothing() {
        assert_eq!(render_safe_line("a\n::error::b\u{1b}]0;x\u{7}"), r"a\n\u003a:error::b\u001b]0;x\u0007");
        assert_eq!(render_safe_line("::debug::a"), r"\u003a:debug::a");
    }
}
