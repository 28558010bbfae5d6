//! Explains errors of IAM to the user, and suggests what to do.

use hatbox_types::name::ProfileName;

use crate::aws::iam::{IamError, IamProblem};
use crate::errors::{Failure, FailureKind};

#[cfg(feature = "trust")]
impl super::LiveIam {
    /// The failure of a call: `what` was attempted, with the action `action`.
    pub(super) fn failure(&self, what: &str, action: &str, error: &IamError) -> Failure {
        failure_of(&self.profile, what, action, error)
    }
}

/// The failure of a call with the credentials of `profile`: `what` was attempted, with the action `action`.
pub(super) fn failure_of(profile: &ProfileName, what: &str, action: &str, error: &IamError) -> Failure {
    let failure = Failure::new(FailureKind::Failed, format!("{what} (profile `{profile}`)")).caused_by(error);
    match error.problem {
        IamProblem::Denied => failure.hint(format!("`{profile}` needs the permission `{action}`")),
        IamProblem::Credentials => failure.hint(
            "IAM accepts an access key, a role's session, or a user's session that was obtained with MFA",
        ),
        IamProblem::Throttled => failure.hint("AWS received too many requests; try again in a moment"),
        IamProblem::Unreachable => {
            failure.hint("check the network, AWS_ENDPOINT_URL_IAM, and HTTPS_PROXY if you are behind a proxy")
        }
        _ => failure,
    }
}

/// Adds a hint if a call without MFA was denied, made with the key of `profile`.
pub(super) fn hint_at_mfa(failure: Failure, error: &IamError, profile: &ProfileName) -> Failure {
    match error.problem {
        IamProblem::Denied => failure
            .hint(format!("if a policy of the user requires MFA, set `mfa_serial` in [profile {profile}]")),
        _ => failure,
    }
}
