//! Real shells on a terminal, in a fixture's home: types lines and reads the resulting words.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const LIMIT: Duration = Duration::from_secs(30);

/// A shell that hatbox has scripts for and that can be run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// Returns whether it is installed; otherwise prints that it is missing.
    pub(crate) fn is_here(self) -> bool {
        let is_here = Path::new("/usr/bin").join(self.name()).exists();
        if !is_here {
            eprintln!("skipped: there is no {}", self.name());
        }
        is_here
    }

    /// Returns a run of it without start-up files.
    pub(crate) fn run(self, fixture: &Fixture) -> Run {
        let link = fixture.path("bin/hatbox");
        if !link.exists() {
            symlink(env!("CARGO_BIN_EXE_hatbox"), &link).unwrap();
        }
        let flags: &[&str] = match self {
            Self::Bash => &["--norc", "--noprofile"],
            Self::Zsh => &["-f"],
            Self::Fish => &["--no-config"],
        };
        Run::new(self.name(), fixture.variables()).args(flags).env("LC_ALL", "C.UTF-8")
    }
}

/// A shell on a terminal, with a command `capture` that writes down its arguments.
pub(crate) struct Session {
    pub(crate) terminal: Terminal,
    captured: std::path::PathBuf,
}

impl Session {
    /// Starts it, and types `setup`.
    pub(crate) fn start(shell: Shell, fixture: &Fixture, setup: &str) -> Self {
        let captured = fixture.path(&format!("captured-{}", shell.name()));
        fs::write(&captured, "").unwrap();
        let define = match shell {
            Shell::Bash => {
                "bind 'set enable-bracketed-paste off'; set -o histexpand; \
                            capture() { printf '%s\\0' \"$@\" $'\\n' >>\"$CAPTURED\"; }"
            }
            Shell::Zsh => {
                "setopt interactivecomments; zle_bracketed_paste=(); \
                           capture() { printf '%s\\0' \"$@\" $'\\n' >>\"$CAPTURED\" }"
            }
            Shell::Fish => "function capture; printf '%s\\0' $argv \\n >>$CAPTURED; end",
        };
        let run = shell.run(fixture).args(["-i"]).env("CAPTURED", &captured);
        let terminal = Terminal::start_wide(&run, 200);
        let session = Self { terminal, captured };
        session.type_line(define);
        if !setup.is_empty() {
            session.type_line(setup);
        }
        session.capture("capture ready");
        session
    }

    pub(crate) fn type_line(&self, line: &str) {
        self.terminal.type_keys(&format!("{line}\r"));
    }

    /// Types a line that ends in a call of `capture`, and returns the arguments.
    #[track_caller]
    pub(crate) fn capture(&self, line: &str) -> Vec<String> {
        let before = self.records().len();
        self.type_line(line);
        let start = Instant::now();
        loop {
            if let Some(record) = self.records().get(before) {
                return record.clone();
            }
            let shown = || self.terminal.transcript();
            assert!(start.elapsed() < LIMIT, "nothing came of `{}`:\n{}", line.escape_debug(), shown());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn records(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(&self.captured).unwrap();
        let mut records: Vec<&str> = text.split("\n\0").collect();
        // The text after the last separator is incomplete.
        records.pop();
        let words = |record: &str| record.split_terminator('\0').map(str::to_owned).collect();
        records.into_iter().map(words).collect()
    }
}
