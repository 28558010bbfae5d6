//! Runs each file of the core crate's `tests/cases-b` with the real binary, which makes the calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use hatbox_sandbox::CONTAINER_PATH;
use jiff::SignedDuration;

use crate::calls::Before;
use crate::cast::{CONTAINER_TOKEN, ENDLESS, ENDLESS_TOKEN};
use crate::fixture::Fixture;
use crate::run::Run;
use crate::sso::add_center;
use crate::sso_populate::sign_in_to;

#[expect(dead_code, reason = "what the plan test reads of a run's flags is passed on as it stands")]
#[path = "../../../core/tests/cases_b/case.rs"]
mod case;

use case::{Case, Event};

/// Keys in the config or environment of a case, not in the store.
const KEYS_ELSEWHERE: [&str; 3] = ["AKIAINFILE0000000000", "AKIAOTHERFILE0000000", "AKIAENVIRONMENT00000"];
/// Notes that are printed on each use; `explain` shows the others.
const WARNINGS: [&str; 3] = ["note capped ", "note length-not-ours ", "note file-keys-differ "];

#[test]
fn the_calls_of_the_case_files_are_those_that_the_sandbox_sees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/cases-b");
    let mut by_keys: BTreeMap<Vec<String>, Vec<(String, Case)>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "txt") {
            let case = Case::parse(&std::fs::read_to_string(&path).unwrap());
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            by_keys.entry(case.keys.clone()).or_default().push((name, case));
        }
    }
    // Creating a store takes a while, so cases with the same keys share one. Two groups run in parallel.
    let groups = Mutex::new(by_keys.into_iter().collect::<Vec<_>>());
    let (runs, failures) = (Mutex::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = groups.lock().unwrap().pop();
                    let Some((keys, mut cases)) = next else { return };
                    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
                    let names: Vec<&str> = keys.iter().map(String::as_str).chain(KEYS_ELSEWHERE).collect();
                    let stage = Stage::new(&names, &keys);
                    for (name, case) in &cases {
                        *runs.lock().unwrap() += stage.play(name, case, &failures);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(runs.into_inner().unwrap() >= 80, "the case files are not there");
}

/// A fixture for cases with the same stored keys, which run one after another.
struct Stage {
    fixture: Fixture,
    stored: Vec<String>,
}

impl Stage {
    fn new(names: &[&str], stored: &[String]) -> Self {
        let fixture = Fixture::empty_in(names, add_center);
        for profile in stored {
            fixture.add_run(profile, &["--no-add-config"]).run().ok();
        }
        Self { fixture, stored: stored.to_vec() }
    }

    /// Runs a case with an empty cache. Returns the number of its runs.
    fn play(&self, name: &str, case: &Case, failures: &Mutex<Vec<String>>) -> usize {
        self.fixture.hatbox(&["clear"]).run().ok();
        self.fixture.write_config(&self.with_real_keys(&case.config));
        // Sign in first, as the cases are about the later calls.
        if let Some(url) = case.config.lines().find_map(|line| line.strip_prefix("sso_start_url = ")) {
            sign_in_to(&self.fixture, url, &[]);
        }
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        let (mut since, mut runs) = (Instant::now(), 0);
        for event in &case.events {
            match event {
                Event::Set(name, value) => {
                    variables.insert(name.clone(), value.clone());
                }
                Event::Unset(name) => {
                    variables.remove(name);
                }
                Event::Wait(length) => {
                    // Subtract the time that the runs took, so that slow machines get the same result.
                    let passed = i64::try_from(since.elapsed().as_secs()).unwrap();
                    self.fixture.advance(i64::try_from(length.as_secs()).unwrap() - passed);
                    since = Instant::now();
                }
                Event::Run { args, expected } => {
                    runs += 1;
                    let actual = self.run(args, &variables, expected);
                    if actual != *expected {
                        failures.lock().unwrap().push(format!(
                            "{name}: {}\n  run: {}\n--- expected\n{}\n--- actual\n{}\n",
                            case.why,
                            args.join(" "),
                            expected.join("\n"),
                            actual.join("\n")
                        ));
                    }
                }
            }
        }
        runs
    }

    /// Runs hatbox and returns the result in the words of the case file. Includes those notes of `expected` that stderr
    /// confirms.
    fn run(&self, args: &[String], variables: &BTreeMap<String, String>, expected: &[String]) -> Vec<String> {
        let fixture = &self.fixture;
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let word = |line: &str, name: &str| {
            let value = line.split(' ').find_map(|word| word.strip_prefix(name))?;
            Some(value.to_owned())
        };
        let mut flags: Vec<String> = Vec::new();
        let asked = fixture.path("home/asked");
        std::fs::write(&asked, "").unwrap();
        if let Some(serial) = expected.iter().find_map(|line| word(line, "mfa=")) {
            let code = fixture.code(&serial);
            let process = expected.iter().find_map(|line| word(line, "code_by="));
            // An `mfa_process` is a script of this name, which records that it was called.
            for name in ["phone", "token"] {
                let answer = if process.as_deref() == Some(name) { code.as_str() } else { "not this one" };
                fixture.write_program(name, &format!("echo {name} >>'{}'; echo {answer}", asked.display()));
            }
            if process.is_none() {
                flags = vec!["-t".to_owned(), code];
            }
        }
        let based = self.write_base_programs();
        let mut run = fixture.hatbox(&words).args(flags);
        run = run.args(["--", "sh", "-c", "echo \"$AWS_ACCESS_KEY_ID\""]);
        run = self.with_metadata(run);
        for (name, value) in self.real_variables(variables) {
            run = run.env(&name, value);
        }
        let before = Before::now(fixture);
        let outcome = run.run();
        let calls = before.calls(fixture, &|id| self.name_of(id));
        let shown = fixture.shown(&outcome.stderr);
        if outcome.code() == Some(125) {
            assert!(calls.entries.is_empty(), "an error of the config comes before any call: {shown}");
            return error_lines(&shown);
        }
        if outcome.code() != Some(0) || calls.entries.iter().any(|entry| !entry.is_allowed()) {
            return vec![format!("{}: {shown}", outcome.status)];
        }
        let mut lines = calls.lines.clone();
        let id = outcome.stdout.trim();
        let handed = calls.word_of(id).or_else(|| self.name_of(id)).unwrap_or_else(|| "cached".to_owned());
        let asked = std::fs::read_to_string(asked).unwrap();
        for process in asked.lines() {
            let line = lines.iter_mut().find(|line| line.contains(" mfa=")).unwrap();
            line.push_str(&format!(" code_by={process}"));
        }
        lines.push(format!("hands over {handed}"));
        if !std::fs::read_to_string(&based).unwrap().is_empty() {
            lines = after_process(&lines);
        }
        lines.extend(expected.iter().filter(|line| is_note_said(line, &shown)).cloned());
        let warnings = shown.lines().filter(|line| line.starts_with("hatbox: warning: "));
        // About the file, not the plan.
        let warnings = warnings.filter(|line| !line.contains("AWS's own tools do not accept")).count();
        let wanted = expected.iter().filter(|line| WARNINGS.iter().any(|kind| line.contains(kind))).count();
        if warnings != wanted {
            lines.push(format!("{warnings} warnings: {shown}"));
        }
        lines
    }

    /// Makes `corp-login` print temporary credentials for an hour, and `oidc-token` a token. Returns the file that
    /// records their runs.
    fn write_base_programs(&self) -> PathBuf {
        let (fixture, based) = (&self.fixture, self.fixture.path("home/based"));
        let (key, now) = (fixture.key(ENDLESS), fixture.client().status().unwrap().now);
        let answer = serde_json::json!({
            "Version": 1,
            "AccessKeyId": key.id,
            "SecretAccessKey": key.secret.expose(),
            "SessionToken": ENDLESS_TOKEN,
            "Expiration": now.checked_add(SignedDuration::from_hours(1)).unwrap().to_string(),
        });
        std::fs::write(&based, "").unwrap();
        let script = format!("echo run >>'{}'; echo '{answer}'", based.display());
        fixture.write_program("corp-login", &script);
        let token = fixture.client().mint_token(&crate::web_identity::order()).unwrap();
        fixture.write_program("oidc-token", &format!("echo {token}"));
        std::fs::write(fixture.path("home/token"), token).unwrap();
        based
    }

    /// Adds the metadata of a machine with a role. A profile without an identity must not use it. The container's
    /// address is only set by cases that need it.
    fn with_metadata(&self, run: Run) -> Run {
        run.without("AWS_EC2_METADATA_DISABLED")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.fixture.client().url())
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
    }

    fn real_variables(&self, variables: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let mut real: Vec<_> = variables.clone().into_iter().collect();
        if variables.contains_key("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            let url = format!("{}{CONTAINER_PATH}", self.fixture.client().url());
            real.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), url));
        }
        if variables.contains_key("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let token = self.fixture.path("home/token").display().to_string();
            real.push(("AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(), token));
        }
        if variables.contains_key("AWS_ACCESS_KEY_ID") {
            let is_session = variables.contains_key("AWS_SESSION_TOKEN");
            let key = self.fixture.key(if is_session { ENDLESS } else { KEYS_ELSEWHERE[2] });
            if is_session {
                real.push(("AWS_SESSION_TOKEN".to_owned(), ENDLESS_TOKEN.to_owned()));
            }
            real.push(("AWS_ACCESS_KEY_ID".to_owned(), key.id.clone()));
            real.push(("AWS_SECRET_ACCESS_KEY".to_owned(), key.secret.expose().to_owned()));
        }
        real
    }

    /// Replaces the made-up ids and secrets in the config with those that this sandbox minted.
    fn with_real_keys(&self, config: &str) -> String {
        let mut secret = None;
        let mut text = String::new();
        for line in config.lines() {
            let line = match line.split_once(" = ") {
                Some(("aws_access_key_id", id)) => {
                    let name = id.trim_end_matches('_');
                    let key = self.fixture.keys().get(name);
                    secret = key.map(|key| key.secret.expose().to_owned());
                    format!("aws_access_key_id = {}", key.map_or(id, |key| &key.id))
                }
                Some(("aws_secret_access_key", made_up)) => {
                    format!("aws_secret_access_key = {}", secret.take().unwrap_or_else(|| made_up.to_owned()))
                }
                _ => line.to_owned(),
            };
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Returns the words for a long-lived key, by its id or the end of it.
    fn name_of(&self, id: &str) -> Option<String> {
        if id.ends_with("ASIAINFILE0000000000") {
            return Some("file:short".to_owned());
        }
        let (name, _) = self.fixture.keys().iter().find(|(_, key)| key.id.ends_with(id))?;
        Some(match name.as_str() {
            "AKIAINFILE0000000000" => "file:files".to_owned(),
            "AKIAOTHERFILE0000000" => "file:both".to_owned(),
            "AKIAENVIRONMENT00000" | ENDLESS => "env:ci".to_owned(),
            stored => {
                assert!(self.stored.iter().any(|key| key == stored));
                format!("key:{stored}")
            }
        })
    }
}

/// Returns the lines of a run that started with `corp-login`, which the sandbox does not see.
fn after_process(lines: &[String]) -> Vec<String> {
    let later = lines.iter().map(|line| {
        let word = |word: &str| {
            let (name, call) = word.rsplit_once("call:")?;
            Some(format!("{name}call:{}", call.parse::<usize>().unwrap() + 1))
        };
        let words =
            line.split(' ').map(|text| word(text).unwrap_or_else(|| text.replace("env:ci", "call:1")));
        words.collect::<Vec<_>>().join(" ")
    });
    std::iter::once("credential_process by=corp-login".to_owned()).chain(later).collect()
}

/// Extracts `error: TEXT`, `at line N` and the first `hint: TEXT`.
fn error_lines(stderr: &str) -> Vec<String> {
    let find = |start: &str| stderr.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned));
    let place = find("  --> ").map(|place| place.rsplit_once(':').unwrap().1.to_owned());
    [
        Some(format!("error: {}", find("hatbox: error: ").unwrap())),
        place.map(|line| format!("at line {line}")),
        find("hatbox: hint: ").map(|hint| format!("hint: {hint}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns whether stderr is right about a note: warnings are printed, and other notes are left to `explain`.
fn is_note_said(line: &str, stderr: &str) -> bool {
    let Some((kind, profile)) = line.strip_prefix("note ").and_then(|note| note.split_once(' ')) else {
        return false;
    };
    let names_it = |text: &str| {
        stderr.lines().any(|line| line.contains("warning: ") && line.contains(text) && line.contains(profile))
    };
    match kind {
        "capped" => names_it("gets 1h instead of"),
        "length-not-ours" => names_it("has no effect"),
        "file-keys-differ" => names_it("another access key"),
        _ => true,
    }
}
