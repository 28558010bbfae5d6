//! The control paths, faults, the `Host` header, the sandbox directory.

use std::time::{Duration, Instant};

use hatbox_sandbox::control::{Client, Fault, FaultKind};
use hatbox_sandbox::world::{MFA_SERIAL, load_world};
use hatbox_sandbox::{Error, Options, start};

use crate::client::{AUDITOR, OPEN, Raw, Sandbox};

fn control(sandbox: &Sandbox, method: &str, path: &str) -> Raw {
    let token = std::fs::read_to_string(sandbox.directory.join("control-token")).unwrap();
    sandbox.s3_raw(method, &format!("/_sandbox/{path}"), &[("x-sandbox-token", &token)], b"")
}

#[test]
fn control_paths_open_for_the_token_at_our_address_without_an_origin() {
    let sandbox = Sandbox::start();
    let right = control(&sandbox, "GET", "status");
    sandbox.send(&right).ok();
    let mut wrong = right.clone();
    wrong.header_mut("x-sandbox-token").replace_range(0..1, "x");
    assert_eq!(sandbox.send(&wrong).status, 403);
    let mut none = right.clone();
    none.headers.pop();
    assert_eq!(sandbox.send(&none).status, 403);
    let mut browser = right.clone();
    browser.headers.push(("origin".to_owned(), "http://127.0.0.1".to_owned()));
    assert_eq!(sandbox.send(&browser).status, 403);
    for host in ["localhost", "a.127.0.0.1", "evil.example"] {
        let mut named = right.clone();
        *named.header_mut("host") = format!("{host}:{}", sandbox.address().port());
        assert_eq!(sandbox.send(&named).status, 421, "{host}");
    }
    assert_eq!(sandbox.send(&control(&sandbox, "GET", "nothing")).status, 404);
}

#[test]
fn a_host_that_is_not_ours_is_refused() {
    let sandbox = Sandbox::start();
    let port = sandbox.address().port();
    for (host, is_ours) in [
        (format!("127.0.0.1:{port}"), true),
        (format!("localhost:{port}"), true),
        (format!("bucket.localhost:{port}"), true),
        (format!("evil.example:{port}"), false),
        (format!("127.0.0.1.evil.example:{port}"), false),
        (format!("evil-127.0.0.1:{port}"), false),
        // Through a forwarded port or a proxy, the name is still allowed.
        (format!("127.0.0.1:{}", port ^ 1), true),
        ("127.0.0.1".to_owned(), true),
        (format!("127.0.0.1:{port}:{port}"), false),
        (format!("127.0.0.1.:{port}"), false),
    ] {
        let mut raw = sandbox.s3_raw("GET", "/", &[], b"");
        raw.header_mut("host").clone_from(&host);
        assert_eq!(sandbox.send(&raw).status != 421, is_ours, "{host}");
    }
    let mut twice = sandbox.s3_raw("GET", "/", &[], b"");
    twice.headers.push(("host".to_owned(), format!("127.0.0.1:{port}")));
    assert!(matches!(sandbox.send(&twice).status, 400 | 421));
}

#[test]
fn a_body_past_the_limit_is_refused() {
    let sandbox = Sandbox::start();
    let mut raw = sandbox.s3_raw("PUT", "/work-logs/x", &[], b"");
    raw.body = vec![0; (64 << 20) + 1];
    // The server may close the connection before the last byte is written.
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sandbox.send(&raw).status));
    assert!(answer.is_err() || answer.is_ok_and(|status| status == 413));
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
}

#[test]
fn the_clock_moves_and_stays_moved_over_a_restart() {
    let mut sandbox = Sandbox::start();
    sandbox.control().set_clock_offset(7200).unwrap();
    sandbox.control().advance_clock(-200).unwrap();
    sandbox.clock = 7000;
    sandbox.restart();
    let status = sandbox.control().status().unwrap();
    assert_eq!(status.clock_offset_seconds, 7000);
    let ahead = status.now.as_second() - jiff::Timestamp::now().as_second();
    assert!((6999..=7001).contains(&ahead), "{ahead}");
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
    sandbox.clock = 0;
    assert_eq!(sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).text("Code"), "SignatureDoesNotMatch");
    assert!(matches!(sandbox.control().advance_clock(i64::MAX), Err(Error::Refused { status: 400, .. })));
}

#[test]
fn faults_happen_as_often_as_asked_and_then_no_more() {
    let sandbox = Sandbox::start();
    let who = || sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]);
    sandbox.control().add_fault(&Fault::once(FaultKind::Throttling)).unwrap();
    who().refused(400, "Throttling", "Rate exceeded");
    who().ok();
    sandbox.control().add_fault(&Fault::once(FaultKind::Unavailable)).unwrap();
    assert_eq!((who().status, who().status), (503, 200));
    let denial = FaultKind::AccessDenied("with an explicit deny in a service control policy".to_owned());
    sandbox.control().add_fault(&Fault::once(denial)).unwrap();
    who().refused(403, "AccessDenied", "with an explicit deny in a service control policy");
    sandbox.control().add_fault(&Fault::once(FaultKind::DelayMillis(300))).unwrap();
    let start = Instant::now();
    who().ok();
    assert!(start.elapsed() >= Duration::from_millis(300));
    let meant = Fault { kind: FaultKind::Unavailable, times: None, action: Some("AssumeRole".to_owned()) };
    sandbox.control().add_fault(&meant).unwrap();
    who().ok();
    assert_eq!(sandbox.assume(&sandbox.jan, OPEN, &[]).status, 503);
    assert_eq!(sandbox.control().status().unwrap().faults, [meant]);
    sandbox.control().clear_faults().unwrap();
    sandbox.assume(&sandbox.jan, OPEN, &[]).ok();
}

#[test]
fn a_dropped_connection_is_before_the_call_and_a_dropped_answer_after_it() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    let params = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
    sandbox.control().add_fault(&Fault::once(FaultKind::DropConnection)).unwrap();
    assert_eq!(sandbox.sts(&sandbox.jan, "GetSessionToken", &params).status, 0);
    sandbox.control().add_fault(&Fault::once(FaultKind::DropAnswer)).unwrap();
    assert_eq!(sandbox.sts(&sandbox.jan, "GetSessionToken", &params).status, 0);
    // The second call used up the code, the first did not.
    assert_eq!(sandbox.sts(&sandbox.jan, "GetSessionToken", &params).status, 403);
    let log = sandbox.control().log(0).unwrap();
    assert_eq!((log[0].granted_seconds, log[1].granted_seconds), (None, Some(43_200)));
}

#[test]
fn a_short_life_is_reported_and_kept() {
    let mut sandbox = Sandbox::start();
    sandbox.control().add_fault(&Fault::once(FaultKind::ShortLifeSeconds(5))).unwrap();
    let keys = sandbox.assume(&sandbox.jan, AUDITOR, &[]).keys();
    sandbox.s3(&keys, "GET", "/", &[], b"").ok();
    sandbox.advance(6);
    assert_eq!(sandbox.s3(&keys, "GET", "/", &[], b"").text("Code"), "ExpiredToken");
}

#[test]
fn a_device_out_of_sync_validates_no_code() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    let params = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
    sandbox.control().add_fault(&Fault::once(FaultKind::DeviceOutOfSync)).unwrap();
    let answer = sandbox.sts(&sandbox.jan, "GetSessionToken", &params);
    assert!(
        answer.text("Message").contains("unable to validate MFA code.  Please verify"),
        "{}",
        answer.body
    );
    sandbox.sts(&sandbox.jan, "GetSessionToken", &params).ok();
}

#[test]
fn the_code_shown_is_the_one_that_is_taken_and_says_when_it_was() {
    let mut sandbox = Sandbox::start();
    sandbox.fresh_code();
    let shown = sandbox.control().code(MFA_SERIAL).unwrap();
    assert!((1..=30).contains(&shown.seconds_left) && !shown.is_used);
    let params = [("SerialNumber", MFA_SERIAL), ("TokenCode", shown.code.as_str())];
    sandbox.sts(&sandbox.jan, "GetSessionToken", &params).ok();
    assert!(sandbox.control().code(MFA_SERIAL).unwrap().is_used);
    assert!(!format!("{shown:?}").contains(&shown.code));
    assert!(matches!(sandbox.control().code("none"), Err(Error::Refused { status: 404, .. })));
}

#[test]
fn the_log_shows_who_asked_for_what_and_holds_no_secret() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    let keys = sandbox
        .sts(&sandbox.jan, "GetSessionToken", &[("SerialNumber", MFA_SERIAL), ("TokenCode", &code)])
        .keys();
    sandbox.assume(&keys, AUDITOR, &[("DurationSeconds", "900"), ("ExternalId", "e-1")]).ok();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &[("SerialNumber", MFA_SERIAL), ("TokenCode", "12345")]);
    let log = sandbox.control().log(1).unwrap();
    let entry = &log[0];
    assert_eq!((entry.number, entry.service.as_str(), entry.action.as_str()), (2, "sts", "AssumeRole"));
    assert_eq!(entry.resource.as_deref(), Some(AUDITOR));
    assert_eq!((entry.granted_seconds, entry.mfa_present), (Some(900), Some(true)));
    assert_eq!(entry.parameters["ExternalId"], "e-1");
    assert_eq!(entry.key.as_deref(), Some(format!("****{}", &keys.id[16..]).as_str()));
    assert_eq!(log[1].error.as_deref(), Some("ValidationError"));
    assert_eq!(log[1].parameters["TokenCode"], "present");
    let text = std::fs::read_to_string(sandbox.directory.join("log.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 3);
    for secret in
        [&code, "12345'", &keys.secret, keys.token.as_ref().unwrap(), &sandbox.jan.secret, &sandbox.jan.id]
    {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_directory_has_one_server_at_a_time_and_it_is_known_when_there_is_none() {
    let mut sandbox = Sandbox::start();
    let options = Options { directory: sandbox.directory.clone(), port: 0 };
    assert!(matches!(start(&options), Err(Error::Running { .. })));
    let before = load_world(&sandbox.directory).unwrap().unwrap();
    Client::open(&sandbox.directory).unwrap().stop().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while Client::open(&sandbox.directory).is_ok() {
        assert!(Instant::now() < deadline, "it did not stop");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(Client::open(&sandbox.directory), Err(Error::NotRunning { .. })));
    sandbox.restart();
    assert_eq!(load_world(&sandbox.directory).unwrap().unwrap(), before);
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
}

#[test]
fn many_at_once_are_all_answered() {
    let sandbox = Sandbox::start();
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..50).map(|_| scope.spawn(|| sandbox.assume(&sandbox.jan, OPEN, &[]).status)).collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap() == 200));
    });
    assert_eq!(sandbox.control().log(0).unwrap().len(), 50);
}
