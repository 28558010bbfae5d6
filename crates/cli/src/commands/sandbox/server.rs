//! `hatbox sandbox up`, `down`, `status`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use hatbox_sandbox::control::Client;
use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::{Options, start_reporting};
use hatbox_types::text::shell::quote_word;

use super::log::render_entry;
use crate::args::SandboxUpArgs;
use crate::errors::{Failure, FailureKind};
use crate::sys::signals::{self, Held};
use crate::world::World;

const START_LIMIT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(50);

pub(super) fn run_up(world: &World, directory: &Path, args: &SandboxUpArgs) -> Result<(), Failure> {
    if let Ok(client) = Client::open(directory)
        && client.status().is_ok()
    {
        world.output.note("the sandbox is already running");
        return print_state(world, &client);
    }
    if args.detach {
        return start_detached(world, directory, args.port);
    }
    if args.is_detached_child {
        // Run in a new session, so closing the terminal does not end the server.
        signals::leave_session();
    }
    // Created before the server's threads, which inherit the signal mask.
    let held = Held::new();
    let options = Options { directory: directory.to_owned(), port: args.port };
    let (calls, log) = channel();
    let server = start_reporting(&options, calls)?;
    if !args.is_detached_child {
        print_foreground(world, directory, &server.client)?;
    }
    show_calls(world, &log, &held);
    server.stop();
    Ok(())
}

/// Shows each call when it happens, until a signal arrives or the server ends.
fn show_calls(world: &World, log: &Receiver<LogEntry>, held: &Held) {
    while !held.is_one_pending() {
        match log.recv_timeout(TICK) {
            Ok(entry) => {
                for line in render_entry(&entry).lines() {
                    world.output.raw_line(line);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn start_detached(world: &World, directory: &Path, port: u16) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::new(FailureKind::Failed, "could not find hatbox's own program").caused_by(&error)
    })?;
    let mut child = Command::new(program)
        .args(["sandbox", "up", "--is-detached-child", "--port", &port.to_string(), "--dir"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::new(FailureKind::Failed, "could not start the server").caused_by(&error))?;
    let end = Instant::now() + START_LIMIT;
    loop {
        if let Ok(client) = Client::open(directory)
            && client.status().is_ok()
        {
            return print_state(world, &client);
        }
        let has_ended = matches!(child.try_wait(), Ok(Some(_)));
        if has_ended || Instant::now() > end {
            return Err(Failure::new(FailureKind::Failed, "the server did not start")
                .hint("run it without --detach to see why"));
        }
        std::thread::sleep(TICK);
    }
}

pub(super) fn run_down(world: &World, directory: &Path) -> Result<(), Failure> {
    match Client::open(directory) {
        Ok(client) => {
            client.stop()?;
            world.output.note("the sandbox is stopped");
        }
        Err(_) => world.output.note("no sandbox is running here"),
    }
    Ok(())
}

pub(super) fn run_status(world: &World, directory: &Path) -> Result<(), Failure> {
    let client = super::open_client(directory)?;
    let status = client.status()?;
    let calls = match status.calls {
        1 => "1 call".to_owned(),
        calls => format!("{calls} calls"),
    };
    Ok(world.output.data(&format!(
        "running at {}, process {}, {calls} so far\n",
        client.url(),
        status.pid
    ))?)
}

/// Prints what a user needs to know about a server in the foreground.
fn print_foreground(world: &World, directory: &Path, client: &Client) -> Result<(), Failure> {
    let flag = if directory == world.dirs.data().join("sandbox") {
        String::new()
    } else {
        format!(" --dir {}", quote_word(&directory.to_string_lossy()))
    };
    world.output.data(&format!("export AWS_ENDPOINT_URL={}\n", client.url()))?;
    world.output.note("this is a sandbox, not AWS: it accepts only keys that it created");
    world.output.note(&format!(
        "in another terminal: `hatbox sandbox{flag} shell` opens a shell with everything set up"
    ));
    world.output.note("running until Ctrl-C; calls are shown here:");
    Ok(())
}

fn print_state(world: &World, client: &Client) -> Result<(), Failure> {
    world.output.data(&format!("export AWS_ENDPOINT_URL={}\n", client.url()))?;
    world.output.note("this is a sandbox, not AWS: it accepts only keys that it created");
    world.output.note("`hatbox sandbox shell` opens a shell with everything set up");
    Ok(())
}
