//! Replaces a role's trust policy safely: reads it again, compares, writes, and reads it back.

use std::time::Duration;

use hatbox_core::plan::Step;
use hatbox_iam::policy::same::is_same_policy;

use super::LiveIam;
use crate::aws::iam::{IamProblem, RoleFacts};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// The pauses before each attempt to read the policy back, as IAM returns a change only after some seconds.
const WAITS: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// The result of reading back after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// The new policy.
    New,
    /// Still the old policy: the change was accepted, but is not visible everywhere yet.
    OldStill,
}

impl LiveIam {
    /// Returns a role as it is in IAM now.
    pub(crate) fn fetch_role(&self, name: &str) -> Result<RoleFacts, Failure> {
        self.iam.fetch_role(name).map_err(|error| {
            let failure = self.failure(&format!("could not read the role `{name}`"), "iam:GetRole", &error);
            match error.problem {
                IamProblem::NoSuchEntity => failure.hint(format!(
                    "the role is looked for in the account of `{}`; name a profile of that account with --profile",
                    self.profile
                )),
                _ => failure,
            }
        })
    }

    /// Fails if `shown` differs from what is in IAM.
    pub(crate) fn check_unchanged(&self, shown: &RoleFacts) -> Result<(), Failure> {
        let now = self.fetch_role(&shown.name)?;
        if (&now.arn, &now.trust) == (&shown.arn, &shown.trust) {
            return Ok(());
        }
        let error =
            format!("the trust policy of `{}` was changed by another process in the meantime", shown.name);
        Err(Failure::new(FailureKind::Refused, error).hint("run the command again to see the current policy"))
    }

    /// Saves `policy` as the trust policy of `before`, and reads it back until IAM returns it.
    pub(crate) fn replace_trust(
        &self,
        world: &World,
        before: &RoleFacts,
        policy: &str,
    ) -> Result<ReadBack, Failure> {
        let name = &before.name;
        self.iam.save_trust(name, policy).map_err(|error| {
            let what = format!("could not save the trust policy of `{name}`");
            let failure = self.failure(&what, "iam:UpdateAssumeRolePolicy", &error);
            match error.problem {
                IamProblem::Protected => failure.hint("the role is AWS's own, and only AWS changes it"),
                IamProblem::OverQuota => {
                    failure.hint("the policy is too long: have the quota \"Role trust policy length\" raised")
                }
                _ => failure,
            }
        })?;
        for wait in WAITS {
            std::thread::sleep(wait);
            let now = self.fetch_role(name)?;
            if is_same_policy(&now.trust, policy) {
                return Ok(ReadBack::New);
            }
            if !is_same_policy(&now.trust, &before.trust) {
                let error = format!("IAM has another trust policy of `{name}` than was saved");
                return Err(Failure::new(FailureKind::Failed, error)
                    .hint("another process may have changed it at the same time"));
            }
            world.output.debug(|| "IAM still returns the old policy".to_owned());
        }
        Ok(ReadBack::OldStill)
    }

    /// Whether the profile's own credentials come from the role `arn` without MFA: requiring MFA there would lock the
    /// profile out.
    pub(crate) fn leads_without_mfa_through(&self, arn: &str) -> bool {
        let mut carries_mfa = false;
        self.plan.steps.iter().any(|step| match step {
            Step::GetSessionToken(step) => {
                carries_mfa = step.mfa.is_some();
                false
            }
            Step::GetFederationToken(_) => false,
            Step::AssumeRole(step) => {
                let has_mfa = step.mfa.is_some() || carries_mfa;
                // A role session does not pass MFA on.
                carries_mfa = false;
                !has_mfa && step.role.value.as_str() == arn
            }
        })
    }
}
