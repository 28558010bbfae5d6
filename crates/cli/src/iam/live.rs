//! IAM of the account of one profile.

use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::name::ProfileName;

use super::signer_of;
use crate::args::{GlobalArgs, SessionArgs};
use crate::aws::client::{Sending, Signer};
use crate::aws::iam::Iam;
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::service::{check_sandbox, resolve_iam_settings};
use crate::errors::Failure;
use crate::world::World;

/// A client of IAM with the credentials of a profile.
pub(crate) struct LiveIam {
    pub(crate) profile: ProfileName,
    /// How its credentials were obtained.
    pub(super) plan: Plan,
    pub(super) iam: Iam,
}

/// Obtains the credentials of `profile` or `AWS_PROFILE` for IAM, using the MFA code if one was given. Does not call
/// IAM yet.
pub(crate) fn open_iam(
    world: &World,
    global: &GlobalArgs,
    profile: Option<&str>,
    mfa_token: Option<&str>,
) -> Result<LiveIam, Failure> {
    let session = SessionArgs { mfa_token: mfa_token.map(str::to_owned), ..SessionArgs::default() };
    let request = ProfileRequest { world, global, session: &session, profile };
    let (plan, credentials) = request.obtain(Purpose::Iam)?.into_parts();
    open_as(world, plan.profile.clone(), plan, &signer_of(credentials))
}

pub(super) fn open_as(
    world: &World,
    profile: ProfileName,
    plan: Plan,
    signer: &Signer,
) -> Result<LiveIam, Failure> {
    check_sandbox(&world.environment, signer.access_key_id(), &profile)?;
    let settings = resolve_iam_settings(&plan, &world.environment)?;
    world.announce_endpoint("IAM", settings.endpoint.as_ref());
    let iam = Iam::new(&settings, signer, world.clock.time_source(), Sending::WithRetries)?;
    Ok(LiveIam { profile, plan, iam })
}
