//! Entry points for commands that need credentials.

use hatbox_core::handover::{Credentials, Handover};
use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::name::ProfileName;

use super::audit::{HandedOver, check_reason, record_use};
use super::choose::{ChosenFor, choose_profile};
use super::guard::Exit;
use super::last_failure::save_last_failure;
use super::request::resolve_profile_name;
use super::run::PlanRun;
use crate::args::{GlobalArgs, SessionArgs};
use crate::errors::Failure;
use crate::world::World;

/// Credentials, with the run that obtained them.
#[derive(Debug)]
pub(crate) struct Obtained {
    run: PlanRun,
    pub(crate) credentials: Credentials,
}

/// A command's request for the credentials of a profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProfileRequest<'a> {
    pub(crate) world: &'a World,
    pub(crate) global: &'a GlobalArgs,
    pub(crate) session: &'a SessionArgs,
    /// The name of the profile; `None` for `AWS_PROFILE`.
    pub(crate) profile: Option<&'a str>,
}

impl ProfileRequest<'_> {
    /// Whether an argument or `AWS_PROFILE` names the profile.
    pub(crate) fn is_named(self) -> bool {
        self.profile.is_some() || self.world.environment.text("AWS_PROFILE").is_some()
    }

    /// Obtains the credentials to hand them over. Checks the guards first and writes the audit log. Records a failure
    /// for `hatbox why`.
    pub(crate) fn obtain_for(self, exit: Exit<'_>) -> Result<Obtained, Failure> {
        self.obtain_of_run(self.open_checked(exit)?, exit)
    }

    /// Makes the plan of the profile, which the user picks if none is named, and checks its guards.
    pub(crate) fn open_checked(self, exit: Exit<'_>) -> Result<PlanRun, Failure> {
        check_reason(self.session)?;
        let chosen = if self.is_named() {
            None
        } else {
            Some(choose_profile(self.world, self.session, ChosenFor::Handover(exit))?)
        };
        let profile = self.profile.or(chosen.as_ref().map(ProfileName::as_str));
        let run = ProfileRequest { profile, ..self }.open_run(Purpose::Use)?;
        run.check_guard(exit)?;
        Ok(run)
    }

    /// Obtains credentials for hatbox's own calls. Records a failure for `hatbox why`.
    #[cfg(feature = "iam")]
    pub(crate) fn obtain(self, purpose: Purpose) -> Result<Obtained, Failure> {
        self.obtain_or_save(self.open_run(purpose)?, None)
    }

    /// Makes the plan of the profile without obtaining anything. Records a failure for `hatbox why`.
    pub(crate) fn open_run(self, purpose: Purpose) -> Result<PlanRun, Failure> {
        let Self { world, global, session, profile } = self;
        let profile = resolve_profile_name(profile, &world.environment)?;
        let run = PlanRun::open(world, global, session, &profile, purpose);
        run.inspect_err(|failure| save_last_failure(world, global, &profile, failure))
    }

    /// Checks that the profile has a credential plan, for commands that cannot do their work for another reason, which
    /// would be reported first. Asks no question: if the store is locked, a profile outside the config may be in it.
    pub(crate) fn check_without_asking(self) -> Result<(), Failure> {
        let Self { world, global, session, profile } = self;
        let profile = resolve_profile_name(profile, &world.environment)?;
        let checked = PlanRun::check_offline(world, global, session, &profile);
        checked.inspect_err(|failure| save_last_failure(world, global, &profile, failure))
    }

    /// Prepares a run that obtains the credentials on first use. Checks the guards and writes the audit log, like
    /// [`Self::obtain_for`].
    pub(crate) fn open_for(self, exit: Exit<'_>) -> Result<PlanRun, Failure> {
        let run = self.open_checked(exit)?;
        let given = HandedOver { credentials: None, account: run.account() };
        record_use(self.world, self.session.reason.as_deref(), run.plan(), given, exit)?;
        Ok(run)
    }

    /// Obtains the credentials of a plan whose guards were checked, and writes the audit log. Records a failure for
    /// `hatbox why`.
    pub(crate) fn obtain_of_run(self, run: PlanRun, exit: Exit<'_>) -> Result<Obtained, Failure> {
        let obtained = self.obtain_or_save(run, Some(exit))?;
        obtained.record(self.world, self.session.reason.as_deref(), exit)?;
        Ok(obtained)
    }

    fn obtain_or_save(self, mut run: PlanRun, exit: Option<Exit<'_>>) -> Result<Obtained, Failure> {
        let profile = run.plan().profile.clone();
        run.obtain_for(exit)
            .map(|credentials| Obtained { run, credentials })
            .inspect_err(|failure| save_last_failure(self.world, self.global, &profile, failure))
    }
}

/// Obtains credentials again, straight from the access key and without an MFA code. The caller expects a failure, so it
/// is not recorded.
#[cfg(feature = "trust")]
pub(crate) fn obtain_without_mfa(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
) -> Result<Obtained, Failure> {
    let again = SessionArgs { fresh: true, no_session: true, ..SessionArgs::default() };
    PlanRun::open(world, global, &again, profile, Purpose::WithoutMfa).and_then(Obtained::of_run)
}

/// Obtains the credentials that the chain of `profile` starts from, without asking the user. Returns `None` if the
/// store is locked.
#[cfg(feature = "trust")]
pub(crate) fn obtain_base(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
) -> Result<Option<Obtained>, Failure> {
    PlanRun::open_base(world, global, profile)?.map(Obtained::of_run).transpose()
}

impl Obtained {
    pub(crate) fn of_run(mut run: PlanRun) -> Result<Self, Failure> {
        let credentials = run.obtain()?;
        Ok(Self { run, credentials })
    }

    /// Writes the line of the audit log, which must happen before the credentials are handed over.
    pub(crate) fn record(&self, world: &World, reason: Option<&str>, exit: Exit<'_>) -> Result<(), Failure> {
        let given = HandedOver { credentials: Some(&self.credentials), account: self.run.account() };
        record_use(world, reason, self.plan(), given, exit)
    }

    /// Returns the plan and the credentials, for callers that will not renew them.
    #[cfg(feature = "iam")]
    pub(crate) fn into_parts(self) -> (Plan, Credentials) {
        (self.run.into_plan(), self.credentials)
    }

    /// Returns the credentials and the run that renews them.
    pub(crate) fn into_run(self) -> (PlanRun, Credentials) {
        (self.run, self.credentials)
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.run.plan()
    }

    pub(crate) fn profile(&self) -> &ProfileName {
        &self.plan().profile
    }

    pub(crate) fn handover(&self) -> Handover<'_> {
        let plan = self.plan();
        Handover {
            profile: &plan.profile,
            credentials: &self.credentials,
            account: self.run.account(),
            region: plan.region.as_ref().map(|region| &region.value),
            endpoint_url: plan.endpoint.url.as_ref().map(|url| url.value.as_str()),
        }
    }
}
