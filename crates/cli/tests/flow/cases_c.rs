//! aws-vault's cases of SSO sign-ins, with the numbers of the project's list of its behaviour, and what hatbox does in
//! each. The cases of other sources are in the core crate's `tests/cases-b` and in `credential_process.rs`.

use hatbox_sandbox::control::{Consent, FaultKind};

use crate::fixture::Fixture;
use crate::sso::{CONFIG, WAITING, confirm, count, fault, scene, signed_in_scene, visit, with_browser};
use crate::terminal::Terminal;

fn actions(fixture: &Fixture) -> Vec<String> {
    fixture.log().into_iter().map(|entry| entry.action).collect()
}

#[test]
fn case_54_the_first_run_signs_in_and_later_ones_need_less() {
    let fixture = scene();
    // `--stdout`: a browser is available, but is not opened. stdout belongs to the command.
    let run = fixture.hatbox(&["exec", "--stdout", "dev", "--", "echo", "in"]);
    let mut terminal = Terminal::start_with_streams_elsewhere(&with_browser(&fixture, run));
    terminal.wait_for_prompt(WAITING);
    let transcript = terminal.transcript();
    let page = transcript.split_whitespace().find(|word| word.contains("/authorize?")).unwrap();
    let redirect = fixture.client().sign_in(page, Consent::Allow).unwrap().redirect.unwrap();
    assert_eq!(visit(&redirect, "").as_deref(), Some("200"));
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    assert!(!fixture.path("home/pages").exists(), "a browser was opened");
    assert_eq!(actions(&fixture), ["RegisterClient", "CreateToken", "GetRoleCredentials"]);
    // Another profile of the session, then the same ones again.
    for (profile, calls) in [("audit", 4), ("audit", 4), ("dev", 4)] {
        let run = fixture.hatbox(&["exec", profile, "--", "true"]).run().ok();
        assert_eq!((run.stdout.as_str(), fixture.log().len()), ("", calls), "{profile}");
    }
    assert_eq!(fixture.log().last().unwrap().action, "GetRoleCredentials");
}

#[test]
fn case_54_a_variable_of_aws_vault_leaves_the_browser_alone_too() {
    for (value, is_opened) in [("true", false), ("false", true)] {
        let fixture = scene();
        let run = fixture.hatbox(&["exec", "dev", "--", "true"]).env("AWS_VAULT_STDOUT", value);
        let mut terminal = Terminal::start_wide(&with_browser(&fixture, run), 400);
        terminal.wait_for_prompt(WAITING);
        assert_eq!(terminal.transcript().contains("If no page opened"), is_opened, "{value}");
        terminal.type_keys("\x03");
        assert_eq!(terminal.wait().code(), Some(130));
    }
}

#[test]
fn case_55_pending_and_slow_down_are_waited_for() {
    let fixture = scene();
    // The first poll is answered with SlowDownException, as if it came too early.
    fixture.client().add_fault(&fault(FaultKind::Throttling, 1, "CreateToken")).unwrap();
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "dev", "--", "true"]), 200);
    confirm(&fixture, &terminal, Consent::Allow);
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
}

#[test]
fn case_57_another_account_or_role_in_the_config_is_another_session() {
    let fixture = signed_in_scene();
    assert_eq!(count(&fixture, "GetRoleCredentials"), 1);
    for (old, new, error) in [
        (
            "sso_account_id = 444455556666\nsso_role_name = Developer",
            "sso_account_id = 111122223333\nsso_role_name = Developer",
            "the role `Developer` in account 111122223333 is no longer assigned to you",
        ),
        ("sso_role_name = Developer", "sso_role_name = Owner", "the role `Owner` in account 444455556666"),
    ] {
        fixture.write_config(&CONFIG.replace(old, new));
        let run = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
        assert!(run.stderr.contains(error), "{}", run.stderr);
    }
    fixture.write_config(CONFIG);
    let before = count(&fixture, "GetRoleCredentials");
    fixture.hatbox(&["exec", "dev", "--", "true"]).run().ok();
    assert_eq!(count(&fixture, "GetRoleCredentials"), before, "the first session is still there");
    // The sign-in is cached too: the user was not asked.
    assert_eq!(count(&fixture, "StartDeviceAuthorization"), 1);
}
