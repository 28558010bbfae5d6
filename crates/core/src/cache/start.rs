//! Finds the first stage of a plan that must run, given what is cached.
//!
//! A cached session is used when all of these hold, else it is renewed:
//!
//! | rule | for | why |
//! |---|---|---|
//! | it was asked for with at least the length that is asked for now | what is handed over | nobody gets less than was asked for; where AWS itself granted less (it answers whole seconds, and gives root 1 h), asking again would change nothing, and [`CachedSession::granted`] tells |
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
use crate::plan::{Base, Plan, Stage};

/// What must be left of a session when nobody said: `--min-ttl`, `AWS_MIN_TTL`.
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
    /// Never: `--fresh`. All that is asked for is obtained anew, and saved.
    Nothing,
}

/// Where the work begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// Nothing is to be done: these are handed over.
    Ready(Box<CachedSession>),
    /// This stage runs first, then all after it. [`Stage::Base`] of a plan without steps and with a key that
    /// is simply there means: read the key, and hand it over.
    From {
        /// The stage.
        stage: Stage,
        /// What signs it, when that comes from the cache; else it is the base itself.
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
        /// The length that is asked for.
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

/// Finds where the work begins. `cached` gives the session that is filed for a stage, if any, and is asked
/// from the last stage backwards, no further than needed.
pub fn resolve_start(
    plan: &Plan,
    cached: &mut dyn FnMut(Stage) -> Option<CachedSession>,
    now: Timestamp,
    rules: StartRules,
) -> Start {
    let mut after = None;
    for stage in plan.stages().rev() {
        if rules.reuse == Reuse::Cached
            && plan.stage_call(stage).is_some()
            && let Some(session) = cached(stage)
            && resolve_use(plan, stage, &session, now, rules).is_ok()
        {
            let session = Box::new(session);
            return match after {
                None => Start::Ready(session),
                Some(stage) => Start::From { stage, source: Some(session) },
            };
        }
        after = Some(stage);
    }
    // A base that is simply there is no work; the first step is.
    let stage = match (plan.base.call(), plan.steps.is_empty()) {
        (None, false) => Stage::Step(0),
        _ => Stage::Base,
    };
    Start::From { stage, source: None }
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
        && let Some(asked) = asked_now(plan, stage)
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

/// The length that a stage would be asked for, its cap applied; `None` where the call takes none.
fn asked_now(plan: &Plan, stage: Stage) -> Option<Duration> {
    match (stage, &plan.base) {
        (Stage::Base, Base::WebIdentity { duration, .. }) => Some(duration.value),
        (Stage::Base, _) => None,
        (Stage::Step(index), _) => plan.steps.get(index).map(|step| step.duration().value),
    }
}
