//! `profile add` and `profile remove`: write and remove sections of the user's config.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::prompts::assert_code;
use crate::terminal::Terminal;

const ROLE: &str = "arn:aws:iam::444455556666:role/guarded";
const READER: &str = "arn:aws:iam::444455556666:role/reader";
const BEFORE: &str = "# mine\r\n[profile jan-work]\r\nmfa_serial = arn:aws:iam::111122223333:mfa/jan ; phone\r\n\
                      \r\n[profile  odd ]\r\n  weird   =  value  # kept\r\nno equals sign\r\n";

fn read(fixture: &Fixture) -> String {
    fs::read_to_string(fixture.config_path()).unwrap()
}

#[test]
fn a_role_is_set_up_without_an_editor_or_a_terminal() {
    let fixture = Fixture::with_config(BEFORE);
    let real = fixture.path("home/dotfiles-config");
    fs::rename(fixture.config_path(), &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../dotfiles-config", fixture.config_path()).unwrap();
    let add = ["profile", "add", "read", "--role-arn", READER, "--source-profile", "jan-work"];
    let unanswered = fixture.hatbox(&add).run().expect_code(4);
    assert!(
        unanswered.stderr.contains("cannot ask for confirmation: there is no terminal"),
        "{}",
        unanswered.stderr
    );
    assert_eq!(read(&fixture), BEFORE);
    let added = fixture.hatbox(&add).args(["--region", "eu-west-1", "--yes"]).run().ok();
    let lines = format!("[profile read]\nrole_arn={READER}\nsource_profile=jan-work\nregion=eu-west-1\n");
    assert_eq!(added.stdout, lines);
    assert!(added.stderr.contains("added [profile read] to ~/.aws/config"), "{}", added.stderr);
    let after = read(&fixture);
    assert_eq!(after.strip_prefix(BEFORE).unwrap(), format!("\r\n{}", lines.replace('\n', "\r\n")));
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
    assert!(fs::symlink_metadata(fixture.config_path()).unwrap().is_symlink());
    fixture.hatbox(&["exec", "read", "--", "true"]).run().ok();
    let again = fixture.hatbox(&add).args(["--yes"]).run().expect_code(1);
    assert!(again.stderr.contains("the profile `read` already exists"), "{}", again.stderr);
    assert!(again.stderr.contains("--> ~/.aws/config:9"), "{}", again.stderr);
    assert_eq!(read(&fixture), after);
    let unanswered = fixture.hatbox(&["profile", "remove", "read"]).run().expect_code(4);
    assert!(
        unanswered.stderr.contains("cannot ask for confirmation: there is no terminal"),
        "{}",
        unanswered.stderr
    );
    fixture.hatbox(&["profile", "remove", "read", "--yes"]).run().ok();
    assert_eq!(read(&fixture), BEFORE);
    assert!(fs::symlink_metadata(fixture.config_path()).unwrap().is_symlink());
    assert_eq!(fs::read_dir(fixture.path("home/.aws")).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn on_a_terminal_what_is_missing_is_asked_for_and_the_device_of_the_source_is_offered() {
    let fixture =
        Fixture::with_config("[profile jan-work]\nmfa_serial = arn:aws:iam::111122223333:mfa/jan\n");
    let before = read(&fixture);
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["profile", "add"]), 150);
    terminal.wait_for_prompt("Profile name:");
    terminal.type_keys("jan-work\r");
    terminal.wait_for("the profile `jan-work` already exists", 1);
    terminal.wait_for_prompt("Profile name:");
    terminal.type_keys("guarded\r");
    terminal.wait_for_prompt("Role ARN (arn:aws:iam::ACCOUNT:role/NAME):");
    terminal.type_keys("guarded\r");
    terminal.wait_for("invalid role ARN `guarded`: expected arn:aws:iam::ACCOUNT:role/NAME", 1);
    terminal.wait_for_prompt("Role ARN");
    terminal.type_keys(&format!("{ROLE}\r"));
    terminal.wait_for_prompt("Source profile (Enter for jan-work):");
    terminal.type_keys("jan-wrok\r");
    terminal.wait_for("did you mean `jan-work`?", 1);
    terminal.wait_for_prompt("Source profile");
    terminal.type_keys("\r");
    terminal.wait_for_prompt(&format!("MFA device (Enter for {PHONE}, - for none):"));
    terminal.type_keys("\r");
    terminal.wait_for_prompt("Region (such as eu-west-1, Enter for none):");
    terminal.type_keys("EU west\r");
    terminal.wait_for("invalid region `EU west`", 1);
    terminal.wait_for_prompt("Region");
    terminal.type_keys("eu-west-1\r");
    terminal.wait_for_prompt("Add these lines to ~/.aws/config? (y|N)");
    let lines = format!(
        "[profile guarded]\nrole_arn={ROLE}\nsource_profile=jan-work\nmfa_serial={PHONE}\nregion=eu-west-1\n"
    );
    assert!(terminal.screen().join("\n").contains(lines.trim_end()), "{:?}", terminal.screen());
    assert_eq!(read(&fixture), before, "nothing is written before the yes");
    terminal.type_keys("y\r");
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(read(&fixture), format!("{before}\n{lines}"));
    fixture.hatbox(&["exec", "guarded", "-t", &fixture.code(PHONE), "--", "true"]).run().ok();
}

#[test]
fn a_no_or_ctrl_c_leaves_the_config_alone() {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    let add = ["profile", "add", "x", "--role-arn", READER, "--source-profile", "jan-work"];
    for (keys, code) in [("\r", 0), ("\x03", 130)] {
        let mut terminal =
            Terminal::start(&fixture.hatbox(&add).args(["--region", "r", "--mfa-serial", PHONE]));
        terminal.wait_for_prompt("Add these lines to ~/.aws/config? (y|N)");
        terminal.type_keys(keys);
        assert_code(terminal.wait(), code, &terminal);
        let mut terminal = Terminal::start(&fixture.hatbox(&["profile", "rm", "jan-work"]));
        terminal.wait_for_prompt("Remove [profile jan-work] from ~/.aws/config:1? (y|N)");
        terminal.type_keys(keys);
        assert_code(terminal.wait(), code, &terminal);
    }
    assert_eq!(read(&fixture), "[profile jan-work]\n");
}

#[test]
fn wrong_values_are_refused_before_anything_is_written() {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    let base = ["profile", "add", "x", "--yes", "--role-arn", READER, "--source-profile", "jan-work"];
    for (more, problem, code) in [
        (&["--region", "x\ny"][..], "invalid region `x\\ny`: expected", 2),
        (&["--mfa-serial", "arn:aws:iam::111122223333:user/jan"], "this is the ARN of a user", 2),
        (&["--mfa-serial", "x"], "invalid MFA device `x`: expected", 2),
    ] {
        let run = fixture.hatbox(&base).args(more).run().expect_code(code);
        assert!(run.stderr.contains(problem), "{}", run.stderr);
    }
    for (line, problem, code) in [
        (&["profile", "add", "a]b", "--yes"][..], "invalid profile name `a]b`: expected", 2),
        (&["profile", "add", "x", "--yes"], "could not ask for the role", 4),
        (&["profile", "add", "x", "--role-arn", "r"], "invalid role ARN `r`: expected", 2),
        (
            &["profile", "add", "x", "--role-arn", READER, "--source-profile", "jan-wrok"],
            "no profile named `jan-wrok`",
            2,
        ),
        (&["profile", "remove", "jan-wrok", "--yes"], "no profile named `jan-wrok` in ~/.aws/config", 1),
    ] {
        let run = fixture.hatbox(line).run().expect_code(code);
        assert!(run.stderr.contains(problem), "{}", run.stderr);
    }
    assert_eq!(read(&fixture), "[profile jan-work]\n");
}

#[test]
fn removing_a_profile_warns_of_those_that_use_it_and_says_what_stays() {
    let config = format!(
        "[profile jan-work]\nregion = a\n\n# of reader\n[profile reader]\nsource_profile = jan-work\n\
         role_arn = {READER}\n[profile more]\ninclude_profile=jan-work\n"
    );
    let fixture = Fixture::with_config(&config);
    fs::write(fixture.path("home/.aws/credentials"), "[jan-work]\nregion = b\n[only]\n").unwrap();
    let run = fixture.hatbox(&["profile", "remove", "jan-work", "--yes"]).run().ok();
    assert_eq!(run.stdout, "");
    for part in [
        "hatbox: removed [profile jan-work] from ~/.aws/config\n",
        "warning: `jan-work` is the source profile of `reader`; `reader` will use its stored access key",
        "warning: this profile has `include_profile = jan-work` and will fail: `more`",
        "[jan-work] in ~/.aws/credentials is unchanged",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("hatbox remove"), "{}", run.stderr);
    assert_eq!(read(&fixture), config.strip_prefix("[profile jan-work]\nregion = a\n\n").unwrap());
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    fixture.hatbox(&["remove", "jan-work", "--yes"]).run().ok();
    fs::remove_file(fixture.path("home/.aws/credentials")).unwrap();
    fixture.write_config(&format!(
        "[profile jan-work]\n[profile a]\nsource_profile = jan-work\nrole_arn = {READER}\n\
         [profile b]\nsource_profile = jan-work\nrole_arn = {READER}\n"
    ));
    let run = fixture.hatbox(&["profile", "remove", "jan-work", "-f"]).run().ok();
    let told = "these profiles have `source_profile = jan-work` and will fail: `a` and `b`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    fixture.hatbox(&["exec", "a", "--", "true"]).run().expect_code(125);
    fs::write(fixture.path("home/.aws/credentials"), "[only]\n").unwrap();
    let run = fixture.hatbox(&["profile", "remove", "only", "--yes"]).run().expect_code(1);
    assert!(run.stderr.contains("`[only]` is in ~/.aws/credentials"), "{}", run.stderr);
}
