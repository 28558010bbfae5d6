//! `exec`: whose exit code it is, what the child's environment holds, where the words of the line belong.

use std::collections::BTreeMap;

use hatbox_sandbox::log::LogEntry;
use serde_json::Value;

use crate::cast::PHONE;
use crate::fixture::{CODE_LIFE, Fixture};
use crate::run::Outcome;

/// Profiles that most tests here are content with.
const CONFIG: &str = "\
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
    assert_eq!(missing.stderr, "hatbox: error: there is no command `no-such-command`\n");
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
fn a_hat_on_top_of_a_hat_is_refused_unless_asked_for() {
    let fixture = Fixture::with_config(CONFIG);
    for name in ["AWS_VAULT", "HATBOX"] {
        for (verb, code) in [("exec", 125), ("export", 3)] {
            let nested = |flags: &[&str]| {
                let run = fixture.hatbox(&[verb]).args(flags).args(["-n", "jan-work"]);
                let run = if verb == "exec" { run.args(["--", "true"]) } else { run };
                run.env(name, "other").run()
            };
            let refused = nested(&[]).expect_code(code);
            assert_eq!(
                refused.stderr,
                format!(
                    "hatbox: error: this shell already has the credentials of `other` ({name} is set)\n\
                     hatbox: hint: leave it first (`exit`), or add --nested\n"
                )
            );
            nested(&["--nested"]).ok();
        }
        fixture.hatbox(&["list"]).env(name, "other").run().ok();
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).env(name, "").run().ok();
    }
}

/// Two profiles at places of their own; the outer one's endpoint is that of a stand-in, as a LocalStack user has it.
fn write_two_places(fixture: &Fixture) {
    let url = fixture.variables()[std::ffi::OsStr::new("AWS_ENDPOINT_URL")].to_string_lossy().into_owned();
    fixture.write_config(&format!(
        "[profile jan-work]\nendpoint_url = {url}\n\
         [profile outer]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         region = us-west-2\nendpoint_url = {url}/\n\
         [profile eu]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         region = eu-west-1\nendpoint_url = {url}\n\
         [profile nowhere]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         endpoint_url = {url}\n"
    ));
}

/// Variables and flags of the outer one, a command between, the inner profile, and what its command sees.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str, &'a str);

#[test]
fn what_the_outer_exec_set_is_not_the_users_wish_in_the_inner_one() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    write_two_places(&fixture);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let show = "echo \"${AWS_REGION-none} ${AWS_DEFAULT_REGION-none} ${AWS_ENDPOINT_URL##*[0-9]}.\"";
    let inner = |given: &[(&str, &str)], outer_flags: &[&str], between: &str, profile: &str| {
        let script = format!("{between} exec {hatbox} exec --nested {profile} -- sh -c '{show}'");
        let run = fixture.hatbox(&["exec"]).args(outer_flags).args(["outer", "--", "sh", "-c", &script]);
        let run =
            given.iter().fold(run.without("AWS_ENDPOINT_URL"), |run, (name, value)| run.env(name, value));
        run.run().ok().stdout
    };
    let cases: [Case<'_>; 9] = [
        (&[], &[], "", "eu", "eu-west-1 eu-west-1 .\n"),
        (&[], &["--region", "us-east-1"], "", "eu", "eu-west-1 eu-west-1 .\n"),
        // Nothing of the outer profile reaches the child of one that has no region.
        (&[], &[], "", "nowhere", "none none .\n"),
        // The user's own, said before the outer one.
        (&[("AWS_REGION", "ap-south-1")], &[], "", "eu", "ap-south-1 ap-south-1 .\n"),
        (&[("AWS_DEFAULT_REGION", "ap-south-1")], &[], "", "eu", "ap-south-1 ap-south-1 .\n"),
        (&[("AWS_REGION", "ap-south-1")], &["--region", "us-east-1"], "", "eu", "ap-south-1 ap-south-1 .\n"),
        // And said in the outer one's shell.
        (&[], &[], "export AWS_REGION=sa-east-1;", "eu", "sa-east-1 sa-east-1 .\n"),
        (&[], &[], "unset AWS_REGION;", "eu", "eu-west-1 eu-west-1 .\n"),
        (&[], &[], "unset HATBOX_SET;", "eu", "us-west-2 us-west-2 /.\n"),
    ];
    for (given, flags, between, profile, expected) in cases {
        assert_eq!(
            inner(given, flags, between, profile),
            expected,
            "{given:?} {flags:?} {between} {profile}"
        );
    }
    // Three deep: the middle one's marks are about what it set itself.
    let middle = format!("exec {hatbox} exec --nested eu -- {hatbox} exec --nested outer -- sh -c '{show}'");
    let run = fixture.hatbox(&["exec", "nowhere", "--", "sh", "-c", &middle]).without("AWS_ENDPOINT_URL");
    assert_eq!(run.run().ok().stdout, "us-west-2 us-west-2 /.\n");
}

/// The SDKs build endpoints from it: another account's would be wrong, and a guessed one no better.
#[test]
fn the_child_gets_the_account_of_the_role_and_none_where_that_is_not_known() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let show = "echo \"${AWS_ACCOUNT_ID-none}\"";
    let account = |profile: &str, flags: &[&str], script: &str| {
        let run = fixture.hatbox(&["exec"]).args(flags).args([profile, "--", "sh", "-c", script]);
        run.env("AWS_ACCOUNT_ID", "999988887777").run().ok().stdout
    };
    for _ in ["from AWS", "from the cache"] {
        assert_eq!(account("reader", &[], show), "444455556666\n");
        assert_eq!(
            account("jan-work", &[], show),
            "none\n",
            "the answer of GetSessionToken names no account"
        );
        assert_eq!(account("jan-work", &["-n"], show), "none\n");
    }
    let nested = format!("{hatbox} exec --nested jan-work -- sh -c '{show}'; echo \"$HATBOX_SET\"");
    let shown = account("reader", &[], &nested);
    assert!(shown.starts_with("none\n"), "{shown}");
    assert!(shown.contains("AWS_ACCOUNT_ID=444455556666"), "marked as hatbox's own: {shown}");
}

/// As in `hatbox sandbox run`, whose endpoint is set for everything inside.
#[test]
fn an_endpoint_of_the_environment_counts_at_every_depth() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let script =
        format!("{hatbox} exec --nested --fresh jan-work -- {hatbox} exec --nested --fresh reader -- true");
    let calls = fixture.log().len();
    fixture.hatbox(&["exec", "--fresh", "reader", "--", "sh", "-c", &script]).run().ok();
    assert_eq!(fixture.log().len(), calls + 3, "each asks the same sandbox");
}

#[test]
fn every_command_inside_an_exec_sees_the_environment_without_what_exec_set() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    write_two_places(&fixture);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let inside = |line: &str| {
        let script = format!("{hatbox} {line}");
        let run = fixture.hatbox(&["exec", "outer", "--", "sh", "-c", &script]);
        run.without("AWS_ENDPOINT_URL").run()
    };
    let explained = inside("explain eu").ok().stdout;
    assert!(explained.contains("eu-west-1") && !explained.contains("us-west-2"), "{explained}");
    assert!(!explained.contains("AWS_ENDPOINT_URL"), "{explained}");
    let exported = inside("export --nested eu").ok().stdout;
    assert!(exported.contains("AWS_REGION=eu-west-1\n"), "{exported}");
    let doctor = inside("doctor --json").stdout;
    assert!(doctor.contains("env-nested") && !doctor.contains("env-endpoint"), "{doctor}");
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
fn flags_may_stand_on_either_side_of_the_profile_and_the_profile_may_be_a_variable() {
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
    assert!(nobody.stderr.starts_with("hatbox: error: no profile is named\n"));
}

/// `-n` taken as `--no-session` would give the command the access key itself, `-j` would print it.
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

/// The child must not be able to tell hatbox from a plain execve by what it inherits.
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

/// As by a variable of a template that was not set: the source's own identity is often the wider one.
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

#[test]
fn mfa_process_gives_the_code_and_a_given_code_goes_before_it() {
    let fixture = Fixture::with_config("");
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    fixture.write_program("phone", &format!("echo \"  $(cat {}) \"; echo noise >&2", "$HOME/code"));
    let code = || std::fs::write(fixture.path("home/code"), fixture.code(PHONE)).unwrap();
    code();
    let exec = |flags: &[&str]| {
        fixture.hatbox(&["exec", "--fresh", "guarded"]).args(flags).args(["--", "echo", "in"]).run()
    };
    let outcome = exec(&[]).ok();
    assert_eq!(outcome.stdout, "in\n");
    assert!(outcome.stderr.contains("noise\n"), "its stderr is the user's: {}", outcome.stderr);

    fixture.write_program("phone", "exit 3");
    let failed = exec(&[]).expect_code(125);
    assert_eq!(
        fixture.shown(&failed.stderr),
        "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
         hatbox: error: `mfa_process` gave no MFA code\n\
         \x20 caused by: it failed: exit status: 3\n"
    );
    let code = fixture.code(PHONE);
    exec(&["-t", &code]).ok();
    let malformed = exec(&["-t", "12345x"]).expect_code(125);
    assert!(malformed.stderr.starts_with("hatbox: error: `--mfa-token`: "), "{}", malformed.stderr);
    assert!(!malformed.stderr.contains("12345x"));
}

#[test]
fn mfa_process_that_gives_a_used_code_is_asked_again_for_the_next() {
    let fixture = Fixture::with_config("");
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    fixture.write_program("phone", "cat \"$HOME/code\"; cp \"$HOME/next\" \"$HOME/code\"");
    fixture.advance_to_end_of_code();
    let code = fixture.code(PHONE);
    fixture.advance(CODE_LIFE);
    let next = fixture.code(PHONE);
    fixture.advance(-CODE_LIFE);
    std::fs::write(fixture.path("home/code"), &code).unwrap();
    std::fs::write(fixture.path("home/next"), next).unwrap();
    let exec = fixture.hatbox(&["exec", "--fresh", "guarded"]);
    exec.clone().args(["-t", &code, "--", "true"]).run().ok();
    let calls = fixture.log().len();
    let outcome = exec.args(["--", "true"]).run().ok();
    assert_eq!(
        fixture.shown(&outcome.stderr),
        "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
         hatbox: that MFA code was used already; waiting for the next one\n"
    );
    let log = fixture.log();
    assert!(log[calls..].iter().all(LogEntry::is_allowed), "the used code is not sent");
}

#[test]
fn a_helper_that_asks_for_its_own_profile_is_a_loop_and_not_a_fork_bomb() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture.write_config(&format!("{CONFIG}mfa_process = {hatbox} exec guarded -- echo 123456\n"));
    let outcome = fixture.hatbox(&["exec", "guarded", "--", "true"]).run().expect_code(125);
    assert!(
        outcome.stderr.contains("profile `guarded` is asked for by a command of its own: guarded -> guarded"),
        "{}",
        outcome.stderr
    );
    // Another profile is another matter.
    fixture.write_program("phone", &format!("{hatbox} exec --nested reader -- cat \"$HOME/code\""));
    fixture.write_config(&format!("{CONFIG}mfa_process = phone\n"));
    std::fs::write(fixture.path("home/code"), fixture.code(PHONE)).unwrap();
    let run = fixture.hatbox(&["exec", "guarded", "--", "true"]);
    let passphrase = fixture.path("home/passphrase");
    std::fs::write(&passphrase, crate::fixture::PASSPHRASE).unwrap();
    fixture.write_settings(&format!("passphrase_command = \"cat {}\"\n", passphrase.display()));
    run.run().ok();
}
