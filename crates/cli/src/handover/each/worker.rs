//! A worker: takes one task after the other, runs its command, and passes the output on.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, End, OnFailure, Prepared, Task};
use super::report::{Report, Reporter};
use crate::errors::{Failure, FailureKind};
use crate::handover::exec::Keyring;
use crate::output::Stream;
use crate::sys::exec::ExecError;
use crate::sys::job::{Delivery, Job, JobHandle, Launch, Mask};
use crate::world::World;

/// The interval between checks of a command without output.
const LOOK: Duration = Duration::from_secs(1);
/// In bytes, more than a pipe holds: after a command has ended, this reads everything it wrote, but only so much of
/// what its leftover child processes write.
const REST_LIMIT: usize = 1 << 20;
/// EMFILE, which has the same number on all Unix systems.
const TOO_MANY_FILES: i32 = 24;

pub(super) struct Running {
    pub(super) profile: String,
    pub(super) handle: JobHandle,
}

/// What all threads share.
pub(super) struct Shared {
    pub(super) world: World,
    pub(super) program: PathBuf,
    pub(super) batch: Batch,
    pub(super) mask: Mask,
    pub(super) reporter: Reporter,
    pub(super) queue: Mutex<VecDeque<(usize, Task)>>,
    /// Commands that may be signalled, as their exit status has not been collected yet.
    pub(super) running: Mutex<BTreeMap<usize, Running>>,
    /// The number of commands that were started and not reported yet.
    pub(super) active: AtomicUsize,
    /// Whether to start no more commands.
    pub(super) is_over: AtomicBool,
}

pub(super) enum Event {
    Ended {
        index: usize,
        end: End,
    },
    /// The run is over: the program cannot be run, or stdout is closed.
    Broken(Failure),
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Starts no more commands and sends `delivery` to the running ones. Returns how many those are.
    pub(super) fn stop(&self, delivery: Delivery) -> usize {
        let running = held(&self.running);
        self.is_over.store(true, Ordering::SeqCst);
        running.values().for_each(|running| running.handle.send(delivery));
        running.len()
    }

    pub(super) fn send_all(&self, delivery: Delivery) {
        held(&self.running).values().for_each(|running| running.handle.send(delivery));
    }

    fn next(&self) -> Option<(usize, Task)> {
        if self.is_over.load(Ordering::SeqCst) { None } else { held(&self.queue).pop_front() }
    }
}

/// Runs tasks until none is left or the run is over.
pub(super) fn work(shared: &Shared, events: &Sender<Event>) {
    while let Some((index, task)) = shared.next() {
        // Kept until the event is sent: after a signal, the main thread stops listening once no command is active.
        let mut active = None;
        let event = match run_task(shared, index, task, &mut active) {
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

/// A command that was started and is not reported yet.
struct Active<'s>(&'s AtomicUsize);

impl<'s> Active<'s> {
    fn count_in(counter: &'s AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs the command of one task to its end, and sets `active` once it has started. Returns `None` if the run was stopped
/// before it could start.
fn run_task<'s>(
    shared: &'s Shared,
    index: usize,
    task: Task,
    active: &mut Option<Active<'s>>,
) -> Result<Option<End>, Failure> {
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
        Ok(Some((job, started))) => {
            *active = Some(started);
            job
        }
        Ok(None) => return Ok(None),
        // The others may succeed, once fewer commands are running.
        Err(error) if is_for_lack_of_resources(&error) => {
            let failure = Failure::from(error).hint("run fewer at a time: --jobs N");
            let end = End::Failed(failure);
            report.end(&end, prepared.account.as_deref(), None)?;
            return Ok(Some(end));
        }
        Err(error) => return Err(error.into()),
    };
    // Keep the secrets in this process no longer than needed.
    let account = prepared.account;
    drop(prepared.environment);
    let end = End::of_status(pass_on(shared, index, job, &mut report)?);
    report.end(&end, account.as_deref(), Some(begun.elapsed()))?;
    Ok(Some(end))
}

/// Starts the command, unless the run was stopped.
fn start<'s>(
    shared: &'s Shared,
    index: usize,
    profile: &str,
    prepared: &Prepared,
) -> Result<Option<(Job, Active<'s>)>, ExecError> {
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
    let active = Active::count_in(&shared.active);
    running.insert(index, Running { profile: profile.to_owned(), handle: job.handle() });
    Ok(Some((job, active)))
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
