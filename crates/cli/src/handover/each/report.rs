//! Shows each command: its lines prefixed with the profile's name, its output as a whole, or a line of JSON.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use hatbox_types::text::printable;
use hatbox_types::text::wrap::{display_width, wrap_line};
use serde_json::{Value, json};

use super::batch::{End, Form};
use super::lines::{Lines, render_line_of_command};
use super::spool::Spool;
use crate::bar::without_bar;
use crate::output::{Output, StdoutError, Stream};
use crate::sys::terminal::stderr_columns;
use crate::world::World;

/// In columns. Longer names shift only their own lines to the right.
const WIDEST_LABEL: usize = 32;
/// In columns. Less room for the lines of a failure leaves them unwrapped.
const LEAST_ROOM: usize = 30;
/// In bytes per stream. Output beyond it is only counted in the JSON.
const JSON_LIMIT: usize = 1 << 20;
const COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue];

/// Shows what the commands print and how they end.
pub(super) struct Reporter {
    world: World,
    form: Form,
    width: usize,
    /// Held while writing several pieces that belong together.
    turn: Mutex<()>,
}

impl Reporter {
    pub(super) fn new(world: &World, form: Form, profiles: &[&str]) -> Self {
        let widths = profiles.iter().map(|profile| display_width(&printable(profile)));
        let width = widths.filter(|width| *width <= WIDEST_LABEL).max().unwrap_or_default();
        Self { world: world.clone(), form, width, turn: Mutex::default() }
    }

    /// Starts the report of one command.
    pub(super) fn begin(&self, index: usize, profile: &str) -> Report<'_> {
        let kept = match self.form {
            Form::Labelled => Kept::Lines { stdout: Lines::default(), stderr: Lines::default() },
            Form::Grouped => Kept::All(Spool::default()),
            Form::Json => Kept::Start { stdout: Start::default(), stderr: Start::default() },
        };
        let name = printable(profile);
        let padding = self.width.saturating_sub(display_width(&name));
        let colour = COLOURS.get(index % COLOURS.len()).copied().unwrap_or(AnsiColor::Cyan);
        let style = Style::new().fg_color(Some(colour.into()));
        let label = format!("{style}{name}{:padding$} |{style:#} ", "");
        let label_width = display_width(&name) + padding + 3;
        Report { reporter: self, profile: profile.to_owned(), label, label_width, kept }
    }
}

/// The report of one command.
pub(super) struct Report<'a> {
    reporter: &'a Reporter,
    profile: String,
    label: String,
    /// In columns.
    label_width: usize,
    kept: Kept,
}

enum Kept {
    /// The incomplete last line of each stream.
    Lines { stdout: Lines, stderr: Lines },
    /// The whole output.
    All(Spool),
    /// As much as the JSON will contain.
    Start { stdout: Start, stderr: Start },
}

/// The start of a stream.
#[derive(Default)]
struct Start {
    bytes: Vec<u8>,
    left_out: u64,
}

impl Start {
    fn push(&mut self, bytes: &[u8]) {
        let (kept, rest) = bytes.split_at(bytes.len().min(JSON_LIMIT - self.bytes.len().min(JSON_LIMIT)));
        self.bytes.extend_from_slice(kept);
        self.left_out += rest.len() as u64;
    }
}

impl Report<'_> {
    /// Takes a piece of the command's output.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), StdoutError> {
        match &mut self.kept {
            Kept::Lines { stdout, stderr } => {
                let lines = if stream == Stream::Stdout { stdout } else { stderr };
                let mut text = String::new();
                lines.push(bytes, |line| push_line(&mut text, &self.label, line));
                self.reporter.write(stream, &text)
            }
            Kept::All(spool) => {
                spool.push(stream, bytes);
                Ok(())
            }
            Kept::Start { stdout, stderr } => {
                let start = if stream == Stream::Stdout { stdout } else { stderr };
                start.push(bytes);
                Ok(())
            }
        }
    }

    /// Reports how the command ended, and prints its output if that was kept until now.
    pub(super) fn end(
        self,
        end: &End,
        account: Option<&str>,
        took: Option<Duration>,
    ) -> Result<(), StdoutError> {
        let Self { reporter, profile, label, label_width, kept } = self;
        let output = &reporter.world.output;
        let failure_lines = match end {
            End::Failed(failure) => {
                let label_width = if matches!(kept, Kept::Lines { .. }) { label_width } else { 0 };
                let room = stderr_columns().map(|columns| columns.saturating_sub(label_width));
                let lines = failure.render_lines(output.called_as(), &profile);
                lines.into_iter().flat_map(|line| wrap_failure(line, room)).collect()
            }
            End::Exited(_) | End::Signalled(_) | End::NotStarted => Vec::new(),
        };
        match kept {
            Kept::Lines { mut stdout, mut stderr } => {
                for (stream, lines) in [(Stream::Stdout, &mut stdout), (Stream::Stderr, &mut stderr)] {
                    let mut text = String::new();
                    lines.finish(|line| push_line(&mut text, &label, line));
                    reporter.write(stream, &text)?;
                }
                let mut text = String::new();
                for line in &failure_lines {
                    push_line(&mut text, &label, line.as_bytes());
                }
                reporter.write(Stream::Stderr, &text)
            }
            Kept::All(spool) => {
                if spool.is_empty() && matches!(end, End::Exited(0) | End::NotStarted) {
                    return Ok(());
                }
                let _turn = reporter.turn.lock().unwrap_or_else(PoisonError::into_inner);
                let how = match end {
                    End::Exited(0) => String::new(),
                    end => format!(" ({})", end.render()),
                };
                reporter.write(Stream::Stdout, &format!("==> {}{how} <==\n", printable(&profile)))?;
                let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
                let missing = spool.replay(|stream, bytes| {
                    let mut text = String::new();
                    let lines = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
                    lines.push(bytes, |line| push_line(&mut text, "", line));
                    reporter.write(stream, &text)
                })?;
                for (stream, lines) in [(Stream::Stdout, &mut stdout), (Stream::Stderr, &mut stderr)] {
                    let mut text = String::new();
                    lines.finish(|line| push_line(&mut text, "", line));
                    reporter.write(stream, &text)?;
                }
                let mut text = String::new();
                for line in &failure_lines {
                    push_line(&mut text, "", line.as_bytes());
                }
                reporter.write(Stream::Stderr, &text)?;
                if let Some(error) = missing {
                    output.warn(&format!("the rest of the output of `{profile}` could not be kept: {error}"));
                }
                Ok(())
            }
            Kept::Start { stdout, stderr } => {
                let line = render_json(&profile, account, end, took, &stdout, &stderr);
                let write = || output.data(&line);
                if Output::is_stdout_terminal() { without_bar(write) } else { write() }
            }
        }
    }
}

/// Wraps a line of a failure at words on a terminal. A command for pasting stays whole.
fn wrap_failure(line: String, room: Option<usize>) -> Vec<String> {
    match room {
        Some(room) if room >= LEAST_ROOM && !line.contains(": hint: hatbox ") => wrap_line(&line, room, &[]),
        _ => vec![line],
    }
}

impl Reporter {
    fn write(&self, stream: Stream, text: &str) -> Result<(), StdoutError> {
        if text.is_empty() { Ok(()) } else { self.world.output.lines_of_command(stream, text) }
    }
}

fn push_line(text: &mut String, label: &str, line: &[u8]) {
    text.push_str(label);
    text.push_str(&render_line_of_command(line));
    text.push('\n');
}

fn render_json(
    profile: &str,
    account: Option<&str>,
    end: &End,
    took: Option<Duration>,
    stdout: &Start,
    stderr: &Start,
) -> String {
    let error = match end {
        End::Failed(failure) => serde_json::from_str(&failure.render_json()).unwrap_or(Value::Null),
        End::Exited(_) | End::Signalled(_) | End::NotStarted => Value::Null,
    };
    let signal = match end {
        End::Signalled(number) => Some(*number),
        _ => None,
    };
    let value = json!({
        "profile": profile,
        "account_id": account,
        "exit_code": end.code(),
        "signal": signal,
        "duration_ms": took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        "stdout": String::from_utf8_lossy(&stdout.bytes),
        "stdout_bytes_left_out": stdout.left_out,
        "stderr": String::from_utf8_lossy(&stderr.bytes),
        "stderr_bytes_left_out": stderr.left_out,
        "error": error,
    });
    format!("{value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_start_of_a_stream_and_counts_the_rest() {
        let mut start = Start::default();
        start.push(&vec![b'a'; JSON_LIMIT - 1]);
        start.push(b"bcd");
        start.push(b"e");
        assert_eq!((start.bytes.len(), start.bytes.last(), start.left_out), (JSON_LIMIT, Some(&b'b'), 3));
        let line = render_json("a", None, &End::Signalled(9), None, &start, &Start::default());
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["exit_code"], &value["stdout_bytes_left_out"]), (&json!(137), &json!(3)));
        assert_eq!((&value["account_id"], &value["error"]), (&Value::Null, &Value::Null));
        assert_eq!(line.matches('\n').count(), 1);
    }
}
