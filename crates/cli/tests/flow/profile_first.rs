//! What is wrong with the request is reported before what the machine lacks, and before anything is asked.

use crate::console::{CONFIG, fixture};
use crate::fixture::Fixture;

const UNKNOWN: &str = "hatbox: error: profile `nope` is neither in the config nor in the store\n";

/// Without a browser, a terminal and an MFA code.
fn bare_machine() -> Fixture {
    let fixture = fixture();
    fixture.write_config(&format!(
        "{CONFIG}[profile wrong]\nsource_profile = gone\nrole_arn = arn:aws:iam::444455556666:role/reader\n"
    ));
    fixture
}

fn assert_first(fixture: &Fixture, arguments: &[&str], error: &str) {
    let outcome = fixture.hatbox(arguments).env("SSH_CONNECTION", "1 2 3 4").run().expect_code(2);
    assert!(outcome.stderr.starts_with(error), "{arguments:?}: {}", outcome.stderr);
    assert_eq!(outcome.stdout, "", "{arguments:?}");
}

#[test]
fn a_wrong_profile_is_reported_before_a_missing_browser() {
    let fixture = bare_machine();
    assert_first(&fixture, &["login", "nope"], UNKNOWN);
    let error = "hatbox: error: profile `gone` is neither in the config nor in the store, and is the source profile of `wrong`\n";
    assert_first(&fixture, &["login", "wrong"], error);
    // In a locked store, there may be a key for a profile that the config does not have.
    fixture.hatbox(&["lock"]).run().ok();
    let login = fixture.hatbox(&["login", "nope"]).env("SSH_CONNECTION", "1 2 3 4");
    let locked = login.without("HATBOX_FILE_PASSPHRASE").run().expect_code(1);
    assert!(locked.stderr.starts_with("hatbox: error: no browser can be opened: "), "{}", locked.stderr);
}

#[test]
fn a_wrong_profile_is_reported_before_a_missing_terminal() {
    let fixture = bare_machine();
    #[cfg(feature = "iam")]
    assert_first(&fixture, &["mfa", "register", "nope"], UNKNOWN);
    assert_first(&fixture, &["mfa", "code", "nope"], UNKNOWN);
    let none = fixture.hatbox(&["mfa", "remove-seed", "jan-work"]).run().expect_code(1);
    assert_eq!(none.stderr, "hatbox: error: no TOTP seed is stored for profile `jan-work`\n");
}

#[test]
fn a_server_checks_every_profile_before_it_asks_for_a_code() {
    let fixture = bare_machine();
    assert_first(&fixture, &["serve", "guarded", "nope"], UNKNOWN);
    assert!(fixture.log().is_empty(), "{:?}", fixture.log());
}

#[test]
fn each_checks_its_words_before_the_passphrase_is_asked_for() {
    let fixture = bare_machine();
    fixture.hatbox(&["lock"]).run().ok();
    for (arguments, error) in [
        (&["each", "--", "true"][..], "no profiles given"),
        (&["each", "--all", "jan-work", "--", "true"], "`--all` cannot be used with profile names"),
        (&["each", "--account", "12", "--", "true"], "invalid account `12`"),
    ] {
        let outcome = fixture.hatbox(arguments).without("HATBOX_FILE_PASSPHRASE").run().expect_code(125);
        assert!(outcome.stderr.contains(error), "{}", outcome.stderr);
    }
}

#[test]
fn a_command_that_does_not_exist_is_reported_before_a_code_is_asked_for() {
    let fixture = bare_machine();
    for flags in [&[][..], &["--server"]] {
        let run = fixture.hatbox(&["exec"]).args(flags).args(["guarded", "--", "no-such-command"]);
        let missing = run.run().expect_code(127);
        assert_eq!(missing.stderr, "hatbox: error: command `no-such-command` not found\n");
    }
    assert!(fixture.log().is_empty(), "{:?}", fixture.log());
    let why = fixture.hatbox(&["why"]).run();
    assert!(!why.stderr.contains("no-such-command") && !why.stdout.contains("no-such-command"), "{why:?}");
}
