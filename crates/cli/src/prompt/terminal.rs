//! The terminal device as a prompter: `/dev/tty`, whatever stdin, stdout and stderr are.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use hatbox_core::secret::SecretString;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr,
    tcgetwinsize, tcsetattr,
};
use zeroize::Zeroizing;

use super::{Echo, PromptError, Prompter, Question};
use crate::sys::signals::Held;

const TICK: Duration = Duration::from_millis(100);
const MAX_ANSWER: usize = 4096;

/// The terminal of this process.
#[derive(Debug)]
pub(crate) struct Terminal {
    device: File,
    name: Option<String>,
    can_erase: bool,
}

impl Terminal {
    /// Opens the terminal device, if there is one. `term` is the value of TERM.
    pub(crate) fn open(term: Option<&str>) -> Option<Self> {
        let device = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        // /dev/tty opens without a usable terminal in some sandboxes; this settles it.
        tcgetattr(&device).ok()?;
        // /dev/tty itself names no terminal in particular. Any of the standard streams may.
        let name = [std::io::stdin().as_fd(), std::io::stderr().as_fd(), std::io::stdout().as_fd()]
            .into_iter()
            .find_map(|fd| rustix::termios::ttyname(fd, Vec::new()).ok())
            .and_then(|name| name.into_string().ok());
        let can_erase = !matches!(term, None | Some("" | "dumb"));
        Some(Self { device, name, can_erase })
    }

    fn write(&self, text: &str) {
        let mut device = &self.device;
        // A terminal that takes no text takes no question either; the read that follows says so.
        device.write_all(text.as_bytes()).ok();
    }

    /// Takes the question, and what was typed, off the screen again.
    fn erase(&self, columns_used: usize) {
        if !self.can_erase {
            self.write("\n");
            return;
        }
        // A width of 0 means that nobody knows it.
        let width = tcgetwinsize(&self.device).map_or(0, |size| usize::from(size.ws_col));
        let width = if width == 0 { 80 } else { width };
        let rows_above = columns_used.saturating_sub(1) / width;
        let up = if rows_above > 0 { format!("\x1b[{rows_above}A") } else { String::new() };
        self.write(&format!("\r{up}\x1b[J"));
    }

    fn wait_for_input(&self, wait: Duration) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.device, PollFlags::IN)];
        let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The terminal's modes, put back on drop.
struct Modes<'a> {
    device: &'a File,
    before: Termios,
}

impl<'a> Modes<'a> {
    /// Byte by byte, without echo, Ctrl-C as a byte.
    fn set(device: &'a File) -> io::Result<Self> {
        let before = tcgetattr(device)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        modes.input_modes -= InputModes::IXON | InputModes::ISTRIP;
        modes.input_modes |= InputModes::ICRNL;
        modes.control_modes |= ControlModes::CS8;
        // FLUSH: what was typed before the question is not its answer.
        tcsetattr(device, OptionalActions::Flush, &modes)?;
        restore_on_panic(device, &before);
        Ok(Self { device, before })
    }
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        tcsetattr(self.device, OptionalActions::Now, &self.before).ok();
        if let Ok(mut unusual) = UNUSUAL.lock() {
            *unusual = None;
        }
    }
}

/// The device that is in an unusual mode now, and its modes before.
static UNUSUAL: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// A shipped program aborts on panic, and then no value is dropped: the modes are put back by the hook.
fn restore_on_panic(device: &File, before: &Termios) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if let Ok(mut unusual) = UNUSUAL.try_lock()
                && let Some((device, before)) = unusual.take()
            {
                tcsetattr(&device, OptionalActions::Now, &before).ok();
            }
            usual(panic);
        }));
    });
    if let (Ok(mut unusual), Ok(device)) = (UNUSUAL.lock(), device.try_clone()) {
        *unusual = Some((device, before.clone()));
    }
}

/// What a byte of input does.
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
        let held = Held::new();
        // Echo goes off before the question appears: nothing typed in answer to it is ever shown by chance.
        let modes = Modes::set(&self.device).map_err(PromptError::Io)?;
        self.write(question.text);
        let mut answer = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
        let mut shown = question.text.chars().count();
        let result = self.read_answer(question, &held, &mut answer, &mut shown);
        self.erase(shown);
        drop(modes);
        drop(held);
        result?;
        let text = std::str::from_utf8(&answer).map_err(|_| {
            PromptError::Io(io::Error::new(io::ErrorKind::InvalidData, "the answer is not UTF-8"))
        })?;
        Ok(SecretString::new(text.to_owned()))
    }

    fn show(&self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    fn device(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn forget_input(&self) {
        tcflush(&self.device, QueueSelector::IFlush).ok();
    }

    fn is_enter_pressed(&self) -> bool {
        let mut line = [0; 64];
        matches!(self.wait_for_input(Duration::ZERO), Ok(true))
            && (&self.device).read(&mut line).is_ok_and(|length| line.get(..length) == Some(b"\n"))
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
            if !self.wait_for_input(TICK).map_err(PromptError::Io)? {
                in_escape = false;
                continue;
            }
            let mut byte = [0];
            match (&self.device).read(&mut byte) {
                Ok(0) => return Err(PromptError::Cancelled),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PromptError::Io(error)),
            }
            let [byte] = byte;
            // Arrow keys and bracketed paste come as ESC [ ... letter: not part of any answer.
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
                // The capacity is never exceeded: a buffer that grows leaves copies of a secret behind. Cut
                // short it would be another answer than the one given.
                Key::Text(_) if answer.len() >= MAX_ANSWER => {
                    return Err(PromptError::Io(io::Error::other("the answer is longer than 4096 bytes")));
                }
                Key::Text(byte) => {
                    answer.push(byte);
                    if question.echo == Echo::Shown {
                        (&self.device).write_all(&[byte]).ok();
                        // Bytes 10xxxxxx continue a character of UTF-8.
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
