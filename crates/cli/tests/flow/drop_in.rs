//! Called through a link named `aws-vault`: its verbs, flags, output, and exit status 1 for all failures.

use crate::fixture::Fixture;

const CONFIG: &str = "\
[profile jan-work]
region = eu-west-1

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

#[test]
fn verbs_and_outputs_are_those_of_aws_vault() {
    let fixture = Fixture::empty(&["foo"]);
    let key = fixture.key("foo").clone();
    let add = fixture.aws_vault(&["add", "--env", "foo"]);
    let add = add.env("AWS_ACCESS_KEY_ID", &key.id).env("AWS_SECRET_ACCESS_KEY", key.secret.expose());
    assert_eq!(add.run().ok().stdout, "Added credentials to profile \"foo\" in vault\n");
    assert_eq!(fixture.aws_vault(&["ls", "--credentials"]).run().ok().stdout, "foo\n");
    let exec = fixture.aws_vault(&["exec", "foo", "-d", "1h", "--", "sh", "-c", "echo $AWS_VAULT; exit 7"]);
    let outcome = exec.run().expect_code(7);
    assert_eq!(outcome.stdout, "foo\n");
    assert!(outcome.stderr.starts_with("aws-vault: "), "{}", outcome.stderr);
    let sessions = fixture.aws_vault(&["list", "--sessions"]).run().ok().stdout;
    assert!(sessions.starts_with("sts.GetSessionToken:59m5"), "{sessions}");
    let export = fixture.aws_vault(&["export", "--format=env", "-n", "foo"]).run().ok().stdout;
    assert!(export.starts_with(&format!("AWS_ACCESS_KEY_ID={}\n", key.id)));
    assert_eq!(fixture.aws_vault(&["clear"]).run().ok().stdout, "Cleared 1 sessions.\n");
    fixture.aws_vault(&["rm", "-f", "foo"]).run().ok();
}

#[test]
fn every_failure_of_its_own_is_exit_status_1() {
    let fixture = Fixture::with_config(CONFIG);
    let lines: [&[&str]; 12] = [
        &["exec", "nope", "--", "true"],
        &["exec", "-d", "abc", "reader", "--", "true"],
        &["exec", "-t", "000000x", "reader", "--", "true"],
        &["exec", "--", "true"],
        &["export", "--format", "xml", "reader"],
        &["export", "nope"],
        &["--backend", "zzz", "list"],
        &["list", "--backend", "zzz", "--credentials"],
        &["no-such-command"],
        &["list", "--no-such-flag"],
        &["add"],
        &["rm", "-f", "nope"],
    ];
    for line in lines {
        let outcome = fixture.aws_vault(line).run().expect_code(1);
        assert!(!outcome.stderr.is_empty(), "{line:?} is silent");
        assert_eq!(outcome.stdout, "", "{line:?}");
    }
    let nested = fixture.aws_vault(&["exec", "reader", "--", "true"]).env("AWS_VAULT", "x").run();
    assert!(nested.expect_code(1).stderr.starts_with("aws-vault: error: this shell already has"));
}

#[test]
fn its_variables_are_honoured_where_ours_are_absent() {
    let fixture = Fixture::with_config(CONFIG);
    let exec = |name: &str, value: &str| {
        let run = fixture.aws_vault(&["exec", "--fresh", "reader", "--", "true"]).env(name, value).run();
        (run, fixture.log().last().map(|entry| entry.parameters["DurationSeconds"].clone()))
    };
    let (outcome, duration) = exec("AWS_VAULT_DURATION", "2h");
    outcome.ok();
    assert_eq!(duration.as_deref(), Some("7200"));
    // They speak of aws-vault's store, and of a question that is not asked here.
    exec("AWS_VAULT_BACKEND", "keychain").0.ok();
    exec("AWS_VAULT_PROMPT", "pass").0.ok();
    exec("AWS_VAULT_PROMPT", "terminal").0.ok();
    // It names aws-vault's own store, which is of another form.
    exec("AWS_VAULT_FILE_DIR", "/nonexistent").0.ok();
    fixture.hatbox(&["lock"]).run().ok();
    let unlocked = fixture.aws_vault(&["export", "-n", "jan-work"]).without("HATBOX_FILE_PASSPHRASE");
    unlocked.env("AWS_VAULT_FILE_PASSPHRASE", crate::fixture::PASSPHRASE).run().ok();
}

#[test]
fn help_and_version_go_to_stdout_and_wrong_use_to_stderr() {
    let fixture = Fixture::empty(&[]);
    for line in [&["--help"][..], &["-h"], &["--version"], &["help"], &["help", "exec"], &["exec", "--help"]]
    {
        let outcome = fixture.hatbox(line).run().ok();
        assert!(!outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{line:?}");
    }
    let version = fixture.hatbox(&["--version"]).run().ok().stdout;
    assert_eq!(version, concat!("hatbox ", env!("CARGO_PKG_VERSION"), "\n"));
    for line in [&["no-such-command"][..], &["list", "--no-such-flag"], &["--backend", "zzz", "list"]] {
        let outcome = fixture.hatbox(line).run().expect_code(2);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{line:?}");
    }
    assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new(), "and nothing is made");
}
