//! `import`: keys out of aws-vault's files, written by another program, and out of plain text.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::canary::Canary;
use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const VAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/data/aws-vault/keys");
const PASSPHRASE: &str = "vault horse";

/// A home with aws-vault's files in their usual place.
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
    let lines = "Would import the access key of `jan-work`.\nWould import the access key of `team/dev`.\n";
    assert_eq!(planned.stdout, lines);
    assert!(!fixture.store().exists(), "a dry run makes no store");
    let before = fixture.files();
    let done = import(&fixture, &[]).run().ok();
    assert_eq!(done.stdout, lines.replace("Would import", "Imported"));
    for said in [
        "warning: left where it is: ~/.awsvault/keys/renamed: it holds the key of another profile than its name says",
        "warning: left where it is: ~/.awsvault/keys/foreign: the passphrase is wrong",
        "warning: left where it is: ~/.awsvault/keys/stray: it is no file of aws-vault's: it has not five parts",
        "hatbox: left where it is: the key of `temporary` is temporary",
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
    assert!(unanswered.stderr.contains("deleting needs a yes"), "{}", unanswered.stderr);
    assert!(file("jan-work").exists());
    let done = import(&fixture, &["--overwrite", "--delete-source", "--yes", "jan-work"]).run().ok();
    assert_eq!(
        done.stdout, "The access key of `jan-work` is there already.\n",
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
    assert!(terminal.wait().success());
    assert!(terminal.screen().join("\n").contains("Imported the access key of `jan-work`."));
    assert!(!terminal.transcript().contains(PASSPHRASE));
    let wrong = import(&fixture, &[]).env("AWS_VAULT_FILE_PASSPHRASE", "not it").run().expect_code(1);
    assert!(wrong.stderr.contains("the passphrase opens none of aws-vault's files"), "{}", wrong.stderr);
    run.run().expect_code(4);
    let nowhere = import(&fixture, &["--dir", "/nonexistent"]).run().expect_code(1);
    assert!(nowhere.stderr.contains("`file` could not be read: /nonexistent: "), "{}", nowhere.stderr);
}

/// With what an editor, the AWS CLI and a person leave behind: none of it may change.
const PLAIN: &str = "\u{feff}# mine\r\n[default]\r\nregion = eu-west-1\r\naws_access_key_id = AKIADEFAULT000000001\r\n\
    aws_secret_access_key=defaultsecret1 # with a word\r\n\r\n[jan-work]\nAWS_ACCESS_KEY_ID   = AKIAPLAIN0000000001\n\
    ; between\naws_secret_access_key = plainsecret1\n\n[short]\naws_access_key_id = ASIASHORT00000000001\n\
    aws_secret_access_key = shortsecret\naws_session_token = token\n[empty]\n[broken]\naws_access_key_id = no id\n\
    aws_secret_access_key = x";
const AFTER: &str = "\u{feff}# mine\r\n[default]\r\nregion = eu-west-1\r\n\r\n[jan-work]\n\
    ; between\n\n[short]\naws_access_key_id = ASIASHORT00000000001\n\
    aws_secret_access_key = shortsecret\naws_session_token = token\n[empty]\n[broken]\naws_access_key_id = no id\n\
    aws_secret_access_key = x";

fn with_plain_keys() -> (Fixture, std::path::PathBuf) {
    let fixture = Fixture::empty(&["jan-work"]);
    let file = fixture.path("home/.aws/credentials");
    fs::write(fixture.path("home/real"), PLAIN).unwrap();
    fs::set_permissions(fixture.path("home/real"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("../real", &file).unwrap();
    (fixture, file)
}

#[test]
fn plain_keys_are_stored_and_their_lines_taken_out_and_no_other_byte_changes() {
    let (fixture, file) = with_plain_keys();
    let import = |flags: &[&str]| fixture.hatbox(&["import", "credentials"]).args(flags);
    import(&["--dry-run"]).run().ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let unanswered = import(&[]).run().expect_code(4);
    assert!(unanswered.stderr.contains("taking them out of the file needs a yes"), "{}", unanswered.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let done = import(&["--yes", "--json"]).run().ok();
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let backup = json["backup"].as_str().unwrap();
    assert_eq!(json["already_there"], serde_json::json!(["default", "jan-work"]));
    assert!(done.stderr.contains("hatbox: left where it is: the key of `short` is temporary\n"));
    assert!(
        done.stderr.contains("warning: left where it is: `broken`: the access key id "),
        "{}",
        done.stderr
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), AFTER);
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    for path in fixture.files() {
        let bytes = fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has("defaultsecret1") && !has("plainsecret1"), "{}", path.display());
    }
    let exported = fixture.hatbox(&["export", "-n", "jan-work"]).run().ok();
    assert!(
        exported
            .stdout
            .starts_with("AWS_ACCESS_KEY_ID=AKIAPLAIN0000000001\nAWS_SECRET_ACCESS_KEY=plainsecret1\n")
    );
    let listed = import(&["--list-backups"]).run().ok();
    assert_eq!(listed.stdout, format!("{backup}\n"));
    // A new identity of the store keeps the backup readable.
    fixture.hatbox(&["store", "rekey"]).run().ok();
    import(&["--restore", backup]).run().ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let none = import(&["--restore", "../index"]).run().expect_code(2);
    assert!(none.stderr.contains("there is no backup `../index`"), "{}", none.stderr);
    let empty = import(&["nobody"]).run().expect_code(2);
    assert!(empty.stderr.contains("`nobody` has no access key in ~/.aws/credentials"), "{}", empty.stderr);
}

#[test]
fn of_a_section_that_stands_twice_no_key_stays_behind() {
    let fixture = Fixture::empty(&["jan-work"]);
    let file = fixture.path("home/.aws/credentials");
    let text = "[a]\naws_access_key_id = AKIAOLDER0000000001\naws_secret_access_key = olderone\n\
        [b]\nregion = x\naws_access_key_id = AKIAHALF00000000001\n\
        [a]\naws_access_key_id = AKIANEWER0000000001\naws_secret_access_key = first\n\
        aws_secret_access_key = newerone\n[c]\naws_access_key_id = AKIAC00000000000001\n\
        aws_secret_access_key = c\naws_security_token = t\n";
    fs::write(&file, text).unwrap();
    let done = fixture.hatbox(&["import", "credentials", "--yes"]).run().ok();
    assert_eq!(done.stdout, "Imported the access key of `a`.\n");
    assert!(done.stderr.contains("`b` has one half of an access key only"), "{}", done.stderr);
    assert!(done.stderr.contains("the key of `c` is temporary"), "{}", done.stderr);
    let exported = fixture.hatbox(&["export", "-n", "a"]).run().ok();
    assert!(
        exported
            .stdout
            .starts_with("AWS_ACCESS_KEY_ID=AKIANEWER0000000001\nAWS_SECRET_ACCESS_KEY=newerone\n")
    );
    let after = fs::read_to_string(&file).unwrap();
    assert!(
        !after.contains("AKIAOLDER") && !after.contains("olderone") && !after.contains("first"),
        "{after}"
    );
    assert!(
        !after.contains("newerone") && after.contains("AKIAHALF") && after.contains("aws_security_token = t")
    );
}

#[test]
fn kept_keys_stay_in_the_file_and_that_is_said() {
    let (fixture, file) = with_plain_keys();
    let kept = fixture.hatbox(&["import", "credentials", "--keep", "jan-work"]).run().ok();
    assert_eq!(kept.stdout, "Imported the access key of `jan-work`.\n");
    assert!(kept.stderr.contains("the keys still stand in ~/.aws/credentials"), "{}", kept.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
}
