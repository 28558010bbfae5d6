//! `hatbox doctor` with cached sessions, a clock that moves, and a terminal.

use serde_json::Value;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

fn doctor(fixture: &Fixture) -> Run {
    fixture.hatbox(&["doctor", "--json"])
}

fn found(run: &Run) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&run.run().stdout).unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (text(finding, "id"), text(finding, "text"))).collect()
}

fn has(found: &[(String, String)], id: &str) -> bool {
    found.iter().any(|(other, _)| other == id)
}

#[test]
fn a_session_that_ends_soon_is_reported_and_one_that_has_time_is_not() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(!has(&found(&doctor(&fixture)), "session-ending"));
    fixture.advance(50 * 60);
    let ending = found(&doctor(&fixture));
    let text = ending.iter().find(|(id, _)| id == "session-ending").map(|(_, text)| text.as_str());
    assert!(text.unwrap().starts_with("the cached AssumeRole session of `reader` expires in "), "{ending:?}");
    fixture.advance(20 * 60);
    assert!(!has(&found(&doctor(&fixture)), "session-ending"), "one that has ended is no news");
    let locked = doctor(&fixture).without("HATBOX_FILE_PASSPHRASE");
    fixture.hatbox(&["lock"]).run().ok();
    assert!(has(&found(&locked), "store-locked"));
}

#[test]
fn a_clock_that_was_set_back_is_reported() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(!has(&found(&doctor(&fixture)), "clock-set-back"));
    fixture.advance(-2 * 3600);
    let back = found(&doctor(&fixture));
    assert!(has(&back, "clock-set-back") && has(&back, "clock-behind"), "{back:?}");
}

#[test]
fn at_a_terminal_a_code_can_be_asked_for_and_nothing_is_asked() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    let locked = fixture.hatbox(&["doctor"]).without("HATBOX_FILE_PASSPHRASE");
    let mut terminal = Terminal::start(&locked);
    assert_eq!(terminal.wait().code(), Some(0), "{}", terminal.screen().join("\n"));
    let screen = terminal.screen().join("\n");
    assert!(screen.contains("hatbox can ask for MFA codes on this terminal, /dev/pts/"), "{screen}");
    assert!(screen.contains("`file` is locked") && !screen.contains("Passphrase of"), "{screen}");
}

#[test]
fn in_the_shell_of_exec_it_says_whose_credentials_these_are() {
    let fixture = Fixture::with_config(CONFIG);
    let code = fixture.code(PHONE);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let exec = fixture.hatbox(&["exec", "-t", &code, "jan-work", "--", hatbox, "doctor", "--json"]);
    let inside = found(&exec);
    let text = inside.iter().find(|(id, _)| id == "env-nested").map(|(_, text)| text.as_str());
    assert!(text.unwrap().contains("the credentials of `jan-work`"), "{inside:?}");
    assert!(!has(&inside, "env-keys") && !has(&inside, "env-ended"), "{inside:?}");
}

#[test]
fn a_key_older_than_90_days_is_reported() {
    let fixture = Fixture::with_config(CONFIG);
    let ids = || found(&doctor(&fixture));
    assert!(!has(&ids(), "old-key"));
    fixture.advance(91 * 24 * 3600);
    let old = ids();
    let text = old.iter().find(|(id, _)| id == "old-key").map(|(_, text)| text.as_str());
    assert_eq!(text, Some("the access key of `jan-work` is 91 days old"));
}
