//! Applies a profile's guard to its plan: which guard applies, and whether it requires a read-only session.

use crate::config::guard::Guard;
use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::{ProfileName, RoleArn};

use super::agent::Agent;
use super::base::{Base, Signer};
use super::chain::Chain;
use super::error::PlanError;
use super::input::{Agents, PlanOptions, Purpose};
use super::note::Note;

/// A guard's requirement of a read-only session for an agent.
pub(super) struct AgentLimit {
    agent: Agent,
    /// Where the guard is set.
    origin: Origin,
}

/// Returns the guard of the profile. A profile without a role hands over its source profile's credentials, so the guard
/// of the source applies too, for each key that the profile does not set itself.
pub(super) fn find_guard(chain: &Chain) -> Option<Box<Guard>> {
    let role = chain.links.iter().position(|link| link.profile.role_arn.is_some());
    let links = chain.links.iter().take(role.map_or(usize::MAX, |role| role.saturating_add(1)));
    let mut guards = links.filter_map(|link| link.profile.guard.as_ref());
    let mut guard = guards.next()?.clone();
    for source in guards {
        guard.inherit(source);
    }
    Some(guard)
}

/// Returns the limit for the agent in `options`, if there is one.
pub(super) fn resolve_agent_limit(guard: Option<&Guard>, options: &PlanOptions) -> Option<AgentLimit> {
    let agent = options.agent.filter(|_| options.purpose == Purpose::Use)?;
    let origin = match guard.and_then(|guard| guard.read_only_for_agents.as_ref()) {
        Some(said) => said.value.then(|| said.origin.clone()),
        None => (options.agents == Agents::ReadOnly).then_some(Origin::Default),
    };
    Some(AgentLimit { agent, origin: origin? })
}

impl AgentLimit {
    /// Returns the options with `--read-only` added.
    ///
    /// # Errors
    /// If a flag adds another session policy, as the session could then do what either policy allows.
    pub(super) fn restrict(
        &self,
        target: &ProfileName,
        options: &PlanOptions,
    ) -> Result<PlanOptions, PlanError> {
        let policies = &options.last_role.policies;
        let mut flags =
            policies.document.iter().map(|_| "--policy").chain(policies.arns.iter().map(|_| "--policy-arn"));
        if let Some(flag) = flags.next() {
            let (agent, origin) = (self.agent, self.origin.clone());
            return Err(PlanError::FlagWidens { profile: target.clone(), flag, agent, origin });
        }
        let mut options = options.clone();
        options.last_role.read_only.get_or_insert(Origin::Env(self.agent.marker));
        Ok(options)
    }

    pub(super) fn note(&self, target: &ProfileName) -> Note {
        let (agent, origin) = (self.agent, self.origin.clone());
        Note::ReadOnlyForAgent { profile: target.clone(), agent, origin }
    }

    /// Adds the guard to the error for credentials that cannot be restricted.
    pub(super) fn explain(&self, error: PlanError) -> PlanError {
        match error {
            PlanError::CannotNarrow { profile, from } => {
                let (agent, origin) = (self.agent, self.origin.clone());
                PlanError::CannotNarrowForAgent { profile, from, agent, origin }
            }
            error => error,
        }
    }
}

/// Returns the role in `hatbox_read_only_role_arn`, if a read-only session is needed and the credentials of the chain
/// cannot be restricted.
pub(super) fn resolve_read_only_role(
    chain: &Chain,
    guard: Option<&Guard>,
    options: &PlanOptions,
) -> Option<Sourced<RoleArn>> {
    let role = guard?.read_only_role.as_ref()?;
    // A role assumed with a web identity accepts session policies like any other.
    let has_role = chain.links.iter().any(|link| link.profile.role_arn.is_some())
        || matches!(chain.base, Base::WebIdentity { .. });
    let is_needed = options.purpose == Purpose::Use
        && options.last_role.read_only.is_some()
        && !has_role
        && chain.base.signer() != Signer::LongLivedKey;
    is_needed.then(|| role.clone())
}
