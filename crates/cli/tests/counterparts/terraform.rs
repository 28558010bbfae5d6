//! terraform with its S3 backend and lock file, under `hatbox exec`. Nothing is downloaded: `terraform_data`
//! is built in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::scene::{Scene, failed, succeeded};

/// A directory with this configuration, and terraform told where it is.
pub(crate) struct Project {
    directory: PathBuf,
}

impl Project {
    /// A project in the scene's home; `None` without terraform, which is said.
    pub(crate) fn open(scene: &Scene, provisioner: &str) -> Option<Self> {
        if Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1").output().is_err() {
            println!("skipped: terraform is not on PATH");
            return None;
        }
        let directory = scene.home.path().join("project");
        std::fs::create_dir(&directory).unwrap();
        let text = format!(
            "terraform {{
               backend \"s3\" {{
                 bucket         = \"work-terraform-state\"
                 key            = \"dev/terraform.tfstate\"
                 region         = \"us-east-1\"
                 use_lockfile   = true
                 use_path_style = true
               }}
             }}
             resource \"terraform_data\" \"demo\" {{
               input = \"kept in the state\"
               {provisioner}
             }}
             "
        );
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

const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];
const APPLY: [&str; 4] = ["apply", "-input=false", "-no-color", "-auto-approve"];

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
