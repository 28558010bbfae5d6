//! `hatbox trust require-mfa` with the sandbox's IAM: what it shows, whom it would lock out, what it writes, and how to
//! restore the earlier policy.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::cast::{PHONE, WORK};
use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan
[profile people]
role_arn = arn:aws:iam::111122223333:role/iam
source_profile = keys
[profile work]
role_arn = arn:aws:iam::444455556666:role/iam
source_profile = keys
[profile details]
role_arn = arn:aws:iam::444455556666:role/iam-details
source_profile = keys
[profile put-on]
role_arn = arn:aws:iam::444455556666:role/reader
source_profile = keys
[profile put-on-with-mfa]
role_arn = arn:aws:iam::444455556666:role/reader
source_profile = jan-work
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";

/// A fixture with jan's key under two names, with and without MFA.
fn fixture() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "keys"]);
    fixture.write_config(CONFIG);
    fixture
}

fn require_mfa(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(&["trust", "require-mfa", "--profile", "work"]).args(arguments)
}

fn trust_of(fixture: &Fixture, role: &str) -> String {
    fixture.world().accounts[WORK].roles[role].trust.clone()
}

fn exec(fixture: &Fixture, profile: &str) -> Run {
    fixture.hatbox(&["exec", "--no-session", "--fresh", profile, "--", "true"])
}

#[test]
fn what_would_change_and_who_would_lose_by_it_is_shown_and_nothing_is_written() {
    let fixture = fixture();
    let before = trust_of(&fixture, "reader");
    let run = require_mfa(&fixture, &["reader", "--from", "live:people"]).run().ok();
    let head = "\
Role reader, account 444455556666, trust policy as of now
--- current
+++ with MFA
@@ statement 1 @@
";
    assert!(run.stdout.starts_with(head), "{}", run.stdout);
    for line in [
        "-      \"Action\": \"sts:*\"\n",
        "+      \"Condition\": { \"Bool\": { \"aws:MultiFactorAuthPresent\": \"true\" } }\n",
        "\nKeeps access      jan, kim (with MFA)\n",
        "\nLoses access      role a of 444455556666, role admin of 444455556666,",
        "\nNot known         any user or role of account 777788889999 (not in the sources)",
    ] {
        assert!(run.stdout.contains(line), "{line} is not in:\n{}", run.stdout);
    }
    assert!(run.stderr.ends_with("hatbox: nothing was changed; --apply writes it\n"), "{}", run.stderr);
    assert_eq!(trust_of(&fixture, "reader"), before);
    // A name, an ARN and a profile that assumes the role all work.
    for other in ["arn:aws:iam::444455556666:role/reader", "put-on"] {
        let arguments = [other, "--from", "live:people"];
        assert_eq!(require_mfa(&fixture, &arguments).run().ok().stdout, run.stdout, "{other}");
    }
}

#[test]
fn it_is_written_kept_read_back_and_brought_back_by_the_command_that_is_printed() {
    let fixture = fixture();
    let before = trust_of(&fixture, "reader");
    exec(&fixture, "put-on").run().ok();
    let run = require_mfa(&fixture, &["reader", "--max-age", "1h", "--apply", "--yes"]).run().ok();
    assert!(
        run.stderr.contains("hatbox: written, and read back; to restore the old policy:\n"),
        "{}",
        run.stderr
    );
    let after: Value = serde_json::from_str(&trust_of(&fixture, "reader")).unwrap();
    assert_eq!(after["Statement"][0]["Condition"]["NumericLessThan"]["aws:MultiFactorAuthAge"], "3600");
    // The purpose of the change: the role can only be assumed with a code.
    exec(&fixture, "put-on").run().expect_code(125);
    let code = fixture.code(PHONE);
    let with_code = ["exec", "--no-session", "--fresh", "-t", &code, "put-on-with-mfa", "--", "true"];
    fixture.hatbox(&with_code).run().ok();
    let again = require_mfa(&fixture, &["reader", "--max-age", "1h"]).run().ok();
    assert!(again.stdout.ends_with("Nothing to do: it already requires MFA.\n"), "{}", again.stdout);
    let command = run.stderr.lines().last().unwrap().strip_prefix("hatbox: hint: ").unwrap();
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(words[..5], ["hatbox", "trust", "require-mfa", "--profile", "work"]);
    let kept = std::fs::metadata(words.last().unwrap()).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    fixture.hatbox(&words[1..]).args(["--yes"]).run().ok();
    assert_eq!(trust_of(&fixture, "reader"), before);
    exec(&fixture, "put-on").run().ok();
}

#[test]
fn only_a_typed_yes_writes_and_not_over_what_was_written_meanwhile() {
    let fixture = fixture();
    let before = trust_of(&fixture, "reader");
    let nobody = require_mfa(&fixture, &["reader", "--apply"]).run().expect_code(4);
    assert!(nobody.stderr.contains("cannot ask for confirmation: there is no terminal"), "{}", nobody.stderr);
    let apply = require_mfa(&fixture, &["reader", "--apply"]);
    for answer in ["", "no", "Ye"] {
        let mut terminal = Terminal::start(&apply);
        terminal.wait_for("(y|N) ", 1);
        terminal.type_keys(&format!("{answer}\r"));
        assert_eq!(terminal.wait().code(), Some(130), "{answer}");
        assert_eq!(trust_of(&fixture, "reader"), before);
    }
    let mut terminal = Terminal::start(&apply);
    terminal.wait_for("(y|N) ", 1);
    require_mfa(&fixture, &["reader", "--max-age", "2h", "--apply", "--yes"]).run().ok();
    let theirs = trust_of(&fixture, "reader");
    terminal.type_keys("yes\r");
    assert_eq!(terminal.wait().code(), Some(3), "{}", terminal.transcript());
    let shown = terminal.screen().join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("was changed by another process in the meantime"), "{shown}");
    assert_eq!(trust_of(&fixture, "reader"), theirs);
}

#[test]
fn a_guard_refuses_to_cut_the_branch_that_it_sits_on() {
    let fixture = fixture();
    let run = require_mfa(&fixture, &["iam", "--apply", "--yes"]).run().expect_code(3);
    let error = "error: `work` itself uses `iam` without MFA, and would lose access\n";
    assert!(run.stderr.contains(error), "{}", run.stderr);
    let absent = require_mfa(&fixture, &["nowhere"]).run().expect_code(1);
    assert!(
        absent.stderr.contains("error: could not read the role `nowhere` (profile `work`)"),
        "{}",
        absent.stderr
    );
    let elsewhere = require_mfa(&fixture, &["arn:aws:iam::777788889999:role/admin"]).run().expect_code(2);
    let error =
        "`work` reaches `arn:aws:iam::444455556666:role/admin`, not `arn:aws:iam::777788889999:role/admin`";
    assert!(elsewhere.stderr.contains(error), "{}", elsewhere.stderr);
    let age = require_mfa(&fixture, &["reader", "--max-age", "soon"]).run().expect_code(2);
    assert!(age.stderr.contains("invalid `--max-age` `soon`"), "{}", age.stderr);
    let denied =
        fixture.hatbox(&["trust", "require-mfa", "--profile", "details", "reader"]).run().expect_code(1);
    assert!(
        denied.stderr.ends_with("hint: `details` needs the permission `iam:GetRole`\n"),
        "{}",
        denied.stderr
    );
}

#[test]
fn only_a_file_that_was_kept_for_the_very_role_is_written_back() {
    let fixture = fixture();
    let path = fixture.path("kept.json");
    let write = |text: &str| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let restore = || require_mfa(&fixture, &["--yes", "--restore", path.to_str().unwrap()]).run();
    write("{}");
    assert!(restore().expect_code(2).stderr.contains("is not a backup of a trust policy"));
    let of = |role: &str, policy: &str| {
        serde_json::json!({ "schema": 1, "role": role, "trust_policy": policy }).to_string()
    };
    write(&of("arn:aws:iam::777788889999:role/admin", "{}"));
    assert!(restore().expect_code(2).stderr.contains("name a profile of the role's account"));
    write(&of("arn:aws:iam::444455556666:role/admin", "{}"));
    let run = restore().expect_code(1);
    assert!(run.stderr.contains("could not save the trust policy of `admin`"), "{}", run.stderr);
    assert!(run.stderr.contains("caused by: MalformedPolicyDocument: "), "{}", run.stderr);
}

#[test]
fn live_is_a_source_like_any_other() {
    let fixture = fixture();
    let who = |arguments: &[&str]| fixture.hatbox(&["trust", "who", "guarded"]).args(arguments).run();
    let asked = who(&["--from", "live:people", "--from", "live:work"]).ok();
    assert!(asked.stdout.starts_with("Who can assume guarded (444455556666)\n"), "{}", asked.stdout);
    let both = ["--profile", "people", "--profile", "work", "-o"];
    let path = fixture.path("iam.json");
    fixture.hatbox(&["trust", "snapshot"]).args(both).args([&path]).run().ok();
    assert_eq!(who(&["--from", path.to_str().unwrap()]).ok().stdout, asked.stdout);
    let of_environment =
        fixture.hatbox(&["trust", "who", "guarded", "--from", "live"]).env("AWS_PROFILE", "work");
    of_environment.run().ok();
    let can = ["trust", "can", "jan", "guarded", "--no-mfa", "--from", "live:people", "--from", "live:work"];
    fixture.hatbox(&can).run().expect_code(3);
}

#[test]
fn verifying_puts_the_role_on_without_a_code_and_with_one() {
    let fixture = fixture();
    let apply = ["put-on-with-mfa", "--apply", "--yes", "--verify"];
    let mut terminal = Terminal::start(&require_mfa(&fixture, &apply));
    terminal.wait_for("MFA code for arn:aws:iam::111122223333:mfa/jan: ", 1);
    let code = fixture.code(PHONE);
    terminal.type_keys(&format!("{code}\r"));
    assert_eq!(terminal.wait().code(), Some(0), "{}", terminal.transcript());
    let tried = "verified: AWS denies the role without an MFA code and allows it with one";
    assert!(terminal.transcript().contains(tried), "{}", terminal.transcript());
    let calls: Vec<_> = fixture.log().into_iter().filter(|entry| entry.action == "AssumeRole").collect();
    let statuses: Vec<_> = calls.iter().rev().take(2).map(|entry| entry.status).collect();
    assert_eq!(statuses, [200, 403]);
    let role = require_mfa(&fixture, &["admin", "--verify"]).run().expect_code(2);
    assert!(role.stderr.contains("needs the profile of the role, and `admin` is not one"), "{}", role.stderr);
}
