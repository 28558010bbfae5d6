//! moto as a second opinion: another implementation of AWS accepts what hatbox signs, and rejects what is wrong.
//!
//! In its IAM mode it checks key ids, signatures, session tokens, the user that a trust policy names, external ids, and
//! which S3 calls a role may make. It does not implement GetSessionToken, so the tests use `--no-session`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Stdio};

use serde_json::Value;

use crate::boto3::WHO_AND_WHAT;
use crate::python::Python;
use crate::scene::{Home, shown, succeeded};

/// A moto server. It ends when its stdin closes, so also when the test is killed.
struct Moto {
    url: String,
    id: String,
    secret: String,
    child: Child,
    _stdin: ChildStdin,
}

impl Moto {
    fn start(python: &Python) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparts/python/moto_world.py");
        let mut child = std::process::Command::new(python.interpreter())
            .arg(script)
            // None of the caller's AWS settings.
            .env_clear()
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("moto says where it is");
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let stdin = child.stdin.take().unwrap();
        Self { url: text("url"), id: text("id"), secret: text("secret"), child, _stdin: stdin }
    }

    /// A home whose store has this access key.
    fn home(&self, id: &str, secret: &str) -> Home {
        let role = |profile: &str, name: &str, rest: &str| {
            format!(
                "[profile {profile}]\nregion = us-east-1\nsource_profile = jan\n\
                 role_arn = arn:aws:iam::123456789012:role/{name}\n{rest}"
            )
        };
        let config = [
            "[profile jan]\nregion = us-east-1\n".to_owned(),
            role("reader", "reader", ""),
            role("stranger", "stranger", ""),
            role("outside", "outside", "external_id = e-1\n"),
            role("outside-wrongly", "outside", "external_id = e-2\n"),
        ];
        Home::with_key(&config.concat(), ("jan", id, secret), &self.url, None)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn moto_gives_hatbox_the_role_and_takes_what_the_child_signs_with_it() {
    let Some(python) = Python::open() else { return };
    let moto = Moto::start(python);
    let home = moto.home(&moto.id, &moto.secret);
    for role in ["reader", "outside"] {
        let child = [python.interpreter(), "-c".to_owned(), WHO_AND_WHAT.to_owned()];
        let out = succeeded(home.hatbox(&["exec", "--no-session", role, "--"]).args(&child));
        let out: Value = serde_json::from_str(&out).unwrap();
        let session = format!("arn:aws:sts::123456789012:assumed-role/{role}/");
        assert!(out["who"].as_str().unwrap().starts_with(&session), "{out}");
        assert_eq!((&out["buckets"][0], &out["put"]), (&"work-logs".into(), &"AccessDenied".into()));
    }
    // The same with `export`. A changed token shows that moto does check it.
    let exported = succeeded(&mut home.hatbox(&["export", "--no-session", "--format=json", "reader"]));
    let exported: Value = serde_json::from_str(&exported).unwrap();
    let text = |name: &str| exported[name].as_str().unwrap().to_owned();
    for (token, is_taken) in [(text("SessionToken"), true), (format!("{}x", text("SessionToken")), false)] {
        let mut list = home.command(python.interpreter());
        list.args(["-c", "import boto3; print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'])"])
            .env("AWS_ACCESS_KEY_ID", text("AccessKeyId"))
            .env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_SESSION_TOKEN", token);
        assert_eq!(list.output().unwrap().status.success(), is_taken);
    }
}

#[test]
fn what_moto_refuses_runs_no_child() {
    let Some(python) = Python::open() else { return };
    let moto = Moto::start(python);
    let last = if moto.id.ends_with('Q') { "R" } else { "Q" };
    let unknown_id = format!("{}{last}", &moto.id[..moto.id.len() - 1]);
    let wrong_secret: String = moto.secret.chars().rev().collect();
    for (id, secret, profile, is_taken, why) in [
        (&moto.id, &moto.secret, "reader", true, "all is right"),
        (&unknown_id, &moto.secret, "reader", false, "moto did not make this key"),
        (&moto.id, &wrong_secret, "reader", false, "the secret is another"),
        (&moto.id, &moto.secret, "stranger", false, "the role trusts somebody else"),
        (&moto.id, &moto.secret, "outside-wrongly", false, "the external ID is another"),
    ] {
        let home = moto.home(id, secret);
        let ran = home.path().join("ran");
        let mut exec = home.hatbox(&["exec", "--no-session", profile, "--", "touch"]);
        let output = exec.arg(&ran).output().unwrap();
        let said = shown(&output);
        assert_eq!(
            (output.status.code(), ran.exists()),
            (Some(if is_taken { 0 } else { 125 }), is_taken),
            "{why}: {said}"
        );
        // The AWS SDK for Rust cannot parse moto's errors, so only the status is left.
        assert!(is_taken || said.contains("HTTP 403"), "{why}: {said}");
        assert!(said.contains(&moto.url), "an endpoint that is not AWS's is named: {said}");
    }
}

#[cfg(feature = "trust")]
#[test]
fn a_snapshot_of_motos_iam_holds_what_was_made_there() {
    let Some(python) = Python::open() else { return };
    let moto = Moto::start(python);
    let home = moto.home(&moto.id, &moto.secret);
    let kept = succeeded(&mut home.hatbox(&["trust", "snapshot", "--profile", "jan", "-o", "-"]));
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let account = &kept["accounts"][0];
    assert_eq!((&account["account"], &account["alias"]), (&"123456789012".into(), &"acme".into()));
    assert_eq!(account["mfa_devices"]["jan"][0], "arn:aws:iam::123456789012:mfa/jan");
    assert_eq!(account["roles"]["outside"]["max_session_duration"], 7200);
    let details = &account["details"];
    let jan = &details["UserDetailList"][0];
    assert_eq!((&jan["UserName"], &jan["GroupList"][0]), (&"jan".into(), &"ops".into()));
    let inline: Vec<_> = jan["UserPolicyList"].as_array().unwrap().iter().map(|p| &p["PolicyName"]).collect();
    assert_eq!(inline, ["assume", "look"]);
    let every = "arn:aws:iam::123456789012:policy/every";
    assert_eq!(details["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"], every);
    let policies = details["Policies"].as_array().unwrap();
    let policy = policies.iter().find(|policy| policy["Arn"] == every).unwrap();
    let document = &policy["PolicyVersionList"][0]["Document"];
    assert_eq!(document["Statement"][0]["Resource"], "arn:aws:s3:::work-*");
    let roles = details["RoleDetailList"].as_array().unwrap();
    let outside = roles.iter().find(|role| role["RoleName"] == "outside").unwrap();
    let condition = &outside["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(condition["StringEquals"]["sts:ExternalId"], "e-1");
    assert!(!kept.to_string().contains(&moto.secret));
}
