//! The accounts and their organization: how a later source overrides earlier ones, and look-ups by ARN or name.

use std::collections::BTreeMap;

use super::document::Document;
use super::entities::{Attribute, Extent, Grants, Group, ManagedPolicy, Role, UnplacedRole, User};
use super::origin::{Origin, OriginId};
use crate::policy::evaluate::OrganizationLevel;
use hatbox_types::name::AccountId;

/// What the sources say about the organization.
#[derive(Debug, Clone, Default)]
pub enum Organization {
    /// The accounts are not in an organization: there are no SCPs and no RCPs.
    None,
    /// The accounts are in this organization.
    Known(OrganizationPolicies),
    /// No source has it.
    #[default]
    NotGiven,
}

/// The policies of an organization.
#[derive(Debug, Clone, Default)]
pub struct OrganizationPolicies {
    /// The id, `o-...`, for `aws:PrincipalOrgID`.
    pub id: Option<String>,
    /// The management account, which SCPs and RCPs do not limit.
    pub management_account: Option<AccountId>,
    /// SCPs by level, from the root down; `None` if unknown.
    pub scps: Option<Vec<OrganizationLevel>>,
    /// RCPs by level, from the root down; `None` if unknown.
    pub rcps: Option<Vec<OrganizationLevel>>,
}

impl OrganizationPolicies {
    /// Whether an account is certainly a member, because it is named.
    pub fn has(&self, account: &AccountId) -> bool {
        let levels = || self.scps.iter().chain(&self.rcps).flatten();
        self.management_account.as_ref() == Some(account)
            || levels().any(|level| level.account.as_ref() == Some(account))
    }
}

/// The merged data of all sources.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// Accounts by id.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Managed policies by ARN, including those of AWS.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// Trust policies of roles whose account is unknown.
    pub unplaced: Vec<UnplacedRole>,
    /// The organization.
    pub organization: Organization,
    /// The sources, in the order given.
    pub origins: Vec<Origin>,
    /// Notes about the sources: truncated lists, values unknown until apply, disagreements.
    pub notes: Vec<Note>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Its alias, if a source has it.
    pub alias: Option<String>,
    /// Users, by ARN.
    pub users: BTreeMap<String, User>,
    /// Groups, by name.
    pub groups: BTreeMap<String, Group>,
    /// Roles, by ARN.
    pub roles: BTreeMap<String, Role>,
    /// Whether all users, groups and roles of the account are known.
    pub extent: Extent,
}

/// Something that the user should know about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The source.
    pub origin: OriginId,
    /// One sentence in lower case, without a period.
    pub text: String,
}

impl Accounts {
    /// Returns the source with this id.
    pub fn origin(&self, id: OriginId) -> Option<&Origin> {
        self.origins.get(id.0)
    }

    /// Returns all users, sorted by account and ARN.
    pub fn users(&self) -> impl Iterator<Item = (&AccountId, &User)> {
        self.accounts.iter().flat_map(|(id, account)| account.users.values().map(move |user| (id, user)))
    }

    /// Returns all roles, sorted by account and ARN.
    pub fn roles(&self) -> impl Iterator<Item = (&AccountId, &Role)> {
        self.accounts.iter().flat_map(|(id, account)| account.roles.values().map(move |role| (id, role)))
    }

    /// Registers a source; call it before adding the source's facts.
    pub(super) fn add_origin(&mut self, origin: Origin) -> OriginId {
        self.origins.push(origin);
        OriginId(self.origins.len() - 1)
    }

    pub(super) fn note(&mut self, origin: OriginId, text: impl Into<String>) {
        let note = Note { origin, text: text.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn account_mut(&mut self, id: &AccountId) -> &mut Account {
        self.accounts.entry(id.clone()).or_default()
    }

    pub(super) fn merge_user(&mut self, account: &AccountId, later: User) {
        let users = &mut self.account_mut(account).users;
        match users.get_mut(&later.arn) {
            Some(user) => user.correct(later),
            None => drop(users.insert(later.arn.clone(), later)),
        }
    }

    pub(super) fn merge_group(&mut self, account: &AccountId, later: Group) {
        let groups = &mut self.account_mut(account).groups;
        match groups.get_mut(&later.name) {
            Some(group) => group.correct(later),
            None => drop(groups.insert(later.name.clone(), later)),
        }
    }

    /// Merges a role; notes it if two sources have different trust policies.
    pub(super) fn merge_role(&mut self, account: &AccountId, later: Role) {
        let roles = &mut self.account_mut(account).roles;
        let Some(role) = roles.get_mut(&later.arn) else {
            roles.insert(later.arn.clone(), later);
            return;
        };
        let disagreement = disagreement(&role.trust, &later.trust);
        let name = role.name.clone();
        role.correct(later);
        self.note_disagreement(&name, account, disagreement);
    }

    /// Replaces the trust policy of an existing role.
    pub(super) fn merge_trust(&mut self, account: &AccountId, arn: &str, trust: Document) {
        let Some(role) = self.account_mut(account).roles.get_mut(arn) else { return };
        let origin_of_trust = role.trust.known().map_or(role.origin, |known| known.origin);
        let is_later = origin_of_trust < trust.origin || role.trust == Attribute::NotGiven;
        let trust = Attribute::Known(trust);
        let earlier = if is_later { std::mem::replace(&mut role.trust, trust) } else { trust };
        let disagreement = disagreement(&earlier, &role.trust);
        let name = role.name.clone();
        self.note_disagreement(&name, account, disagreement);
    }

    fn note_disagreement(&mut self, name: &str, account: &AccountId, of: Option<(OriginId, OriginId)>) {
        let Some((earlier, later)) = of else { return };
        let earlier = self.origin(earlier).map(|origin| origin.name.clone()).unwrap_or_default();
        let text = format!(
            "the trust policy of {name} ({account}) differs from that in {earlier}; this one counts, as it \
             was named later"
        );
        self.note(later, text);
    }

    pub(super) fn merge_policy(&mut self, later: ManagedPolicy) {
        match self.policies.get_mut(&later.arn) {
            Some(policy) => {
                policy.document.correct(later.document);
                policy.origin = later.origin;
            }
            None => drop(self.policies.insert(later.arn.clone(), later)),
        }
    }
}

/// Returns the sources of two trust policies of one role, if the policies differ.
fn disagreement(earlier: &Attribute<Document>, later: &Attribute<Document>) -> Option<(OriginId, OriginId)> {
    let (earlier, later) = (earlier.known()?, later.known()?);
    (earlier.origin != later.origin && !earlier.is_same(later)).then_some((earlier.origin, later.origin))
}

impl Grants {
    /// A complete list replaces an earlier one; a partial list adds to it.
    pub(super) fn correct(&mut self, later: Self) {
        if later.extent == Extent::Whole {
            *self = later;
            return;
        }
        for document in later.inline {
            match self.inline.iter_mut().find(|known| known.name == document.name) {
                Some(known) => *known = document,
                None => self.inline.push(document),
            }
        }
        add_new(&mut self.attached, later.attached);
    }
}

fn add_new(known: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !known.contains(&text) {
            known.push(text);
        }
    }
}

impl User {
    fn correct(&mut self, later: Self) {
        if later.grants.extent == Extent::Whole {
            self.groups = later.groups;
        } else {
            add_new(&mut self.groups, later.groups);
        }
        self.grants.correct(later.grants);
        self.id = later.id.or(self.id.take());
        self.boundary.correct(later.boundary);
        self.tags.correct(later.tags);
        self.mfa_devices.correct(later.mfa_devices);
        self.address = later.address.or(self.address.take());
        self.origin = later.origin;
    }
}

impl Group {
    fn correct(&mut self, later: Self) {
        self.arn = later.arn.or(self.arn.take());
        self.grants.correct(later.grants);
        self.origin = later.origin;
    }
}

impl Role {
    fn correct(&mut self, later: Self) {
        self.grants.correct(later.grants);
        self.id = later.id.or(self.id.take());
        self.trust.correct(later.trust);
        self.boundary.correct(later.boundary);
        self.tags.correct(later.tags);
        self.max_session_duration.correct(later.max_session_duration);
        self.address = later.address.or(self.address.take());
        self.origin = later.origin;
    }
}

impl<T> From<Option<T>> for Attribute<T> {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::NotGiven, Self::Known)
    }
}

impl Accounts {
    /// Finds the account with this id.
    pub fn account(&self, id: &str) -> Option<(&AccountId, &Account)> {
        self.accounts.iter().find(|(known, _)| known.as_str() == id)
    }

    /// Finds users by ARN or name.
    pub fn find_users<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a AccountId, &'a User)> {
        self.users().filter(move |(_, user)| user.arn == wanted || user.name == wanted)
    }

    /// Finds roles by ARN or name.
    pub fn find_roles<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a AccountId, &'a Role)> {
        self.roles().filter(move |(_, role)| role.arn == wanted || role.name == wanted)
    }
}

impl Account {
    /// Returns the policies of the groups of `user`, by group name; `None` for a group that no source has.
    pub fn grants_of_groups<'a>(
        &'a self,
        user: &'a User,
    ) -> impl Iterator<Item = (&'a str, Option<&'a Grants>)> {
        user.groups.iter().map(|name| (name.as_str(), self.groups.get(name).map(|group| &group.grants)))
    }
}
