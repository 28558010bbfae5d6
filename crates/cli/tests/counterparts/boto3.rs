//! boto3 with credentials from hatbox: from the environment, and from `credential_process`.

use hatbox_sandbox::control::{Fault, FaultKind};
use serde_json::Value;

use crate::python::Python;
use crate::scene::{Scene, succeeded};

/// Runs a script that prints one JSON value.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Prints the caller's ARN, the buckets, and the error of a denied call, as JSON.
pub(crate) const WHO_AND_WHAT: &str = r#"
import boto3, botocore, json
out = {"who": boto3.client("sts").get_caller_identity()["Arn"]}
s3 = boto3.client("s3")
out["buckets"] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
try:
    s3.put_object(Bucket="work-logs", Key="x", Body=b"x")
except botocore.exceptions.ClientError as error:
    out["put"] = error.response["Error"]["Code"]
print(json.dumps(out))
"#;

#[test]
fn boto3_has_the_role_and_is_denied_what_it_may_not() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let out =
        json(&succeeded(&mut scene.exec("security-auditor", &[&python.interpreter(), "-c", WHO_AND_WHAT])));
    let who = out["who"].as_str().unwrap();
    assert!(who.starts_with("arn:aws:sts::444455556666:assumed-role/security-auditor/"), "{who}");
    assert_eq!(out["buckets"], serde_json::json!(["work-archive", "work-logs", "work-terraform-state"]));
    assert_eq!(out["put"], "AccessDenied");
}

#[test]
fn boto3_knows_the_end_that_hatbox_gives() {
    const SCRIPT: &str = r#"
import boto3, json, sys
session = boto3.Session(profile_name="auditor-by-process")
who = session.client("sts").get_caller_identity()["Arn"]
# There is no public name for it.
end = session.get_credentials()._expiry_time
print(json.dumps({"who": who, "end": int(end.timestamp())}))
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let out = json(&succeeded(scene.home.command(python.interpreter()).args(["-c", SCRIPT])));
    assert!(out["who"].as_str().unwrap().contains(":assumed-role/security-auditor/"), "{out}");
    let given = &scene.calls("AssumeRole")[0];
    let end = given.at.as_second() + given.granted_seconds.unwrap();
    assert_eq!(out["end"].as_i64(), Some(end));
}

#[test]
fn boto3_asks_hatbox_again_before_the_end() {
    const SCRIPT: &str = r#"
import boto3
session = boto3.Session(profile_name="auditor-by-process")
for _ in range(2):
    session.client("sts").get_caller_identity()
"#;
    let Some(python) = Python::open() else { return };
    for (life, asked) in [(3600, 1), (120, 2)] {
        let scene = Scene::start();
        let action = Some("AssumeRole".to_owned());
        scene.add_fault(&Fault { kind: FaultKind::ShortLifeSeconds(life), times: Some(1), action });
        succeeded(scene.home.command(python.interpreter()).args(["-c", SCRIPT]));
        assert_eq!(scene.calls("AssumeRole").len(), asked, "with a first life of {life} s");
        assert!(scene.calls("GetCallerIdentity").iter().all(hatbox_sandbox::log::LogEntry::is_allowed));
    }
}
