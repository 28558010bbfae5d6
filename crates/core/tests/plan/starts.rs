//! At which stage a start begins, depending on what is cached.

use std::time::Duration;

use hatbox_core::cache::{
    CachedSession, DEFAULT_MIN_TTL, Renewal, Reuse, Start, StartRules, StartSearch, resolve_cache_state,
    resolve_use,
};
use hatbox_core::plan::explain::CacheState;
use hatbox_core::plan::{Call, Plan, Stage};
use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::Timestamp;
use proptest::prelude::*;

use super::fixture::{ADMIN, AUDITOR, flag, name, plan, role, user, with_length};

const NOW: i64 = 1_800_000_000;
const RULES: StartRules = StartRules { min_ttl: DEFAULT_MIN_TTL, reuse: Reuse::Cached };
const HOUR: u64 = 3600;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A session that was requested `age` seconds ago for `asked` seconds, and granted for `given` seconds.
fn session(age: i64, asked: u64, given: i64) -> CachedSession {
    CachedSession {
        credentials: SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: SecretString::new("secret".to_owned()),
            session_token: SecretString::new("token".to_owned()),
            expires_at: time(NOW - age + given),
        },
        call: Call::AssumeRole,
        profile: name("admin"),
        obtained_at: time(NOW - age),
        asked: Some(Duration::from_secs(asked)),
        account: None,
    }
}

/// A user and a role with the same MFA device: GetSessionToken for 8 h, AssumeRole for 1 h.
fn admin() -> Plan {
    plan(&[role("admin", "jan-work", ADMIN), user("jan-work")])
}

/// The start of `plan` with these cached sessions, and the stages that were looked up.
fn start(plan: &Plan, sessions: &[(usize, CachedSession)], rules: StartRules) -> (Start, Vec<usize>) {
    let mut looked = Vec::new();
    let mut cached = |stage: Stage| {
        let Stage::Step(step) = stage else { panic!("a stored key is not in the cache") };
        looked.push(step);
        sessions.iter().find(|(of, _)| *of == step).map(|(_, session)| session.clone())
    };
    let mut search = StartSearch::new(plan, time(NOW), rules);
    while let Some(stage) = search.wanted() {
        search.give(cached(stage));
    }
    (search.into_start(), looked)
}

#[test]
fn a_good_last_session_needs_nothing_before_it() {
    let (start, looked) = start(&admin(), &[(1, session(60, HOUR, 3600))], RULES);
    assert!(matches!(start, Start::Ready(_)), "{start:?}");
    assert_eq!(looked, [1], "and no other file is read");
}

#[test]
fn a_good_source_is_where_the_work_begins() {
    let sessions = [(0, session(7 * 3600, 8 * HOUR, 8 * 3600)), (1, session(3400, HOUR, 3600))];
    let (start, looked) = start(&admin(), &sessions, RULES);
    assert!(matches!(start, Start::From { stage: Stage::Step(1), source: Some(_) }), "{start:?}");
    assert_eq!(looked, [1, 0]);
}

#[test]
fn with_nothing_cached_the_work_begins_with_the_base() {
    let (cold, _) = start(&admin(), &[], RULES);
    assert!(matches!(cold, Start::From { stage: Stage::Base, source: None }), "{cold:?}");
    let fresh = StartRules { reuse: Reuse::Nothing, ..RULES };
    let (fresh, looked) = start(&admin(), &[(1, session(0, HOUR, 3600))], fresh);
    assert!(matches!(fresh, Start::From { stage: Stage::Base, source: None }), "{fresh:?}");
    assert_eq!(looked, [] as [usize; 0]);
}

#[test]
fn a_source_may_be_shorter_than_it_would_be_asked_for() {
    let (start, _) = start(&admin(), &[(0, session(0, HOUR, 3600))], RULES);
    assert!(matches!(start, Start::From { stage: Stage::Step(1), source: Some(_) }), "{start:?}");
}

#[test]
fn a_session_is_used_or_renewed() {
    let ask = |seconds| {
        let mut plan = admin();
        if let hatbox_core::plan::Step::AssumeRole(step) = &mut plan.steps[1] {
            step.duration = flag(Duration::from_secs(seconds));
        }
        plan
    };
    let ending = |left| Err(Renewal::Ending { left: Duration::from_secs(left) });
    let used = |left| Ok(Duration::from_secs(left));
    for (asks, session, outcome, why) in [
        (3600, session(3290, HOUR, 3600), used(310), "310 s are left, 300 must be"),
        (3600, session(3300, HOUR, 3600), used(300), "exactly what must be left"),
        (3600, session(3301, HOUR, 3600), ending(299), "299 s are left"),
        (3600, session(4000, HOUR, 3600), ending(0), "it has ended"),
        (900, session(600, 900, 900), used(300), "a short one is used while five minutes are left"),
        (900, session(601, 900, 900), ending(299), "and renewed for its last five"),
        (3600, session(0, HOUR, 3599), used(3599), "AWS cuts fractions of a second off"),
        (
            3600,
            session(0, 900, 900),
            Err(Renewal::TooShort { granted: Duration::from_mins(15), asked: Duration::from_hours(1) }),
            "granted less than is asked for now",
        ),
        (900, session(0, HOUR, 3600), used(3600), "granted more than is asked for now"),
        (
            7200,
            session(0, 7200, 3600),
            used(3600),
            "AWS gives root one hour whatever is asked: asking again is idle",
        ),
        (3600, session(-30, HOUR, 3600), used(3600), "a clock that was set right by seconds"),
        (3600, session(-61, HOUR, 3600), Err(Renewal::ClockSetBack), "obtained in the future"),
        (
            3600,
            session(3400, HOUR, 3600 + 600),
            ending(200),
            "this clock is ten minutes behind AWS's: the end is nearer than it seems",
        ),
        (
            3600,
            session(2900, HOUR, 3600 - 600),
            ending(100),
            "this clock is ten minutes ahead: better too early",
        ),
    ] {
        let plan = ask(asks);
        assert_eq!(resolve_use(&plan, Stage::Step(1), &session, time(NOW), RULES), outcome, "{why}");
    }
}

#[test]
fn explain_shows_a_session_only_when_it_would_be_used() {
    let state = |session: Option<&CachedSession>| {
        resolve_cache_state(&admin(), Stage::Step(1), session, time(NOW), RULES)
    };
    assert_eq!(state(None), CacheState::Absent);
    assert_eq!(state(Some(&session(3500, HOUR, 3600))), CacheState::Absent);
    let (left, expires_at) = (Duration::from_mins(30), time(NOW + 1800));
    assert_eq!(state(Some(&session(1800, HOUR, 3600))), CacheState::Cached { left, expires_at });
}

#[test]
fn more_may_be_wanted_than_five_minutes() {
    let rules = StartRules { min_ttl: Duration::from_mins(10), ..RULES };
    let (start, _) = start(&admin(), &[(1, session(3290, HOUR, 3600))], rules);
    assert!(matches!(start, Start::From { .. }), "{start:?}");
}

#[test]
fn an_ended_session_is_never_used_however_little_must_be_left() {
    let rules = StartRules { min_ttl: Duration::ZERO, ..RULES };
    for age in [3600, 3601, 90_000] {
        let outcome = resolve_use(&admin(), Stage::Step(1), &session(age, HOUR, 3600), time(NOW), rules);
        assert_eq!(outcome, Err(Renewal::Ending { left: Duration::ZERO }), "{age}");
    }
}

proptest! {
    #[test]
    fn a_cached_start_never_lengthens_a_life(
        age in -4000..50_000i64,
        asked in 900..43_200u64,
        given in 1..50_000i64,
        wants in 900..43_200u64,
        min_ttl in 0..7200u64,
        is_chained in any::<bool>(),
    ) {
        let target = if is_chained {
            role("admin", "jan-work", ADMIN)
        } else {
            with_length(role("admin", "jan-work", AUDITOR), Duration::from_secs(wants))
        };
        let source = user("jan-work");
        let plan = plan(&[target, source]);
        let last = plan.steps.len() - 1;
        let rules = StartRules { min_ttl: Duration::from_secs(min_ttl), reuse: Reuse::Cached };
        let saved = session(age, asked, given);
        let (start, _) = start(&plan, &[(last, saved.clone())], rules);
        let asks = plan.steps[last].duration().value;
        let left_of_grant = i64::try_from(asked).unwrap().min(given) - age.max(0);
        let must_be_used = age >= -60
            && Duration::from_secs(asked) >= asks
            && left_of_grant.min(given - age) >= i64::try_from(min_ttl).unwrap().max(1);
        match start {
            Start::Ready(used) => {
                prop_assert!(must_be_used);
                prop_assert_eq!(used.credentials.expires_at, saved.credentials.expires_at);
                prop_assert!(used.credentials.expires_at > time(NOW));
                prop_assert!(used.left(time(NOW)) <= used.granted());
                prop_assert!(used.left(time(NOW)) <= Duration::from_secs(asked));
            }
            Start::From { .. } => prop_assert!(!must_be_used),
        }
    }
}
