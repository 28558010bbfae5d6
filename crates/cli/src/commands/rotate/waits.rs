//! Waits with growing pauses until AWS has propagated a change.

use std::time::{Duration, Instant};

use crate::wait_line::{Company, WaitLine};

/// The first pause; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// Pauses that grow, until a deadline.
pub(super) struct Waits {
    started: Instant,
    patience: Duration,
    next: Duration,
}

impl Waits {
    pub(super) fn until(patience: Duration) -> Self {
        Self { started: Instant::now(), patience, next: FIRST_WAIT }
    }

    /// Sleeps, unless the deadline has passed; returns whether it slept. Shows `what` meanwhile.
    pub(super) fn wait(&mut self, what: &'static str) -> bool {
        if self.started.elapsed() + self.next > self.patience {
            return false;
        }
        let _line = WaitLine::start(self.patience, Company::None, move || what.to_owned());
        std::thread::sleep(self.next);
        self.next = (self.next * 2).min(LONGEST_WAIT);
        true
    }
}
