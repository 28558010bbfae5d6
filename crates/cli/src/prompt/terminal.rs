//! Asks the user on the terminal device.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hatbox_types::secret::SecretString;
use hatbox_types::text::printable;
use hatbox_types::text::wrap::wrap_line;
use zeroize::Zeroizing;

use super::picker::{Choice, pick};
use super::{Echo, PromptError, Prompter, Question, Typed};
use crate::sys::signals::Held;
use crate::sys::terminal::Device;

const TICK: Duration = Duration::from_millis(100);
const MAX_ANSWER: usize = 4096;

/// The terminal of this process.
#[derive(Debug)]
pub(crate) struct Terminal {
    device: Device,
    /// Held during a question: threads ask one after the other.
    turn: Mutex<()>,
    /// Why the last answer was rejected, until the next question.
    rejected: Mutex<Vec<String>>,
}

impl Terminal {
    /// Opens the terminal device, if there is one. `term` is the value of TERM.
    pub(crate) fn open(term: Option<&str>) -> Option<Self> {
        Device::open(term).map(|device| Self { device, turn: Mutex::default(), rejected: Mutex::default() })
    }

    fn write(&self, text: &str) {
        // If the terminal fails, the following read returns the error.
        self.device.write(text.as_bytes()).ok();
    }

    /// Makes a line of text printable, and wraps it at words.
    fn wrap(&self, line: &str) -> Vec<String> {
        wrap_line(&printable(line), self.device.columns().unwrap_or(80), &[])
    }

    /// Erases the question, the input, and the lines above that belong to it.
    fn erase(&self, columns_used: usize, above: &[String]) {
        if !self.device.can_erase() {
            self.write("\n");
            return;
        }
        let columns = self.device.columns().unwrap_or(80);
        let rows = |used: usize| used.saturating_sub(1) / columns;
        let lines = above.iter().map(|line| 1 + rows(line.chars().count()));
        let rows_above = rows(columns_used) + lines.sum::<usize>();
        let up = if rows_above > 0 { format!("\x1b[{rows_above}A") } else { String::new() };
        self.write(&format!("\r{up}\x1b[J"));
    }
}

/// The meaning of an input byte.
enum Key {
    Enter,
    Cancel,
    EraseChar,
    EraseAll,
    Text(u8),
    Nothing,
}

fn key_of(byte: u8, is_empty: bool) -> Key {
    match byte {
        0x03 => Key::Cancel,
        0x04 if is_empty => Key::Cancel,
        b'\r' | b'\n' | 0x04 => Key::Enter,
        0x08 | 0x7f => Key::EraseChar,
        0x15 => Key::EraseAll,
        byte if byte < 0x20 => Key::Nothing,
        byte => Key::Text(byte),
    }
}

impl Prompter for Terminal {
    fn ask_line(&self, question: &Question<'_>) -> Result<SecretString, PromptError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let held = Held::new();
        // Turn off echo before the question appears, so the answer is never shown.
        let raw = self.device.set_raw().map_err(PromptError::Io)?;
        let rejected = std::mem::take(&mut *self.rejected.lock().unwrap_or_else(PoisonError::into_inner));
        let above: Vec<String> = rejected.iter().flat_map(|line| self.wrap(line)).collect();
        for line in &above {
            self.write(&format!("{line}\n"));
        }
        let text = printable(question.text);
        self.write(&text);
        let mut answer = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
        let mut shown = text.chars().count();
        let result = self.read_answer(question, &held, &mut answer, &mut shown);
        self.erase(shown, &above);
        drop(raw);
        drop(held);
        result?;
        let text = std::str::from_utf8(&answer).map_err(|_| {
            PromptError::Io(io::Error::new(io::ErrorKind::InvalidData, "the answer is not UTF-8"))
        })?;
        Ok(SecretString::new(text.to_owned()))
    }

    fn pick(&self, choice: &Choice<'_>) -> Result<usize, PromptError> {
        pick(&self.device, choice)
    }

    fn show(&self, line: &str) {
        for line in self.wrap(line) {
            self.write(&format!("{line}\n"));
        }
    }

    fn copy(&self, text: &SecretString) -> bool {
        let text = Zeroizing::new(STANDARD.encode(text.expose()));
        let sequence = Zeroizing::new(format!("\x1b]52;c;{}\x07", *text));
        self.device.can_erase() && self.device.write(sequence.as_bytes()).is_ok()
    }

    fn reject(&self, reason: &str) {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner).push(reason.to_owned());
    }

    #[cfg(feature = "iam")]
    fn draw(&self, lines: &[String]) {
        if self.device.can_erase() {
            // The alternate screen of xterm. A terminal without one clears its normal screen instead.
            self.write("\x1b[?1049h\x1b[H\x1b[J");
        }
        for line in lines {
            self.write(&format!("{line}\n"));
        }
    }

    #[cfg(feature = "iam")]
    fn end_drawing(&self) {
        if self.device.can_erase() {
            self.write("\x1b[H\x1b[J\x1b[?1049l");
        }
    }

    #[cfg(feature = "iam")]
    fn has_sequences(&self) -> bool {
        self.device.can_erase()
    }

    #[cfg(feature = "iam")]
    fn columns(&self) -> Option<usize> {
        self.device.columns()
    }

    #[cfg(feature = "iam")]
    fn rows(&self) -> Option<usize> {
        self.device.rows()
    }

    fn device(&self) -> Option<&str> {
        self.device.name()
    }

    fn forget_input(&self) {
        self.device.forget_input();
    }

    fn read_typed(&self) -> Typed {
        if !matches!(self.device.wait_for_input(Duration::ZERO), Ok(true)) {
            return Typed::Nothing;
        }
        let mut line = Zeroizing::new([0; MAX_ANSWER]);
        match self.device.read(&mut *line) {
            Ok(0) | Err(_) => Typed::Nothing,
            Ok(1) if line.first() == Some(&b'\n') => Typed::Enter,
            Ok(_) => Typed::Text,
        }
    }
}

impl Terminal {
    fn read_answer(
        &self,
        question: &Question<'_>,
        held: &Held,
        answer: &mut Vec<u8>,
        shown: &mut usize,
    ) -> Result<(), PromptError> {
        let end = Instant::now() + question.timeout;
        let mut in_escape = false;
        loop {
            if held.is_one_pending() {
                return Err(PromptError::Cancelled);
            }
            if (question.is_over)() {
                return Err(PromptError::AnsweredElsewhere);
            }
            if Instant::now() >= end {
                return Err(PromptError::TimedOut(question.timeout));
            }
            if !self.device.wait_for_input(TICK).map_err(PromptError::Io)? {
                in_escape = false;
                continue;
            }
            let mut byte = [0];
            match self.device.read(&mut byte) {
                Ok(0) => return Err(PromptError::Cancelled),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PromptError::Io(error)),
            }
            let [byte] = byte;
            // Arrow keys and bracketed paste arrive as ESC [ ... letter, which is not part of an answer.
            if byte == 0x1b || (in_escape && !byte.is_ascii_alphabetic() && byte != b'~') {
                in_escape = true;
                continue;
            }
            if std::mem::take(&mut in_escape) {
                continue;
            }
            match key_of(byte, answer.is_empty()) {
                Key::Enter => return Ok(()),
                Key::Cancel => return Err(PromptError::Cancelled),
                Key::Nothing => {}
                Key::EraseAll => while self.erase_char(question.echo, answer, shown) {},
                Key::EraseChar => {
                    self.erase_char(question.echo, answer, shown);
                }
                // Never exceed the capacity: a buffer that grows leaves copies of a secret behind. A truncated answer
                // would be a different one.
                Key::Text(_) if answer.len() >= MAX_ANSWER => {
                    return Err(PromptError::Io(io::Error::other("the answer is longer than 4096 bytes")));
                }
                Key::Text(byte) => {
                    answer.push(byte);
                    if question.echo == Echo::Shown {
                        self.device.write(&[byte]).ok();
                        // Bytes of the form 10xxxxxx continue a UTF-8 character.
                        *shown += usize::from(byte & 0xc0 != 0x80);
                    }
                }
            }
        }
    }

    fn erase_char(&self, echo: Echo, answer: &mut Vec<u8>, shown: &mut usize) -> bool {
        let had_one = !answer.is_empty();
        while answer.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        if had_one && echo == Echo::Shown {
            self.write("\x08 \x08");
            *shown = shown.saturating_sub(1);
        }
        had_one
    }
}
