//! The layers of policies that apply to a request, and the answer that comes out of them.

use std::collections::BTreeSet;

use super::answer::{Decision, Layer};
use super::document::Policy;
use hatbox_types::name::AccountId;

/// The policies that apply. `None` and empty differ: no boundary is no limit, an empty one allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The trust policy, when the resource is a role and the action assumes it.
    pub trust: Option<Policy>,
    /// The resource's own policy, otherwise.
    pub resource: Option<Policy>,
    /// Policies of the caller and the caller's groups.
    pub identity: Vec<Policy>,
    /// The permissions boundary.
    pub boundary: Option<Vec<Policy>>,
    /// Session policies.
    pub session: Option<Vec<Policy>>,
    /// Service control policies, level by level. Empty: no organization.
    pub scps: Vec<OrganizationLevel>,
    /// Resource control policies, level by level.
    pub rcps: Vec<OrganizationLevel>,
    /// The organization's management account, which its policies do not limit.
    pub management_account: Option<AccountId>,
    /// Layers of which nothing is known; what is given of them is not looked at.
    pub unknown: BTreeSet<Layer>,
    /// Whether the one policy given is judged alone, whatever else AWS would ask for.
    pub is_single_policy: bool,
}

/// The policies attached to one level of an organization: its root, a unit, or an account.
#[derive(Debug, Clone, Default)]
pub struct OrganizationLevel {
    /// The account that they come down to; `None`: every one.
    pub account: Option<AccountId>,
    /// The policies, of which one must allow.
    pub policies: Vec<Policy>,
}

/// The answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The answer.
    pub decision: Decision,
    /// Findings in words, the most specific first.
    pub because: Vec<String>,
}
