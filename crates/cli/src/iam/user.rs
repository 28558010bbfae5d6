//! The IAM user whose access key a profile's chain starts from, with a client of IAM.

use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::arn::Arn;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::AccessKey;
use hatbox_types::text::shell::quote_word;

use super::failure::{failure_of, hint_at_mfa};
use super::signer_of;
use crate::args::{GlobalArgs, SessionArgs};
use crate::aws::client::{Sending, Signer};
use crate::aws::iam::{Iam, IamError, IamProblem, MfaDevice};
use crate::credentials::caller::{Caller, fetch_caller};
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::run::PlanRun;
use crate::credentials::service::{check_sandbox, resolve_iam_settings};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// A user, with clients of IAM that use the user's credentials.
pub(crate) struct LiveUser {
    /// `arn:aws:iam::111122223333:user/team/jan`
    pub(crate) arn: String,
    /// The profile that was requested.
    pub(crate) profile: ProfileName,
    pub(crate) plan: Plan,
    /// Whether a session with MFA signs, instead of the credentials that the chain starts from.
    has_mfa: bool,
    iam: Iam,
    /// Sends each request once.
    once: Iam,
}

/// Finds the user whose credentials the chain of `profile` or `AWS_PROFILE` starts from.
///
/// # Errors
/// If the credentials do not belong to an IAM user.
pub(crate) fn open_user(
    world: &World,
    global: &GlobalArgs,
    profile: Option<&str>,
) -> Result<LiveUser, Failure> {
    let request = ProfileRequest { world, global, session: &SessionArgs::default(), profile };
    let (plan, credentials) = request.obtain(Purpose::BaseOnly)?.into_parts();
    open_user_as(world, plan, credentials)
}

/// Returns the user `arn`, who owns the access key `key`.
pub(crate) fn open_user_of_key(
    world: &World,
    plan: Plan,
    key: &AccessKey,
    arn: &str,
) -> Result<LiveUser, Failure> {
    open_as_user(world, plan, &Signer::Key(key.clone()), arn.to_owned())
}

fn open_user_as(world: &World, plan: Plan, credentials: Credentials) -> Result<LiveUser, Failure> {
    let signer = signer_of(credentials);
    let profile = plan.profile.clone();
    check_sandbox(&world.environment, signer.access_key_id(), &profile)?;
    let arn = fetch_arn(world, &plan, &profile, &signer)?;
    open_as_user(world, plan, &signer, arn)
}

fn open_as_user(world: &World, plan: Plan, signer: &Signer, arn: String) -> Result<LiveUser, Failure> {
    let profile = plan.profile.clone();
    if !Arn::parse(&arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("user/")) {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("the credentials that `{profile}` starts from are not an IAM user's: {arn}"),
        )
        .hint("only IAM users have MFA devices in IAM"));
    }
    let settings = resolve_iam_settings(&plan, &world.environment)?;
    world.announce_endpoint("IAM", settings.endpoint.as_ref());
    let open = |sending| Iam::new(&settings, signer, world.clock.time_source(), sending);
    let (iam, once) = (open(Sending::WithRetries)?, open(Sending::Once)?);
    Ok(LiveUser { arn, profile, plan, has_mfa: false, iam, once })
}

fn fetch_arn(world: &World, plan: &Plan, profile: &ProfileName, signer: &Signer) -> Result<String, Failure> {
    match fetch_caller(world, plan, profile, signer) {
        Caller::Known(arn) => Ok(arn),
        Caller::BadKey(why) | Caller::Unknown(why) | Caller::Unreachable(why) => {
            let text = format!("could not find out which user `{profile}` belongs to");
            let name = quote_word(profile.as_str());
            let failure = Failure::new(FailureKind::Failed, text).hint(format!("hatbox explain {name}"));
            Err(Failure { causes: vec![why], ..failure })
        }
    }
}

impl LiveUser {
    /// The user's name without its path.
    pub(crate) fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// The client for calls that may be repeated.
    pub(crate) fn iam(&self) -> &Iam {
        &self.iam
    }

    /// The client for calls that must be sent once.
    pub(crate) fn once(&self) -> &Iam {
        &self.once
    }

    /// ListMFADevices: returns the devices of this user, with the current credentials.
    pub(crate) fn fetch_devices(&self) -> Result<Vec<MfaDevice>, Failure> {
        self.iam.fetch_own_devices().map_err(|error| self.not_listed(&error))
    }

    /// Does the same, with MFA if that is needed.
    pub(crate) fn fetch_devices_with_mfa(
        &mut self,
        world: &World,
        global: &GlobalArgs,
    ) -> Result<Vec<MfaDevice>, Failure> {
        let listed = self.call(world, global, |user| user.iam.fetch_own_devices())?;
        listed.map_err(|error| self.not_listed(&error))
    }

    fn not_listed(&self, error: &IamError) -> Failure {
        let what = format!("could not list the MFA devices of {}", self.name());
        self.failure(&what, "iam:ListMFADevices", error)
    }

    /// Makes a call. If it is denied, repeats it with an MFA session, which a policy of the user may require.
    ///
    /// # Errors
    /// If no such session can be obtained.
    pub(crate) fn call<T>(
        &mut self,
        world: &World,
        global: &GlobalArgs,
        call: impl Fn(&Self) -> Result<T, IamError>,
    ) -> Result<Result<T, IamError>, Failure> {
        match call(self) {
            Err(error) if error.problem == IamProblem::Denied && self.sign_with_mfa(world, global)? => {
                Ok(call(self))
            }
            result => Ok(result),
        }
    }

    /// Signs with an MFA session from now on, if the profile names a device. Returns whether that is a change.
    fn sign_with_mfa(&mut self, world: &World, global: &GlobalArgs) -> Result<bool, Failure> {
        if self.has_mfa {
            return Ok(false);
        }
        let (profile, session) = (self.profile.clone(), SessionArgs::default());
        let mut run = PlanRun::open(world, global, &session, &profile, Purpose::OwnKeys)?;
        let is_with_mfa = run.plan().stages().any(|stage| run.plan().stage_mfa(stage).is_some());
        if !is_with_mfa {
            return Ok(false);
        }
        world.output.note("the access key alone is denied; trying again with MFA");
        let credentials = run.obtain()?;
        let plan = self.plan.clone();
        let user = open_as_user(world, plan, &signer_of(credentials), self.arn.clone())?;
        *self = Self { has_mfa: true, ..user };
        Ok(true)
    }

    /// The failure of a call: `what` was attempted, with the action `action`.
    pub(crate) fn failure(&self, what: &str, action: &str, error: &IamError) -> Failure {
        let failure = failure_of(&self.profile, what, action, error);
        if self.has_mfa { failure } else { hint_at_mfa(failure, error, self.plan.base.profile()) }
    }
}
