//! `add` on a terminal: checks the key, finds the user's MFA device, sets the region; and the way from nothing to a
//! role.

use hatbox_sandbox::world::World;

use crate::cast::{OTHER_PHONE, PEOPLE, PHONE, TOKEN};
use crate::fixture::{Fixture, PASSPHRASE};
use crate::mfa_devices::{PASSKEY, may_use_iam};
use crate::prompts::{AGAIN, CODE, ID, NEW, SECRET, asking, assert_code};
use crate::run::Run;
use crate::terminal::Terminal;

pub(crate) const CHECK: &str = "Check the key with AWS? (Y|n)";
pub(crate) const REGION: &str = "Region (such as eu-west-1, Enter for none):";
const OWNER: &str = "The key belongs to the user jan of account 111122223333.";
const TYPED: &str = "MFA device (arn:aws:iam::ACCOUNT:mfa/NAME, Enter for none):";

/// Lets jan call IAM, and gives her these devices.
fn fixture_with(devices: &[&str]) -> Fixture {
    Fixture::empty_in(&["jan-work"], |world: &mut World| {
        may_use_iam(world);
        let people = world.accounts.get_mut(PEOPLE).unwrap();
        people.mfa_devices.retain(|serial, _| devices.contains(&serial.as_str()));
    })
}

/// Types the key for `hatbox add`, up to the next prompt.
fn typed(run: &Run, id: &str, secret: &str) -> Terminal {
    let terminal = Terminal::start_wide(run, 120);
    terminal.wait_for_prompt(ID);
    terminal.type_keys(&format!("{id}\r"));
    terminal.wait_for_prompt(SECRET);
    terminal.type_keys(&format!("{secret}\r"));
    terminal
}

fn add(fixture: &Fixture, flags: &[&str]) -> Terminal {
    let key = fixture.key("jan-work");
    typed(&fixture.hatbox(&["add", "jan-work"]).args(flags), &key.id, key.secret.expose())
}

fn config(fixture: &Fixture) -> String {
    std::fs::read_to_string(fixture.config_path()).unwrap_or_default()
}

#[test]
fn the_only_device_is_taken_after_a_yes() {
    for (answer, line) in [("", format!("mfa_serial={PHONE}\n")), ("n", String::new())] {
        let fixture = fixture_with(&[PHONE, PASSKEY]);
        let mut terminal = add(&fixture, &[]);
        terminal.wait_for_prompt(CHECK);
        terminal.type_keys("\r");
        terminal.wait_for_prompt(&format!("Use the MFA device {PHONE}? (Y|n)"));
        terminal.type_keys(&format!("{answer}\r"));
        terminal.wait_for_prompt(REGION);
        terminal.type_keys("Europe\r");
        terminal.wait_for(REGION, 2);
        terminal.wait_for_prompt(REGION);
        terminal.type_keys("eu-west-1\r");
        assert_code(terminal.wait(), 0, &terminal);
        let screen = terminal.screen().join("\n");
        assert!(screen.contains(OWNER), "{screen}");
        for question in [CHECK, REGION, "Use the MFA device"] {
            assert!(!screen.contains(question), "{question} stays: {screen}");
        }
        assert_eq!(config(&fixture), format!("[profile jan-work]\n{line}region=eu-west-1\n"));
    }
}

#[test]
fn several_devices_are_offered_and_a_passkey_is_not() {
    for (answer, serial) in [("2", Some(PHONE)), ("", None)] {
        let fixture = fixture_with(&[TOKEN, PHONE, OTHER_PHONE, PASSKEY]);
        let mut terminal = add(&fixture, &[]);
        terminal.wait_for_prompt(CHECK);
        terminal.type_keys("y\r");
        let question = "Use which device? (1-3, Enter for none):";
        terminal.wait_for_prompt(question);
        let screen = terminal.screen().join("\n");
        assert!(screen.contains(&format!("  1  {TOKEN}\n  2  {PHONE}\n  3  {OTHER_PHONE}\n")), "{screen}");
        for (times, wrong) in (1..).zip(["0", "4", "x"]) {
            terminal.type_keys(&format!("{wrong}\r"));
            terminal.wait_for("Type a number from 1 to 3.", times);
            terminal.wait_for(question, times + 1);
            terminal.wait_for_prompt(question);
        }
        terminal.type_keys(&format!("{answer}\r"));
        terminal.wait_for_prompt(REGION);
        terminal.type_keys("\r");
        assert_code(terminal.wait(), 0, &terminal);
        let line = serial.map(|serial| format!("mfa_serial={serial}\n")).unwrap_or_default();
        assert_eq!(config(&fixture), format!("[profile jan-work]\n{line}"));
    }
}

#[test]
fn what_aws_does_not_say_is_asked_for_and_no_check_asks_aws_nothing() {
    // Without permission to list devices.
    let fixture = Fixture::empty(&["jan-work"]);
    let mut terminal = add(&fixture, &[]);
    terminal.wait_for_prompt(CHECK);
    terminal.type_keys("\r");
    terminal.wait_for_prompt(TYPED);
    assert!(terminal.screen().join("\n").contains("The MFA devices could not be listed: "));
    terminal.type_keys("\r");
    terminal.wait_for_prompt(REGION);
    terminal.type_keys("\r");
    assert_code(terminal.wait(), 0, &terminal);
    // Without a device.
    let fixture = fixture_with(&[PASSKEY]);
    let mut terminal = add(&fixture, &["--region", "eu-west-1"]);
    terminal.wait_for_prompt(CHECK);
    terminal.type_keys("\r");
    assert_code(terminal.wait(), 0, &terminal);
    assert!(terminal.screen().join("\n").contains("The user has no MFA device that gives codes."));
    // No call is made if the user declines, or with `--no-check`.
    for flags in [&["--force"][..], &["--force", "--no-check"]] {
        let before = fixture.log().len();
        let mut terminal = add(&fixture, flags);
        if flags.len() == 1 {
            terminal.wait_for_prompt(CHECK);
            terminal.type_keys("n\r");
        }
        terminal.wait_for_prompt(TYPED);
        terminal.type_keys(&format!("{PHONE}\r"));
        assert_code(terminal.wait(), 0, &terminal);
        assert_eq!(fixture.log().len(), before);
        fixture.write_config("[profile jan-work]\nregion = eu-west-1\n");
    }
}

#[test]
fn a_key_that_aws_does_not_know_is_stored_only_after_a_yes() {
    let fixture = fixture_with(&[PHONE]);
    let secret = fixture.key("jan-work").secret.expose().to_owned();
    for (answer, code) in [("\r", 1), ("n\r", 1), ("y\r", 0)] {
        let run = fixture.hatbox(&["add", "--force", "jan-work"]);
        let mut terminal = typed(&run, "AKIAIOSFODNN7EXAMPLE", &secret);
        terminal.wait_for_prompt(CHECK);
        terminal.type_keys("\r");
        terminal.wait_for_prompt("Store it anyway? (y|N)");
        assert!(terminal.screen().join(" ").contains("AWS does not know this key: "));
        terminal.type_keys(answer);
        if code == 0 {
            terminal.wait_for_prompt(TYPED);
            terminal.type_keys("\r");
            terminal.wait_for_prompt(REGION);
            terminal.type_keys("\r");
        }
        assert_code(terminal.wait(), code, &terminal);
        let stored = fixture.hatbox(&["list", "--credentials"]).run().ok().stdout;
        assert_eq!(stored, if code == 0 { "jan-work\n" } else { "" });
    }
    // If the endpoint does not answer, the key is stored without a check.
    let fixture = fixture_with(&[PHONE]);
    let key = fixture.key("jan-work");
    let run = fixture.hatbox(&["add", "jan-work"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let mut terminal = typed(&run, &key.id, key.secret.expose());
    terminal.wait_for_prompt(CHECK);
    terminal.type_keys("\r");
    terminal.wait_for_prompt(TYPED);
    assert!(terminal.screen().join(" ").contains("The key could not be checked: "));
    terminal.type_keys("\r");
    terminal.wait_for_prompt(REGION);
    terminal.type_keys("\r");
    assert_code(terminal.wait(), 0, &terminal);
}

#[test]
fn as_aws_vault_nothing_is_checked() {
    let fixture = fixture_with(&[PHONE]);
    let key = fixture.key("jan-work");
    let mut terminal = typed(&fixture.aws_vault(&["add", "jan-work"]), &key.id, key.secret.expose());
    terminal.wait_for_prompt(TYPED);
    terminal.type_keys("\r");
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(fixture.log().len(), 0);
}

/// The example in README: two commands, and then the first command with a role that requires MFA.
#[test]
fn from_nothing_to_a_role_with_mfa_takes_two_commands() {
    let fixture = fixture_with(&[PHONE]);
    std::fs::remove_dir_all(fixture.path("home/.aws")).unwrap();
    let key = fixture.key("jan-work");
    let mut terminal = typed(&asking(&fixture, &["add", "jan-work"]), &key.id, key.secret.expose());
    terminal.wait_for_prompt(CHECK);
    terminal.type_keys("\r");
    terminal.wait_for_prompt("Use the MFA device");
    terminal.type_keys("\r");
    terminal.wait_for_prompt(REGION);
    terminal.type_keys("eu-west-1\r");
    terminal.wait_for_prompt(NEW);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    terminal.wait_for_prompt(AGAIN);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    assert_code(terminal.wait(), 0, &terminal);

    let role = "arn:aws:iam::444455556666:role/guarded";
    let mut terminal =
        Terminal::start_wide(&asking(&fixture, &["profile", "add", "dev", "--role-arn", role]), 120);
    terminal.wait_for_prompt("Source profile (Enter for jan-work):");
    terminal.type_keys("\r");
    terminal.wait_for_prompt(&format!("MFA device (Enter for {PHONE}, - for none):"));
    terminal.type_keys("\r");
    terminal.wait_for_prompt(REGION);
    terminal.type_keys("eu-west-1\r");
    terminal.wait_for_prompt("Add these lines to ~/.aws/config? (y|N)");
    terminal.type_keys("y\r");
    assert_code(terminal.wait(), 0, &terminal);

    let exec = asking(&fixture, &["exec", "dev", "--", "sh", "-c", "echo account $AWS_ACCOUNT_ID"]);
    let mut terminal = Terminal::start(&exec);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys(&format!("{}\r", fixture.code(PHONE)));
    assert_code(terminal.wait(), 0, &terminal);
    assert!(terminal.screen().iter().any(|line| line == "account 444455556666"), "{:?}", terminal.screen());
}
