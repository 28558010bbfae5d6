//! terraform with its S3 backend and lock file, under `hatbox exec`. Nothing is downloaded: `terraform_data`
//! is built in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::{ADMIN_ROLE, Bucket, PEOPLE_ACCOUNT, REGION, Role, USER, World};
use serde_json::{Value, json};

use crate::scene::{Background, HATBOX, Scene, failed, succeeded};

fn has_terraform() -> bool {
    let has = Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1").output().is_ok();
    if !has {
        println!("skipped: terraform is not on PATH");
    }
    has
}

/// The code block of docs/terraform.md for the file `name`.
fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/terraform.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```hcl\n").skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<&str> = blocks.filter(|block| block.starts_with(&format!("# {name}\n"))).collect();
    assert_eq!(found.len(), 1, "docs/terraform.md has one block for {name}");
    found[0].to_owned()
}

/// A directory with a Terraform configuration.
pub(crate) struct Project {
    directory: PathBuf,
}

impl Project {
    /// A project with the document's backend and a provisioner. `None` without terraform, which is printed.
    pub(crate) fn open(scene: &Scene, provisioner: &str) -> Option<Self> {
        let text = documented("one-role.tf");
        let input = "  input = \"kept in the state\"\n";
        assert!(text.contains(input), "{text}");
        Self::write(scene, &text.replace(input, &format!("{input}  {provisioner}\n")))
    }

    /// A project with this configuration. `None` without terraform, which is printed.
    fn write(scene: &Scene, text: &str) -> Option<Self> {
        if !has_terraform() {
            return None;
        }
        let directory = scene.home.path().join("project");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("main.tf"), text).unwrap();
        Some(Self { directory })
    }

    /// `terraform` and its arguments, as words of a command line.
    pub(crate) fn command<'a>(&'a self, arguments: &[&'a str]) -> Vec<String> {
        let chdir = format!("-chdir={}", self.directory.display());
        let words = ["terraform", &chdir].into_iter().chain(arguments.iter().copied());
        words.map(str::to_owned).collect()
    }

    fn exec(&self, scene: &Scene, profile: &str, arguments: &[&str]) -> Command {
        let words = self.command(arguments);
        scene.exec(profile, &words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

pub(crate) const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];
pub(crate) const APPLY: [&str; 4] = ["apply", "-input=false", "-no-color", "-auto-approve"];

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "`{}` did not appear", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn terraform_keeps_its_state_under_a_role_and_holds_its_lock() {
    let scene = Scene::start();
    let (begun, go) = (scene.home.path().join("begun"), scene.home.path().join("go"));
    // It also ends when the test has failed and its directory is gone.
    let (from, until) = (begun.display(), go.display());
    let wait = format!("touch '{from}'; while [ -e '{from}' ] && ! [ -e '{until}' ]; do sleep 0.05; done");
    let provisioner = format!("provisioner \"local-exec\" {{ command = \"{wait}\" }}");
    let Some(project) = Project::open(&scene, &provisioner) else { return };
    succeeded(&mut project.exec(&scene, "dev-infra-admin", &INIT));

    let mut first = project.exec(&scene, "dev-infra-admin", &APPLY);
    let mut first = Background(first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for(&begun);
    let (code, said) = failed(&mut project.exec(&scene, "dev-infra-admin", &APPLY));
    assert!(code == 1 && said.contains("Error acquiring the state lock"), "{code}: {said}");
    std::fs::write(&go, "").unwrap();
    assert!(first.0.wait().unwrap().success());

    let world = hatbox_sandbox::world::load_world(&scene.place()).unwrap().unwrap();
    let keys: Vec<&String> = world.buckets["work-terraform-state"].objects.keys().collect();
    assert_eq!(keys, ["dev/terraform.tfstate"], "the state is there, the lock is not");
    let state = succeeded(&mut project.exec(&scene, "dev-infra-admin", &["show", "-no-color"]));
    assert!(state.contains("kept in the state"), "{state}");
    let again = succeeded(&mut project.exec(&scene, "dev-infra-admin", &APPLY));
    assert!(again.contains("No changes."), "{again}");
    assert_eq!(scene.calls("GetSessionToken").len(), 1, "one code for all of it");
}

#[test]
fn terraform_is_denied_the_lock_as_the_auditor() {
    let scene = Scene::start();
    let Some(project) = Project::open(&scene, "") else { return };
    succeeded(&mut project.exec(&scene, "security-auditor", &INIT));
    let (_, said) = failed(&mut project.exec(&scene, "security-auditor", &APPLY));
    assert!(said.contains("AccessDenied") && said.contains("s3:PutObject"), "{said}");
    let read_only = ["plan", "-input=false", "-no-color", "-lock=false"];
    let plan = succeeded(&mut project.exec(&scene, "security-auditor", &read_only));
    assert!(plan.contains("1 to add"), "{plan}");
}

#[test]
fn what_the_document_shows_is_terraforms_own_style() {
    if !has_terraform() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for name in ["one-role.tf", "several-accounts.tf", "providers.tf"] {
        std::fs::write(directory.path().join(name), documented(name)).unwrap();
    }
    let mut fmt = Command::new("terraform");
    succeeded(fmt.args(["fmt", "-check", "-diff"]).current_dir(&directory).env("CHECKPOINT_DISABLE", "1"));
}

/// The document's role in the users' account, and one that writes what that role reads.
const NETWORK_READER: &str = "arn:aws:iam::111122223333:role/network-reader";
const NETWORK_ADMIN: &str = "arn:aws:iam::111122223333:role/network-admin";

/// Adds roles and a bucket to the users' account, like those of the work account.
fn add_network(world: &mut World) {
    let policy = |statement: Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let created_at = world.buckets["work-terraform-state"].created_at;
    let account = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
    let trust = policy(json!({
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{PEOPLE_ACCOUNT}:user/{USER}") },
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
    }));
    for (arn, actions) in [(NETWORK_READER, json!(["s3:Get*", "s3:List*"])), (NETWORK_ADMIN, json!("s3:*"))] {
        let s3 = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        let role = Role {
            path: "/".to_owned(),
            role_id: "AROAAAAAAAAAAAAAAAAAA".to_owned(),
            created_at,
            trust: trust.clone(),
            description: String::new(),
            policies: [("s3".to_owned(), policy(s3))].into(),
            boundary: None,
            max_session_seconds: 3600,
            tags: BTreeMap::new(),
        };
        account.roles.insert(arn.rsplit('/').next().unwrap().to_owned(), role);
    }
    let bucket = Bucket {
        account: PEOPLE_ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        created_at,
        objects: BTreeMap::new(),
    };
    world.buckets.insert("people-terraform-state".to_owned(), bucket);
}

/// The S3 backend assumes roles with the same code as the AWS provider, which no package registry has.
#[test]
fn one_code_is_enough_for_a_backend_and_a_state_in_two_accounts_by_roles_that_terraform_assumes() {
    let scene = Scene::start_in(add_network);
    let Some(project) = Project::write(&scene, &documented("several-accounts.tf")) else { return };
    let code = scene.code();
    let exec = |flags: &[&str], words: &[&str]| {
        let mut exec = scene.home.hatbox(&["exec", "-t", &code]);
        exec.args(flags).args(["jan-work", "--"]).args(words);
        succeeded(&mut exec)
    };
    let terraform = |words: &[&str]| {
        let words = project.command(words);
        exec(&[], &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // Another team's state.
    let state = r#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","outputs":{"vpc":{"value":"vpc-1","type":"string"}},"resources":[]}"#;
    std::fs::write(scene.home.path().join("state"), state).unwrap();
    let place = "s3://people-terraform-state/network/terraform.tfstate";
    exec(&["--role-arn", NETWORK_ADMIN], &[HATBOX, "sandbox", "s3", "cp", "state", place]);
    let before = scene.log().len();
    terraform(&INIT);
    let said = terraform(&APPLY);
    assert!(said.contains("network = \"vpc-1\""), "{said}");
    assert_eq!(scene.calls("GetSessionToken").len(), 1, "one code for all of it");
    let log = scene.log().split_off(before);
    let roles: BTreeSet<&str> = log
        .iter()
        .filter(|entry| entry.action == "AssumeRole")
        .filter_map(|entry| entry.resource.as_deref())
        .collect();
    assert_eq!(roles, BTreeSet::from([ADMIN_ROLE, NETWORK_READER]));
}

/// A scene in which a role's session lasts `life` seconds, and `terraform apply` takes `work` seconds.
pub(crate) fn start_outlived(life: i64, work: u32) -> Option<(Scene, Project)> {
    let scene = Scene::start();
    let provisioner = format!("provisioner \"local-exec\" {{\n    command = \"sleep {work}\"\n  }}");
    let project = Project::open(&scene, &provisioner)?;
    let action = Some("AssumeRole".to_owned());
    scene.add_fault(&Fault { kind: FaultKind::ShortLifeSeconds(life), times: None, action });
    succeeded(&mut project.exec(&scene, "dev-infra-admin", &INIT));
    Some((scene, project))
}

#[track_caller]
pub(crate) fn assert_finished(scene: &Scene, said: &str) {
    assert!(said.contains("Apply complete!"), "{said}");
    let world = hatbox_sandbox::world::load_world(&scene.place()).unwrap().unwrap();
    let keys: Vec<&String> = world.buckets["work-terraform-state"].objects.keys().collect();
    assert_eq!(keys, ["dev/terraform.tfstate"], "the state is there, the lock is not");
}

fn check_credential_process(life: i64, work: u32) {
    let Some((scene, project)) = start_outlived(life, work) else { return };
    let before = scene.calls("AssumeRole").len();
    let words = project.command(&APPLY);
    let mut apply = scene.home.command(&words[0]);
    let said = succeeded(apply.args(&words[1..]).env("AWS_PROFILE", "admin-by-process"));
    assert_finished(&scene, &said);
    assert!(scene.calls("AssumeRole").len() >= before + 2, "assumed again at the end");
}

#[test]
fn terraform_finishes_and_unlocks_after_its_credentials_have_expired_by_credential_process() {
    check_credential_process(6, 7);
}

#[test]
#[ignore = "takes 90 seconds: cargo test --test counterparts -- --ignored apply_of_90_seconds"]
fn an_apply_of_90_seconds_outlives_credentials_of_30_by_credential_process() {
    check_credential_process(30, 90);
}

#[test]
fn terraform_cannot_save_its_state_after_its_credentials_in_the_environment_have_expired() {
    let Some((scene, project)) = start_outlived(6, 7) else { return };
    let (_, said) =
        failed(&mut project.exec(&scene, "dev-infra-admin", &[&APPLY[..], &["-compact-warnings"]].concat()));
    assert!(said.contains("ExpiredToken"), "{said}");
}
