//! What flags say about the last role of a plan: a role on top, its parameters, and what restricts its session.

use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::RoleArn;

use super::step::SessionPolicies;

/// The flags, each value checked.
#[derive(Debug, Clone, Default)]
pub struct LastRole {
    /// `--role-arn`: a role that is assumed with what the profile gives.
    pub role: Option<Sourced<RoleArn>>,
    /// `--external-id`.
    pub external_id: Option<Sourced<String>>,
    /// `--session-tag`, in the place of the profile's.
    pub tags: Option<Sourced<Vec<(String, String)>>>,
    /// `--transitive-tag`, in the place of the profile's.
    pub transitive_tags: Option<Sourced<Vec<String>>>,
    /// `--source-identity`.
    pub source_identity: Option<Sourced<String>>,
    /// `--policy` and `--policy-arn`.
    pub policies: SessionPolicies,
    /// `--read-only`: AWS's policy ReadOnlyAccess, of the partition that the session is in.
    pub read_only: Option<Origin>,
}

impl LastRole {
    /// The first flag that only a role takes.
    pub(super) fn flag_of_role(&self) -> Option<&Origin> {
        let texts = [&self.external_id, &self.source_identity].into_iter().flatten().map(|said| &said.origin);
        let tags = self.tags.iter().map(|said| &said.origin);
        texts.chain(tags).chain(self.transitive_tags.iter().map(|said| &said.origin)).next()
    }

    /// The session policies for a session in this partition; `None` where none are asked for.
    pub(super) fn policies_in(&self, partition: &str) -> Option<SessionPolicies> {
        let mut policies = self.policies.clone();
        policies.arns.extend(self.read_only.iter().map(|origin| Sourced {
            value: format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess"),
            origin: origin.clone(),
        }));
        (policies.document.is_some() || !policies.arns.is_empty()).then_some(policies)
    }
}
