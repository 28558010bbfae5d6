//! One run of a program: with its own environment, a terminal only if one is given, and a time limit.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// No run takes this long unless it hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// Waits until `is_done` returns true. What it asks takes processor time too, so it is asked only every few milliseconds.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_done: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_done() {
        assert!(start.elapsed() < LIMIT, "it never comes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A run to start.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: OsString,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, OsString>,
    input: Vec<u8>,
}

impl Run {
    pub(crate) fn new(program: impl Into<OsString>, variables: BTreeMap<OsString, OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), variables, input: Vec::new() }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.into(), value.as_ref().to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(OsStr::new(name));
        self
    }

    /// Sets the content of standard input, which is empty otherwise.
    pub(crate) fn input(mut self, text: impl AsRef<[u8]>) -> Self {
        text.as_ref().clone_into(&mut self.input);
        self
    }

    /// Runs it under `program`, whose own arguments come first: `strace -o x hatbox ...`.
    pub(crate) fn under(mut self, program: &str, arguments: &[&str]) -> Self {
        let own = std::mem::replace(&mut self.program, program.into());
        let rest = std::mem::take(&mut self.arguments);
        self.arguments = arguments.iter().map(Into::into).chain([own]).chain(rest).collect();
        self
    }

    /// Returns it as a `Command`, without a terminal unless the caller adds one.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.variables);
        command
    }

    /// Starts it without a terminal, with piped streams.
    pub(crate) fn spawn(&self) -> Child {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        without_terminal(&mut command);
        let mut child = command.spawn().unwrap();
        // A program that reads nothing may have ended already.
        child.stdin.take().unwrap().write_all(&self.input).ok();
        child
    }

    /// Runs it until it ends.
    pub(crate) fn run(&self) -> Outcome {
        finish(self.spawn(), &format!("{:?}", self.arguments))
    }
}

/// Waits for a child with piped streams.
pub(crate) fn finish(mut child: Child, what: &str) -> Outcome {
    let read = |mut stream: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = read(Box::new(child.stderr.take().unwrap()));
    let status = wait(&mut child, what);
    Outcome {
        what: what.to_owned(),
        status,
        stdout: String::from_utf8(stdout.join().unwrap()).unwrap(),
        stderr: String::from_utf8(stderr.join().unwrap()).unwrap(),
    }
}

/// Waits for a child, and kills it if it hangs.
pub(crate) fn wait(child: &mut Child, what: &str) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it hangs: {what}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Detaches a child from the test runner's terminal, so that it cannot prompt the developer.
#[expect(unsafe_code, reason = "what a child does between fork and exec is not checked by the compiler")]
pub(crate) fn without_terminal(command: &mut Command) {
    // SAFETY: setsid(2) is safe to call after fork (signal-safety(7)), and touches no memory.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(Into::into));
    }
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    what: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Panics unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code(),
            Some(code),
            "{}: {}\n--- stdout\n{}--- stderr\n{}",
            self.what,
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Panics unless the exit code is 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.expect_code(0)
    }
}
