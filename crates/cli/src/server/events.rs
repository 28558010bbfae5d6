//! Signals between the thread of the server and the thread of the renewal.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// The signals in both directions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events {
    /// To the renewal: check what is due.
    pub(crate) wake: Arc<Wake>,
    /// To waiting requests: the credentials have changed.
    pub(crate) changed: Arc<Notify>,
}

/// Wakes the thread of the renewal.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    is_wanted: Mutex<bool>,
    condition: Condvar,
}

impl Wake {
    pub(crate) fn wake(&self) {
        let mut is_wanted = self.is_wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_wanted {
            *is_wanted = true;
            self.condition.notify_one();
        }
    }

    pub(super) fn wait(&self, at_most: Duration) -> Cause {
        let is_wanted = self.is_wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.condition.wait_timeout_while(is_wanted, at_most, |is_wanted| !*is_wanted);
        let mut is_wanted = waited.unwrap_or_else(PoisonError::into_inner).0;
        if std::mem::take(&mut *is_wanted) { Cause::Request } else { Cause::Time }
    }
}

/// Why the thread of the renewal checks the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Time,
    /// A client asked for credentials that should have been renewed, or were never obtained.
    Request,
}
