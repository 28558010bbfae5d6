//! The organization that the accounts are in: its service and resource control policies.

use crate::policy::evaluate::OrganizationLevel;
use hatbox_types::name::AccountId;

/// What is known of the organization.
#[derive(Debug, Clone, Default)]
pub enum Organization {
    /// The accounts are in none: there are neither SCPs nor RCPs.
    None,
    /// They are in this one.
    Known(OrganizationPolicies),
    /// No source tells.
    #[default]
    NotGiven,
}

/// The policies of an organization.
#[derive(Debug, Clone, Default)]
pub struct OrganizationPolicies {
    /// `o-...`, for `aws:PrincipalOrgID`.
    pub id: Option<String>,
    /// The management account, which SCPs do not limit.
    pub management_account: Option<AccountId>,
    /// SCPs, level by level; `None`: not known.
    pub scps: Option<Vec<OrganizationLevel>>,
    /// RCPs, level by level; `None`: not known.
    pub rcps: Option<Vec<OrganizationLevel>>,
}

impl OrganizationPolicies {
    /// Whether an account is certainly a member: it is told by name.
    pub fn has(&self, account: &AccountId) -> bool {
        let levels = || self.scps.iter().chain(&self.rcps).flatten();
        self.management_account.as_ref() == Some(account)
            || levels().any(|level| level.account.as_ref() == Some(account))
    }
}
