//! `hatbox sandbox demo`: the whole walk-through, played with real programs in a directory of its own.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_sandbox::world as demo_world;

use crate::errors::{Failure, FailureKind};
use crate::output::{BOLD, DIM, GOOD};
use crate::sys::files::{Keep, write_atomic};
use crate::sys::signals::Held;
use crate::world::World;

use super::player::{Expected, Player, Shown, Step, Typed};
use super::scene::{Scene, USER_PROFILE};
use super::tools::{Endpoint, S3Tool, Terraform, find_aws, find_terraform};

/// With its end, the whole takes less than 90 s.
const LIMIT: Duration = Duration::from_secs(85);
const BUCKETS: [&str; 3] = ["work-archive", "work-logs", "work-terraform-state"];

pub(super) fn run(world: &World) -> Result<(), Failure> {
    // Before the server's threads start, so that all of them inherit it; and put back after everything
    // is cleaned up: then a signal that came does its work.
    let held = Held::new();
    let directory = OwnDirectory::make(world)?;
    let result = play_all(world, &directory.path, &held);
    drop(directory);
    if held.is_one_pending() {
        world.output.note("the demo was stopped; its server and its directory are gone");
    }
    drop(held);
    let count = result?;
    Ok(world.output.data(&render_ending(world, count))?)
}

/// A directory for the time of the demo, closed to others, with a name that nobody can guess.
struct OwnDirectory {
    path: PathBuf,
}

impl OwnDirectory {
    fn make(world: &World) -> Result<Self, Failure> {
        let mut bytes = [0; 8];
        getrandom::getrandom(&mut bytes).map_err(|error| {
            Failure::new(FailureKind::Failed, "the system gives no random bytes").caused_by(&error)
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
        // A program that was just ended may still have been writing: the second try finds the rest.
        for _ in 0..2 {
            if std::fs::remove_dir_all(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Plays all steps, and says how many.
fn play_all(world: &World, directory: &Path, held: &Held) -> Result<usize, Failure> {
    let scene = Scene::open_empty(world, directory, held)?;
    let mut player = Player::new(world, &scene, LIMIT);
    let s3 = find_aws(&mut player, &scene)?;
    let terraform = find_terraform(&mut player, &scene)?;
    player.say(&render_opening(&scene, &s3, &terraform))?;
    make_files(&scene.home())?;
    let steps = story(&scene, &s3, &terraform)?;
    let count = steps.len();
    player.pause(Duration::from_secs(2))?;
    for step in steps {
        player.play(step, count)?;
    }
    Ok(count)
}

fn render_opening(scene: &Scene<'_>, s3: &S3Tool, terraform: &Terraform) -> String {
    let s3 = match s3 {
        S3Tool::Aws { version, endpoint: Endpoint::Variable } => {
            format!("`aws` {version} is on PATH, and is used.")
        }
        S3Tool::Aws { version, endpoint: Endpoint::Flag } => {
            format!("`aws` {version} is on PATH, and is used (with --endpoint-url: it is an old one).")
        }
        S3Tool::Own(why) => format!("{}: `hatbox sandbox s3` does its work.", capitalised(why)),
    };
    let terraform = match terraform {
        Terraform::Version(version) => format!("`terraform` {version} is on PATH, and is used."),
        Terraform::Absent(why) => format!("{}: its step is left out.", capitalised(why)),
    };
    format!(
        "{BOLD}hatbox, in a sandbox{BOLD:#}\n\
         A stand-in for AWS now runs at {url}. As AWS does, it checks\n\
         signatures, MFA codes, trust and identity policies. In it are one person, jan,\n\
         in the account {people}; two roles and three buckets in the account\n\
         {work}; and nothing of yours.\n\
         {s3}\n\
         {terraform}",
        url = scene.client().url(),
        people = demo_world::PEOPLE_ACCOUNT,
        work = demo_world::WORK_ACCOUNT,
    )
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// What the steps copy and apply.
fn make_files(home: &Path) -> Result<(), Failure> {
    let terraform = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket       = \"work-terraform-state\"\n    \
         key          = \"dev/terraform.tfstate\"\n    region       = \"{}\"\n    use_lockfile = true\n  }}\n}}\n\n\
         resource \"terraform_data\" \"hat\" {{\n  input = \"dev-infra-admin\"\n}}\n",
        demo_world::REGION
    );
    for (name, text) in [("report.txt", "all hats accounted for\n"), ("main.tf", terraform.as_str())] {
        write_atomic(&home.join(name), text.as_bytes(), Keep::Nothing)
            .map_err(|error| Failure::of_error(FailureKind::Failed, &error))?;
    }
    Ok(())
}

fn story(scene: &Scene<'_>, s3: &S3Tool, terraform: &Terraform) -> Result<Vec<Step>, Failure> {
    let key = scene.user_key()?;
    let s3 = s3.words(&scene.client().url());
    let exec = |profile: &str, words: &[&str]| -> Vec<String> {
        let own = ["hatbox", "exec", profile, "--"].into_iter().map(str::to_owned);
        own.chain(s3.iter().cloned()).chain(words.iter().map(|word| (*word).to_owned())).collect()
    };
    let hatbox = |words: &[&str]| -> Vec<String> {
        ["hatbox"].iter().chain(words).map(|word| (*word).to_owned()).collect()
    };
    let mut steps = vec![
        Step {
            remark: Some("The vault's passphrase is in a file here. You would be asked for yours, twice."),
            answers: vec![
                ("Access key id", Typed::Text(key.id.as_str().to_owned())),
                ("Secret access key", Typed::Hidden(key.secret.expose().to_owned())),
            ],
            ..step(
                "Jan's access key goes into the vault",
                hatbox(&["add", USER_PROFILE]),
                0,
                &["Added the access key"],
            )
        },
        step(
            "The profiles of ~/.aws/config, and whose key is here",
            hatbox(&["list"]),
            0,
            &[USER_PROFILE, "dev-infra-admin"],
        ),
        step(
            "What hatbox will do for a role that wants MFA, before it does it",
            hatbox(&["explain", "dev-infra-admin"]),
            0,
            &["1 MFA code", "GetSessionToken", "AssumeRole"],
        ),
        step(
            "The auditor's hat wants no MFA code: put it on, list the buckets",
            exec("security-auditor", &["ls"]),
            0,
            &BUCKETS,
        ),
        Step {
            answers: vec![("MFA code for", Typed::WrongCode), ("MFA code for", Typed::Code)],
            ..step(
                "The admin's hat wants one: first a wrong code, then the right one",
                exec("dev-infra-admin", &["cp", "report.txt", "s3://work-archive/report.txt"]),
                0,
                &["did not take that code", "upload: ./report.txt to s3://work-archive/report.txt"],
            )
        },
    ];
    if let Terraform::Version(_) = terraform {
        let words = |words: &[&str]| {
            hatbox(&[["exec", "dev-infra-admin", "--", "terraform"].as_slice(), words].concat())
        };
        steps.push(Step {
            shown: Shown::Counted,
            ..step(
                "The same hat for terraform. No code again: that session is kept, sealed",
                words(&["init", "-input=false"]),
                0,
                &["Successfully configured the backend \"s3\"", "successfully initialized"],
            )
        });
        steps.push(step(
            "And its apply: the state and its lock are objects in a bucket",
            words(&["apply", "-auto-approve", "-input=false"]),
            0,
            &["1 added, 0 changed, 0 destroyed"],
        ));
    }
    steps.extend([
        step(
            "The auditor may read. Writing is refused",
            exec("security-auditor", &["cp", "report.txt", "s3://work-archive/mine.txt"]),
            1,
            &["AccessDenied", "not authorized to perform: s3:PutObject"],
        ),
        step(
            "The admin's hat without MFA: its trust policy refuses",
            exec("dev-infra-admin-without-mfa", &["ls"]),
            125,
            &["AccessDenied", "not authorized to perform: sts:AssumeRole", "no MFA code was sent"],
        ),
        step(
            "AWS would not say why. The sandbox does: who was let in, who was not",
            hatbox(&["sandbox", "log", "--service", "sts"]),
            0,
            &[
                "the MFA code is not that of this half minute",
                "trust policy, statement 1: does not allow",
                "aws:MultiFactorAuthPresent",
            ],
        ),
    ]);
    Ok(steps)
}

fn step(caption: &str, command: Vec<String>, code: i32, texts: &[&str]) -> Step {
    Step {
        caption: caption.to_owned(),
        remark: None,
        command,
        answers: Vec::new(),
        expected: Expected { code, texts: texts.iter().map(|text| (*text).to_owned()).collect() },
        shown: Shown::All,
    }
}

fn render_ending(world: &World, count: usize) -> String {
    let hatbox = own_name(world);
    format!(
        "\n{GOOD}All {count} steps did what they say.{GOOD:#} The server is stopped, its directory is removed.\n\
         Now you:\n  \
         {hatbox} sandbox shell   {DIM}the same world, and your hands{DIM:#}\n  \
         {hatbox} add NAME        {DIM}your own access key{DIM:#}\n  \
         {hatbox} --help\n"
    )
}

/// How the viewer starts this program again: its name where PATH leads to it, else its path.
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
