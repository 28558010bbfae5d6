//! `hatbox trust require-mfa`: changes a trust policy, of a role in IAM or in a file, so that users need MFA.

mod file;
mod role;

use hatbox_iam::admits::Trial;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::require_mfa::Wanted;
use hatbox_types::duration::parse_duration;

use crate::args::{GlobalArgs, TrustRequireMfaArgs};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustRequireMfaArgs) -> Result<(), Failure> {
    match &args.file {
        Some(file) => file::run(world, file, args),
        None => role::run(world, global, args),
    }
}

/// Returns the requested change for the policy of `role`, if the role is known.
fn wanted(world: &World, args: &TrustRequireMfaArgs, role: Option<&str>) -> Result<Wanted, Failure> {
    let max_age = args.max_age.as_ref().map(|text| {
        parse_duration(text).map(|length| length.as_secs()).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("invalid `--max-age` `{text}`: {error}"))
        })
    });
    let assumptions = Assumptions { now: world.clock.now(), ..Assumptions::default() };
    let trial = Trial { caller: None, assumptions };
    Ok(Wanted { max_age: max_age.transpose()?, role: role.map(str::to_owned), trial })
}
