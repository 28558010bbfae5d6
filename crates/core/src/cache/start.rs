//! Finds the first stage of a plan that must run, given what is cached.
//!
//! A cached session is used if all of these hold, and renewed otherwise:
//!
//! | rule | applies to | why |
//! |---|---|---|
//! | it was requested with at least the duration requested now | the credentials that are handed over | they never last shorter than requested; if AWS granted less than requested then (it rounds to whole seconds, and limits root to 1 h), it would do so again, see [`CachedSession::granted`] |
//! | at least `min_ttl` of it is left | every stage | the work that uses it should not be cut off |
//! | it was not obtained in the future | every stage | the clock was set back, so its age is unknown |
//! | `--fresh` was not given | every stage | |
//!
//! The first rule ignores sources: a role session lasts as long as requested, however little is left of the session
//! that signed the call. This avoids asking for another MFA code during one session.
//!
//! A `min_ttl` longer than the session renews it every time, as the user asked. With the default `min_ttl`, a session
//! of 900 s is used for its first 600 s.
//!
//! The last stage is checked first: if its session can be used, no other file is read.

use std::time::Duration;

use jiff::Timestamp;

use super::session::CachedSession;
use crate::plan::explain::CacheState;
use crate::plan::{Plan, Stage};

/// The minimum time left of a session unless `--min-ttl` or `AWS_MIN_TTL` is set.
pub const DEFAULT_MIN_TTL: Duration = Duration::from_mins(5);

/// How far in the future a session may have been obtained, as clocks are corrected in small steps.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// When a cached session can be used.
#[derive(Debug, Clone, Copy)]
pub struct StartRules {
    /// How much time must be left.
    pub min_ttl: Duration,
    /// Whether cached sessions are used at all.
    pub reuse: Reuse,
}

/// Whether cached sessions are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Sessions are used if the rules allow it.
    #[default]
    Cached,
    /// Never: with `--fresh`, everything is obtained again and saved.
    Nothing,
}

/// Where to start.
#[derive(Debug, Clone)]
pub enum Start {
    /// Nothing has to run: these credentials are handed over.
    Ready(Box<CachedSession>),
    /// Start with this stage, and run all later ones.
    From {
        /// The first stage to run.
        stage: Stage,
        /// The cached session that signs its call; `None` for the base, which nothing signs.
        source: Option<Box<CachedSession>>,
    },
}

/// Why a cached session is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// `--fresh` was given.
    Forced,
    /// A longer session is requested.
    TooShort {
        /// The duration that was granted.
        granted: Duration,
        /// The requested duration.
        asked: Duration,
    },
    /// It expires too soon.
    Ending {
        /// How much time is left.
        left: Duration,
    },
    /// It was obtained in the future, according to this machine's clock.
    ClockSetBack,
}

/// Searches for the stage to start with: asks for the cached session of one stage after the other, from the last one
/// backwards and no further than needed.
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
    /// Starts the search at the last stage.
    pub fn new(plan: &'a Plan, now: Timestamp, rules: StartRules) -> Self {
        let is_looked_at = rules.reuse == Reuse::Cached;
        let wanted = Some(plan.last_stage()).filter(|stage| is_looked_at && plan.is_saved(*stage));
        Self { plan, now, rules, wanted, found: None }
    }

    /// Returns the stage whose session is needed next; `None` when the search is over.
    pub fn wanted(&self) -> Option<Stage> {
        self.wanted
    }

    /// Takes the cached session of that stage, if there is one.
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

    /// Returns where to start, given the sessions so far.
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

/// Returns how much time is left of a cached session that can be used for a stage.
///
/// # Errors
/// The reason if the session has to be renewed.
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

/// Returns what the cache has for a stage, for `explain`, ignoring sessions that would not be used.
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
