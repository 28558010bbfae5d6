//! Tokens of identity providers: which are accepted and which are rejected.

use hatbox_sandbox::control::TokenOrder;
use hatbox_sandbox::world::{
    AUDIENCE, Curve, ISSUER, IdentityProvider, JOB_ROLE, PEOPLE_ACCOUNT, SUBJECT, WORK_ACCOUNT, World,
};
use serde_json::{Value, json};

use crate::client::{Sandbox, role};
use crate::web_identity::{X, assume, token, token_of};

const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements";
const NO_JWT: &str =
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";

#[test]
fn a_token_that_was_touched_or_signed_by_another_is_refused() {
    let other = "https://other.example";
    let sandbox = Sandbox::start_with(|world| {
        world.identity_providers.insert(other.to_owned(), IdentityProvider::mint(Curve::P256).unwrap());
    });
    let good = token(&sandbox, &json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let raised = token(&sandbox, &json!({ "sub": "repo:work/other" }));
    let raised = raised.split('.').nth(1).unwrap();
    let swapped = [parts[0], raised, parts[2]].join(".");
    let wrong = "The signature of the token is not that of its issuer";
    assume(&sandbox, JOB_ROLE, &swapped, &[]).refused(400, "InvalidIdentityToken", wrong);
    // A token with `"alg": "none"` and no signature.
    let bare = ["eyJhbGciOiJub25lIn0", parts[1], ""].join(".");
    assume(&sandbox, JOB_ROLE, &bare, &[]).refused(400, "InvalidIdentityToken", wrong);
    // A token signed by another issuer, which claims to be this one.
    let forged = token_of(&sandbox, other, &json!({ "iss": ISSUER }));
    assume(&sandbox, JOB_ROLE, &forged, &[]).refused(400, "InvalidIdentityToken", NO_KEY);
    for text in ["abcd", &good[..good.len() - 90], "a.b.c"] {
        assume(&sandbox, JOB_ROLE, text, &[]).refused(400, "InvalidIdentityToken", NO_JWT);
    }
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
}

#[test]
fn a_token_ends_and_begins_by_the_clock_of_the_sandbox() {
    let mut sandbox = Sandbox::start();
    let good = token(&sandbox, &json!({}));
    sandbox.advance(590);
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
    sandbox.advance(11);
    let answer = assume(&sandbox, JOB_ROLE, &good, &[]);
    assert_eq!((answer.status, answer.text("Code").as_str()), (400, "ExpiredTokenException"));
    let text = answer.text("Message");
    let (now, end) = text
        .strip_prefix("Token expired: current date/time ")
        .and_then(|text| text.split_once(" must be before the expiration date/time "))
        .unwrap();
    assert!(now.parse::<i64>().unwrap() >= end.parse::<i64>().unwrap(), "{text}");
    let now = sandbox.control().status().unwrap().now.as_second();
    for (claim, ahead, is_given) in
        [("iat", 290, true), ("iat", 400, false), ("nbf", 290, true), ("nbf", 400, false)]
    {
        let early = token(&sandbox, &json!({ claim: now + ahead, "exp": now + 900 }));
        let answer = assume(&sandbox, JOB_ROLE, &early, &[]);
        assert_eq!(answer.status == 200, is_given, "{claim} {ahead}: {}", answer.body);
        if !is_given {
            answer.refused(400, "InvalidIdentityToken", "The token is not valid yet");
        }
    }
}

#[test]
fn a_claim_that_must_be_there_is_named() {
    let sandbox = Sandbox::start();
    for claim in ["iss", "sub", "exp", "iat"] {
        for value in [Value::Null, json!([]), json!("")] {
            let answer = assume(&sandbox, JOB_ROLE, &token(&sandbox, &json!({ claim: value })), &[]);
            let text = format!("Missing a required claim: {claim}");
            answer.refused(400, "InvalidIdentityToken", &text);
        }
    }
    let now = sandbox.control().status().unwrap().now.as_second();
    let half: Value = serde_json::from_str(&format!("{}.5", now + 60)).unwrap();
    assume(&sandbox, JOB_ROLE, &token(&sandbox, &json!({ "exp": half })), &[]).ok();
}

#[test]
fn a_token_must_be_meant_for_an_audience_that_the_account_knows() {
    let sandbox = Sandbox::start();
    for (claims, is_given) in [
        (json!({}), true),
        (json!({ "aud": "sts.amazonaws.com " }), false),
        (json!({ "aud": null }), false),
        (json!({ "aud": ["other", AUDIENCE] }), true),
        (json!({ "aud": ["other"] }), false),
        // An authorized party (`azp`) replaces the audience in the check.
        (json!({ "aud": "other", "azp": AUDIENCE }), true),
        (json!({ "azp": "other" }), false),
    ] {
        let answer = assume(&sandbox, JOB_ROLE, &token(&sandbox, &claims), &[]);
        if is_given {
            assert_eq!(answer.ok().text("Audience"), AUDIENCE, "{claims}");
        } else {
            answer.refused(400, "InvalidIdentityToken", "Incorrect token audience");
        }
    }
}

#[test]
fn an_issuer_must_be_known_to_the_account_of_the_role_and_have_the_key() {
    let strange = "https://strange.example";
    let keyless = "https://keyless.example";
    let trust =
        r#"{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"sts:AssumeRoleWithWebIdentity"}"#;
    let start = |edit: fn(&mut World)| {
        Sandbox::start_with(|world| {
            world.identity_providers.insert(strange.to_owned(), IdentityProvider::mint(Curve::P384).unwrap());
            world.add_oidc_provider(WORK_ACCOUNT, keyless, AUDIENCE);
            for account in [PEOPLE_ACCOUNT, WORK_ACCOUNT] {
                let roles = &mut world.accounts.get_mut(account).unwrap().roles;
                roles.insert("x".to_owned(), role(trust, &[]));
            }
            edit(world);
        })
    };
    let sandbox = start(|_| {});
    let none = |issuer: &str| format!("No OpenIDConnect provider found in your account for {issuer}");
    let of_strange = token_of(&sandbox, strange, &json!({}));
    assume(&sandbox, X, &of_strange, &[]).refused(400, "InvalidIdentityToken", &none(strange));
    let elsewhere = "arn:aws:iam::111122223333:role/x";
    let good = token(&sandbox, &json!({}));
    assume(&sandbox, elsewhere, &good, &[]).refused(400, "InvalidIdentityToken", &none(ISSUER));
    // An issuer that is spelled differently is a different issuer.
    let slash = format!("{ISSUER}/");
    let spelt = token(&sandbox, &json!({ "iss": slash }));
    assume(&sandbox, X, &spelt, &[]).refused(400, "InvalidIdentityToken", &none(&slash));
    let bare = token(&sandbox, &json!({ "iss": "ci.sandbox.example" }));
    assume(&sandbox, X, &bare, &[]).refused(400, "InvalidIdentityToken", &none("ci.sandbox.example"));
    let lost = token(&sandbox, &json!({ "iss": keyless }));
    assume(&sandbox, X, &lost, &[]).refused(400, "InvalidIdentityToken", NO_KEY);
    assume(&sandbox, X, &good, &[]).ok();
    let sandbox = start(|world| {
        world.add_oidc_provider(WORK_ACCOUNT, "https://strange.example", AUDIENCE);
        world.add_oidc_provider(PEOPLE_ACCOUNT, ISSUER, AUDIENCE);
    });
    assume(&sandbox, X, &token_of(&sandbox, strange, &json!({})), &[]).ok();
    assume(&sandbox, elsewhere, &token(&sandbox, &json!({})), &[]).ok();
}

#[test]
fn a_token_is_minted_for_issuers_of_the_world_alone_and_kept_in_no_log() {
    let sandbox = Sandbox::start();
    let order = TokenOrder {
        issuer: "https://none.example".to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        lifetime_seconds: 60,
        claims: serde_json::Map::new(),
    };
    let refused = sandbox.control().mint_token(&order);
    assert!(matches!(refused, Err(hatbox_sandbox::Error::Refused { status: 404, .. })));
    let long = TokenOrder { issuer: ISSUER.to_owned(), lifetime_seconds: i64::MAX, ..order.clone() };
    let refused = sandbox.control().mint_token(&long);
    assert!(matches!(refused, Err(hatbox_sandbox::Error::Refused { status: 400, .. })));
    let ended = TokenOrder { issuer: ISSUER.to_owned(), lifetime_seconds: -1, ..order };
    let ended = sandbox.control().mint_token(&ended).unwrap();
    assert_eq!(assume(&sandbox, JOB_ROLE, &ended, &[]).text("Code"), "ExpiredTokenException");
    let good = token(&sandbox, &json!({}));
    assume(&sandbox, JOB_ROLE, &good, &[]).ok();
    assume(&sandbox, JOB_ROLE, &"x".repeat(20_001), &[]);
    let text = std::fs::read_to_string(sandbox.directory.join("log.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 3);
    for secret in [&good, &ended, &"x".repeat(100)] {
        assert!(!text.contains(secret.as_str()));
    }
}
