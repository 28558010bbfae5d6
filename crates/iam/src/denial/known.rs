//! Facts besides AWS's error and the config, from calls to IAM or from saved accounts.

use jiff::Timestamp;
use std::time::Duration;

use crate::accounts::{self, Account, Accounts, Document, Extent, OriginId};
use crate::assume::caller::KnownCaller;
use crate::assume::entity::{Entity, Session};
use crate::policy::answer::Gap;
use crate::policy::arn::Arn;
use crate::policy::document::Policy;
use crate::policy::evaluate::Layer;

/// A fact and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The fact.
    pub value: T,
    /// The source: `infra/terraform.tfstate, 2 days old`; `IAM, now`.
    pub origin: String,
}

/// The known facts; `None` means unknown.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The ARN that the signing credentials belong to (GetCallerIdentity).
    pub caller: Option<Sourced<String>>,
    /// The role to assume.
    pub role: Option<Sourced<Role>>,
    /// The ARNs of all roles in the role's account: a role that is not listed does not exist.
    pub roles: Option<Sourced<Vec<String>>>,
    /// The policies of the caller.
    pub policies: Option<Sourced<CallerPolicies>>,
    /// The serial numbers of all MFA devices of the caller.
    pub devices: Option<Sourced<Vec<String>>>,
}

/// What AWS returned to calls after the error.
#[derive(Debug, Default)]
pub struct Answers {
    /// The facts from single calls.
    pub known: Known,
    /// The complete details of the account that was queried, as JSON.
    pub details: Option<String>,
    /// The actions that AWS answered.
    pub answered: Vec<&'static str>,
}

impl Known {
    /// Adds facts from `other` that are unknown here. Whether the requested role `role` exists is only taken from
    /// `other` if it is unknown here, as `other` may be older.
    #[must_use]
    pub fn or(self, other: Self, role: Option<&str>) -> Self {
        let is_there = self.role.is_some();
        let is_missing = self.roles.is_some();
        let roles = match (self.roles, other.roles) {
            _ if is_there => None,
            // The other names help to suggest the right role.
            (Some(mut known), Some(more)) => {
                known.value.extend(more.value.into_iter().filter(|arn| Some(arn.as_str()) != role));
                Some(known)
            }
            (known, more) => known.or(more),
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

/// A role, as far as known.
#[derive(Debug, Clone)]
pub struct Role {
    /// The trust policy; `None` if it is unknown until Terraform applies its plan, or cannot be read.
    pub trust: Option<Policy>,
    /// The maximum session duration.
    pub max_session: Option<Duration>,
    /// When the role was created.
    pub created_at: Option<Timestamp>,
}

/// The policies that apply to a caller.
#[derive(Debug, Clone, Default)]
pub struct CallerPolicies {
    /// The inline and attached policies, including those of groups.
    pub identity: Vec<Policy>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<Vec<Policy>>,
    /// Whether policies are missing, so that only an explicit deny is certain.
    pub is_partial: bool,
}

/// Returns what `accounts` contain about a call for `role` by `caller`, both given as ARNs.
pub fn gather_known(accounts: &Accounts, role: Option<&str>, caller: Option<&str>, now: Timestamp) -> Known {
    let gathering = Gathering { accounts, now };
    let mut known = Known::default();
    if let Some(role) = role {
        gathering.gather_role(role, &mut known);
    }
    if let Some(caller) = caller {
        gathering.gather_caller(caller, &mut known);
    }
    known
}

struct Gathering<'a> {
    accounts: &'a Accounts,
    now: Timestamp,
}

impl<'a> Gathering<'a> {
    fn fact<T>(&self, value: T, origin: OriginId) -> Sourced<T> {
        let origin = self.accounts.origin(origin).map(|origin| origin.render_short(self.now));
        Sourced { value, origin: origin.unwrap_or_default() }
    }

    fn account_of(&self, arn: &str) -> Option<&'a Account> {
        let id = Arn::parse(arn)?.account;
        self.accounts.account(id).map(|(_, account)| account)
    }

    fn gather_role(&self, arn: &str, known: &mut Known) {
        let account = self.account_of(arn);
        if let Some(role) = account.and_then(|account| account.roles.get(arn)) {
            let value = Role {
                trust: trust_of(&role.trust),
                max_session: role.max_session_duration.known().map(|max| Duration::from_secs((*max).into())),
                created_at: None,
            };
            known.role = Some(self.fact(value, role.origin));
        } else if let Some(role) = self.unplaced(arn) {
            let value = Role { trust: trust_of(&role.trust), max_session: None, created_at: None };
            known.role = Some(self.fact(value, role.origin));
        }
        if let Some(account) = account.filter(|account| account.extent == Extent::Whole)
            && let Some(some) = account.roles.values().next()
        {
            known.roles = Some(self.fact(account.roles.keys().cloned().collect(), some.origin));
        }
    }

    /// Finds a trust policy by the role's name, among those whose account is unknown; `None` if there are several.
    fn unplaced(&self, arn: &str) -> Option<&'a accounts::UnplacedRole> {
        let name = arn.rsplit('/').next()?;
        let mut all = self.accounts.unplaced.iter().filter(|role| role.name == name);
        all.next().filter(|_| all.next().is_none())
    }

    fn gather_caller(&self, arn: &str, known: &mut Known) -> Option<()> {
        let account = self.account_of(arn)?;
        if let Some(user) = account.users.get(arn) {
            known.devices = user.mfa_devices.known().map(|devices| self.fact(devices.clone(), user.origin));
            known.policies = Some(self.fact(self.policies_of(arn)?, user.origin));
            return Some(());
        }
        let session = Session::parse(arn)?;
        let role = account.roles.values().find(|role| role.name == session.role)?;
        known.policies = Some(self.fact(self.policies_of(&role.arn)?, role.origin));
        Some(())
    }

    fn policies_of(&self, arn: &str) -> Option<CallerPolicies> {
        let caller = KnownCaller::gather(self.accounts, &Entity::of_arn(arn)?);
        let is_own = |gap: &Gap| matches!(gap.layer, Layer::Identity | Layer::Boundary);
        Some(CallerPolicies {
            identity: caller.layers.identity,
            boundary: caller.layers.boundary,
            is_partial: caller.gaps.iter().any(is_own),
        })
    }
}

fn trust_of(trust: &accounts::Attribute<Document>) -> Option<Policy> {
    trust.known()?.policy().ok().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Origin, SourceKind};

    const OPS: &str = "arn:aws:iam::111122223333:role/Ops";
    const OTHER: &str = "arn:aws:iam::111122223333:role/Other";

    fn fact<T>(value: T, origin: &str) -> Sourced<T> {
        Sourced { value, origin: origin.to_owned() }
    }

    fn role(origin: &str) -> Sourced<Role> {
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
    fn what_nothing_else_has_is_taken_from_the_old() {
        let old = Known { role: Some(role("iam.json")), ..Known::default() };
        assert!(Known::default().or(old, Some(OPS)).role.is_some());
    }

    const DETAILS: &str = r#"{
      "UserDetailList": [{"Path": "/", "UserName": "alice", "UserId": "AIDAALICE",
        "Arn": "arn:aws:iam::111122223333:user/alice", "GroupList": ["ops"], "AttachedManagedPolicies": [],
        "UserPolicyList": []}],
      "GroupDetailList": [{"Path": "/", "GroupName": "ops", "GroupId": "AGPAOPS",
        "Arn": "arn:aws:iam::111122223333:group/ops", "AttachedManagedPolicies": [],
        "GroupPolicyList": [{"PolicyName": "AssumeOps", "PolicyDocument": {"Version": "2012-10-17", "Statement":
          [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}}]}],
      "RoleDetailList": [{"Path": "/", "RoleName": "Ops", "RoleId": "AROAOPS",
        "Arn": "arn:aws:iam::111122223333:role/Ops", "AttachedManagedPolicies": [], "RolePolicyList": [],
        "InstanceProfileList": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
          "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}]}}],
      "Policies": [], "IsTruncated": false}"#;

    fn known(role: &str, caller: &str) -> Known {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let mut accounts = Accounts::default();
        let origin = Origin {
            name: "iam.json".to_owned(),
            kind: SourceKind::AccountDetails,
            taken: Some("2026-03-08T11:00:00Z".parse().unwrap()),
        };
        accounts.add_source(DETAILS.as_bytes(), origin).unwrap();
        gather_known(&accounts, Some(role), Some(caller), now)
    }

    #[test]
    fn a_role_and_a_users_policies_are_found_with_their_origin() {
        let known = known("arn:aws:iam::111122223333:role/Ops", "arn:aws:iam::111122223333:user/alice");
        let role = known.role.unwrap();
        assert!(role.value.trust.is_some());
        assert_eq!(role.origin, "iam.json, 2 days old");
        assert_eq!(known.roles.unwrap().value, ["arn:aws:iam::111122223333:role/Ops"]);
        let policies = known.policies.unwrap().value;
        assert_eq!((policies.identity.len(), policies.boundary), (1, None));
    }

    #[test]
    fn what_no_source_has_stays_unknown() {
        let known = known("arn:aws:iam::444455556666:role/Ops", "arn:aws:iam::111122223333:user/bob");
        assert!(known.role.is_none() && known.roles.is_none() && known.policies.is_none());
    }
}
