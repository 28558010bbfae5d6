//! The layers of policies that apply to a request, and the answer that comes out of them.

use std::collections::BTreeSet;

use super::answer::Fact;
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

/// The layer that decided, in the order of blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Service control policies of the caller's account.
    Scp,
    /// Resource control policies of the resource's account.
    Rcp,
    /// The role's trust policy, or the resource's own policy.
    Trust,
    /// The caller's policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policies.
    Session,
}

impl Layer {
    /// All, in the order of blame.
    pub const ALL: [Self; 6] =
        [Self::Scp, Self::Rcp, Self::Trust, Self::Identity, Self::Boundary, Self::Session];

    /// Its name in answers: `scp`, `rcp`, `trust`, `identity`, `boundary`, `session`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Trust => "trust",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenyKind {
    /// A statement with `Deny` matched.
    Explicit,
    /// No statement with `Allow` matched.
    Implicit,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allow,
    /// Refused.
    Deny {
        /// By a Deny, or for want of an Allow.
        kind: DenyKind,
        /// The first layer to blame.
        layer: Layer,
    },
    /// Cannot be said.
    Unknown {
        /// What the answer depends on, in the order of the names.
        depends_on: Vec<Fact>,
    },
}

/// The answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The answer.
    pub decision: Decision,
    /// Findings in words, the most specific first.
    pub because: Vec<String>,
}
