//! Entry points for commands that need credentials.

use hatbox_core::handover::{Credentials, Handover};
use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::name::ProfileName;

use super::audit::{Given, check_reason, record_use};
use super::choose::choose_profile;
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

/// Obtains the credentials of the profile that `argument` or `AWS_PROFILE` names, to hand them over. Checks the guards
/// first and writes the audit log. Records a failure for `hatbox why`.
pub(crate) fn obtain_for(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    exit: Exit<'_>,
) -> Result<Obtained, Failure> {
    let run = open_checked(world, global, session, argument, exit)?;
    obtain_of_run(world, global, session, run, exit)
}

/// Makes the plan of the profile, which the user picks if none is named, and checks its guards.
pub(crate) fn open_checked(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    exit: Exit<'_>,
) -> Result<PlanRun, Failure> {
    check_reason(session)?;
    let is_named = argument.is_some() || world.environment.text("AWS_PROFILE").is_some();
    let chosen = if is_named { None } else { Some(choose_profile(world, exit)?) };
    let argument = argument.or(chosen.as_ref().map(ProfileName::as_str));
    let run = open_run(world, global, session, argument, Purpose::Use)?;
    run.check_guard(exit)?;
    Ok(run)
}

/// Obtains credentials for hatbox's own calls. Records a failure for `hatbox why`.
#[cfg(feature = "iam")]
pub(crate) fn obtain(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    purpose: Purpose,
) -> Result<Obtained, Failure> {
    let run = open_run(world, global, session, argument, purpose)?;
    obtain_or_save(world, global, run)
}

/// Makes the plan of the profile without obtaining anything. Records a failure for `hatbox why`.
pub(crate) fn open_run(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    purpose: Purpose,
) -> Result<PlanRun, Failure> {
    let profile = resolve_profile_name(argument, &world.environment)?;
    let run = PlanRun::open(world, global, session, &profile, purpose);
    run.inspect_err(|failure| save_last_failure(world, global, &profile, failure))
}

/// Prepares a run that obtains the credentials on first use. Checks the guards and writes the audit log, like
/// [`obtain_for`].
pub(crate) fn open_for(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    exit: Exit<'_>,
) -> Result<PlanRun, Failure> {
    let run = open_checked(world, global, session, argument, exit)?;
    let given = Given { credentials: None, account: run.account() };
    record_use(world, session.reason.as_deref(), run.plan(), given, exit)?;
    Ok(run)
}

/// Obtains the credentials of a plan whose guards were checked, and writes the audit log. Records a failure for `hatbox
/// why`.
pub(crate) fn obtain_of_run(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    run: PlanRun,
    exit: Exit<'_>,
) -> Result<Obtained, Failure> {
    let obtained = obtain_or_save(world, global, run)?;
    obtained.record(world, session.reason.as_deref(), exit)?;
    Ok(obtained)
}

fn obtain_or_save(world: &World, global: &GlobalArgs, run: PlanRun) -> Result<Obtained, Failure> {
    let profile = run.plan().profile.clone();
    Obtained::of_run(run).inspect_err(|failure| save_last_failure(world, global, &profile, failure))
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
        let given = Given { credentials: Some(&self.credentials), account: self.run.account() };
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
