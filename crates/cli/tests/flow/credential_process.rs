//! `credential_process`: a profile's command that prints credentials.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cast::{ENDLESS, ENDLESS_TOKEN, PEOPLE};
use crate::fixture::{Fixture, PASSPHRASE};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile legacy]
credential_process = corp-login

[profile above]
source_profile = legacy
role_arn = arn:aws:iam::444455556666:role/admin

[profile within]
credential_process = corp-login
role_arn = arn:aws:iam::444455556666:role/reader
";

/// Prints the identity that the child gets.
const SHOW: [&str; 4] = [
    "--",
    "sh",
    "-c",
    "echo \"$AWS_ACCESS_KEY_ID ${AWS_SESSION_TOKEN-none} ${AWS_CREDENTIAL_EXPIRATION-none} ${AWS_ACCOUNT_ID-none}\"",
];

fn fixture() -> Fixture {
    Fixture::with_config(CONFIG)
}

/// Returns a time of the fixture's clock, in seconds from the real time.
fn at(seconds: i64) -> String {
    let time = Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    Timestamp::from_second(time.as_second()).unwrap().to_string()
}

/// Returns jan's temporary credentials as such a command prints them, with the members `more`; null removes a member.
fn answer(fixture: &Fixture, more: &Value) -> String {
    let key = fixture.key(ENDLESS);
    let mut answer = json!({
        "Version": 1,
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret.expose(),
        "SessionToken": ENDLESS_TOKEN,
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(answer.as_object_mut().unwrap().remove(name)),
            value => answer[name] = value.clone(),
        }
    }
    answer.to_string()
}

/// Makes `corp-login` print `text` and count its runs.
fn prints(fixture: &Fixture, text: &str) {
    fs::write(fixture.path("home/answer"), text).unwrap();
    fixture.write_program("corp-login", "echo run >>\"$HOME/runs\"; cat \"$HOME/answer\"");
}

/// Returns how often `corp-login` ran.
fn runs(fixture: &Fixture) -> usize {
    fs::read_to_string(fixture.path("home/runs")).unwrap_or_default().lines().count()
}

fn show(fixture: &Fixture, profile: &str) -> String {
    fixture.hatbox(&["exec", profile]).args(SHOW).run().ok().stdout
}

#[test]
fn credentials_with_an_end_are_cached_until_five_minutes_before_it() {
    let fixture = fixture();
    let end = at(3600);
    prints(&fixture, &answer(&fixture, &json!({ "Expiration": end, "AccountId": PEOPLE })));
    let expected = format!("{} {ENDLESS_TOKEN} {end} {PEOPLE}\n", fixture.key(ENDLESS).id);
    for _ in 0..2 {
        assert_eq!(show(&fixture, "legacy"), expected);
    }
    assert_eq!(runs(&fixture), 1);
    let listed = fixture.hatbox(&["list"]).run().ok();
    assert!(listed.stdout.contains("credential_process"), "{}", listed.stdout);
    fixture.advance(3600 - 200);
    let later = at(3600 * 2);
    prints(&fixture, &answer(&fixture, &json!({ "Expiration": later })));
    assert_eq!(show(&fixture, "legacy"), expected.replace(&end, &later).replace(PEOPLE, "none"));
    assert_eq!(runs(&fixture), 2);
    fixture.hatbox(&["exec", "--fresh", "legacy", "--", "true"]).run().ok();
    assert_eq!(runs(&fixture), 3);
}

#[test]
fn a_person_and_an_agent_never_get_each_others_credentials() {
    let fixture = fixture();
    let (end, agents) = (at(3600), "444455556666");
    let answer_for = |account: &str| answer(&fixture, &json!({ "Expiration": end, "AccountId": account }));
    fs::write(fixture.path("home/person"), answer_for(PEOPLE)).unwrap();
    fs::write(fixture.path("home/agent"), answer_for(agents)).unwrap();
    fixture.write_program("corp-login", "echo run >>\"$HOME/runs\"; cat \"$HOME/${CLAUDECODE-person}\"");
    let run = |agent: bool| {
        let run = fixture.hatbox(&["exec", "legacy"]).args(SHOW);
        let run = if agent { run.env("CLAUDECODE", "agent") } else { run };
        run.run().ok().stdout
    };
    for agent in [false, true, false, true] {
        let account = if agent { agents } else { PEOPLE };
        assert!(run(agent).ends_with(&format!(" {account}\n")), "{agent}");
    }
    assert_eq!(runs(&fixture), 2, "each has a cached session");
    // The role assumed with it has its own cached session.
    for _ in 0..2 {
        show(&fixture, "above");
        fixture.hatbox(&["exec", "above", "--", "true"]).env("CLAUDECODE", "agent").run().ok();
    }
    assert_eq!(fixture.log().iter().filter(|entry| entry.action == "AssumeRole").count(), 2);
}

#[test]
fn hatbox_run_by_a_command_checks_its_guards_each_time() {
    let fixture = fixture();
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture.write_config(&format!(
        "[profile jan-work]\n[profile outer]\n\
         credential_process = env HATBOX_FILE_PASSPHRASE='{PASSPHRASE}' {hatbox} export --format json inner\n\
         [profile inner]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::444455556666:role/reader\nhatbox_confirm = true\n"
    ));
    for (keys, code) in [("yes\r", 0), ("yes\r", 0), ("no\r", 125)] {
        let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "outer", "--", "true"]), 120);
        terminal.wait_for_prompt("Type `yes` to print the credentials of `inner`: ");
        terminal.type_keys(keys);
        assert_eq!(terminal.wait().code(), Some(code), "{}", terminal.screen().join("\n"));
    }
    let explained = fixture.hatbox(&["explain", "outer"]).run().ok().stdout;
    assert!(explained.contains("no: the program has its own cache"), "{explained}");
}

/// Only the program of a command is inspected, so the answer of `sh -c` is cached like any other.
#[test]
fn hatbox_run_by_a_shell_of_a_command_is_asked_again_only_when_its_answer_expires() {
    let fixture = fixture();
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture.write_config(&format!(
        "[profile jan-work]\n[profile outer]\n\
         credential_process = sh -c 'HATBOX_FILE_PASSPHRASE=\"{PASSPHRASE}\" {hatbox} export --format json inner'\n\
         [profile inner]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::444455556666:role/reader\nhatbox_confirm = true\n"
    ));
    let exec = fixture.hatbox(&["exec", "outer", "--", "true"]);
    let question = "Type `yes` to print the credentials of `inner`: ";
    let mut terminal = Terminal::start_wide(&exec, 120);
    terminal.wait_for_prompt(question);
    terminal.type_keys("yes\r");
    assert_eq!(terminal.wait().code(), Some(0), "{}", terminal.screen().join("\n"));
    exec.run().ok();
    // An agent does not get a session that a person confirmed: the command is run for it, and denied.
    let refused = fixture.hatbox(&["exec", "outer", "--", "true"]).env("CLAUDECODE", "1").run();
    let refused = refused.expect_code(125);
    assert!(refused.stderr.contains("a coding agent runs this command"), "{}", refused.stderr);
    fixture.advance(3600);
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "outer", "--", "true"]), 120);
    terminal.wait_for_prompt(question);
    terminal.type_keys("no\r");
    assert_eq!(terminal.wait().code(), Some(125));
}

#[test]
fn credentials_without_an_end_are_asked_for_each_time() {
    let fixture = fixture();
    let id = &fixture.key(ENDLESS).id;
    prints(&fixture, &answer(&fixture, &json!({ "AccountId": PEOPLE })));
    for _ in 0..2 {
        assert_eq!(show(&fixture, "legacy"), format!("{id} {ENDLESS_TOKEN} none {PEOPLE}\n"));
    }
    assert_eq!(runs(&fixture), 2);
    let key = fixture.key("jan-work");
    let long_lived =
        json!({ "AccessKeyId": key.id, "SecretAccessKey": key.secret.expose(), "SessionToken": null });
    prints(&fixture, &answer(&fixture, &long_lived));
    assert_eq!(show(&fixture, "legacy"), format!("{} none none none\n", key.id));
}

#[test]
fn a_role_is_assumed_with_what_the_command_prints_and_is_cached_by_itself() {
    let fixture = fixture();
    prints(&fixture, &answer(&fixture, &json!({ "AccountId": PEOPLE })));
    for (profile, role) in [("above", "admin"), ("within", "reader")] {
        let before = (fixture.log().len(), runs(&fixture));
        for _ in 0..2 {
            let shown = show(&fixture, profile);
            assert!(shown.ends_with(" 444455556666\n"), "the account is the role's: {shown}");
        }
        let log = fixture.log();
        let [call] = &log[before.0..] else { panic!("{log:?}") };
        assert_eq!(call.parameters["RoleArn"], format!("arn:aws:iam::444455556666:role/{role}"));
        assert_eq!(call.caller.as_deref(), Some("arn:aws:iam::111122223333:user/jan"));
        assert_eq!(runs(&fixture), before.1 + 1);
    }
}

#[test]
fn twenty_cold_starts_run_the_command_once() {
    let fixture = fixture();
    prints(&fixture, &answer(&fixture, &json!({ "Expiration": at(3600) })));
    let starts: Vec<_> = (0..20).map(|_| fixture.hatbox(&["exec", "legacy", "--", "true"]).spawn()).collect();
    for start in starts {
        crate::run::finish(start, "a cold start").ok();
    }
    assert_eq!(runs(&fixture), 1);
}

#[test]
fn the_command_gets_the_users_environment_without_what_opens_stores() {
    let fixture = fixture();
    fs::write(fixture.path("home/answer"), answer(&fixture, &json!({}))).unwrap();
    fixture.write_program("corp-login", "env >\"$HOME/env\"; cat \"$HOME/answer\"");
    fixture
        .hatbox(&["exec", "legacy", "--", "true"])
        .env("AWS_VAULT_FILE_PASSPHRASE", "canary")
        .env("AWS_CONFIG_FILE", fixture.config_path())
        .env("MINE", "kept")
        .run()
        .ok();
    let seen = fs::read_to_string(fixture.path("home/env")).unwrap();
    let find = |name: &str| seen.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    assert!(!seen.contains("canary") && !seen.contains("PASSPHRASE"), "{seen}");
    assert_eq!((find("MINE"), find("HATBOX_RESOLVING")), (Some("kept"), Some("legacy")));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        assert_eq!(find(name), None, "{name}");
    }
}

#[test]
fn what_is_no_credentials_is_an_error_that_says_why() {
    let fixture = fixture();
    fixture.write_settings("prompt_timeout = \"1s\"\n");
    let with = |more: Value| answer(&fixture, &more);
    for (name, text, expected) in [
        ("nothing", String::new(), "the output is empty"),
        ("junk", "canary, log in first".to_owned(), "invalid credentials JSON (line 1, column 1)"),
        ("a list", "[1]".to_owned(), "invalid credentials JSON"),
        ("another version", with(json!({ "Version": 2 })), "invalid `Version` 2: expected 1"),
        ("no version", with(json!({ "Version": null })), "the JSON has no `Version`"),
        ("no secret", with(json!({ "SecretAccessKey": null })), "the JSON has no `SecretAccessKey`"),
        ("a broken token", with(json!({ "SessionToken": "canary\nx" })), "the session token has a blank"),
        ("an end that is none", with(json!({ "Expiration": "tomorrow" })), "invalid `Expiration`"),
        ("expired ones", with(json!({ "Expiration": at(-300) })), "the credentials expired 5m"),
    ] {
        prints(&fixture, &text);
        for profile in ["legacy", "above"] {
            let outcome = fixture.hatbox(&["exec", profile, "--", "true"]).run().expect_code(125);
            let start = "hatbox: error: `credential_process` of profile `legacy` returned no credentials\n  \
                         --> ~/.aws/config:2\n  caused by: ";
            assert!(outcome.stderr.starts_with(start), "{name}: {}", outcome.stderr);
            assert!(outcome.stderr[start.len()..].starts_with(expected), "{name}: {}", outcome.stderr);
            assert!(!outcome.stderr.contains("canary"), "{}", outcome.stderr);
        }
    }
    for (script, expected) in [
        ("exit 3", "it failed: exit status: 3"),
        ("exec yes", "it printed more than 64 KiB"),
        ("exec sleep 100", "it did not end within 3 s"),
    ] {
        fixture.write_program("corp-login", script);
        let outcome = fixture.hatbox(&["exec", "legacy", "--", "true"]).run().expect_code(125);
        assert!(outcome.stderr.contains(&format!("caused by: {expected}")), "{script}: {}", outcome.stderr);
    }
    fs::remove_file(fixture.path("bin/corp-login")).unwrap();
    let outcome = fixture.hatbox(&["exec", "legacy", "--", "true"]).run().expect_code(125);
    assert!(outcome.stderr.contains("it failed: command not found (exit status: 127)"), "{}", outcome.stderr);
    assert!(fixture.log().is_empty(), "nothing is called without credentials");
}

#[test]
fn a_command_that_leads_back_to_its_profile_is_a_loop() {
    let fixture = fixture();
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    // Through the role of another profile, which the plan does not show.
    fixture.write_program("corp-login", &format!("echo run >>\"$HOME/runs\"; exec {hatbox} export above"));
    let outcome = fixture.hatbox(&["exec", "legacy", "--", "true"]).run().expect_code(125);
    let expected = "profile `legacy` is requested by a command that it runs itself: legacy -> above";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert_eq!(runs(&fixture), 1);
}

#[test]
fn a_command_in_a_file_that_others_can_write_is_not_run() {
    let fixture = fixture();
    prints(&fixture, &answer(&fixture, &json!({})));
    fs::set_permissions(fixture.config_path(), fs::Permissions::from_mode(0o666)).unwrap();
    for profile in ["legacy", "above"] {
        fixture.hatbox(&["exec", profile, "--", "true"]).run().expect_code(125);
    }
    assert_eq!(runs(&fixture), 0);
}

#[test]
fn a_command_asks_and_explains_at_the_terminal() {
    let fixture = fixture();
    fs::write(fixture.path("home/answer"), answer(&fixture, &json!({}))).unwrap();
    fixture.write_program(
        "corp-login",
        "printf 'touch your key: ' >&2; read -r line; test \"$line\" = touched && cat \"$HOME/answer\"",
    );
    let run = fixture.hatbox(&["exec", "legacy", "--", "sh", "-c", "echo got $AWS_ACCESS_KEY_ID"]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for("touch your key: ", 1);
    terminal.type_keys("touched\n");
    terminal.wait_for(&format!("got {}", fixture.key(ENDLESS).id), 1);
    assert!(terminal.wait().success());
}

#[test]
fn explain_and_doctor_show_it_as_a_source_like_any_other() {
    let fixture = fixture();
    let explain = fixture.hatbox(&["explain", "above"]).run().ok();
    assert!(explain.stdout.contains("credential_process of legacy"), "{}", explain.stdout);
    assert!(!explain.stdout.contains("cannot get credentials"), "{}", explain.stdout);
    let doctor = fixture.hatbox(&["doctor", "--json"]).run();
    assert!(!doctor.stdout.contains("not-supported"), "{}", doctor.stdout);
}
