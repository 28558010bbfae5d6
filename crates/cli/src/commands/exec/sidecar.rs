//! The two processes of `hatbox exec --server`: one becomes the command, the other serves it.

use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::server::{Obtained, Serving};
use crate::args::{ExecArgs, GlobalArgs};
use crate::ask::passphrase::PassphraseSource;
use crate::env_names::SIDECAR_OF;
use crate::errors::{Failure, FailureKind, Stage};
use crate::handover::exec::{Keyring, exec_command_with_server};
use crate::keys::request::resolve_store;
use crate::server::sidecar::{Message, Ready, receive, send};
use crate::sys::descriptor::close_on_exec;
use crate::sys::sidecar::{self, Watched};
use crate::sys::signals::{Held, catch_endings};
use crate::world::World;

/// How long the sidecar may take to clean up the terminal after a signal that ends both.
const GRACE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);

/// Starts the sidecar, and becomes the command as soon as the sidecar serves.
pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    args: &ExecArgs,
    keyring: Keyring,
) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, "could not start the credential server").caused_by(&error)
    };
    let words: Vec<OsString> = std::env::args_os().collect();
    let (name, arguments) = words
        .split_first()
        .ok_or_else(|| Failure::new(FailureKind::Failed, "this program was started without its name"))?;
    let environment = world.environment.variables();
    let reader = sidecar::start(name, arguments, environment, SIDECAR_OF).map_err(failed)?;
    // Only the sidecar reads the passphrase.
    let store = resolve_store(global, &world.environment).ok();
    if let Some(PassphraseSource::Descriptor(number)) = store.and_then(|store| store.passphrase) {
        close_on_exec(number).ok();
    }
    // The sidecar asks the questions, so it must be able to clean up when a key such as Ctrl-C signals both processes.
    let held = Held::of_endings();
    let mut ends_at = None;
    while !sidecar::wait_for(&reader, LOOK) && ends_at.is_none_or(|end| Instant::now() < end) {
        if held.is_one_pending() {
            ends_at.get_or_insert_with(|| Instant::now() + GRACE);
        }
    }
    let message = if sidecar::wait_for(&reader, Duration::ZERO) { receive(reader) } else { None };
    match message {
        Some(Message::Ready(ready)) => {
            drop(held);
            let command = super::resolve_command(world, args, ready.profile());
            ready
                .with_handover(|handover| exec_command_with_server(world, handover, keyring, &command))?
                .map(|never| match never {})
        }
        Some(Message::Failed(kind)) => {
            // The sidecar has removed its question from the terminal and printed why.
            held.take();
            let kind = FailureKind::parse(&kind).unwrap_or(FailureKind::Failed);
            Ok(Failure::new(kind, "").exit_code(Stage::BeforeChild, world.output.called_as()))
        }
        None => {
            // Delivers a held-back signal, which ends this process.
            drop(held);
            Err(Failure::new(FailureKind::Failed, "the credential server ended before it could answer"))
        }
    }
}

/// Serves until the process `pid` ends.
pub(super) fn run_sidecar(
    world: &World,
    global: &GlobalArgs,
    args: &ExecArgs,
    profile: Option<&str>,
    pid: i32,
) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, "could not start the credential server").caused_by(&error)
    };
    let watched = Watched::new(pid).ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("invalid process `{pid}` in {SIDECAR_OF}"))
    })?;
    let is_serving = Arc::new(AtomicBool::new(false));
    let (sender, ended) = mpsc::channel();
    let is_watcher_serving = Arc::clone(&is_serving);
    let of_watcher = sender.clone();
    let watch = move || {
        watched.wait_for_end();
        if is_watcher_serving.load(Ordering::SeqCst) {
            of_watcher.send(()).ok();
        } else {
            sidecar::end_self();
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(watch).map_err(failed)?;
    let obtained = Obtained::obtain(world, global, args, profile)?;
    // From here on, a signal and the end of the other process have the same effect as the command's end: no token and no
    // copied file is left behind.
    is_serving.store(true, Ordering::SeqCst);
    let mut endings = catch_endings().map_err(failed)?;
    let wait = move || {
        endings.read_exact(&mut [0]).ok();
        sender.send(()).ok();
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    let serving = Serving::start(world, obtained)?;
    let ready = serving.with_handover(Ready::new)?;
    let beside = sidecar::leave_terminal().map_err(failed)?;
    let open = serving.renew_apart(world)?;
    if send(beside, &Message::Ready(ready)).is_ok() {
        // An error means that the watcher thread has ended.
        ended.recv().ok();
    }
    drop(open);
    Ok(ExitCode::SUCCESS)
}

/// Reports the sidecar's failure, on stderr and to the process that waits for it.
pub(super) fn report(world: &World, failure: &Failure) -> ExitCode {
    failure.print(&world.output);
    let stdout = sidecar::stdout();
    let message = Message::Failed(failure.kind.as_str().to_owned());
    // Ignored if that process has ended.
    stdout.and_then(|stdout| send(stdout, &message)).ok();
    failure.exit_code(Stage::BeforeChild, world.output.called_as())
}
