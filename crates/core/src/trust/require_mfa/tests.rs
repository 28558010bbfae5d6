//! What is patched and how, and that the result lets in those with MFA and nobody else.

use serde_json::{Value, json};

use super::{Options, Patch, Refused, require_mfa};
use crate::name::AccountId;
use crate::policy::document::Policy;
use crate::policy::evaluate::{Caller, Context, Decision, Layers, Request, evaluate};

const OPS: &str = "arn:aws:iam::444455556666:role/Ops";
const HOME: &str = "arn:aws:iam::111122223333:root";

fn trust(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn allow(principal: &Value, condition: &Value) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

fn patched(trust: &str) -> Patch {
    require_mfa(OPS, trust, Options::default()).unwrap()
}

/// Which of five kinds of callers of the home account get in: access keys, keys and a code, a session token
/// without and with MFA, a role's session.
fn gets_in(trust: &str) -> [bool; 5] {
    let user = || Caller::User { arn: "arn:aws:iam::111122223333:user/alice".to_owned() };
    let role =
        Caller::RoleSession { session_arn: None, role_arn: "arn:aws:iam::111122223333:role/Deploy".into() };
    let present = |value: &str| vec![("aws:MultiFactorAuthPresent", vec![value.to_owned()])];
    let aged = |age: &str| {
        let age = ("aws:MultiFactorAuthAge", vec![age.to_owned()]);
        present("true").into_iter().chain([age]).collect::<Vec<_>>()
    };
    let identity =
        Policy::parse(r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#)
            .unwrap();
    [
        (user(), Vec::new()),
        (user(), aged("0")),
        (user(), present("false")),
        (user(), aged("600")),
        (role, present("false")),
    ]
    .map(|(caller, keys)| {
        let request = Request {
            caller,
            action: "sts:AssumeRole".to_owned(),
            also_actions: Vec::new(),
            resource: OPS.to_owned(),
            resource_account: AccountId::parse("444455556666").unwrap(),
            context: Context::complete(keys),
        };
        let layers = Layers {
            trust: Some(Policy::parse(trust).unwrap()),
            identity: vec![identity.clone()],
            ..Layers::default()
        };
        evaluate(&request, &layers).decision == Decision::Allow
    })
}

const WITH_MFA_ONLY: [bool; 5] = [false, true, false, true, false];

#[test]
fn whatever_lets_people_in_lets_them_in_with_mfa_only_and_twice_is_as_once() {
    let key = "aws:MultiFactorAuthPresent";
    let conditions = [
        Value::Null,
        json!({}),
        json!({ "Bool": { key: "true" } }),
        json!({ "bool": { "AWS:multifactorauthpresent": true } }),
        json!({ "Bool": { key: ["true", "false"] } }),
        json!({ "Bool": { key: "false" } }),
        json!({ "Bool": { key: "false", "AWS:multifactorauthpresent": "true" } }),
        json!({ "BoolIfExists": { key: "true" } }),
        json!({ "BoolIfExists": { key: "false" }, "Bool": { key: "true" } }),
        json!({ "Null": { key: "false" } }),
        json!({ "Null": { key: "true", "aws:MultiFactorAuthAge": "true" } }),
        json!({ "ForAllValues:Bool": { key: "true" } }),
        json!({ "StringEquals": { key: "true" } }),
        json!({ "NumericLessThanIfExists": { "aws:MultiFactorAuthAge": "3600" } }),
        json!({ "StringNotEquals": { "sts:ExternalId": "x" }, "BoolIfExists": { key: "true", "aws:SecureTransport": "true" } }),
    ];
    let users = json!({ "AWS": [HOME, "arn:aws:iam::111122223333:user/alice"] });
    for principal in [json!("*"), json!({ "AWS": "111122223333" }), users] {
        for condition in &conditions {
            for max_age in [None, Some(3600)] {
                let before = trust(&json!([allow(&principal, condition)]));
                let once = require_mfa(OPS, &before, Options { max_age }).unwrap();
                assert_eq!(gets_in(&once.after), WITH_MFA_ONLY, "{before}\n{}", once.after);
                let twice = require_mfa(OPS, &once.after, Options { max_age }).unwrap();
                assert!(!twice.is_change(), "{}\n{}", once.after, twice.diff);
                assert_eq!(twice.after, once.after);
            }
        }
    }
}

#[test]
fn a_second_statement_without_mfa_is_closed_too() {
    let asked = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let mut second = allow(&json!({ "AWS": "arn:aws:iam::111122223333:user/alice" }), &Value::Null);
    second["Action"] = json!(["sts:Assume*", "sts:TagSession"]);
    let before = trust(&json!([allow(&json!({ "AWS": HOME }), &asked), second]));
    assert_eq!(gets_in(&before), [true, true, true, true, false]);
    let patch = patched(&before);
    assert_eq!(gets_in(&patch.after), WITH_MFA_ONLY);
    assert!(
        !patch.diff.contains("@@ statement 1 @@") && patch.diff.contains("@@ statement 2 @@"),
        "{}",
        patch.diff
    );
}

#[test]
fn people_and_others_are_parted_and_the_others_stay_as_they_were() {
    let principal = json!({
        "Service": "ec2.amazonaws.com",
        "AWS": ["arn:aws:iam::111122223333:role/Deploy", HOME, "AIDAAAAAAAAAAAAAAAAAA"],
    });
    let mut statement = allow(&principal, &json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }));
    statement["Sid"] = json!("Both");
    let deny = json!({ "Sid": "BothWithoutMfa", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": { "Null": { "aws:MultiFactorAuthPresent": "true" } } });
    let patch = patched(&trust(&json!([statement, deny])));
    let after: Value = serde_json::from_str(&patch.after).unwrap();
    let [people, others, last] = after["Statement"].as_array().unwrap().as_slice() else { panic!("{after}") };
    assert_eq!(people["Principal"], json!({ "AWS": HOME }));
    assert_eq!(people["Sid"], "Both");
    assert_eq!(
        people["Condition"],
        json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" }, "Bool": { "aws:MultiFactorAuthPresent": "true" } })
    );
    assert_eq!(
        others["Principal"],
        json!({ "Service": "ec2.amazonaws.com", "AWS": ["arn:aws:iam::111122223333:role/Deploy", "AIDAAAAAAAAAAAAAAAAAA"] })
    );
    assert_eq!((&others["Condition"], &others["Sid"]), (&statement["Condition"], &json!("BothWithoutMfa2")));
    // A Deny is never touched.
    assert_eq!(*last, deny);
    assert_eq!(patch.left_alone.len(), 3);
    assert!(!patched(&patch.after).is_change());
}

#[test]
fn the_diff_shows_what_changes_with_a_line_around_it() {
    let patch = patched(&trust(&json!([allow(&json!({ "AWS": HOME }), &Value::Null)])));
    let expected = r#"--- current
+++ with MFA
@@ statement 1 @@
       "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
-      "Action": "sts:AssumeRole"
+      "Action": "sts:AssumeRole",
+      "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } }
"#;
    assert_eq!(patch.diff, expected);
}

#[test]
fn an_age_is_set_once() {
    let age = |condition: Value| {
        let before = trust(&json!([allow(&json!({ "AWS": HOME }), &condition)]));
        let patch = require_mfa(OPS, &before, Options { max_age: Some(43_200) }).unwrap();
        serde_json::from_str::<Value>(&patch.after).unwrap()["Statement"][0]["Condition"].clone()
    };
    let present = json!({ "aws:MultiFactorAuthPresent": "true" });
    let expected = json!({ "Bool": present, "NumericLessThan": { "aws:MultiFactorAuthAge": "43200" } });
    assert_eq!(age(Value::Null), expected);
    assert_eq!(age(json!({ "NumericLessThanIfExists": { "aws:MultiFactorAuthAge": "60" } })), expected);
    assert_eq!(
        age(json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "60", "s3:max-keys": "9" } }))["NumericLessThan"],
        json!({ "s3:max-keys": "9", "aws:MultiFactorAuthAge": "43200" })
    );
}

#[test]
fn a_guard_refuses_what_must_not_be_changed() {
    let people = trust(&json!([allow(&json!({ "AWS": HOME }), &Value::Null)]));
    for arn in [
        "arn:aws:iam::444455556666:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
        "arn:aws:iam::444455556666:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1",
    ] {
        assert!(matches!(require_mfa(arn, &people, Options::default()), Err(Refused::Protected(_))), "{arn}");
    }
    let services = trust(&json!([allow(&json!({ "Service": "ec2.amazonaws.com" }), &Value::Null)]));
    let refused = require_mfa(OPS, &services, Options::default()).unwrap_err();
    assert_eq!(refused, Refused::NobodyWithMfa(vec!["ec2.amazonaws.com (statement 1)".to_owned()]));
    let mut jobs = allow(&json!({ "Federated": "accounts.google.com" }), &Value::Null);
    jobs["Action"] = json!("sts:AssumeRoleWithWebIdentity");
    let refused = require_mfa(OPS, &trust(&json!([jobs])), Options::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "nobody whom this role trusts can have MFA: accounts.google.com (statement 1)"
    );
    let all_but = people.replace("\"Principal\"", "\"NotPrincipal\"");
    assert_eq!(require_mfa(OPS, &all_but, Options::default()), Err(Refused::NotPrincipal(1)));
    assert!(matches!(require_mfa(OPS, "{", Options::default()), Err(Refused::Policy(_))));
    let of_length = |length: usize| {
        let mut statement = allow(&json!({ "AWS": HOME }), &Value::Null);
        statement["Sid"] = json!("x".repeat(length - trust(&json!([statement])).len() - 9));
        trust(&json!([statement]))
    };
    assert_eq!(of_length(2000).len(), 2000);
    let refused = require_mfa(OPS, &of_length(2000), Options::default()).unwrap_err();
    assert!(matches!(refused, Refused::TooLong { limit: 2048, .. }), "{refused}");
    assert!(require_mfa(OPS, &of_length(1980), Options::default()).is_ok());
    // Longer than usual already: the account's quota was raised.
    assert!(require_mfa(OPS, &of_length(2100), Options::default()).is_ok());
}

#[test]
fn a_policy_that_lets_nobody_in_needs_nothing() {
    let stars = trust(&json!([{
        "Effect": "Allow", "Principal": "*", "Action": format!("{}x", "*".repeat(20_000)),
    }]));
    assert!(!patched(&stars).is_change());
    let deny = trust(&json!([{ "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole" }]));
    assert!(!patched(&deny).is_change());
}
