//! Carries out a credential plan: store, MFA, AWS. The one place where credentials are obtained.
//!
//! Each stage is done once however many processes want it: its lock is taken, the cache is looked at again,
//! and only then is the call made. Locks are taken in one order: sessions, source before target; then the
//! MFA device; then the store. None is held across the start of the child.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_core::cache::{
    CachedSession, Renewal, Reuse, SessionKey, Start, StartRules, resolve_session_key, resolve_start,
    resolve_use,
};
use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Base, Plan, Stage, Step};
use hatbox_types::secret::SessionCredentials;
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use super::service::check_sandbox;
use crate::ask::passphrase::Interaction;
use crate::ask::waiting::{CACHE_HINT, Wanted, leave_failure, lock_path, seal_of, wait_for_lock};
use crate::aws::client::Signer;
use crate::credentials::request::SessionRequest;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::keys::KeyStore;
use crate::store::sessions::Sessions;
use crate::sys::files::FileError;
use crate::sys::lock::Lock;
use crate::world::World;
use crate::world::settings::Settings;

/// All that fetching needs.
pub(crate) struct Fetching<'a> {
    pub(crate) world: &'a World,
    pub(crate) settings: &'a Settings,
    pub(crate) secrets: &'a mut KeyStore,
    pub(crate) files: &'a ConfigFiles,
    pub(crate) request: &'a SessionRequest,
}

/// The locks of a call, and what names them.
#[derive(Clone, Copy)]
pub(super) struct Locks<'a> {
    pub(super) session: &'a Lock,
    pub(super) sessions: Option<&'a Sessions>,
}

/// What signs a call.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) signer: Signer,
    /// When it was obtained, where it is a session of a stage before.
    pub(super) obtained_at: Option<Timestamp>,
}

impl Source {
    fn of_session(session: CachedSession) -> Self {
        Self { signer: Signer::Session(session.credentials), obtained_at: Some(session.obtained_at) }
    }
}

/// Obtains the credentials of `plan`, from the cache where that is allowed.
pub(crate) fn fetch_credentials(fetching: &mut Fetching<'_>, plan: &Plan) -> Result<Credentials, Failure> {
    let credentials = fetch_or_load(fetching, plan)?;
    // Security: whoever gets them calls AWS where the environment says that AWS is. This is the one way out, with
    // or without a call before it.
    check_sandbox(&fetching.world.environment, credentials.id(), &plan.profile)?;
    Ok(credentials)
}

fn fetch_or_load(fetching: &mut Fetching<'_>, plan: &Plan) -> Result<Credentials, Failure> {
    // Also temporary keys that stand in a file or in the environment: there is nothing to cache.
    if plan.steps.is_empty() && plan.base.call().is_none() {
        return match fetching.load_base(plan)? {
            Signer::Key(key) => Ok(Credentials::AccessKey(key)),
            Signer::Session(session) => Ok(Credentials::Session(session)),
            Signer::Found { key, session_token } => Ok(Credentials::Found { key, session_token }),
        };
    }
    // Nobody is made to choose a passphrase for the sake of the cache alone.
    let sessions = if fetching.secrets.is_empty() {
        fetching.world.output.note("nothing is cached, as there is no store yet: `hatbox add` makes one");
        None
    } else {
        Some(fetching.secrets.sessions(Interaction::Allowed)?)
    };
    let rules = fetching.rules();
    let now = fetching.world.clock.now();
    let mut file_error = None;
    let start = resolve_start(
        plan,
        &mut |stage| {
            let sessions = sessions.as_ref()?;
            let loaded = resolve_session_key(plan, stage).map(|key| sessions.load(&key));
            match loaded {
                Some(Ok(session)) => session,
                Some(Err(error)) => {
                    file_error = Some(error);
                    None
                }
                None => None,
            }
        },
        now,
        rules,
    );
    if let Some(error) = file_error {
        let failure = Failure::of_error(FailureKind::Failed, &error);
        return Err(match (error.hint(), &error) {
            (Some(hint), _) => failure.hint(hint),
            // `hatbox clear` would meet the same error.
            (None, FileError::Io { .. }) => failure.hint(CACHE_HINT),
            // Not of hatbox's making, and `hatbox clear` deletes no directories.
            (None, FileError::Kind(path)) if is_directory(path) => {
                failure.hint(format!("rm -r {}", quote_word(path)))
            }
            (None, _) => failure.hint("hatbox clear"),
        });
    }
    match start {
        Start::Ready(session) => {
            fetching.world.output.debug(|| "the cached session is still good".to_owned());
            Ok(Credentials::Session(session.credentials))
        }
        Start::From { stage, source } => {
            fetching.run_from(plan, sessions.as_ref(), stage, source.map(|s| *s))
        }
    }
}

impl Fetching<'_> {
    fn rules(&self) -> StartRules {
        let reuse = if self.request.fresh { Reuse::Nothing } else { Reuse::Cached };
        StartRules { min_ttl: self.request.min_ttl, reuse }
    }

    fn run_from(
        &mut self,
        plan: &Plan,
        sessions: Option<&Sessions>,
        from: Stage,
        source: Option<CachedSession>,
    ) -> Result<Credentials, Failure> {
        let mut signer = source.map(Source::of_session);
        let mut last = None;
        for stage in plan.stages().skip_while(|stage| *stage != from) {
            let Stage::Step(index) = stage else { continue };
            let session = self.run_stage(plan, sessions, index, &mut signer)?;
            last = Some(session.credentials.clone());
            signer = Some(Source::of_session(session));
        }
        match last {
            Some(session) => Ok(Credentials::Session(session)),
            None => Err(super::base::cannot_yet(&plan.base)),
        }
    }

    /// Makes the call of one stage, unless another process made it meanwhile.
    fn run_stage(
        &mut self,
        plan: &Plan,
        sessions: Option<&Sessions>,
        index: usize,
        signer: &mut Option<Source>,
    ) -> Result<CachedSession, Failure> {
        let stage = Stage::Step(index);
        let step = plan.steps.get(index).ok_or_else(no_identity)?;
        let key = resolve_session_key(plan, stage).ok_or_else(no_identity)?;
        let path = self.lock_path(sessions, "session", key.as_bytes());
        let seal = seal_of("session", key.as_bytes());
        loop {
            let held_for = format!("the credentials of `{}`", step.profile());
            let wanted = Wanted {
                path: &path,
                patience: self.patience(),
                held_for: &held_for,
                seal: seal.as_ref(),
                taken_from: None,
            };
            let lock = wait_for_lock(self.world, &wanted)?;
            if let Some(session) = self.load_if_good(plan, sessions, stage, &key, &lock) {
                return Ok(session);
            }
            let result = self
                .load_signer(plan, signer)
                .and_then(|signer| self.make_call(plan, index, &signer, Locks { session: &lock, sessions }));
            match result {
                Ok(super::step::Outcome::Answered { credentials, clock_ahead }) => {
                    let session = self.cached_session(step, credentials);
                    self.say_if_shorter(step, &session, clock_ahead);
                    // The credentials are there, and a code may be spent for them: without a cache they
                    // are handed over all the same.
                    if let Some(Err(error)) = sessions.map(|sessions| sessions.save(&key, &session)) {
                        self.world.output.warn(&format!("the session is not cached: {error}"));
                    }
                    self.drop_if_orphaned(plan, sessions, &key);
                    return Ok(session);
                }
                Ok(super::step::Outcome::AnsweredElsewhere) => {
                    self.world.output.note("answered on another terminal");
                }
                Err(failure) => {
                    leave_failure(&lock, &failure, seal.as_ref());
                    return Err(failure);
                }
            }
        }
    }

    /// Deletes the session again where its access key was removed or replaced during the call: `remove` has deleted
    /// those that it found.
    fn drop_if_orphaned(&mut self, plan: &Plan, sessions: Option<&Sessions>, key: &SessionKey) {
        let (Base::StoredKey { profile, id }, Some(sessions)) = (&plan.base, sessions) else { return };
        let Ok(Some(index)) = self.secrets.index_if_known() else { return };
        let stored = index.find(profile);
        if stored.is_some_and(|stored| id.as_ref().is_none_or(|id| *id == stored.id)) {
            return;
        }
        if let Err(error) = sessions.delete_key(key) {
            self.world.output.warn(&format!("the session of a removed access key is not deleted: {error}"));
        }
    }

    fn load_signer(&mut self, plan: &Plan, signer: &mut Option<Source>) -> Result<Source, Failure> {
        let loaded = match signer.take() {
            Some(signer) => signer,
            None => Source { signer: self.load_base(plan)?, obtained_at: None },
        };
        Ok(signer.insert(loaded).clone())
    }

    /// The lock file of a thing, under a name that tells nothing of it where there is a key.
    pub(super) fn lock_path(&self, sessions: Option<&Sessions>, kind: &str, identity: &[u8]) -> PathBuf {
        match sessions {
            Some(sessions) => sessions.lock_path(&self.world.dirs.locks(), kind, identity),
            None => lock_path(&self.world.dirs.locks(), kind, identity),
        }
    }

    /// How long another process may hold a lock: as long as a person may take, for three tries, and the call.
    pub(super) fn patience(&self) -> Duration {
        self.settings.prompt_timeout() * 3 + Duration::from_mins(1)
    }

    fn load_if_good(
        &self,
        plan: &Plan,
        sessions: Option<&Sessions>,
        stage: Stage,
        key: &SessionKey,
        lock: &Lock,
    ) -> Option<CachedSession> {
        let session = sessions?.load(key).ok().flatten()?;
        let mut rules = self.rules();
        // What another process obtained while this one waited is as fresh as can be.
        if lock.was_waited_for() && session.obtained_at.as_second() >= self.world.started.as_second() {
            rules.reuse = Reuse::Cached;
        }
        match resolve_use(plan, stage, &session, self.world.clock.now(), rules) {
            Ok(_) => Some(session),
            Err(renewal) => {
                self.world
                    .output
                    .debug(|| format!("a cached session is renewed: {}", render_renewal(renewal)));
                None
            }
        }
    }

    fn cached_session(&self, step: &Step, credentials: SessionCredentials) -> CachedSession {
        CachedSession {
            credentials,
            call: step.call(),
            profile: step.profile().clone(),
            obtained_at: self.world.clock.now(),
            asked: Some(step.duration().value),
        }
    }

    /// Never a set for less time than asked for without a word.
    fn say_if_shorter(&self, step: &Step, session: &CachedSession, clock_ahead: Option<i64>) {
        use hatbox_types::duration::render_duration;
        let (asked, left) = (step.duration().value, session.left(self.world.clock.now()));
        // AWS answers in whole seconds, and its clock is not ours to the second.
        if left + Duration::from_mins(1) < asked {
            let clock = clock_ahead.and_then(super::denial::render_clock);
            self.world.output.warn(&format!(
                "{} for `{}` was granted for {} instead of {}{}",
                step.call().label().trim_start_matches("sts."),
                step.profile(),
                render_duration(Duration::from_secs(left.as_secs())),
                render_duration(asked),
                clock.map(|clock| format!("; {clock}")).unwrap_or_default()
            ));
        }
    }
}

pub(super) fn no_identity() -> Failure {
    Failure::new(FailureKind::Failed, "the credential plan names no identity")
}

fn render_renewal(renewal: Renewal) -> String {
    match renewal {
        Renewal::Forced => "--fresh".to_owned(),
        Renewal::TooShort { granted, asked } => {
            format!("it was granted for {} s, and {} s are asked for", granted.as_secs(), asked.as_secs())
        }
        Renewal::Ending { left } => format!("only {} s of it are left", left.as_secs()),
        Renewal::ClockSetBack => "it was obtained in the future".to_owned(),
    }
}

fn is_directory(path: &str) -> bool {
    let path = Path::new(path);
    path.is_dir() && !path.is_symlink()
}
