use super::*;

fn run(text: &str) -> Outcome {
    require_mfa(text, &Wanted::default()).unwrap()
}

fn patched(text: &str, wanted: &Wanted) -> Patch {
    match require_mfa(text, wanted).unwrap() {
        Outcome::Patched(patch) => patch,
        other => panic!("{other:?}"),
    }
}

const OPEN: &str = r#"{
  "Version": "2012-10-17",
  "Id": "kept",
  "Statement": [
    {
      "Sid": "People",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
      "Action": "sts:AssumeRole"
    }
  ]
}
"#;

#[test]
fn a_condition_is_added_and_shown_as_a_diff() {
    let patch = patched(OPEN, &Wanted::default());
    let added = ",\n      \"Condition\": { \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" } }";
    assert_eq!(patch.text, OPEN.replace("\"sts:AssumeRole\"", &format!("\"sts:AssumeRole\"{added}")));
    let diff = "\
--- current
+++ with MFA
@@ statement 1 @@
       \"Principal\": { \"AWS\": \"arn:aws:iam::111122223333:root\" },
-      \"Action\": \"sts:AssumeRole\"
+      \"Action\": \"sts:AssumeRole\",
+      \"Condition\": { \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" } }
";
    assert_eq!(render_diff(&patch.changes, Layout::AsWritten), diff);
    assert_eq!(patch.effects.keeps, ["any user of account 111122223333"]);
    assert_eq!(patch.effects.loses, ["any role of account 111122223333: a role never has MFA"]);
    assert!(matches!(run(&patch.text), Outcome::Unchanged(_)), "a second time there is nothing to do");
}

#[test]
fn a_role_that_does_not_get_in_today_loses_nothing() {
    let policy = OPEN.replace(
        "\"sts:AssumeRole\"",
        "\"sts:AssumeRole\", \"Condition\": { \"BoolIfExists\": { \"aws:MultiFactorAuthPresent\": \"true\" } }",
    );
    let patch = patched(&policy, &Wanted::default());
    assert_eq!(patch.effects.keeps, ["any user of account 111122223333"]);
    assert!(patch.effects.loses.is_empty(), "{:?}", patch.effects.loses);
}

fn one(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{condition}}}}}"#
    )
}

#[test]
fn what_only_looks_like_mfa_is_replaced_and_all_else_is_kept() {
    let account = r#"{"AWS":"111122223333"}"#;
    let good = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
    for (before, after) in [
        (r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#, good.to_owned()),
        (
            r#""ForAllValues:Bool":{"aws:MultiFactorAuthPresent":true}"#,
            r#""Bool":{"aws:MultiFactorAuthPresent":true}"#.to_owned(),
        ),
        (r#""Null":{"aws:MultiFactorAuthPresent":"false"}"#, good.to_owned()),
        (r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#, good.to_owned()),
        (r#""StringNotEquals":{"AWS:multifactorauthpresent":"false"}"#, good.to_owned()),
        (
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true","aws:SecureTransport":"true"}"#,
            format!(r#""BoolIfExists":{{"aws:SecureTransport":"true"}},{good}"#),
        ),
        (
            r#""Bool":{"aws:SecureTransport":"true"},"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#,
            r#""Bool":{"aws:SecureTransport":"true","aws:MultiFactorAuthPresent":"true"}"#.to_owned(),
        ),
        (
            r#""NumericLessThanIfExists":{"aws:MultiFactorAuthAge":"3600"}"#,
            format!(r#""NumericLessThan":{{"aws:MultiFactorAuthAge":"3600"}},{good}"#),
        ),
        (
            r#""StringEquals":{"sts:ExternalId":"x"},"Null":{"aws:MultiFactorAuthPresent":"false"}"#,
            format!(r#""StringEquals":{{"sts:ExternalId":"x"}},{good}"#),
        ),
    ] {
        let text = one(account, &format!(r#","Condition":{{{before}}}"#));
        let patch = patched(&text, &Wanted::default());
        assert_eq!(patch.text, one(account, &format!(r#","Condition":{{{after}}}"#)), "{before}");
        assert!(matches!(run(&patch.text), Outcome::Unchanged(_)), "{before}");
    }
}

#[test]
fn people_are_split_from_services_and_roles_that_stay_as_they_were() {
    let mixed = r#"{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:role/Deploy"],"Service":"ec2.amazonaws.com"}"#;
    let text = one(mixed, r#","Sid":"All""#);
    let patch = patched(&text, &Wanted::default());
    let people = r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole","Sid":"All","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    let others = r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/Deploy"],"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Sid":"AllWithoutMfa"}"#;
    assert_eq!(patch.text, format!(r#"{{"Version":"2012-10-17","Statement":[{people}, {others}]}}"#));
    assert_eq!(
        patch.effects.left_alone,
        ["role Deploy of account 111122223333", "the service ec2.amazonaws.com"]
    );
    assert!(matches!(run(&patch.text), Outcome::Unchanged(_)));
}

#[test]
fn statements_in_a_list_stay_in_order_and_the_rest_stays_byte_for_byte() {
    let text = OPEN.replace(
        "\n  ]",
        ",\n    {\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"},\n    {\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:TagSession\"}\n  ]",
    );
    let patch = patched(&text, &Wanted::default());
    assert_eq!(patch.changes.len(), 1);
    let (head, tail) = text.split_once("\"sts:AssumeRole\"").unwrap();
    assert!(patch.text.starts_with(head) && patch.text.ends_with(tail), "{}", patch.text);
}

#[test]
fn an_age_is_added_or_corrected() {
    let wanted = Wanted { max_age: Some(43_200), ..Wanted::default() };
    let age = r#"{ "aws:MultiFactorAuthAge": "43200" }"#;
    let patch = patched(OPEN, &wanted);
    assert!(patch.text.contains(&format!(r#""NumericLessThan": {age}"#)), "{}", patch.text);
    assert!(matches!(require_mfa(&patch.text, &wanted).unwrap(), Outcome::Unchanged(_)));
    let shorter = patched(&patch.text, &Wanted { max_age: Some(3600), ..Wanted::default() });
    assert_eq!(shorter.text, patch.text.replace("43200", "3600"));
}

#[test]
fn guards_leave_the_policy_as_it_is() {
    let refused = |text: &str, wanted: &Wanted| match require_mfa(text, wanted).unwrap() {
        Outcome::Refused(guard) => guard,
        other => panic!("{other:?}"),
    };
    let plain = Wanted::default();
    assert_eq!(refused(&one(r#"{"Service":"ec2.amazonaws.com"}"#, ""), &plain), Guard::NoOneHasMfa);
    for role in ["aws-service-role/x.amazonaws.com/AWSServiceRoleForX", "AWSReservedSSO_Admin_1"] {
        let role = Some(format!("arn:aws:iam::111122223333:role/{role}"));
        assert_eq!(refused(OPEN, &Wanted { role, ..Wanted::default() }), Guard::OwnedByAws);
    }
    let long = OPEN.replace("kept", &"x".repeat(1850));
    assert!(matches!(refused(&long, &plain), Guard::TooLong { limit: 2048, .. }));
    let huge = OPEN.replace("kept", &"x".repeat(5000));
    assert!(matches!(refused(&huge, &plain), Guard::TooLong { limit: 4096, .. }));
    let shut = OPEN.replace(
        "\n  ]",
        ", {\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"Bool\":{\"aws:MultiFactorAuthPresent\":\"true\"}}}\n  ]",
    );
    assert_eq!(refused(&shut, &plain), Guard::ShutOut(1));
}
