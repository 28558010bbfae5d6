//! `hatbox sso status` and `logout`: what ends at Identity Center, and what is deleted on this machine.

use hatbox_sandbox::control::FaultKind;
use serde_json::Value;

use crate::run::{finish, wait_until};
use crate::sso::{CONFIG, actions_since, count, fault, scene, sign_in, sign_in_files, signed_in_scene};

#[test]
fn login_status_and_logout_tell_one_story() {
    let fixture = scene();
    let status = || {
        let run = fixture.hatbox(&["sso", "status", "--json"]).run().ok();
        serde_json::from_str::<Value>(&run.stdout).unwrap()["sign_ins"][0]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status(), "signed-out");
    let doctor = || fixture.hatbox(&["doctor", "--json"]).run().stdout;
    assert!(doctor().contains("hatbox sso login corp"), "{}", doctor());
    let screen = sign_in(&fixture, &["sso", "login", "corp", "--no-browser"]);
    let said = "hatbox: signed in to `corp`; the session expires in 1h and refreshes automatically";
    assert_eq!(screen.last().unwrap(), said);
    assert_eq!(status(), "signed-in");
    assert!(!doctor().contains("sso-signed-out"), "{}", doctor());
    let list = fixture.hatbox(&["list"]).run().ok().stdout;
    assert!(list.contains("\nSSO corp: signed in for "), "{list}");
    let list = fixture.hatbox(&["list", "--json"]).run().ok().stdout;
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()["sign_ins"][0]["state"], "signed-in");
    assert!(
        !fixture.aws_vault(&["list"]).run().ok().stdout.contains("SSO"),
        "scripts read aws-vault's table"
    );
    let table = fixture.hatbox(&["sso", "status", "dev"]).run().ok().stdout;
    assert!(
        table.contains("corp") && table.contains("signed in for 5") && table.contains("then renewed"),
        "{table}"
    );
    fixture.hatbox(&["exec", "dev", "--", "true"]).run().ok();
    fixture.advance(3700);
    assert_eq!(status(), "renewable");
    fixture.hatbox(&["exec", "dev", "--", "true"]).run().ok();
    let logout = fixture.hatbox(&["sso", "logout", "corp"]).run().ok();
    assert_eq!(logout.stderr.lines().last(), Some("hatbox: signed out of `corp`"));
    assert_eq!((status().as_str(), count(&fixture, "Logout")), ("signed-out", 1));
    assert_eq!(sign_in_files(&fixture), Vec::<std::path::PathBuf>::new());
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
    assert!(
        exec.stderr.contains("not signed in to SSO session `corp`"),
        "the cached role is gone: {}",
        exec.stderr
    );
}

#[test]
fn a_sign_out_with_an_expired_token_ends_the_session_at_identity_center_or_says_that_it_did_not() {
    let fixture = signed_in_scene();
    fixture.advance(3700);
    let before = fixture.log().len();
    let logout = fixture.hatbox(&["sso", "logout"]).run().ok();
    assert_eq!(
        (logout.stderr.contains("hatbox: signed out of `corp`\n"), logout.stderr.contains("warning")),
        (true, false)
    );
    assert_eq!(actions_since(&fixture, before), ["CreateToken", "Logout"]);
    sign_in(&fixture, &["exec", "dev", "--", "true"]);
    fixture.advance(3700);
    fixture.client().add_fault(&fault(FaultKind::DropConnection, 1, "CreateToken")).unwrap();
    let logout = fixture.hatbox(&["sso", "logout"]).run().ok();
    let warning =
        "Identity Center did not end the session of `corp`; the token is deleted here: could not refresh";
    assert!(logout.stderr.contains(warning), "{}", logout.stderr);
    assert_eq!(sign_in_files(&fixture), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_session_that_the_config_no_longer_has_can_be_signed_out_of() {
    let fixture = signed_in_scene();
    fixture.write_config("[profile plain]\nregion = eu-west-1\n");
    let unknown = fixture.hatbox(&["sso", "logout", "other"]).run().expect_code(2);
    assert!(unknown.stderr.contains("no SSO session or profile named `other`"), "{}", unknown.stderr);
    let logout = fixture.hatbox(&["sso", "logout", "corp"]).run().ok();
    assert_eq!(logout.stderr.lines().last(), Some("hatbox: signed out of `corp`"));
    assert_eq!((count(&fixture, "Logout"), sign_in_files(&fixture)), (1, Vec::new()));
    fixture.hatbox(&["sso", "logout", "corp"]).run().expect_code(2);
    // The sessions obtained with it are deleted too, even if the config lines come back.
    fixture.write_config(CONFIG);
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
    assert!(exec.stderr.contains("not signed in to SSO session `corp`"), "{}", exec.stderr);
    // Without a name, all sign-ins end, even those that the config no longer contains.
    sign_in(&fixture, &["exec", "dev", "--", "true"]);
    fixture.write_config("");
    let logout = fixture.hatbox(&["sso", "logout"]).run().ok();
    assert_eq!(logout.stderr.lines().last(), Some("hatbox: signed out of `corp`"));
    assert_eq!((count(&fixture, "Logout"), sign_in_files(&fixture)), (2, Vec::new()));
}

#[test]
fn a_refresh_that_another_process_has_begun_does_not_outlive_a_sign_out() {
    let fixture = signed_in_scene();
    fixture.advance(3700);
    let before = count(&fixture, "CreateToken");
    fixture.client().add_fault(&fault(FaultKind::DelayMillis(2_000), 1, "CreateToken")).unwrap();
    let refreshing = fixture.hatbox(&["exec", "dev", "--", "true"]).spawn();
    wait_until("no refresh", || count(&fixture, "CreateToken") > before);
    fixture.hatbox(&["sso", "logout", "corp"]).run().ok();
    // The role may be denied, as the session has ended.
    finish(refreshing, "the refresh");
    assert_eq!(sign_in_files(&fixture), Vec::<std::path::PathBuf>::new());
    assert_eq!(count(&fixture, "Logout"), 1);
}

#[test]
fn a_sign_out_deletes_sessions_that_were_obtained_with_flags() {
    let fixture = signed_in_scene();
    let flags: [&[&str]; 3] = [&[], &["--read-only"], &["--duration", "30m"]];
    let export = |flags: &[&str]| fixture.hatbox(&["export", "above"]).args(flags);
    for flags in flags {
        export(flags).run().ok();
    }
    fixture.hatbox(&["sso", "logout", "corp"]).run().ok();
    for flags in flags {
        let export = export(flags).run().expect_code(4);
        assert!(
            export.stderr.contains("not signed in to SSO session `corp`"),
            "{flags:?}: {}",
            export.stderr
        );
    }
}
