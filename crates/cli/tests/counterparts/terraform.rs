//! terraform with its S3 backend and lock file, under `hatbox exec`. Nothing is downloaded: `terraform_data`
//! is built in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hatbox_sandbox::control::{Fault, FaultKind};

use crate::scene::{HATBOX, Scene, failed, succeeded};

fn has_terraform() -> bool {
    let has = Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1").output().is_ok();
    if !has {
        println!("skipped: terraform is not on PATH");
    }
    has
}

/// The block of docs/terraform.md that is the file `name`.
fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/terraform.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```hcl\n").skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<&str> = blocks.filter(|block| block.starts_with(&format!("# {name}\n"))).collect();
    assert_eq!(found.len(), 1, "docs/terraform.md has one block for {name}");
    found[0].to_owned()
}

/// A directory with this configuration, and terraform told where it is.
pub(crate) struct Project {
    directory: PathBuf,
}

impl Project {
    /// A project with the backend of the document and a provisioner; `None` without terraform, which is said.
    pub(crate) fn open(scene: &Scene, provisioner: &str) -> Option<Self> {
        let text = documented("one-role.tf");
        let input = "  input = \"kept in the state\"\n";
        assert!(text.contains(input), "{text}");
        Self::write(scene, &text.replace(input, &format!("{input}  {provisioner}\n")))
    }

    /// A project with this configuration; `None` without terraform, which is said.
    fn write(scene: &Scene, text: &str) -> Option<Self> {
        if !has_terraform() {
            return None;
        }
        let directory = scene.home.path().join("project");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("main.tf"), text).unwrap();
        Some(Self { directory })
    }

    /// `terraform` and its arguments, for a command line.
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

/// A child that does not outlive a test that fails.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "`{}` did not come", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn terraform_keeps_its_state_under_a_role_and_holds_its_lock() {
    let scene = Scene::start();
    let (begun, go) = (scene.home.path().join("begun"), scene.home.path().join("go"));
    // It ends too when the test has failed and its directory is gone.
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

#[test]
fn the_state_and_another_account_take_one_code_by_roles_that_terraform_assumes() {
    let scene = Scene::start();
    let Some(project) = Project::write(&scene, &documented("several-accounts.tf")) else { return };
    let code = scene.code();
    let exec = |words: &[String]| {
        let mut arguments = vec!["exec", "-t", &code, "jan-work", "--"];
        arguments.extend(words.iter().map(String::as_str));
        scene.home.hatbox(&arguments)
    };
    // What another team has in its state.
    let key = "network/terraform.tfstate";
    let state = r#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","outputs":{"vpc":{"value":"vpc-1","type":"string"}},"resources":[]}"#;
    std::fs::write(scene.home.path().join("state"), state).unwrap();
    let put = ["sandbox", "s3", "cp", "state", &format!("s3://work-terraform-state/{key}")];
    let hatbox: Vec<String> = [HATBOX].into_iter().chain(put).map(str::to_owned).collect();
    succeeded(&mut scene.exec("dev-infra-admin", &hatbox.iter().map(String::as_str).collect::<Vec<_>>()));
    succeeded(&mut exec(&project.command(&INIT)));
    let said = succeeded(&mut exec(&project.command(&APPLY)));
    assert!(said.contains("network = \"vpc-1\""), "{said}");
    assert_eq!(scene.calls("GetSessionToken").len(), 1, "one code for all of it");
    let roles: std::collections::BTreeSet<String> =
        scene.calls("AssumeRole").iter().filter_map(|entry| entry.resource.clone()).collect();
    assert!(roles.len() == 2, "{roles:?}");
}

/// A scene in which a role's session lasts 6 seconds, and an apply that takes a second longer.
fn start_outlived() -> Option<(Scene, Project)> {
    let scene = Scene::start();
    let provisioner = "provisioner \"local-exec\" {\n    command = \"sleep 7\"\n  }";
    let project = Project::open(&scene, provisioner)?;
    let action = Some("AssumeRole".to_owned());
    scene.add_fault(&Fault { kind: FaultKind::ShortLifeSeconds(6), times: None, action });
    succeeded(&mut project.exec(&scene, "dev-infra-admin", &INIT));
    Some((scene, project))
}

#[track_caller]
fn assert_finished(scene: &Scene, said: &str) {
    assert!(said.contains("Apply complete!"), "{said}");
    let world = hatbox_sandbox::world::load_world(&scene.place()).unwrap().unwrap();
    let keys: Vec<&String> = world.buckets["work-terraform-state"].objects.keys().collect();
    assert_eq!(keys, ["dev/terraform.tfstate"], "the state is there, the lock is not");
}

#[test]
fn terraform_finishes_and_unlocks_after_its_credentials_have_expired_by_credential_process() {
    let Some((scene, project)) = start_outlived() else { return };
    let words = project.command(&APPLY);
    let mut apply = scene.home.command(&words[0]);
    let said = succeeded(apply.args(&words[1..]).env("AWS_PROFILE", "admin-by-process"));
    assert_finished(&scene, &said);
    assert!(scene.calls("AssumeRole").len() >= 3, "assumed again at the end");
}

#[test]
fn terraform_cannot_save_its_state_after_its_credentials_in_the_environment_have_expired() {
    let Some((scene, project)) = start_outlived() else { return };
    let (_, said) =
        failed(&mut project.exec(&scene, "dev-infra-admin", &[&APPLY[..], &["-compact-warnings"]].concat()));
    assert!(said.contains("ExpiredToken"), "{said}");
}
