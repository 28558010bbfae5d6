mod federation;
mod output;
mod public;
mod refused;

use super::*;
use crate::admits::Trial;
use crate::policy::document::{Policy, PolicyError};

fn lint(policy: &str) -> Report {
    lint_policy(policy, Subject::default(), &Trial::default()).unwrap()
}

/// A policy with these statements, the first on line 2.
pub(super) fn policy(statements: &[&str]) -> String {
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": [\n{}\n]}}", statements.join(",\n"))
}

/// Renders each finding as `rule@line:column element`.
fn ids_and_places(report: &Report) -> Vec<String> {
    let place = |finding: &Finding| format!("{}:{}", finding.place.line, finding.place.column);
    let id_and_place = |finding: &Finding| {
        let tail = if finding.element.is_empty() { String::new() } else { format!(" {}", finding.element) };
        format!("{}@{}{tail}", finding.rule.id(), place(finding))
    };
    report.findings.iter().map(id_and_place).collect()
}

const GOOD: &str = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
const OPEN: &str = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#;

fn with(effect: &str, principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{principal},"Action":"sts:AssumeRole","Condition":{condition}}}"#
    )
}

fn allow(condition: &str) -> String {
    with("Allow", r#"{"AWS":"111122223333"}"#, condition)
}

fn deny(condition: &str) -> String {
    with("Deny", r#""*""#, condition)
}

#[test]
fn each_hole_in_mfa_has_its_rule_and_its_place() {
    let present = |operator: &str, value: &str| {
        format!(r#"{{"{operator}":{{"aws:MultiFactorAuthPresent":"{value}"}}}}"#)
    };
    let age = |operator: &str| format!(r#"{{"{operator}":{{"aws:MultiFactorAuthAge":"3600"}}}}"#);
    for (statements, expected) in [
        (vec![GOOD.to_owned()], vec![]),
        (vec![OPEN.to_owned()], vec!["mfa-missing@2"]),
        (vec![allow(&present("BoolIfExists", "true"))], vec!["mfa-ifexists@2 Condition.BoolIfExists"]),
        (vec![allow(&present("StringNotEquals", "false"))], vec!["mfa-ifexists@2 Condition.StringNotEquals"]),
        (vec![OPEN.to_owned(), deny(&present("Bool", "false"))], vec!["mfa-deny-bool@3 Condition.Bool"]),
        (vec![OPEN.to_owned(), deny(&present("BoolIfExists", "false"))], vec![]),
        (vec![allow(&present("Null", "false"))], vec!["mfa-null@2 Condition.Null"]),
        (vec![OPEN.to_owned(), deny(&present("Null", "true"))], vec!["mfa-null@3 Condition.Null"]),
        (
            vec![allow(&present("ForAllValues:Bool", "true"))],
            vec!["mfa-forallvalues@2 Condition.ForAllValues:Bool"],
        ),
        (
            vec![allow(&age("NumericLessThanIfExists"))],
            vec!["mfa-age-ifexists@2 Condition.NumericLessThanIfExists"],
        ),
        (
            vec![OPEN.to_owned(), deny(&age("NumericGreaterThan"))],
            vec!["mfa-age-ifexists@3 Condition.NumericGreaterThan"],
        ),
        (vec![OPEN.to_owned(), deny(&age("NumericGreaterThanIfExists"))], vec![]),
        (vec![GOOD.to_owned(), OPEN.to_owned()], vec!["mfa-second-statement@3"]),
        (vec![allow(&present("Bool", "false"))], vec!["mfa-inverted@2 Condition.Bool"]),
        (vec![GOOD.to_owned(), deny(&present("Bool", "true"))], vec!["mfa-inverted@3 Condition.Bool"]),
        (vec![allow(&present("Bool", "yes"))], vec!["mfa-unsatisfiable@2 Condition.Bool"]),
        (
            vec![with("Allow", r#"{"Service":"ec2.amazonaws.com"}"#, &present("Bool", "true"))],
            vec!["mfa-unsatisfiable@2 Condition.Bool"],
        ),
        (
            vec![with(
                "Allow",
                r#"{"AWS":"arn:aws:iam::111122223333:role/Deploy"}"#,
                &present("Bool", "true"),
            )],
            vec!["mfa-unsatisfiable@2 Condition.Bool"],
        ),
        // Roles and services cannot have MFA.
        (vec![with("Allow", r#"{"Service":"ec2.amazonaws.com"}"#, "{}")], vec![]),
        (vec![with("Allow", r#"{"AWS":"arn:aws:iam::111122223333:role/Deploy"}"#, "{}")], vec![]),
        // A Deny for all callers without MFA also denies the service.
        (
            vec![
                with("Allow", r#"{"Service":"ec2.amazonaws.com"}"#, "{}"),
                deny(&present("BoolIfExists", "false")),
            ],
            vec!["mfa-unsatisfiable@3 Condition.BoolIfExists"],
        ),
        // A Deny for another caller has no effect.
        (
            vec![OPEN.to_owned(), with("Deny", r#"{"AWS":"444455556666"}"#, &present("Bool", "false"))],
            vec!["mfa-missing@2"],
        ),
        // A hole that a Deny closes is not reported.
        (vec![allow(&present("BoolIfExists", "true")), deny(&present("BoolIfExists", "false"))], vec![]),
        // Permission to tag does not allow anyone to assume the role.
        (vec![OPEN.replace("sts:AssumeRole", "sts:TagSession")], vec!["no-one-admitted@1"]),
    ] {
        let statements: Vec<_> = statements.iter().map(String::as_str).collect();
        let text = policy(&statements);
        let report = lint(&text);
        let found: Vec<_> = ids_and_places(&report).into_iter().map(|found| strip_column(&found)).collect();
        assert_eq!(found, expected, "{statements:?}");
        for finding in &report.findings {
            let line = text.lines().nth(finding.place.line as usize - 1).unwrap();
            let wanted = if finding.element.is_empty() { "{" } else { "\"aws:MultiFactor" };
            assert_eq!(finding.place.column as usize, line.find(wanted).unwrap() + 1, "{line}");
        }
    }
}

/// Removes the column from `rule@line:column element`.
fn strip_column(found: &str) -> String {
    let (head, tail) = found.split_once(':').unwrap();
    format!("{head}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn each_other_rule_finds_what_it_is_about() {
    let mfa = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
    let of = |principal: &str, more: &str| with("Allow", principal, &format!("{{{mfa}{more}}}"));
    let account = |more: &str| of(r#"{"AWS":"111122223333"}"#, more);
    for (statement, expected) in [
        (of(r#""*""#, ""), "public-principal"),
        (of(r#""*""#, r#","StringEquals":{"aws:PrincipalOrgID":"o-abc"}"#), "public-principal-conditioned"),
        (of(r#""*""#, r#","StringLike":{"aws:PrincipalOrgID":"*"}"#), "public-principal"),
        (of(r#""*""#, r#","StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abc"}"#), "public-principal"),
        (of(r#""*""#, r#","IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#), "public-principal"),
        (of(r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, ""), "partial-wildcard"),
        (of(r#"{"Service":"*.amazonaws.com"}"#, ""), "partial-wildcard"),
        (account("").replace("\"Principal\"", "\"NotPrincipal\""), "not-principal"),
        (account("").replace("\"Principal\":{\"AWS\":\"111122223333\"},", ""), "missing-principal"),
        (account("").replace("\"Action\"", "\"Resource\":\"*\",\"Action\""), "resource-element"),
        (of(r#"{"AWS":"arn:aws:iam::111122223333:group/ops"}"#, ""), "group-principal"),
        (of(r#"{"CanonicalUser":"79a59df900b949e5"}"#, ""), "canonical-user"),
        (of(r#"{"AWS":"alice"}"#, ""), "invalid-principal"),
        (of(r#"{"AWS":"arn:aws:s3:::box"}"#, ""), "invalid-principal"),
        (of(r#"{"AWS":"AIDAQAAAAAAAEXAMPLE1"}"#, ""), "deleted-principal"),
        (
            account(r#","ArnLike":{"aws:PrincipalArn":"arn:aws:sts::111122223333:assumed-role/Ops/*"}"#),
            "principalarn-session",
        ),
        (
            account(r#","ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:root"}"#),
            "principalarn-session",
        ),
        (account(r#","StringEquals":{"aws:userid":"AROAEXAMPLE:*"}"#), "literal-wildcard"),
        (account(r#","StringLike":{"sts:RoleSessionName":"${aws:username}"}"#), "session-name-variable"),
        (account(r#","StringEqualsIfExists":{"sts:ExternalId":"x"}"#), "external-id-ifexists"),
        (account(r#","StringEquals":{"aws:RequestTag/team":"x"}"#), "tagsession-missing"),
        (account(r#","StringLike":{"sts:SourceIdentity":"?*"}"#), "tagsession-missing"),
        (account(r#","StringEquals":{"aws:PrincipleOrgID":"o-abc"}"#), "unknown-condition-key"),
        (account(r#","StringEquals":{"sts:RoleSessionName":"${aws:usernam}"}"#), "unknown-condition-key"),
    ] {
        let report = lint(&policy(&[&statement]));
        let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.id()).collect();
        assert!(rules.contains(&expected), "{expected} not in {rules:?}: {statement}");
    }
    let old = lint(&format!(
        r#"{{"Statement": [{}]}}"#,
        account(r#","StringLike":{"sts:RoleSessionName":"${aws:username}"}"#)
    ));
    assert!(
        ids_and_places(&old).iter().any(|finding| finding.starts_with("version-variables@")),
        "{:?}",
        ids_and_places(&old)
    );
}

#[test]
fn what_is_right_is_not_found_fault_with() {
    let mfa = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
    for statement in [
        allow(&format!(r#"{{{mfa},"NumericLessThan":{{"aws:MultiFactorAuthAge":"3600"}}}}"#)),
        allow(&format!(r#"{{{mfa},"StringEquals":{{"sts:ExternalId":"x"}}}}"#)),
        allow(&format!(r#"{{{mfa},"StringLike":{{"aws:userid":"AROAEXAMPLE:*"}}}}"#)),
        allow(&format!(r#"{{{mfa},"StringEquals":{{"aws:RequestTag/team":"x"}}}}"#))
            .replace(r#""sts:AssumeRole""#, r#"["sts:AssumeRole","sts:TagSession"]"#),
        allow(&format!(r#"{{{mfa},"StringEqualsIfExists":{{"aws:RequestTag/team":"x"}}}}"#)),
        with(
            "Allow",
            r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#,
            r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/app:*"}}"#,
        )
        .replace("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"),
        with(
            "Allow",
            r#"{"AWS":["arn:aws:iam::111122223333:user/a","arn:aws:iam::111122223333:user/b"]}"#,
            &format!("{{{mfa}}}"),
        ),
    ] {
        assert_eq!(ids_and_places(&lint(&policy(&[&statement]))), [] as [&str; 0], "{statement}");
    }
}

#[test]
fn a_slip_in_a_key_is_reported_with_what_was_meant() {
    for (key, meant) in [
        ("aws:MultiFactorAuthPresnt", "write aws:MultiFactorAuthPresent."),
        ("MultiFactorAuthPresent", "write aws:MultiFactorAuthPresent."),
        ("aws:PrincipalTga/Team", "write aws:PrincipalTag/Team."),
        ("sts:ExternalID1", "write sts:ExternalId."),
        ("aws:Nothing", "remove it, or correct the key."),
    ] {
        let report = lint(&policy(&[&allow(&format!(r#"{{"Bool":{{"{key}":"true"}}}}"#))]));
        let finding =
            report.findings.iter().find(|finding| finding.rule == Rule::UnknownConditionKey).unwrap();
        assert_eq!(finding.fix, meant, "{key}");
    }
}

#[test]
fn a_role_that_trusts_itself_is_reported_where_its_arn_is_known() {
    let own = "arn:aws:iam::111122223333:role/Ops";
    let rules = |statement: &str, role: Option<&str>| {
        let report =
            lint_policy(&policy(&[statement]), Subject { arn: role, accounts: None }, &Trial::default())
                .unwrap();
        report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let by_arn = with("Allow", &format!(r#"{{"AWS":"{own}"}}"#), "{}");
    assert_eq!(rules(&by_arn, Some(own)), [Rule::SelfAssume]);
    assert_eq!(rules(&by_arn, None), []);
    let condition = format!(r#"{{"ArnLike":{{"aws:PrincipalArn":"{own}"}}}}"#);
    for principal in [r#""*""#, r#"{"AWS":"111122223333"}"#] {
        let statement = with("Allow", principal, &condition);
        assert!(rules(&statement, Some(own)).contains(&Rule::SelfAssume), "{principal}");
        assert!(!rules(&statement, None).contains(&Rule::SelfAssume), "the role may be another");
        let other = "arn:aws:iam::444455556666:role/Ops";
        assert!(!rules(&statement, Some(other)).contains(&Rule::SelfAssume), "a role of another account");
        let wide = statement.replace("111122223333:role", "*:role");
        assert!(!rules(&wide, Some(own)).contains(&Rule::SelfAssume), "a role of any account");
    }
}

#[test]
fn a_policy_may_be_too_long_without_its_white_space() {
    let of = |count: usize| {
        let text = policy(&[GOOD]);
        let sid = "x".repeat(count - count_non_blank(&text) - r#","Id":"""#.len());
        text.replace("\n]}", &format!("\n],\"Id\":\"{sid}\"}}{}", " ".repeat(5000)))
    };
    let level = |count: usize| {
        let report = lint(&of(count));
        report.findings.first().map(|finding| (finding.rule, finding.level))
    };
    assert_eq!(level(2048), None);
    assert_eq!(level(2049), Some((Rule::TooLong, Level::Warning)));
    assert_eq!(level(4096), Some((Rule::TooLong, Level::Warning)));
    assert_eq!(level(4097), Some((Rule::TooLong, Level::Error)));
}

fn count_non_blank(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
