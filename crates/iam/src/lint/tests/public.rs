//! `"*"` as a principal: which conditions limit it to known accounts, and which do not.

use super::policy;
use crate::admits::Trial;
use crate::lint::*;

const PRINCIPALS: [&str; 4] =
    [r#""*""#, r#"{"AWS":"*"}"#, r#"{"AWS":["111122223333","*"]}"#, r#"{"AWS":["*"]}"#];

fn rules(statements: &[&str]) -> Vec<Rule> {
    let report = lint_policy(&policy(statements), Subject::default(), &Trial::default()).unwrap();
    report.findings.iter().map(|finding| finding.rule).collect()
}

fn allow(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole","Condition":{{{condition}}}}}"#
    )
}

#[test]
fn a_condition_that_strangers_can_satisfy_leaves_a_role_public() {
    for condition in [
        "",
        // Anyone can create a role with this name in another account.
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}"#,
        r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}"#,
        r#""StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}"#,
        r#""StringLike":{"AWS:principalarn":"arn:aws:iam::????????????:role/Admin"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::????????????:user/*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::11112222333?:role/Admin"}"#,
        r#""ArnLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/A","arn:aws:iam::*:role/B"]}"#,
        r#""StringLike":{"aws:PrincipalArn":"*role/Admin"}"#,
        // The path of a role may contain colons: arn:aws:iam::999988887777:role/a:iam::111122223333:role/X.
        r#""StringLike":{"aws:PrincipalArn":"arn:*:iam::111122223333:role/X"}"#,
        r#""StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:*:*:*:*:*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:role/Admin"}"#,
        r#""ArnLikeIfExists":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}"#,
        r#""ForAllValues:ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}"#,
        r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}"#,
        r#""Null":{"aws:PrincipalArn":"false"}"#,
        r#""StringLike":{"aws:PrincipalOrgID":"o-*"}"#,
        r#""StringLike":{"aws:PrincipalOrgID":"*"}"#,
        r#""StringLike":{"aws:PrincipalOrgID":"o-??????????"}"#,
        r#""StringEquals":{"aws:PrincipalOrgID":"${aws:PrincipalOrgID}"}"#,
        r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#,
        r#""Null":{"aws:PrincipalOrgID":"false"}"#,
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-ab12/*"}"#,
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-a1b2c3d4e5/*","*/ou-ab12-11111111/*"]}"#,
        r#""ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}"#,
        r#""StringLike":{"aws:PrincipalAccount":"*"}"#,
        r#""StringLike":{"aws:PrincipalAccount":"1111*"}"#,
        r#""StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}"#,
        r#""NumericGreaterThan":{"aws:PrincipalAccount":"0"}"#,
        r#""StringNotEquals":{"aws:PrincipalAccount":"111122223333"}"#,
        r#""StringLike":{"aws:userid":"*:alice"}"#,
        r#""StringLike":{"aws:userid":"AROA*"}"#,
        r#""StringLike":{"aws:SourceAccount":"*"}"#,
        r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:*"}"#,
        r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#,
        r#""IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}"#,
        r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","::/0"]}"#,
        r#""StringLike":{"aws:SourceVpc":"vpc-*"}"#,
        // Anyone can use any addresses in their own VPC.
        r#""IpAddress":{"aws:VpcSourceIp":"10.1.2.0/24"}"#,
        // The caller can choose these, or they do not identify the caller.
        r#""StringEquals":{"aws:PrincipalTag/team":"ops"}"#,
        r#""StringEquals":{"aws:RequestTag/team":"ops"}"#,
        r#""StringEquals":{"sts:ExternalId":"x"}"#,
        r#""StringEquals":{"sts:RoleSessionName":"ci"}"#,
        r#""StringEquals":{"sts:SourceIdentity":"alice"}"#,
        r#""StringEquals":{"aws:SourceIdentity":"alice"}"#,
        r#""StringEquals":{"aws:username":"alice"}"#,
        r#""StringEquals":{"aws:UserAgent":"x"}"#,
        r#""StringEquals":{"aws:Referer":"x"}"#,
        r#""StringEquals":{"aws:PrincipalType":"AssumedRole"}"#,
        r#""StringEquals":{"aws:RequestedRegion":"eu-central-1"}"#,
        r#""StringEquals":{"aws:ResourceAccount":"111122223333"}"#,
        r#""Bool":{"aws:SecureTransport":"true"}"#,
        r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
        r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#,
        r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#,
        // Strangers can satisfy both conditions.
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"},"StringLike":{"aws:PrincipalOrgID":"o-*"}"#,
    ] {
        for principal in PRINCIPALS {
            let found = rules(&[&allow(principal, condition)]);
            assert!(found.contains(&Rule::PublicPrincipal), "{found:?}: {principal} {condition}");
            assert!(!found.contains(&Rule::PublicPrincipalConditioned), "{principal} {condition}");
            assert!(!found.contains(&Rule::SelfAssume), "{principal} {condition}");
        }
    }
}

#[test]
fn a_condition_on_a_known_account_organization_or_network_limits_everyone() {
    for condition in [
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:*:iam::111122223333:role/Admin"}"#,
        r#""ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/A","arn:aws:iam::444455556666:role/B"]}"#,
        r#""StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/team/*"}"#,
        r#""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/A"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:ResourceAccount}:role/Admin"}"#,
        r#""StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}"#,
        r#""StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}"#,
        r#""StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#,
        r#""StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}"#,
        r#""ForAnyValue:StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#,
        r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}"#,
        r#""StringLike":{"aws:userid":"AROAQAAAAAAAEXAMPLE1:*"}"#,
        r#""StringEquals":{"aws:userid":"AIDAQAAAAAAAEXAMPLE1"}"#,
        r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
        r#""IpAddress":{"aws:SourceIp":["203.0.113.7","2001:db8::/32"]}"#,
        r#""StringEquals":{"aws:SourceVpc":"vpc-11112222"}"#,
        r#""StringEquals":{"aws:SourceVpce":"vpce-11112222"}"#,
        r#""StringEquals":{"aws:SourceAccount":"111122223333"}"#,
        // One limiting condition is enough, as all conditions must hold.
        r#""StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5","aws:PrincipalTag/team":"ops"}"#,
        r#""StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}"#,
    ] {
        for principal in PRINCIPALS {
            let found = rules(&[&allow(principal, condition)]);
            assert!(found.contains(&Rule::PublicPrincipalConditioned), "{found:?}: {principal} {condition}");
            assert!(!found.contains(&Rule::PublicPrincipal), "{principal} {condition}");
        }
    }
}

#[test]
fn a_deny_of_all_but_known_accounts_limits_everyone_too() {
    let deny = |condition: &str| allow(r#""*""#, condition).replace("\"Allow\"", "\"Deny\"");
    let org = r#""aws:PrincipalOrgID":"o-a1b2c3d4e5""#;
    for (statement, is_limited, why) in [
        (deny(&format!(r#""StringNotEquals":{{{org}}}"#)), true, "others are denied"),
        (deny(&format!(r#""StringNotEqualsIfExists":{{{org}}}"#)), true, "also those without the key"),
        (deny(&format!(r#""ForAllValues:StringNotEquals":{{{org}}}"#)), true, "also those without the key"),
        (
            deny(&format!(r#""StringNotEquals":{{{org}}},"Bool":{{"aws:PrincipalIsAWSService":"false"}}"#)),
            true,
            "AWS services are spared",
        ),
        (deny(&format!(r#""ForAnyValue:StringNotEquals":{{{org}}}"#)), false, "no key, no Deny"),
        (deny(&format!(r#""StringEquals":{{{org}}}"#)), false, "the wrong way round"),
        (deny(r#""StringNotLike":{"aws:PrincipalOrgID":"o-*"}"#), false, "any organization"),
        (deny(r#""StringNotEquals":{"aws:PrincipalTag/team":"ops"}"#), false, "anyone has tags"),
        (
            deny(&format!(r#""StringNotEquals":{{{org}}},"Bool":{{"aws:MultiFactorAuthPresent":"false"}}"#)),
            false,
            "only of those without MFA",
        ),
        (
            deny(&format!(r#""StringNotEquals":{{{org}}}"#)).replace(r#""*""#, r#"{"AWS":"111122223333"}"#),
            false,
            "a Deny of one account",
        ),
        (
            deny(&format!(r#""StringNotEquals":{{{org}}}"#)).replace("sts:AssumeRole", "sts:TagSession"),
            false,
            "another action",
        ),
    ] {
        let found = rules(&[&allow(r#""*""#, ""), &statement]);
        assert_eq!(!found.contains(&Rule::PublicPrincipal), is_limited, "{why}: {statement} {found:?}");
        assert_eq!(found.contains(&Rule::PublicPrincipalConditioned), is_limited, "{why}: {statement}");
    }
}

#[test]
fn an_allow_that_lets_no_one_assume_the_role_is_not_public() {
    let tags = allow(r#""*""#, "").replace("sts:AssumeRole", "sts:TagSession");
    assert!(!rules(&[&tags]).contains(&Rule::PublicPrincipal));
    for action in ["sts:*", "*", "sts:Assume?ole", "STS:assumerole", "sts:AssumeRoleWithWebIdentity"] {
        let statement = allow(r#""*""#, "").replace("sts:AssumeRole", action);
        assert!(rules(&[&statement]).contains(&Rule::PublicPrincipal), "{action}");
    }
}

#[test]
fn the_way_out_of_a_literal_wildcard_opens_no_role() {
    let fix = |condition: &str| {
        let text = policy(&[&allow(r#""*""#, condition)]);
        let report = lint_policy(&text, Subject::default(), &Trial::default()).unwrap();
        report.findings.into_iter().find(|of| of.rule == Rule::LiteralWildcard).unwrap().fix
    };
    for (condition, is_like) in [
        (r#""StringEquals":{"aws:PrincipalOrgID":"o-*"}"#, false),
        (r#""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}"#, false),
        (r#""StringEquals":{"aws:PrincipalAccount":"1111*"}"#, false),
        (r#""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Ops*"}"#, true),
        (r#""StringEquals":{"aws:userid":"AROAEXAMPLE:*"}"#, true),
    ] {
        assert_eq!(fix(condition).contains("StringLike"), is_like, "{condition}");
    }
}
