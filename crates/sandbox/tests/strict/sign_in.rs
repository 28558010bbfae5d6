//! The sign-in service of `aws login`: codes, proofs, and rotation of refresh tokens.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::{AUDITOR_ROLE, LoginState, PEOPLE_ACCOUNT, USER};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Answer, JAN, Keys, Raw, Sandbox, percent, policy};

const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";
const REDIRECT: &str = "http://127.0.0.1:4567/oauth/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-0123456789";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key that a session is bound to.
struct Key(EcdsaKeyPair, SystemRandom);

impl Key {
    fn mint() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Self(pair.unwrap(), random)
    }

    fn jwk(&self) -> Value {
        let point = &self.0.public_key().as_ref()[1..];
        json!({"kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..])})
    }

    /// Returns a proof in which these members of header and payload override the valid ones.
    fn proof(&self, sandbox: &Sandbox, header: &Value, payload: &Value) -> String {
        let mut right = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()});
        let mut claims = json!({
            "jti": encode(ring::rand::generate::<[u8; 16]>(&self.1).unwrap().expose()), "htm": "POST",
            "htu": format!("http://{}/v1/token", sandbox.address()),
            "iat": jiff::Timestamp::now().as_second() + sandbox.clock,
        });
        for (into, from) in [(&mut right, header), (&mut claims, payload)] {
            into.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
        }
        let message = format!("{}.{}", encode(right.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(&self.1, message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature.as_ref()))
    }
}

fn query(changes: &[(&str, &str)]) -> String {
    let challenge = encode(Sha256::digest(VERIFIER));
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", SAME_DEVICE),
        ("state", "s&1"),
        ("code_challenge_method", "SHA-256"),
        ("code_challenge", challenge.as_str()),
        ("scope", "openid"),
        ("redirect_uri", REDIRECT),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect::<Vec<_>>().join("&")
}

fn raw(sandbox: &Sandbox, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Raw {
    let mut all = vec![("host".to_owned(), sandbox.address().to_string())];
    for (name, value) in headers {
        all.retain(|(known, _)| known != name);
        all.push(((*name).to_owned(), (*value).to_owned()));
    }
    Raw { method: method.to_owned(), target: target.to_owned(), headers: all, body: body.into() }
}

/// Sends the user's choice, as the browser does.
fn decide(sandbox: &Sandbox, changes: &[(&str, &str)], identity: &str, decision: &str) -> Answer {
    let body = format!("{}&identity={}&decision={decision}", query(changes), percent(identity));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    sandbox.send(&raw(sandbox, "POST", "/v1/authorize", &headers, &body))
}

fn code(sandbox: &Sandbox) -> String {
    let location = decide(sandbox, &[], JAN, "allow").header("location");
    let rest = location.strip_prefix(&format!("{REDIRECT}?code=")).unwrap();
    rest.strip_suffix("&state=s%261").unwrap().to_owned()
}

fn call(sandbox: &Sandbox, proof: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("dpop", proof)];
    sandbox.send(&raw(sandbox, "POST", "/v1/token", &headers, &body.to_string()))
}

fn exchange_body(code: &str) -> Value {
    json!({
        "clientId": SAME_DEVICE, "grantType": "authorization_code", "code": code, "redirectUri": REDIRECT,
        "codeVerifier": VERIFIER,
    })
}

fn sign_in(sandbox: &Sandbox, key: &Key) -> Value {
    let code = code(sandbox);
    ok(&call(sandbox, &key.proof(sandbox, &json!({}), &json!({})), &exchange_body(&code)))
}

fn refresh(sandbox: &Sandbox, key: &Key, token: &str) -> Answer {
    let body = json!({"clientId": SAME_DEVICE, "grantType": "refresh_token", "refreshToken": token});
    call(sandbox, &key.proof(sandbox, &json!({}), &json!({})), &body)
}

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{} {}", answer.head, answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn refresh_token(answer: &Value) -> String {
    answer["refreshToken"].as_str().unwrap().to_owned()
}

fn keys(answer: &Value) -> Keys {
    let text = |name: &str| answer["accessToken"][name].as_str().unwrap().to_owned();
    Keys { id: text("accessKeyId"), secret: text("secretAccessKey"), token: Some(text("sessionToken")) }
}

#[track_caller]
fn refused(answer: &Answer, status: u16, class: &str, error: &str) {
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype").as_str()),
        (status, class),
        "{}",
        answer.body
    );
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["error"], error);
}

#[track_caller]
fn invalid(answer: &Answer) {
    refused(answer, 400, "ValidationException", "INVALID_REQUEST");
}

#[test]
fn who_signed_in_gets_credentials_that_are_judged_as_all_are() {
    let sandbox = Sandbox::start();
    let page = sandbox.send(&raw(&sandbox, "GET", &format!("/v1/authorize?{}", query(&[])), &[], ""));
    assert!(page.ok().body.contains(&format!("<option>{JAN}</option>")), "{}", page.body);
    let answer = sign_in(&sandbox, &Key::mint());
    assert_eq!((&answer["tokenType"], &answer["expiresIn"]), (&json!("aws_sigv4"), &json!(900)));
    let id_token = answer["idToken"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["sub"], JAN);
    let keys = keys(&answer);
    assert_eq!(sandbox.sts(&keys, "GetCallerIdentity", &[]).ok().text("Arn"), JAN);
    sandbox.assume(&keys, AUDITOR_ROLE, &[]).ok();
    assert_eq!(sandbox.sts(&keys, "GetSessionToken", &[]).status, 403, "they make no sessions of a user");
    let log = sandbox.control().log(0).unwrap();
    let token = log.iter().find(|entry| entry.action == "CreateOAuth2Token").unwrap();
    assert_eq!((token.service.as_str(), token.granted_seconds), ("signin", Some(900)));
    assert_eq!(token.caller.as_deref(), Some(JAN));
    assert_eq!((&*token.parameters["code"], &*token.parameters["codeVerifier"]), ("present", "present"));
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(keys.secret.as_str()) && !text.contains(&refresh_token(&answer)), "{text}");
}

#[test]
fn credentials_end_and_a_role_can_sign_in_too() {
    let mut sandbox = Sandbox::start();
    let key = Key::mint();
    let answer = sign_in(&sandbox, &key);
    sandbox.advance(901);
    assert_eq!(sandbox.sts(&keys(&answer), "GetCallerIdentity", &[]).status, 403);
    let role = "arn:aws:sts::111122223333:assumed-role/open/jan@example";
    let location = decide(&sandbox, &[], role, "allow").header("location");
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let answer = call(&sandbox, &key.proof(&sandbox, &json!({}), &json!({})), &exchange_body(code));
    assert_eq!(sandbox.sts(&keys(&ok(&answer)), "GetCallerIdentity", &[]).ok().text("Arn"), role);
}

#[test]
fn only_policies_that_allow_it_let_a_user_sign_in() {
    let sandbox = Sandbox::start_with(|world| {
        let user = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap();
        let deny = r#"{"Effect":"Deny","Action":"signin:CreateOAuth2Token","Resource":"*"}"#;
        user.policies.insert("deny".to_owned(), policy(deny));
    });
    let (code, key) = (code(&sandbox), Key::mint());
    let answer = call(&sandbox, &key.proof(&sandbox, &json!({}), &json!({})), &exchange_body(&code));
    refused(&answer, 403, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS");
    let sandbox = Sandbox::start_with(|world| {
        world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap().policies.clear();
    });
    let answer = decide(&sandbox, &[], JAN, "allow");
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(
        answer.body.contains("is not authorized to perform: signin:AuthorizeOAuth2Access"),
        "{}",
        answer.body
    );
}

#[test]
fn the_page_takes_only_questions_of_the_two_clients() {
    let sandbox = Sandbox::start();
    let ask = |changes: &[(&str, &str)]| {
        sandbox.send(&raw(&sandbox, "GET", &format!("/v1/authorize?{}", query(changes)), &[], "")).status
    };
    let own = format!("http://{}/v1/sessions/confirmation", sandbox.address());
    for (changes, status) in [
        (vec![], 200),
        (vec![("client_id", CROSS_DEVICE), ("redirect_uri", &*own)], 200),
        (vec![("client_id", CROSS_DEVICE)], 400),
        (vec![("redirect_uri", &*own)], 400),
        (vec![("client_id", "arn:aws:signin:::devtools/other")], 400),
        (vec![("code_challenge_method", "S256")], 400),
        (vec![("response_type", "token")], 400),
        (vec![("scope", "")], 400),
        (vec![("code_challenge", "short")], 400),
        (vec![("redirect_uri", "http://127.0.0.1/oauth/callback")], 400),
        (vec![("redirect_uri", "http://127.0.0.1:080/oauth/callback")], 400),
        (vec![("redirect_uri", "http://localhost:80/oauth/callback")], 400),
        (vec![("redirect_uri", "http://127.0.0.1:80/oauth/callback/")], 400),
        (vec![("redirect_uri", "https://evil.example/oauth/callback")], 400),
    ] {
        assert_eq!(ask(&changes), status, "{changes:?}");
    }
    let page = sandbox.send(&raw(
        &sandbox,
        "GET",
        &format!("/v1/authorize?{}", query(&[("state", "\"><script>")])),
        &[],
        "",
    ));
    assert!(page.ok().body.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{}", page.body);
}

#[test]
fn a_person_says_yes_or_no_and_no_other_site_does() {
    let sandbox = Sandbox::start();
    let denied = decide(&sandbox, &[], JAN, "deny");
    assert_eq!(denied.status, 303);
    assert_eq!(denied.header("location"), format!("{REDIRECT}?error=access_denied&state=s%261"));
    for (identity, decision) in [
        (JAN, "maybe"),
        ("arn:aws:iam::111122223333:user/nobody", "allow"),
        ("arn:aws:iam::111122223333:user/team/jan", "allow"),
        ("jan", "allow"),
    ] {
        assert_eq!(decide(&sandbox, &[], identity, decision).status, 400, "{identity} {decision}");
    }
    let body = format!("{}&identity={}&decision=allow", query(&[]), percent(JAN));
    let own = format!("http://{}", sandbox.address());
    for (origin, status) in [("http://evil.example", 400), ("null", 400), (&*own, 303)] {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin)];
        let answer = sandbox.send(&raw(&sandbox, "POST", "/v1/authorize", &headers, &body));
        assert_eq!(answer.status, status, "{origin}");
    }
}

#[test]
fn the_page_of_the_other_device_shows_a_text_to_paste() {
    let sandbox = Sandbox::start();
    let own = format!("http://{}/v1/sessions/confirmation", sandbox.address());
    let changes = [("client_id", CROSS_DEVICE), ("redirect_uri", own.as_str())];
    let location = decide(&sandbox, &changes, JAN, "allow").header("location");
    let target = location.strip_prefix(&format!("http://{}", sandbox.address())).unwrap();
    let page = sandbox.send(&raw(&sandbox, "GET", target, &[], ""));
    let text = page.ok().body.split("<code id=code>").nth(1).unwrap().split('<').next().unwrap();
    let text = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    let code = text.strip_prefix("state=s%261&code=").unwrap();
    let mut body = exchange_body(code);
    body["clientId"] = CROSS_DEVICE.into();
    body["redirectUri"] = own.into();
    let key = Key::mint();
    ok(&call(&sandbox, &key.proof(&sandbox, &json!({}), &json!({})), &body));
}

#[test]
fn a_code_is_good_once_for_its_verifier_client_and_redirect_and_for_a_while() {
    let mut sandbox = Sandbox::start();
    let key = Key::mint();
    let proof = |sandbox: &Sandbox| key.proof(sandbox, &json!({}), &json!({}));
    for (name, value) in [
        ("codeVerifier", "x".repeat(43)),
        ("redirectUri", "http://127.0.0.1:4568/oauth/callback".to_owned()),
        ("clientId", CROSS_DEVICE.to_owned()),
    ] {
        let code = code(&sandbox);
        let mut body = exchange_body(&code);
        body[name] = value.into();
        invalid(&call(&sandbox, &proof(&sandbox), &body));
        let again = call(&sandbox, &proof(&sandbox), &exchange_body(&code));
        refused(&again, 403, "AccessDeniedException", "AUTHCODE_EXPIRED");
    }
    for missing in ["code", "redirectUri", "codeVerifier", "clientId", "grantType"] {
        let mut body = exchange_body(&code(&sandbox));
        body.as_object_mut().unwrap().remove(missing);
        invalid(&call(&sandbox, &proof(&sandbox), &body));
    }
    let late = code(&sandbox);
    sandbox.advance(301);
    let answer = call(&sandbox, &proof(&sandbox), &exchange_body(&late));
    refused(&answer, 403, "AccessDeniedException", "AUTHCODE_EXPIRED");
}

#[test]
fn a_proof_is_of_this_call_of_now_and_of_the_sessions_key() {
    let sandbox = Sandbox::start();
    let key = Key::mint();
    let token = refresh_token(&sign_in(&sandbox, &key));
    let body = json!({"clientId": SAME_DEVICE, "grantType": "refresh_token", "refreshToken": token});
    let now = jiff::Timestamp::now().as_second();
    let mut private = key.jwk();
    private["d"] = "AA".into();
    let mut short = key.jwk();
    short["x"] = encode([1; 31]).into();
    for (header, payload) in [
        (json!({"typ": "JWT"}), json!({})),
        (json!({"alg": "none"}), json!({})),
        (json!({"alg": "ES384"}), json!({})),
        (json!({"jwk": Key::mint().jwk()}), json!({})),
        (json!({"jwk": private}), json!({})),
        (json!({"jwk": short}), json!({})),
        (json!({"jwk": null}), json!({})),
        (json!({}), json!({"htm": "GET"})),
        (json!({}), json!({"htu": "https://eu-west-1.signin.aws.amazon.com/v1/token"})),
        (json!({}), json!({"htu": format!("http://{}/v1/token?x=1", sandbox.address())})),
        (json!({}), json!({"iat": now - 400})),
        (json!({}), json!({"iat": now + 400})),
        (json!({}), json!({"jti": ""})),
        (json!({}), json!({"jti": null})),
    ] {
        let answer = call(&sandbox, &key.proof(&sandbox, &header, &payload), &body);
        assert_eq!(answer.status, 400, "{header} {payload}");
        invalid(&answer);
    }
    invalid(&call(&sandbox, &Key::mint().proof(&sandbox, &json!({}), &json!({})), &body));
    invalid(&call(&sandbox, "", &body));
    let proof = key.proof(&sandbox, &json!({}), &json!({}));
    let spoilt = proof.replacen('.', "A.", 1);
    invalid(&call(&sandbox, &spoilt, &body));
    ok(&call(&sandbox, &proof, &body));
    invalid(&call(&sandbox, &proof, &body));
    let log = sandbox.control().log(0).unwrap();
    assert!(log.last().unwrap().because.iter().any(|why| why == "the proof was used before"));
}

#[test]
fn refresh_tokens_rotate_and_the_one_before_is_good_for_a_minute() {
    let mut sandbox = Sandbox::start();
    let key = Key::mint();
    let first = refresh_token(&sign_in(&sandbox, &key));
    let answer = ok(&refresh(&sandbox, &key, &first));
    assert!(answer.get("idToken").is_none(), "the first exchange alone has one");
    let second = refresh_token(&answer);
    assert_ne!(first, second);
    assert_eq!(refresh_token(&ok(&refresh(&sandbox, &key, &first))), second, "sent again, answered alike");
    sandbox.advance(61);
    refused(&refresh(&sandbox, &key, &first), 403, "AccessDeniedException", "TOKEN_EXPIRED");
    let third = refresh_token(&ok(&refresh(&sandbox, &key, &second)));
    refused(&refresh(&sandbox, &key, &first), 403, "AccessDeniedException", "TOKEN_EXPIRED");
    sandbox.restart();
    let fourth = refresh_token(&ok(&refresh(&sandbox, &key, &third)));
    sandbox.advance(12 * 3600);
    refused(&refresh(&sandbox, &key, &fourth), 403, "AccessDeniedException", "TOKEN_EXPIRED");
}

#[test]
fn a_session_is_revoked_or_ends_with_its_users_password() {
    let sandbox = Sandbox::start();
    let key = Key::mint();
    let token = refresh_token(&sign_in(&sandbox, &key));
    for (state, error) in
        [(LoginState::Revoked, "TOKEN_EXPIRED"), (LoginState::CredentialsChanged, "USER_CREDENTIALS_CHANGED")]
    {
        sandbox.control().set_login_states(state).unwrap();
        refused(&refresh(&sandbox, &key, &token), 403, "AccessDeniedException", error);
    }
    sandbox.control().set_login_states(LoginState::Active).unwrap();
    ok(&refresh(&sandbox, &key, &token));
}

#[test]
fn a_session_is_known_in_its_own_region() {
    let sandbox = Sandbox::start();
    let key = Key::mint();
    let at = |region: &str| format!("{region}.signin.localhost:{}", sandbox.address().port());
    let send = |region: &str, body: &Value| {
        let url = format!("http://{}/v1/token", at(region));
        let proof = key.proof(&sandbox, &json!({}), &json!({ "htu": url }));
        let host = at(region);
        let headers =
            [("content-type", "application/json"), ("dpop", proof.as_str()), ("host", host.as_str())];
        sandbox.send(&raw(&sandbox, "POST", "/v1/token", &headers, &body.to_string()))
    };
    let form = format!("{}&identity={}&decision=allow", query(&[]), percent(JAN));
    let host = at("eu-central-1");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", host.as_str())];
    let location = sandbox.send(&raw(&sandbox, "POST", "/v1/authorize", &headers, &form)).header("location");
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let answer = ok(&send("eu-central-1", &exchange_body(code)));
    let body = json!({"clientId": SAME_DEVICE, "grantType": "refresh_token", "refreshToken": refresh_token(&answer)});
    invalid(&send("us-east-1", &body));
    ok(&send("eu-central-1", &body));
}

#[test]
fn faults_are_worded_as_the_service_words_them() {
    let sandbox = Sandbox::start();
    let key = Key::mint();
    let token = refresh_token(&sign_in(&sandbox, &key));
    for (kind, status, class, error) in [
        (FaultKind::Throttling, 429, "TooManyRequestsError", "rate_exceeded"),
        (FaultKind::Unavailable, 500, "InternalServerException", "server_error"),
    ] {
        sandbox.control().add_fault(&Fault::once(kind)).unwrap();
        refused(&refresh(&sandbox, &key, &token), status, class, error);
    }
    let action = Some("CreateOAuth2Token".to_owned());
    let fault = Fault { kind: FaultKind::ShortLifeSeconds(60), times: Some(1), action };
    sandbox.control().add_fault(&fault).unwrap();
    assert_eq!(ok(&refresh(&sandbox, &key, &token))["expiresIn"], 60);
    let answer = sandbox.send(&raw(&sandbox, "GET", "/v1/other", &[], ""));
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[test]
fn the_page_is_answered_without_a_browser() {
    use hatbox_sandbox::control::Consent;
    let sandbox = Sandbox::start();
    let page = format!("http://{}/v1/authorize?{}", sandbox.address(), query(&[]));
    let done = sandbox.control().sign_in(&page, Consent::Allow).unwrap();
    assert_eq!(done.user, JAN);
    let redirect = done.redirect.unwrap();
    let code = redirect.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let key = Key::mint();
    ok(&call(&sandbox, &key.proof(&sandbox, &json!({}), &json!({})), &exchange_body(code)));
    let denied = sandbox.control().sign_in(&page, Consent::Deny).unwrap().redirect.unwrap();
    assert!(denied.contains("error=access_denied"), "{denied}");
    let wrong = page.replace("SHA-256", "S256");
    assert!(sandbox.control().sign_in(&wrong, Consent::Allow).is_err());
}

#[test]
fn a_world_of_before_is_loaded_without_logins() {
    let mut sandbox = Sandbox::start();
    sandbox.running.take().unwrap().stop();
    let path = sandbox.directory.join("state.json");
    let mut world: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(world.as_object_mut().unwrap().remove("logins").is_some());
    std::fs::write(&path, world.to_string()).unwrap();
    sandbox.running = Some(
        hatbox_sandbox::start(&hatbox_sandbox::Options { directory: sandbox.directory.clone(), port: 0 })
            .unwrap(),
    );
    sign_in(&sandbox, &Key::mint());
}
