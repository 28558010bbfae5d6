//! What is known beside the refusal and the config: by IAM's answers, or by policies that were saved.

use std::time::Duration;

use jiff::Timestamp;

use crate::policy::document::Policy;

/// A fact and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// `infra/terraform.tfstate, 2 days old`; `IAM, now`.
    pub origin: String,
}

/// All that is known; what nobody told is `None`.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The ARN that the signing credentials belong to (GetCallerIdentity).
    pub caller: Option<Fact<String>>,
    /// The role asked for.
    pub role: Option<Fact<Role>>,
    /// ARNs of roles of the role's account: a role that is not among them does not exist.
    pub roles: Option<Fact<Vec<String>>>,
    /// The caller's own policies.
    pub policies: Option<Fact<CallerPolicies>>,
    /// The serial numbers of all MFA devices of the caller.
    pub devices: Option<Fact<Vec<String>>>,
}

/// What AWS answered when it was asked after the refusal.
#[derive(Debug, Default)]
pub struct Answers {
    /// What single answers told.
    pub known: Known,
    /// Account details of the account that was asked, as JSON: all that is in it.
    pub details: Option<String>,
    /// The actions that were answered.
    pub answered: Vec<&'static str>,
}

impl Known {
    /// What is known here, and of what is not, what `other` tells.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            caller: self.caller.or(other.caller),
            role: self.role.or(other.role),
            roles: self.roles.or(other.roles),
            policies: self.policies.or(other.policies),
            devices: self.devices.or(other.devices),
        }
    }
}

/// A role, as far as it is known.
#[derive(Debug, Clone)]
pub struct Role {
    /// Who is let in; `None` where it is not known until Terraform applies, or cannot be read.
    pub trust: Option<Policy>,
    /// The longest session that it gives.
    pub max_session: Option<Duration>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// The policies that limit a caller.
#[derive(Debug, Clone, Default)]
pub struct CallerPolicies {
    /// Inline, attached, and those of groups.
    pub identity: Vec<Policy>,
    /// The permissions boundary, where there is one.
    pub boundary: Option<Vec<Policy>>,
    /// Whether a policy is missing here: then only a Deny is certain.
    pub is_partial: bool,
}
