//! Signals between the thread of the server and those of the renewal.

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

/// Wakes the thread that decides on renewals.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    why: Mutex<Option<Cause>>,
    condition: Condvar,
}

impl Wake {
    /// A client asked for credentials that are due.
    pub(crate) fn wake(&self) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if *why != Some(Cause::Request) {
            *why = Some(Cause::Request);
            self.condition.notify_one();
        }
    }

    /// A renewal has ended.
    pub(super) fn renewed(&self) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Cause::Renewal);
        self.condition.notify_one();
    }

    pub(super) fn wait(&self, at_most: Duration) -> Cause {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.condition.wait_timeout_while(why, at_most, |why| why.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take().unwrap_or(Cause::Time)
    }
}

/// Why the thread checks the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Time,
    /// A client asked for credentials that should have been renewed, or were never obtained.
    Request,
    /// A renewal has ended.
    Renewal,
}
