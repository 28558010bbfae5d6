//! `import aws-vault`: imports keys from its files, which another program wrote.

use std::fs;

use crate::canary::Canary;
use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const VAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/data/aws-vault/keys");
const PASSPHRASE: &str = "vault horse";

/// A home with aws-vault's files in their default place.
fn home() -> Fixture {
    let fixture = Fixture::empty(&["jan-work", "other"]);
    let keys = fixture.path("home/.awsvault/keys");
    fs::create_dir_all(&keys).unwrap();
    for entry in fs::read_dir(VAULT).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), keys.join(entry.file_name())).unwrap();
    }
    fs::write(keys.join("oidc:https:%2F%2Fcorp.awsapps.com%2Fstart"), "x").unwrap();
    fixture
}

fn import(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(&["import", "aws-vault"]).args(arguments).env("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE)
}

fn secret(digit: &str) -> String {
    format!("vaultsecret{}", digit.repeat(29))
}

#[test]
fn aws_vault_s_long_lived_keys_are_taken_over_and_the_rest_is_said() {
    let fixture = home();
    fixture.write_config("[profile jan-work]\n");
    let missing = fixture.hatbox(&["export", "jan-work"]).run().expect_code(2);
    assert!(missing.stderr.contains("`hatbox import aws-vault`"), "{}", missing.stderr);
    let planned = import(&fixture, &["--dry-run"]).run().ok();
    let lines = "would import the access key of `jan-work`\nwould import the access key of `team/dev`\n";
    assert_eq!(planned.stdout, lines);
    assert!(!fixture.store().exists(), "a dry run makes no store");
    let before = fixture.files();
    let done = import(&fixture, &[]).run().ok();
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains(&lines.replace("would import", "hatbox: imported")), "{}", done.stderr);
    for said in [
        "warning: not imported: ~/.awsvault/keys/renamed: it holds the key of another profile",
        "warning: not imported: ~/.awsvault/keys/foreign: the passphrase is wrong",
        "warning: not imported: ~/.awsvault/keys/stray: not an aws-vault file: a JWE has five parts",
        "hatbox: not imported: the key of `temporary` is temporary",
        "hatbox: aws-vault still has them; --delete-source deletes its files",
    ] {
        assert!(done.stderr.contains(said), "{said}\n{}", done.stderr);
    }
    for path in before {
        assert!(path.exists(), "{}", path.display());
    }
    for (profile, digit) in [("jan-work", "1"), ("team/dev", "2")] {
        fixture.write_config(&format!("[profile \"{profile}\"]\n"));
        let exported = fixture.hatbox(&["export", "-n", profile]).run().ok();
        let expected = format!(
            "AWS_ACCESS_KEY_ID=AKIAVAULT0000000000{digit}\nAWS_SECRET_ACCESS_KEY={}\n",
            secret(digit)
        );
        assert_eq!(exported.stdout, expected);
    }
    let again = import(&fixture, &["jan-work", "--json"]).run().ok();
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["already_there"], serde_json::json!(["jan-work"]));
    assert_eq!(again["imported"], serde_json::json!([]));
    let all = [planned.stderr, done.stdout, done.stderr].concat();
    for canary in [secret("1"), PASSPHRASE.to_owned()] {
        assert_eq!(Canary::new("", &canary).find_in(all.as_bytes()), None);
    }
}

#[test]
fn another_key_is_replaced_and_files_are_deleted_only_when_that_is_said() {
    let fixture = home();
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    let refused = import(&fixture, &[]).run().expect_code(3);
    assert!(
        refused.stderr.contains("another access key is stored already for `jan-work`"),
        "{}",
        refused.stderr
    );
    let file = |name: &str| fixture.path("home/.awsvault/keys").join(name);
    let unanswered = import(&fixture, &["--overwrite", "--delete-source", "jan-work"]).run().expect_code(4);
    assert!(
        unanswered.stderr.contains("cannot ask for confirmation: there is no terminal"),
        "{}",
        unanswered.stderr
    );
    assert!(file("jan-work").exists());
    let done = import(&fixture, &["--overwrite", "--delete-source", "--yes", "jan-work"]).run().ok();
    assert_eq!(
        done.stderr, "hatbox: the access key of `jan-work` is there already\n",
        "it was stored before the question"
    );
    assert!(!file("jan-work").exists() && file("team%2Fdev").exists() && file("foreign").exists());
    let unknown = import(&fixture, &["nobody"]).run().expect_code(2);
    assert!(unknown.stderr.contains("`nobody` has no access key in ~/.awsvault/keys"), "{}", unknown.stderr);
}

#[test]
fn the_passphrase_of_aws_vault_is_asked_for_and_may_be_corrected() {
    let fixture = home();
    let run = fixture.hatbox(&["import", "aws-vault"]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt("Passphrase of aws-vault's files: ");
    terminal.type_keys("not it\n");
    terminal.wait_for("Passphrase of aws-vault's files: ", 2);
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    // The plan is shown first, and only a yes carries it out.
    terminal.wait_for_prompt("Go on? (y|N) ");
    terminal.type_keys("\n");
    assert!(terminal.wait().success());
    let screen = terminal.screen().join("\n");
    assert!(
        screen.contains("  import the access key of `jan-work`") && screen.contains("nothing was imported")
    );
    assert!(!fixture.store().exists());
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt("Passphrase of aws-vault's files: ");
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    terminal.wait_for_prompt("Go on? (y|N) ");
    terminal.type_keys("y\n");
    assert!(terminal.wait().success());
    assert!(terminal.screen().join("\n").contains("imported the access key of `jan-work`"));
    assert!(!terminal.transcript().contains(PASSPHRASE));
    let wrong = import(&fixture, &[]).env("AWS_VAULT_FILE_PASSPHRASE", "not it").run().expect_code(1);
    assert!(
        wrong.stderr.contains("the passphrase does not open any of aws-vault's files"),
        "{}",
        wrong.stderr
    );
    run.run().expect_code(4);
    let nowhere = import(&fixture, &["--dir", "/nonexistent"]).run().expect_code(1);
    assert!(nowhere.stderr.contains("`file` could not be read: /nonexistent: "), "{}", nowhere.stderr);
}
