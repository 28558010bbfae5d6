//! The part of a run that deals with the cache: opens it, finds usable sessions in it, and saves new ones.

use std::path::Path;
use std::time::Duration;

use hatbox_core::cache::{
    CachedSession, Renewal, Reuse, SessionKey, Start, StartRules, StartSearch, resolve_session_key,
    resolve_use,
};
use hatbox_core::plan::{Base, Stage};
use hatbox_types::duration::render_duration;
use hatbox_types::name::AccountId;
use hatbox_types::text::shell::quote_word;

use super::denial;
use super::old_sessions::OldSessions;
use super::plan::Planned;
use super::run::PlanRun;
use super::sso::needs_person;
use super::step::Source;
use crate::ask::passphrase::Interaction;
use crate::ask::waiting::CACHE_HINT;
use crate::aws::client::Signer;
use crate::errors::{Failure, FailureKind};
use crate::store::sessions::Sessions;
use crate::sys::files::FileError;

/// The cached sessions, if they can be opened without asking the user.
pub(super) enum KnownSessions {
    Sessions(Sessions),
    /// There is no store, so nothing is cached.
    NoStore,
    Locked,
}

impl PlanRun {
    /// Opens the cached sessions. Returns `None` if the plan caches nothing, or there is no place for it.
    pub(super) fn open_sessions(&mut self) -> Result<Option<Sessions>, Failure> {
        let plan = &self.planned.plan;
        // Temporary keys in a file or the environment are handed over unchanged, and a login session has its own file.
        if !plan.stages().any(|stage| plan.is_saved(stage)) {
            return Ok(None);
        }
        // A user who signs in has a token to keep, so a missing store is created.
        if let Base::Sso { sso, .. } = &plan.base {
            if self.store.lock().is_empty() && !self.planned.world.has_terminal() {
                return Err(needs_person(&sso.value));
            }
            return self.store.lock().sessions_or_create().map(Some);
        }
        // Do not ask for a new passphrase only to cache sessions.
        if self.store.lock().is_empty() {
            if let Some((directory, key)) = self.common.as_ref().and_then(|common| common.scratch.as_ref()) {
                return Ok(Some(Sessions::open(directory, key.clone())));
            }
            self.planned
                .world
                .output
                .note("sessions are not cached without a store; create one with `hatbox add`");
            return Ok(None);
        }
        self.store.lock().sessions(Interaction::Allowed).map(Some)
    }

    /// Opens the cached sessions if that needs no question.
    pub(super) fn sessions_if_known(&self) -> Result<KnownSessions, Failure> {
        let mut store = self.store.lock();
        if store.is_empty() {
            return Ok(KnownSessions::NoStore);
        }
        Ok(store.sessions_if_known()?.map_or(KnownSessions::Locked, KnownSessions::Sessions))
    }

    pub(super) fn find_start(&self, sessions: Option<&Sessions>) -> Result<Start, Failure> {
        let Planned { world, plan, .. } = &*self.planned;
        let mut search = StartSearch::new(plan, world.clock.now(), self.rules());
        while let Some(stage) = search.wanted() {
            let loaded = match sessions.zip(resolve_session_key(plan, stage)) {
                Some((sessions, key)) => sessions.load(&key).map_err(|error| cache_failure(&error))?,
                None => None,
            };
            search.give(loaded.filter(|session| self.is_new_to_all(stage, session)));
        }
        Ok(search.into_start())
    }

    /// With `--fresh`, remembers what is cached now, unless that is known already.
    pub(super) fn note_old_sessions(&self, sessions: Option<&Sessions>) {
        let plan = &self.planned.plan;
        let common = self.common.as_ref().and_then(|common| common.old.as_ref());
        let (Some(sessions), Some(old)) = (sessions, self.old.as_ref().or(common)) else { return };
        for key in plan.stages().filter_map(|stage| resolve_session_key(plan, stage)) {
            old.note(sessions, key);
        }
    }

    /// Whether a session is new enough for several runs with `--fresh`.
    fn is_new_to_all(&self, stage: Stage, session: &CachedSession) -> bool {
        let old = self.common.as_ref().and_then(|common| common.old.as_ref());
        old.is_none_or(|old| self.is_new(old, stage, session))
    }

    fn is_new(&self, old: &OldSessions, stage: Stage, session: &CachedSession) -> bool {
        resolve_session_key(&self.planned.plan, stage).is_some_and(|key| old.is_new(&key, session))
    }

    fn rules(&self) -> StartRules {
        let request = &self.planned.request;
        let reuse = if request.fresh { Reuse::Nothing } else { Reuse::Cached };
        StartRules { min_ttl: request.min_ttl, reuse }
    }

    /// Saves the result of a stage, if it expires.
    pub(super) fn keep(
        &mut self,
        sessions: Option<&Sessions>,
        stage: Stage,
        key: &SessionKey,
        (signer, account): (Signer, Option<AccountId>),
        clock_ahead: Option<i64>,
    ) -> Source {
        let Planned { world, plan, .. } = &*self.planned;
        let (Signer::Session(credentials), Some(call), Some(profile)) =
            (&signer, plan.stage_call(stage), plan.stage_profile(stage))
        else {
            return Source { signer, obtained_at: None, account };
        };
        let session = CachedSession {
            credentials: credentials.clone(),
            call,
            profile: profile.clone(),
            obtained_at: world.clock.now(),
            asked: plan.stage_duration(stage),
            account,
        };
        self.warn_if_shorter(&session, clock_ahead);
        // Without a cache, the credentials are handed over nevertheless: an MFA code may have been spent on them.
        if let Some(Err(error)) = sessions.map(|sessions| sessions.save(key, &session)) {
            world.output.warn(&format!("the session is not cached: {error}"));
        }
        self.drop_if_orphaned(sessions, key);
        Source::of_session(session)
    }

    /// Deletes the session if its access key was removed or replaced during the call: `remove` could only delete the
    /// sessions that existed by then.
    fn drop_if_orphaned(&mut self, sessions: Option<&Sessions>, key: &SessionKey) {
        let (Base::StoredKey { profile, id }, Some(sessions)) = (&self.planned.plan.base, sessions) else {
            return;
        };
        let Ok(Some(index)) = self.store.lock().index_if_known() else { return };
        let stored = index.find(profile);
        if stored.is_some_and(|stored| id.as_ref().is_none_or(|id| *id == stored.id)) {
            return;
        }
        if let Err(error) = sessions.delete_key(key) {
            self.planned
                .world
                .output
                .warn(&format!("the session of a removed access key is not deleted: {error}"));
        }
    }

    pub(super) fn load_if_good(
        &self,
        sessions: Option<&Sessions>,
        stage: Stage,
        key: &SessionKey,
    ) -> Option<CachedSession> {
        let Planned { world, plan, .. } = &*self.planned;
        let session = sessions?.load(key).ok().flatten();
        let session = session.filter(|session| self.is_new_to_all(stage, session))?;
        let mut rules = self.rules();
        // Another process obtained it while this one waited.
        if self.old.as_ref().is_some_and(|old| self.is_new(old, stage, &session)) {
            rules.reuse = Reuse::Cached;
        }
        match resolve_use(plan, stage, &session, world.clock.now(), rules) {
            Ok(_) => Some(session),
            Err(renewal) => {
                world.output.debug(|| format!("a cached session is renewed: {}", render_renewal(renewal)));
                None
            }
        }
    }

    /// Warns if the session is shorter than requested.
    fn warn_if_shorter(&self, session: &CachedSession, clock_ahead: Option<i64>) {
        let world = &self.planned.world;
        let Some(asked) = session.asked else { return };
        let left = session.left(world.clock.now());
        // AWS's answer has whole seconds, and the two clocks may differ.
        if left + Duration::from_mins(1) < asked {
            let clock = clock_ahead.and_then(denial::render_clock);
            world.output.warn(&format!(
                "{} for `{}` was granted for {} instead of {}{}",
                session.call.label().trim_start_matches("sts."),
                session.profile,
                render_duration(Duration::from_secs(left.as_secs())),
                render_duration(asked),
                clock.map(|clock| format!("; {clock}")).unwrap_or_default()
            ));
        }
    }
}

/// The failure for a cache that cannot be read.
fn cache_failure(error: &FileError) -> Failure {
    let failure = Failure::of_error(FailureKind::Failed, error);
    match (error.hint(), error) {
        (Some(hint), FileError::Newer(_)) => {
            failure.hint(hint).hint("or delete the cached sessions: hatbox clear")
        }
        (Some(hint), _) => failure.hint(hint),
        // `hatbox clear` would fail in the same way.
        (None, FileError::Io { .. }) => failure.hint(CACHE_HINT),
        // hatbox did not create it, and `hatbox clear` does not delete directories.
        (None, FileError::Kind(path)) if is_directory(path) => {
            failure.hint(format!("rm -r {}", quote_word(path)))
        }
        (None, _) => failure.hint("hatbox clear"),
    }
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
