//! The layers of policies that apply to a request, and the result of evaluating them.

use std::collections::BTreeSet;

use super::answer::{Decision, Layer};
use super::document::Policy;
use hatbox_types::name::AccountId;

/// The policies that apply. `None` and empty differ: without a boundary there is no limit, an empty one allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The trust policy, if the resource is a role and the action assumes it.
    pub trust: Option<Policy>,
    /// The resource-based policy of any other resource.
    pub resource: Option<Policy>,
    /// The identity-based policies of the caller and the caller's groups.
    pub identity: Vec<Policy>,
    /// The policies of the permissions boundary.
    pub boundary: Option<Vec<Policy>>,
    /// Session policies.
    pub session: Option<Vec<Policy>>,
    /// Service control policies, one entry for each level. Empty if there is no organization.
    pub scps: Vec<OrganizationLevel>,
    /// Resource control policies, one entry for each level.
    pub rcps: Vec<OrganizationLevel>,
    /// The organization's management account, which SCPs and RCPs do not limit.
    pub management_account: Option<AccountId>,
    /// Layers whose content is unknown; their policies in this struct are ignored.
    pub unknown: BTreeSet<Layer>,
    /// Whether to evaluate the one given policy on its own, without the other layers that AWS would require.
    pub is_single_policy: bool,
}

/// The policies attached to one level of an organization: the root, an organizational unit or an account.
#[derive(Debug, Clone, Default)]
pub struct OrganizationLevel {
    /// The account that inherits them; `None` for all accounts.
    pub account: Option<AccountId>,
    /// The policies, at least one of which must allow.
    pub policies: Vec<Policy>,
}

/// The decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The decision.
    pub decision: Decision,
    /// The reasons, the most specific first.
    pub because: Vec<String>,
}
