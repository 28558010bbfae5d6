//! Services and browsers that never answer: how long hatbox waits, what it shows meanwhile, and which hint it gives.

use std::os::unix::process::ExitStatusExt;

use hatbox_sandbox::control::FaultKind;
use rustix::process::Signal;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::login_sign_in;
use crate::run::{Run, finish};
use crate::sso::{fault, opened_page, scene, signed_in_scene, with_browser};
use crate::terminal::Terminal;

const ROLE: &str = "
[profile ops]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/guarded
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";
/// Longer than any test.
const NEVER: FaultKind = FaultKind::DelayMillis(120_000);

/// Signed in to Identity Center, with a token that is due for a refresh. The next services do not answer.
fn silent_center() -> Fixture {
    let fixture = signed_in_scene();
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    fixture.write_config(&format!("{config}{ROLE}"));
    for action in ["StartDeviceAuthorization", "GetRoleCredentials", "ListAccounts", "AssumeRole"] {
        fixture.client().add_fault(&fault(NEVER, 100, action)).unwrap();
    }
    fixture
}

/// A login session that is due for a refresh, with a service that does not answer.
fn silent_login() -> Fixture {
    let fixture = login_sign_in::fixture();
    login_sign_in::sign_in(&fixture);
    fixture.advance(20 * 60);
    fixture.client().add_fault(&fault(NEVER, 100, "CreateOAuth2Token")).unwrap();
    fixture
}

fn with_limit(seconds: u8, run: Run) -> Run {
    run.env("HATBOX_TEST_TIME_LIMIT", seconds.to_string())
}

#[test]
fn a_service_that_never_answers_is_given_up_with_a_way_out() {
    let fixture = silent_center();
    let code = fixture.code(PHONE);
    let login = silent_login();
    let cases: [(&Fixture, &[&str], &str, &str); 6] = [
        (&fixture, &["sso", "login", "corp", "--device"], "could not sign in to `corp`", "try again"),
        (
            &fixture,
            &["exec", "--fresh", "dev", "--", "true"],
            "could not get credentials of the role `Developer` in account 444455556666",
            "try again",
        ),
        (
            &fixture,
            &["sso", "populate", "--yes", "corp"],
            "could not read the accounts and roles",
            "try again",
        ),
        (&fixture, &["exec", "ops", "--", "true"], "could not assume the role of profile `ops`", "try again"),
        (
            &fixture,
            &["exec", "-t", &code, "guarded", "--", "true"],
            "could not assume the role of profile `guarded`",
            "try again with the next MFA code: this one may have been used",
        ),
        (&login, &["export", "me"], "could not refresh the login session of `me`", "try again"),
    ];
    let started: Vec<_> =
        cases.iter().map(|(at, arguments, ..)| with_limit(1, at.hatbox(arguments)).spawn()).collect();
    for (child, (at, arguments, headline, hint)) in started.into_iter().zip(cases) {
        let outcome = finish(child, &arguments.join(" "));
        let said = at.shown(&outcome.stderr);
        assert!(!outcome.status.success() && said.contains(&format!("error: {headline}")), "{said}");
        let cause = "caused by: the request was sent to SANDBOX, but no response came within 1 s\n";
        assert!(said.contains(cause), "{arguments:?}: {said}");
        assert!(said.contains(&format!("hint: {hint}\n")), "{arguments:?}: {said}");
    }
    // A token that is still valid for a while is used even if its refresh is not answered.
    fixture.client().clear_faults().unwrap();
    fixture.client().add_fault(&fault(NEVER, 1, "CreateToken")).unwrap();
    fixture.advance(3600 - 240);
    // The other call is answered, even on a busy machine.
    with_limit(3, fixture.hatbox(&["exec", "--fresh", "dev", "--", "true"])).run().ok();
    fixture.advance(300);
    fixture.client().add_fault(&fault(NEVER, 1, "CreateToken")).unwrap();
    let refused =
        with_limit(1, fixture.hatbox(&["exec", "--fresh", "dev", "--", "true"])).run().expect_code(125);
    assert!(refused.stderr.contains("error: could not refresh the token of `corp`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: try again"), "{}", refused.stderr);
}

#[test]
fn what_is_waited_for_is_shown_and_ctrl_c_stops_it() {
    let fixture = silent_center();
    let login = silent_login();
    let cases: [(&Fixture, &[&str], u32); 4] = [
        (&fixture, &["sso", "login", "corp", "--device"], 20),
        (&fixture, &["exec", "--fresh", "dev", "--", "true"], 20),
        (&fixture, &["exec", "ops", "--", "true"], 60),
        (&login, &["exec", "me", "--", "true"], 20),
    ];
    let terminals: Vec<_> =
        cases.iter().map(|(at, arguments, _)| Terminal::start_wide(&at.hatbox(arguments), 160)).collect();
    for (mut terminal, (at, arguments, seconds)) in terminals.into_iter().zip(cases) {
        let line = format!("waiting for {} (up to {seconds} s; Ctrl-C cancels)", at.client().url());
        terminal.wait_for(&line, 1);
        terminal.type_keys("\x03");
        let status = terminal.wait();
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{arguments:?}: {status}");
        assert!(terminal.has_modes_of_before(), "{arguments:?}");
    }
}

#[test]
fn a_browser_that_never_comes_back_is_not_waited_for_for_ever() {
    let fixture = scene();
    let login = login_sign_in::fixture();
    let redirect =
        with_browser(&fixture, with_limit(1, fixture.hatbox(&["sso", "login", "corp", "--pkce"]))).spawn();
    let session = ["login", "--session", "--region", "eu-west-1", "me"];
    let session = with_browser(&login, with_limit(1, login.hatbox(&session))).spawn();
    for at in [&fixture, &login] {
        assert!(opened_page(at).contains("redirect_uri="));
    }
    let redirect = finish(redirect, "sso login").expect_code(4);
    let said = "error: no one signed in to `corp` within 1 s\nhatbox: hint: hatbox sso login corp\n";
    assert!(redirect.stderr.ends_with(said), "{}", redirect.stderr);
    let session = finish(session, "login --session").expect_code(4);
    let said = "error: the browser did not come back within 1s\n\
                hatbox: hint: if the browser is on another machine: hatbox login --session --remote\n";
    assert!(session.stderr.ends_with(said), "{}", session.stderr);
    assert!(!login.path(login_sign_in::FILE).exists() && !login.config_path().exists());
    // It does not block the next process.
    let terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "dev", "--", "true"]), 200);
    terminal.wait_for_prompt(crate::sso::WAITING);
}
