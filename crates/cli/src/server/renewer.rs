//! The thread that renews the credentials of one profile. It may wait for AWS, for a program or for the user, and delays
//! nothing but its own profile.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use hatbox_core::handover::Credentials;

use super::events::Wake;
use crate::credentials::run::PlanRun;
use crate::errors::{Failure, FailureKind};

/// New credentials, with their account if it is known.
#[derive(Debug)]
pub(super) struct Renewed {
    pub(super) credentials: Credentials,
    pub(super) account: Option<String>,
}

/// The thread of one profile.
#[derive(Debug)]
pub(super) struct Renewer {
    orders: Sender<Duration>,
    results: Receiver<Result<Renewed, Failure>>,
}

impl Renewer {
    /// Starts the thread, which carries out `run` whenever it is told to, and then calls `wake`.
    pub(super) fn start(mut run: PlanRun, wake: Arc<Wake>) -> Result<Self, Failure> {
        let (orders, received) = channel();
        let (sender, results) = channel();
        let work = move || {
            while let Ok(least) = received.recv() {
                let result = run
                    .renew(least)
                    .map(|credentials| Renewed { credentials, account: run.account().map(str::to_owned) });
                if sender.send(result).is_err() {
                    return;
                }
                wake.renewed();
            }
        };
        std::thread::Builder::new().name("renewer".to_owned()).spawn(work).map_err(|error| {
            Failure::new(FailureKind::Failed, "could not start the credential server").caused_by(&error)
        })?;
        Ok(Self { orders, results })
    }

    /// Orders a renewal, from the cache if a session there has at least `least` left.
    pub(super) fn order(&self, least: Duration) {
        // If the thread has ended, `take` says so.
        self.orders.send(least).ok();
    }

    /// Returns the result of the renewal; `None` while it runs.
    pub(super) fn take(&self) -> Option<Result<Renewed, Failure>> {
        match self.results.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(Failure::new(FailureKind::Failed, "the renewal ended unexpectedly")))
            }
        }
    }
}
