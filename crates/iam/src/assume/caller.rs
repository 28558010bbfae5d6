//! A caller with all policies that apply to it, and the parts that are missing from the sources.

use std::collections::{BTreeMap, HashSet};

use crate::accounts::{Account, Accounts, Attribute, Document, Extent, Grants, Organization, OriginId};
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::answer::Gap;
use crate::policy::evaluate::{Layer, Layers, OrganizationLevel};
use hatbox_types::name::AccountId;

/// A user or role as a caller, with everything the sources say about it.
#[derive(Debug, Clone)]
pub(crate) struct KnownCaller {
    pub(crate) entity: Entity,
    /// The policies of the caller and of its organization; the trust policy is that of the role to assume.
    pub(crate) layers: Layers,
    /// A label for each of `layers.identity`: `group ops, policy AssumeOps`.
    pub(crate) labels: Vec<String>,
    /// The name of the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) id: Option<String>,
    pub(crate) tags: Attribute<BTreeMap<String, String>>,
    may_assume: MayAssume,
    /// The serial numbers of a user's MFA devices.
    pub(crate) mfa_devices: Attribute<Vec<String>>,
}

/// The roles that the caller's own policies may allow it to assume.
#[derive(Debug, Clone, Default)]
struct MayAssume {
    is_any: bool,
    roles: HashSet<String>,
}

impl KnownCaller {
    /// Collects the policies and attributes of `entity`.
    pub(crate) fn gather(accounts: &Accounts, entity: &Entity) -> Self {
        let mut caller = Self {
            entity: entity.clone(),
            layers: Layers::default(),
            labels: Vec::new(),
            boundary: None,
            gaps: Vec::new(),
            id: None,
            may_assume: MayAssume::default(),
            tags: Attribute::NotGiven,
            mfa_devices: Attribute::NotGiven,
        };
        let account = entity.account.as_ref().and_then(|id| accounts.accounts.get(id));
        let is_found = match (entity.kind, account) {
            (EntityKind::User, Some(account)) => caller.take_user(accounts, account),
            (EntityKind::Role, Some(account)) => caller.take_role(accounts, account),
            (_, None) => false,
        };
        if !is_found {
            let what = format!("a policy of {} (not in the sources)", entity.name);
            caller.gaps.push(Gap::new(Layer::Identity, what));
            caller.gaps.push(Gap::new(Layer::Boundary, "a permissions boundary"));
        }
        caller.take_organization(accounts);
        caller.may_assume.is_any = caller.gaps.iter().any(|gap| gap.layer == Layer::Identity);
        for policy in &caller.layers.identity {
            match policy.assumable_roles() {
                Some(roles) => caller.may_assume.roles.extend(roles.map(str::to_owned)),
                None => caller.may_assume.is_any = true,
            }
        }
        caller
    }

    /// Whether the caller's own policies may allow it to assume this role, ignoring conditions. A quick filter that
    /// returns true when in doubt.
    pub(crate) fn may_assume(&self, role: &str) -> bool {
        self.may_assume.is_any || self.may_assume.roles.contains(role)
    }

    fn take_user(&mut self, accounts: &Accounts, account: &Account) -> bool {
        let Some(user) = account.users.get(&self.entity.arn) else { return false };
        self.id.clone_from(&user.id);
        self.tags = user.tags.clone();
        self.mfa_devices = user.mfa_devices.clone();
        self.take_grants(accounts, &user.grants, user.origin, "");
        for (name, grants) in account.grants_of_groups(user) {
            match grants {
                Some(grants) => {
                    self.take_grants(accounts, grants, user.origin, &format!("group {name}, "));
                }
                None => self.gaps.push(Gap::new(Layer::Identity, format!("a policy of the group {name}"))),
            }
        }
        self.take_boundary(accounts, &user.boundary);
        true
    }

    fn take_role(&mut self, accounts: &Accounts, account: &Account) -> bool {
        let Some(role) = account.roles.get(&self.entity.arn) else { return false };
        self.id.clone_from(&role.id);
        self.tags = role.tags.clone();
        self.take_grants(accounts, &role.grants, role.origin, "");
        self.take_boundary(accounts, &role.boundary);
        true
    }

    fn take_grants(&mut self, accounts: &Accounts, grants: &Grants, origin: OriginId, of: &str) {
        for document in &grants.inline {
            self.take_policy(document, format!("{of}inline policy {}", document.name));
        }
        for arn in &grants.attached {
            let name = arn.rsplit('/').next().unwrap_or_default();
            let document = accounts.policies.get(arn).and_then(|policy| policy.document.known());
            if let Some(document) = document {
                self.take_policy(document, format!("{of}policy {name}"));
            } else {
                let what = format!("the policy {name} (not in the sources)");
                self.gaps.push(Gap::new(Layer::Identity, what));
            }
        }
        if grants.extent == Extent::Part {
            let outside = accounts.origin(origin).and_then(|origin| origin.kind.outside());
            let what = format!("a policy {}", outside.unwrap_or("that the sources leave out"));
            self.gaps.push(Gap::new(Layer::Identity, what));
        }
    }

    fn take_policy(&mut self, document: &Document, label: String) {
        match document.policy() {
            Ok(policy) => {
                self.layers.identity.push(policy.clone());
                self.labels.push(label);
            }
            Err(error) => {
                self.gaps
                    .push(Gap::new(Layer::Identity, format!("the {label} (it cannot be read: {error})")));
            }
        }
    }

    fn take_boundary(&mut self, accounts: &Accounts, boundary: &Attribute<Option<String>>) {
        let arn = match boundary {
            Attribute::Known(None) => return,
            Attribute::Known(Some(arn)) => arn,
            Attribute::UntilApply | Attribute::NotGiven => {
                self.gaps.push(Gap::new(Layer::Boundary, "a permissions boundary"));
                return;
            }
        };
        let name = arn.rsplit('/').next().unwrap_or_default();
        self.boundary = Some(name.to_owned());
        let policy = accounts.policies.get(arn).and_then(|policy| policy.document.known()?.policy().ok());
        if let Some(policy) = policy {
            self.layers.boundary = Some(vec![policy.clone()]);
        } else {
            let what = format!("the permissions boundary {name} (not in the sources)");
            self.gaps.push(Gap::new(Layer::Boundary, what));
        }
    }

    fn take_organization(&mut self, accounts: &Accounts) {
        match &accounts.organization {
            Organization::None => {}
            Organization::NotGiven => {
                self.gaps.push(Gap::scp());
                self.gaps.push(Gap::rcp());
            }
            Organization::Known(policies) => {
                self.layers.management_account.clone_from(&policies.management_account);
                match (&policies.scps, &self.entity.account) {
                    (Some(levels), Some(account)) if has_level(levels, account) => {
                        self.layers.scps = levels_of(levels, account);
                    }
                    (_, Some(account)) if policies.management_account.as_ref() == Some(account) => {}
                    _ => self.gaps.push(Gap::scp()),
                }
                // Which levels apply depends on the account of the role.
                match &policies.rcps {
                    Some(levels) => self.layers.rcps.clone_from(levels),
                    None => self.gaps.push(Gap::rcp()),
                }
            }
        }
    }
}

/// Whether policies for `account` are known. An account in an organization has a policy at every level, so an account
/// without any is missing from the sources.
pub(crate) fn has_level(levels: &[OrganizationLevel], account: &AccountId) -> bool {
    levels.iter().any(|level| level.account.as_ref().is_none_or(|id| id == account))
}

fn levels_of(levels: &[OrganizationLevel], account: &AccountId) -> Vec<OrganizationLevel> {
    let applies = |level: &&OrganizationLevel| level.account.as_ref().is_none_or(|id| id == account);
    levels.iter().filter(applies).cloned().collect()
}
