//! `credential_process = hatbox export --format json PROFILE` under each SDK: with an MFA prompt on the terminal while
//! the SDK holds stdin, stdout and stderr, and without a terminal.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::python::Python;
use crate::scene::{Scene, failed, succeeded};
use crate::sdks::Sdk;
use crate::terraform::{INIT, Project};

const QUESTION: &str = "MFA code for arn:aws:iam::111122223333:mfa/jan:";

/// Each SDK that is installed, and the command that prints a profile's access key id or caller ARN.
fn sdks() -> Vec<(&'static str, Vec<String>)> {
    const BOTO3: &str = "import boto3; print(boto3.Session().get_credentials().access_key)";
    let mut found = Vec::new();
    if let Some(python) = Python::open() {
        found.push(("boto3", vec![python.interpreter(), "-c".to_owned(), BOTO3.to_owned()]));
        let words = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"].map(str::to_owned);
        found.push(("aws", [vec![python.aws()], words.to_vec()].concat()));
    }
    for (name, sdk, more) in [
        ("go", Sdk::go(), None),
        ("javascript", Sdk::javascript(), Some("process".to_owned())),
        ("java", Sdk::java(), None),
    ] {
        let words = |sdk: Sdk| {
            let program = sdk.program.display().to_string();
            [program].into_iter().chain(sdk.arguments).chain(more).collect()
        };
        found.extend(sdk.map(|sdk| (name, words(sdk))));
    }
    found
}

/// A command that uses a profile of the scene.
fn with_profile(scene: &Scene, profile: &str, program: &str, arguments: &[String]) -> Command {
    let mut command = scene.home.command(program);
    command.args(arguments).env("AWS_PROFILE", profile);
    command
}

/// Whether a program printed the id or the name of a session of the role.
fn is_of_role(scene: &Scene, printed: &str) -> bool {
    let world = hatbox_sandbox::world::load_world(&scene.place()).unwrap().unwrap();
    world.sessions.contains_key(printed.trim()) || printed.contains(":assumed-role/dev-infra-admin/")
}

#[test]
fn every_sdk_is_asked_for_the_code_on_the_terminal_while_hatbox_prints_to_its_pipe() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/python/on_terminal.py");
    for (name, words) in sdks() {
        let scene = Scene::start();
        let mut all = vec![script.display().to_string(), QUESTION.to_owned(), scene.code()];
        all.extend(words);
        let printed = succeeded(&mut with_profile(&scene, "admin-by-process", "python3", &all));
        assert!(is_of_role(&scene, &printed), "{name}: {printed}");
        let given: Vec<_> = scene.calls("GetSessionToken");
        assert!(given.len() == 1 && given[0].is_allowed(), "{name}: one code");
    }
}

#[test]
fn every_sdk_shows_what_to_do_where_there_is_no_terminal() {
    let sdks = sdks();
    if sdks.is_empty() {
        return;
    }
    let scene = Scene::start();
    for (name, words) in &sdks {
        let mut command = with_profile(&scene, "admin-by-process", &words[0], &words[1..]);
        without_terminal(&mut command);
        let (_, said) = failed(&mut command);
        assert!(
            said.contains("an MFA code of arn:aws:iam::111122223333:mfa/jan is needed"),
            "{name}: {said}"
        );
        assert!(said.contains("run it once on a terminal"), "{name}: {said}");
    }
    // Once the session is cached, there is no prompt.
    succeeded(&mut scene.exec("dev-infra-admin", &["true"]));
    for (name, words) in &sdks {
        let mut command = with_profile(&scene, "admin-by-process", &words[0], &words[1..]);
        without_terminal(&mut command);
        let printed = succeeded(&mut command);
        assert!(is_of_role(&scene, &printed), "{name}: {printed}");
    }
    assert_eq!(scene.calls("AssumeRole").len(), 1, "all of them used the cached session");
}

/// Its backend needs the credentials first.
#[test]
fn terraform_asks_on_the_terminal_too_and_without_one_shows_what_to_do() {
    let scene = Scene::start();
    let Some(project) = Project::open(&scene, "") else { return };
    let init = project.command(&INIT);
    let mut without = with_profile(&scene, "admin-by-process", &init[0], &init[1..]);
    without_terminal(&mut without);
    let (_, said) = failed(&mut without);
    for part in ["an MFA code of arn:aws:iam::111122223333:mfa/jan is needed", "run it once on a terminal"] {
        assert!(said.contains(part), "{said}");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/python/on_terminal.py");
    let all = [vec![script.display().to_string(), QUESTION.to_owned(), scene.code()], init].concat();
    let printed = succeeded(&mut with_profile(&scene, "admin-by-process", "python3", &all));
    assert!(printed.contains("successfully initialized"), "{printed}");
    let given = scene.calls("GetSessionToken");
    assert!(given.len() == 1 && given[0].is_allowed(), "one code");
}

#[expect(unsafe_code, reason = "what a child does between fork and exec is not checked by the compiler")]
fn without_terminal(command: &mut Command) {
    // SAFETY: setsid(2) is safe to call after fork (signal-safety(7)), and touches no memory.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(Into::into));
    }
}
