//! All profiles of a server, each renewed in its own time. Nothing here waits for a renewal: the warnings before the end
//! of one profile's credentials, and signals, arrive in time while another one waits for AWS or for the user.

use std::time::{Duration, Instant};

use super::events::{Cause, Events};
use super::renewal::{Course, Renewal};
use super::renewer::Renewer;
use crate::errors::Failure;
use crate::sys::signals::{Held, end_questions};
use crate::wait_line::show_no_lines;
use crate::world::World;

/// The maximum interval between looks at the clock, which may be set, and stops while the machine sleeps.
const TICK: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(20);
/// The interval between checks for signals.
const LOOK: Duration = Duration::from_millis(200);
/// How long a renewal has, after a signal, to remove its question from the terminal and to end its program.
const GRACE: Duration = Duration::from_secs(1);

/// All profiles of one server.
#[derive(Debug)]
pub(crate) struct Renewals {
    world: World,
    all: Vec<(Renewer, Course)>,
    events: Events,
}

impl Renewals {
    /// Starts a thread for each profile, which renews nothing yet.
    pub(crate) fn start(world: &World, renewals: Vec<Renewal>, events: &Events) -> Result<Self, Failure> {
        // No one waits for a renewal, and the terminal may belong to a command.
        show_no_lines();
        let all = renewals.into_iter().map(|renewal| {
            let (run, course) = renewal.into_parts();
            Ok((Renewer::start(run, events.wake.clone())?, course))
        });
        let all = all.collect::<Result<_, Failure>>()?;
        Ok(Self { world: world.clone(), all, events: events.clone() })
    }

    /// Renews all of them for as long as this process runs.
    pub(crate) fn run_forever(mut self) {
        let mut cause = Cause::Time;
        loop {
            let wait = self.step(cause);
            cause = self.events.wake.wait(wait);
        }
    }

    /// Renews all of them until a signal arrives, which `held` holds back in all threads. Asks questions on the terminal,
    /// which belongs to this process.
    pub(crate) fn run_until_signal(mut self, held: &Held) {
        let mut stop = None;
        let mut cause = Cause::Time;
        while held.take().is_none() {
            let wait = self.step(cause);
            // A question must be off the terminal before Ctrl-Z stops this process.
            match (self.is_one_renewing(), &stop) {
                (true, None) => stop = Some(Held::new()),
                (false, Some(_)) => stop = None,
                _ => {}
            }
            cause = self.events.wake.wait(wait.min(LOOK));
        }
        end_questions();
        let end = Instant::now() + GRACE;
        while self.is_one_renewing() && Instant::now() < end {
            self.step(Cause::Time);
            self.events.wake.wait(PAUSE);
        }
    }

    /// Does what is due. Returns how long nothing else will be.
    fn step(&mut self, cause: Cause) -> Duration {
        for (renewer, course) in &mut self.all {
            if course.step(&self.world, renewer, cause) {
                self.events.changed.notify_waiters();
            }
        }
        let now = self.world.clock.now();
        let wait = self.all.iter().map(|(_, course)| course.wait(now)).min();
        wait.unwrap_or_default().clamp(PAUSE, TICK)
    }

    fn is_one_renewing(&self) -> bool {
        self.all.iter().any(|(_, course)| course.is_renewing())
    }
}
