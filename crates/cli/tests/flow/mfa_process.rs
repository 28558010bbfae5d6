//! `mfa_process`: a profile's command that prints MFA codes.

use hatbox_sandbox::log::LogEntry;

use crate::cast::PHONE;
use crate::exec::CONFIG;
use crate::fixture::{CODE_LIFE, Fixture};

#[test]
fn mfa_process_gives_the_code_and_a_given_code_goes_before_it() {
    let fixture = Fixture::with_config("");
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    fixture.write_program("phone", &format!("echo \"  $(cat {}) \"; echo noise >&2", "$HOME/code"));
    let code = || std::fs::write(fixture.path("home/code"), fixture.code(PHONE)).unwrap();
    code();
    let exec = |flags: &[&str]| {
        fixture.hatbox(&["exec", "--fresh", "guarded"]).args(flags).args(["--", "echo", "in"]).run()
    };
    let outcome = exec(&[]).ok();
    assert_eq!(outcome.stdout, "in\n");
    assert!(outcome.stderr.contains("noise\n"), "its stderr is the user's: {}", outcome.stderr);

    fixture.write_program("phone", "exit 3");
    let failed = exec(&[]).expect_code(125);
    assert_eq!(
        fixture.shown(&failed.stderr),
        "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
         hatbox: error: `mfa_process` returned no MFA code\n\
         \x20 caused by: it failed: exit status: 3\n"
    );
    let code = fixture.code(PHONE);
    exec(&["-t", &code]).ok();
    let malformed = exec(&["-t", "12345x"]).expect_code(125);
    assert!(malformed.stderr.starts_with("hatbox: error: invalid `--mfa-token`: "), "{}", malformed.stderr);
    assert!(!malformed.stderr.contains("12345x"));
}

#[test]
fn mfa_process_that_gives_a_used_code_is_asked_again_for_the_next() {
    let fixture = Fixture::with_config("");
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    fixture.write_program("phone", "cat \"$HOME/code\"; cp \"$HOME/next\" \"$HOME/code\"");
    fixture.advance_to_end_of_code();
    let code = fixture.code(PHONE);
    fixture.advance(CODE_LIFE);
    let next = fixture.code(PHONE);
    fixture.advance(-CODE_LIFE);
    std::fs::write(fixture.path("home/code"), &code).unwrap();
    std::fs::write(fixture.path("home/next"), next).unwrap();
    let exec = fixture.hatbox(&["exec", "--fresh", "guarded"]);
    exec.clone().args(["-t", &code, "--", "true"]).run().ok();
    let calls = fixture.log().len();
    let outcome = exec.args(["--", "true"]).run().ok();
    assert_eq!(
        fixture.shown(&outcome.stderr),
        "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
         hatbox: that MFA code was used already; waiting for the next one\n"
    );
    let log = fixture.log();
    assert!(log[calls..].iter().all(LogEntry::is_allowed), "the used code is not sent");
}

#[test]
fn a_helper_that_asks_for_its_own_profile_is_a_loop_and_not_a_fork_bomb() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture.write_config(&format!("{CONFIG}mfa_process = {hatbox} exec guarded -- echo 123456\n"));
    let outcome = fixture.hatbox(&["exec", "guarded", "--", "true"]).run().expect_code(125);
    assert!(
        outcome
            .stderr
            .contains("profile `guarded` is requested by a command that it runs itself: guarded -> guarded"),
        "{}",
        outcome.stderr
    );
    // The command may use another profile.
    fixture.write_program("phone", &format!("{hatbox} exec --nested reader -- cat \"$HOME/code\""));
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    std::fs::write(fixture.path("home/code"), fixture.code(PHONE)).unwrap();
    let run = fixture.hatbox(&["exec", "guarded", "--", "true"]);
    let passphrase = fixture.path("home/passphrase");
    std::fs::write(&passphrase, crate::fixture::PASSPHRASE).unwrap();
    fixture.write_settings(&format!("passphrase_command = \"cat {}\"\n", passphrase.display()));
    run.run().ok();
}
