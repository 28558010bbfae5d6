//! The trust policy of one role: reads and writes it.

use jiff::Timestamp;

use super::details::decode_percent;
use super::{Iam, IamError};

/// What IAM returns about a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleFacts {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The text of the trust policy, exactly as in IAM.
    pub(crate) trust: String,
    /// The maximum session duration, in seconds.
    pub(crate) max_session_seconds: Option<i32>,
    pub(crate) created_at: Option<Timestamp>,
}

impl Iam {
    /// GetRole.
    pub(crate) fn fetch_role(&self, name: &str) -> Result<RoleFacts, IamError> {
        let answer = self.run(self.client.get_role().role_name(name).send())?;
        let role = answer.role.ok_or_else(|| IamError::unusable("the response has no role"))?;
        // Security: the right role or none. An endpoint that returns another role is not trusted.
        if role.role_name != name {
            let text = format!("the response is for the role `{}`, not for `{name}`", role.role_name);
            return Err(IamError::unusable(&text));
        }
        let trust = role.assume_role_policy_document.as_deref().map(decode_percent);
        Ok(RoleFacts {
            trust: trust.ok_or_else(|| IamError::unusable("the response has no trust policy"))?,
            max_session_seconds: role.max_session_duration,
            created_at: Timestamp::from_second(role.create_date.secs()).ok(),
            arn: role.arn,
            name: role.role_name,
        })
    }

    /// UpdateAssumeRolePolicy: replaces a role's trust policy.
    pub(crate) fn save_trust(&self, role: &str, policy: &str) -> Result<(), IamError> {
        let call = self.client.update_assume_role_policy().role_name(role).policy_document(policy);
        self.run(call.send()).map(|_| ())
    }
}
