//! Credentials of several profiles: one config, one store, and each question asked once, before any command runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use hatbox_core::cache::{Start, resolve_session_key};
use hatbox_core::config::resolve_tags;
use hatbox_core::plan::{Base, Purpose, Stage};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::MfaCode;
use tempfile::TempDir;

use super::guard::Exit;
use super::plan::{Planned, Planning, render_notes};
use super::request::{SessionRequest, resolve_session};
use super::run::{Common, PlanRun};
use super::stage_cache::Known;
use crate::args::{GlobalArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::{KeyStore, SharedStore};
use crate::store::index::Index;
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::world::World;

/// No one reads more warnings than this.
const WARNINGS: usize = 10;

/// What the plans of several profiles are made from.
pub(crate) struct Several {
    world: World,
    files: Arc<ConfigFiles>,
    request: SessionRequest,
    store: SharedStore,
    /// `None`: the store is locked, and no one is asked.
    index: Option<Index>,
    common: Arc<Common>,
    /// `--mfa-token`, for the first call that needs a code.
    code: Option<MfaCode>,
    /// Where sessions are kept that no store keeps. Its contents are sealed under a key that is nowhere else.
    _scratch: Option<TempDir>,
}

/// A profile with its plan, or why it has none.
pub(crate) struct Candidate {
    pub(crate) profile: ProfileName,
    pub(crate) run: Result<PlanRun, Failure>,
    /// What its settings leave to be desired.
    warnings: Vec<String>,
}

/// What must be done once for all profiles that have it in common: it may ask a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A session that is obtained with a code of this device.
    Code {
        /// Its serial number.
        device: String,
        /// The session.
        session: Vec<u8>,
    },
    /// A sign-in to Identity Center or of `aws login`, by its name.
    SignIn(String),
    /// What a program of this profile prints.
    Program {
        /// The profile that names the program.
        profile: ProfileName,
        /// What is kept of it.
        session: Vec<u8>,
    },
}

impl Need {
    /// In a few words.
    pub(crate) fn render(&self) -> String {
        match self {
            Self::Code { device, .. } => format!("an MFA code of {device}"),
            Self::SignIn(name) => format!("the sign-in to {name}"),
            Self::Program { profile, .. } => format!("the command of `{profile}`"),
        }
    }
}

impl Several {
    /// Reads the config and the index of the store. With [`Interaction::Never`], a locked store stays locked.
    pub(crate) fn open(
        world: &World,
        global: &GlobalArgs,
        session: &SessionArgs,
        interaction: Interaction,
    ) -> Result<Self, Failure> {
        let mut request = resolve_session(global, session, &world.environment)?;
        let mut store = KeyStore::open(world, global)?;
        let mut files = load_config(world)?;
        files.config = files.config.for_all_profiles();
        let index = match interaction {
            Interaction::Allowed => Some(store.index(interaction)?),
            Interaction::Never => store.index_if_known()?,
        };
        let scratch =
            if interaction == Interaction::Allowed && store.is_empty() { open_scratch() } else { None };
        let common = Common {
            fresh_since: std::mem::take(&mut request.fresh).then_some(world.started),
            scratch: scratch
                .as_ref()
                .map(|(directory, key)| (directory.path().join("sessions"), key.clone())),
        };
        Ok(Self {
            world: world.clone(),
            files: Arc::new(files),
            code: request.mfa_code.take(),
            request,
            store: SharedStore::new(store),
            index,
            common: Arc::new(common),
            _scratch: scratch.map(|(directory, _)| directory),
        })
    }

    /// All profiles: those of the files, in their order, then those that only have a stored key. A `[default]` without
    /// settings is none.
    pub(crate) fn names(&self) -> Vec<ProfileName> {
        let config = &self.files.config;
        let mut names = config.profile_names();
        names.retain(|name| !(name.is_default() && config.is_empty_profile(name)));
        let known: BTreeSet<_> = names.iter().cloned().collect();
        let stored = self.index.iter().flat_map(|index| &index.keys).map(|key| &key.profile);
        names.extend(stored.filter(|name| !known.contains(*name)).cloned());
        names
    }

    /// The words of `hatbox_tags`. A profile that cannot be read has none: its plan says why.
    pub(crate) fn tags(&self, profile: &ProfileName) -> Vec<String> {
        resolve_tags(&self.files.config, profile).unwrap_or_default()
    }

    /// The nearest name to one that does not exist.
    pub(crate) fn nearest(&self, name: &str) -> Option<ProfileName> {
        self.files.config.nearest_profile(name)
    }

    /// Makes the plans of profiles.
    pub(crate) fn resolve(&self, profiles: Vec<ProfileName>) -> Result<Vec<Candidate>, Failure> {
        let Self { world, files, request, index, .. } = self;
        let planning = Planning::new(world, files, request, index.as_ref(), Purpose::Use);
        let settings = world.settings()?;
        let candidate = |profile: ProfileName| {
            let (mut warnings, plan) = planning.resolve_with_warnings(&profile);
            let run = plan.map(|plan| {
                warnings.extend(render_notes(files, &plan));
                let (world, files, request) = (world.clone(), Arc::clone(files), request.clone());
                let planned = Planned { world, settings: Arc::clone(settings), files, request, plan };
                PlanRun::of_several(planned, self.store.clone(), Arc::clone(&self.common))
            });
            Candidate { profile, run, warnings }
        };
        Ok(profiles.into_iter().map(candidate).collect())
    }

    /// Says on stderr what the settings of the profiles leave to be desired, each thing once.
    pub(crate) fn say_warnings(&self, candidates: &[Candidate]) {
        let mut said = BTreeSet::new();
        let all = candidates.iter().flat_map(|candidate| &candidate.warnings);
        let different: Vec<_> = all.filter(|warning| said.insert(warning.as_str())).collect();
        different.iter().take(WARNINGS).for_each(|warning| self.world.output.warn(warning));
        if let Some(more) = different.len().checked_sub(WARNINGS).filter(|more| *more > 0) {
            self.world
                .output
                .warn(&format!("and {more} more like these; `hatbox explain PROFILE` shows them"));
        }
    }

    /// Checks what guards each profile, before anything is obtained. One whose guard refuses gets that in the place of its
    /// plan.
    ///
    /// # Errors
    /// When a person cancels a question.
    pub(crate) fn check_guards(candidates: &mut [Candidate], command: &[OsString]) -> Result<(), Failure> {
        for candidate in candidates {
            let Ok(run) = &candidate.run else { continue };
            match run.check_guard(Exit::Command(command)) {
                Ok(()) => {}
                Err(failure) if failure.kind == FailureKind::Cancelled => return Err(failure),
                Err(failure) => candidate.run = Err(failure),
            }
        }
        Ok(())
    }

    /// Obtains what several profiles share and what a person is needed for, one after the other: the sign-ins, and the
    /// sessions that need an MFA code. A profile for which that fails gets the failure in the place of its plan, and so
    /// do all that need the same; no question is asked again.
    ///
    /// # Errors
    /// When a person cancels a question.
    pub(crate) fn ask(&mut self, candidates: &mut [Candidate]) -> Result<(), Failure> {
        let needs: Vec<_> = candidates
            .iter_mut()
            .map(|candidate| candidate.run.as_mut().ok().map(PlanRun::needs).transpose())
            .map(|needs| needs.map(Option::unwrap_or_default))
            .collect();
        self.say_codes(needs.iter().filter_map(|needs| needs.as_ref().ok()).flatten());
        let mut users: BTreeMap<Need, usize> = BTreeMap::new();
        for need in needs.iter().filter_map(|needs| needs.as_ref().ok()).flatten() {
            *users.entry(need.clone()).or_default() += 1;
        }
        let mut met = BTreeSet::new();
        let mut failed: BTreeMap<Need, Failure> = BTreeMap::new();
        for (candidate, needs) in candidates.iter_mut().zip(needs) {
            let Ok(run) = &mut candidate.run else { continue };
            let needs: Vec<_> = match needs {
                // A program that one profile alone runs has no one to wait for.
                Ok(needs) => needs
                    .into_iter()
                    .filter(|need| !matches!(need, Need::Program { .. }) || users.get(need) > Some(&1))
                    .collect(),
                Err(failure) => {
                    candidate.run = Err(failure);
                    continue;
                }
            };
            if let Some(failure) = needs.iter().find_map(|need| failed.get(need)) {
                candidate.run = Err(failure.clone());
                continue;
            }
            if needs.iter().all(|need| met.contains(need)) {
                continue;
            }
            if needs.iter().any(|need| matches!(need, Need::Code { .. })) {
                run.planned.request.mfa_code = self.code.take();
            }
            let Err(failure) = run.obtain() else {
                met.extend(needs);
                continue;
            };
            if failure.kind == FailureKind::Cancelled {
                return Err(failure);
            }
            // Where the shared part is done, only what comes after it failed: the others may do better.
            let left = run.needs().unwrap_or_default();
            let mut shared = Vec::new();
            for need in needs {
                let is_failed = match need {
                    Need::SignIn(_) => failure.is_shared || failure.kind == FailureKind::NeedsPerson,
                    Need::Code { .. } | Need::Program { .. } => left.contains(&need),
                };
                if is_failed {
                    shared.push(need);
                } else {
                    met.insert(need);
                }
            }
            let again = failure.again(candidate.profile.as_str());
            failed.extend(shared.into_iter().map(|need| (need, again.clone())));
            candidate.run = Err(failure);
        }
        Ok(())
    }

    /// A device gives one code in 30 seconds: says why several are needed.
    fn say_codes<'a>(&self, needs: impl Iterator<Item = &'a Need>) {
        let mut codes: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
        for need in needs {
            if let Need::Code { device, session } = need {
                codes.entry(device).or_default().insert(session);
            }
        }
        for (device, sessions) in codes.into_iter().filter(|(_, sessions)| sessions.len() > 1) {
            let count = sessions.len();
            self.world.output.note(&format!(
                "{count} MFA codes of {device} are needed, one for each role: one code serves all roles that a \
                 user's session can assume, for which the source profile must name the same `mfa_serial`, for 1 hour \
                 at most"
            ));
        }
    }
}

/// A directory that is removed at the end, and a key that is never written down. Without one, nothing is kept.
fn open_scratch() -> Option<(TempDir, CacheKey)> {
    let directory = tempfile::Builder::new().prefix("hatbox-").tempdir().ok()?;
    Some((directory, CacheKey::generate().ok()?))
}

/// What obtaining the credentials of a profile takes, as far as that is known without asking anyone.
pub(crate) struct Outlook {
    /// All is cached or at hand: nothing is called.
    pub(crate) is_ready: bool,
    pub(crate) needs: Vec<Need>,
}

impl PlanRun {
    /// What it takes; `None` where the store is locked.
    pub(crate) fn outlook(&mut self) -> Result<Option<Outlook>, Failure> {
        let plan = self.plan();
        if !plan.stages().any(|stage| plan.is_saved(stage)) {
            // What hatbox, run by a command, needs is not known here.
            let is_ready = !plan.base.is_command();
            return Ok(Some(Outlook { is_ready, needs: Vec::new() }));
        }
        let sessions = match self.sessions_if_known()? {
            Known::Sessions(sessions) => Some(sessions),
            Known::NoStore => None,
            Known::Locked => return Ok(None),
        };
        self.outlook_with(sessions.as_ref()).map(Some)
    }

    /// What must be done first for this profile and others alike, as far as that is not cached.
    fn needs(&mut self) -> Result<Vec<Need>, Failure> {
        let sessions = self.open_sessions()?;
        Ok(self.outlook_with(sessions.as_ref())?.needs)
    }

    fn outlook_with(&self, sessions: Option<&Sessions>) -> Result<Outlook, Failure> {
        // Whoever serves it identifies itself, and asks no one.
        if matches!(self.plan().base, Base::Metadata { .. }) {
            return Ok(Outlook { is_ready: false, needs: Vec::new() });
        }
        let from = match self.find_start(sessions)? {
            Start::Ready(_) => return Ok(Outlook { is_ready: true, needs: Vec::new() }),
            Start::From { stage, .. } => stage,
        };
        let plan = self.plan();
        let session_of = |stage| resolve_session_key(plan, stage).map(|key| key.as_bytes().to_vec());
        let need_of = |stage| match (stage, &plan.base) {
            (Stage::Base, Base::Sso { sso, .. }) => {
                let sso = &sso.value;
                Some(Need::SignIn(sso.session.clone().unwrap_or_else(|| sso.start_url.value.clone())))
            }
            (Stage::Base, Base::LoginSession { session, .. }) => Some(Need::SignIn(session.value.clone())),
            (Stage::Base, base) => {
                let (profile, session) = (base.call().map(|_| base.profile())?.clone(), session_of(stage)?);
                Some(Need::Program { profile, session })
            }
            (Stage::Step(_), _) => {
                let device = plan.stage_mfa(stage)?.serial.value.to_string();
                Some(Need::Code { device, session: session_of(stage)? })
            }
        };
        let needs = plan.stages().skip_while(|stage| *stage < from).filter_map(need_of).collect();
        Ok(Outlook { is_ready: false, needs })
    }
}
