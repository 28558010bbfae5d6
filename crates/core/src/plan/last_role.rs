//! The flags for the last role of a plan: an additional role, its parameters, and session policies.

use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::RoleArn;

use super::step::SessionPolicies;

/// The flags, with valid values.
#[derive(Debug, Clone, Default)]
pub struct LastRole {
    /// `--role-arn`: a role to assume with the profile's credentials.
    pub role: Option<Sourced<RoleArn>>,
    /// `--external-id`.
    pub external_id: Option<Sourced<String>>,
    /// `--session-tag`, which replaces the profile's tags.
    pub tags: Option<Sourced<Vec<(String, String)>>>,
    /// `--transitive-tag`, which replaces the profile's keys.
    pub transitive_tags: Option<Sourced<Vec<String>>>,
    /// `--source-identity`.
    pub source_identity: Option<Sourced<String>>,
    /// `--policy` and `--policy-arn`.
    pub policies: SessionPolicies,
    /// `--read-only`: AWS's managed policy ReadOnlyAccess, in the partition of the session.
    pub read_only: Option<Origin>,
}

impl LastRole {
    /// Returns the first flag that needs a role.
    pub(super) fn flag_of_role(&self) -> Option<&Origin> {
        let texts = [&self.external_id, &self.source_identity].into_iter().flatten().map(|said| &said.origin);
        let tags = self.tags.iter().map(|said| &said.origin);
        texts.chain(tags).chain(self.transitive_tags.iter().map(|said| &said.origin)).next()
    }

    /// Returns the session policies for a session in this partition; `None` if no flag sets any.
    pub(super) fn policies_in(&self, partition: &str) -> Option<SessionPolicies> {
        let mut policies = self.policies.clone();
        policies.arns.extend(self.read_only.iter().map(|origin| Sourced {
            value: format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess"),
            origin: origin.clone(),
        }));
        (policies.document.is_some() || !policies.arns.is_empty()).then_some(policies)
    }
}
