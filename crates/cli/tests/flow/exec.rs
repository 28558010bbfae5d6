//! `exec`: its exit code, the child's environment, and how the command line is split.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fixture::Fixture;
use crate::run::Outcome;

/// The profiles for most tests here.
pub(crate) const CONFIG: &str = "\
[default]
region = eu-central-1

[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/guarded
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";

fn variables_of(outcome: &Outcome) -> BTreeMap<String, String> {
    let pairs = outcome.stdout.split('\0').filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_exit_code_is_the_childs_own() {
    let fixture = Fixture::with_config(CONFIG);
    let shell = |script: &str| fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", script]).run();
    for code in [0, 1, 7, 125, 255] {
        shell(&format!("exit {code}")).expect_code(code);
    }
    for (name, number) in [("TERM", 15), ("KILL", 9), ("INT", 2), ("PIPE", 13)] {
        let outcome = shell(&format!("kill -{name} $$"));
        assert_eq!(outcome.signal(), Some(number), "{name}: {:?}", outcome.status);
    }
}

#[test]
fn a_command_that_is_not_there_is_127_and_one_that_cannot_run_126() {
    let fixture = Fixture::with_config(CONFIG);
    let exec = |command: &str| fixture.hatbox(&["exec", "-n", "jan-work", "--", command]).run();
    let missing = exec("no-such-command").expect_code(127);
    assert_eq!(missing.stderr, "hatbox: error: command `no-such-command` not found\n");
    exec("/no/such/file").expect_code(127);
    std::fs::write(fixture.path("bin/plain-text"), "x").unwrap();
    let plain = exec("plain-text").expect_code(126);
    assert_eq!(
        fixture.shown(&plain.stderr),
        "hatbox: error: `DIR/bin/plain-text` cannot be run\n  caused by: Permission denied (os error 13)\n"
    );
    exec("/").expect_code(126);
}

#[test]
fn hatboxs_own_failure_is_125_with_its_cause_as_data() {
    let fixture = Fixture::with_config(CONFIG);
    let file = fixture.path("why.json");
    let exec = |arguments: &[&str]| {
        std::fs::remove_file(&file).ok();
        let run = fixture.hatbox(&["exec", "--error-json", file.to_str().unwrap()]).args(arguments);
        let outcome = run.run();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        (outcome, serde_json::from_str::<Value>(&text).unwrap_or_default())
    };
    let (outcome, why) = exec(&["raeder", "--", "true"]);
    outcome.expect_code(125);
    assert_eq!(why["kind"], "usage");
    assert_eq!(why["error"], "profile `raeder` is neither in the config nor in the store");
    assert_eq!(why["hints"], serde_json::json!(["did you mean `reader`?"]), "and not to add a mistyped name");

    let (outcome, why) = exec(&["guarded", "--", "true"]);
    outcome.expect_code(125);
    assert_eq!(why["kind"], "needs-person");

    let (outcome, why) = exec(&["guarded", "-t", "000000", "--", "true"]);
    outcome.expect_code(125);
    assert_eq!(why["kind"], "failed");
    assert!(why["causes"][0].as_str().unwrap().starts_with("AccessDenied: MultiFactorAuthentication failed"));

    let (outcome, why) = exec(&["-n", "jan-work", "--", "no-such-command"]);
    outcome.expect_code(127);
    assert_eq!(why["kind"], "command-not-found");

    let (outcome, why) = exec(&["reader", "--", "false"]);
    outcome.expect_code(1);
    assert_eq!(why, Value::Null, "the child's failure is not hatbox's");

    for wrong in [&["--no-such-flag", "x"][..], &["x", "-d"]] {
        fixture.hatbox(&["exec"]).args(wrong).run().expect_code(125);
    }
}

#[test]
fn the_child_gets_the_credentials_and_no_other_identity() {
    let fixture = Fixture::with_config(CONFIG);
    let stale = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_FILE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SDK_LOAD_CONFIG",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_SESSION_NAME",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_VAULT_FILE_PASSPHRASE",
        "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
        "PROTON_PASS_PERSONAL_ACCESS_TOKEN",
    ];
    let kept = ["AWS_CA_BUNDLE_OF_MINE", "AWS_PAGER", "GITHUB_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN"];
    let dump = |arguments: &[&str]| {
        let mut run = fixture.hatbox(&["exec"]).args(arguments).args(["--", "env", "-0"]);
        for name in stale {
            run = run.env(name, "stale");
        }
        for name in kept {
            run = run.env(name, "kept");
        }
        variables_of(&run.run().ok())
    };
    let key = fixture.key("jan-work");
    let with_key = dump(&["-n", "jan-work"]);
    assert_eq!(with_key["AWS_ACCESS_KEY_ID"], key.id);
    assert_eq!(with_key["AWS_SECRET_ACCESS_KEY"], key.secret.expose());
    let with_session = dump(&["reader"]);
    assert!(with_session["AWS_ACCESS_KEY_ID"].starts_with("ASIA"));
    assert!(with_session["AWS_SESSION_TOKEN"].len() > 100);
    assert!(with_session["AWS_CREDENTIAL_EXPIRATION"].ends_with('Z'));
    assert_eq!(with_session["AWS_VAULT"], "reader");
    assert_eq!(with_session["HATBOX"], "reader");
    for child in [&with_key, &with_session] {
        assert_eq!(child["AWS_REGION"], "eu-central-1");
        assert_eq!(child["AWS_DEFAULT_REGION"], "eu-central-1");
        let left: Vec<_> = child.iter().filter(|(_, value)| *value == "stale").collect();
        assert_eq!(left, Vec::new(), "what was there before");
        assert!(kept.iter().all(|name| child.get(*name).is_some_and(|value| value == "kept")));
        assert!(!child.contains_key("HATBOX_FILE_PASSPHRASE"));
    }
    let names = |child: &BTreeMap<String, String>| child.keys().cloned().collect::<Vec<_>>();
    assert!(!names(&with_key).iter().any(|n| n == "AWS_SESSION_TOKEN" || n == "AWS_CREDENTIAL_EXPIRATION"));
}

#[test]
fn an_empty_region_does_not_reach_the_child() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config("[profile jan-work]\n[profile eu]\nregion = eu-west-1\n");
    let key = fixture.key("jan-work").clone();
    let show = "echo \"${AWS_REGION-none} ${AWS_DEFAULT_REGION-none}\"";
    let run = |profile: &str, line: &[&str]| {
        let run = fixture.hatbox(line).args([profile, "--", "sh", "-c", show]);
        let run = run.env("AWS_REGION", "").env("AWS_DEFAULT_REGION", "");
        run.env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
            .run()
            .ok()
            .stdout
    };
    assert_eq!(run("jan-work", &["exec", "-n"]), "none none\n");
    assert_eq!(run("jan-work", &["exec", "-n", "--region", "eu-west-1"]), "eu-west-1 eu-west-1\n");
}

#[test]
fn flags_may_be_on_either_side_of_the_profile_and_the_profile_may_be_a_variable() {
    let fixture = Fixture::with_config(CONFIG);
    let print = ["sh", "-c", "echo \"$AWS_VAULT $0 $*\"", "-n", "--debug"];
    let lines: [&[&str]; 4] = [
        &["exec", "-n", "reader", "--"],
        &["exec", "reader", "-n", "--"],
        &["exec", "reader", "--"],
        &["exec", "reader"],
    ];
    for line in &lines[..3] {
        let outcome = fixture.hatbox(line).args(print).run().ok();
        assert_eq!(outcome.stdout, "reader -n --debug\n", "{line:?}");
    }
    let without_dashes = fixture.hatbox(lines[3]).args(["printenv", "AWS_VAULT"]).run().ok();
    assert_eq!(without_dashes.stdout, "reader\n");
    let from_variable = fixture.hatbox(&["exec", "--"]).args(print).env("AWS_PROFILE", "reader").run().ok();
    assert_eq!(from_variable.stdout, "reader -n --debug\n");
    let nobody = fixture.hatbox(&["exec", "--", "true"]).run().expect_code(125);
    assert!(nobody.stderr.starts_with("hatbox: error: no profile given\n"));
}

/// If `-n` meant `--no-session` here, the command would get the access key itself; `-j` would print it.
#[test]
fn without_dashes_too_every_word_behind_the_command_is_the_commands() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "echo \"$AWS_ACCESS_KEY_ID $*\"";
    for program in [Fixture::hatbox, Fixture::aws_vault] {
        for arguments in [
            &["-n", "-j", "4"][..],
            &["-n"],
            &["-j"],
            &["--no-session", "--json"],
            &["-h"],
            &["--help"],
            &["--version"],
            &["-t", "000000", "--debug", "--backend", "x"],
            &["--", "-n"],
            &["-sd1h", "--fresh", "--nested"],
        ] {
            let run =
                program(&fixture, &["exec", "reader", "sh", "-c", script, "argument-0"]).args(arguments);
            let stdout = run.run().ok().stdout;
            let (id, given) = stdout.split_once(' ').unwrap();
            assert!(id.starts_with("ASIA"), "{arguments:?}: {stdout}");
            assert_eq!(given, format!("{}\n", arguments.join(" ")));
        }
    }
}

#[test]
fn a_command_in_the_profiles_place_is_hinted_at() {
    let fixture = Fixture::with_config(CONFIG);
    let hint = |line: &[&str], profile: &str| {
        let run = fixture.hatbox(&["exec"]).args(line).env("AWS_PROFILE", profile).run().expect_code(125);
        run.stderr.lines().nth(1).unwrap_or_default().to_owned()
    };
    for (word, shown) in [("./cmd", "./cmd"), ("terraform", "terraform"), ("my tool", "'my tool'")] {
        let expected = format!(
            "hatbox: hint: to run `{word}` with the profile of AWS_PROFILE, `reader`: `hatbox exec -- {shown}`"
        );
        assert_eq!(hint(&[word, "-n", "apply"], "reader"), expected);
        assert_eq!(hint(&[word, "--", "apply"], "reader"), expected);
    }
    assert!(!hint(&["terraform"], "").contains("hatbox exec"), "no profile to run it with");
}

#[test]
fn a_child_without_a_command_is_the_users_shell() {
    let fixture = Fixture::with_config(CONFIG);
    let shell = fixture.write_program("my-shell", "echo shell of $AWS_VAULT, $# arguments");
    let outcome = fixture.hatbox(&["exec", "-n", "jan-work"]).env("SHELL", &shell).run().ok();
    assert_eq!(outcome.stdout, "shell of jan-work, 0 arguments\n");
    assert_eq!(outcome.stderr, "", "the line that tells of the shell is for terminals");
    let outcome = fixture.hatbox(&["exec", "-n", "jan-work"]).input("echo from sh\n").run().ok();
    assert_eq!(outcome.stdout, "from sh\n");
}

/// What the child inherits must be the same as after a plain execve.
#[test]
fn limits_signals_and_descriptors_of_the_child_are_as_hatbox_got_them() {
    if !std::path::Path::new("/proc/self/status").exists() {
        eprintln!("skipped: there is no /proc here");
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let script = "cat /proc/self/limits; grep -E '^(Sig(Blk|Ign|Cgt)|Umask|Seccomp|NoNewPrivs)' /proc/self/status; \
                  ls /proc/self/fd; pwd; ulimit -Sc";
    for before in ["", "ulimit -Sc 4096; umask 027; cd /;", "trap '' PIPE HUP INT; exec 9</dev/null;"] {
        let plain = crate::run::Run::new("/bin/sh", fixture.variables());
        let bare = plain.clone().args(["-c", &format!("{before} exec sh -c \"$0\""), script]).run().ok();
        let line = format!("{before} exec \"$1\" exec -n jan-work -- sh -c \"$0\"");
        let hatted = plain.args(["-c", &line, script, env!("CARGO_BIN_EXE_hatbox")]).run().ok();
        assert_eq!(hatted.stdout, bare.stdout, "after `{before}`");
    }
}

/// A template with an unset variable produces it. The source's own identity often has more permissions.
#[test]
fn an_empty_role_arn_is_an_error_and_never_the_sources_identity() {
    let fixture =
        Fixture::with_config("[profile x]\nsource_profile = jan-work\nrole_arn =\n[profile jan-work]\n");
    for line in [
        &["exec", "x", "--", "true"][..],
        &["exec", "-n", "x", "--", "true"],
        &["export", "x"],
        &["explain", "x"],
    ] {
        let outcome = fixture.hatbox(line).run();
        assert_eq!(
            fixture.shown(&outcome.stderr),
            "hatbox: error: `role_arn` is set to an empty value\n  --> ~/.aws/config:3\n\
             hatbox: hint: give `role_arn` a value, or remove the line if it is not meant\n",
            "{line:?}"
        );
        assert_eq!(outcome.stdout, "");
    }
    assert_eq!(fixture.log().len(), 0, "nothing is sent");
}

#[test]
fn durations_are_seconds_or_have_units_and_a_bad_one_is_wrong_use() {
    let fixture = Fixture::with_config(CONFIG);
    let asked = |duration: &str| {
        let run = fixture.hatbox(&["exec", "--fresh", "-d", duration, "reader", "--", "true"]).run();
        (run, fixture.log().last().map(|entry| entry.parameters["DurationSeconds"].clone()))
    };
    for (duration, seconds) in
        [("3600", "3600"), ("1h", "3600"), ("1h30m", "5400"), ("900s", "900"), ("12h", "43200")]
    {
        let (run, sent) = asked(duration);
        run.ok();
        assert_eq!(sent.as_deref(), Some(seconds), "{duration}");
    }
    let calls = fixture.log().len();
    for duration in ["abc", "", "1x", "-5", "0", "14m", "13h"] {
        let (run, _) = asked(duration);
        let run = run.expect_code(125);
        assert!(
            run.stderr.starts_with("hatbox: error: ") || run.stderr.starts_with("error: "),
            "{}",
            run.stderr
        );
    }
    assert_eq!(fixture.log().len(), calls, "nothing is sent");
    let bad = fixture.hatbox(&["export", "-d", "abc", "reader"]).run().expect_code(2);
    assert!(bad.stderr.contains("`abc`"), "{}", bad.stderr);
}
