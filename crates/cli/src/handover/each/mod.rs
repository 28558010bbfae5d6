//! Runs a command with the credentials of each of several profiles, several at a time.
//!
//! Each worker takes the next task, obtains its credentials, starts the command and passes its output on as it arrives.
//! If the output cannot be written as fast, the command has to wait, which bounds the memory. The main thread counts,
//! shows the progress and takes signals: the first asks the commands to end, the second kills them.

mod lines;
mod report;
mod spool;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hatbox_types::text::printable;

use self::report::{Report, Reporter};
use super::exec::{Keyring, failure_of, find_command, no_keyring};
use crate::bar::Bar;
use crate::errors::{Failure, FailureKind};
use crate::output::{CalledAs, Stream};
use crate::sys::exec::ExecError;
use crate::sys::job::{Asked, Delivery, Job, JobHandle, Launch, Mask, Watch};
use crate::sys::keyring::join_new_session;
use crate::world::World;

/// The interval between checks for signals.
const TICK: Duration = Duration::from_millis(50);
/// Shorter runs need no progress bar.
const BAR_AFTER: Duration = Duration::from_millis(300);
/// How long to wait for killed commands to end.
const KILLED_LIMIT: Duration = Duration::from_secs(2);
/// The interval between checks of a command without output.
const LOOK: Duration = Duration::from_secs(1);
/// In bytes, more than a pipe holds: after a command has ended, this reads everything it wrote, but only so much of
/// what its leftover child processes write.
const REST_LIMIT: usize = 1 << 20;

/// A command to run: its profile, and how to obtain its credentials.
pub(crate) struct Task {
    pub(crate) profile: String,
    pub(crate) prepare: Box<dyn FnOnce() -> Result<Prepared, Failure> + Send>,
}

/// What the command is started with.
pub(crate) struct Prepared {
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The account of its credentials, if known.
    pub(crate) account: Option<String>,
}

/// The form in which the output is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Line by line, each prefixed with the profile's name.
    Labelled,
    /// The whole output of a command after it has ended, below the profile's name.
    Grouped,
    /// One line of JSON per command.
    Json,
}

/// What to do after a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// Run the others nevertheless.
    KeepGoing,
    /// Start no more commands, and let the running ones end.
    Stop,
}

/// What to run, and how.
pub(crate) struct Batch {
    pub(crate) command: Vec<OsString>,
    pub(crate) keyring: Keyring,
    /// The maximum number of commands running at once.
    pub(crate) jobs: usize,
    pub(crate) on_failure: OnFailure,
    pub(crate) form: Form,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It exited with this code.
    Exited(i32),
    /// A signal of this number ended it.
    #[cfg_attr(all(windows, not(test)), expect(dead_code, reason = "no program ends by a signal there"))]
    Signalled(i32),
    /// It was not started, for this reason.
    Failed(Failure),
    /// It was not started, as the run was stopped before.
    NotStarted,
}

impl End {
    fn of_status(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(number);
        }
        Self::Exited(status.code().unwrap_or(1))
    }

    /// The exit code that `exec` would have had in a shell.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(*code),
            Self::Signalled(number) => Some(128 + number),
            Self::Failed(failure) => Some(match failure.kind {
                FailureKind::CommandNotExecutable => 126,
                FailureKind::CommandNotFound => 127,
                _ => 125,
            }),
            Self::NotStarted => None,
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }

    pub(crate) fn render(&self) -> String {
        match self {
            Self::Exited(code) => format!("exit code {code}"),
            Self::Signalled(number) => format!("signal {number}"),
            Self::Failed(_) => "no credentials".to_owned(),
            Self::NotStarted => "not started".to_owned(),
        }
    }
}

/// The result of the whole run.
pub(crate) struct Ended {
    /// How the command of each profile ended, in the order of the tasks.
    pub(crate) ends: Vec<(String, End)>,
    /// The signal that stopped the run.
    pub(crate) signal: Option<i32>,
}

struct Running {
    profile: String,
    handle: JobHandle,
}

/// What all threads share.
struct Shared {
    world: World,
    program: PathBuf,
    batch: Batch,
    mask: Mask,
    reporter: Reporter,
    queue: Mutex<VecDeque<(usize, Task)>>,
    /// Commands that may be signalled, as their exit status has not been collected yet.
    running: Mutex<BTreeMap<usize, Running>>,
    /// The number of commands that were started and not reported yet.
    active: AtomicUsize,
    /// Whether to start no more commands.
    is_over: AtomicBool,
}

enum Event {
    Ended {
        index: usize,
        end: End,
    },
    /// The run is over: the program cannot be run, or stdout is closed.
    Broken(Failure),
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the command of `batch` for each task. Calls `on_failed` with each failure that kept a command from starting.
pub(crate) fn run_each(
    world: &World,
    batch: Batch,
    tasks: Vec<Task>,
    mut on_failed: impl FnMut(usize, &Failure),
) -> Result<Ended, Failure> {
    let program = find_command(world, &batch.command)?;
    if batch.keyring == Keyring::OfItsOwn {
        // A session keyring belongs to the thread that joins it, so trying it in a thread of its own has no effect
        // here.
        let tried = std::thread::spawn(join_new_session).join();
        tried.unwrap_or(Ok(())).map_err(|error| no_keyring(&error))?;
    }
    let profiles: Vec<String> = tasks.iter().map(|task| task.profile.clone()).collect();
    let names: Vec<&str> = profiles.iter().map(String::as_str).collect();
    let reporter = Reporter::new(world, batch.form, &names);
    let watch = Watch::start();
    let workers = batch.jobs.min(tasks.len());
    let shared = Arc::new(Shared {
        world: world.clone(),
        program,
        batch,
        mask: watch.mask(),
        reporter,
        queue: Mutex::new(tasks.into_iter().enumerate().collect()),
        running: Mutex::default(),
        active: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let (events, received) = mpsc::channel();
    for number in 0..workers {
        let (shared, events) = (Arc::clone(&shared), events.clone());
        let thread = std::thread::Builder::new().spawn(move || work(&shared, &events));
        if let (Err(error), 0) = (thread, number) {
            return Err(Failure::new(FailureKind::Failed, "could not start a thread").caused_by(&error));
        }
    }
    drop(events);
    let mut progress = Progress::new(&shared, profiles.len());
    let mut broken = None;
    loop {
        match received.recv_timeout(TICK) {
            Ok(Event::Ended { index, end }) => {
                if let End::Failed(failure) = &end {
                    on_failed(index, failure);
                }
                progress.ends.insert(index, end);
            }
            Ok(Event::Broken(failure)) => {
                shared.is_over.store(true, Ordering::SeqCst);
                if failure.kind == FailureKind::ReaderGone {
                    // A command that writes to a closed pipe gets SIGPIPE and usually ends; this does the same to all
                    // of them.
                    shared.stop(Delivery::End(TERMINATE));
                }
                broken.get_or_insert(failure);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        progress.take_signals(&shared, &watch);
        progress.show(&shared);
        if progress.is_given_up(&shared) {
            break;
        }
    }
    // Take the events that arrived after the last check.
    for event in received.try_iter() {
        if let Event::Ended { index, end } = event {
            progress.ends.insert(index, end);
        }
    }
    progress.bar = None;
    drop(watch);
    if let Some(failure) = broken {
        return Err(failure);
    }
    let mut ends = Vec::with_capacity(profiles.len());
    for (index, profile) in profiles.into_iter().enumerate() {
        let end = progress.ends.remove(&index).unwrap_or(End::NotStarted);
        if matches!(end, End::NotStarted) {
            shared.reporter.begin(index, &profile).end(&end, None, None)?;
        }
        ends.push((profile, end));
    }
    Ok(Ended { ends, signal: progress.signal })
}

/// EMFILE, which has the same number on all Unix systems.
const TOO_MANY_FILES: i32 = 24;
/// SIGTERM.
const TERMINATE: i32 = 15;

/// The progress as the main thread sees it.
struct Progress {
    begun: Instant,
    total: usize,
    ends: BTreeMap<usize, End>,
    bar: Option<Bar>,
    /// The first signal that asked hatbox to end.
    signal: Option<i32>,
    killed_at: Option<Instant>,
}

impl Progress {
    fn new(shared: &Shared, total: usize) -> Self {
        // Called as `aws-vault`, hatbox draws nothing between its lines.
        let bar = (shared.world.output.called_as() == CalledAs::Hatbox).then(Bar::start).flatten();
        Self { begun: Instant::now(), total, ends: BTreeMap::new(), bar, signal: None, killed_at: None }
    }

    fn take_signals(&mut self, shared: &Shared, watch: &Watch) {
        while let Some(asked) = watch.take() {
            match (asked, self.signal) {
                (Asked::Pause, _) => {
                    shared.send_all(Delivery::Pause);
                    if let Some(bar) = &self.bar {
                        bar.clear();
                    }
                    watch.pause();
                    shared.send_all(Delivery::Continue);
                }
                (Asked::End(number), None) => {
                    self.signal = Some(number);
                    // The terminal prints `^C` into the bar's line.
                    if let Some(bar) = &self.bar {
                        bar.clear();
                    }
                    if shared.stop(Delivery::End(number)) > 0 {
                        shared.world.output.note("stopping the commands; Ctrl-C again kills them");
                    }
                }
                (Asked::End(_), Some(_)) => {
                    shared.stop(Delivery::Kill);
                    self.killed_at.get_or_insert_with(Instant::now);
                }
            }
        }
    }

    /// Whether to stop waiting: no command is running, or killed ones take too long. Workers that obtain credentials
    /// are not waited for.
    fn is_given_up(&self, shared: &Shared) -> bool {
        let is_idle = shared.active.load(Ordering::SeqCst) == 0;
        self.signal.is_some()
            && (is_idle || self.killed_at.is_some_and(|killed| killed.elapsed() > KILLED_LIMIT))
    }

    fn show(&self, shared: &Shared) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.begun.elapsed() >= BAR_AFTER) else { return };
        let failed = self.ends.values().filter(|end| !end.is_success()).count();
        let running: Vec<_> = held(&shared.running).values().map(|running| running.profile.clone()).collect();
        bar.set(&render_progress(self.ends.len(), self.total, failed, &running));
    }
}

/// `[######------] 12 of 200, 3 failed: prod-a, prod-b`
fn render_progress(done: usize, total: usize, failed: usize, running: &[String]) -> String {
    const WIDTH: usize = 16;
    let filled = done * WIDTH / total.max(1);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '-' }).collect();
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let running = if running.is_empty() { String::new() } else { format!(": {}", running.join(", ")) };
    printable(&format!("[{bar}] {done} of {total}{failed}{running}")).into_owned()
}

impl Shared {
    /// Starts no more commands and sends `delivery` to the running ones. Returns how many those are.
    fn stop(&self, delivery: Delivery) -> usize {
        let running = held(&self.running);
        self.is_over.store(true, Ordering::SeqCst);
        running.values().for_each(|running| running.handle.send(delivery));
        running.len()
    }

    fn send_all(&self, delivery: Delivery) {
        held(&self.running).values().for_each(|running| running.handle.send(delivery));
    }

    fn next(&self) -> Option<(usize, Task)> {
        if self.is_over.load(Ordering::SeqCst) { None } else { held(&self.queue).pop_front() }
    }
}

/// Runs tasks until none is left or the run is over.
fn work(shared: &Shared, events: &Sender<Event>) {
    while let Some((index, task)) = shared.next() {
        let event = match run_task(shared, index, task) {
            Ok(Some(end)) => {
                // Set this before the worker takes the next task.
                if !end.is_success() && shared.batch.on_failure == OnFailure::Stop {
                    shared.is_over.store(true, Ordering::SeqCst);
                }
                Event::Ended { index, end }
            }
            // The run was stopped before the command started.
            Ok(None) => return,
            Err(failure) => Event::Broken(failure),
        };
        // The main thread has stopped listening.
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Runs the command of one task to its end. Returns `None` if the run was stopped before it could start.
fn run_task(shared: &Shared, index: usize, task: Task) -> Result<Option<End>, Failure> {
    let mut report = shared.reporter.begin(index, &task.profile);
    let prepared = match (task.prepare)() {
        Ok(prepared) => prepared,
        Err(failure) => {
            let end = End::Failed(failure);
            report.end(&end, None, None)?;
            return Ok(Some(end));
        }
    };
    let begun = Instant::now();
    let job = match start(shared, index, &task.profile, &prepared) {
        Ok(Some(job)) => job,
        Ok(None) => return Ok(None),
        // The others may succeed, once fewer commands are running.
        Err(error) if is_for_lack_of_resources(&error) => {
            let failure = failure_of(&error).hint("run fewer at a time: --jobs N");
            let end = End::Failed(failure);
            report.end(&end, prepared.account.as_deref(), None)?;
            return Ok(Some(end));
        }
        Err(error) => return Err(failure_of(&error)),
    };
    // Keep the secrets in this process no longer than needed.
    let account = prepared.account;
    drop(prepared.environment);
    let status = pass_on(shared, index, job, &mut report);
    let reported = status.and_then(|status| {
        let end = End::of_status(status);
        report.end(&end, account.as_deref(), Some(begun.elapsed()))?;
        Ok(Some(end))
    });
    shared.active.fetch_sub(1, Ordering::SeqCst);
    reported
}

/// Starts the command, unless the run was stopped.
fn start(
    shared: &Shared,
    index: usize,
    profile: &str,
    prepared: &Prepared,
) -> Result<Option<Job>, ExecError> {
    let launch = Launch {
        program: &shared.program,
        command: &shared.batch.command,
        environment: &prepared.environment,
        received: shared.world.received,
        mask: shared.mask,
        is_isolated: shared.batch.keyring == Keyring::OfItsOwn,
    };
    // Held while starting, so that stopping the run reaches every command that was started.
    let mut running = held(&shared.running);
    if shared.is_over.load(Ordering::SeqCst) {
        return Ok(None);
    }
    let job = Job::start(&launch)?;
    shared.active.fetch_add(1, Ordering::SeqCst);
    running.insert(index, Running { profile: profile.to_owned(), handle: job.handle() });
    Ok(Some(job))
}

/// Whether the system had no process, memory or descriptor left.
fn is_for_lack_of_resources(error: &ExecError) -> bool {
    match error {
        // EAGAIN means too many processes; EMFILE, too many open files, has no kind.
        ExecError::NotExecutable { source, .. } => {
            let kind = source.kind();
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::OutOfMemory)
                || source.raw_os_error() == Some(TOO_MANY_FILES)
        }
        ExecError::NotFound(_) | ExecError::Nul => false,
    }
}

/// Passes the output of a command on until the command has ended.
fn pass_on(
    shared: &Shared,
    index: usize,
    mut job: Job,
    report: &mut Report<'_>,
) -> Result<ExitStatus, Failure> {
    let (mut stdout, mut stderr) = job.take_streams();
    let mut result = Ok(());
    let mut buffer = vec![0; 32 << 10];
    let failed = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, "could not read the output of a command").caused_by(&error)
    };
    loop {
        let happened = job.wait(stdout.as_ref(), stderr.as_ref(), LOOK).map_err(failed)?;
        copy(happened.stdout, &mut stdout, Stream::Stdout, &mut buffer, report, &mut result);
        copy(happened.stderr, &mut stderr, Stream::Stderr, &mut buffer, report, &mut result);
        if result.is_err() {
            // hatbox's output is closed: close the pipes, so the command gets the same error as it would without
            // hatbox.
            (stdout, stderr) = (None, None);
            shared.is_over.store(true, Ordering::SeqCst);
        }
        if !happened.is_over {
            continue;
        }
        let ended = {
            let mut running = held(&shared.running);
            let ended = job.status().map_err(failed)?;
            if ended.is_some() {
                running.remove(&index);
            }
            ended
        };
        let Some(status) = ended else { continue };
        // A leftover child process may keep the pipes open.
        let mut rest = 0;
        while result.is_ok() && rest < REST_LIMIT {
            let happened = job.wait(stdout.as_ref(), stderr.as_ref(), Duration::ZERO).map_err(failed)?;
            let before = rest;
            rest += copy(happened.stdout, &mut stdout, Stream::Stdout, &mut buffer, report, &mut result);
            rest += copy(happened.stderr, &mut stderr, Stream::Stderr, &mut buffer, report, &mut result);
            if rest == before {
                break;
            }
        }
        return result.map(|()| status);
    }
}

/// Passes on what can be read from a stream without waiting, and sets an ended stream to `None`. Returns the number of
/// bytes.
fn copy(
    is_ready: bool,
    stream: &mut Option<impl Read>,
    which: Stream,
    buffer: &mut [u8],
    report: &mut Report<'_>,
    result: &mut Result<(), Failure>,
) -> usize {
    let Some(open) = stream.as_mut().filter(|_| is_ready) else { return 0 };
    let count = open.read(buffer).unwrap_or_default();
    if count == 0 {
        *stream = None;
        return 0;
    }
    if let Err(error) = report.take(which, buffer.get(..count).unwrap_or_default())
        && result.is_ok()
    {
        *result = Err(error.into());
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_the_work_is() {
        let running = ["prod-a", "prod-b\n"].map(str::to_owned);
        assert_eq!(render_progress(0, 4, 0, &[]), "[----------------] 0 of 4");
        assert_eq!(
            render_progress(2, 4, 1, &running),
            "[########--------] 2 of 4, 1 failed: prod-a, prod-b\\n"
        );
        assert_eq!(render_progress(4, 4, 0, &[]), "[################] 4 of 4");
    }

    #[test]
    fn the_code_of_an_end_is_that_of_exec() {
        let failed = |kind| End::Failed(Failure::new(kind, "x"));
        for (end, code) in [
            (End::Exited(7), Some(7)),
            (End::Signalled(15), Some(143)),
            (failed(FailureKind::Usage), Some(125)),
            (failed(FailureKind::CommandNotFound), Some(127)),
            (failed(FailureKind::CommandNotExecutable), Some(126)),
            (End::NotStarted, None),
        ] {
            assert_eq!(end.code(), code, "{end:?}");
        }
    }
}
