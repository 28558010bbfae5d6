//! The main thread: starts the workers, counts what they report, and stops the run when a signal asks for it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::batch::{Batch, End, Ended, Task};
use super::progress::Progress;
use super::report::Reporter;
use super::worker::{Event, Shared, work};
use crate::errors::{Failure, FailureKind};
use crate::handover::exec::{Keyring, find_command, no_keyring};
use crate::sys::job::{Delivery, Watch};
use crate::sys::keyring::join_new_session;
use crate::world::World;

/// The interval between checks for signals.
const TICK: Duration = Duration::from_millis(50);
/// SIGTERM.
const TERMINATE: i32 = 15;

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
