//! AssumeRoleWithWebIdentity: the sessions that valid tokens get, and which tokens a role trusts.

use hatbox_sandbox::control::{Fault, FaultKind, TokenOrder};
use hatbox_sandbox::world::{
    AUDIENCE, Curve, ISSUER, IdentityProvider, JOB_ROLE, PEOPLE_ACCOUNT, SUBJECT, WORK_ACCOUNT,
};
use serde_json::{Value, json};

use crate::client::{Answer, OPEN, Sandbox, policy, role};

const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
pub(crate) const X: &str = "arn:aws:iam::444455556666:role/x";

/// Returns a token of the demo issuer in which `claims` override the default ones.
pub(crate) fn token(sandbox: &Sandbox, claims: &Value) -> String {
    token_of(sandbox, ISSUER, claims)
}

pub(crate) fn token_of(sandbox: &Sandbox, issuer: &str, claims: &Value) -> String {
    let order = TokenOrder {
        issuer: issuer.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        lifetime_seconds: 600,
        claims: claims.as_object().unwrap().clone(),
    };
    sandbox.control().mint_token(&order).unwrap()
}

pub(crate) fn assume(sandbox: &Sandbox, role: &str, token: &str, params: &[(&str, &str)]) -> Answer {
    let mut all = vec![("RoleArn", role), ("RoleSessionName", "job-7"), ("WebIdentityToken", token)];
    all.extend(params);
    sandbox.unsigned("AssumeRoleWithWebIdentity", &all)
}

/// Returns a trust policy statement for tokens of the demo issuer.
fn trusting(condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::444455556666:oidc-provider/ci.sandbox.example"}},
            "Action":"sts:AssumeRoleWithWebIdentity","Condition":{{{condition}}}}}"#
    )
}

fn with_role(trust: &str, policies: &[&str]) -> Sandbox {
    Sandbox::start_with(|world| {
        let roles = &mut world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles;
        roles.insert("x".to_owned(), role(trust, policies));
    })
}

#[test]
fn a_good_token_gives_credentials_that_work() {
    let sandbox = Sandbox::start();
    let answer = assume(&sandbox, JOB_ROLE, &token(&sandbox, &json!({})), &[]);
    assert_eq!(answer.ok().text("SubjectFromWebIdentityToken"), SUBJECT);
    assert_eq!(answer.text("Audience"), AUDIENCE);
    assert_eq!(answer.text("Provider"), "arn:aws:iam::444455556666:oidc-provider/ci.sandbox.example");
    let arn = "arn:aws:sts::444455556666:assumed-role/ci-deploy/job-7";
    assert_eq!(answer.text("Arn"), arn);
    assert!(answer.text("AssumedRoleId").ends_with(":job-7"));
    let keys = answer.keys();
    assert_eq!(sandbox.sts(&keys, "GetCallerIdentity", &[]).ok().text("Arn"), arn);
    sandbox.s3(&keys, "PUT", "/work-logs/from-the-job", &[], b"x").ok();
    assert_eq!(sandbox.iam(&keys, "ListUsers", &[]).status, 403, "the role's policies say what it may");
    let log = sandbox.control().log(0).unwrap();
    assert_eq!(log[0].caller.as_deref(), Some(&*format!("{SUBJECT} of {ISSUER}")));
    assert_eq!(
        (log[0].granted_seconds, log[0].parameters["WebIdentityToken"].as_str()),
        (Some(3600), "present")
    );
    assert!(log[0].because.iter().any(|why| why.starts_with("trust policy, statement 1")));
}

#[test]
fn the_trust_policy_alone_says_which_bearers_are_trusted() {
    let sub = r#""StringEquals":{"ci.sandbox.example:sub":"repo:work/site:ref:refs/heads/main"}"#;
    for (trust, is_given, why) in [
        (trusting(sub), true, "the subject"),
        (
            trusting(r#""StringEquals":{"CI.sandbox.example:Sub":"repo:work/site:ref:refs/heads/main"}"#),
            true,
            "keys have no case",
        ),
        (trusting(r#""StringLike":{"ci.sandbox.example:sub":"repo:work/*"}"#), true, "subjects like it"),
        (trusting(r#""StringLike":{"ci.sandbox.example:sub":"repo:play/*"}"#), false, "other subjects"),
        (trusting(r#""StringEquals":{"ci.sandbox.example:aud":"sts.amazonaws.com"}"#), true, "the audience"),
        (trusting(r#""StringEquals":{"ci.sandbox.example:aud":"other"}"#), false, "another audience"),
        (trusting(r#""StringEquals":{"sts:RoleSessionName":"job-7"}"#), true, "the session's name"),
        (trusting(r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#), false, "a token carries no MFA"),
        (trusting(r#""Null":{"aws:MultiFactorAuthPresent":"true"}"#), true, "nor a word about it"),
        (
            trusting(r#""ForAnyValue:StringEquals":{"ci.sandbox.example:amr":"authenticated"}"#),
            false,
            "no amr",
        ),
        (
            trusting(sub) + r#",{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}"#,
            false,
            "a Deny wins",
        ),
        (trusting(sub).replace("WithWebIdentity", ""), false, "another call"),
        (trusting(sub).replace("ci.sandbox.example\"}", "other.example\"}"), false, "another provider"),
        (trusting(sub).replace("Federated", "AWS"), false, "no federated principal"),
    ] {
        let sandbox = with_role(&trust, &[]);
        let answer = assume(&sandbox, X, &token(&sandbox, &json!({})), &[]);
        if is_given {
            assert_eq!(answer.status, 200, "{why}: {}", answer.body);
        } else {
            answer.refused(403, "AccessDenied", DENIED);
        }
    }
}

#[test]
fn a_missing_role_looks_like_one_that_does_not_trust() {
    let sandbox = Sandbox::start();
    let good = token(&sandbox, &json!({}));
    for arn in [
        X,
        "arn:aws:iam::444455556666:role/team/ci-deploy",
        "arn:aws:iam::444455556666:role/security-auditor",
    ] {
        assume(&sandbox, arn, &good, &[]).refused(403, "AccessDenied", DENIED);
    }
    let stranger = token(&sandbox, &json!({ "sub": "repo:play/site" }));
    assume(&sandbox, JOB_ROLE, &stranger, &[]).refused(403, "AccessDenied", DENIED);
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
}

#[test]
fn a_provider_that_is_down_or_says_no_is_kept_apart() {
    let sandbox = Sandbox::start();
    let good = token(&sandbox, &json!({}));
    sandbox.control().add_fault(&Fault::once(FaultKind::IdentityProviderDown)).unwrap();
    let text = "The identity provider could not be reached to verify the token.";
    assume(&sandbox, JOB_ROLE, &good, &[]).refused(400, "IDPCommunicationError", text);
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
    sandbox.control().add_fault(&Fault::once(FaultKind::IdentityProviderRejects)).unwrap();
    let text = "The identity provider reported that authentication failed.";
    assume(&sandbox, JOB_ROLE, &good, &[]).refused(403, "IDPRejectedClaim", text);
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
    // With `ProviderId`, the token is an OAuth 2.0 access token, which no provider here can verify.
    let provider = [("ProviderId", "www.amazon.com")];
    assume(&sandbox, JOB_ROLE, &good, &provider).refused(403, "IDPRejectedClaim", text);
    assert!(sandbox.control().status().unwrap().faults.is_empty());
}

#[test]
fn a_session_is_as_long_as_the_role_allows_and_no_longer() {
    let sandbox = with_role(&trusting(r#""Null":{"aws:FederatedProvider":"false"}"#), &[]);
    let good = token(&sandbox, &json!({}));
    let over = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    for (role, seconds, is_given) in
        [(JOB_ROLE, "900", true), (JOB_ROLE, "3600", true), (JOB_ROLE, "3601", false), (X, "43200", true)]
    {
        let answer = assume(&sandbox, role, &good, &[("DurationSeconds", seconds)]);
        if is_given {
            answer.ok();
            let granted = sandbox.control().log(0).unwrap().last().unwrap().granted_seconds;
            assert_eq!(granted, seconds.parse().ok());
        } else {
            answer.refused(400, "ValidationError", over);
        }
    }
}

#[test]
fn a_session_of_a_token_is_a_role_s_in_all_that_follows() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let sandbox = Sandbox::start_with(|world| {
        let roles = &mut world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles;
        roles.insert("x".to_owned(), role(&trusting(r#""Null":{"aws:userid":"true"}"#), &[all]));
        let open = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().roles.get_mut("open").unwrap();
        open.trust =
            policy(r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}"#);
    });
    let keys = assume(&sandbox, X, &token(&sandbox, &json!({})), &[]).keys();
    sandbox.assume(&keys, OPEN, &[("DurationSeconds", "3600")]).ok();
    assert_eq!(sandbox.assume(&keys, OPEN, &[("DurationSeconds", "3601")]).text("Code"), "ValidationError");
    assert_eq!(sandbox.sts(&keys, "GetSessionToken", &[]).text("Code"), "AccessDenied");
    let read = policy(r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#);
    let cut = assume(&sandbox, X, &token(&sandbox, &json!({})), &[("Policy", &read)]).keys();
    sandbox.s3(&cut, "GET", "/", &[], b"").ok();
    assert_eq!(sandbox.iam(&cut, "ListUsers", &[]).status, 403);
    sandbox.iam(&keys, "ListUsers", &[]).ok();
    let bad = assume(&sandbox, X, &token(&sandbox, &json!({})), &[("Policy", "{")]);
    assert_eq!((bad.status, bad.text("Code").as_str()), (400, "MalformedPolicyDocument"));
}

#[test]
fn the_role_s_own_policies_see_whom_the_token_named() {
    let own = r#"{"Effect":"Allow","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::work-logs/${ci.sandbox.example:sub}/*"}"#;
    let sandbox = with_role(&trusting(r#""Null":{"aws:FederatedProvider":"false"}"#), &[own]);
    let of = |subject: &str| assume(&sandbox, X, &token(&sandbox, &json!({ "sub": subject })), &[]).keys();
    let (one, two) = (of("one"), of("two"));
    sandbox.s3(&one, "PUT", "/work-logs/one/x", &[], b"").ok();
    assert_eq!(sandbox.s3(&two, "PUT", "/work-logs/one/x", &[], b"").status, 403);
}

#[test]
fn tags_and_a_source_identity_of_a_token_need_their_permissions() {
    let trust = |actions: &str| {
        trusting(r#""Null":{"aws:FederatedProvider":"false"}"#).replace(
            r#""sts:AssumeRoleWithWebIdentity""#,
            &format!(r#"["sts:AssumeRoleWithWebIdentity"{actions}]"#),
        )
    };
    let tags = json!({ "https://aws.amazon.com/tags": {
        "principal_tags": { "Team": ["blue"], "Cost": "7" }, "transitive_tag_keys": ["Team"],
    } });
    let identity = json!({ "https://aws.amazon.com/source_identity": "jan.doe" });
    for (claims, action) in [(&tags, "sts:TagSession"), (&identity, "sts:SetSourceIdentity")] {
        let sandbox = with_role(&trust(""), &[]);
        let text = format!("Not authorized to perform {action}");
        assume(&sandbox, X, &token(&sandbox, claims), &[]).refused(403, "AccessDenied", &text);
        assume(&sandbox, X, &token(&sandbox, &json!({})), &[]).ok();
        let own = r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*",
            "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}}"#;
        let sandbox = with_role(&trust(&format!(r#","{action}""#)), &[own]);
        let answer = assume(&sandbox, X, &token(&sandbox, claims), &[]);
        let is_tagged = action == "sts:TagSession";
        assert_eq!(answer.ok().text("SourceIdentity"), if is_tagged { "" } else { "jan.doe" });
        assert_eq!(sandbox.s3(&answer.keys(), "GET", "/", &[], b"").status == 200, is_tagged);
    }
    let sandbox = with_role(&trust(r#","sts:TagSession","sts:SetSourceIdentity""#), &[]);
    for claims in [
        json!({ "https://aws.amazon.com/tags": { "principal_tags": { "a*b": ["x"] } } }),
        json!({ "https://aws.amazon.com/tags": { "principal_tags": {}, "transitive_tag_keys": ["none"] } }),
        json!({ "https://aws.amazon.com/source_identity": "a b" }),
        json!({ "https://aws.amazon.com/source_identity": 7 }),
    ] {
        let answer = assume(&sandbox, X, &token(&sandbox, &claims), &[]);
        assert_eq!((answer.status, answer.text("Code").as_str()), (400, "InvalidIdentityToken"), "{claims}");
    }
    assume(&sandbox, X, &token(&sandbox, &tags), &[]).ok();
}

#[test]
fn an_issuer_with_a_path_is_named_with_it() {
    const LONG: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    let trust = r#"{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{"Federated":"arn:aws:iam::444455556666:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"},
        "Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/0A1B:sub":"system:serviceaccount:a:b"}}}"#;
    let sandbox = Sandbox::start_with(|world| {
        world.identity_providers.insert(LONG.to_owned(), IdentityProvider::mint(Curve::P256).unwrap());
        world.add_oidc_provider(WORK_ACCOUNT, LONG, AUDIENCE);
        world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles.insert("x".to_owned(), role(trust, &[]));
    });
    let of = |subject: &str| token_of(&sandbox, LONG, &json!({ "sub": subject }));
    assume(&sandbox, X, &of("system:serviceaccount:a:b"), &[]).ok();
    assume(&sandbox, X, &of("system:serviceaccount:a:c"), &[]).refused(403, "AccessDenied", DENIED);
}

#[test]
fn a_world_saved_before_there_were_identity_providers_and_organizations_has_none() {
    let sandbox = Sandbox::start();
    let keys = assume(&sandbox, JOB_ROLE, &token(&sandbox, &json!({})), &[]).keys();
    let path = sandbox.directory.join("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for new in ["identity_providers", "organization"] {
        assert!(state.as_object_mut().unwrap().remove(new).is_some());
    }
    for account in state["accounts"].as_object_mut().unwrap().values_mut() {
        assert!(account.as_object_mut().unwrap().remove("oidc_providers").is_some());
    }
    assert!(state["sessions"][&keys.id].as_object_mut().unwrap().remove("web_identity").is_some());
    std::fs::write(&path, state.to_string()).unwrap();
    let world = hatbox_sandbox::world::load_world(&sandbox.directory).unwrap().unwrap();
    assert!(world.identity_providers.is_empty() && world.organization.is_none());
    assert!(world.accounts.values().all(|account| account.oidc_providers.is_empty()));
    assert!(world.sessions[&keys.id].web_identity.is_none());
}
