//! Identity Center: the device flow, its tokens, the portal.

use hatbox_sandbox::control::{Consent, Fault, FaultKind, Revoked};
use hatbox_sandbox::log::SignedWith;
use hatbox_sandbox::world::{DEVELOPER_SET, PEOPLE_ACCOUNT, READ_ONLY_SET, START_URL, WORK_ACCOUNT};
use serde_json::{Value, json};

use crate::client::{Answer, Keys, Sandbox, percent};

pub(crate) const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const ACCESS: &str = "sso:account:access";

/// A registered client.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// The result of CreateToken.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) seconds: i64,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks an error of the OIDC service: its class in the header, its code in the body.
    #[track_caller]
    pub(crate) fn oauth(&self, status: u16, class: &str, code: &str) {
        let body = self.json();
        let got = (self.status, self.header("x-amzn-errortype"), body["error"].as_str().map(str::to_owned));
        assert_eq!(got, (status, class.to_owned(), Some(code.to_owned())), "{}", self.body);
        assert!(body["error_description"].is_string(), "{}", self.body);
    }

    /// Checks an error of the portal.
    #[track_caller]
    pub(crate) fn portal(&self, status: u16, class: &str, message: &str) {
        let got = (self.status, self.json()["message"].as_str().unwrap_or_default().to_owned());
        assert_eq!(got, (status, message.to_owned()), "{}", self.body);
        let header = self.header("x-amzn-errortype");
        assert!(header.starts_with(&format!("{class}:")), "{header}");
    }
}

impl Tokens {
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.ok().json();
        assert_eq!(body["tokenType"], "Bearer");
        Self {
            access: body["accessToken"].as_str().unwrap().to_owned(),
            refresh: body["refreshToken"].as_str().map(str::to_owned),
            seconds: body["expiresIn"].as_i64().unwrap(),
        }
    }
}

impl Sandbox {
    /// Calls the OIDC service.
    pub(crate) fn oidc(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(&self.s3_raw("POST", path, &headers, body.to_string().as_bytes()))
    }

    pub(crate) fn register(&self, scopes: &[&str]) -> Client {
        self.register_with(&json!({ "scopes": scopes }))
    }

    /// Registers a client named `test` with additional members.
    pub(crate) fn register_with(&self, more: &Value) -> Client {
        let mut body = json!({ "clientName": "test", "clientType": "public" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.oidc("/client/register", &body);
        let body = answer.ok().json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Client { id: text("clientId"), secret: text("clientSecret") }
    }

    /// Starts a device authorization; returns the device code and the user code.
    pub(crate) fn start_device(&self, client: &Client) -> (String, String) {
        let body = json!({ "clientId": client.id, "clientSecret": client.secret, "startUrl": START_URL });
        let answer = self.oidc("/device_authorization", &body).ok().json();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("deviceCode"), text("userCode"))
    }

    /// Calls CreateToken with additional members.
    pub(crate) fn token(&self, client: &Client, grant: &str, more: &Value) -> Answer {
        let mut body = json!({ "clientId": client.id, "clientSecret": client.secret, "grantType": grant });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.oidc("/token", &body)
    }

    pub(crate) fn poll(&self, client: &Client, device_code: &str) -> Answer {
        self.token(client, DEVICE, &json!({ "deviceCode": device_code }))
    }

    pub(crate) fn refresh(&self, client: &Client, token: &str) -> Answer {
        self.token(client, "refresh_token", &json!({ "refreshToken": token }))
    }

    /// Completes a sign-in with the device flow.
    pub(crate) fn sign_in(&self, client: &Client) -> Tokens {
        let (device_code, user_code) = self.start_device(client);
        self.control().sign_in(&user_code, Consent::Allow).unwrap();
        Tokens::of(&self.poll(client, &device_code))
    }

    pub(crate) fn portal(&self, method: &str, target: &str, token: &str) -> Answer {
        self.send(&self.s3_raw(method, target, &[("x-amz-sso_bearer_token", token)], b""))
    }

    pub(crate) fn role_credentials(&self, token: &str, account: &str, role: &str) -> Answer {
        let target =
            format!("/federation/credentials?role_name={}&account_id={}", percent(role), percent(account));
        self.portal("GET", &target, token)
    }
}

fn keys_of(answer: &Answer) -> (Keys, i64) {
    let body = answer.ok().json();
    let given = &body["roleCredentials"];
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let keys =
        Keys { id: text("accessKeyId"), secret: text("secretAccessKey"), token: Some(text("sessionToken")) };
    (keys, given["expiration"].as_i64().unwrap())
}

#[test]
fn a_device_that_the_user_allows_gets_credentials_of_the_role() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (device_code, user_code) = sandbox.start_device(&client);
    sandbox.poll(&client, &device_code).oauth(400, "AuthorizationPendingException", "authorization_pending");
    let done =
        sandbox.control().sign_in(&user_code.to_lowercase().replace('-', " "), Consent::Allow).unwrap();
    assert_eq!((done.client.as_str(), done.user.as_str(), done.redirect), ("test", "jan", None));
    let tokens = Tokens::of(&sandbox.poll(&client, &device_code));
    assert_eq!((tokens.seconds, tokens.refresh.is_some()), (3600, true));
    let (keys, expiration) = keys_of(&sandbox.role_credentials(&tokens.access, WORK_ACCOUNT, READ_ONLY_SET));
    let left = expiration / 1000 - sandbox.control().status().unwrap().now.as_second();
    assert!(expiration % 1000 == 0 && (3590..=3600).contains(&left), "{expiration}");
    let arn = sandbox.sts(&keys, "GetCallerIdentity", &[]).ok().text("Arn");
    let role = arn.strip_prefix("arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_ReadOnly_").unwrap();
    assert!(role.len() == 20 && role.ends_with("/jan"), "{arn}");
    // The policies of the permission set are evaluated like those of any role.
    sandbox.s3(&keys, "GET", "/", &[], b"").ok();
    assert_eq!(sandbox.s3(&keys, "PUT", "/work-logs/x", &[], b"x").text("Code"), "AccessDenied");
    let (keys, _) = keys_of(&sandbox.role_credentials(&tokens.access, WORK_ACCOUNT, DEVELOPER_SET));
    sandbox.s3(&keys, "PUT", "/work-logs/x", &[], b"x").ok();
    // Assuming another role from it is role chaining.
    sandbox.sts(&keys, "AssumeRole", &[("RoleArn", crate::client::OPEN), ("RoleSessionName", "me"), ("DurationSeconds", "7200")])
        .refused(400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
}

#[test]
fn a_device_code_is_used_once_and_by_its_own_client() {
    let sandbox = Sandbox::start();
    let (client, other) = (sandbox.register(&[ACCESS]), sandbox.register(&[ACCESS]));
    let (device_code, user_code) = sandbox.start_device(&client);
    sandbox.control().sign_in(&user_code, Consent::Allow).unwrap();
    sandbox.poll(&other, &device_code).oauth(400, "InvalidGrantException", "invalid_grant");
    sandbox.poll(&client, &device_code).ok();
    sandbox.poll(&client, &device_code).oauth(400, "InvalidGrantException", "invalid_grant");
    assert!(sandbox.control().sign_in(&user_code, Consent::Allow).is_err(), "the code was used");
    assert!(sandbox.control().sign_in("BCDF-GHJK", Consent::Allow).is_err());
}

#[test]
fn a_device_code_expires_and_can_be_denied() {
    let mut sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (device_code, user_code) = sandbox.start_device(&client);
    sandbox.control().sign_in(&user_code, Consent::Deny).unwrap();
    sandbox.poll(&client, &device_code).oauth(400, "AccessDeniedException", "access_denied");
    let (device_code, user_code) = sandbox.start_device(&client);
    sandbox.advance(601);
    sandbox.poll(&client, &device_code).oauth(400, "ExpiredTokenException", "expired_token");
    assert!(sandbox.control().sign_in(&user_code, Consent::Allow).is_err());
}

#[test]
fn who_asks_too_often_has_to_slow_down_by_five_seconds() {
    let mut sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (device_code, _) = sandbox.start_device(&client);
    let ask = |sandbox: &Sandbox| sandbox.poll(&client, &device_code).json()["error"].clone();
    // The few milliseconds between two calls do not matter: the clock is moved by whole seconds.
    assert_eq!(ask(&sandbox), "authorization_pending");
    assert_eq!(ask(&sandbox), "slow_down");
    sandbox.advance(1);
    assert_eq!(ask(&sandbox), "slow_down", "6 s now");
    sandbox.advance(11);
    assert_eq!(ask(&sandbox), "authorization_pending");
}

#[test]
fn a_client_is_known_by_its_secret_until_its_registration_ends() {
    let mut sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let wrong = Client { id: client.id.clone(), secret: "wrong".to_owned() };
    let unknown = Client { id: "unknown".to_owned(), secret: client.secret.clone() };
    for bad in [&wrong, &unknown] {
        sandbox.poll(bad, "x").oauth(401, "InvalidClientException", "invalid_client");
    }
    sandbox.poll(&client, "x").oauth(400, "InvalidGrantException", "invalid_grant");
    sandbox.advance(90 * 24 * 3600 + 1);
    sandbox.poll(&client, "x").oauth(401, "InvalidClientException", "invalid_client");
}

#[test]
fn a_registration_is_of_a_public_client_of_this_instance() {
    let sandbox = Sandbox::start();
    let base = json!({ "clientName": "x", "clientType": "public" });
    let with = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sandbox.oidc("/client/register", &body)
    };
    with(json!({ "clientType": "confidential" })).oauth(
        400,
        "InvalidClientMetadataException",
        "invalid_client_metadata",
    );
    with(json!({ "issuerUrl": "https://other.awsapps.com/start" })).oauth(
        400,
        "InvalidClientMetadataException",
        "invalid_client_metadata",
    );
    with(json!({ "scopes": ["no scope"] })).oauth(400, "InvalidScopeException", "invalid_scope");
    with(json!({ "grantTypes": ["password"] })).oauth(
        400,
        "UnsupportedGrantTypeException",
        "unsupported_grant_type",
    );
    for uri in ["http://localhost/oauth/callback", "http://[::1]/oauth/callback", "https://127.0.0.1/"] {
        with(json!({ "redirectUris": [uri] })).oauth(
            400,
            "InvalidRedirectUriException",
            "invalid_redirect_uri",
        );
    }
    with(json!({ "clientName": null })).oauth(400, "InvalidRequestException", "invalid_request");
    sandbox.oidc("/client/register", &json!("x")).oauth(400, "InvalidRequestException", "invalid_request");
    let answer = with(
        json!({ "issuerUrl": format!("{START_URL}/#/"), "redirectUris": ["http://127.0.0.1/oauth/callback"] }),
    );
    let body = answer.ok().json();
    let (from, to) =
        (body["clientIdIssuedAt"].as_i64().unwrap(), body["clientSecretExpiresAt"].as_i64().unwrap());
    assert_eq!(to - from, 90 * 24 * 3600);
}

#[test]
fn a_start_url_of_another_instance_is_refused() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[]);
    let body = json!({ "clientId": client.id, "clientSecret": client.secret, "startUrl": "https://x.awsapps.com/start" });
    sandbox.oidc("/device_authorization", &body).oauth(400, "InvalidRequestException", "invalid_request");
}

#[test]
fn without_a_scope_there_is_no_refresh_token_and_the_access_token_lasts_the_sign_in() {
    let sandbox = Sandbox::start();
    for scopes in [&[][..], &["sso-portal:*"]] {
        let tokens = sandbox.sign_in(&sandbox.register(scopes));
        assert_eq!((tokens.seconds, tokens.refresh.is_none()), (8 * 3600, true));
        sandbox.portal("GET", "/assignment/accounts", &tokens.access).ok();
    }
    let tokens = sandbox.sign_in(&sandbox.register(&["codewhisperer:completions"]));
    assert!(tokens.refresh.is_some());
    sandbox.portal("GET", "/assignment/accounts", &tokens.access).portal(
        401,
        "UnauthorizedException",
        "Session token not found or invalid",
    );
}

#[test]
fn a_refresh_token_is_used_once_by_the_client_that_got_it_until_the_sign_in_ends() {
    let mut sandbox = Sandbox::start();
    let (client, other) = (sandbox.register(&[ACCESS]), sandbox.register(&[ACCESS]));
    let first = sandbox.sign_in(&client);
    let token = first.refresh.unwrap();
    sandbox.refresh(&other, &token).oauth(400, "InvalidGrantException", "invalid_grant");
    let second = Tokens::of(&sandbox.refresh(&client, &token));
    sandbox.refresh(&client, &token).oauth(400, "InvalidGrantException", "invalid_grant");
    for token in [&first.access, &second.access] {
        sandbox.portal("GET", "/assignment/accounts", token).ok();
    }
    sandbox.advance(3600);
    let expired = sandbox.portal("GET", "/assignment/accounts", &second.access);
    expired.portal(401, "UnauthorizedException", "Session token not found or invalid");
    sandbox.advance(6 * 3600 + 1800);
    let last = Tokens::of(&sandbox.refresh(&client, &second.refresh.unwrap()));
    assert!((1700..=1800).contains(&last.seconds), "it ends with the sign-in: {}", last.seconds);
    sandbox.advance(1801);
    sandbox.refresh(&client, &last.refresh.unwrap()).oauth(400, "InvalidGrantException", "invalid_grant");
}

#[test]
fn a_revoked_access_token_can_be_refreshed_and_a_revoked_sign_in_cannot() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let tokens = sandbox.sign_in(&client);
    let accounts = |token: &str| sandbox.portal("GET", "/assignment/accounts", token).status;
    sandbox.control().revoke(Revoked::AccessTokens).unwrap();
    assert_eq!(accounts(&tokens.access), 401);
    let tokens = Tokens::of(&sandbox.refresh(&client, &tokens.refresh.unwrap()));
    assert_eq!(accounts(&tokens.access), 200);
    sandbox.control().revoke(Revoked::Sessions).unwrap();
    assert_eq!(accounts(&tokens.access), 401);
    sandbox.refresh(&client, &tokens.refresh.unwrap()).oauth(400, "InvalidGrantException", "invalid_grant");
}

#[test]
fn a_logout_ends_the_sign_in_and_no_other() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (ended, other) = (sandbox.sign_in(&client), sandbox.sign_in(&client));
    let answer = sandbox.portal("POST", "/logout", &ended.access);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(sandbox.portal("POST", "/logout", &ended.access).status, 401);
    assert_eq!(sandbox.portal("GET", "/assignment/accounts", &ended.access).status, 401);
    sandbox.refresh(&client, &ended.refresh.unwrap()).oauth(400, "InvalidGrantException", "invalid_grant");
    sandbox.portal("GET", "/assignment/accounts", &other.access).ok();
}

#[test]
fn a_role_that_is_not_assigned_is_forbidden() {
    let sandbox = Sandbox::start();
    let token = sandbox.sign_in(&sandbox.register(&[ACCESS])).access;
    for (account, role) in
        [(PEOPLE_ACCOUNT, DEVELOPER_SET), (WORK_ACCOUNT, "Nothing"), ("999999999999", READ_ONLY_SET)]
    {
        sandbox.role_credentials(&token, account, role).portal(403, "ForbiddenException", "No access");
    }
    sandbox.control().unassign(WORK_ACCOUNT, DEVELOPER_SET).unwrap();
    sandbox.role_credentials(&token, WORK_ACCOUNT, DEVELOPER_SET).portal(
        403,
        "ForbiddenException",
        "No access",
    );
    sandbox.control().assign(WORK_ACCOUNT, DEVELOPER_SET).unwrap();
    sandbox.role_credentials(&token, WORK_ACCOUNT, DEVELOPER_SET).ok();
    sandbox.portal("GET", "/federation/credentials?role_name=ReadOnly", &token).portal(
        400,
        "InvalidRequestException",
        "Invalid request",
    );
    sandbox.role_credentials("", WORK_ACCOUNT, READ_ONLY_SET).portal(
        401,
        "UnauthorizedException",
        "Session token not found or invalid",
    );
}

#[test]
fn accounts_and_roles_are_listed_in_pages() {
    let sandbox = Sandbox::start();
    let token = sandbox.sign_in(&sandbox.register(&[ACCESS])).access;
    let first = sandbox.portal("GET", "/assignment/accounts?max_result=1", &token).ok().json();
    assert_eq!(
        first["accountList"],
        json!([{ "accountId": PEOPLE_ACCOUNT, "accountName": "People", "emailAddress": "people@sandbox.example" }])
    );
    let next = first["nextToken"].as_str().unwrap();
    let second = sandbox
        .portal("GET", &format!("/assignment/accounts?max_result=1&next_token={next}"), &token)
        .ok()
        .json();
    assert_eq!(
        (second["accountList"][0]["accountId"].as_str(), &second["nextToken"]),
        (Some(WORK_ACCOUNT), &Value::Null)
    );
    let roles =
        sandbox.portal("GET", &format!("/assignment/roles?account_id={WORK_ACCOUNT}"), &token).ok().json();
    let role = |name: &str| json!({ "roleName": name, "accountId": WORK_ACCOUNT });
    assert_eq!(roles["roleList"], json!([role(DEVELOPER_SET), role(READ_ONLY_SET)]));
    for (target, status) in [
        ("/assignment/accounts?max_result=0".to_owned(), 400),
        ("/assignment/accounts?max_result=101".to_owned(), 400),
        ("/assignment/accounts?next_token=x".to_owned(), 400),
        (format!("/assignment/roles?account_id={WORK_ACCOUNT}&next_token={next}"), 400),
        ("/assignment/roles".to_owned(), 400),
        ("/assignment/roles?account_id=999999999999".to_owned(), 404),
    ] {
        assert_eq!(sandbox.portal("GET", &target, &token).status, status, "{target}");
    }
}

#[test]
fn faults_have_the_forms_of_identity_center() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let tokens = sandbox.sign_in(&client);
    let accounts = || sandbox.portal("GET", "/assignment/accounts", &tokens.access);
    sandbox.control().add_fault(&Fault::once(FaultKind::Throttling)).unwrap();
    accounts().portal(429, "TooManyRequestsException", "Rate exceeded");
    sandbox.control().add_fault(&Fault::once(FaultKind::Throttling)).unwrap();
    sandbox.poll(&client, "x").oauth(400, "SlowDownException", "slow_down");
    sandbox.control().add_fault(&Fault::once(FaultKind::Unavailable)).unwrap();
    sandbox.poll(&client, "x").oauth(500, "InternalServerException", "server_error");
    sandbox.control().add_fault(&Fault::once(FaultKind::ShortLifeSeconds(30))).unwrap();
    let short = Tokens::of(&sandbox.refresh(&client, tokens.refresh.as_ref().unwrap()));
    assert_eq!(short.seconds, 30);
    let limit = Fault { kind: FaultKind::CallsPerSecond(0), times: None, action: None };
    sandbox.control().add_fault(&limit).unwrap();
    assert_eq!(accounts().status, 429);
    sandbox.control().clear_faults().unwrap();
    accounts().ok();
}

#[test]
fn a_bucket_may_have_the_name_of_a_path_of_identity_center() {
    let sandbox = Sandbox::start();
    sandbox.s3(&sandbox.jan, "PUT", "/token", &[], b"").ok();
    sandbox.s3(&sandbox.jan, "POST", "/token?delete", &[], b"<Delete></Delete>");
    sandbox.s3(&sandbox.jan, "GET", "/token", &[], b"").ok();
}

#[test]
fn the_log_names_the_user_and_holds_no_code_and_no_token() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (device_code, user_code) = sandbox.start_device(&client);
    sandbox.send(&sandbox.s3_raw("GET", &format!("/device?user_code={user_code}"), &[], b"")).ok();
    sandbox.control().sign_in(&user_code, Consent::Allow).unwrap();
    let tokens = Tokens::of(&sandbox.poll(&client, &device_code));
    let refresh = tokens.refresh.unwrap();
    let second = Tokens::of(&sandbox.refresh(&client, &refresh));
    let (keys, _) = keys_of(&sandbox.role_credentials(&second.access, WORK_ACCOUNT, READ_ONLY_SET));
    let log = sandbox.control().log(0).unwrap();
    let last = log.last().unwrap();
    assert_eq!((last.service.as_str(), last.action.as_str()), ("sso", "GetRoleCredentials"));
    assert_eq!((last.caller.as_deref(), last.signed_with), (Some("jan"), SignedWith::SsoToken));
    assert_eq!(last.granted_seconds, Some(3600));
    assert!(
        last.resource
            .as_ref()
            .unwrap()
            .contains(":role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ReadOnly_")
    );
    let kept = [
        std::fs::read_to_string(sandbox.directory.join("log.jsonl")).unwrap(),
        std::fs::read_to_string(sandbox.directory.join("state.json")).unwrap(),
    ];
    for secret in [&device_code, &tokens.access, &refresh, &second.access, second.refresh.as_ref().unwrap()] {
        assert!(kept.iter().all(|text| !text.contains(secret)));
    }
    for secret in [&client.secret, &user_code, &keys.secret, keys.token.as_ref().unwrap()] {
        assert!(!kept[0].contains(secret.as_str()));
    }
}

#[test]
fn a_sandbox_without_identity_center_says_so_and_an_older_demo_gets_one() {
    let sandbox = Sandbox::start_with(|world| {
        world.identity_center = None;
        world.accounts.remove(WORK_ACCOUNT);
    });
    let body = json!({ "clientName": "x", "clientType": "public" });
    sandbox.oidc("/client/register", &body).oauth(400, "InvalidRequestException", "invalid_request");
    let older = Sandbox::start_with(|world| world.identity_center = None);
    let tokens = older.sign_in(&older.register(&[ACCESS]));
    older.role_credentials(&tokens.access, WORK_ACCOUNT, READ_ONLY_SET).ok();
}
