//! Applies a profile's guard to its plan: which guard holds, and whether it demands a read-only session.

use crate::config::guard::Guard;
use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::{ProfileName, RoleArn};

use super::agent::Agent;
use super::base::{Base, Signer};
use super::chain::Chain;
use super::error::PlanError;
use super::input::{Agents, PlanOptions, Purpose};
use super::note::Note;

/// A read-only session that a guard demands for an agent.
pub(super) struct AgentLimit {
    agent: Agent,
    /// Where the guard is set.
    origin: Origin,
}

/// The guard of the profile. One without a role hands over what its source profile gives, so the guard of that holds too:
/// key by key, as one key of the profile says nothing about the others.
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

/// The limit that holds for the agent of `options`, if there is one.
pub(super) fn resolve_agent_limit(guard: Option<&Guard>, options: &PlanOptions) -> Option<AgentLimit> {
    let agent = options.agent.filter(|_| options.purpose == Purpose::Use)?;
    let origin = match guard.and_then(|guard| guard.read_only_for_agents.as_ref()) {
        Some(said) => said.value.then(|| said.origin.clone()),
        None => (options.agents == Agents::ReadOnly).then_some(Origin::Default),
    };
    Some(AgentLimit { agent, origin: origin? })
}

impl AgentLimit {
    /// The options with `--read-only`.
    ///
    /// # Errors
    /// A flag adds another session policy: together they allow what any of them allows.
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

    /// Names the guard in the error of credentials that take no session policies.
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

/// The role of `hatbox_read_only_role_arn`, where a read-only session is asked for and what the chain gives cannot be
/// restricted.
pub(super) fn resolve_read_only_role(
    chain: &Chain,
    guard: Option<&Guard>,
    options: &PlanOptions,
) -> Option<Sourced<RoleArn>> {
    let role = guard?.read_only_role.as_ref()?;
    // The role of a web identity takes session policies as any other.
    let has_role = chain.links.iter().any(|link| link.profile.role_arn.is_some())
        || matches!(chain.base, Base::WebIdentity { .. });
    let is_needed = options.purpose == Purpose::Use
        && options.last_role.read_only.is_some()
        && !has_role
        && chain.base.signer() != Signer::LongLivedKey;
    is_needed.then(|| role.clone())
}
