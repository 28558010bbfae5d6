//! `import credentials`: plain-text keys are checked with AWS, stored, and removed from the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::fixture::Fixture;
use crate::terminal::Terminal;

/// Contains traces of an editor, of the AWS CLI and of a user, all of which must be preserved.
const PLAIN: &str = "\u{feff}# mine\r\n[default]\r\nregion = eu-west-1\r\naws_access_key_id = AKIADEFAULT000000001\r\n\
    aws_secret_access_key=defaultsecret1AAAAAAAAAAAAAAAAAAAAAAAAAA # with a word\r\n\r\n[jan-work]\nAWS_ACCESS_KEY_ID   = AKIAPLAIN0000000001\n\
    ; between\naws_secret_access_key = plainsecret1AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n[short]\naws_access_key_id = ASIASHORT00000000001\n\
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
    import(&["--dry-run", "--no-check"]).run().ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let unanswered = import(&["--no-check"]).run().expect_code(4);
    assert!(
        unanswered.stderr.contains("cannot ask for confirmation: there is no terminal"),
        "{}",
        unanswered.stderr
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let done = import(&["--yes", "--json", "--no-check"]).run().ok();
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let backup = json["backup"].as_str().unwrap();
    assert_eq!(json["already_there"], serde_json::json!(["default", "jan-work"]));
    assert!(done.stderr.contains("hatbox: not imported: the key of `short` is temporary\n"));
    assert!(done.stderr.contains("warning: not imported: `broken`: the access key id "), "{}", done.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), AFTER);
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    for path in fixture.files() {
        let bytes = fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(
            !has("defaultsecret1AAAAAAAAAAAAAAAAAAAAAAAAAA")
                && !has("plainsecret1AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "{}",
            path.display()
        );
    }
    let exported = fixture.hatbox(&["export", "-n", "jan-work"]).run().ok();
    assert!(
        exported
            .stdout
            .starts_with("AWS_ACCESS_KEY_ID=AKIAPLAIN0000000001\nAWS_SECRET_ACCESS_KEY=plainsecret1AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    );
    let listed = import(&["--list-backups"]).run().ok();
    assert_eq!(listed.stdout, format!("{backup}\n"));
    // The backup can still be read after a rekeying.
    fixture.hatbox(&["store", "rekey"]).run().ok();
    import(&["--restore", backup]).run().ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
    let none = import(&["--restore", "../index"]).run().expect_code(2);
    assert!(none.stderr.contains("this store has no backup `../index`"), "{}", none.stderr);
    let empty = import(&["nobody", "--no-check"]).run().expect_code(2);
    assert!(empty.stderr.contains("`nobody` has no access key in ~/.aws/credentials"), "{}", empty.stderr);
}

#[test]
fn of_a_section_that_occurs_twice_no_key_stays_behind() {
    let fixture = Fixture::empty(&["jan-work"]);
    let file = fixture.path("home/.aws/credentials");
    let text = "[a]\naws_access_key_id = AKIAOLDER0000000001\naws_secret_access_key = olderoneAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
        [b]\nregion = x\naws_access_key_id = AKIAHALF00000000001\n\
        [a]\naws_access_key_id = AKIANEWER0000000001\naws_secret_access_key = first\n\
        aws_secret_access_key = neweroneAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n[c]\naws_access_key_id = AKIAC00000000000001\n\
        aws_secret_access_key = c\naws_security_token = t\n";
    fs::write(&file, text).unwrap();
    let done = fixture.hatbox(&["import", "credentials", "--yes", "--no-check"]).run().ok();
    assert!(done.stderr.contains("hatbox: imported the access key of `a`\n"), "{}", done.stderr);
    assert!(done.stderr.contains("`b` has only half of an access key"), "{}", done.stderr);
    assert!(done.stderr.contains("the key of `c` is temporary"), "{}", done.stderr);
    let exported = fixture.hatbox(&["export", "-n", "a"]).run().ok();
    assert!(
        exported
            .stdout
            .starts_with("AWS_ACCESS_KEY_ID=AKIANEWER0000000001\nAWS_SECRET_ACCESS_KEY=neweroneAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    );
    let after = fs::read_to_string(&file).unwrap();
    assert!(
        !after.contains("AKIAOLDER")
            && !after.contains("olderoneAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            && !after.contains("first"),
        "{after}"
    );
    assert!(
        !after.contains("neweroneAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            && after.contains("AKIAHALF")
            && after.contains("aws_security_token = t")
    );
}

#[test]
fn kept_keys_stay_in_the_file_and_that_is_said() {
    let (fixture, file) = with_plain_keys();
    let kept = fixture.hatbox(&["import", "credentials", "--keep", "--no-check", "jan-work"]).run().ok();
    assert!(kept.stderr.contains("hatbox: imported the access key of `jan-work`\n"), "{}", kept.stderr);
    assert!(kept.stderr.contains("the keys are still in ~/.aws/credentials"), "{}", kept.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), PLAIN);
}

/// Returns a section of a credentials file with this key.
fn section(name: &str, id: &str, secret: &str) -> String {
    format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

#[test]
fn each_key_is_tested_and_one_that_aws_refuses_stays_where_it_is() {
    let fixture = Fixture::empty(&["jan-work", "other", "asleep"]);
    let key = |name: &str| (fixture.key(name).id.clone(), fixture.key(name).secret.expose().to_owned());
    let (jan, other) = (key("jan-work"), key("other"));
    let good = section("jan-work", &jan.0, &jan.1);
    let wrong = section("wrong", &other.0, "notthesecretofthiskeyAAAAAAAAAAAAAAAAAAA");
    let unknown = section("unknown", "AKIANOBODY0000000001", &"x".repeat(40));
    let file = fixture.path("home/elsewhere");
    fs::write(&file, [good.as_str(), &wrong, &unknown].concat()).unwrap();
    let usual = fixture.path("home/.aws/credentials");
    fs::write(&usual, section("usual", "AKIAUSUAL00000000001", "y")).unwrap();
    let import = |flags: &[&str]| {
        fixture.hatbox(&["import", "credentials", "--file", "~/elsewhere"]).args(flags).run()
    };
    let planned = import(&["--dry-run"]).ok();
    assert_eq!(planned.stdout, "would import the access key of `jan-work`\n");
    let done = import(&["--yes", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(json["imported"], serde_json::json!(["jan-work"]));
    let arn = json["callers"]["jan-work"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:iam::") && arn.contains(":user/"), "{arn}");
    for said in [
        &format!("hatbox: `jan-work` is {arn}\n"),
        "not imported: AWS rejects the key of `wrong`: SignatureDoesNotMatch: ",
        "not imported: AWS rejects the key of `unknown`: InvalidClientTokenId: ",
        "hint: to import them without the check, add --no-check",
    ] {
        assert!(done.stderr.contains(said), "{said}\n{}", done.stderr);
    }
    // The section headers stay, as does every byte that is not part of jan's keys.
    assert_eq!(fs::read_to_string(&file).unwrap(), ["[jan-work]\n", &wrong, &unknown].concat());
    assert!(fs::read_to_string(&usual).unwrap().contains("AKIAUSUAL00000000001"), "it was not meant");
    let refused = import(&["--yes"]).expect_code(1);
    assert!(refused.stderr.contains("AWS rejects all keys that were to be imported"), "{}", refused.stderr);
    let all = import(&["--yes", "--no-check"]).ok();
    let lines = "hatbox: imported the access key of `wrong`\nhatbox: imported the access key of `unknown`\n";
    assert!(all.stderr.contains(lines), "{}", all.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[jan-work]\n[wrong]\n[unknown]\n");
    let absent = fixture.hatbox(&["import", "credentials", "--file", "/nonexistent"]).run().expect_code(2);
    assert!(absent.stderr.contains("there is no file `/nonexistent`"), "{}", absent.stderr);
}

#[test]
fn where_aws_cannot_be_reached_keys_are_imported_untested_and_it_is_asked_once() {
    let (fixture, file) = with_plain_keys();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let import = fixture.hatbox(&["import", "credentials", "--yes"]);
    let done = import.env("AWS_ENDPOINT_URL", format!("http://{nobody}")).run().ok();
    assert!(
        done.stderr.contains("warning: `default` was not tested, as AWS cannot be reached: "),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("`jan-work` was not tested: AWS did not answer for the key before it"),
        "{}",
        done.stderr
    );
    let lines =
        "hatbox: imported the access key of `default`\nhatbox: imported the access key of `jan-work`\n";
    assert!(done.stderr.contains(lines), "{}", done.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), AFTER);
}

#[test]
fn in_a_sandbox_s_environment_no_key_but_its_own_signs_anything() {
    let (fixture, _) = with_plain_keys();
    let import = fixture.hatbox(&["import", "credentials", "--dry-run", "jan-work"]);
    let done = import.env("HATBOX_SANDBOX", "some-sandbox").run().ok();
    assert!(
        done.stderr
            .contains("`jan-work` was not tested: the access key of `jan-work` was not created by this"),
        "{}",
        done.stderr
    );
    assert!(fixture.log().is_empty(), "something was sent");
}

#[test]
fn before_keys_are_removed_a_person_is_asked_how_many() {
    let fixture = Fixture::empty(&["jan-work", "other"]);
    let file = fixture.path("home/.aws/credentials");
    let section = |profile: &str| {
        let key = fixture.key(profile);
        let secret = key.secret.expose();
        format!("[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {secret}\n", key.id)
    };
    for (profiles, question) in [
        (&["jan-work"][..], "Remove 1 key from ~/.aws/credentials? (y|N)"),
        (&["jan-work", "other"], "Remove 2 keys from ~/.aws/credentials? (y|N)"),
    ] {
        let text = profiles.iter().map(|profile| section(profile)).collect::<String>();
        fs::write(&file, &text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut terminal =
            Terminal::start(&fixture.hatbox(&["import", "credentials", "--no-check", "--overwrite"]));
        terminal.wait_for_prompt(question);
        terminal.type_keys("n\n");
        terminal.wait();
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{question}");
    }
}
