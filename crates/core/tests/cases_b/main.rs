//! Runs every file of `tests/cases-b`: from profiles to the AWS calls, with several runs that share a cache. The
//! folder's README describes the format.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what only they call"
)]
#![expect(clippy::disallowed_methods, reason = "the pure crate reads no files, its test data are files")]

mod case;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use case::{Args, Case, Event};
use hatbox_core::cache::{
    CachedSession, DEFAULT_MIN_TTL, Reuse, SessionKey, Start, StartRules, StartSearch, resolve_session_key,
};
use hatbox_core::config::profile::{Sourced, StaticKeys};
use hatbox_core::config::{Config, Flags, Origin, Overrides};
use hatbox_core::plan::{
    Ambient, Base, Call, Lookup, Note, Plan, PlanError, PlanOptions, Sessions, Stage, Step, StoredKeys,
    resolve_plan,
};
use hatbox_types::duration::parse_duration;
use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};
use jiff::Timestamp;

#[test]
fn profiles_lead_to_the_calls_that_the_case_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases-b");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .collect();
    paths.sort();
    let mut failures = Vec::new();
    for path in &paths {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let case = Case::parse(&std::fs::read_to_string(path).unwrap());
        let mut world = World::new(&case);
        let mut runs = 0;
        for event in &case.events {
            let Some((args, expected)) = world.advance(event) else { continue };
            runs += 1;
            let actual = world.run(args).join("\n");
            let expected = expected.join("\n");
            if actual != expected {
                failures.push(format!(
                    "{name}: {}\n  run: {}\n--- expected\n{expected}\n--- actual\n{actual}\n",
                    case.why,
                    args.join(" ")
                ));
            }
        }
        assert!(runs > 0 && !case.why.is_empty(), "{name} has no runs or no reason");
    }
    assert!(paths.len() >= 50, "the case files are missing");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The state that runs of a case share: environment, time and cache.
struct World<'a> {
    case: &'a Case,
    env: BTreeMap<String, String>,
    now: Timestamp,
    cache: HashMap<SessionKey, CachedSession>,
}

impl<'a> World<'a> {
    fn new(case: &'a Case) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        Self { case, env: BTreeMap::new(), now, cache: HashMap::new() }
    }

    fn advance<'e>(&mut self, event: &'e Event) -> Option<(&'e [String], &'e [String])> {
        match event {
            Event::Set(name, value) => {
                self.env.insert(name.clone(), value.clone());
            }
            Event::Unset(name) => {
                self.env.remove(name);
            }
            Event::Wait(length) => self.now = self.now.checked_add(*length).unwrap(),
            Event::Run { args, expected } => return Some((args, expected)),
        }
        None
    }

    fn run(&mut self, args: &[String]) -> Vec<String> {
        let args = Args::parse(args);
        let keys = self.case.keys.iter().map(|name| {
            (
                ProfileName::parse(name).unwrap(),
                AccessKeyId::parse(&format!("{name:_<20}").replace(['-', '.'], "_")).unwrap(),
            )
        });
        let stored = StoredKeys::Known(keys.collect());
        let flags = Flags { duration: args.duration.clone(), ..Flags::default() };
        let overrides = Overrides::from_env(flags, |name| self.env.get(name).cloned());
        let options = PlanOptions {
            sessions: if args.no_session { Sessions::Skip } else { Sessions::Use },
            ambient: self.ambient(&overrides),
            ..PlanOptions::default()
        };
        let config = Config::parse(self.case.config.as_bytes(), "").unwrap();
        let mut lookup = Lookup::new(&config, &overrides);
        match resolve_plan(&args.profile, &mut lookup, &stored, &options) {
            Ok(mut plan) => {
                read_base(&mut plan.base);
                self.carry_out(&plan, &args)
            }
            Err(error) => error_lines(&error),
        }
    }

    fn ambient(&self, overrides: &Overrides) -> Ambient {
        let var = |name: &str| self.env.get(name).cloned();
        Ambient {
            keys: var("AWS_ACCESS_KEY_ID").map(|id| {
                let key = AccessKey::parse(&id, "secret")?;
                Ok(StaticKeys {
                    key,
                    session_token: var("AWS_SESSION_TOKEN").map(SecretString::new),
                    expires_at: None,
                })
            }),
            web_identity: overrides.ambient_web_identity.clone(),
            container_uri: var("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(|value| {
                let origin = Origin::Env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
                Sourced { value, origin }
            }),
            ..Ambient::default()
        }
    }

    /// Lists the calls that the program would make from this start, and saves their sessions.
    fn carry_out(&mut self, plan: &Plan, args: &Args) -> Vec<String> {
        let min_ttl =
            self.env.get("AWS_MIN_TTL").map_or(DEFAULT_MIN_TTL, |text| parse_duration(text).unwrap());
        let reuse = if args.fresh { Reuse::Nothing } else { Reuse::Cached };
        let mut search = StartSearch::new(plan, self.now, StartRules { min_ttl, reuse });
        while let Some(stage) = search.wanted() {
            search.give(resolve_session_key(plan, stage).and_then(|key| self.cache.get(&key).cloned()));
        }
        let (from, mut signer) = match search.into_start() {
            Start::Ready(_) => (None, "cached".to_owned()),
            Start::From { stage, source } => {
                (Some(stage), if source.is_some() { "cached".to_owned() } else { base_word(&plan.base) })
            }
        };
        let mut lines: Vec<String> = Vec::new();
        for stage in plan.stages().filter(|stage| from.is_some_and(|from| *stage >= from)) {
            let Some(call) = plan.stage_call(stage) else { continue };
            lines.push(call_line(plan, stage, &signer));
            signer = format!("call:{}", lines.len());
            self.save(plan, stage, call);
        }
        lines.push(format!("hands over {signer}"));
        lines.extend(plan.notes.iter().map(note_line));
        lines
    }

    fn save(&mut self, plan: &Plan, stage: Stage, call: Call) {
        let Some(key) = resolve_session_key(plan, stage) else {
            assert!(!plan.is_saved(stage), "{call:?}");
            return;
        };
        let asked = plan.stage_duration(stage);
        let length = asked.unwrap_or(Duration::from_hours(1));
        let session = CachedSession {
            credentials: SessionCredentials {
                access_key_id: AccessKeyId::parse("ASIATESTTESTTESTTEST").unwrap(),
                secret_access_key: SecretString::new("secret".to_owned()),
                session_token: SecretString::new("token".to_owned()),
                expires_at: self.now.checked_add(length).unwrap(),
            },
            call,
            profile: plan.stage_profile(stage).unwrap().clone(),
            obtained_at: self.now,
            asked,
            account: None,
        };
        self.cache.insert(key, session);
    }
}

fn base_word(base: &Base) -> String {
    let profile = base.profile();
    match base {
        Base::StoredKey { .. } => format!("key:{profile}"),
        Base::FileKeys { .. } => format!("file:{profile}"),
        Base::Environment { .. } => format!("env:{profile}"),
        _ => "nobody".to_owned(),
    }
}

fn call_line(plan: &Plan, stage: Stage, signer: &str) -> String {
    let step = match stage {
        Stage::Base => return base_line(&plan.base),
        Stage::Step(index) => &plan.steps[index],
    };
    let mut line = match step {
        Step::GetSessionToken(_) => format!("GetSessionToken by={signer}"),
        Step::GetFederationToken(_) => format!("GetFederationToken by={signer}"),
        Step::AssumeRole(role) => format!("AssumeRole by={signer} role={}", role.role.value),
    };
    let mut add = |name: &str, value: String| line.extend([" ", name, "=", &value]);
    add("duration", step.duration().value.as_secs().to_string());
    if let Some(mfa) = step.mfa() {
        add("mfa", mfa.serial.value.to_string());
        if let Some(process) = &mfa.process {
            add("code_by", process.value.clone());
        }
    }
    if let Step::AssumeRole(role) = step {
        let texts = [("session_name", &role.session_name), ("external_id", &role.external_id)];
        for (name, text) in texts {
            if let Some(text) = text {
                add(name, text.value.clone());
            }
        }
        if let Some(tags) = &role.tags {
            let pairs: Vec<_> = tags.value.iter().map(|(key, value)| format!("{key}={value}")).collect();
            add("tags", pairs.join(","));
        }
        if let Some(keys) = &role.transitive_tags {
            add("transitive", keys.value.join(","));
        }
        if let Some(identity) = &role.source_identity {
            add("source_identity", identity.value.clone());
        }
    }
    line
}

fn base_line(base: &Base) -> String {
    match base {
        Base::Sso { account_id, role_name, .. } => {
            format!(
                "GetRoleCredentials by=sso account={} permission_set={}",
                account_id.value, role_name.value
            )
        }
        Base::WebIdentity { role, duration, .. } => format!(
            "AssumeRoleWithWebIdentity by=nobody role={} duration={}",
            role.value,
            duration.value.as_secs()
        ),
        Base::CredentialProcess { command, .. } => format!("credential_process by={}", command.value),
        Base::Metadata { .. } => format!("{} by=machine", base.call().unwrap().label()),
        other => panic!("no call: {other:?}"),
    }
}

fn note_line(note: &Note) -> String {
    let profile = match note {
        Note::Capped { profile, .. }
        | Note::LengthNotOurs { profile, .. }
        | Note::RoleOfEnvironment { profile, .. }
        | Note::FileKeysDiffer { profile, .. }
        | Note::Shadowed { profile, .. }
        | Note::RoleOfSourceSkipped { profile, .. }
        | Note::OwnProcessSkipped { profile, .. }
        | Note::MfaUnused { profile, .. }
        | Note::NotSent { profile, .. }
        | Note::ReadOnlyForAgent { profile, .. }
        | Note::PlaintextKeys { profile, .. } => profile.as_str(),
        Note::StoreLocked => "-",
    };
    format!("note {} {profile}", note.kind())
}

fn error_lines(error: &PlanError) -> Vec<String> {
    let place = match error {
        PlanError::Config(error) => error.place(),
        other => other.origin().and_then(Origin::place),
    };
    let place = place.map(|place| format!("at line {}", place.line));
    let hint = error.hints().into_iter().next().map(|hint| format!("hint: {hint}"));
    std::iter::once(format!("error: {error}")).chain(place).chain(hint).collect()
}

/// Fills in what the program reads before it looks for cached sessions.
fn read_base(base: &mut Base) {
    match base {
        Base::Metadata { access_key_id, .. } => {
            *access_key_id = Some(AccessKeyId::parse("ASIASERVICESERVICE01").unwrap());
        }
        Base::WebIdentity { text, .. } => *text = Some(SecretString::new("token".to_owned())),
        _ => {}
    }
}
