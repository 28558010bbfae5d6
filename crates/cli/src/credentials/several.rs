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
use super::old_sessions::OldSessions;
use super::plan::{Planned, Planning, render_notes};
use super::request::{SessionRequest, resolve_session};
use super::run::{Common, PlanRun};
use super::stage_cache::KnownSessions;
use crate::args::{GlobalArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::{KeyStore, SharedStore};
use crate::store::index::Index;
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::world::World;

/// More warnings than this hide each other.
const WARNINGS: usize = 10;

/// What the plans of several profiles are made from.
pub(crate) struct Several {
    world: World,
    files: Arc<ConfigFiles>,
    request: SessionRequest,
    store: SharedStore,
    /// `None` if the store is locked and must stay so.
    index: Option<Index>,
    common: Arc<Common>,
    /// `--mfa-token`, for the first call that needs a code.
    code: Option<MfaCode>,
    /// Where sessions are kept without a store, sealed under a key that exists only in memory.
    _scratch: Option<TempDir>,
}

/// A profile with its plan, or the reason why it has none.
pub(crate) struct Candidate {
    pub(crate) profile: ProfileName,
    pub(crate) run: Result<PlanRun, Failure>,
    /// Warnings about its settings.
    warnings: Vec<String>,
}

/// Work that profiles can share, which may involve the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A session that needs an MFA code.
    Code {
        /// The serial number of the device.
        device: String,
        session: Vec<u8>,
    },
    /// A sign-in to Identity Center or of `aws login`, by name.
    SignIn(String),
    /// The output of a profile's command.
    Program {
        /// The profile that names the program.
        profile: ProfileName,
        /// The session that it is cached as.
        session: Vec<u8>,
    },
}

impl Need {
    pub(crate) fn render(&self) -> String {
        match self {
            Self::Code { device, .. } => format!("an MFA code of {device}"),
            Self::SignIn(name) => format!("the sign-in to {name}"),
            Self::Program { profile, .. } => format!("the command of `{profile}`"),
        }
    }
}

impl Several {
    /// Opens the config and the store's index. With [`Interaction::Never`], a locked store stays locked.
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
            old: std::mem::take(&mut request.fresh).then(OldSessions::default),
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

    /// Lists all profiles: those of the files in their order, then those that only have a stored key. Omits a
    /// `[default]` without settings.
    pub(crate) fn names(&self) -> Vec<ProfileName> {
        let config = &self.files.config;
        let mut names = config.profile_names();
        names.retain(|name| !(name.is_default() && config.is_empty_profile(name)));
        let known: BTreeSet<_> = names.iter().cloned().collect();
        let stored = self.index.iter().flat_map(|index| &index.keys).map(|key| &key.profile);
        names.extend(stored.filter(|name| !known.contains(*name)).cloned());
        names
    }

    /// Returns the words of `hatbox_tags`. A profile with errors has none; its plan reports the errors.
    pub(crate) fn tags(&self, profile: &ProfileName) -> Vec<String> {
        resolve_tags(&self.files.config, profile).unwrap_or_default()
    }

    /// Suggests the nearest existing profile for an unknown name.
    pub(crate) fn nearest(&self, name: &str) -> Option<ProfileName> {
        self.files.config.nearest_profile(name)
    }

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

    /// Prints each warning about the settings of the profiles once.
    pub(crate) fn print_warnings(&self, candidates: &[Candidate]) {
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

    /// Checks the guards of each profile before anything is obtained. If a guard denies a profile, the error replaces
    /// its plan.
    ///
    /// # Errors
    /// If the user cancels a question.
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

    /// Obtains, one after the other, what several profiles share and what needs the user: sign-ins, and sessions with
    /// an MFA code. On failure, the error replaces the plan of each profile that needs the same thing, and no question
    /// is repeated.
    ///
    /// # Errors
    /// If the user cancels a question.
    pub(crate) fn ask(&mut self, candidates: &mut [Candidate]) -> Result<(), Failure> {
        let needs: Vec<_> = candidates
            .iter_mut()
            .map(|candidate| candidate.run.as_mut().ok().map(PlanRun::needs).transpose())
            .map(|needs| needs.map(Option::unwrap_or_default))
            .collect();
        self.explain_codes(needs.iter().filter_map(|needs| needs.as_ref().ok()).flatten());
        let mut users: BTreeMap<Need, usize> = BTreeMap::new();
        for need in needs.iter().filter_map(|needs| needs.as_ref().ok()).flatten() {
            *users.entry(need.clone()).or_default() += 1;
        }
        let mut met = BTreeSet::new();
        let mut failed: BTreeMap<Need, Failure> = BTreeMap::new();
        for (candidate, needs) in candidates.iter_mut().zip(needs) {
            let Ok(run) = &mut candidate.run else { continue };
            let needs: Vec<_> = match needs {
                // The command of a single profile can run together with the others.
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
            // If the shared part succeeded, a later part failed, and other profiles may still succeed.
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

    /// Explains why one device has to give several codes, which takes 30 seconds each.
    fn explain_codes<'a>(&self, needs: impl Iterator<Item = &'a Need>) {
        let mut codes: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
        for need in needs {
            if let Need::Code { device, session } = need {
                codes.entry(device).or_default().insert(session);
            }
        }
        for (device, sessions) in codes.into_iter().filter(|(_, sessions)| sessions.len() > 1) {
            let count = sessions.len();
            self.world.output.note(&format!(
                "{count} MFA codes of {device} are needed, one for each role: one code is enough if the \
                 source profile has the same `mfa_serial` and no role session lasts longer than 1 hour"
            ));
        }
    }
}

/// Creates a directory that is removed on exit, with a key that is never written to disk. On failure, nothing is kept.
fn open_scratch() -> Option<(TempDir, CacheKey)> {
    let directory = tempfile::Builder::new().prefix("hatbox-").tempdir().ok()?;
    Some((directory, CacheKey::generate().ok()?))
}

/// What it takes to obtain the credentials of a profile, as far as that is known without a question.
pub(crate) struct Outlook {
    /// Whether everything is cached or at hand, so that no call is needed.
    pub(crate) is_ready: bool,
    pub(crate) needs: Vec<Need>,
}

impl PlanRun {
    /// Returns `None` if the store is locked.
    pub(crate) fn outlook(&mut self) -> Result<Option<Outlook>, Failure> {
        let plan = self.plan();
        if !plan.stages().any(|stage| plan.is_saved(stage)) {
            // A command may run hatbox again, and what that needs is unknown.
            let is_ready = !plan.base.is_command();
            return Ok(Some(Outlook { is_ready, needs: Vec::new() }));
        }
        let sessions = match self.sessions_if_known()? {
            KnownSessions::Sessions(sessions) => Some(sessions),
            KnownSessions::NoStore => None,
            KnownSessions::Locked => return Ok(None),
        };
        self.outlook_with(sessions.as_ref()).map(Some)
    }

    /// Lists what this profile still needs that others may need too.
    fn needs(&mut self) -> Result<Vec<Need>, Failure> {
        let sessions = self.open_sessions()?;
        self.note_old_sessions(sessions.as_ref());
        Ok(self.outlook_with(sessions.as_ref())?.needs)
    }

    fn outlook_with(&self, sessions: Option<&Sessions>) -> Result<Outlook, Failure> {
        // A metadata service needs neither a key nor the user.
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
