//! The session bus, with a deadline for everything.

use std::sync::mpsc;
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

use super::failure::{DEADLINE, Failed, classify};
use crate::sys::signals::Held;

/// Connects to the session bus.
///
/// # Errors
/// There is none, or it does not answer.
pub(crate) fn connect() -> Result<Connection, Failed> {
    // The connection's own deadline begins after its greeting, which a stuck bus never answers.
    let made = within(DEADLINE, || Builder::session()?.method_timeout(DEADLINE).build());
    made.ok_or(Failed::Silent)?.map_err(|error| classify(&error.into()))
}

/// The answer of `work`, unless it takes longer. Then it is left behind, and ends with the process.
pub(crate) fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    // The thread, and those that the bus's connection starts in it, must take no signal: at a question, the main
    // thread holds them back until the terminal is as it was.
    let held = Held::new();
    std::thread::spawn(move || sender.send(work()).ok());
    drop(held);
    receiver.recv_timeout(deadline).ok()
}
