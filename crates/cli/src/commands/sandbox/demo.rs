//! `hatbox sandbox demo`: a tour of hatbox with real programs in a temporary directory.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_sandbox::world as demo_world;
use hatbox_types::secret::AccessKey;

use crate::args::{Pace, SandboxDemoArgs};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::output::{BOLD, DIM, GOOD};
use crate::sys::files::{Keep, write_atomic};
use crate::sys::signals::Held;
use crate::world::World;

use super::player::Player;
use super::scene::{Scene, USER_PROFILE};
use super::step::{Expected, Reading, Shown, Step, Typed};
use super::tools::{Endpoint, S3Tool, Terraform, find_aws, find_terraform};

/// How long its programs may take, without pauses for the viewer.
const LIMIT: Duration = Duration::from_secs(85);
const BUCKETS: [&str; 3] = ["work-archive", "work-logs", "work-terraform-state"];

/// The subject of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// Access keys, roles and MFA.
    Roles,
    /// A sign-in to IAM Identity Center.
    Sso,
}

pub(super) fn run(world: &World, args: &SandboxDemoArgs) -> Result<(), Failure> {
    let subject = if args.sso { Subject::Sso } else { Subject::Roles };
    // Created before the server's threads, which inherit the signal mask, and dropped after the cleanup, which delivers
    // any held signal.
    let held = Held::new();
    let directory = OwnDirectory::make(world)?;
    let result = play_all(world, args.pace, subject, &directory.path, &held);
    drop(directory);
    if held.is_one_pending() {
        world.output.note("the demo was stopped; its server is stopped and its directory removed");
    }
    drop(held);
    let count = result?;
    Ok(world.output.data(&render_ending(world, count))?)
}

/// A private directory for the duration of the demo, with a random name.
struct OwnDirectory {
    path: PathBuf,
}

impl OwnDirectory {
    fn make(world: &World) -> Result<Self, Failure> {
        let mut bytes = [0; 8];
        getrandom::getrandom(&mut bytes).map_err(|error| {
            Failure::new(FailureKind::Failed, "the operating system returned no random bytes")
                .caused_by(&error)
        })?;
        let name = format!("{:016x}", u64::from_ne_bytes(bytes));
        let parent = world.environment.raw("TMPDIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let path = parent.unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("hatbox-demo-{name}"));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            Failure::new(FailureKind::Failed, format!("could not create `{}`", path.display()))
                .caused_by(&error)
                .hint("TMPDIR=DIRECTORY hatbox sandbox demo")
        })?;
        Ok(Self { path })
    }
}

impl Drop for OwnDirectory {
    fn drop(&mut self) {
        // A killed program may have written once more during the first try.
        for _ in 0..2 {
            if std::fs::remove_dir_all(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Plays all steps and returns how many.
fn play_all(
    world: &World,
    pace: Pace,
    subject: Subject,
    directory: &Path,
    held: &Held,
) -> Result<usize, Failure> {
    let mut scene = Scene::open_empty(world, directory, held)?;
    if subject == Subject::Sso {
        // Opens the page, approves the request and follows the redirect.
        scene.set_variable(env_names::BROWSER.0, "hatbox sandbox sign-in");
    }
    let mut player = Player::new(world, &scene, pace, LIMIT);
    let s3 = find_aws(&mut player, &scene)?;
    let steps = if subject == Subject::Sso {
        player.print(&render_sso_opening(&scene, &s3))?;
        make_files(&scene.home())?;
        Vec::from(sso_steps(&s3.words(&scene.client().url())))
    } else {
        let terraform = find_terraform(&mut player, &scene)?;
        player.print(&render_opening(&scene, &s3, &terraform))?;
        make_files(&scene.home())?;
        story(&scene, &s3, &terraform)?
    };
    let count = steps.len();
    player.pause(Duration::from_secs(2))?;
    for step in steps {
        player.play(step, count)?;
    }
    Ok(count)
}

fn render_opening(scene: &Scene<'_>, s3: &S3Tool, terraform: &Terraform) -> String {
    let s3 = render_tool(s3);
    let terraform = match terraform {
        Terraform::Version(version) => format!("It uses the `terraform` {version} on PATH."),
        Terraform::Absent(why) => format!("{}, so its steps are skipped.", capitalised(why)),
    };
    format!(
        "{BOLD}A tour of hatbox, in a sandbox{BOLD:#}\n\
         A local server at {url} takes the place of AWS. It checks\n\
         signatures, MFA codes, trust policies and IAM policies as AWS does. It has a\n\
         user, jan, in account {people}, and two roles and three buckets in account\n\
         {work}. The demo does not use your own keys and settings.\n\
         {s3}\n\
         {terraform}",
        url = scene.client().url(),
        people = demo_world::PEOPLE_ACCOUNT,
        work = demo_world::WORK_ACCOUNT,
    )
}

fn render_sso_opening(scene: &Scene<'_>, s3: &S3Tool) -> String {
    format!(
        "{BOLD}Signing in to IAM Identity Center, in a sandbox{BOLD:#}\n\
         A local server at {url} takes the place of AWS and of its\n\
         sign-in page. In the place of the browser, `hatbox sandbox sign-in` presses\n\
         Allow on that page. The demo does not use your own keys and settings.\n\
         {s3}",
        url = scene.client().url(),
        s3 = render_tool(s3),
    )
}

fn render_tool(s3: &S3Tool) -> String {
    match s3 {
        S3Tool::Aws { version, endpoint: Endpoint::Variable } => {
            format!("It uses the `aws` {version} on PATH.")
        }
        S3Tool::Aws { version, endpoint: Endpoint::Flag } => {
            format!("It uses the `aws` {version} on PATH (an old one, so with --endpoint-url).")
        }
        S3Tool::Own(why) => format!("{}, so it uses `hatbox sandbox s3`.", capitalised(why)),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Creates the files that the steps copy and apply.
fn make_files(home: &Path) -> Result<(), Failure> {
    let terraform = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket       = \"work-terraform-state\"\n    \
         key          = \"dev/terraform.tfstate\"\n    region       = \"{}\"\n    use_lockfile = true\n  }}\n}}\n\n\
         resource \"terraform_data\" \"role\" {{\n  input = \"dev-infra-admin\"\n}}\n",
        demo_world::REGION
    );
    for (name, text) in [
        (
            "report.txt",
            "Nothing to report.
",
        ),
        ("main.tf", terraform.as_str()),
    ] {
        write_atomic(&home.join(name), text.as_bytes(), Keep::Nothing)?;
    }
    Ok(())
}

fn story(scene: &Scene<'_>, s3: &S3Tool, terraform: &Terraform) -> Result<Vec<Step>, Failure> {
    let s3 = s3.words(&scene.client().url());
    let mut steps = Vec::from(first_steps(&scene.user_key()?, &s3));
    if let Terraform::Version(_) = terraform {
        steps.extend(terraform_steps());
    }
    steps.extend(denied_steps(&s3));
    if cfg!(feature = "trust") {
        steps.push(dense(step(
            "Who can assume which role, and do they need MFA?",
            hatbox(&["trust", "graph", "--from", "live:jan-work", "--from", "live:security-auditor"]),
            0,
            &["dev-infra-admin", "security-auditor", "no MFA"],
        )));
    }
    Ok(steps)
}

/// Stores a key, and uses it with and without MFA.
fn first_steps(key: &AccessKey, s3: &[String]) -> [Step; 5] {
    [
        Step {
            remark: Some("The store's passphrase is in a file here. hatbox would ask for a new one, twice."),
            answers: vec![
                ("Access key id", Typed::Text(key.id.as_str().to_owned())),
                ("Secret access key", Typed::Hidden(key.secret.expose().to_owned())),
                ("Check the key with AWS?", Typed::Text("y".to_owned())),
            ],
            ..step(
                "Store the access key of jan, encrypted",
                hatbox(&["add", USER_PROFILE]),
                0,
                &["stored the access key"],
            )
        },
        step(
            "List the profiles of ~/.aws/config and the stored keys",
            hatbox(&["list"]),
            0,
            &[USER_PROFILE, "dev-infra-admin"],
        ),
        dense(step(
            "A role that requires MFA: what would hatbox do, and why?",
            hatbox(&["explain", "dev-infra-admin"]),
            0,
            &["1 MFA code", "GetSessionToken", "AssumeRole"],
        )),
        step(
            "Assume a role that does not require MFA, and list the buckets",
            exec("security-auditor", s3, &["ls"]),
            0,
            &BUCKETS,
        ),
        Step {
            answers: vec![("MFA code for", Typed::WrongCode), ("MFA code for", Typed::Code)],
            ..step(
                "Assume the role that requires MFA: first a wrong code, then the right one",
                exec("dev-infra-admin", s3, &["cp", "report.txt", "s3://work-logs/report.txt"]),
                0,
                &["rejected the code", "upload: ./report.txt to s3://work-logs/report.txt"],
            )
        },
    ]
}

fn terraform_steps() -> [Step; 2] {
    let terraform =
        |words: &[&str]| hatbox(&[["exec", "dev-infra-admin", "--", "terraform"].as_slice(), words].concat());
    [
        Step {
            shown: Shown::Counted,
            ..step(
                "The same role for terraform, without a code: the session is cached",
                terraform(&["init", "-input=false"]),
                0,
                &["Successfully configured the backend \"s3\"", "successfully initialized"],
            )
        },
        step(
            "terraform apply: the state and its lock are objects in a bucket",
            terraform(&["apply", "-auto-approve", "-input=false"]),
            0,
            &["1 added, 0 changed, 0 destroyed"],
        ),
    ]
}

/// Shows what AWS denies, and why.
fn denied_steps(s3: &[String]) -> [Step; 3] {
    [
        step(
            "security-auditor may only read: AWS denies writing",
            exec("security-auditor", s3, &["cp", "report.txt", "s3://work-archive/mine.txt"]),
            1,
            &["AccessDenied", "not authorized to perform: s3:PutObject"],
        ),
        dense(step(
            "A profile without an MFA device: AWS denies, hatbox finds the cause",
            exec("dev-infra-admin-without-mfa", s3, &["ls"]),
            125,
            &["AccessDenied", "not authorized to perform: sts:AssumeRole", "no MFA code was sent"],
        )),
        dense(step(
            "AWS does not say why it denies. The sandbox does, in its log",
            hatbox(&["sandbox", "log", "--service", "sts"]),
            0,
            &[
                "the MFA code is not that of this half minute",
                "trust policy, statement 1: does not allow",
                "aws:MultiFactorAuthPresent",
            ],
        )),
    ]
}

/// One sign-in for two roles, and what each can do.
fn sso_steps(s3: &[String]) -> [Step; 6] {
    let sign_in = &["sso", "login", "sandbox"];
    [
        step(
            "Sign in to the session `sandbox` of ~/.aws/config",
            hatbox(sign_in),
            0,
            &["signed in to `sandbox`"],
        ),
        step("List the buckets as ReadOnly", exec("work-read-only", s3, &["ls"]), 0, &BUCKETS),
        step(
            "Write as Developer: the same sign-in again",
            exec("work-developer", s3, &["cp", "report.txt", "s3://work-logs/report.txt"]),
            0,
            &["upload: ./report.txt to s3://work-logs/report.txt"],
        ),
        step(
            "ReadOnly may only read: AWS denies writing",
            exec("work-read-only", s3, &["cp", "report.txt", "s3://work-archive/mine.txt"]),
            1,
            &["AccessDenied", "not authorized to perform: s3:PutObject"],
        ),
        step("How long the sign-in lasts", hatbox(&["sso", "status"]), 0, &["sandbox"]),
        dense(step(
            "What hatbox asked Identity Center for",
            hatbox(&["sandbox", "log", "--service", "sso"]),
            0,
            &["sso:GetRoleCredentials", "jan by SSO", "ReadOnly is assigned", "Developer is assigned"],
        )),
    ]
}

/// The command `hatbox WORDS`.
fn hatbox(words: &[&str]) -> Vec<String> {
    ["hatbox"].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

/// The command `hatbox exec PROFILE -- aws s3 WORDS`, with the available S3 client.
fn exec(profile: &str, s3: &[String], words: &[&str]) -> Vec<String> {
    let s3: Vec<&str> = s3.iter().map(String::as_str).collect();
    hatbox(&[["exec", profile, "--"].as_slice(), &s3, words].concat())
}

/// Marks a step whose output takes time to read.
fn dense(step: Step) -> Step {
    Step { reading: Reading::Study, ..step }
}

fn step(caption: &str, command: Vec<String>, code: i32, texts: &[&str]) -> Step {
    Step {
        caption: caption.to_owned(),
        remark: None,
        command,
        answers: Vec::new(),
        expected: Expected { code, texts: texts.iter().map(|text| (*text).to_owned()).collect() },
        shown: Shown::All,
        reading: Reading::Glance,
    }
}

fn render_ending(world: &World, count: usize) -> String {
    let hatbox = own_name(world);
    format!(
        "\n{GOOD}All {count} steps went as described.{GOOD:#} The server is stopped and its directory removed.\n\
         Next:\n  \
         {hatbox} sandbox shell   {DIM}try it yourself, in the same sandbox{DIM:#}\n  \
         {hatbox} add NAME        {DIM}store your own access key{DIM:#}\n  \
         {hatbox} --help\n"
    )
}

/// Returns how the viewer can run this program: by name if it is in PATH, otherwise by its path.
fn own_name(world: &World) -> String {
    let Ok(own) = std::env::current_exe() else { return "hatbox".to_owned() };
    let on_path =
        crate::sys::exec::find_program(std::ffi::OsStr::new("hatbox"), world.environment.raw("PATH"));
    if on_path.ok().and_then(|path| path.canonicalize().ok()) == Some(own.clone()) {
        return "hatbox".to_owned();
    }
    let below = std::env::current_dir().ok().and_then(|here| Some(own.strip_prefix(here).ok()?.to_owned()));
    match below {
        Some(below) if below.components().count() == 1 => format!("./{}", below.display()),
        Some(below) => below.display().to_string(),
        None => own.display().to_string(),
    }
}
