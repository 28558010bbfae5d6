//! What commands call for credentials: the run of a plan, begun and kept.

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

/// Credentials, and what obtained them.
#[derive(Debug)]
pub(crate) struct Obtained {
    run: PlanRun,
    pub(crate) credentials: Credentials,
}

/// Obtains the credentials of the profile that `argument`, else `AWS_PROFILE`, names, to hand them over: what guards
/// them is checked first, and the audit log gets its line. Why that failed is kept for `hatbox why`.
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

/// Makes the plan of the profile, which is chosen where none is named, and checks what guards it.
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

/// Obtains credentials for hatbox's own calls. Why that failed is kept.
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

/// Makes the plan of the profile, for those who look at it before anything is obtained. Why that failed is kept.
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

/// What obtains the credentials of the profile once they are asked for. What guards them is checked, and the audit log
/// gets its line, as for [`obtain_for`].
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

/// Obtains the credentials of a plan whose guard was checked, and writes the line of the audit log. Why that failed is
/// kept.
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

/// Obtains credentials again, straight from the access key, with no MFA code sent. A failure is what is looked for, and
/// not kept.
#[cfg(feature = "trust")]
pub(crate) fn obtain_without_mfa(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
) -> Result<Obtained, Failure> {
    let again = SessionArgs { fresh: true, no_session: true, ..SessionArgs::default() };
    PlanRun::open(world, global, &again, profile, Purpose::WithoutMfa).and_then(Obtained::of_run)
}

/// The credentials that the chain of `profile` starts from, obtained without a question to anybody; `None` where
/// the store is locked.
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

    /// Writes the line of the audit log: before the credentials are handed over.
    pub(crate) fn record(&self, world: &World, reason: Option<&str>, exit: Exit<'_>) -> Result<(), Failure> {
        let given = Given { credentials: Some(&self.credentials), account: self.run.account() };
        record_use(world, reason, self.plan(), given, exit)
    }

    /// The plan, and the credentials, of what is not kept to obtain them again.
    #[cfg(feature = "iam")]
    pub(crate) fn into_parts(self) -> (Plan, Credentials) {
        (self.run.into_plan(), self.credentials)
    }

    /// The credentials, and what obtains the next ones.
    pub(crate) fn into_run(self) -> (PlanRun, Credentials) {
        (self.run, self.credentials)
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.run.plan()
    }

    pub(crate) fn profile(&self) -> &ProfileName {
        &self.plan().profile
    }

    /// What is handed over.
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
