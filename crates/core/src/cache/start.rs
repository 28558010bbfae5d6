//! Finds the first stage of a plan that must run, given what is cached.
//!
//! A cached session is used when all of these hold, else it is renewed:
//!
//! | rule | for | why |
//! |---|---|---|
//! | it was asked for with at least the length that is asked for now | what is handed over | the result is never shorter than requested; where AWS itself granted less (it answers whole seconds, and gives root 1 h), asking again would change nothing, and [`CachedSession::granted`] tells |
//! | at least `min_ttl` of it is left | every stage | so that work does not end in the middle |
//! | it was not obtained in the future | every stage | the clock was set back, so nothing is known about its age |
//! | `--fresh` was not given | every stage | |
//!
//! The length rule is for what is handed over only: a role's session lasts as long as it was asked for, however
//! little is left of the session that signed the call. So a code is not asked for twice within one session.
//!
//! A `min_ttl` above the length itself renews at every start: that is what was asked for. A session of 900 s
//! under the default `min_ttl` serves for its first 600.
//!
//! The last stage is looked at first: when its session is good, nothing before it matters, and no other file
//! is read.

use std::time::Duration;

use jiff::Timestamp;

use super::session::CachedSession;
use crate::plan::explain::CacheState;
use crate::plan::{Plan, Stage};

/// What must be left of a session unless `--min-ttl` or `AWS_MIN_TTL` is set.
pub const DEFAULT_MIN_TTL: Duration = Duration::from_mins(5);

/// How far in the future a session may have been obtained: clocks are set right by small steps.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// When a cached session is good enough.
#[derive(Debug, Clone, Copy)]
pub struct StartRules {
    /// What must be left of it.
    pub min_ttl: Duration,
    /// Whether cached sessions are used at all.
    pub reuse: Reuse,
}

/// Whether cached sessions are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Where they are good enough.
    #[default]
    Cached,
    /// Never: `--fresh`. Everything is obtained again, and saved.
    Nothing,
}

/// Where the work begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// Nothing is to be done: these are handed over.
    Ready(Box<CachedSession>),
    /// This stage runs first, then all after it.
    From {
        /// The stage.
        stage: Stage,
        /// What signs it, from the cache; `None` for the base, which nothing signs.
        source: Option<Box<CachedSession>>,
    },
}

/// Why a cached session is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// `--fresh`.
    Forced,
    /// A longer one is asked for.
    TooShort {
        /// The length that it was granted.
        granted: Duration,
        /// The requested length.
        asked: Duration,
    },
    /// It ends too soon.
    Ending {
        /// What is left of it.
        left: Duration,
    },
    /// It was obtained in the future, by this machine's clock.
    ClockSetBack,
}

/// The search for where the work begins: it names the stage whose cached session is wanted, from the last one
/// backwards and no further than needed, and is given that session.
///
/// ```text
/// while let Some(stage) = search.wanted() {
///     search.give(load(stage)?);
/// }
/// ```
#[derive(Debug)]
pub struct StartSearch<'a> {
    plan: &'a Plan,
    now: Timestamp,
    rules: StartRules,
    wanted: Option<Stage>,
    found: Option<(Stage, Box<CachedSession>)>,
}

impl<'a> StartSearch<'a> {
    /// Begins with the last stage.
    pub fn new(plan: &'a Plan, now: Timestamp, rules: StartRules) -> Self {
        let is_looked_at = rules.reuse == Reuse::Cached;
        let wanted = Some(plan.last_stage()).filter(|stage| is_looked_at && plan.is_saved(*stage));
        Self { plan, now, rules, wanted, found: None }
    }

    /// The stage whose session is wanted; `None` when no more is.
    pub fn wanted(&self) -> Option<Stage> {
        self.wanted
    }

    /// Takes the session that is filed for the stage that was wanted, if there is one.
    pub fn give(&mut self, session: Option<CachedSession>) {
        let Some(stage) = self.wanted.take() else { return };
        match session {
            Some(session) if resolve_use(self.plan, stage, &session, self.now, self.rules).is_ok() => {
                self.found = Some((stage, Box::new(session)));
            }
            _ => {
                let mut before = self.plan.stages().rev().skip_while(|other| *other >= stage);
                self.wanted = before.next().filter(|stage| self.plan.is_saved(*stage));
            }
        }
    }

    /// Where the work begins, by what was given.
    pub fn into_start(self) -> Start {
        let Some((stage, session)) = self.found else {
            return Start::From { stage: Stage::Base, source: None };
        };
        match self.plan.stages().find(|other| *other > stage) {
            None => Start::Ready(session),
            Some(stage) => Start::From { stage, source: Some(session) },
        }
    }
}

/// Says how much is left of a cached session that may be used for a stage.
///
/// # Errors
/// Why it must be renewed instead.
pub fn resolve_use(
    plan: &Plan,
    stage: Stage,
    session: &CachedSession,
    now: Timestamp,
    rules: StartRules,
) -> Result<Duration, Renewal> {
    if rules.reuse == Reuse::Nothing {
        return Err(Renewal::Forced);
    }
    let from_future = Duration::try_from(session.obtained_at.duration_since(now)).unwrap_or_default();
    if from_future > CLOCK_TOLERANCE {
        return Err(Renewal::ClockSetBack);
    }
    if stage == plan.last_stage()
        && let Some(asked) = plan.stage_duration(stage)
        && session.asked.unwrap_or_else(|| session.granted()) < asked
    {
        return Err(Renewal::TooShort { granted: session.granted(), asked });
    }
    let left = session.left(now);
    if left.is_zero() || left < rules.min_ttl { Err(Renewal::Ending { left }) } else { Ok(left) }
}

/// Says what the cache has for a stage, for `explain`: a session counts only when it would be used.
pub fn resolve_cache_state(
    plan: &Plan,
    stage: Stage,
    session: Option<&CachedSession>,
    now: Timestamp,
    rules: StartRules,
) -> CacheState {
    let used = session.and_then(|session| {
        let left = resolve_use(plan, stage, session, now, rules).ok()?;
        Some(CacheState::Cached { left, expires_at: session.credentials.expires_at })
    });
    used.unwrap_or(CacheState::Absent)
}
