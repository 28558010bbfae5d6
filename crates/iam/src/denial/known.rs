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
    /// What is known here, and of what is not, what `other` tells. Whether there is the role asked for, `role`, is not
    /// asked of `other` where it is told here: that may be older.
    #[must_use]
    pub fn or(self, other: Self, role: Option<&str>) -> Self {
        let is_there = self.role.is_some();
        let is_missing = self.roles.is_some();
        let roles = match (self.roles, other.roles) {
            _ if is_there => None,
            // The names of others help to find the one that is meant.
            (Some(mut told), Some(more)) => {
                told.value.extend(more.value.into_iter().filter(|arn| Some(arn.as_str()) != role));
                Some(told)
            }
            (told, more) => told.or(more),
        };
        Self {
            caller: self.caller.or(other.caller),
            role: if is_missing { None } else { self.role.or(other.role) },
            roles,
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

#[cfg(test)]
mod tests {
    use super::*;

    const OPS: &str = "arn:aws:iam::111122223333:role/Ops";
    const OTHER: &str = "arn:aws:iam::111122223333:role/Other";

    fn fact<T>(value: T, origin: &str) -> Fact<T> {
        Fact { value, origin: origin.to_owned() }
    }

    fn role(origin: &str) -> Fact<Role> {
        fact(Role { trust: None, max_session: None, created_at: None }, origin)
    }

    #[test]
    fn an_old_list_does_not_deny_a_role_that_was_just_seen() {
        let seen = Known { role: Some(role("IAM")), ..Known::default() };
        let old = Known { roles: Some(fact(vec![OTHER.to_owned()], "iam.json")), ..Known::default() };
        let known = seen.or(old, Some(OPS));
        assert!(known.role.is_some() && known.roles.is_none());
    }

    #[test]
    fn an_old_list_does_not_bring_back_a_role_that_is_gone() {
        let gone = Known { roles: Some(fact(Vec::new(), "IAM")), ..Known::default() };
        let roles = Some(fact(vec![OPS.to_owned(), OTHER.to_owned()], "iam.json"));
        let old = Known { role: Some(role("iam.json")), roles, ..Known::default() };
        let known = gone.or(old, Some(OPS));
        assert!(known.role.is_none());
        assert_eq!(known.roles, Some(fact(vec![OTHER.to_owned()], "IAM")));
    }

    #[test]
    fn what_nothing_else_tells_is_taken_from_the_old() {
        let old = Known { role: Some(role("iam.json")), ..Known::default() };
        assert!(Known::default().or(old, Some(OPS)).role.is_some());
    }
}
