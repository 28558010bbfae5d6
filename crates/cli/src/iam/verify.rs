//! Tests a role that must require MFA: AWS must deny it without a code, and allow it with one.

use std::time::Duration;

use hatbox_core::plan::Purpose;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

use crate::args::{GlobalArgs, SessionArgs};
use crate::credentials::obtain::{ProfileRequest, obtain_without_mfa};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// The pauses before each attempt without a code, as a new policy takes effect only after some seconds.
const WAITS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// Assumes the role of `profile` without a code, then with one.
///
/// # Errors
/// If the first attempt is not denied, or the second one is.
pub(crate) fn verify(world: &World, global: &GlobalArgs, profile: &ProfileName) -> Result<(), Failure> {
    check_denied(world, global, profile)?;
    let fresh = SessionArgs { fresh: true, no_session: true, ..SessionArgs::default() };
    let request = ProfileRequest { world, global, session: &fresh, profile: Some(profile.as_str()) };
    request.obtain(Purpose::Use).map(|_| ())
}

fn check_denied(world: &World, global: &GlobalArgs, profile: &ProfileName) -> Result<(), Failure> {
    for wait in WAITS {
        std::thread::sleep(wait);
        match obtain_without_mfa(world, global, profile) {
            Err(failure) if failure.causes.iter().any(|cause| cause.starts_with("AccessDenied")) => {
                return Ok(());
            }
            Err(failure) => return Err(failure),
            Ok(_) => world
                .output
                .debug(|| format!("AWS still lets you assume the role of `{profile}` without an MFA code")),
        }
    }
    let error = format!("AWS lets you assume the role of `{profile}` without an MFA code");
    Err(Failure::new(FailureKind::Failed, error)
        .hint(format!("hatbox trust who {} --from live", quote_word(profile.as_str()))))
}
