//! hatbox's snapshot format: the account details of one or more accounts, and what these details lack.
//!
//! ```json
//! {
//!   "schema": 1,
//!   "accounts": [
//!     {
//!       "account": "444455556666",
//!       "alias": "prod",
//!       "taken": "2026-03-01T09:00:00Z",
//!       "details": { "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [] },
//!       "mfa_devices": { "alice": ["arn:aws:iam::444455556666:mfa/alice"], "bob": [] },
//!       "roles": { "Ops": { "max_session_duration": 3600 } }
//!     }
//!   ],
//!   "organization": {
//!     "id": "o-example12345",
//!     "management_account": "777788889999",
//!     "scps": [{ "account": "111122223333", "policies": [] }],
//!     "rcps": [{ "policies": [] }]
//!   }
//! }
//! ```
//!
//! | member | meaning |
//! |---|---|
//! | `schema` | 1; any other number is an error |
//! | `accounts` | optional: a file may contain only `organization` |
//! | `alias`, `taken` | optional or null; `taken` is RFC 3339 |
//! | `details` | the output of GetAccountAuthorizationDetails, or a list of its pages: see [`super::details`] |
//! | `mfa_devices` | by user name. A missing user: unknown; an empty list: no devices |
//! | `roles` | by role name, facts that account details lack |
//! | `organization` | `"none"`: the accounts are not in one. Absent or null: unknown |
//! | `scps`, `rcps` | levels from the root down; one without `account` applies to all. Absent or null: unknown |
//! | `policies` | the policies of a level, each as JSON or as text |
//!
//! Other members are ignored, so that later versions of hatbox can add some.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::details::Pages;
use super::document::Document;
use super::entities::Attribute;
use super::model::{Accounts, Organization, OrganizationPolicies};
use super::origin::OriginId;
use super::read::{account, find, items, list, need, number, text};
use crate::policy::document::Policy;
use crate::policy::evaluate::OrganizationLevel;
use crate::policy::node::{JsonError, Node, Value};
use hatbox_types::name::AccountId;

/// The version of the format.
pub const SCHEMA: u32 = 1;

impl Accounts {
    pub(super) fn read_snapshot(&mut self, node: &Node, origin: OriginId) -> Result<(), JsonError> {
        let schema = number(node, "schema")?;
        if schema != Some(SCHEMA) {
            let node = need(node, "schema")?;
            return Err(match schema {
                Some(newer) if newer > SCHEMA => node.error(format!(
                    "schema {newer} was written by a newer version of hatbox; this one reads {SCHEMA}: update hatbox"
                )),
                _ => node.error(format!("invalid `schema`: expected {SCHEMA}")),
            });
        }
        for entry in list(node, "accounts")? {
            self.read_account(entry, origin)?;
        }
        if let Some(organization) = find(node, "organization") {
            self.organization = read_organization(organization, origin)?;
        }
        Ok(())
    }

    fn read_account(&mut self, node: &Node, origin: OriginId) -> Result<(), JsonError> {
        let id = account(need(node, "account")?)?;
        if let Some(alias) = text(node, "alias")? {
            self.account_mut(&id).alias = Some(alias.to_owned());
        }
        if let Some(taken) = text(node, "taken")? {
            let taken: Timestamp = taken
                .parse()
                .map_err(|_| need_error(node, "taken", &format!("`{taken}` is not an RFC 3339 timestamp")))?;
            self.set_taken(origin, taken);
        }
        let details = need(node, "details")?;
        let mut pages = Pages::default();
        for page in details.one_or_many() {
            self.read_details(page, Some(&id), origin, &mut pages)?;
        }
        self.close_pages(pages, origin)?;
        self.read_mfa_devices(node, &id)?;
        self.read_role_facts(node, &id)
    }

    fn read_mfa_devices(&mut self, node: &Node, id: &AccountId) -> Result<(), JsonError> {
        let Some(devices) = find(node, "mfa_devices") else { return Ok(()) };
        let mut by_name = BTreeMap::new();
        for member in devices.members("`mfa_devices`")? {
            let serials = items(&member.node, "mfa_devices")?
                .iter()
                .map(|serial| serial.text("a serial number").map(str::to_owned))
                .collect::<Result<Vec<_>, _>>()?;
            by_name.insert(&*member.name, serials);
        }
        for user in self.account_mut(id).users.values_mut() {
            if let Some(serials) = by_name.remove(user.name.as_str()) {
                user.mfa_devices = Attribute::Known(serials);
            }
        }
        Ok(())
    }

    fn read_role_facts(&mut self, node: &Node, id: &AccountId) -> Result<(), JsonError> {
        let Some(roles) = find(node, "roles") else { return Ok(()) };
        let mut by_name = BTreeMap::new();
        for member in roles.members("`roles`")? {
            member.node.members("a role")?;
            by_name.insert(&*member.name, number(&member.node, "max_session_duration")?);
        }
        for role in self.account_mut(id).roles.values_mut() {
            if let Some(Some(seconds)) = by_name.get(role.name.as_str()) {
                role.max_session_duration = Attribute::Known(*seconds);
            }
        }
        Ok(())
    }

    /// The accounts in a file may be from different times: reports use the oldest.
    fn set_taken(&mut self, origin: OriginId, taken: Timestamp) {
        if let Some(origin) = self.origins.get_mut(origin.0) {
            origin.taken = Some(origin.taken.map_or(taken, |earlier| earlier.min(taken)));
        }
    }
}

fn read_organization(node: &Node, origin: OriginId) -> Result<Organization, JsonError> {
    if let Value::String(word) = &node.value {
        return match &**word {
            "none" => Ok(Organization::None),
            other => Err(node.error(format!("`organization` is an object or \"none\", not \"{other}\""))),
        };
    }
    node.members("`organization`")?;
    let levels = |name: &str| {
        let Some(levels) = find(node, name) else { return Ok(None) };
        items(levels, name)?.iter().map(|level| read_level(level, origin)).collect::<Result<_, _>>().map(Some)
    };
    Ok(Organization::Known(OrganizationPolicies {
        id: text(node, "id")?.map(str::to_owned),
        management_account: find(node, "management_account").map(account).transpose()?,
        scps: levels("scps")?,
        rcps: levels("rcps")?,
    }))
}

fn read_level(node: &Node, origin: OriginId) -> Result<OrganizationLevel, JsonError> {
    node.members("a level of an organization")?;
    // An unreadable SCP or RCP is an error: leaving it out could turn a no into a yes.
    let policy = |node: &Node| -> Result<Policy, JsonError> {
        let document = Document::read("", node, origin);
        document.policy().cloned().map_err(|error| node.error(format!("a policy here: {error}")))
    };
    Ok(OrganizationLevel {
        account: find(node, "account").map(account).transpose()?,
        policies: list(node, "policies")?.iter().map(policy).collect::<Result<_, _>>()?,
    })
}

fn need_error(node: &Node, name: &str, problem: &str) -> JsonError {
    find(node, name).unwrap_or(node).error(problem)
}
