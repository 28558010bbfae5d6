//! A role that strangers can assume through an identity provider has a warning.

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::text::{Characters, render_text};
use hatbox_iam::graph::{Graph, survey};

const GITHUB: &str = "token.actions.githubusercontent.com";

fn graph(condition: &str) -> Graph {
    let snapshot = format!(
        r#"{{"schema": 1, "organization": "none", "accounts": [{{"account": "111122223333", "details": {{
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{{"RoleName": "Deploy", "Arn": "arn:aws:iam::111122223333:role/Deploy",
          "RolePolicyList": [], "AttachedManagedPolicies": [], "AssumeRolePolicyDocument": {{"Statement": {{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {condition},
            "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}}}}}}}}]}}}}]}}"#
    );
    let mut accounts = Accounts::default();
    let origin = Origin { name: "iam.json".to_owned(), kind: SourceKind::PolicyFile, taken: None };
    accounts.add_source(snapshot.as_bytes(), origin).unwrap();
    survey(&accounts, &Assumptions::default())
}

#[test]
fn a_provider_whose_tokens_anyone_has_is_a_warning() {
    let sub = |value: &str| format!(r#"{{"StringLike": {{"{GITHUB}:sub": "{value}"}}}}"#);
    let aud = format!(r#"{{"StringEquals": {{"{GITHUB}:aud": "sts.amazonaws.com"}}}}"#);
    for (condition, is_open) in [
        ("{}".to_owned(), true),
        (aud, true),
        (sub("repo:*"), true),
        (sub("repo:acme*/*"), true),
        (sub("repo:acme/app:*"), false),
    ] {
        let graph = graph(&condition);
        let text = render_text(&graph, Characters::Ascii).to_string();
        let note = format!("open to anyone at {GITHUB}");
        assert_eq!(text.contains(&note), is_open, "{condition}\n{text}");
        assert_eq!(text.contains("1 warning."), is_open, "{condition}\n{text}");
        let json: serde_json::Value = serde_json::from_str(&render_json(&graph).unwrap()).unwrap();
        assert_eq!(json["warnings"].as_array().unwrap().len(), usize::from(is_open), "{condition}\n{json}");
    }
}
