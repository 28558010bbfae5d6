//! Called through a link named `aws-vault`: its commands, flags and output, and exit status 1 for all failures.

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
    let wrong = fixture.aws_vault(&["list", "--no-such-flag"]).run().expect_code(1).stderr;
    let said = "aws-vault: error: unexpected argument `--no-such-flag`\n\
                aws-vault: hint: run `hatbox list --help` for its options\n";
    assert_eq!(wrong, said);
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
    // These variables are about aws-vault's own store and about a prompt that is not needed here.
    exec("AWS_VAULT_BACKEND", "keychain").0.ok();
    exec("AWS_VAULT_PROMPT", "pass").0.ok();
    exec("AWS_VAULT_PROMPT", "terminal").0.ok();
    // Names aws-vault's own store, which has another format.
    exec("AWS_VAULT_FILE_DIR", "/nonexistent").0.ok();
    fixture.hatbox(&["lock"]).run().ok();
    let unlocked = fixture.aws_vault(&["export", "-n", "jan-work"]).without("HATBOX_FILE_PASSPHRASE");
    unlocked.env("AWS_VAULT_FILE_PASSPHRASE", crate::fixture::PASSPHRASE).run().ok();
}

#[test]
fn flags_of_aws_vault_without_effect_are_taken_and_what_is_missing_is_named() {
    let fixture = Fixture::with_config(CONFIG);
    let lines: [&[&str]; 4] = [
        &["--parallel-safe", "--keychain", "x", "exec", "reader", "--no-debug", "--", "true"],
        &["exec", "--pass-prefix=x", "--op-timeout", "3s", "reader", "--biometrics", "true"],
        &["--no-biometrics", "list", "--secret-service-collection", "y"],
        &["export", "--no-json", "reader"],
    ];
    for line in lines {
        fixture.aws_vault(line).run().ok();
        assert_ne!(fixture.hatbox(line).run().status.code(), Some(0), "by its own name: {line:?}");
    }
    let words =
        fixture.aws_vault(&["exec", "reader", "echo", "--parallel-safe", "--keychain", "x"]).run().ok();
    assert_eq!(words.stdout, "--parallel-safe --keychain x\n");
    for verb in ["migrate-backend"] {
        for (run, name, code) in
            [(fixture.hatbox(&[verb, "x"]), "hatbox", 2), (fixture.aws_vault(&[verb]), "aws-vault", 1)]
        {
            let stderr = run.run().expect_code(code).stderr;
            let said = format!("{name}: error: this version has no `{verb}` yet\n{name}: hint: ");
            assert!(stderr.starts_with(&said), "{stderr}");
        }
    }
    let stderr =
        fixture.aws_vault(&["exec", "--profile-env", "reader", "--", "true"]).run().expect_code(1).stderr;
    let said = "aws-vault: error: --profile-env is not supported: ";
    assert!(stderr.starts_with(said) && stderr.contains("use --server"), "{stderr}");
    let version = concat!("hatbox ", env!("CARGO_PKG_VERSION"), "\n");
    for line in [&["-v"][..], &["--version"], &["version"]] {
        assert_eq!(fixture.aws_vault(line).run().ok().stdout, version);
    }
    let help = fixture.aws_vault(&["--help-long"]).run().ok().stdout;
    assert!(help.contains("Usage: hatbox"), "{help}");
    let other = fixture.aws_vault(&["exec", "--stdout", "reader", "--", "true"]).run().ok().stderr;
    assert!(!other.contains("--stdout"), "{other}");
}

#[test]
fn its_completion_scripts_find_commands_profiles_and_flags() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    let complete = |line: &[&str]| {
        let run =
            fixture.aws_vault(&["--completion-bash"]).args(line).without("HATBOX_FILE_PASSPHRASE").run().ok();
        assert_eq!(run.stderr, "", "nothing is shown in the middle of a line");
        run.stdout
    };
    assert_eq!(complete(&["exec", ""]), "jan-work\nreader\n");
    assert_eq!(complete(&["exec", "re"]), "reader\n");
    assert_eq!(complete(&["ex"]), "exec\nexport\nexplain\n");
    fixture.write_config("[profile jan");
    complete(&["exec", ""]);
    if std::process::Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash here");
        return;
    }
    fixture.write_config(CONFIG);
    for (program, name) in [(fixture.hatbox(&[]), "hatbox"), (fixture.aws_vault(&[]), "aws-vault")] {
        drop(program);
        let link = fixture.path("bin").join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hatbox"), &link).unwrap();
        }
        let script = format!(
            "eval \"$({name} --completion-script-bash)\"; COMP_WORDS=({name} exec re); COMP_CWORD=2; \
             COMP_LINE='{name} exec re'; COMP_POINT=${{#COMP_LINE}}; \"$(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/')\"; echo \"${{COMPREPLY[@]}}\""
        );
        let bash = crate::run::Run::new("bash", fixture.variables()).args(["-c", &script]).run().ok();
        assert_eq!((bash.stdout.as_str(), bash.stderr.as_str()), ("reader\n", ""), "{name}");
    }
}

#[test]
fn help_and_version_go_to_stdout_and_wrong_use_to_stderr() {
    let fixture = Fixture::empty(&[]);
    for line in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["help"],
        &["help", "exec"],
        &["exec", "--help"],
        &["help", "--help"],
        &["help", "-h"],
        &["help", "store", "--help"],
    ] {
        let outcome = fixture.hatbox(line).run().ok();
        assert!(!outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{line:?}");
    }
    let version = fixture.hatbox(&["--version"]).run().ok().stdout;
    assert_eq!(version, concat!("hatbox ", env!("CARGO_PKG_VERSION"), "\n"));
    for line in [&["no-such-command"][..], &["list", "--no-such-flag"], &["--backend", "zzz", "list"]] {
        let outcome = fixture.hatbox(line).run().expect_code(2);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{line:?}");
    }
    for (line, code, stderr) in [
        (
            &["add"][..],
            2,
            "hatbox: error: missing required argument `<PROFILE>`\n  usage: hatbox add [OPTIONS] <PROFILE>\n",
        ),
        (
            &["exec", "--fesh", "a"],
            125,
            "hatbox: error: unexpected argument `--fesh`\nhatbox: hint: did you mean `--fresh`?\n",
        ),
        (
            &["list", "--\u{1b}]0;x\u{7}\n::error::x"],
            2,
            "hatbox: error: unexpected argument `--\\u001b]0;x\\u0007\\n::error::x`\n\
             hatbox: hint: run `hatbox list --help` for its options\n",
        ),
    ] {
        assert_eq!(fixture.hatbox(line).run().expect_code(code).stderr, stderr, "{line:?}");
    }
    assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new(), "and nothing is made");
}
