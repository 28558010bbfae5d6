//! The durations of sessions.

use std::time::Duration;

use crate::config::profile::{Origin, Sourced};

use super::step::Call;

/// The default duration of AssumeRole and AssumeRoleWithWebIdentity.
pub(super) const ROLE_DEFAULT: Duration = Duration::from_hours(1);
/// The default duration of GetSessionToken if its session is handed over.
pub(super) const SESSION_DEFAULT: Duration = Duration::from_hours(1);
/// The default duration of GetSessionToken if roles are assumed with it: one MFA code per working day.
pub(super) const CHAINED_SESSION_DEFAULT: Duration = Duration::from_hours(8);
/// The default duration of GetFederationToken.
pub(super) const FEDERATION_DEFAULT: Duration = Duration::from_hours(1);
/// The maximum duration of a role assumed with temporary credentials (STS AssumeRole, "role chaining").
pub(super) const CHAINED_ROLE_MAX: Duration = Duration::from_hours(1);

/// Returns the shortest and longest `DurationSeconds` of a call (STS API reference). A role's own limit, its
/// MaxSessionDuration, is unknown offline.
pub(super) fn limits(call: Call) -> (Duration, Duration) {
    let max = match call {
        Call::GetSessionToken | Call::GetFederationToken => Duration::from_hours(36),
        _ => Duration::from_hours(12),
    };
    (Duration::from_mins(15), max)
}

/// Returns the requested duration, or hatbox's default.
pub(super) fn asked_or(asked: Option<&Sourced<Duration>>, default: Duration) -> Sourced<Duration> {
    asked.cloned().unwrap_or(Sourced { value: default, origin: Origin::Default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_the_limits() {
        for (call, length) in [
            (Call::AssumeRole, ROLE_DEFAULT),
            (Call::GetSessionToken, SESSION_DEFAULT),
            (Call::GetSessionToken, CHAINED_SESSION_DEFAULT),
            (Call::AssumeRole, CHAINED_ROLE_MAX),
        ] {
            let (min, max) = limits(call);
            assert!(min <= length && length <= max);
        }
    }
}
