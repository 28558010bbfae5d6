//! Renewal: obtains the next credentials before the current ones expire, and warns in time if that is impossible.
//!
//! | lifetime of the credentials | renewed before they expire |
//! |---|---|
//! | 12 h | 3 h |
//! | 1 h | 15 min |
//! | 15 min, AWS's minimum | 10 min |
//! | less, in a sandbox | two thirds of the lifetime |
//!
//! If the server needs some time left, the lifetime ends that much earlier: with 25 minutes, credentials for 1 h are
//! renewed when 35 minutes are left.
//!
//! A failed renewal is repeated, and meanwhile the current credentials are given until they expire.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_core::handover::Credentials;
use hatbox_core::plan::Plan;
use hatbox_types::duration::render_duration;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::SessionCredentials;
use hatbox_types::text::shell::quote_word;
use jiff::{SignedDuration, Timestamp};

use super::events::Cause;
use super::identity::Identity;
use super::notification::notify;
use super::protocol::Protocol;
use super::renewer::{Renewed, Renewer};
use crate::credentials::run::PlanRun;
use crate::errors::{Failure, FailureKind};
use crate::sys::boot_clock;
use crate::world::World;

/// The minimum time left at renewal, if the lifetime allows it.
const LEAST: SignedDuration = SignedDuration::from_mins(10);
/// How long before the expiry to warn that a renewal is missing.
const WARNINGS: [SignedDuration; 3] =
    [SignedDuration::from_mins(10), SignedDuration::from_mins(5), SignedDuration::from_mins(1)];
/// The pause after a failed renewal, doubled each time. If only the user can help, the pause stays this short, to find
/// a session that the user obtains elsewhere.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);
/// The longest pause, also used after the user cancelled a question.
const LATEST_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// A renewal that has taken this long counts as missing in the warnings, although it may still succeed.
const SLOW: SignedDuration = SignedDuration::from_mins(1);

/// Returns how long before their expiry to renew credentials that last for `life` from now on, if they are given while
/// `least_left` is left.
fn resolve_margin(life: SignedDuration, least_left: SignedDuration) -> SignedDuration {
    let life = life - least_left;
    least_left + (life / 4).max(LEAST).min(life * 2 / 3)
}

/// The credentials of one profile, with the run that renews them.
#[derive(Debug)]
pub(crate) struct Renewal {
    run: PlanRun,
    course: Course,
}

/// How long the credentials of one profile last, and what was done about that.
#[derive(Debug)]
pub(super) struct Course {
    identity: Arc<Identity>,
    expires_at: Option<Timestamp>,
    next: Timestamp,
    /// When the credentials are renewed even if the clock was set back, in nanoseconds since boot.
    next_since_boot: u128,
    /// When the renewal that still runs began.
    began_at: Option<Timestamp>,
    /// The last failure that was printed, to print it only once.
    said: Option<String>,
    /// The number of failed renewals in a row.
    failures: u32,
    /// How many of [`WARNINGS`] were given or have passed.
    warned: usize,
}

impl Renewal {
    /// Makes `identity` give `credentials`, which `run` obtained.
    ///
    /// # Errors
    /// If they never expire, as no SDK would ask for new ones, or if they expire too soon to be given.
    pub(crate) fn begin(
        world: &World,
        run: PlanRun,
        credentials: &Credentials,
        identity: Arc<Identity>,
    ) -> Result<Self, Failure> {
        let mut renewal = Self::later(run, identity);
        let session = temporary(credentials).ok_or_else(|| has_no_end(&renewal.course.identity))?;
        renewal.course.give(world, session, renewal.run.account())?;
        Ok(renewal)
    }

    /// Makes `identity` give what `run` obtains on first use.
    pub(crate) fn later(run: PlanRun, identity: Arc<Identity>) -> Self {
        let course = Course {
            identity,
            expires_at: None,
            next: Timestamp::MAX,
            next_since_boot: u128::MAX,
            began_at: None,
            said: None,
            failures: 0,
            warned: 0,
        };
        Self { run, course }
    }

    pub(crate) fn run(&self) -> &PlanRun {
        &self.run
    }

    pub(super) fn into_parts(self) -> (PlanRun, Course) {
        (self.run, self.course)
    }
}

impl Course {
    fn give(
        &mut self,
        world: &World,
        session: &SessionCredentials,
        account: Option<&str>,
    ) -> Result<(), Failure> {
        let now = world.clock.now();
        let life = session.expires_at.duration_since(now);
        let least_left = signed(self.identity.protocol().least_left());
        if life < least_left {
            return Err(too_short(self.identity.profile(), self.identity.protocol(), life.unsigned_abs()));
        }
        self.set_next(now, life - resolve_margin(life, least_left).max(SignedDuration::ZERO));
        self.identity.set(session, account, now)?;
        self.identity.set_due(self.next, self.next_since_boot);
        self.expires_at = Some(session.expires_at);
        (self.said, self.failures) = (None, 0);
        self.warned = WARNINGS.iter().filter(|warning| **warning > life).count();
        Ok(())
    }

    fn set_next(&mut self, now: Timestamp, wait: SignedDuration) {
        self.next = now + wait;
        self.next_since_boot = boot_clock::now() + wait.max(SignedDuration::ZERO).unsigned_abs().as_nanos();
    }

    /// Does what is due: orders a renewal from `renewer`, uses the result of one, warns. Returns whether clients get
    /// another answer now.
    pub(super) fn step(&mut self, world: &World, renewer: &Renewer, cause: Cause) -> bool {
        let before = (self.expires_at, self.said.is_some());
        if self.began_at.is_some()
            && let Some(result) = renewer.take()
        {
            self.began_at = None;
            self.settle(world, result);
        }
        let now = world.clock.now();
        let is_asked_first = self.next == Timestamp::MAX && cause == Cause::Request;
        let is_due = now >= self.next || boot_clock::now() >= self.next_since_boot;
        if self.began_at.is_none() && (is_due || is_asked_first) {
            (self.began_at, self.next, self.next_since_boot) = (Some(now), Timestamp::MAX, u128::MAX);
            renewer.order(self.least_life(now));
        }
        self.warn(world);
        let event = self.next_event();
        // Without one, the first request is what it waits for.
        if event != Timestamp::MAX {
            self.identity.set_due(event, self.next_since_boot);
        }
        (self.expires_at, self.said.is_some()) != before
    }

    /// Whether a renewal runs.
    pub(super) fn is_renewing(&self) -> bool {
        self.began_at.is_some()
    }

    /// Returns how long a cached session must last to be used. Anything that lasts noticeably longer than the current
    /// credentials is an improvement.
    fn least_life(&self, now: Timestamp) -> Duration {
        let least = self.expires_at.map_or(DEFAULT_MIN_TTL, |end| {
            let left = end.duration_since(now).max(SignedDuration::ZERO);
            (left + (left / 10).clamp(SignedDuration::from_secs(1), SignedDuration::from_mins(1)))
                .unsigned_abs()
        });
        least.max(self.identity.protocol().min_ttl())
    }

    fn settle(&mut self, world: &World, result: Result<Renewed, Failure>) {
        let now = world.clock.now();
        let failure = match result {
            Ok(Renewed { credentials, account }) => match temporary(&credentials) {
                Some(session) if session.expires_at > self.expires_at.unwrap_or(now).max(now) => {
                    let given = self.give(world, session, account.as_deref());
                    world
                        .output
                        .debug(|| format!("renewed the credentials of `{}`", self.identity.profile()));
                    match given {
                        Ok(()) => return,
                        Err(failure) => failure,
                    }
                }
                Some(_) => Failure::new(
                    FailureKind::Failed,
                    format!(
                        "renewing the credentials of `{}` returned none that last longer",
                        self.identity.profile()
                    ),
                ),
                None => has_no_end(&self.identity),
            },
            Err(failure) => failure,
        };
        let pause = match failure.kind {
            FailureKind::NeedsPerson => AGAIN,
            FailureKind::Cancelled => LATEST_AGAIN,
            _ => (AGAIN * (1 << self.failures.min(8))).min(LATEST_AGAIN),
        };
        self.set_next(now, pause);
        self.failures += 1;
        self.identity.set_trouble(failure.error.clone());
        self.say(world, &failure);
    }

    fn say(&mut self, world: &World, failure: &Failure) {
        if self.said.as_deref() == Some(&failure.error) {
            return;
        }
        self.said = Some(failure.error.clone());
        self.warned = self.passed_warnings(world);
        let profile = self.identity.profile();
        let until = self.left(world).map(|left| format!("; the current ones expire in {left}"));
        world
            .output
            .warn(&format!("could not renew the credentials of `{profile}`{}", until.unwrap_or_default()));
        world.output.raw_line(&format!("  caused by: {}", failure.error));
        for cause in &failure.causes {
            world.output.raw_line(&format!("  caused by: {cause}"));
        }
        world.output.hint(&self.way_out());
        if failure.kind == FailureKind::NeedsPerson {
            self.notify(world, &format!("the credentials of `{profile}` need you"), &failure.error);
        } else if failure.kind != FailureKind::Cancelled {
            let summary = format!("could not renew the credentials of `{profile}`");
            self.notify_without_terminal(world, &summary);
        }
    }

    /// Shows a notification, as the terminal belongs to the command, and the user may not be looking at it.
    fn notify(&self, world: &World, summary: &str, why: &str) {
        notify(world, self.identity.profile(), summary, &format!("{why}\n{}", self.way_out()));
    }

    /// Shows a notification if no terminal shows the output.
    fn notify_without_terminal(&self, world: &World, summary: &str) {
        if !std::io::stderr().is_terminal() {
            notify(world, self.identity.profile(), summary, &self.way_out());
        }
    }

    /// The next attempt finds a session in the cache that any hatbox process obtains.
    fn way_out(&self) -> String {
        let profile = quote_word(self.identity.profile().as_str());
        format!(
            "run this in another terminal, the server then uses the new session: hatbox exec --fresh {profile} -- true"
        )
    }

    /// Renders the time left; `None` if there is none.
    fn left(&self, world: &World) -> Option<String> {
        let left = self.expires_at?.duration_since(world.clock.now());
        // Rounded up: at 9 min 59 s, "in 10m" is right too.
        let seconds = u64::try_from(left.as_secs()).ok()? + 1;
        let seconds = if seconds > 60 { seconds.div_ceil(60) * 60 } else { seconds };
        left.is_positive().then(|| render_duration(Duration::from_secs(seconds)))
    }

    fn passed_warnings(&self, world: &World) -> usize {
        let left = self.expires_at.map_or(SignedDuration::ZERO, |end| end.duration_since(world.clock.now()));
        WARNINGS.iter().filter(|warning| **warning >= left).count()
    }

    /// Warns that the credentials will expire without a renewal.
    fn warn(&mut self, world: &World) {
        let Some(end) = self.expires_at else { return };
        let now = world.clock.now();
        let is_slow = self.began_at.is_some_and(|began_at| now.duration_since(began_at) >= SLOW);
        if self.said.is_none() && !is_slow {
            return;
        }
        let left = end.duration_since(now);
        let passed = self.passed_warnings(world);
        let profile = self.identity.profile();
        if left.is_negative() || left.is_zero() {
            self.expires_at = None;
            let warning = format!("the credentials of `{profile}` have expired and could not be renewed");
            world.output.warn(&warning);
            world.output.hint(&self.way_out());
            self.notify_without_terminal(world, &warning);
        } else if passed > self.warned {
            self.warned = passed;
            if let Some(left) = self.left(world) {
                let warning =
                    format!("the credentials of `{profile}` expire in {left} and could not be renewed");
                world.output.warn(&warning);
                world.output.hint(&self.way_out());
                self.notify_without_terminal(world, &warning);
            }
        }
    }

    /// Returns how long there is nothing to do, by the clock that says less.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        let wait = Duration::try_from(self.next_event().duration_since(now)).unwrap_or_default();
        let since_boot = self.next_since_boot.saturating_sub(boot_clock::now());
        wait.min(Duration::from_nanos(u64::try_from(since_boot).unwrap_or(u64::MAX)))
    }

    /// Returns when there is something to do next. The end of a renewal that runs is announced.
    fn next_event(&self) -> Timestamp {
        let Some(end) = self.expires_at else { return self.next };
        let next_warning = WARNINGS.get(self.warned).map_or(end, |warning| end - *warning);
        match (self.said.is_some(), self.began_at) {
            (true, _) => self.next.min(next_warning),
            (false, Some(began_at)) => next_warning.max(began_at + SLOW),
            (false, None) => self.next,
        }
    }
}

fn temporary(credentials: &Credentials) -> Option<&SessionCredentials> {
    match credentials {
        Credentials::Session(session) => Some(session),
        Credentials::AccessKey(_) | Credentials::Found { .. } => None,
    }
}

fn has_no_end(identity: &Identity) -> Failure {
    let (profile, flag) = (identity.profile(), identity.protocol().flag());
    Failure::new(
        FailureKind::Usage,
        format!("the credentials of `{profile}` have no known end, which a credential server needs"),
    )
    .hint(format!("leave out --no-session, or run the command without {flag}"))
}

/// Checks that the credentials of a plan will last as long as a server needs, before they are obtained.
///
/// # Errors
/// If they are always too short.
pub(crate) fn check_duration(plan: &Plan, protocol: &Protocol) -> Result<(), Failure> {
    match plan.stage_duration(plan.last_stage()) {
        Some(duration) if duration < protocol.least_left() => {
            Err(too_short(&plan.profile, protocol, duration))
        }
        _ => Ok(()),
    }
}

fn too_short(profile: &ProfileName, protocol: &Protocol, left: Duration) -> Failure {
    let flag = protocol.flag();
    let least = render_duration(protocol.least_left());
    let left = render_duration(Duration::from_secs(left.as_secs()));
    Failure::new(
        FailureKind::Usage,
        format!(
            "the credentials of `{profile}` expire in {left}, and {flag} needs {least} at least: the AWS SDKs use \
             credentials from instance metadata after they have expired"
        ),
    )
    .hint("request a longer session, such as `-d 1h`, or use --server, which has no such limit")
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_a_quarter_before_their_end_and_ten_minutes_at_least() {
        let minutes = SignedDuration::from_mins;
        for (life, margin) in [
            (minutes(720), minutes(180)),
            (minutes(60), minutes(15)),
            (minutes(30), minutes(10)),
            (minutes(15), minutes(10)),
            (SignedDuration::from_secs(30), SignedDuration::from_secs(20)),
        ] {
            assert_eq!(resolve_margin(life, SignedDuration::ZERO), margin, "{life:?}");
        }
        for (life, margin) in [(60, 35), (55, 35), (40, 35), (28, 27), (25, 25)] {
            assert_eq!(resolve_margin(minutes(life), minutes(25)), minutes(margin), "{life}");
        }
    }
}
