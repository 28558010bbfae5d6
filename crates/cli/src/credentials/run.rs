//! Carries out a credential plan: store, MFA, AWS. The only place that obtains credentials.
//!
//! However many processes need a stage, one of them runs it: each takes the stage's lock, checks the cache again and
//! makes the call only if the session is still missing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hatbox_core::cache::{Start, resolve_session_key};
use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Base, Plan, Purpose, Stage};
use hatbox_types::name::{AccountId, ProfileName};

use super::base::{BaseCredentials, Held, run_base, web_identity};
use super::call_lock::{CallLock, Locked};
use super::denial;
use super::guard::{Exit, check_guard};
use super::old_sessions::OldSessions;
use super::plan::{Planned, Planning, warn_of_notes};
use super::request::resolve_session;
use super::seed::find_seed;
use super::service::check_sandbox;
use super::step::{CallError, Outcome, Source, StepCall, make_call};
use crate::args::{GlobalArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::{KeyStore, SharedStore};
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::world::World;

/// A plan with everything needed to carry it out. It can be kept, called again, and moved to another thread.
#[derive(Debug)]
pub(crate) struct PlanRun {
    /// On the heap, as it is large and a run is passed on from call to call.
    pub(super) planned: Box<Planned>,
    pub(super) store: SharedStore,
    /// The account of the credentials obtained last, if the source named it.
    account: Option<AccountId>,
    /// What it shares with other runs, if it is one of several.
    pub(super) common: Option<Arc<Common>>,
    /// With `--fresh`, the sessions that are too old for this run.
    pub(super) old: Option<OldSessions>,
}

/// What the runs of several plans share besides the store.
#[derive(Debug)]
pub(super) struct Common {
    /// With `--fresh`, the sessions that are too old for every run.
    pub(super) old: Option<OldSessions>,
    /// Keeps sessions if there is no store, for as long as the runs take.
    pub(super) scratch: Option<(PathBuf, CacheKey)>,
}

impl PlanRun {
    /// Makes the plan of `profile` without obtaining anything.
    pub(crate) fn open(
        world: &World,
        global: &GlobalArgs,
        session: &SessionArgs,
        profile: &ProfileName,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let request = resolve_session(global, session, &world.environment)?;
        let mut store = KeyStore::open(world, global)?;
        let files = load_config(world)?;
        let index = store.index(Interaction::Allowed)?;
        let planning = Planning::new(world, &files, &request, Some(&index), purpose);
        let plan = planning.resolve(profile)?;
        warn_of_notes(world, &files, &plan);
        let (world, settings) = (world.clone(), world.settings()?.clone());
        Ok(Self::of_plan(Planned { world, settings, files: Arc::new(files), request, plan }, store))
    }

    /// Makes the plan of a profile whose credentials were handed over earlier, to check its guards. Asks no question
    /// and prints no warnings.
    pub(super) fn plan_offline(
        world: &World,
        global: &GlobalArgs,
        session: &SessionArgs,
        profile: &ProfileName,
    ) -> Result<Planned, Failure> {
        let request = resolve_session(global, session, &world.environment)?;
        let files = load_config(world)?;
        let index = KeyStore::open(world, global)?.index_if_known()?;
        let planning = Planning::new(world, &files, &request, index.as_ref(), Purpose::Use);
        let plan = planning.resolve_quietly(profile)?;
        let (world, settings) = (world.clone(), world.settings()?.clone());
        Ok(Planned { world, settings, files: Arc::new(files), request, plan })
    }

    /// Makes the plan of `profile` only to find out whether it has one. Asks no question and prints no warnings.
    pub(super) fn check_offline(
        world: &World,
        global: &GlobalArgs,
        session: &SessionArgs,
        profile: &ProfileName,
    ) -> Result<(), Failure> {
        let planned = Self::plan_offline(world, global, session, profile);
        match planned {
            Err(failure)
                if failure.is_profile_unknown
                    && KeyStore::open(world, global)?.index_if_known()?.is_none() =>
            {
                Ok(())
            }
            planned => planned.map(drop),
        }
    }

    fn of_plan(planned: Planned, store: KeyStore) -> Self {
        let (planned, store) = (Box::new(planned), SharedStore::new(store));
        Self { planned, store, account: None, common: None, old: None }
    }

    pub(super) fn of_several(planned: Planned, store: SharedStore, common: Arc<Common>) -> Self {
        Self { planned: Box::new(planned), store, account: None, common: Some(common), old: None }
    }

    /// Makes a plan for only the credentials that the chain of `profile` starts from, if no call and no question is
    /// needed to get them. Returns `None` if the store is locked.
    #[cfg(feature = "trust")]
    pub(crate) fn open_base(
        world: &World,
        global: &GlobalArgs,
        profile: &ProfileName,
    ) -> Result<Option<Self>, Failure> {
        let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
        let mut store = KeyStore::open(world, global)?;
        let files = load_config(world)?;
        let index = store.index_if_known()?;
        let planning = Planning::new(world, &files, &request, index.as_ref(), Purpose::BaseOnly);
        let plan = planning.resolve_quietly(profile)?;
        // The index may be readable although the key is locked.
        let is_stored = matches!(plan.base, Base::StoredKey { .. });
        if is_stored && (index.is_none() || store.count_if_known()?.is_none()) {
            return Ok(None);
        }
        if plan.base.call().is_some() {
            return Err(Failure::new(
                FailureKind::Failed,
                format!("getting the source credentials of `{profile}` needs a network call"),
            ));
        }
        let (world, settings) = (world.clone(), world.settings()?.clone());
        Ok(Some(Self::of_plan(Planned { world, settings, files: Arc::new(files), request, plan }, store)))
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.planned.plan
    }

    /// Checks the guards of the profile. Callers that hand credentials over call this once, before an MFA code is asked
    /// for; renewals are not checked again.
    pub(crate) fn check_guard(&self, exit: Exit<'_>) -> Result<(), Failure> {
        check_guard(&self.planned, exit)
    }

    /// The AWS files as they were when the plan was made.
    pub(crate) fn files(&self) -> &ConfigFiles {
        &self.planned.files
    }

    /// The account of the credentials, if the plan or their source names it.
    pub(crate) fn account(&self) -> Option<&str> {
        // The source knows its account better than the profile does.
        self.account.as_ref().map(AccountId::as_str).or_else(|| self.plan().account())
    }

    /// Obtains the credentials of the plan, from the cache if possible.
    pub(crate) fn obtain(&mut self) -> Result<Credentials, Failure> {
        self.obtain_for(None)
    }

    /// Does the same for what will get them. Without a cached session, reports a command that does not exist first.
    pub(super) fn obtain_for(&mut self, exit: Option<Exit<'_>>) -> Result<Credentials, Failure> {
        let credentials = self.obtain_unchecked(exit)?;
        // Security: whoever receives the credentials sends them to the AWS endpoint in the environment. Every path ends
        // here, with or without an earlier call.
        let Planned { world, plan, .. } = &*self.planned;
        check_sandbox(&world.environment, credentials.id(), &plan.profile)?;
        // Codes work once, so the next call must not reuse this one.
        self.planned.request.mfa_code = None;
        Ok(credentials)
    }

    /// Stops using cached sessions that have less than `least` left.
    pub(crate) fn require_left(&mut self, least: Duration) {
        let min_ttl = &mut self.planned.request.min_ttl;
        *min_ttl = least.max(*min_ttl);
    }

    /// Obtains credentials again before they expire, from the cache if a session there has at least `least` left.
    pub(crate) fn renew(&mut self, least: Duration) -> Result<Credentials, Failure> {
        self.planned.request.min_ttl = least;
        self.planned.request.fresh = false;
        self.obtain()
    }

    /// Determines the identity of a base whose settings do not reveal it, as cached sessions belong to one identity.
    /// Returns the credentials, if that obtained any.
    fn identify_base(&mut self) -> Result<Option<Source>, Failure> {
        if matches!(self.planned.plan.base, Base::Metadata { .. }) {
            let source = self.read_base()?;
            if let Base::Metadata { access_key_id, .. } = &mut self.planned.plan.base {
                *access_key_id = Some(source.signer.access_key_id().clone());
            }
            return Ok(Some(source));
        }
        let token = web_identity::read_from_file(&self.planned)?;
        if let Base::WebIdentity { text, .. } = &mut self.planned.plan.base {
            *text = token;
        }
        Ok(None)
    }

    fn obtain_unchecked(&mut self, exit: Option<Exit<'_>>) -> Result<Credentials, Failure> {
        let base = self.identify_base()?;
        let sessions = self.open_sessions()?;
        self.old = self.planned.request.fresh.then(OldSessions::default);
        self.note_old_sessions(sessions.as_ref());
        let (from, source) = match self.find_start(sessions.as_ref())? {
            Start::Ready(session) => {
                self.planned.world.output.debug(|| "the cached session is still good".to_owned());
                self.account = session.account;
                return Ok(Credentials::Session(session.credentials));
            }
            Start::From { stage, source } => (stage, source),
        };
        let mut to_run = self.planned.plan.stages().skip_while(|stage| *stage != from);
        if let (Some(exit), true) = (exit, to_run.any(|stage| self.planned.plan.is_saved(stage))) {
            exit.check_command(&self.planned.world)?;
        }
        let mut source = source.map(|session| Source::of_session(*session)).or(base);
        for stage in self.planned.plan.stages().skip_while(|stage| *stage != from) {
            // A stored key is read only when it has to sign: the process may find a session once it has the lock of the
            // first call.
            if self.planned.plan.is_saved(stage) {
                source = Some(self.run_stage(sessions.as_ref(), stage, source)?);
            }
        }
        let source = match source {
            Some(source) => source,
            None => self.read_base()?,
        };
        // The plan knows the account of a role; this is the account of the base.
        self.account = source.account.clone().filter(|_| self.planned.plan.steps.is_empty());
        Ok(source.into_credentials())
    }

    /// Runs one stage, unless another process did so in the meantime.
    fn run_stage(
        &mut self,
        sessions: Option<&Sessions>,
        stage: Stage,
        mut source: Option<Source>,
    ) -> Result<Source, Failure> {
        let plan = &self.planned.plan;
        let key = resolve_session_key(plan, stage).ok_or_else(no_identity)?;
        let words = format!("the credentials of `{}`", plan.stage_profile(stage).ok_or_else(no_identity)?);
        let what = Locked { kind: "session", identity: key.as_bytes(), words: &words };
        loop {
            let lock = CallLock::wait(&self.planned, sessions, what, None)?;
            if let Some(session) = self.load_if_good(sessions, stage, &key) {
                return Ok(Source::of_session(session));
            }
            match self.call_stage(sessions, stage, &mut source, &lock) {
                Ok(Outcome::Answered { signer, account, clock_ahead }) => {
                    return Ok(self.keep(sessions, stage, &key, (signer, account), clock_ahead));
                }
                Ok(Outcome::AnsweredElsewhere) => {
                    self.planned.world.output.note("answered on another terminal");
                }
                Err(failure) => {
                    lock.leave_failure(&failure);
                    return Err(failure);
                }
            }
        }
    }

    fn call_stage(
        &mut self,
        sessions: Option<&Sessions>,
        stage: Stage,
        source: &mut Option<Source>,
        lock: &CallLock,
    ) -> Result<Outcome, Failure> {
        let Stage::Step(index) = stage else {
            let given = run_base(&self.planned, &self.store, Some(Held { lock, sessions }))?;
            return Ok(match given {
                Some(BaseCredentials { signer, account }) => {
                    Outcome::Answered { signer, account, clock_ahead: None }
                }
                None => Outcome::AnsweredElsewhere,
            });
        };
        if source.is_none() {
            *source = Some(self.read_base()?);
        }
        let planned = &*self.planned;
        let (Some(step), Some(source)) = (planned.plan.steps.get(index), source.as_ref()) else {
            return Err(no_identity());
        };
        let seed = find_seed(planned, &self.store, step)?;
        let seed = seed.as_ref();
        make_call(&StepCall { planned, index, step, source, seed, lock, sessions }).map_err(|error| {
            match error {
                CallError::Failed(failure) => failure,
                CallError::Unanswered(call) => denial::failure_of(planned, step, &call.0, &call.1),
            }
        })
    }

    fn read_base(&mut self) -> Result<Source, Failure> {
        let given = run_base(&self.planned, &self.store, None)?.ok_or_else(no_identity)?;
        let BaseCredentials { signer, account } = given;
        Ok(Source { signer, obtained_at: None, account })
    }
}

fn no_identity() -> Failure {
    Failure::new(FailureKind::Failed, "the credential plan names no identity")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{CalledAs, Detail, Output};
    use crate::sys::hardening::Received;
    use crate::world::environment::Environment;

    #[test]
    fn a_run_is_kept_called_again_and_moved_to_another_thread() {
        fn assert_send<T: Send + 'static>() {}
        assert_send::<PlanRun>();

        let home = tempfile::tempdir().unwrap();
        let (home, config) = (home.path().to_str().unwrap(), home.path().join("config"));
        std::fs::write(&config, "[profile ci]\ncredential_source = Environment\n").unwrap();
        let environment = Environment::of(&[
            ("HOME", home),
            ("USERPROFILE", home),
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]);
        let output = Output::new(CalledAs::Hatbox, Detail::Usual);
        let world = World::new(environment, output, Received::unchanged(), None);
        let session = SessionArgs { no_session: true, ..SessionArgs::default() };
        let profile = ProfileName::parse("ci").unwrap();
        let run = PlanRun::open(&world, &GlobalArgs::default(), &session, &profile, Purpose::Use);
        let mut run = run.unwrap();
        let first = run.obtain().unwrap();
        let again = std::thread::spawn(move || run.obtain().unwrap()).join().unwrap();
        assert_eq!((first.id(), again.id().as_str()), (again.id(), "AKIAIOSFODNN7EXAMPLE"));
    }
}
