//! boto3 and hatbox resolve the same profiles to the same identity, in 200 configs generated from a fixed seed.
//!
//! The generator leaves out what only one of them resolves: a `role_arn` without a source (boto3 refuses it, hatbox
//! uses the profile's other identity), and a `source_profile` without a role (boto3 ignores it, hatbox follows it as
//! aws-vault does). Session names differ, so the test compares roles. All configs share a home, in which the user has
//! signed in to Identity Center and with `hatbox login --session`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use hatbox_sandbox::control::TokenOrder;
use hatbox_sandbox::world::{
    AUDIENCE, ISSUER, JOB_ROLE, Key, PEOPLE_ACCOUNT, Role, START_URL, SUBJECT, USER, User, WORK_ACCOUNT,
    WORKER_ROLE, World, save_world,
};
use hatbox_sandbox::{CONTAINER_PATH, Options, Running, start};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::python::Python;
use crate::scene::{HATBOX, succeeded};

const CASES: u64 = 200;
/// A permission set whose role may assume the others.
const SET: &str = "Anything";

/// For each config, prints the caller identity under boto3 and under the credentials that hatbox returned.
const WHO: &str = r#"
import boto3, json, os, sys
def identity(session):
    arn = session.client("sts").get_caller_identity()["Arn"]
    return arn.rsplit("/", 1)[0] if ":assumed-role/" in arn else arn
out = []
for case in json.load(open(sys.argv[1])):
    os.environ["AWS_CONFIG_FILE"] = case["files"] + "/config"
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = case["files"] + "/credentials"
    try:
        own = identity(boto3.Session(profile_name="target"))
    except Exception as error:
        own = "error: " + type(error).__name__
    given = case["given"]
    if given is not None:
        given = identity(boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given.get("SessionToken")))
    out.append([own, given])
print(json.dumps(out))
"#;

/// A pseudo-random generator with the same numbers in each run.
struct Chance(u64);

impl Chance {
    /// True in `percent` of the cases.
    fn is(&mut self, percent: u64) -> bool {
        // The constants of Knuth's MMIX generator; its upper bits are more random than its lower ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % 100 < percent
    }
}

/// The sandbox, the access keys of its users by name, and the files that all configs refer to.
struct Stage {
    sandbox: Running,
    directory: tempfile::TempDir,
    keys: BTreeMap<&'static str, Key>,
    container_token: String,
}

impl Stage {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("box");
        let mut world = World::demo(&place).unwrap();
        let now = Timestamp::now();
        let policy =
            |statement: Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let all = policy(json!({ "Effect": "Allow", "Action": "sts:*", "Resource": "*" }));
        let mut keys = BTreeMap::new();
        for name in ["config", "credentials", "process", "environment"] {
            let key = world.mint_key(now).unwrap();
            let user = User {
                path: "/".to_owned(),
                user_id: format!("AIDA{name:A<17}").to_ascii_uppercase(),
                created_at: now,
                keys: vec![key.clone()],
                policies: [("all".to_owned(), all.clone())].into(),
                boundary: None,
                tags: BTreeMap::new(),
            };
            world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.insert(name.to_owned(), user);
            keys.insert(name, key);
        }
        let everyone = [PEOPLE_ACCOUNT, WORK_ACCOUNT].map(|account| format!("arn:aws:iam::{account}:root"));
        let trust =
            json!({ "Effect": "Allow", "Principal": { "AWS": everyone }, "Action": "sts:AssumeRole" });
        let roles = &mut world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles;
        for name in ["target", "s1", "s2"] {
            let role = Role {
                path: "/".to_owned(),
                role_id: "AROAAAAAAAAAAAAAAAAAA".to_owned(),
                created_at: now,
                trust: policy(trust.clone()),
                description: String::new(),
                policies: [("all".to_owned(), all.clone())].into(),
                boundary: None,
                max_session_seconds: 3600,
                tags: BTreeMap::new(),
            };
            roles.insert(name.to_owned(), role);
        }
        roles.get_mut("ci-deploy").unwrap().policies.insert("all".to_owned(), all.clone());
        let machine = world.machine.as_mut().unwrap();
        let container_token = machine.container_token.expose().to_owned();
        machine.new_role.as_mut().unwrap().policies.insert("all".to_owned(), all.clone());
        world.add_permission_set(SET, 3600, [("all".to_owned(), all.clone())].into());
        world.assign_permission_set(USER, WORK_ACCOUNT, SET);
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies.insert("all".to_owned(), all);
        save_world(&place, &world).unwrap();
        let sandbox = start(&Options { directory: place, port: 0 }).unwrap();
        let stage = Self { sandbox, directory, keys, container_token };
        let order = TokenOrder {
            issuer: ISSUER.to_owned(),
            subject: SUBJECT.to_owned(),
            audience: AUDIENCE.to_owned(),
            lifetime_seconds: 3600,
            claims: serde_json::Map::new(),
        };
        fs::write(stage.path("token"), stage.sandbox.client.mint_token(&order).unwrap()).unwrap();
        let key = &stage.keys["process"];
        let answer = json!({ "Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret.expose() });
        fs::write(stage.path("login"), format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs::set_permissions(stage.path("login"), fs::Permissions::from_mode(0o755)).unwrap();
        stage.sign_in();
        stage
    }

    /// Signs in to Identity Center, and as `aws login` does, like a user in a browser. Both hatbox and boto3 then find
    /// the sessions.
    fn sign_in(&self) {
        let files = self.path("sign-in");
        self.write_files(&files, &render_sso_session(), "");
        let browser = format!("{HATBOX} sandbox sign-in --dir {}", self.path("box"));
        for arguments in [
            &["sso", "login", "corp", "--pkce", "--share-sso-cache"][..],
            &["login", "--session", "--region", "us-east-1", "me"],
        ] {
            succeeded(self.hatbox(&files).args(arguments).env("HATBOX_BROWSER", &browser));
        }
    }

    fn write_files(&self, files: &str, config: &str, credentials: &str) {
        fs::create_dir_all(self.path("home/.aws")).unwrap();
        fs::create_dir_all(files).unwrap();
        fs::write(Path::new(files).join("config"), config).unwrap();
        fs::write(Path::new(files).join("credentials"), credentials).unwrap();
    }

    fn path(&self, below: &str) -> String {
        self.directory.path().join(below).display().to_string()
    }

    /// A command with the environment that both sides get, and nothing else.
    fn command(&self, program: &str) -> Command {
        let key = &self.keys["environment"];
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("AWS_ENDPOINT_URL", self.sandbox.url())
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}{CONTAINER_PATH}", self.sandbox.url()))
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", &self.container_token)
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose());
        command
    }

    /// hatbox with the config in these `files`.
    fn hatbox(&self, files: &str) -> Command {
        let mut command = self.command(HATBOX);
        command
            .env("AWS_CONFIG_FILE", Path::new(files).join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", Path::new(files).join("credentials"))
            .env("HATBOX_FILE_PASSPHRASE", "of no other store")
            .env("HATBOX_TEST_WORK_FACTOR", "10");
        command
    }

    /// Writes the files of a random case.
    fn write_case(&self, number: u64) -> String {
        let files = self.path(&format!("case-{number}"));
        let mut chance = Chance(number * 7919 + 1);
        let (mut config, mut credentials) = (render_sso_session(), String::new());
        for (name, source) in [("target", Some("s1")), ("s1", Some("s2")), ("s2", None)] {
            config.push_str(&format!("[profile {name}]\n"));
            let mut has_source = false;
            if chance.is(65) {
                let (by_token, by_environment) = (chance.is(25), chance.is(20));
                let role = format!("arn:aws:iam::{WORK_ACCOUNT}:role/{name}");
                config.push_str(&format!("role_arn = {}\n", if by_token { JOB_ROLE } else { &role }));
                if by_token {
                    config.push_str(&format!("web_identity_token_file = {}\n", self.path("token")));
                }
                match source {
                    Some(source) if !by_environment => {
                        config.push_str(&format!("source_profile = {source}\n"));
                    }
                    _ if chance.is(50) => config.push_str("credential_source = EcsContainer\n"),
                    _ => config.push_str("credential_source = Environment\n"),
                }
                has_source = true;
            }
            if chance.is(30) {
                config.push_str(&format!("credential_process = {}\n", self.path("login")));
                has_source = true;
            }
            if chance.is(20) {
                config.push_str(&format!(
                    "sso_session = corp\nsso_account_id = {WORK_ACCOUNT}\nsso_role_name = {SET}\n"
                ));
                has_source = true;
            }
            if chance.is(15) {
                config.push_str(&format!("login_session = arn:aws:iam::{PEOPLE_ACCOUNT}:user/{USER}\n"));
                has_source = true;
            }
            if chance.is(25) {
                credentials.push_str(&self.render_keys(&format!("[{name}]\n"), "credentials"));
                has_source = true;
            }
            // Some profiles have no identity: as a target they use the container's role, as a source they are an error.
            if chance.is(30) || (!has_source && chance.is(90)) {
                config.push_str(&self.render_keys("", "config"));
            }
        }
        self.write_files(&files, &config, &credentials);
        files
    }

    fn render_keys(&self, header: &str, user: &str) -> String {
        let key = &self.keys[user];
        let secret = key.secret.expose();
        format!("{header}aws_access_key_id = {}\naws_secret_access_key = {secret}\n", key.id)
    }

    /// The credentials that hatbox returns for the target, `None` when it fails, and its stderr.
    fn given(&self, files: &str) -> (Option<Value>, String) {
        let output = self.hatbox(files).args(["export", "--format", "json", "target"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap()), said)
    }
}

fn render_sso_session() -> String {
    format!(
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {START_URL}\n\
         sso_registration_scopes = sso:account:access\n"
    )
}

#[test]
fn boto3_and_hatbox_resolve_the_same_configs_to_the_same_identity() {
    let Some(python) = Python::open() else { return };
    let stage = Stage::start();
    let cases: Vec<String> = (0..CASES).map(|number| stage.write_case(number)).collect();
    let given: Vec<(Option<Value>, String)> = cases.iter().map(|files| stage.given(files)).collect();
    let asked = cases.iter().zip(&given).map(|(files, (given, _))| json!({ "files": files, "given": given }));
    fs::write(stage.path("cases.json"), json!(asked.collect::<Vec<_>>()).to_string()).unwrap();
    let mut run = stage.command(&python.interpreter());
    let answers: Vec<(String, Option<String>)> =
        serde_json::from_str(&succeeded(run.args(["-c", WHO, &stage.path("cases.json")]))).unwrap();
    let (mut met, mut resolved) = (BTreeSet::new(), 0);
    let mut failures = String::new();
    for ((files, (_, said)), (own, ours)) in cases.iter().zip(&given).zip(answers) {
        let is_same = match &ours {
            Some(ours) => *ours == own,
            None => own.starts_with("error: "),
        };
        if !is_same {
            let config = fs::read_to_string(Path::new(files).join("config")).unwrap();
            let keys = fs::read_to_string(Path::new(files).join("credentials")).unwrap();
            failures.push_str(&format!(
                "boto3: {own}\nhatbox: {ours:?}\n{said}{config}--- credentials\n{keys}\n"
            ));
        }
        resolved += usize::from(ours.is_some());
        met.extend(ours);
    }
    assert!(failures.is_empty(), "{failures}");
    let users = ["config", "credentials", "process", USER]
        .map(|user| format!("arn:aws:iam::{PEOPLE_ACCOUNT}:user/{user}"));
    let roles = ["target", "ci-deploy", WORKER_ROLE]
        .map(|role| format!("arn:aws:sts::{WORK_ACCOUNT}:assumed-role/{role}"));
    assert!(resolved >= 100, "only {resolved} configs lead to an identity");
    for identity in users.iter().chain(&roles) {
        assert!(met.contains(identity), "no config leads to {identity}: {met:?}");
    }
    let of_set = format!("arn:aws:sts::{WORK_ACCOUNT}:assumed-role/AWSReservedSSO_{SET}_");
    assert!(met.iter().any(|identity| identity.starts_with(&of_set)), "no config leads to {of_set}: {met:?}");
}
