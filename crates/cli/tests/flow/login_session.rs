//! `login_session`: the session file shared with the AWS CLI and the SDKs is read, refreshed and written back.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::world::LoginState;
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::login_sign_in::{FILE, JAN, fixture, read_file, sign_in};
use crate::run::{Outcome, finish};
use crate::stub::Stub;

const CONFIG: &str = "\
[profile admin]
source_profile = me
role_arn = arn:aws:iam::444455556666:role/admin
region = eu-west-1
";

/// Jan signed in eleven minutes ago. Her credentials expire in four minutes, too soon to be handed over.
fn signed_in() -> Fixture {
    let fixture = fixture();
    fixture.write_config(CONFIG);
    sign_in(&fixture);
    fixture.advance(11 * 60);
    fixture
}

fn refreshes(fixture: &Fixture) -> Vec<LogEntry> {
    let is_refresh = |entry: &LogEntry| {
        entry.action == "CreateOAuth2Token"
            && entry.parameters.get("grantType").is_some_and(|grant| grant == "refresh_token")
    };
    fixture.log().into_iter().filter(is_refresh).collect()
}

fn write_file(fixture: &Fixture, value: &Value) {
    std::fs::write(fixture.path(FILE), value.to_string()).unwrap();
}

fn exec(fixture: &Fixture, profile: &str) -> crate::run::Run {
    fixture.hatbox(&["exec", profile, "--", "printenv", "AWS_ACCESS_KEY_ID"])
}

fn export(fixture: &Fixture) -> Outcome {
    fixture.hatbox(&["export", "--format", "json", "me"]).run()
}

#[test]
fn a_session_that_ends_soon_is_refreshed_and_every_field_of_its_file_is_kept() {
    let fixture = signed_in();
    let mut before = read_file(&fixture);
    before["madeBy"] = json!(["another", 1]);
    before["accessToken"]["inner"] = json!({"a": null});
    write_file(&fixture, &before);
    let id = exec(&fixture, "me").run().ok().stdout;
    let after = read_file(&fixture);
    assert_eq!(after["accessToken"]["accessKeyId"], id.trim());
    assert_ne!(after["accessToken"], before["accessToken"]);
    assert_ne!(after["refreshToken"], before["refreshToken"]);
    for name in ["madeBy", "idToken", "signInRegion", "dpopKey", "clientId", "tokenType"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    for name in ["inner", "accountId"] {
        assert_eq!(after["accessToken"][name], before["accessToken"][name], "{name}");
    }
    assert_eq!(
        after.as_object().unwrap().keys().collect::<Vec<_>>(),
        before.as_object().unwrap().keys().collect::<Vec<_>>()
    );
    assert_eq!(exec(&fixture, "me").run().ok().stdout, id, "and the next time the file is good");
    assert_eq!(refreshes(&fixture).len(), 1);
    let fresh = fixture.hatbox(&["exec", "--fresh", "me", "--", "printenv", "AWS_ACCESS_KEY_ID"]).run().ok();
    assert_ne!(fresh.stdout, id);
    assert_eq!(refreshes(&fixture).len(), 2);
}

#[test]
fn a_role_above_it_and_every_way_out_work() {
    let fixture = signed_in();
    let who = |profile: &str| {
        exec(&fixture, profile).run().ok();
        fixture.log().iter().rev().find(|entry| entry.action == "AssumeRole").cloned()
    };
    let call = who("admin").unwrap();
    assert_eq!((call.caller.as_deref(), call.status), (Some(JAN), 200));
    let json: Value = serde_json::from_str(&export(&fixture).ok().stdout).unwrap();
    assert_eq!(json["Version"], 1);
    assert_eq!(json["AccountId"], "111122223333");
    assert_eq!(json["Expiration"], read_file(&fixture)["accessToken"]["expiresAt"]);
    let environment = fixture.hatbox(&["exec", "me", "--", "env"]).run().ok().stdout;
    assert!(
        environment.contains("AWS_SESSION_TOKEN=") && environment.contains("AWS_ACCOUNT_ID=111122223333")
    );
    assert!(!environment.contains("AWS_PROFILE="), "{environment}");
    assert_eq!(refreshes(&fixture).len(), 1, "one refresh for all of them");
}

#[test]
fn twenty_parallel_starts_with_expired_credentials_make_one_refresh() {
    let fixture = signed_in();
    fixture.advance(60 * 60);
    let action = Some("CreateOAuth2Token".to_owned());
    fixture.client().add_fault(&Fault { kind: FaultKind::DelayMillis(300), times: Some(1), action }).unwrap();
    let children: Vec<_> =
        (0..20).map(|n| exec(&fixture, if n % 4 == 0 { "admin" } else { "me" }).spawn()).collect();
    let outcomes: Vec<_> = children.into_iter().map(|child| finish(child, "one of twenty").ok()).collect();
    let mut ids: Vec<_> = outcomes.iter().map(|outcome| outcome.stdout.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(refreshes(&fixture).len(), 1);
    assert!(
        ids.contains(&format!("{}\n", read_file(&fixture)["accessToken"]["accessKeyId"].as_str().unwrap()))
    );
}

#[test]
fn a_session_that_ended_names_the_command_that_signs_in() {
    for (state, said) in [
        (LoginState::Revoked, "the login session of `me` has ended"),
        (LoginState::CredentialsChanged, "the login session of `me` ended when the password was changed"),
    ] {
        let fixture = signed_in();
        fixture.client().set_login_states(state).unwrap();
        let before = read_file(&fixture);
        let run = export(&fixture).expect_code(4);
        assert!(run.stderr.contains(&format!("error: {said}\n")), "{}", run.stderr);
        assert!(run.stderr.contains("hint: sign in: hatbox login --session me"), "{}", run.stderr);
        assert_eq!(read_file(&fixture), before, "the file stays as it was");
        exec(&fixture, "admin").run().expect_code(125);
        assert!(refreshes(&fixture).len() <= 2, "a session that ended is not asked for again and again");
        sign_in(&fixture);
        export(&fixture).ok();
    }
    let fixture = fixture();
    fixture.write_config(&format!("[profile me]\nlogin_session = {JAN}\nregion = eu-west-1\n"));
    let run = export(&fixture).expect_code(4);
    assert!(run.stderr.contains("error: profile `me` is not signed in"), "{}", run.stderr);
}

#[test]
fn a_service_that_fails_is_asked_again_and_valid_credentials_are_still_used() {
    let action = || Some("CreateOAuth2Token".to_owned());
    for kind in
        [FaultKind::Throttling, FaultKind::Unavailable, FaultKind::DropAnswer, FaultKind::DropConnection]
    {
        let fixture = signed_in();
        fixture.client().add_fault(&Fault { kind: kind.clone(), times: Some(1), action: action() }).unwrap();
        let outcome = exec(&fixture, "me").run().ok();
        assert_eq!(
            outcome.stdout.trim(),
            read_file(&fixture)["accessToken"]["accessKeyId"].as_str().unwrap()
        );
        assert!(!outcome.stderr.contains("could not refresh"), "{kind:?}: {}", outcome.stderr);
        fixture.advance(11 * 60);
        let old = read_file(&fixture);
        fixture.client().add_fault(&Fault { kind, times: None, action: action() }).unwrap();
        let outcome = exec(&fixture, "me").run().ok();
        let said = "warning: could not refresh the login session of `me`: ";
        assert!(
            outcome.stderr.contains(said) && outcome.stderr.contains("expire in 3m"),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout.trim(), old["accessToken"]["accessKeyId"].as_str().unwrap());
        fixture.advance(5 * 60);
        let run = export(&fixture).expect_code(1);
        assert!(
            run.stderr.contains("error: could not refresh the login session of `me`\n"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_refresh_token_that_another_program_spent_is_read_again_before_giving_up() {
    let fixture = signed_in();
    let (path, mut next) = (fixture.path(FILE), read_file(&fixture));
    next["refreshToken"] = "the-next-one".into();
    next["accessToken"]["accessKeyId"] = "ASIAIOSFODNN7EXAMPLE".into();
    next["accessToken"]["expiresAt"] = "2099-01-01T00:00:00Z".into();
    // Another program refreshes the session while hatbox's request is pending.
    let stub = Stub::start(move |_, mut client| {
        std::fs::write(&path, next.to_string()).unwrap();
        let body = r#"{"error":"TOKEN_EXPIRED","message":"gone"}"#;
        let head =
            "HTTP/1.1 403 Forbidden\r\nx-amzn-errortype: AccessDeniedException\r\nConnection: close\r\n";
        client.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).ok();
    });
    let outcome = exec(&fixture, "me").env("AWS_ENDPOINT_URL_SIGNIN", stub.url()).run().ok();
    assert_eq!(outcome.stdout, "ASIAIOSFODNN7EXAMPLE\n");
    assert_eq!(stub.requests().len(), 1);
}

#[test]
fn a_kill_between_refresh_and_save_loses_nothing_that_can_be_kept() {
    let fixture = signed_in();
    let before = std::fs::read(fixture.path(FILE)).unwrap();
    let action = Some("CreateOAuth2Token".to_owned());
    let fault = Fault { kind: FaultKind::DelayMillis(30_000), times: Some(1), action };
    fixture.client().add_fault(&fault).unwrap();
    let mut child = exec(&fixture, "me").spawn();
    // The service has replaced the refresh token, but its answer is delayed.
    let start = std::time::Instant::now();
    while refreshes(&fixture).is_empty() {
        assert!(start.elapsed() < std::time::Duration::from_secs(30));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read(fixture.path(FILE)).unwrap(), before, "the old file is whole");
    exec(&fixture, "me").run().ok();
    assert_eq!(refreshes(&fixture).len(), 2, "the service takes the same token again for a while");
    let names = std::fs::read_dir(fixture.path(FILE).parent().unwrap()).unwrap();
    assert_eq!(names.count(), 1, "no temporary file is left");
}

#[test]
fn files_that_are_none_are_named_with_the_way_out() {
    let fixture = signed_in();
    let good = read_file(&fixture);
    let change = |pointer: &str, value: Value| {
        let mut file = good.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        file.to_string()
    };
    let big = "x".repeat(70_000);
    for (text, why) in [
        (String::new(), "not a JSON object"),
        ("{".to_owned(), "not a JSON object"),
        ("[]".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "`accessKeyId` is missing or invalid"),
        (change("/refreshToken", Value::Null), "`refreshToken` is missing or invalid"),
        (
            change("/dpopKey", "-----BEGIN EC PRIVATE KEY-----\nAA\n".into()),
            "`dpopKey` is missing or invalid",
        ),
        (change("/accessToken/expiresAt", "soon".into()), "`expiresAt` is missing or invalid"),
        (change("/signInRegion", "Evil/region".into()), "`signInRegion` is missing or invalid"),
        (change("/idToken", big.into()), "has more than 65536 bytes"),
    ] {
        std::fs::write(fixture.path(FILE), &text).unwrap();
        let run = export(&fixture).expect_code(1);
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        assert!(run.stderr.contains("97287988db9a49"), "the file is named: {}", run.stderr);
        for secret in ["refreshToken", "dpopKey", "idToken"] {
            let secret = good[secret].as_str().unwrap();
            assert!(!run.stderr.contains(secret), "{}", run.stderr);
        }
    }
    write_file(&fixture, &good);
    std::fs::set_permissions(fixture.path(FILE), std::fs::Permissions::from_mode(0o666)).unwrap();
    let run = export(&fixture);
    assert!(run.code() != Some(0) && run.stderr.contains("chmod"), "{}", run.stderr);
    // A new sign-in replaces an unreadable file.
    std::fs::set_permissions(fixture.path(FILE), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(fixture.path(FILE), "{").unwrap();
    sign_in(&fixture);
    export(&fixture).ok();
}

#[test]
fn answers_that_are_none_are_errors_and_change_nothing() {
    let fixture = signed_in();
    fixture.advance(10 * 60);
    let before = std::fs::read(fixture.path(FILE)).unwrap();
    let good = json!({
        "accessToken": {"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": "canary", "sessionToken": "canary"},
        "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "canary",
    });
    let answer = Arc::new(Mutex::new(String::new()));
    let said = Arc::clone(&answer);
    let stub = Stub::start(move |_, mut client| {
        let body = said.lock().unwrap().clone();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).ok();
    });
    let change = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (body, why) in [
        ("<html>canary</html>".to_owned(), "unexpected response"),
        ("{}".to_owned(), "unexpected response"),
        (change("/expiresIn", json!(0)), "invalid end"),
        (change("/expiresIn", json!(i64::MAX)), "invalid end"),
        (change("/tokenType", json!("Bearer")), "invalid token type"),
        (change("/refreshToken", json!("")), "invalid refresh token"),
        (change("/accessToken/sessionToken", json!("a\nb")), "invalid secret or session token"),
        (change("/accessToken/accessKeyId", json!("x")), "invalid access key id"),
        ("x".repeat(2_000_000), "is too long for"),
    ] {
        *answer.lock().unwrap() = body;
        let run =
            fixture.hatbox(&["export", "me"]).env("AWS_ENDPOINT_URL_SIGNIN", stub.url()).run().expect_code(1);
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        assert!(!run.stderr.contains("canary"), "{}", run.stderr);
        assert_eq!(std::fs::read(fixture.path(FILE)).unwrap(), before);
    }
}

#[test]
fn the_region_of_the_sign_in_is_asked_and_not_that_of_the_profile() {
    let fixture = signed_in();
    let stub = Stub::start(|_, _| {});
    for (region, host) in [
        (json!("eu-central-1"), "eu-central-1.signin.aws.amazon.com:443"),
        (json!("cn-north-1"), "cn-north-1.signin.amazonaws.cn:443"),
        (Value::Null, "eu-west-1.signin.aws.amazon.com:443"),
    ] {
        let mut file = read_file(&fixture);
        file["signInRegion"] = region;
        write_file(&fixture, &file);
        let run = exec(&fixture, "me").without("AWS_ENDPOINT_URL").env("HTTPS_PROXY", stub.url());
        run.env("AWS_REGION", "us-west-2").run();
        let last = stub.requests().last().unwrap().clone();
        assert!(last.starts_with(&format!("CONNECT {host} ")), "{last}");
    }
}

#[test]
fn the_endpoint_of_aws_itself_is_not_announced() {
    let fixture = signed_in();
    // The request stays on this machine: no proxy listens at this address.
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{refused}");
    let export = fixture.hatbox(&["export", "me"]).without("AWS_ENDPOINT_URL").env("HTTPS_PROXY", &proxy);
    let export = export.run().ok();
    assert!(export.stderr.contains("could not refresh the login session"), "{}", export.stderr);
    assert!(!export.stderr.contains("not AWS"), "{}", export.stderr);
}

#[test]
fn another_cache_directory_is_found_and_written_to() {
    let fixture = fixture();
    let arguments = ["login", "--session", "--region", "eu-west-1", "me"];
    let named = fixture.home().join("elsewhere");
    fixture.write_config("");
    sign_in(&fixture);
    std::fs::rename(fixture.path(FILE).parent().unwrap(), &named).unwrap();
    for value in [named.to_str().unwrap(), "~/elsewhere", "$HOME/elsewhere", "${HOME}/elsewhere"] {
        exec(&fixture, "me").env("AWS_LOGIN_CACHE_DIRECTORY", value).run().ok();
    }
    let run = fixture.hatbox(&arguments).env("HATBOX_BROWSER", "/nonexistent").env("AWS_REGION", "x y").run();
    assert!(run.stderr.contains("invalid region") || run.stderr.contains("invalid"), "{}", run.stderr);
}

#[test]
fn no_secret_is_in_what_is_said() {
    let fixture = signed_in();
    let before = read_file(&fixture);
    let run = fixture.hatbox(&["exec", "--debug", "me", "--", "true"]).run().ok();
    let after = read_file(&fixture);
    assert!(run.stderr.contains("refreshing the login session of `me` in eu-west-1"), "{}", run.stderr);
    for file in [&before, &after] {
        let token = &file["accessToken"];
        for secret in
            [&file["refreshToken"], &file["dpopKey"], &token["secretAccessKey"], &token["sessionToken"]]
        {
            let secret = secret.as_str().unwrap();
            assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{}", run.stderr);
        }
    }
    let log = serde_json::to_string(&fixture.log()).unwrap();
    assert!(!log.contains(after["refreshToken"].as_str().unwrap()));
}

#[test]
fn a_clock_that_is_off_is_corrected_by_that_of_the_service() {
    let fixture = signed_in();
    // Only hatbox's clock is wrong, by more than a DPoP proof may be off.
    for (seconds, ahead) in [(1200, "20m ahead of"), (-1200, "20m behind")] {
        let off = |run: crate::run::Run| {
            let now = 11 * 60 + seconds;
            run.env("HATBOX_TEST_CLOCK_OFFSET", now.to_string())
        };
        let before = refreshes(&fixture).len();
        let fresh = fixture.hatbox(&["exec", "--fresh", "me", "--", "printenv", "AWS_ACCESS_KEY_ID"]);
        let id = off(fresh).run().ok().stdout;
        assert_eq!(read_file(&fixture)["accessToken"]["accessKeyId"], id.trim());
        let statuses: Vec<_> = refreshes(&fixture).into_iter().skip(before).map(|call| call.status).collect();
        assert_eq!(statuses, [400, 200], "{ahead}");
    }
}

#[test]
fn a_proof_that_is_refused_names_the_clock_or_the_command_that_signs_in() {
    let fixture = signed_in();
    fixture.advance(10 * 60);
    // The key belongs to another session: a refresh token without its key is useless.
    let mut file = read_file(&fixture);
    let other = self::fixture();
    sign_in(&other);
    file["dpopKey"] = read_file(&other)["dpopKey"].clone();
    write_file(&fixture, &file);
    let refused = export(&fixture).expect_code(1);
    let said = "error: could not refresh the login session of `me`\n  caused by: INVALID_REQUEST: ";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: hatbox login --session me\n"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("clock"), "{}", refused.stderr);
    assert_eq!(refreshes(&fixture).len(), 1, "it is not sent again");
    assert_eq!(read_file(&fixture), file, "the file stays as it was");
    // The service rejects proofs even if they match its clock.
    let date = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(3)).unwrap();
    let stub = Stub::start(move |_, mut client| {
        let body = r#"{"error":"INVALID_REQUEST","message":"Invalid DPoP proof"}"#;
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let head = format!("HTTP/1.1 400 Bad Request\r\nDate: {date}\r\nConnection: close\r\n");
        client.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).ok();
    });
    let refused =
        fixture.hatbox(&["export", "me"]).env("AWS_ENDPOINT_URL_SIGNIN", stub.url()).run().expect_code(1);
    assert_eq!(stub.requests().len(), 2, "once more by the service's clock");
    assert!(refused.stderr.contains("INVALID_REQUEST: Invalid DPoP proof"), "{}", refused.stderr);
}
