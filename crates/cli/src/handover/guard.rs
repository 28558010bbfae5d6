//! Refuses to nest hatbox in hatbox.

use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::world::environment::Environment;

/// Refuses to run inside another `exec`, where it would be unclear which credentials are used.
pub(crate) fn check_not_nested(environment: &Environment) -> Result<(), Failure> {
    match environment.first(env_names::NESTED) {
        None => Ok(()),
        Some((name, profile)) => Err(Failure::new(
            FailureKind::Refused,
            format!("this shell already has the credentials of `{profile}` ({name} is set)"),
        )
        .hint("leave it first (`exit`, or `hat --drop`), or add --nested")),
    }
}
