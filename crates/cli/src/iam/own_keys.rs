//! IAM calls of users about their own access keys.

use hatbox_core::handover::Credentials;
use hatbox_core::plan::Plan;
use hatbox_types::arn::Arn;
use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::AccessKey;
use jiff::Timestamp;

use super::failure::{failure_of, hint_at_mfa};
use super::signer_of;
use crate::aws::client::Sending;
use crate::aws::iam::{Iam, IamError, IamProblem, KeyStatus, LastUse, ListedKey};
use crate::credentials::caller::{Caller, fetch_caller};
use crate::credentials::service::{check_sandbox, resolve_iam_settings};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IamUser {
    pub(crate) arn: String,
    /// The name, without the path.
    pub(crate) name: String,
}

/// All keys of a user.
pub(crate) struct OwnKeysNow {
    pub(crate) keys: Vec<ListedKey>,
    /// When they were listed, by AWS's clock.
    pub(crate) at: Option<Timestamp>,
}

/// Whether AWS may have carried out a call without an answer.
#[derive(Debug)]
pub(crate) enum NotCreated {
    /// It did not: it rejected the call, or was not reached.
    Surely(IamError),
    /// The request was sent, and the result is unknown.
    Perhaps(IamError),
}

/// The access keys of the user whose credentials sign.
pub(crate) struct OwnKeys {
    pub(crate) user: IamUser,
    profile: ProfileName,
    has_mfa: bool,
    is_session: bool,
    iam: Iam,
    /// Sends a request once, as a second CreateAccessKey would create a second key.
    once: Iam,
}

impl OwnKeys {
    /// Creates the clients. Asks STS for the owner of the credentials, unless `user` is given.
    pub(crate) fn open(
        world: &World,
        plan: &Plan,
        credentials: Credentials,
        user: Option<&IamUser>,
    ) -> Result<Self, Failure> {
        let profile = plan.base.profile().clone();
        let is_session = !matches!(credentials, Credentials::AccessKey(_));
        let signer = signer_of(credentials);
        check_sandbox(&world.environment, signer.access_key_id(), &profile)?;
        let user = match user {
            Some(user) => user.clone(),
            None => user_of(&profile, fetch_caller(world, plan, &profile, &signer))?,
        };
        let settings = resolve_iam_settings(plan, &world.environment)?;
        world.announce_endpoint("IAM", settings.endpoint.as_ref());
        let clock = || world.clock.time_source();
        Ok(Self {
            user,
            profile,
            has_mfa: plan.stages().any(|stage| plan.stage_mfa(stage).is_some()),
            is_session,
            iam: Iam::new(&settings, &signer, clock(), Sending::WithRetries)?,
            once: Iam::new(&settings, &signer, clock(), Sending::Once)?,
        })
    }

    /// Whether a session signs, instead of the access key itself.
    pub(crate) fn is_session(&self) -> bool {
        self.is_session
    }

    /// All keys of the user.
    pub(crate) fn fetch(&self) -> Result<OwnKeysNow, IamError> {
        let keys = self.iam.fetch_access_keys(&self.user.name)?;
        Ok(OwnKeysNow { keys, at: self.iam.answered_at() })
    }

    /// Creates a key.
    pub(crate) fn create(&self) -> Result<AccessKey, NotCreated> {
        self.once.create_access_key(&self.user.name).map_err(|error| {
            let is_open = matches!(error.problem, IamProblem::Unreachable | IamProblem::Other);
            if is_open && self.once.may_have_sent() {
                NotCreated::Perhaps(error)
            } else {
                NotCreated::Surely(error)
            }
        })
    }

    pub(crate) fn deactivate(&self, id: &AccessKeyId) -> Result<(), IamError> {
        self.iam.save_key_status(&self.user.name, id, KeyStatus::Inactive)
    }

    pub(crate) fn delete(&self, id: &AccessKeyId) -> Result<(), IamError> {
        self.iam.delete_access_key(&self.user.name, id)
    }

    pub(crate) fn fetch_last_use(&self, id: &AccessKeyId) -> Result<Option<LastUse>, IamError> {
        self.iam.fetch_last_use(id)
    }

    /// The failure of a call: `what` was attempted, with the action `action`.
    pub(crate) fn failure(&self, what: &str, action: &str, error: &IamError) -> Failure {
        let failure = failure_of(&self.profile, what, action, error);
        if self.has_mfa { failure } else { hint_at_mfa(failure, error, &self.profile) }
    }
}

fn user_of(profile: &ProfileName, caller: Caller) -> Result<IamUser, Failure> {
    let failed = |text: String| {
        Failure::new(
            FailureKind::Failed,
            format!("could not find out whose the access key of `{profile}` is"),
        )
        .because(text)
    };
    match caller {
        Caller::Known(arn) => match parse_user(&arn) {
            Some(user) => Ok(user),
            None => Err(Failure::new(
                FailureKind::Refused,
                format!("the access key of `{profile}` is not an IAM user's, but `{arn}`'s"),
            )
            .hint(
                "the root user of an account needs no access key: create an IAM user, and delete that key",
            )),
        },
        Caller::BadKey(text) => Err(Failure::new(
            FailureKind::Failed,
            format!("AWS does not accept the access key of `{profile}`"),
        )
        .because(text)),
        Caller::Unknown(text) | Caller::Unreachable(text) => Err(failed(text)),
    }
}

/// Parses `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
fn parse_user(arn: &str) -> Option<IamUser> {
    let name = Arn::parse(arn)?.resource.strip_prefix("user/")?.rsplit('/').next()?;
    Some(IamUser { arn: arn.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_user_is_what_follows_the_path() {
        let name = |arn: &str| parse_user(arn).map(|user| user.name);
        assert_eq!(name("arn:aws:iam::111122223333:user/jan"), Some("jan".to_owned()));
        assert_eq!(name("arn:aws-cn:iam::111122223333:user/team/a/jan"), Some("jan".to_owned()));
        for other in ["arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:assumed-role/r/s", "x"] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
