//! Policies that AWS rejects, and elements that never match: for each rule, cases with the error and without it.

use super::policy;
use crate::admits::Trial;
use crate::assume::context::Assumptions;
use crate::lint::*;

const ROLE: &str = r#"{"AWS":"arn:aws:iam::111122223333:role/Deploy"}"#;
const GITHUB: &str = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"}"#;
const OKTA: &str = r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/Okta"}"#;

fn trial() -> Trial {
    let assumptions = Assumptions { now: "2026-03-03T09:00:00Z".parse().unwrap(), ..Assumptions::default() };
    Trial { caller: None, assumptions }
}

fn report(text: &str) -> Report {
    lint_policy(text, Subject::default(), &trial()).unwrap()
}

fn rules(statements: &[&str]) -> Vec<Rule> {
    report(&policy(statements)).findings.iter().map(|finding| finding.rule).collect()
}

fn statement(principal: &str, action: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":{action},"Condition":{{{condition}}}}}"#)
}

/// Checks for each statement whether the rule has a finding.
fn check(rule: Rule, cases: &[(String, bool)]) {
    for (statement, has_rule) in cases {
        let found = rules(&[statement]);
        assert_eq!(found.contains(&rule), *has_rule, "{}: {statement}\n{found:?}", rule.id());
    }
}

#[test]
fn a_principal_assumes_a_role_with_its_own_action() {
    let aud = r#""StringEquals":{"idp.example.com:aud":"x"}"#;
    let service = r#"{"Service":"ec2.amazonaws.com"}"#;
    let all =
        r#"["sts:AssumeRole","sts:AssumeRoleWithWebIdentity","sts:AssumeRoleWithSAML","sts:TagSession"]"#;
    let cases = [
        (GITHUB, r#""sts:AssumeRole""#, aud, true),
        (GITHUB, r#""sts:AssumeRoleWithSAML""#, aud, true),
        (GITHUB, r#""sts:AssumeRoleWithWebIdentity""#, aud, false),
        (GITHUB, r#""sts:AssumeRoleWithWeb*""#, aud, false),
        (GITHUB, all, aud, false),
        (OKTA, r#""sts:AssumeRole""#, "", true),
        (OKTA, r#""sts:AssumeRoleWithWebIdentity""#, "", true),
        (OKTA, r#""sts:AssumeRoleWithSaml""#, "", false),
        (ROLE, r#""sts:AssumeRoleWithSAML""#, "", true),
        (ROLE, r#""sts:AssumeRoleWithWebIdentity""#, "", true),
        (ROLE, r#""sts:AssumeRole""#, "", false),
        (ROLE, r#""sts:*""#, "", false),
        (ROLE, r#""sts:TagSession""#, "", false),
        (r#"{"AWS":"111122223333"}"#, r#""sts:AssumeRoleWithSAML""#, "", true),
        (service, r#""sts:AssumeRoleWithWebIdentity""#, "", true),
        (service, r#"["sts:AssumeRoleWithSAML","sts:TagSession"]"#, "", true),
        (service, r#"["sts:AssumeRole","sts:SetContext"]"#, "", false),
    ];
    check(Rule::ActionMismatch, &cases.map(|(of, action, with, has)| (statement(of, action, with), has)));
}

#[test]
fn an_action_of_another_kind_is_unknown() {
    let cases = [
        (r#""s3:GetObject""#, true),
        (r#"["sts:AssumeRole","s3:*"]"#, true),
        (r#""sts:AssumeRol""#, true),
        (r#""AssumeRole""#, true),
        (r#""sts:GetCallerIdentity""#, true),
        (r#""sts:assumerole""#, false),
        (r#""sts:Assume*""#, false),
        (r#""*""#, false),
        (r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity","sts:SetContext"]"#, false),
    ];
    check(Rule::UnknownAction, &cases.map(|(action, has)| (statement(ROLE, action, ""), has)));
    let found = report(&policy(&[&statement(ROLE, r#""sts:AssumeRol""#, "")]));
    let finding = found.findings.iter().find(|of| of.rule == Rule::UnknownAction).unwrap();
    assert_eq!(finding.fix, "write sts:AssumeRole.");
}

#[test]
fn a_service_that_does_not_exist_is_found_and_the_near_one_named() {
    for (service, fix) in [
        ("ec2.amazonaws.co", Some("write ec2.amazonaws.com.")),
        ("lamda.amazonaws.com", Some("write lambda.amazonaws.com.")),
        ("lambda.amazonaws", Some("write lambda.amazonaws.com.")),
        ("Lambda.amazonaws.com", Some("write lambda.amazonaws.com.")),
        ("ecs-task.amazonaws.com", Some("write ecs-tasks.amazonaws.com.")),
        ("event.amazonaws.com", Some("write events.amazonaws.com.")),
        ("lamda.amazonaws.com.cn", Some("write lambda.amazonaws.com.cn.")),
        ("lambda", Some("write lambda.amazonaws.com.")),
        ("https://lambda.amazonaws.com", Some("write NAME.amazonaws.com.")),
        ("lambda.amazonaws.com", None),
        ("ec2.amazonaws.com.cn", None),
        ("logs.eu-central-1.amazonaws.com", None),
        ("pods.eks.amazonaws.com", None),
        ("ops.apigateway.amazonaws.com", None),
        ("brand-new-service.amazonaws.com", None),
        ("ecs-tasks.amazonaws.com", None),
        ("alexa-appkit.amazon.com", None),
    ] {
        let text = policy(&[&statement(&format!(r#"{{"Service":"{service}"}}"#), r#""sts:AssumeRole""#, "")]);
        let findings = report(&text).findings;
        let found = findings.iter().find(|of| of.rule == Rule::UnknownService).map(|of| of.fix.as_str());
        assert_eq!(found, fix, "{service}");
    }
}

#[test]
fn sids_are_letters_and_digits_and_each_its_own() {
    let with_sid = |sid: &str| {
        statement(ROLE, r#""sts:AssumeRole""#, "")
            .replace("{\"Effect\"", &format!("{{\"Sid\":\"{sid}\",\"Effect\""))
    };
    let cases = [("A1", false), ("", false), ("a b", true), ("a-b", true), ("a_b", true), ("é", true)];
    check(Rule::InvalidSid, &cases.map(|(sid, has)| (with_sid(sid), has)));
    let twice = |a: &str, b: &str| rules(&[&with_sid(a), &with_sid(b)]).contains(&Rule::DuplicateSid);
    assert!(twice("A", "A"));
    assert!(!twice("A", "B") && !twice("A", "a") && !twice("", ""));
}

#[test]
fn a_principal_needs_a_whole_account_id() {
    let cases = [
        (r#"{"AWS":"arn:aws:iam::1234:root"}"#, true),
        (r#"{"AWS":"arn:aws:iam::1111222233334:root"}"#, true),
        (r#"{"AWS":"arn:aws:iam:::root"}"#, true),
        (r#"{"AWS":"arn:aws:iam::1234:role/Ops"}"#, true),
        (r#"{"AWS":"arn:aws:iam::ACCOUNT:user/alice"}"#, true),
        (r#"{"AWS":"1234"}"#, true),
        (r#"{"Federated":"arn:aws:iam::1234:oidc-provider/idp.example.com"}"#, true),
        (r#"{"Federated":"idp.example.com"}"#, true),
        (r#"{"Federated":"arn:aws:iam::111122223333:role/Ops"}"#, true),
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, false),
        (r#"{"AWS":"111122223333"}"#, false),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/Ops/ci"}"#, false),
        (r#"{"AWS":"AIDAQAAAAAAAEXAMPLE1"}"#, false),
        (GITHUB, false),
        (OKTA, false),
        (r#"{"Federated":"cognito-identity.amazonaws.com"}"#, false),
        (r#"{"Federated":"accounts.google.com"}"#, false),
    ];
    check(Rule::InvalidPrincipal, &cases.map(|(of, has)| (statement(of, r#""sts:AssumeRole""#, ""), has)));
}

#[test]
fn empty_lists_are_found() {
    let action = r#""sts:AssumeRole""#;
    check(
        Rule::EmptyList,
        &[
            (statement(r#"{"AWS":[]}"#, action, ""), true),
            (statement("{}", action, ""), true),
            (statement(ROLE, "[]", ""), true),
            (statement(ROLE, action, r#""StringEquals":{"sts:ExternalId":[]}"#), true),
            (statement(ROLE, action, ""), false),
            (statement(ROLE, action, r#""StringEquals":{"sts:ExternalId":["x"]}"#), false),
        ],
    );
    assert!(rules(&[]).contains(&Rule::EmptyList));
}

#[test]
fn values_of_the_wrong_type_never_match() {
    let cases = [
        (r#""StringEquals":{"aws:SourceIp":"203.0.113.0/24"}"#, true),
        (r#""StringLike":{"aws:SourceIp":"203.0.113.0/24"}"#, true),
        (r#""StringNotEquals":{"aws:SourceIp":"203.0.113.0/24"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/33"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.*"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/129"]}"#, true),
        (r#""NotIpAddress":{"aws:SourceIp":"tomorrow"}"#, true),
        (r#""IpAddress":{"aws:PrincipalArn":"203.0.113.0/24"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32","198.51.100.7"]}"#, false),
        (r#""DateLessThan":{"aws:CurrentTime":"tomorrow"}"#, true),
        (r#""DateLessThan":{"aws:CurrentTime":"2026-02-30T00:00:00Z"}"#, true),
        (r#""DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}"#, true),
        (r#""DateLessThanEquals":{"aws:EpochTime":"1000000000"}"#, true),
        (r#""NumericLessThan":{"aws:EpochTime":"1000000000"}"#, true),
        (r#""DateLessThan":{"sts:RoleSessionName":"2030-01-01"}"#, true),
        (r#""StringEquals":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}"#, true),
        (r#""DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}"#, false),
        (r#""DateLessThan":{"aws:CurrentTime":"2030-01-01"}"#, false),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#, false),
        // A session's issue time compared with a past date, as the console's "Revoke sessions" does.
        (r#""DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#, false),
        (r#""DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#, false),
        (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333"}"#, true),
        (r#""ArnLike":{"aws:PrincipalArn":"role/Ops"}"#, true),
        (r#""ArnEquals":{"aws:SourceArn":"arn:aws:s3:::"}"#, false),
        (r#""ArnLike":{"aws:PrincipalAccount":"111122223333"}"#, true),
        (r#""ArnLike":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#, true),
        (r#""StringEquals":{"aws:PrincipalArn":"Ops"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":"1234"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":"arn:aws:iam::111122223333:root"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}"#, false),
        (r#""StringLike":{"aws:PrincipalArn":"*Ops"}"#, false),
        (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"yes"}"#, true),
        (r#""Bool":{"aws:PrincipalAccount":"true"}"#, true),
        (r#""Null":{"sts:ExternalId":"no"}"#, true),
        (r#""StringEquals":{"aws:MultiFactorAuthPresent":"TRUE"}"#, false),
        (r#""Bool":{"aws:PrincipalTag/admin":"true"}"#, false),
        (r#""Bool":{"aws:SecureTransport":true}"#, false),
        (r#""NumericLessThan":{"sts:DurationSeconds":"1h"}"#, true),
        (r#""NumericLessThan":{"aws:PrincipalArn":"1"}"#, true),
        (r#""NumericLessThanEquals":{"sts:DurationSeconds":3600}"#, false),
        (r#""StringEquals":{"sts:ExternalId":"203.0.113.0/24"}"#, false),
    ];
    check(
        Rule::NeverMatches,
        &cases.map(|(condition, has)| (statement(ROLE, r#""sts:AssumeRole""#, condition), has)),
    );
}

#[test]
fn private_addresses_and_open_variables_are_found() {
    let of = |condition: &str| statement(ROLE, r#""sts:AssumeRole""#, condition);
    let ip = |range: &str| of(&format!(r#""IpAddress":{{"aws:SourceIp":"{range}"}}"#));
    let ranges = [
        ("10.0.0.0/8", true),
        ("10.1.2.3", true),
        ("172.31.0.0/16", true),
        ("192.168.1.0/24", true),
        ("100.64.0.0/10", true),
        ("fd00::/8", true),
        ("172.32.0.0/16", false),
        ("203.0.113.0/24", false),
        ("2001:db8::/32", false),
        ("8.0.0.0/6", false),
    ];
    check(Rule::PrivateIp, &ranges.map(|(range, has)| (ip(range), has)));
    let vpc = of(r#""IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},"StringEquals":{"aws:SourceVpc":"vpc-1"}"#);
    check(Rule::PrivateIp, &[(vpc, false)]);
    let name = |value: &str| of(&format!(r#""StringEquals":{{"sts:RoleSessionName":"{value}"}}"#));
    let values = [
        ("${aws:username", true),
        ("x-${aws:username", true),
        ("${aws:username}-${aws:userid", true),
        ("${aws:username}", false),
        ("${aws:username, 'x'}", false),
        ("$aws:username", false),
        ("plain", false),
    ];
    check(Rule::UnclosedVariable, &values.map(|(value, has)| (name(value), has)));
}

#[test]
fn services_that_send_tags_need_more_actions() {
    let of = |service: &str, action: &str| statement(&format!(r#"{{"Service":"{service}"}}"#), action, "");
    let anywhere = "rolesanywhere.amazonaws.com";
    let pods = "pods.eks.amazonaws.com";
    check(
        Rule::TagSessionMissing,
        &[
            (of(anywhere, r#""sts:AssumeRole""#), true),
            (of(anywhere, r#"["sts:AssumeRole","sts:TagSession"]"#), true),
            (of(anywhere, r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#), false),
            (of(pods, r#""sts:AssumeRole""#), true),
            (of(pods, r#"["sts:AssumeRole","sts:TagSession"]"#), false),
            (of("ec2.amazonaws.com", r#""sts:AssumeRole""#), false),
        ],
    );
}

#[test]
fn a_role_that_no_one_can_assume_is_said_so() {
    let open = statement(ROLE, r#""sts:AssumeRole""#, "");
    let deny = |principal: &str| statement(principal, r#""*""#, "").replace("\"Allow\"", "\"Deny\"");
    let tags = statement(ROLE, r#""sts:TagSession""#, "");
    let user = statement(r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, r#""sts:AssumeRole""#, "");
    for (statements, is_closed, why) in [
        (vec![open.as_str()], false, "a role"),
        (vec![&tags], true, "tags alone are no way in"),
        (vec![&open, &deny(r#""*""#)], true, "denied again"),
        (vec![&open, &deny(r#"{"AWS":"444455556666"}"#)], false, "a Deny of others"),
        (vec![&open, &user, &deny(ROLE)], false, "the user may"),
        (vec![&deny(r#""*""#)], true, "no Allow"),
        (vec![&statement(r#"{"AWS":"AROAQAAAAAAAEXAMPLE1"}"#, r#""sts:AssumeRole""#, "")], true, "deleted"),
        (vec![&statement(r#""*""#, r#""sts:AssumeRole""#, "")], false, "everyone"),
        (
            vec![&statement(
                r#""*""#,
                r#""sts:AssumeRole""#,
                r#""StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*Admin"}"#,
            )],
            false,
            "by a pattern",
        ),
        (
            vec![&statement(r#"{"Service":"ec2.amazonaws.com"}"#, r#""sts:AssumeRole""#, "")],
            false,
            "a service",
        ),
        (
            vec![&statement(
                GITHUB,
                r#""sts:AssumeRoleWithWebIdentity""#,
                r#""StringEquals":{"idp.example.com:sub":"x"}"#,
            )],
            false,
            "a provider",
        ),
        (vec![&statement(GITHUB, r#""sts:AssumeRole""#, "")], false, "an error says why"),
        (
            vec![&statement(ROLE, r#""sts:AssumeRole""#, r#""StringEquals":{"sts:ExternalId":"x"}"#)],
            false,
            "with the external ID",
        ),
    ] {
        let report = report(&policy(&statements));
        let found = report.findings.iter().any(|finding| finding.rule == Rule::NoOneAdmitted);
        assert_eq!(found, is_closed, "{why}: {:?}", report.findings);
        assert!(report.is_closed || !found, "{why}");
    }
    let of = |text: String| {
        let outcome = Outcome::Judged(Box::new(report(&text)));
        render_text(&[Linted { name: "t.json".into(), file: None, outcome }], Detail::Findings).to_string()
    };
    let text = of(policy(&[&open, &deny(r#""*""#)]));
    assert!(text.starts_with("t.json: who can assume this role\n  no one\n\n"), "{text}");
    let text = of(policy(&[&statement(OKTA, r#""sts:AssumeRole""#, "")]));
    assert!(text.contains("error[action-mismatch]"), "{text}");
}

/// No false errors: policies as written by users, the AWS console and Terraform modules.
#[test]
fn common_policies_have_no_error() {
    for statement in [
        r#"{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","edgelambda.amazonaws.com"]},"Action":"sts:AssumeRole"}"#,
        r#"{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}"#,
        r#"{"Effect":"Allow","Principal":{"Service":"states.eu-central-1.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:states:eu-central-1:111122223333:stateMachine:*"}}}"#,
        r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/AWSSSO_1111_DO_NOT_DELETE"},"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}"#,
        r#"{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"eu-central-1:11112222-3333-4444-5555-666677778888"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}}"#,
        r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123ABCD"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-central-1.amazonaws.com/id/0123ABCD:aud":"sts.amazonaws.com","oidc.eks.eu-central-1.amazonaws.com/id/0123ABCD:sub":"system:serviceaccount:a:b"}}}"#,
        r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:role/Deploy"]},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}"#,
        r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*"]}}}"#,
        r#"{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"app"},"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/1111"}}}"#,
    ] {
        let report = report(&policy(&[statement]));
        let errors: Vec<_> = report.findings.iter().filter(|of| of.level == Level::Error).collect();
        assert!(errors.is_empty() && !report.is_closed, "{statement}\n{errors:?}");
    }
}
