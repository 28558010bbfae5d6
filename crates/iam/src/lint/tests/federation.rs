//! Identity providers: tokens of strangers, claims of another provider; also roles for third parties.

use std::collections::BTreeSet;

use super::policy;
use crate::admits::Trial;
use crate::lint::*;

const GITHUB: &str = "token.actions.githubusercontent.com";

fn statement(provider: &str, condition: &str) -> String {
    let is_whole = ["arn:", "accounts.", "cognito-identity."].iter().any(|start| provider.starts_with(start));
    let provider = if is_whole {
        provider.to_owned()
    } else {
        format!("arn:aws:iam::111122223333:oidc-provider/{provider}")
    };
    format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{{condition}}}}}"#
    )
}

fn found(statements: &[&str]) -> Vec<(Rule, Level)> {
    let report = lint_policy(&policy(statements), Subject::default(), &Trial::default()).unwrap();
    report.findings.iter().map(|finding| (finding.rule, finding.level)).collect()
}

#[test]
fn tokens_of_strangers_are_found() {
    let missing = Some((Rule::OidcSubjectMissing, Level::Error));
    let wide = Some((Rule::OidcSubjectWide, Level::Error));
    let own_missing = Some((Rule::OidcSubjectMissing, Level::Warning));
    let own_wide = Some((Rule::OidcSubjectWide, Level::Warning));
    let eks = "oidc.eks.eu-central-1.amazonaws.com/id/0123ABCD";
    let pool = "cognito-identity.amazonaws.com";
    for (provider, condition, expected) in [
        (GITHUB, r"", missing),
        (GITHUB, r#""StringEquals":{"KEY:aud":"sts.amazonaws.com"}"#, missing),
        (GITHUB, r#""StringEquals":{"KEY:actor":"alice"}"#, missing),
        (GITHUB, r#""StringEquals":{"aws:RequestedRegion":"eu-central-1"}"#, missing),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:acme/app:*"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:acme/*"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:sub":["repo:acme/a:*","repo:acme/b:ref:refs/heads/main"]}"#, None),
        (GITHUB, r#""StringEquals":{"KEY:sub":"repo:acme/app:ref:refs/heads/main"}"#, None),
        (GITHUB, r#""ForAnyValue:StringLike":{"KEY:sub":"repo:acme/app:*"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:acme@12/app@34:*"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:sub":"repository_owner_id:1234:*"}"#, None),
        (GITHUB, r#""StringEquals":{"KEY:sub":"repository_owner:acme"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:sub":"environment:prod:repository_owner:acme:*"}"#, None),
        (GITHUB, r#""StringEquals":{"KEY:repository":"acme/app"}"#, None),
        (GITHUB, r#""StringEquals":{"KEY:repository_owner":"acme"}"#, None),
        (GITHUB, r#""StringLike":{"KEY:repository":"*/app"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:*"}"#, wide),
        (GITHUB, r#""StringLike":{"TOKEN.actions.githubusercontent.com:SUB":"repo:*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:acme*/*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:acme*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:*/x:*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"repo:?cme/app:*"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":"*acme/app:ref:refs/heads/main"}"#, wide),
        (GITHUB, r#""StringLike":{"KEY:sub":["repo:acme/app:*","repo:*/app:*"]}"#, wide),
        (GITHUB, r#""StringEquals":{"KEY:sub":"environment:prod"}"#, wide),
        (GITHUB, r#""StringEquals":{"KEY:sub":"repo:${aws:RequestTag/repo}/x"}"#, wide),
        (GITHUB, r#""ForAllValues:StringLike":{"KEY:sub":"repo:acme/app:*"}"#, wide),
        (GITHUB, r#""StringLikeIfExists":{"KEY:sub":"repo:acme/app:*"}"#, wide),
        (GITHUB, r#""StringNotLike":{"KEY:sub":"repo:acme/app:*"}"#, wide),
        (GITHUB, r#""Null":{"KEY:sub":"false"}"#, wide),
        ("gitlab.com", r#""StringEquals":{"KEY:aud":"https://gitlab.com"}"#, missing),
        ("gitlab.com", r#""StringLike":{"KEY:sub":"project_path:acme/*:ref_type:branch:ref:main"}"#, None),
        ("gitlab.com", r#""StringLike":{"KEY:sub":"project_path:*:ref_type:branch:ref:main"}"#, wide),
        ("app.terraform.io", r#""StringEquals":{"KEY:aud":"aws.workload.identity"}"#, missing),
        (
            "app.terraform.io",
            r#""StringLike":{"KEY:sub":"organization:acme:project:*:workspace:*:run_phase:*"}"#,
            None,
        ),
        (
            "app.terraform.io",
            r#""StringLike":{"KEY:sub":"organization:*:project:x:workspace:y:run_phase:*"}"#,
            wide,
        ),
        ("app.terraform.io", r#""StringLike":{"KEY:sub":"organization:ac*"}"#, wide),
        ("agent.buildkite.com", r"", missing),
        ("agent.buildkite.com", r#""StringLike":{"KEY:sub":"organization:acme:pipeline:app:*"}"#, None),
        (pool, r"", missing),
        (pool, r#""ForAnyValue:StringLike":{"KEY:amr":"authenticated"}"#, missing),
        (pool, r#""StringEquals":{"KEY:aud":"eu-central-1:11112222-3333-4444-5555-666677778888"}"#, None),
        (pool, r#""StringLike":{"KEY:aud":"eu-central-1:*"}"#, wide),
        ("accounts.google.com", r"", missing),
        ("accounts.google.com", r#""StringEquals":{"KEY:aud":"1234.apps.googleusercontent.com"}"#, None),
        ("accounts.google.com", r#""StringEquals":{"KEY:sub":"110110110"}"#, None),
        ("accounts.google.com", r#""StringLike":{"KEY:aud":"*"}"#, wide),
        // Providers of one cluster or organization, each with many workloads.
        (eks, r#""StringEquals":{"KEY:aud":"sts.amazonaws.com"}"#, own_missing),
        (eks, r#""StringEquals":{"KEY:sub":"system:serviceaccount:kube-system:aws-node"}"#, None),
        (eks, r#""StringLike":{"KEY:sub":"system:serviceaccount:team-a:*"}"#, None),
        (eks, r#""StringLike":{"KEY:sub":"system:serviceaccount:*:aws-node"}"#, own_wide),
        (eks, r#""StringLike":{"KEY:sub":"*"}"#, own_wide),
        ("oidc.circleci.com/org/1111-2222", r#""StringEquals":{"KEY:aud":"1111-2222"}"#, own_missing),
        (
            "oidc.circleci.com/org/1111-2222",
            r#""StringLike":{"KEY:sub":"org/1111-2222/project/3333/*"}"#,
            None,
        ),
        (
            "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
            r#""StringEquals":{"KEY:aud":"ari:cloud:bitbucket::workspace/11"}"#,
            own_missing,
        ),
        ("idp.example.com", r"", own_missing),
        ("idp.example.com", r#""StringEquals":{"KEY:aud":"app"}"#, None),
        ("idp.example.com", r#""StringLike":{"KEY:sub":"*"}"#, own_wide),
    ] {
        let text = statement(provider, &condition.replace("KEY", provider));
        assert_eq!(found(&[&text]).first().copied(), expected, "{provider} {condition}");
    }
}

#[test]
fn a_deny_or_a_network_limits_tokens_too() {
    let open = statement(GITHUB, "");
    let deny = |condition: &str| {
        statement(GITHUB, &condition.replace("KEY", GITHUB)).replace("\"Allow\"", "\"Deny\"")
    };
    let is_found = |statements: &[&str]| !found(statements).is_empty();
    assert!(!is_found(&[&open, &deny(r#""StringNotLike":{"KEY:sub":"repo:acme/*"}"#)]));
    assert!(is_found(&[&open, &deny(r#""StringNotLike":{"KEY:sub":"repo:*"}"#)]));
    assert!(is_found(&[&open, &deny(r#""StringLike":{"KEY:sub":"repo:evil/*"}"#)]));
    assert!(!is_found(&[&statement(GITHUB, r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#)]));
}

#[test]
fn a_claim_of_another_provider_is_found() {
    let mismatch = |text: &str| found(&[text]).iter().any(|(rule, _)| *rule == Rule::FederatedKeyMismatch);
    let sub = r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/app:*"}"#;
    let eks = "oidc.eks.eu-central-1.amazonaws.com/id/0123ABCD";
    let people = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{CONDITION}}"#;
    assert!(!mismatch(&statement(GITHUB, sub)));
    assert!(mismatch(&statement("gitlab.com", sub)));
    assert!(mismatch(&statement(
        GITHUB,
        r#""StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}"#
    )));
    assert!(!mismatch(&statement(
        eks,
        &format!(r#""StringEquals":{{"{eks}:sub":"system:serviceaccount:a:b"}}"#)
    )));
    assert!(mismatch(&statement(
        eks,
        &format!(r#""StringEquals":{{"{eks}EF:sub":"system:serviceaccount:a:b"}}"#)
    )));
    assert!(!mismatch(
        &statement("arn:aws:iam::111122223333:saml-provider/Okta", r#""StringEquals":{"SAML:aud":"x"}"#)
            .replace("WithWebIdentity", "WithSAML")
    ));
    assert!(mismatch(&people.replace("{CONDITION}", &format!("{{{sub}}}"))));
    let report =
        lint_policy(&policy(&[&statement("gitlab.com", sub)]), Subject::default(), &Trial::default());
    let finding =
        report.unwrap().findings.into_iter().find(|of| of.rule == Rule::FederatedKeyMismatch).unwrap();
    assert_eq!(
        (finding.message.as_str(), finding.fix.as_str()),
        (
            "Tokens of gitlab.com carry no token.actions.githubusercontent.com:sub, so this statement allows no one.",
            "write gitlab.com:sub."
        )
    );
}

#[test]
fn no_fix_opens_a_role_to_all_of_a_provider() {
    let literal = |value: &str| {
        let text = policy(&[&statement(GITHUB, &format!(r#""StringEquals":{{"{GITHUB}:sub":"{value}"}}"#))]);
        let findings = lint_policy(&text, Subject::default(), &Trial::default()).unwrap().findings;
        assert_eq!(findings.len(), 1, "no one gets in, so nothing is open: {value} {findings:?}");
        findings.into_iter().find(|of| of.rule == Rule::LiteralWildcard).unwrap()
    };
    for value in ["repo:*", "*", "repo:acme*/*", "repo:*/app:*"] {
        let finding = literal(value);
        assert!(finding.message.contains("no caller matches"), "{value}: {}", finding.message);
        assert!(finding.fix.contains("repo:OWNER/REPOSITORY:*"), "{value}: {}", finding.fix);
    }
    assert_eq!(literal("repo:acme/app:*").fix, "write \"StringLike\".");
}

#[test]
fn a_third_party_is_asked_for_an_external_id_and_not_for_mfa() {
    let own = "arn:aws:iam::111122223333:role/Vendor";
    let accounts: BTreeSet<String> = ["111122223333".to_owned(), "444455556666".to_owned()].into();
    let rules = |principal: &str, condition: &str, arn| {
        let text = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole","Condition":{{{condition}}}}}"#
        );
        let subject = Subject { arn, accounts: Some(&accounts) };
        let report = lint_policy(&policy(&[&text]), subject, &Trial::default()).unwrap();
        report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let id = r#""StringEquals":{"sts:ExternalId":"x"}"#;
    let mfa = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
    let org = r#""StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#;
    let vendor = "arn:aws:iam::999988887777:root";
    let vendor_role = "arn:aws:iam::999988887777:role/Scanner";
    for (principal, condition, arn, expected) in [
        (vendor, id, Some(own), vec![]),
        (vendor, id, None, vec![]),
        (vendor_role, id, Some(own), vec![]),
        ("arn:aws:iam::111122223333:root", id, Some(own), vec![Rule::MfaMissing]),
        (vendor, "", Some(own), vec![Rule::MfaMissing, Rule::ConfusedDeputy]),
        ("999988887777", "", Some(own), vec![Rule::MfaMissing, Rule::ConfusedDeputy]),
        (vendor_role, "", Some(own), vec![Rule::ConfusedDeputy]),
        (vendor, mfa, Some(own), vec![]),
        (vendor_role, org, Some(own), vec![]),
        (
            vendor_role,
            r#""StringEqualsIfExists":{"sts:ExternalId":"x"}"#,
            Some(own),
            vec![Rule::ConfusedDeputy, Rule::ExternalIdIfExists],
        ),
        (vendor_role, "", None, vec![]),
        ("arn:aws:iam::444455556666:role/Deploy", "", Some(own), vec![]),
        ("arn:aws:iam::111122223333:role/Deploy", "", Some(own), vec![]),
    ] {
        assert_eq!(rules(principal, condition, arn), expected, "{principal} {condition} {arn:?}");
    }
}
