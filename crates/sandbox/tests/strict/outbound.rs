//! GetWebIdentityToken: who may get a token for an external service, its content, and whether other accounts accept it.

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, USER, WORK_ACCOUNT, World};
use serde_json::{Value, json};

use crate::client::{Answer, JAN, Keys, OPEN, Sandbox, policy, role};

const THEM: [(&str, &str); 2] = [("Audience.member.1", "them"), ("SigningAlgorithm", "ES384")];
const X: &str = "arn:aws:iam::444455556666:role/x";

/// Starts a sandbox with outbound federation in the people account. `edit` receives the world and the issuer.
fn enabled(edit: impl FnOnce(&mut World, &str)) -> (Sandbox, String) {
    let mut found = String::new();
    let sandbox = Sandbox::start_with(|world| {
        found = world.enable_outbound_federation(PEOPLE_ACCOUNT).unwrap();
        edit(world, &found);
    });
    (sandbox, found)
}

fn ask(sandbox: &Sandbox, keys: &Keys, params: &[(&str, &str)]) -> Answer {
    let mut all = THEM.to_vec();
    all.extend(params);
    sandbox.sts(keys, "GetWebIdentityToken", &all)
}

/// Returns the claims of a token without verifying it.
fn claims(token: &str) -> Value {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_usize, 0);
    for c in token.split('.').nth(1).unwrap().bytes() {
        word = (word << 6 | LETTERS.iter().position(|&letter| letter == c).unwrap()) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_token_says_who_asked_for_whom_and_until_when() {
    let (sandbox, issuer) = enabled(|world, _| {
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().tags.insert("team".to_owned(), "blue".to_owned());
    });
    let tags = [("Tags.member.1.Key", "job"), ("Tags.member.1.Value", "7"), ("DurationSeconds", "60")];
    let answer = ask(&sandbox, &sandbox.jan, &tags);
    let told = claims(&answer.ok().text("WebIdentityToken"));
    assert_eq!((&told["iss"], &told["sub"], &told["aud"]), (&json!(issuer), &json!(JAN), &json!("them")));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 60);
    let end: jiff::Timestamp = answer.text("Expiration").parse().unwrap();
    assert_eq!(told["exp"], end.as_second());
    let own = json!({
        "aws_account": PEOPLE_ACCOUNT, "source_region": "us-east-1",
        "principal_tags": { "team": "blue" }, "request_tags": { "job": "7" },
    });
    assert_eq!(told["https://sts.amazonaws.com/"], own);
    // A role session is named by its role, several audiences are a list, and the default lifetime is five minutes.
    let open = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let told = claims(&ask(&sandbox, &open, &[("Audience.member.2", "you")]).ok().text("WebIdentityToken"));
    assert_eq!((&told["sub"], &told["aud"]), (&json!(OPEN), &json!(["them", "you"])));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 300);
    let text = std::fs::read_to_string(sandbox.directory.join("log.jsonl")).unwrap();
    assert!(text.contains("GetWebIdentityToken") && !text.contains(&answer.text("WebIdentityToken")));
}

#[test]
fn a_token_opens_a_role_of_an_account_that_knows_its_issuer() {
    let (sandbox, _) = enabled(|world, issuer| {
        let arn = world.add_oidc_provider(WORK_ACCOUNT, issuer, "them");
        let name = issuer.strip_prefix("https://").unwrap();
        let trust = format!(
            r#"{{"Effect":"Allow","Principal":{{"Federated":"{arn}"}},"Action":"sts:AssumeRoleWithWebIdentity",
                "Condition":{{"StringEquals":{{"{name}:sub":"{JAN}"}}}}}}"#
        );
        world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles.insert("x".to_owned(), role(&trust, &[]));
    });
    let open = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    for (keys, status) in [(&sandbox.jan, 200), (&open, 403)] {
        let token = ask(&sandbox, keys, &[]).ok().text("WebIdentityToken");
        let params = [("RoleArn", X), ("RoleSessionName", "me"), ("WebIdentityToken", &token)];
        assert_eq!(sandbox.unsigned("AssumeRoleWithWebIdentity", &params).status, status);
    }
}

#[test]
fn an_account_that_did_not_enable_it_gives_none() {
    let text = "Outbound web identity federation is not enabled for this account.";
    let code = "OutboundWebIdentityFederationDisabledException";
    let sandbox = Sandbox::start();
    ask(&sandbox, &sandbox.jan, &[]).refused(403, code, text);
    let (sandbox, _) = enabled(|_, _| {});
    ask(&sandbox, &sandbox.jan, &[]).ok();
}

#[test]
fn a_token_does_not_outlast_the_session_that_asks() {
    let (mut sandbox, _) = enabled(|_, _| {});
    let open = sandbox.assume(&sandbox.jan, OPEN, &[("DurationSeconds", "900")]).keys();
    sandbox.advance(500);
    ask(&sandbox, &open, &[("DurationSeconds", "300")]).ok();
    let text = "The token would outlast the session that asks for it.";
    let long = ask(&sandbox, &open, &[("DurationSeconds", "600")]);
    long.refused(403, "SessionDurationEscalationException", text);
    ask(&sandbox, &sandbox.jan, &[("DurationSeconds", "600")]).ok();
}

#[test]
fn the_caller_s_policies_must_allow_it_and_tags_besides() {
    let only = r#"{"Effect":"Allow","Action":"sts:GetWebIdentityToken","Resource":"*",
        "Condition":{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":"them"},
            "NumericLessThanEquals":{"sts:DurationSeconds":"300"},"StringEquals":{"sts:SigningAlgorithm":"ES384"}}}"#;
    let (sandbox, _) = enabled(|world, _| {
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies = [("only".to_owned(), policy(only))].into();
    });
    ask(&sandbox, &sandbox.jan, &[]).ok();
    let tag = [("Tags.member.1.Key", "job"), ("Tags.member.1.Value", "7")];
    for params in [&[("DurationSeconds", "301")][..], &[("Audience.member.2", "you")], &tag] {
        assert_eq!(ask(&sandbox, &sandbox.jan, params).text("Code"), "AccessDenied", "{params:?}");
    }
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let text = "Cannot call GetWebIdentityToken with session credentials";
    ask(&sandbox, &session, &[]).refused(403, "AccessDenied", text);
}

#[test]
fn tokens_are_signed_on_a_curve_and_rsa_is_refused_plainly() {
    let (sandbox, _) = enabled(|_, _| {});
    let rsa = [THEM[0], ("SigningAlgorithm", "RS256")];
    let text = "The sandbox has no RSA key to sign with: ask for ES384.";
    sandbox.sts(&sandbox.jan, "GetWebIdentityToken", &rsa).refused(501, "NotImplemented", text);
    ask(&sandbox, &sandbox.jan, &[]).ok();
}

#[test]
fn audiences_are_ten_at_most() {
    let (sandbox, _) = enabled(|_, _| {});
    let names: Vec<String> = (2..=11).map(|n| format!("Audience.member.{n}")).collect();
    let params: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a")).collect();
    ask(&sandbox, &sandbox.jan, &params[..9]).ok();
    let many = ask(&sandbox, &sandbox.jan, &params);
    assert_eq!(many.text("Code"), "ValidationError");
    assert!(many.text("Message").contains(
        "at 'audience' failed to satisfy constraint: Member must have length less than or equal to 10"
    ));
}
