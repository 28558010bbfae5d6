//! Plays a step of the demo: runs a real program on its own terminal, types into it, shows its output and checks it.

use std::cell::Cell;
use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use hatbox_sandbox::world as demo_world;
use hatbox_types::text::shell::quote_word;

use crate::args::Pace;
use crate::errors::{Failure, FailureKind};
use crate::output::{DIM, HINT, Output as Streams};
use crate::sys::pty::{OnPty, Output};
use crate::sys::terminal::Device;
use crate::world::World;

use super::scene::Scene;
use super::screen::Screen;
use super::step::{Reading, Shown, Step, Typed};

const COLUMNS: u16 = 80;
const ROWS: u16 = 24;
const TICK: Duration = Duration::from_millis(50);
/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// A code about to expire is not typed; a user would wait for the next one too. In seconds.
const CODE_MARGIN_SECONDS: i64 = 3;
/// In bytes, more than any step prints.
const OUTPUT_LIMIT: usize = 1 << 20;

/// The exit status of a program, and its output without colours.
pub(super) struct Played {
    pub(super) code: i32,
    pub(super) text: String,
}

/// Plays steps until a deadline or a signal.
pub(super) struct Player<'a> {
    world: &'a World,
    scene: &'a Scene<'a>,
    pace: Pace,
    until: Cell<Instant>,
    terminal: Option<Device>,
    is_watched: bool,
    last_code: Option<String>,
    number: usize,
}

impl<'a> Player<'a> {
    pub(super) fn new(world: &'a World, scene: &'a Scene<'a>, pace: Pace, limit: Duration) -> Self {
        let is_watched = Streams::is_stdout_terminal();
        let open = || Device::open(world.environment.text("TERM").as_deref());
        Self {
            world,
            scene,
            pace,
            until: Cell::new(Instant::now() + limit),
            terminal: is_watched.then(open).flatten(),
            is_watched,
            last_code: None,
            number: 0,
        }
    }

    /// Prints text for the viewer.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        Ok(self.world.output.data(&format!("{text}\n"))?)
    }

    /// Plays a step of `count` and checks its result.
    pub(super) fn play(&mut self, step: Step, count: usize) -> Result<(), Failure> {
        self.number += 1;
        let number = self.number;
        self.print(&format!("\n{HINT}{number}/{count}  {}{HINT:#}", step.caption))?;
        if let Some(remark) = step.remark {
            self.print(&format!("{DIM}{remark}{DIM:#}"))?;
        }
        self.pause(Duration::from_millis(900))?;
        self.show_typing(&format!("{DIM}${DIM:#} "), &render_command(&step.command), 12)?;
        let Step { command, answers, expected, shown, reading, .. } = step;
        let (program, arguments) =
            command.split_first().ok_or_else(|| otherwise(number, "it has no command"))?;
        let mut prepared = match program.as_str() {
            "hatbox" => self.scene.hatbox(),
            other => self.scene.command(other),
        };
        prepared.args(arguments);
        let played = self.run(prepared, answers, shown)?;
        if played.code != expected.code {
            let why = format!("exit code {} instead of {}", played.code, expected.code);
            return Err(self.differs(number, &why, shown, &played));
        }
        // On a terminal, long lines are wrapped at words.
        let in_one_line = played.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in &expected.texts {
            if !played.text.contains(text.as_str()) && !in_one_line.contains(text.as_str()) {
                return Err(self.differs(number, &format!("`{text}` is not in its output"), shown, &played));
            }
        }
        let lines = played.text.lines().filter(|line| !line.is_empty()).count();
        match reading {
            Reading::Glance => self.pause(time_to_read(lines)),
            Reading::Study => self.pause_until_enter(time_to_study(lines)),
        }
    }

    fn differs(&self, number: usize, why: &str, shown: Shown, played: &Played) -> Failure {
        if shown == Shown::Counted {
            // The hidden output explains the failure. Ignored if stdout is closed as well.
            self.print(&played.text).ok();
        }
        otherwise(number, why)
    }

    /// Runs a program to its end without showing it.
    pub(super) fn run_unseen(&mut self, command: Command) -> Result<Played, Failure> {
        let was_watched = std::mem::take(&mut self.is_watched);
        let played = self.run_with(command, Vec::new(), |_, _| Ok(()));
        self.is_watched = was_watched;
        played
    }

    fn run(
        &mut self,
        command: Command,
        answers: Vec<(&'static str, Typed)>,
        shown: Shown,
    ) -> Result<Played, Failure> {
        // Blank lines are shown only between other lines.
        let (blank, has_begun) = (Cell::new(0), Cell::new(false));
        let played = self.run_with(command, answers, |player, line| {
            if shown == Shown::Counted {
                return Ok(());
            }
            if line.is_empty() {
                blank.set(blank.get() + 1);
                return Ok(());
            }
            let above = if has_begun.replace(true) { blank.get() } else { 0 };
            blank.set(0);
            player.print(&format!("{}{line}", "\n".repeat(above)))
        })?;
        if shown == Shown::Counted {
            let count = played.text.lines().filter(|line| !line.is_empty()).count();
            self.print(&format!("{DIM}({count} lines, left out here){DIM:#}"))?;
        }
        Ok(played)
    }

    fn run_with(
        &mut self,
        mut command: Command,
        answers: Vec<(&'static str, Typed)>,
        show: impl Fn(&Self, &str) -> Result<(), Failure>,
    ) -> Result<Played, Failure> {
        command.current_dir(self.scene.home());
        if matches!(self.world.environment.text("TERM").as_deref(), None | Some("dumb" | "unknown")) {
            // The program runs on a terminal of hatbox's that can erase lines, whatever the viewer's terminal can do.
            command.env("TERM", "xterm");
        }
        let mut program = OnPty::start(command, COLUMNS, ROWS).map_err(|error| {
            Failure::new(FailureKind::Failed, "could not run a program on a new terminal")
                .caused_by(&error)
                .hint("is /dev/pts mounted?")
        })?;
        let mut answers = answers.into_iter().peekable();
        let (mut screen, mut text, mut buffer) = (Screen::default(), String::new(), [0; 4096]);
        loop {
            self.check_time()?;
            match program.read(&mut buffer, TICK).map_err(|error| lost(&error))? {
                Output::Bytes(length) => {
                    for line in screen.feed(buffer.get(..length).unwrap_or_default()) {
                        show(self, &line)?;
                        text.push_str(&anstream::adapter::strip_str(&line).to_string());
                        text.push('\n');
                    }
                    if text.len() > OUTPUT_LIMIT {
                        return Err(Failure::new(
                            FailureKind::Failed,
                            "a program of the demo does not stop writing",
                        ));
                    }
                }
                Output::Ended => break,
                Output::Nothing => {}
            }
            let line = screen.line();
            if let Some((_, typed)) = answers.next_if(|(begin, _)| {
                line.starts_with(begin) && (line.ends_with(": ") || line.ends_with("(Y|n) "))
            }) {
                screen.take_line();
                self.answer(&mut program, &line, typed)?;
            }
        }
        let rest = screen.take_line();
        if !rest.is_empty() {
            show(self, &rest)?;
            text.push_str(&anstream::adapter::strip_str(&rest).to_string());
        }
        if let Some((begin, _)) = answers.next() {
            return Err(otherwise(self.number, &format!("it did not ask `{begin}`")));
        }
        let code = program.status().and_then(|status| status.code()).unwrap_or(-1);
        Ok(Played { code, text })
    }

    /// Types an answer, and shows question and answer as they were before hatbox erased them.
    fn answer(&mut self, program: &mut OnPty, question: &str, typed: Typed) -> Result<(), Failure> {
        let (text, is_seen) = match typed {
            Typed::Text(text) => (text, true),
            Typed::Hidden(text) => (text, false),
            Typed::WrongCode => (wrong_code(&self.shown_code()?.code), true),
            Typed::Code => (self.fresh_code()?, true),
        };
        self.show_typing(question, if is_seen { &text } else { "" }, 40)?;
        program.write(format!("{text}\r").as_bytes()).map_err(|error| lost(&error))
    }

    fn shown_code(&self) -> Result<hatbox_sandbox::control::CodeShown, Failure> {
        Ok(self.scene.client().code(demo_world::MFA_SERIAL)?)
    }

    /// Returns the code of the device, or the next one if this one was used, was typed before or is about to expire.
    fn fresh_code(&mut self) -> Result<String, Failure> {
        loop {
            let shown = self.shown_code()?;
            let is_typed = self.last_code.as_ref() == Some(&shown.code);
            if !shown.is_used && !is_typed && shown.seconds_left >= CODE_MARGIN_SECONDS {
                self.last_code = Some(shown.code.clone());
                return Ok(shown.code);
            }
            self.wait_for_next_code(shown.seconds_left)?;
        }
    }

    fn wait_for_next_code(&self, seconds: i64) -> Result<(), Failure> {
        if !self.is_watched {
            self.print(&format!("(the device shows its next code in {seconds} s: waiting for it)"))?;
        }
        for left in (1..=seconds).rev() {
            if self.is_watched {
                // Overwritten with blanks instead of erased, as a terminal without colours gets no escape sequences.
                self.world.output.exact(&format!("\r{DIM}(the next code in {left} s){DIM:#} "))?;
            }
            self.wait(Duration::from_secs(1))?;
        }
        if self.is_watched {
            self.world.output.exact(&format!("\r{:40}\r", ""))?;
        }
        Ok(())
    }

    /// Shows `text` after `before` as if it was being typed, and ends the line.
    fn show_typing(&self, before: &str, text: &str, milliseconds: u64) -> Result<(), Failure> {
        if !self.is_watched {
            return self.print(&format!("{before}{text}"));
        }
        self.world.output.data(before)?;
        for c in text.chars() {
            self.world.output.data(c.encode_utf8(&mut [0; 4]))?;
            self.linger(Duration::from_millis(milliseconds))?;
        }
        self.print("")
    }

    /// Pauses, if stdout is a terminal.
    pub(super) fn pause(&self, time: Duration) -> Result<(), Failure> {
        if self.is_watched { self.linger(time) } else { Ok(()) }
    }

    /// Pauses for a dense screen; Enter ends it early.
    fn pause_until_enter(&self, time: Duration) -> Result<(), Failure> {
        let Some(terminal) = &self.terminal else { return self.pause(time) };
        terminal.forget_input();
        for left in (1..=self.paced(time).as_secs()).rev() {
            let text = format!("(Enter continues; otherwise in {left} s)");
            self.world.output.exact(&format!("\r{DIM}{text}{DIM:#} "))?;
            if self.is_enter_pressed(terminal)? {
                return Ok(());
            }
        }
        self.world.output.exact(&format!("\r{:46}\r", ""))?;
        Ok(())
    }

    /// Waits for Enter, at most one second.
    fn is_enter_pressed(&self, terminal: &Device) -> Result<bool, Failure> {
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            self.check_time()?;
            let begun = Instant::now();
            if terminal.wait_for_input(TICK).map_err(|error| lost(&error))? {
                // The terminal delivers whole lines.
                let length = terminal.read(&mut [0; 1024]).map_err(|error| lost(&error))?;
                return Ok(length > 0);
            }
            self.allow(begun.elapsed());
        }
        Ok(false)
    }

    fn paced(&self, time: Duration) -> Duration {
        time.mul_f64(self.pace.0)
    }

    /// Waits for the viewer, without counting against the time limit.
    fn linger(&self, time: Duration) -> Result<(), Failure> {
        let time = self.paced(time);
        self.allow(time);
        self.wait(time)
    }

    fn allow(&self, more: Duration) {
        self.until.set(self.until.get() + more);
    }

    fn wait(&self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        loop {
            self.check_time()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(TICK));
        }
    }

    fn check_time(&self) -> Result<(), Failure> {
        if self.scene.held().is_one_pending() {
            return Err(Failure::new(FailureKind::Cancelled, "the demo was stopped"));
        }
        if Instant::now() > self.until.get() {
            return Err(otherwise(self.number, "it took too long"));
        }
        Ok(())
    }
}

impl Drop for Player<'_> {
    fn drop(&mut self) {
        // Drops what the demo kept in the kernel keyring. Without keyctl, there is nothing to drop.
        if let Ok(mut program) = self.scene.hatbox_quietly("lock") {
            let until = Instant::now() + GRACE;
            while matches!(program.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(TICK);
            }
            program.kill().ok();
            program.wait().ok();
        }
    }
}

fn otherwise(number: usize, why: &str) -> Failure {
    Failure::new(FailureKind::Failed, format!("step {number} of the demo did not go as described: {why}"))
}

/// Long enough to see what the output is about.
fn time_to_read(lines: usize) -> Duration {
    Duration::from_millis((600 + 150 * u64::try_from(lines).unwrap_or(u64::MAX).min(16)).min(3000))
}

/// Long enough to read every line.
fn time_to_study(lines: usize) -> Duration {
    Duration::from_secs((2 + u64::try_from(lines).unwrap_or(u64::MAX)).clamp(8, 30))
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Failed, "lost the terminal of a program of the demo").caused_by(error)
}

/// Returns a code that differs from `code` in its last digit.
fn wrong_code(code: &str) -> String {
    let mut wrong = code.to_owned();
    let last = wrong.pop().and_then(|c| c.to_digit(10)).unwrap_or(0);
    wrong.push_str(&((last + 5) % 10).to_string());
    wrong
}

/// Renders a command as a user would type it.
fn render_command(words: &[String]) -> String {
    words.iter().map(|word| quote_word(word)).collect::<Vec<_>>().join(" ")
}

/// Whether [`Scene::command`] can run a program of this name.
pub(super) fn is_there(scene: &Scene<'_>, program: &str) -> bool {
    scene.find_program(OsStr::new(program)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_code_is_a_code_and_another_one() {
        for (code, wrong) in [("123456", "123451"), ("000000", "000005"), ("999999", "999994")] {
            assert_eq!(wrong_code(code), wrong);
        }
    }

    #[test]
    fn commands_are_shown_as_a_shell_takes_them() {
        let words = ["hatbox", "exec", "a", "--", "s3://b/c", "it's", ""].map(str::to_owned);
        assert_eq!(render_command(&words), r"hatbox exec a -- s3://b/c 'it'\''s' ''");
    }
}
