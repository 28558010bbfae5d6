//! Runs a command once with each of several sets of credentials, several at a time.
//!
//! Each worker takes the next task, obtains its credentials, starts the command and passes its output on as it comes: a
//! command that prints faster than it can be written waits, so memory stays bounded. The main thread counts, shows how
//! far the work is, and takes signals: the first one asks the commands to end, the second one ends them.

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

/// How often signals are looked at.
const TICK: Duration = Duration::from_millis(50);
/// No one wonders before.
const BAR_AFTER: Duration = Duration::from_millis(300);
/// How long the end of commands that were killed is waited for.
const KILLED_LIMIT: Duration = Duration::from_secs(2);
/// How often a command without output is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// More than a pipe holds: what a command wrote before it ended is read, and no more of what it has left behind.
const REST_LIMIT: usize = 1 << 20;

/// A command that is to be run: for whom, and what obtains its credentials.
pub(crate) struct Task {
    pub(crate) profile: String,
    pub(crate) prepare: Box<dyn FnOnce() -> Result<Prepared, Failure> + Send>,
}

/// What a command gets.
pub(crate) struct Prepared {
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The account of its credentials, where it is known.
    pub(crate) account: Option<String>,
}

/// How what the commands print is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Line by line, each behind the profile's name.
    Labelled,
    /// All of a command when it has ended, below the profile's name.
    Grouped,
    /// A line of JSON for each command.
    Json,
}

/// What happens after a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The others are run all the same.
    KeepGoing,
    /// No more are started; those that run may end.
    Stop,
}

/// How the commands are run.
pub(crate) struct Batch {
    pub(crate) command: Vec<OsString>,
    pub(crate) keyring: Keyring,
    /// How many at a time.
    pub(crate) jobs: usize,
    pub(crate) on_failure: OnFailure,
    pub(crate) form: Form,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal.
    #[cfg_attr(all(windows, not(test)), expect(dead_code, reason = "no program ends by a signal there"))]
    Signalled(i32),
    /// It was never started, for this reason.
    Failed(Failure),
    /// It was never started, because the work ended before.
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

    /// The exit code that `exec` would have had, as a shell shows it.
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

    /// In a few words.
    pub(crate) fn render(&self) -> String {
        match self {
            Self::Exited(code) => format!("exit code {code}"),
            Self::Signalled(number) => format!("signal {number}"),
            Self::Failed(_) => "no credentials".to_owned(),
            Self::NotStarted => "not started".to_owned(),
        }
    }
}

/// How it all ended.
pub(crate) struct Ended {
    /// Each profile, in the order of the tasks.
    pub(crate) ends: Vec<(String, End)>,
    /// The signal that ended the work.
    pub(crate) signal: Option<i32>,
}

/// A command that runs.
struct Running {
    profile: String,
    handle: JobHandle,
}

/// What the threads share.
struct Shared {
    world: World,
    program: PathBuf,
    batch: Batch,
    mask: Mask,
    reporter: Reporter,
    queue: Mutex<VecDeque<(usize, Task)>>,
    /// Commands that may be sent signals: those whose end has not been taken note of.
    running: Mutex<BTreeMap<usize, Running>>,
    /// Commands that have been started and not reported.
    active: AtomicUsize,
    /// No more are started.
    is_over: AtomicBool,
}

/// What a worker reports.
enum Event {
    Ended {
        index: usize,
        end: End,
    },
    /// No more commands are started: the program cannot be run, or stdout is gone.
    Broken(Failure),
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the command of `batch` for each task. `on_failed` is shown each failure before its command was started.
pub(crate) fn run_each(
    world: &World,
    batch: Batch,
    tasks: Vec<Task>,
    mut on_failed: impl FnMut(usize, &Failure),
) -> Result<Ended, Failure> {
    let program = find_command(world, &batch.command)?;
    if batch.keyring == Keyring::OfItsOwn {
        // A session keyring is the thread's that joins it: this one tries it, and ends with it.
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
                    // What a command learns when it writes to a reader that has gone: most end by it.
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
    // What was reported between the last look and the end.
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

/// EMFILE, the same number on all Unix systems.
const TOO_MANY_FILES: i32 = 24;
/// The signal that asks a program to end.
const TERMINATE: i32 = 15;

/// How far the work is, as the main thread sees it.
struct Progress {
    begun: Instant,
    total: usize,
    ends: BTreeMap<usize, End>,
    bar: Option<Bar>,
    /// The first signal that asked for the end.
    signal: Option<i32>,
    killed_at: Option<Instant>,
}

impl Progress {
    fn new(shared: &Shared, total: usize) -> Self {
        // Nothing is drawn between lines of `aws-vault`'s form.
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
                    // The terminal shows `^C`.
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

    /// Whether nothing more is waited for: no command runs, and who obtains credentials need not come to an end.
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
    /// Starts no more commands, and sends something to those that run. Returns how many these are.
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

/// Does one task after the other.
fn work(shared: &Shared, events: &Sender<Event>) {
    while let Some((index, task)) = shared.next() {
        let event = match run_task(shared, index, task) {
            Ok(Some(end)) => {
                // Before this worker takes the next one.
                if !end.is_success() && shared.batch.on_failure == OnFailure::Stop {
                    shared.is_over.store(true, Ordering::SeqCst);
                }
                Event::Ended { index, end }
            }
            // The work was over before it was started.
            Ok(None) => return,
            Err(failure) => Event::Broken(failure),
        };
        // Without the main thread there is no one to report to.
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Runs the command of one task to its end; `None` where the work is over before it could be started.
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
        // The others may have more luck, or fewer of them run by then.
        Err(error) if is_for_lack_of_resources(&error) => {
            let failure = failure_of(&error).hint("run fewer at a time: --jobs N");
            let end = End::Failed(failure);
            report.end(&end, prepared.account.as_deref(), None)?;
            return Ok(Some(end));
        }
        Err(error) => return Err(failure_of(&error)),
    };
    // From here on the secrets are the command's alone.
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

/// Starts the command, unless the work is over.
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
    // Whoever stops the work sees each command that has been started.
    let mut running = held(&shared.running);
    if shared.is_over.load(Ordering::SeqCst) {
        return Ok(None);
    }
    let job = Job::start(&launch)?;
    shared.active.fetch_add(1, Ordering::SeqCst);
    running.insert(index, Running { profile: profile.to_owned(), handle: job.handle() });
    Ok(Some(job))
}

/// Whether the system had no process, memory or descriptor left for the command.
fn is_for_lack_of_resources(error: &ExecError) -> bool {
    match error {
        // Too many processes (EAGAIN), too many open files (EMFILE has no kind).
        ExecError::NotExecutable { source, .. } => {
            let kind = source.kind();
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::OutOfMemory)
                || source.raw_os_error() == Some(TOO_MANY_FILES)
        }
        ExecError::NotFound(_) | ExecError::Nul => false,
    }
}

/// Passes the output of a command on until it has ended.
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
            // Who reads its output has gone: the command learns of it as it would without hatbox.
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
        // It may have left a program behind that keeps the streams open.
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

/// Passes on what can be read of a stream now; one that has ended becomes `None`. Returns how much that was.
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
