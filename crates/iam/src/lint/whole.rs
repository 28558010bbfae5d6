//! Facts about all statements of a policy that rules about one statement need, computed once.

use super::limits::denies_all_but_some;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::variable::Version;

/// The actions with which a caller assumes a role.
pub(super) const ASSUMING: [&str; 3] =
    ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

/// The actions that a call needs if it sends session tags or a source identity.
const SENDING: [&str; 2] = ["sts:TagSession", "sts:SetSourceIdentity"];

/// The facts about a policy that rules about one of its statements need.
pub(super) struct Whole<'p> {
    pub(super) version: Version,
    /// The `Deny` statements, which may deny what any other statement allows.
    pub(super) denies: Vec<&'p Statement>,
    /// The actions of [`SENDING`] that a statement allows, ignoring conditions.
    sendable: Vec<&'static str>,
    /// The actions of [`ASSUMING`] that a Deny limits to known accounts.
    limited: Vec<&'static str>,
}

impl<'p> Whole<'p> {
    pub(super) fn of(policy: &'p Policy) -> Self {
        let statements = || policy.statements.iter();
        let denies: Vec<_> = statements().filter(|statement| statement.effect == Effect::Deny).collect();
        let allows = |action: &&str| {
            statements().any(|statement| statement.effect == Effect::Allow && statement.covers_action(action))
        };
        let is_limited = |action: &&str| denies.iter().any(|deny| denies_all_but_some(deny, action));
        Self {
            version: policy.version,
            sendable: SENDING.into_iter().filter(allows).collect(),
            limited: ASSUMING.into_iter().filter(is_limited).collect(),
            denies,
        }
    }

    /// Whether any statement allows `action`, one of [`SENDING`].
    pub(super) fn can_send(&self, action: &str) -> bool {
        self.sendable.contains(&action)
    }

    /// Whether a Deny limits `action`, one of [`ASSUMING`], to known accounts.
    pub(super) fn is_limited(&self, action: &str) -> bool {
        self.limited.contains(&action)
    }
}
