//! The report as text, JSON and SARIF.

use super::*;

fn linted(name: &str, text: &str) -> Linted {
    let outcome = match lint_policy(text, Subject::default(), &Trial::default()) {
        Ok(report) => Outcome::Judged(Box::new(report)),
        Err(error) => Outcome::Unreadable(error),
    };
    Linted { name: name.to_owned(), file: Some(name.to_owned()), outcome }
}

#[test]
fn the_text_shows_who_gets_in_and_what_is_wrong() {
    let text = policy(&[&with(
        "Allow",
        r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
        r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#,
    )]);
    let expected = "\
trust.json: who can assume this role
  any user or role of account 111122223333, if its own policies allow
    sts:AssumeRole

  caller signs with                can assume it
  access keys                      YES   <- MFA is not enforced
  access keys + MFA code           yes
  session token without MFA        no
  session token with MFA           yes
  another role (chaining)          no

error[mfa-ifexists] statement 1, Condition.BoolIfExists
  Requests signed with access keys have no aws:MultiFactorAuthPresent, and
  IfExists allows a missing key.
  Fix: write \"Bool\" instead of \"BoolIfExists\".
       hatbox trust require-mfa --file trust.json
1 error
";
    assert_eq!(render_text(&[linted("trust.json", &text)], Detail::Findings).to_string(), expected);
}

#[test]
fn policies_without_findings_have_a_line_each_unless_all_is_asked_for() {
    let service = policy(&[&with("Allow", r#"{"Service":"ec2.amazonaws.com"}"#, "{}")]);
    let external = policy(&[&allow(
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"sts:ExternalId":"x"}}"#,
    )
    .replace("{\"Effect\"", "{\"Sid\":\"A\",\"Effect\"")]);
    let until = Linted { name: "aws_iam_role.new".into(), file: None, outcome: Outcome::UntilApply };
    let open = linted("o.json", &policy(&[OPEN]));
    let all = [linted("a b.json", &external), linted("s.json", &service), open, until];
    let expected = "\
a b.json: no findings, MFA required
s.json: no findings

o.json: who can assume this role
  any user or role of account 111122223333, if its own policies allow
    sts:AssumeRole

  caller signs with                can assume it
  access keys                      YES   <- MFA is not enforced
  access keys + MFA code           yes
  session token without MFA        YES   <- MFA is not enforced
  session token with MFA           yes
  another role (chaining)          YES   <- MFA is not enforced

warning[mfa-missing] statement 1
  Users can assume this role without MFA.
  Fix: add \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" } to the Condition.
       hatbox trust require-mfa --file o.json

aws_iam_role.new: not known until apply

1 warning in 4 policies
";
    assert_eq!(render_text(&all, Detail::Findings).to_string(), expected);
    let expected = "\
a b.json: who can assume this role
  any user or role of account 111122223333, if its own policies allow
    sts:AssumeRole

  caller signs with                can assume it
  access keys                      no
  access keys + MFA code           depends
  session token without MFA        no
  session token with MFA           depends
  another role (chaining)          no
  depends on sts:ExternalId: --context sts:ExternalId=VALUE

s.json: who can assume this role
  the service ec2.amazonaws.com

  caller signs with                can assume it
  access keys                      no
  access keys + MFA code           no
  session token without MFA        no
  session token with MFA           no
  another role (chaining)          no

no findings in 2 policies
";
    assert_eq!(render_text(&all[..2], Detail::All).to_string(), expected);
}

#[test]
fn what_was_not_read_counts_as_no_clean_policy() {
    let unread = Linted { name: "x".into(), file: None, outcome: Outcome::Unreadable(error_of("{")) };
    assert_eq!(
        render_text(std::slice::from_ref(&unread), Detail::Findings).to_string(),
        "",
        "its error is all that there is to say"
    );
    let clean = policy(&[&allow(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#)]);
    let text = render_text(&[linted("a.json", &clean), unread], Detail::Findings).to_string();
    assert!(text.ends_with("\nno findings in 1 policy, 1 not read\n"), "{text}");
}

fn error_of(text: &str) -> PolicyError {
    Policy::parse(text).unwrap_err()
}

/// Terraform writes an empty `Sid` where none is given.
#[test]
fn an_empty_sid_is_shown_as_none() {
    for (sid, place) in [("", "] statement 1\n"), ("People", "] statement 1 (People)\n")] {
        let text = policy(&[&OPEN.replacen('{', &format!(r#"{{"Sid":"{sid}","#), 1)]);
        let shown = render_text(&[linted("t.json", &text)], Detail::Findings).to_string();
        assert!(shown.contains(place), "{sid}: {shown}");
        let json: serde_json::Value = serde_json::from_str(&render_json(&[linted("t.json", &text)])).unwrap();
        let expected = if sid.is_empty() { serde_json::Value::Null } else { sid.into() };
        assert_eq!(json["findings"][0]["sid"], expected, "{json}");
    }
}

#[test]
fn the_json_of_one_policy_has_its_members_at_the_top() {
    let json: serde_json::Value =
        serde_json::from_str(&render_json(&[linted("t.json", &policy(&[OPEN]))])).unwrap();
    let admits = serde_json::json!({
        "access-keys": "yes", "access-keys+mfa": "yes", "session-token": "yes", "session-token+mfa": "yes",
        "role-session": "yes",
    });
    assert_eq!(
        (&json["schema"], &json["admits"], &json["mfa"]),
        (&1.into(), &admits, &"not-required".into())
    );
    assert_eq!((&json["file"], &json["warnings"]), (&"t.json".into(), &1.into()));
    let finding = serde_json::json!({
        "rule": "mfa-missing", "level": "warning", "line": 2, "column": 1, "statement": 1, "sid": null,
        "element": "", "message": "Users can assume this role without MFA.",
        "fix": "add \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" } to the Condition.",
    });
    assert_eq!(json["findings"], serde_json::json!([finding]));
    assert_eq!(json["policies"][0]["findings"], json["findings"]);
    let two = render_json(&[linted("t.json", "{"), linted("u.json", &policy(&[GOOD]))]);
    let two: serde_json::Value = serde_json::from_str(&two).unwrap();
    assert_eq!(two["policies"][0]["error"]["line"], 1);
    assert_eq!((&two["policies"][1]["mfa"], two.get("admits")), (&"required".into(), None));
}

#[test]
fn the_sarif_names_rules_files_and_places() {
    let until = Linted { name: "aws_iam_role.new".into(), file: None, outcome: Outcome::UntilApply };
    let log = render_sarif(&[linted("./a b.json", &policy(&[OPEN])), linted("/c.json", "{"), until], "1.2.3");
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(
        (&run["tool"]["driver"]["name"], &run["columnKind"]),
        (&"hatbox".into(), &"unicodeCodePoints".into())
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let [result] = run["results"].as_array().unwrap().as_slice() else { panic!("{run}") };
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!((&rules[index]["id"], &result["ruleId"]), (&"mfa-missing".into(), &"mfa-missing".into()));
    assert_eq!(result["level"], "warning");
    let physical = &result["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "a%20b.json");
    assert_eq!(physical["region"], serde_json::json!({"startLine": 2, "startColumn": 1}));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let ids_and_places = &invocation["toolExecutionNotifications"];
    assert_eq!(
        ids_and_places[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "file:///c.json"
    );
    assert_eq!((&ids_and_places[1]["level"], ids_and_places.as_array().unwrap().len()), (&"note".into(), 2));
}
