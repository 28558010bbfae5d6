//! The session bus, with a time limit for every call.

use std::sync::mpsc;
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

use super::failure::{DEADLINE, Failed, classify};
use crate::sys::signals::Held;

/// Connects to the session bus.
///
/// # Errors
/// If there is no bus, or it does not answer.
pub(crate) fn connect() -> Result<Connection, Failed> {
    // The connection's own time limit starts after the greeting, which a stuck bus never answers.
    let made = within(DEADLINE, || Builder::session()?.method_timeout(DEADLINE).build());
    made.ok_or(Failed::Silent)?.map_err(|error| classify(&error.into()))
}

/// Returns the result of `work`, or `None` after `deadline`; the thread then runs until the process ends.
pub(crate) fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    // This thread, and the threads that the connection starts in it, must not receive signals: during a prompt, the
    // main thread blocks them until it has restored the terminal.
    let held = Held::new();
    std::thread::spawn(move || sender.send(work()).ok());
    drop(held);
    receiver.recv_timeout(deadline).ok()
}
