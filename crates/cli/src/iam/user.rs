//! The IAM user whose access key a profile's chain starts from, and IAM as this user may use it.

use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::arn::Arn;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

use super::live::{LiveIam, open_as};
use super::signer_of;
use crate::args::{GlobalArgs, SessionArgs};
use crate::aws::client::Signer;
use crate::aws::iam::MfaDevice;
use crate::credentials::caller::{Caller, fetch_caller};
use crate::credentials::obtain::obtain;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// A user, and IAM as this user may use it.
pub(crate) struct LiveUser {
    /// `arn:aws:iam::111122223333:user/team/jan`
    pub(crate) arn: String,
    /// The profile whose access key it is, or whose other credentials.
    pub(crate) profile: ProfileName,
    pub(crate) plan: Plan,
    pub(super) iam: LiveIam,
}

/// Finds out whose credentials the chain of `profile`, else of `AWS_PROFILE`, starts from.
///
/// # Errors
/// When they are not an IAM user's.
pub(crate) fn open_user(
    world: &World,
    global: &GlobalArgs,
    profile: Option<&str>,
) -> Result<LiveUser, Failure> {
    let (plan, credentials) =
        obtain(world, global, &SessionArgs::default(), profile, Purpose::BaseOnly)?.into_parts();
    open_user_as(world, plan, credentials)
}

fn open_user_as(world: &World, plan: Plan, credentials: Credentials) -> Result<LiveUser, Failure> {
    let signer = signer_of(credentials);
    let profile = plan.profile.clone();
    let arn = fetch_arn(world, &plan, &profile, &signer)?;
    if !Arn::parse(&arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("user/")) {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("the credentials that `{profile}` starts from are not an IAM user's: {arn}"),
        )
        .hint("only IAM users have MFA devices in IAM"));
    }
    let iam = open_as(world, profile.clone(), plan.clone(), &signer)?;
    Ok(LiveUser { arn, profile, plan, iam })
}

fn fetch_arn(world: &World, plan: &Plan, profile: &ProfileName, signer: &Signer) -> Result<String, Failure> {
    let failure = |why: String| {
        let name = quote_word(profile.as_str());
        Failure {
            causes: vec![why],
            ..Failure::new(
                FailureKind::Failed,
                format!("could not find out which user `{profile}` belongs to"),
            )
        }
        .hint(format!("hatbox explain {name}"))
    };
    match fetch_caller(world, plan, profile, signer) {
        Caller::Known(arn) => Ok(arn),
        Caller::BadKey(why) | Caller::Unknown(why) | Caller::Unreachable(why) => Err(failure(why)),
    }
}

impl LiveUser {
    /// The user's name, without its path.
    pub(crate) fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// ListMFADevices: this user's devices.
    pub(crate) fn fetch_devices(&self) -> Result<Vec<MfaDevice>, Failure> {
        self.iam.iam.fetch_own_devices().map_err(|error| {
            let what = format!("could not list the MFA devices of {}", self.name());
            self.iam.failure(&what, "iam:ListMFADevices", &error)
        })
    }
}
