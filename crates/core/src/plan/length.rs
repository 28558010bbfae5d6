//! How long sessions may last.

use std::time::Duration;

use crate::config::profile::{Origin, Sourced};

use super::step::Call;

/// The default length of AssumeRole and AssumeRoleWithWebIdentity.
pub(super) const ROLE_DEFAULT: Duration = Duration::from_hours(1);
/// The default length of GetSessionToken when its session is handed over.
pub(super) const SESSION_DEFAULT: Duration = Duration::from_hours(1);
/// The default length of GetSessionToken when roles are assumed from it: one code for a working day.
pub(super) const CHAINED_SESSION_DEFAULT: Duration = Duration::from_hours(8);
/// The duration of GetFederationToken where none is set.
pub(super) const FEDERATION_DEFAULT: Duration = Duration::from_hours(1);
/// What a role assumed from temporary credentials gets at most (STS AssumeRole, "role chaining").
pub(super) const CHAINED_ROLE_MAX: Duration = Duration::from_hours(1);

/// The shortest and longest `DurationSeconds` that a call takes (STS API reference); the longest of one
/// role, its MaxSessionDuration, is not known offline.
pub(super) fn limits(call: Call) -> (Duration, Duration) {
    let max = match call {
        Call::GetSessionToken | Call::GetFederationToken => Duration::from_hours(36),
        _ => Duration::from_hours(12),
    };
    (Duration::from_mins(15), max)
}

/// The length that was asked for, or hatbox's default.
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
