//! Checks every profile's credential plan: reports plans that cannot work, and surprises in those that do.

use std::collections::{HashMap, HashSet};

use super::finding::{Finding, Findings, Topic};
use super::lines::included_profiles;
use crate::config::origin::{FileKind, Origin, Sourced};
use crate::config::overrides::Overrides;
use crate::config::profile::{Profile, WebIdentity};
use crate::config::{Config, ConfigError, Which, resolve_profile};
use crate::plan::command::own_process_profile;
pub use crate::plan::command::program_word;
use crate::plan::{
    Base, Lookup, MfaUnused, Note, NoteLevel, Plan, PlanError, PlanOptions, Signer, Step, StoredKeys,
    resolve_plan,
};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

/// Facts about the profiles that were collected on the way.
#[derive(Debug, Default)]
pub struct Profiles {
    /// The number of profiles in the files.
    pub count: usize,
    /// How many of them should have a plan: all but an empty `[default]`, and profiles that others include.
    pub expected: usize,
    /// How many of them have a plan.
    pub planned: usize,
    /// The profiles that need an MFA code from the user.
    pub asking: Vec<ProfileName>,
    /// The programs that the profiles name.
    pub programs: Vec<NamedProgram>,
    /// The files that the profiles name, with the key.
    pub files: Vec<(&'static str, Sourced<String>)>,
}

/// A program that a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProgram {
    /// The key, such as `mfa_process`.
    pub key: &'static str,
    /// The first word of the command.
    pub word: String,
    /// Where it is set.
    pub origin: Origin,
}

/// Resolves the plan of every profile in the files, ignoring flags and variables.
///
/// `config` should be prepared by [`Config::for_all_profiles`].
pub fn check_chains(
    config: &Config,
    stored: &StoredKeys,
    options: &PlanOptions,
    findings: &mut Findings,
) -> Profiles {
    let no_overrides = Overrides::default();
    let names = config.profile_names();
    let resolve =
        |name: &ProfileName| (name.clone(), resolve_profile(config, name, &no_overrides, Which::Target));
    let resolved = names.iter().map(resolve).collect();
    let mut check = Check {
        config,
        options,
        included: included_profiles(config),
        resolved: &resolved,
        plans: Vec::new(),
        loops: HashMap::new(),
        findings,
        profiles: Profiles::default(),
    };
    for name in &names {
        check.profiles.count += 1;
        check.check_settings(name);
        check.check_plan(name, stored);
    }
    check.check_process_loops();
    check.check_reliance();
    check.profiles
}

struct Check<'a> {
    config: &'a Config,
    options: &'a PlanOptions,
    included: HashSet<String>,
    resolved: &'a HashMap<ProfileName, Result<Profile, ConfigError>>,
    plans: Vec<Plan>,
    /// The loops found so far, with the line to blame: from each profile, a different line closes the loop.
    loops: HashMap<String, Origin>,
    findings: &'a mut Findings,
    profiles: Profiles,
}

impl<'a> Check<'a> {
    /// Returns a profile of the files, if it can be resolved.
    fn find(&self, name: &ProfileName) -> Option<&'a Profile> {
        self.resolved.get(name)?.as_ref().ok()
    }

    /// Checks the profile's own lines.
    fn check_settings(&mut self, name: &ProfileName) {
        let Some(profile) = self.find(name) else { return };
        let mut found = Vec::new();
        for warning in &profile.warnings {
            let finding = Finding::new(Topic::Config, warning.kind(), Level::Warning, warning.to_string());
            found.push(match warning.place() {
                Some(place) => finding.in_line(place).about(name),
                None => finding.about(name),
            });
        }
        if let Some(keys) = profile.static_keys.as_ref().filter(|keys| keys.value.session_token.is_none()) {
            found.push(plaintext_key(name, &keys.origin));
        }
        let named: Vec<_> = [
            ("credential_process", profile.credential_process.as_ref()),
            ("mfa_process", profile.mfa_process.as_ref()),
        ]
        .into_iter()
        .filter_map(|(key, said)| Some((key, said?.clone())))
        .collect();
        let web_identity = profile.web_identity.clone();
        self.findings.extend(found);
        for (key, Sourced { value, origin }) in named {
            self.add_program(key, &value, origin);
        }
        match web_identity {
            None => {}
            Some(Sourced { value: WebIdentity::Process(command), origin }) => {
                self.add_program("web_identity_token_process", &command, origin);
            }
            Some(Sourced { value: WebIdentity::File(path), origin }) => {
                self.profiles.files.push(("web_identity_token_file", Sourced { value: path, origin }));
            }
        }
    }

    fn add_program(&mut self, key: &'static str, command: &str, origin: Origin) {
        let own_name = self.options.own_name.as_deref();
        if own_process_profile(command, own_name).is_none()
            && let Some(word) = program_word(command)
        {
            self.profiles.programs.push(NamedProgram { key, word, origin });
        }
    }

    fn check_plan(&mut self, name: &ProfileName, stored: &StoredKeys) {
        let mut lookup = Lookup::of_resolved(self.config, self.resolved);
        match resolve_plan(name, &mut lookup, stored, self.options) {
            Ok(plan) => {
                self.profiles.expected += 1;
                self.profiles.planned += 1;
                self.check_notes(name, &plan);
                self.check_chained_device(&plan);
                if plan.stages().filter_map(|stage| plan.stage_mfa(stage)).any(|mfa| mfa.process.is_none()) {
                    self.profiles.asking.push(name.clone());
                }
                self.plans.push(plan);
            }
            Err(error) => {
                let found = self.finding_of(name, &error);
                self.profiles.expected += usize::from(found.is_some());
                self.findings.extend(found.map(|found| found.about(name)));
            }
        }
    }

    fn check_notes(&mut self, name: &ProfileName, plan: &Plan) {
        for note in &plan.notes {
            let level = match (note, note.level()) {
                // Reported for the key itself; without consequences; reported for the store.
                (Note::PlaintextKeys { .. } | Note::OwnProcessSkipped { .. } | Note::StoreLocked, _) => {
                    continue;
                }
                // Most roles need no MFA.
                (Note::MfaUnused { why: MfaUnused::RoleNamesNone, .. }, _) => Level::Info,
                (Note::MfaUnused { .. }, _) | (_, NoteLevel::Warning) => Level::Warning,
                (_, NoteLevel::Info) => Level::Info,
            };
            let found = Finding::new(Topic::Profiles, note.kind(), level, note.render_text()).about(name);
            let found = match note.origin() {
                Some(origin) => found.from_origin(origin),
                None => found,
            };
            // A fact that is only informative needs no fix.
            self.findings.push(if level == Level::Info { found.without_fix() } else { found });
        }
    }

    /// Finds a role that is assumed with another role's session, although its profile names an MFA device: no code of
    /// the device can ever reach that role, even if one is used earlier in the chain.
    fn check_chained_device(&mut self, plan: &Plan) {
        let roles = plan.steps.iter().filter(|step| matches!(step, Step::AssumeRole(_)));
        let after_first = usize::from(plan.base.signer() != Signer::Role);
        for step in roles.skip(after_first) {
            let name = step.profile().clone();
            let is_noted = |note: &Note| matches!(note, Note::MfaUnused { profile, .. } if *profile == name);
            if plan.notes.iter().any(is_noted) {
                continue;
            }
            let Some(profile) = self.find(&name) else { continue };
            let Some(serial) = profile.mfa_serial.clone() else { continue };
            let text = format!(
                "`mfa_serial` of `{name}` can have no effect: its role is assumed from another role's session, \
                 which cannot carry MFA"
            );
            let found = Finding::new(Topic::Profiles, "mfa-on-chained-role", Level::Warning, text);
            self.findings.push(found.from_origin(&serial.origin).about(&name));
        }
    }

    fn finding_of_loop(&mut self, id: &'static str, text: String, origin: &Origin) -> Finding {
        let origin = self.loops.entry(text.clone()).or_insert_with(|| origin.clone());
        Finding::new(Topic::Profiles, id, Level::Error, text).from_origin(origin)
    }

    fn finding_of(&mut self, name: &ProfileName, error: &PlanError) -> Option<Finding> {
        let found = |level, text: String| Finding::new(Topic::Profiles, error.kind(), level, text);
        let with_origin = |finding: Finding| match error.origin() {
            Some(origin) => finding.from_origin(origin),
            None => finding,
        };
        Some(match error {
            PlanError::Config(ConfigError::IncludeLoop { path, origin }) => {
                let text = format!("profiles include each other: {}", render_loop(path));
                self.finding_of_loop("include-loop", text, origin)
            }
            PlanError::Config(error) => finding_of_config(error),
            PlanError::SourceLoop { path, origin } => {
                let text = format!("source profiles form a loop: {}", render_loop(path));
                self.finding_of_loop(error.kind(), text, origin)
            }
            PlanError::ChainTooLong { .. } => {
                let text = "the profile has more than 100 source profiles in a row";
                found(Level::Error, text.to_owned())
            }
            PlanError::CredentialsMissing { profile, is_own_process_skipped, .. } => {
                // `[default]` may just contain a region, and included profiles are parts of others.
                if profile == name && (profile.is_default() || self.included.contains(profile.as_str())) {
                    return None;
                }
                let add = format!("hatbox add {}", quote_word(profile.as_str()));
                let finding = if *is_own_process_skipped {
                    let text = format!(
                        "the only source of credentials of `{profile}` is a `credential_process` that asks hatbox \
                         for `{profile}`"
                    );
                    Finding::new(Topic::Profiles, "own-process-only", Level::Error, text)
                } else {
                    let text =
                        format!("no access key is stored for `{profile}`, and it names no other source");
                    found(Level::Warning, text)
                };
                with_origin(finding).fixed_by(add)
            }
            PlanError::EnvironmentKeysMissing { .. } => {
                with_origin(found(Level::Info, error.to_string())).without_fix()
            }
            PlanError::SsoIncomplete { .. } => with_origin(found(Level::Warning, error.to_string())),
            PlanError::UnknownProfile { nearest: Some(nearest), .. } => {
                with_origin(found(Level::Error, format!("{error}; did you mean `{nearest}`?")))
            }
            _ => with_origin(found(Level::Error, error.to_string())),
        })
    }

    /// Finds profiles whose commands ask hatbox for each other in a loop.
    fn check_process_loops(&mut self) {
        let own_name = self.options.own_name.as_deref();
        let mut asks: HashMap<&ProfileName, (&Origin, ProfileName)> = HashMap::new();
        for plan in &self.plans {
            if let Base::CredentialProcess { command, .. } = &plan.base
                && let Some(profile) = own_process_profile(&command.value, own_name)
                && let Ok(profile) = ProfileName::parse(&profile)
            {
                asks.insert(&plan.profile, (&command.origin, profile));
            }
        }
        let mut found = Vec::new();
        let mut done: HashSet<&ProfileName> = HashSet::new();
        for start in self.plans.iter().map(|plan| &plan.profile) {
            let mut path: Vec<&ProfileName> = Vec::new();
            let mut on_path: HashSet<&ProfileName> = HashSet::new();
            let mut name = start;
            while let Some((origin, next)) = asks.get(name).filter(|_| !done.contains(name)) {
                path.push(name);
                on_path.insert(name);
                if on_path.contains(next) {
                    let path: Vec<_> =
                        path.iter().map(|name| (*name).clone()).chain([next.clone()]).collect();
                    let text =
                        format!("commands ask hatbox for each other's profiles: {}", render_loop(&path));
                    let finding = Finding::new(Topic::Profiles, "process-loop", Level::Error, text);
                    found.push(finding.from_origin(origin).about(start));
                    break;
                }
                name = next;
            }
            done.extend(path);
        }
        self.findings.extend(found);
    }

    /// Finds settings that aws-vault inherits from `[default]` and hatbox does not.
    fn check_reliance(&mut self) {
        let Some(default) = self.find(&ProfileName::default_profile()) else { return };
        if let Some(serial) = &default.mfa_serial {
            let text = "aws-vault takes `mfa_serial` of `[default]` for profiles that name no device; \
                        hatbox and the AWS CLI do not, so these use no MFA device";
            let names: Vec<_> = self.plans.iter().filter(|plan| is_without_device(plan)).collect();
            let names: Vec<_> = names.into_iter().map(|plan| plan.profile.clone()).collect();
            let names: Vec<_> = names.into_iter().filter(|name| self.names_no_device(name)).collect();
            self.push_reliance("relies-on-default-mfa", text, &serial.origin, &names);
        }
        if let Some(role) = &default.role_arn {
            let text = "aws-vault takes `role_arn` of `[default]` for profiles that name no role; hatbox and the \
                        AWS CLI do not, so these act as their own user";
            let is_bare = |plan: &&Plan| !plan.steps.iter().any(|step| matches!(step, Step::AssumeRole(_)));
            let plans = self.plans.iter().filter(is_bare).filter(|plan| !plan.profile.is_default());
            let keyed = plans.filter(|plan| plan.base.signer() == Signer::LongLivedKey);
            let names: Vec<_> = keyed.map(|plan| plan.profile.clone()).collect();
            self.push_reliance("relies-on-default-role", text, &role.origin, &names);
        }
    }

    fn names_no_device(&self, name: &ProfileName) -> bool {
        self.find(name).is_some_and(|profile| profile.mfa_serial.is_none())
    }

    fn push_reliance(&mut self, id: &'static str, text: &str, origin: &Origin, names: &[ProfileName]) {
        for name in names {
            let found = Finding::new(Topic::Profiles, id, Level::Warning, text);
            self.findings.push(found.from_origin(origin).about(name));
        }
    }
}

/// Whether no device is used in the plan of a user's key.
fn is_without_device(plan: &Plan) -> bool {
    !plan.profile.is_default()
        && plan.base.signer() == Signer::LongLivedKey
        && plan.stages().all(|stage| plan.stage_mfa(stage).is_none())
}

fn finding_of_config(error: &ConfigError) -> Finding {
    let text = match (error, error.nearest()) {
        // The same words as in the warning about the line.
        (ConfigError::BadLine { problem, .. }, _) => problem.to_string(),
        (ConfigError::IncludeDepth { limit, .. }, _) => {
            format!("more than {limit} profiles are included, one by another")
        }
        (_, Some(nearest)) => format!("{error}; did you mean `{nearest}`?"),
        (_, None) => error.to_string(),
    };
    let is_of_lines = matches!(error, ConfigError::BadLine { .. });
    let topic = if is_of_lines { Topic::Config } else { Topic::Profiles };
    let finding = Finding::new(topic, error.kind(), Level::Error, text);
    match (error.origin(), error.place()) {
        (Some(origin), _) => finding.from_origin(origin),
        (None, Some(place)) => finding.in_line(place),
        (None, None) => finding,
    }
}

fn plaintext_key(name: &ProfileName, origin: &Origin) -> Finding {
    let word = quote_word(name.as_str());
    let command = match origin.place().map(|place| place.file) {
        Some(FileKind::Credentials) => format!("hatbox import credentials {word}"),
        // `import` only handles the credentials file.
        _ => format!("hatbox add {word}"),
    };
    let text = format!("the access key of `{name}` is stored in plain text; any program you run can read it");
    Finding::new(Topic::Config, "plaintext-key", Level::Warning, text)
        .from_origin(origin)
        .fixed_by(command)
        .about(name)
}

/// Renders `a -> b -> a`, without the profiles that lead into the loop, and always from the same start.
fn render_loop(path: &[ProfileName]) -> String {
    let Some((last, before)) = path.split_last() else { return String::new() };
    let start = before.iter().position(|name| name == last).unwrap_or(0);
    let mut round: Vec<_> = before.iter().skip(start).collect();
    let least = (0..round.len()).min_by_key(|at| round.get(*at)).unwrap_or(0);
    round.rotate_left(least);
    let names = round.iter().chain(round.first()).map(|name| name.as_str());
    names.collect::<Vec<_>>().join(" -> ")
}
