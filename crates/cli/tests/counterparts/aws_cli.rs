//! The real `aws`, version 1, with credentials from hatbox.

use hatbox_sandbox::control::{Fault, FaultKind};

use crate::python::Python;
use crate::scene::{Scene, failed, succeeded};

const AUDITOR: &str = "arn:aws:sts::444455556666:assumed-role/security-auditor/";
const WHO: [&str; 6] = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"];

fn with<'a>(aws: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(aws).chain(arguments.iter().copied()).collect()
}

#[test]
fn aws_has_the_role_that_was_asked_for() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let who = succeeded(&mut scene.exec("security-auditor", &with(&python.aws(), &WHO)));
    assert!(who.starts_with(AUDITOR), "{who}");
    let who = succeeded(&mut scene.exec("dev-infra-admin", &with(&python.aws(), &WHO)));
    assert!(who.starts_with("arn:aws:sts::444455556666:assumed-role/dev-infra-admin/"), "{who}");
}

#[test]
fn aws_makes_writes_lists_and_removes_as_the_admin() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    // Above 8 MiB `aws` uploads in parts.
    let large: Vec<u8> = (0..9 << 20).map(|n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    std::fs::write(scene.home.path().join("large"), &large).unwrap();
    let script = format!(
        "set -e; aws() {{ '{}' \"$@\"; }}
         aws s3 mb s3://work-new
         aws s3 cp --no-progress large s3://work-new/a/large
         echo short | aws s3 cp - s3://work-new/short
         aws s3 ls s3://work-new --recursive
         aws s3 cp --no-progress s3://work-new/a/large back
         aws s3 rm s3://work-new/short
         aws s3 rb s3://work-new && exit 9
         aws s3 rb --force s3://work-new
         aws s3 ls",
        python.aws()
    );
    let said = succeeded(&mut scene.exec("dev-infra-admin", &["sh", "-c", &script]));
    assert_eq!(std::fs::read(scene.home.path().join("back")).unwrap(), large);
    let listed =
        |name: &str| said.lines().any(|line| line.starts_with("20") && line.ends_with(&format!(" {name}")));
    assert!(listed("9437184 a/large") && listed("6 short"), "{said}");
    assert!(listed("work-archive") && listed("work-logs") && listed("work-terraform-state"), "{said}");
    assert!(!listed("work-new"), "{said}");
    assert!(!scene.calls("UploadPart").is_empty());
}

#[test]
fn aws_is_denied_what_the_auditor_may_not() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    std::fs::write(scene.home.path().join("x"), "x").unwrap();
    let copy = ["s3", "cp", "x", "s3://work-logs/x"];
    let (code, said) = failed(&mut scene.exec("security-auditor", &with(&python.aws(), &copy)));
    assert_eq!(code, 1, "the command's own code: {said}");
    assert!(said.contains("(AccessDenied)") && said.contains("s3:PutObject"), "{said}");
    let read = ["s3", "cp", "--quiet", "s3://work-logs/2024/05/01/app.log", "-"];
    let log = succeeded(&mut scene.exec("security-auditor", &with(&python.aws(), &read)));
    assert!(log.starts_with("10:00:00 app started"), "{log}");
}

#[test]
fn aws_runs_hatbox_as_its_credential_process() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let profile = ["--profile", "auditor-by-process"];
    let mut aws = scene.home.command(python.aws());
    let who = succeeded(aws.args(profile).args(WHO));
    assert!(who.starts_with(AUDITOR), "{who}");
    let mut aws = scene.home.command(python.aws());
    let (_, said) = failed(aws.args(profile).args(["s3", "mb", "s3://work-new"]));
    assert!(said.contains("(AccessDenied)"), "{said}");
    assert_eq!(scene.calls("AssumeRole").len(), 1, "the second run had the cached session");
}

#[test]
fn aws_sends_nothing_with_credentials_past_their_end() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let action = Some("AssumeRole".to_owned());
    scene.add_fault(&Fault { kind: FaultKind::ShortLifeSeconds(2), times: Some(1), action });
    let script = format!("sleep 3; exec '{}' {}", python.aws(), WHO.join(" "));
    let arguments = ["exec", "--no-session", "security-auditor", "--", "sh", "-c", &script];
    let (_, said) = failed(&mut scene.home.hatbox(&arguments));
    assert!(said.contains("expired"), "{said}");
    assert!(scene.calls("GetCallerIdentity").is_empty(), "`aws` read the expiration from the environment");
    // The next exec renews the credentials, and the call succeeds.
    succeeded(&mut scene.exec("security-auditor", &with(&python.aws(), &WHO)));
}
