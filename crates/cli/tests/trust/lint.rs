//! `trust lint`: its inputs (files, directories, stdin, sources), its exit codes, and errors for inputs that it cannot
//! read.

use std::fs;

use serde_json::Value;

use super::{hatbox, sources};

const GOOD: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}"#;

fn open() -> String {
    GOOD.replace("\"Bool\"", "\"BoolIfExists\"")
}

#[test]
fn the_exit_code_reports_findings_at_least_as_bad_as_asked() {
    let missing = GOOD.replace(r#", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#, "");
    for (policy, arguments, code) in [
        (GOOD, &[][..], 0),
        (&open(), &[], 5),
        (&missing, &[], 0),
        (&missing, &["--fail-on", "warning"], 5),
        (GOOD, &["--fail-on", "info"], 0),
    ] {
        let ran = hatbox(&[&["trust", "lint", "-"], arguments].concat(), policy.as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{arguments:?} {}", ran.stdout);
    }
    let ran = hatbox(&["trust", "lint"], b"");
    assert!(ran.code == 2 && ran.stderr.contains("no trust policy is given"), "{}", ran.stderr);
}

#[test]
fn who_calls_and_what_the_request_holds_can_be_said() {
    let policy = GOOD.replace(
        "\"Bool\"",
        r#""StringEquals": {"sts:ExternalId": "x", "sts:RoleSessionName": "ci"}, "Bool""#,
    );
    let admits = |arguments: &[&str]| {
        let ran =
            hatbox(&[&["trust", "lint", "--format", "json", "-"], arguments].concat(), policy.as_bytes());
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        (
            json["admits"]["access-keys+mfa"].as_str().unwrap().to_owned(),
            json["mfa"].as_str().unwrap().to_owned(),
        )
    };
    let told = ["--context", "sts:ExternalId=x", "--role-session-name", "ci"];
    assert_eq!(admits(&[]), ("depends".into(), "required".into()), "as in the text");
    assert_eq!(admits(&told), ("yes".into(), "required".into()));
    let bob = ["--caller", "arn:aws:iam::444455556666:user/bob"];
    assert_eq!(admits(&[&told[..], &bob].concat()), ("no".into(), "unsatisfiable".into()));
    let ran = hatbox(&["trust", "lint", "-", "--caller", "bob"], policy.as_bytes());
    assert_eq!(ran.code, 2);
    let ran = hatbox(&["trust", "lint", "-", "--context", "x"], policy.as_bytes());
    assert_eq!(ran.code, 2);
}

#[test]
fn a_policy_that_cannot_be_read_is_named_with_its_place_and_the_others_are_judged() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("more")).unwrap();
    fs::write(path("a.json"), GOOD).unwrap();
    fs::write(path("b.json"), "{\n  \"Statement\": [,]}").unwrap();
    fs::write(path("c.json"), b"{\n\"\xff\"}").unwrap();
    fs::write(path("more/d.json"), open()).unwrap();
    fs::write(path("notes.txt"), "no policy").unwrap();
    let ran = hatbox(&["trust", "lint", "--format", "json", directory.path().to_str().unwrap()], b"");
    assert_eq!(ran.code, 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mfa: Vec<_> = json["policies"].as_array().unwrap().iter().map(|one| one["mfa"].as_str()).collect();
    assert_eq!(mfa, [Some("required"), None, None, Some("not-required")]);
    for (place, problem) in [("b.json:2:17", "expected a value"), ("c.json:2:2", "not UTF-8")] {
        assert!(ran.stderr.contains(place) && ran.stderr.contains(problem), "{}", ran.stderr);
    }
}

#[test]
fn roles_of_a_plan_are_judged_and_what_is_unknown_until_apply_is_said() {
    let plan = format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {{"root_module": {{}}}},
        "resource_changes": [
          {{"address": "aws_iam_role.ops", "mode": "managed", "type": "aws_iam_role", "name": "ops",
            "change": {{"actions": ["create"], "before": null,
              "after": {{"name": "Ops", "assume_role_policy": {}}}, "after_unknown": {{"arn": true}}}}}},
          {{"address": "aws_iam_role.new", "mode": "managed", "type": "aws_iam_role", "name": "new",
            "change": {{"actions": ["create"], "before": null,
              "after": {{"name": "New"}}, "after_unknown": {{"arn": true, "assume_role_policy": true}}}}}}]}}"#,
        Value::from(open())
    );
    let ran = hatbox(&["trust", "lint", "--from", "-"], plan.as_bytes());
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("aws_iam_role.ops: who can assume this role\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("error[mfa-ifexists] statement 1, Condition.BoolIfExists\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("aws_iam_role.new: not known until apply\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("--file"), "a Terraform plan is not a file to fix: {}", ran.stdout);
}

#[test]
fn policies_without_findings_take_a_line_each_unless_all_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..78 {
        fs::write(directory.path().join(format!("r{number:02}.json")), GOOD).unwrap();
    }
    fs::write(directory.path().join("z.json"), open()).unwrap();
    let path = directory.path().to_str().unwrap();
    let short = hatbox(&["trust", "lint", path], b"");
    assert_eq!(short.code, 5);
    assert_eq!(short.stdout.lines().filter(|line| line.ends_with(": no findings, MFA required")).count(), 78);
    assert!(short.stdout.lines().count() < 100, "{}", short.stdout);
    let all = hatbox(&["trust", "lint", path, "--all"], b"");
    assert_eq!(all.stdout.matches("who can assume this role").count(), 79);
}

#[test]
fn a_plan_without_roles_is_clean_in_each_format() {
    let plan = br#"{"format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}}, "resource_changes": []}"#;
    let state = br#"{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": []}"#;
    for source in [&plan[..], &state[..]] {
        let lint = |format: &str| {
            let ran = hatbox(&["trust", "lint", "--from", "-", "--format", format], source);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{format}");
            ran.stdout
        };
        assert_eq!(lint("text"), "no roles\n");
        let json: Value = serde_json::from_str(&lint("json")).unwrap();
        assert_eq!((&json["policies"], &json["errors"]), (&serde_json::json!([]), &0.into()));
        let sarif: Value = serde_json::from_str(&lint("sarif")).unwrap();
        let run = &sarif["runs"][0];
        assert_eq!(run["results"], serde_json::json!([]));
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        assert!(run["tool"]["driver"]["rules"].as_array().unwrap().len() > 20);
    }
    let empty = tempfile::tempdir().unwrap();
    let ran = hatbox(&["trust", "lint", empty.path().to_str().unwrap()], b"");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no trust policies found"), "{}", ran.stderr);
}

#[test]
fn a_snapshot_that_is_given_as_a_policy_is_an_error_with_the_right_command() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("iam data.json");
    fs::copy(sources("../docs/example-accounts.json"), &file).unwrap();
    let file = file.to_str().unwrap();
    let ran = hatbox(&["trust", "lint", file], b"");
    let hint = format!("hatbox: hint: hatbox trust lint --from '{file}'\n");
    assert!(ran.code == 1 && ran.stderr.ends_with(&hint), "{}", ran.stderr);
}

#[test]
fn hostile_policies_end_soon_and_say_why() {
    let statement = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#;
    let many = format!(r#"{{"Statement":[{}]}}"#, vec![statement; 10_000].join(","));
    let ran = hatbox(&["trust", "lint", "-"], many.as_bytes());
    assert_eq!(ran.code, 5);
    assert!(ran.stdout.contains("error[too-long] the whole policy"), "{:.300}", ran.stdout);
    let value = format!(r#"{{"Statement":{}}}"#, statement.replace("111122223333", &"x".repeat(1 << 20)));
    assert_eq!(hatbox(&["trust", "lint", "-"], value.as_bytes()).code, 5);
    for (input, problem) in [
        ("[".repeat(1 << 20), "nested more than 64 levels deep"),
        (r#"{"Statement": [], "Statement": []}"#.to_owned(), "`Statement` is there twice in one object"),
        (many[..many.len() / 2].to_owned(), "a string without end"),
        (String::new(), "expected a value"),
    ] {
        let ran = hatbox(&["trust", "lint", "-"], input.as_bytes());
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(problem) && ran.stderr.contains("--> stdin:1:"), "{}", ran.stderr);
    }
}
