//! `each`: which profiles it selects, what each command gets, which output is shown, and the exit code.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::fixture::Fixture;
use crate::prompts::assert_code;
use crate::run::{Outcome, Run, finish};
use crate::terminal::Terminal;

/// Roles in several accounts, with and without tags; one that cannot be assumed; sections without credentials.
const CONFIG: &str = "\
[default]
region = eu-central-1

[profile jan-work]

[profile dev-a]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/a
hatbox_tags = env=dev, web

[profile dev-b]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/b
hatbox_tags = env=dev

[profile prod-hub]
source_profile = jan-work
role_arn = arn:aws:iam::777788889999:role/hub
region = us-east-1
hatbox_tags = env=prod, web

[profile strangers]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/strangers

[profile base]
output = json
";

fn scene() -> Fixture {
    Fixture::with_config(CONFIG)
}

/// Returns the lines of JSON, by profile.
fn records(outcome: &Outcome) -> BTreeMap<String, Value> {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let records = outcome.stdout.lines().map(parse);
    records.map(|record| (record["profile"].as_str().unwrap().to_owned(), record)).collect()
}

/// Returns the profiles that a command line selects, in order.
fn selected(fixture: &Fixture, words: &[&str]) -> Vec<String> {
    let outcome = fixture.hatbox(&["each", "--dry-run"]).args(words).run().ok();
    outcome.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn profiles_are_selected_by_name_pattern_list_tag_and_account() {
    let fixture = scene();
    let list = fixture.path("list");
    fs::write(&list, "# of ours\n\n  prod-hub  \ndev-?\n").unwrap();
    let list = list.to_str().unwrap();
    for (words, profiles) in [
        (&["dev-b", "dev-a"][..], &["dev-b", "dev-a"][..]),
        (&["dev-*"], &["dev-a", "dev-b"]),
        (&["*-a"], &["dev-a"]),
        (&["prod-hub", "*-hub", "prod-hub"], &["prod-hub"]),
        (&["--all"], &["jan-work", "dev-a", "dev-b", "prod-hub", "strangers"]),
        (&["*", "--exclude", "*-*"], &["strangers"]),
        (&["--tag", "env=dev"], &["dev-a", "dev-b"]),
        (&["--tag", "env=dev", "--tag", "web"], &["dev-a"]),
        (&["dev-*", "--tag", "web"], &["dev-a"]),
        (&["--account", "777788889999"], &["prod-hub"]),
        (&["--account", "777788889999", "--account", "444455556666", "--tag", "web"], &["dev-a", "prod-hub"]),
        (&["--from", list], &["prod-hub", "dev-a", "dev-b"]),
    ] {
        assert_eq!(selected(&fixture, words), profiles, "{words:?}");
    }
    let from_stdin = fixture.hatbox(&["each", "--dry-run", "--from", "-"]).input("dev-a\n").run().ok();
    assert!(from_stdin.stdout.starts_with("dev-a  444455556666  "), "{}", from_stdin.stdout);
    let all = fixture.hatbox(&["each", "--dry-run", "--all"]).run().ok();
    assert_eq!(all.stderr, "hatbox: skipped 2 profiles without credentials: `default`, `base`\n");
    assert_eq!(fixture.log().len(), 0, "nothing is called");
}

#[test]
fn a_selection_of_nothing_is_an_error_and_nothing_runs() {
    let fixture = scene();
    let list = fixture.path("home/list");
    fs::write(&list, "dev-a\ndev-z\n").unwrap();
    let file = fixture.path("ran");
    let touch = ["--", "touch", file.to_str().unwrap()];
    for (words, error) in [
        (&[][..], "no profiles given\n"),
        (
            &["dev-x"],
            "profile `dev-x` is neither in the config nor in the store\nhatbox: hint: did you mean `dev-a`?\n",
        ),
        (&["dev-a", "test-*"], "no profile matches `test-*`\n"),
        (&["--all", "dev-a"], "`--all` cannot be used with profile names\n"),
        (&["--tag", "none"], "no profile matches\n"),
        (&["--account", "12"], "invalid account `12`: expected 12 digits\n"),
        (
            &["--from", list.to_str().unwrap()],
            "profile `dev-z` is neither in the config nor in the store\n  --> ~/list:2\n",
        ),
        (&["dev-a", "-j", "0"], "invalid value `0` for `--jobs <N>`: 0 is not in 1..=128\n"),
    ] {
        let outcome = fixture.hatbox(&["each"]).args(words).args(touch).run().expect_code(125);
        let said = outcome.stderr.strip_prefix("hatbox: error: ").unwrap_or_default();
        assert!(said.starts_with(error), "{words:?}: {}", outcome.stderr);
    }
    let nested = fixture.hatbox(&["each", "dev-a"]).args(touch).env("HATBOX", "x").run().expect_code(125);
    assert!(nested.stderr.contains("--nested"), "{}", nested.stderr);
    assert!(!file.exists());
    fixture.hatbox(&["each", "dev-a"]).run().expect_code(125);
}

/// Includes what it inherits apart from variables: limits, signals, descriptors.
#[test]
fn a_command_gets_what_exec_gives_it() {
    let fixture = scene();
    let script = "env | sort; ulimit -Sc; umask; pwd; grep -E '^Sig(Blk|Ign)' /proc/self/status";
    for profile in ["dev-a", "prod-hub", "jan-work"] {
        let run = |words: &[&str]| {
            let run = fixture.hatbox(words).args(["--", "sh", "-c", script]);
            run.env("AWS_PROFILE", "x").env("AWS_SECURITY_TOKEN", "x").env("MINE", "kept").run().ok()
        };
        let exec = run(&["exec", profile]).stdout;
        let each = records(&run(&["each", "--json", profile]));
        assert_eq!(each[profile]["stdout"].as_str(), Some(&*exec), "{profile}");
        assert!(exec.contains("MINE=kept") && !exec.contains("AWS_PROFILE") && !exec.contains("PASSPHRASE"));
    }
}

#[test]
fn a_command_gets_no_stdin_and_no_terminal() {
    let fixture = scene();
    let script = "cat; (: </dev/tty) 2>/dev/null || echo none";
    let outcome =
        fixture.hatbox(&["each", "dev-a", "--", "sh", "-c", script]).input("from hatbox's stdin\n").run();
    assert_eq!(outcome.ok().stdout, "dev-a | none\n");
}

#[test]
fn lines_are_labelled_and_obey_nothing() {
    let fixture = scene();
    let script = r"printf 'one\n\033[2Jtwo\tx\r\n10%%\r20%%\n\033[31mred\033[0m ##[group]\nlast'; printf 'to stderr\n' >&2";
    let outcome =
        fixture.hatbox(&["each", "-j", "1", "dev-a", "prod-hub", "--", "sh", "-c", script]).run().ok();
    let of = |label: &str| {
        let lines = ["one", "\\u001b[2Jtwo\tx", "20%", "red \\u0023#[group]", "last"];
        lines.map(|line| format!("{label}{line}\n")).concat()
    };
    assert_eq!(outcome.stdout, of("dev-a    | ") + &of("prod-hub | "));
    assert!(outcome.stderr.ends_with("dev-a    | to stderr\nprod-hub | to stderr\n"), "{}", outcome.stderr);
}

#[test]
fn labels_are_as_wide_as_they_are_shown() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(
        "[profile 開発]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/a\n\
         [profile prod-1]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/a\n",
    );
    let outcome = fixture.hatbox(&["each", "-j1", "開発", "prod-1", "--", "echo", "x"]).run().ok();
    assert_eq!(outcome.stdout, "開発   | x\nprod-1 | x\n");
}

#[test]
fn output_is_grouped_however_much_it_is() {
    let fixture = scene();
    let script = "i=0; while [ $i -lt 8000 ]; do echo \"$HATBOX line $i with some text behind it to fill the memory\"; i=$((i+1)); done; \
                  echo end >&2; [ $HATBOX != dev-b ] || exit 3";
    let outcome =
        fixture.hatbox(&["each", "-j", "3", "--group", "dev-*", "prod-hub", "--", "sh", "-c", script]);
    let outcome = outcome.run().expect_code(3);
    let mut found = BTreeMap::new();
    let mut header = "";
    for line in outcome.stdout.lines() {
        if let Some(name) = line.strip_prefix("==> ").and_then(|line| line.strip_suffix(" <==")) {
            header = name;
            continue;
        }
        let count = found.entry(header.to_owned()).or_insert(0);
        let expected = format!("{} line {count} ", header.split(' ').next().unwrap());
        assert!(line.starts_with(&expected), "{header}: {line}");
        *count += 1;
    }
    let expected = ["dev-a", "dev-b (exit code 3)", "prod-hub"].map(|name| (name.to_owned(), 8000));
    assert_eq!(found, expected.into());
    assert_eq!(outcome.stderr.matches("end\n").count(), 3);
}

#[test]
fn json_says_how_each_ended() {
    let fixture = scene();
    let script = "case $HATBOX in dev-a) echo out; echo err >&2;; dev-b) exit 7;; *) kill -KILL $$;; esac";
    let line = ["each", "--json", "dev-*", "prod-hub", "strangers", "--", "sh", "-c", script];
    let outcome = fixture.hatbox(&line).run().expect_code(137);
    let found = records(&outcome);
    let of = |profile: &str, names: &[&str]| {
        names.iter().map(|name| found[profile][name].clone()).collect::<Vec<_>>()
    };
    let ends = ["account_id", "exit_code", "signal", "stdout", "stderr", "error"];
    assert_eq!(
        Value::from(of("dev-a", &ends)).to_string(),
        r#"["444455556666",0,null,"out\n","err\n",null]"#
    );
    assert_eq!(Value::from(of("dev-b", &ends)).to_string(), r#"["444455556666",7,null,"","",null]"#);
    assert_eq!(Value::from(of("prod-hub", &ends)).to_string(), r#"["777788889999",137,9,"","",null]"#);
    assert!(found["dev-a"]["duration_ms"].is_u64());
    let denied = &found["strangers"];
    assert_eq!((&denied["exit_code"], &denied["duration_ms"]), (&Value::from(125), &Value::Null));
    assert_eq!(denied["error"]["kind"], "failed");
    assert!(denied["error"]["causes"][0].as_str().unwrap().starts_with("AccessDenied"), "{denied}");
    let summary = "hatbox: 1 of 4 profiles succeeded; failed: dev-b (exit code 7), prod-hub (signal 9), strangers (no credentials)\n";
    assert!(outcome.stderr.ends_with(summary), "{}", outcome.stderr);
}

#[test]
fn credentials_of_one_profile_that_fail_stop_no_other_and_can_be_asked_about() {
    let fixture = scene();
    let outcome = fixture.hatbox(&["each", "strangers", "dev-*", "--", "echo", "ran"]).run().expect_code(125);
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["dev-a     | ran", "dev-b     | ran"]);
    let error = "strangers | hatbox: error: access denied: jan may not assume strangers (";
    assert!(outcome.stderr.contains(error), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("strangers |   caused by: AccessDenied: "), "{}", outcome.stderr);
    // Among the lines of others, the command stands in for the explanation.
    assert!(
        outcome.stderr.contains("strangers | hatbox: hint: hatbox why strangers\n"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stderr.matches("strangers | ").count(), 3, "{}", outcome.stderr);
    let why = fixture.hatbox(&["why", "strangers"]).run();
    assert!(why.stdout.contains("AccessDenied"), "{}{}", why.stdout, why.stderr);
}

#[test]
fn the_code_is_that_of_the_worst() {
    let fixture = scene();
    let run = |script: &str| {
        fixture.hatbox(&["each", "dev-a", "dev-b", "prod-hub", "--", "sh", "-c", script]).run()
    };
    run("true").ok();
    run("case $HATBOX in dev-b) exit 9;; *) exit 2;; esac").expect_code(9);
    run("case $HATBOX in dev-b) kill -TERM $$;; *) exit 9;; esac").expect_code(143);
    let missing = fixture.hatbox(&["each", "dev-a", "dev-b", "--", "no-such-command"]).run().expect_code(127);
    assert_eq!(
        missing.stderr, "hatbox: error: command `no-such-command` not found\n",
        "once, and before any call"
    );
    let missing = fixture.hatbox(&["each", "dev-a", "dev-b", "--", "/no/such/file"]).run().expect_code(127);
    assert_eq!(missing.stderr.matches("not found").count(), 1, "{}", missing.stderr);
    fs::write(fixture.path("bin/plain-text"), "x").unwrap();
    fixture.hatbox(&["each", "dev-a", "dev-b", "--", "plain-text"]).run().expect_code(126);
    fixture.hatbox(&["each", "dev-a", "--", "/"]).run().expect_code(126);
}

#[test]
fn after_a_failure_the_others_run_unless_it_is_to_stop() {
    let fixture = scene();
    let run = |flags: &[&str]| {
        let script = "[ $HATBOX != dev-a ]";
        fixture
            .hatbox(&["each", "-j1", "--json"])
            .args(flags)
            .args(["dev-*", "prod-hub", "--", "sh", "-c", script])
            .run()
    };
    let ends = |outcome: &Outcome| {
        let records = records(outcome);
        ["dev-a", "dev-b", "prod-hub"].map(|profile| records[profile]["exit_code"].as_i64())
    };
    for flags in [&[][..], &["--keep-going"], &["-k"]] {
        assert_eq!(ends(&run(flags).expect_code(1)), [Some(1), Some(0), Some(0)]);
    }
    let stopped = run(&["--fail-fast"]).expect_code(1);
    assert_eq!(ends(&stopped), [Some(1), None, None]);
    let summary = "hatbox: 0 of 3 profiles succeeded; failed: dev-a (exit code 1); not started: 2\n";
    assert!(stopped.stderr.ends_with(summary), "{}", stopped.stderr);
}

/// A background program of the command keeps the pipe open.
#[test]
fn a_program_that_a_command_leaves_behind_holds_no_one_up() {
    let fixture = scene();
    let script = "sleep 30 & echo text";
    let outcome = fixture.hatbox(&["each", "dev-a", "dev-b", "-j1", "--", "sh", "-c", script]).run().ok();
    assert_eq!(outcome.stdout, "dev-a | text\ndev-b | text\n");
}

#[test]
fn when_the_reader_has_gone_the_commands_end() {
    let fixture = scene();
    let run = Run::new("sh", fixture.variables());
    let line = "\"$1\" each --all --exclude strangers -- sh -c 'while echo x; do :; done' | head -n 1";
    let outcome = run.args(["-c", line, "sh", env!("CARGO_BIN_EXE_hatbox")]).run().ok();
    assert!(outcome.stdout.ends_with(" | x\n"), "{}", outcome.stdout);
}

/// Output is not buffered without limit: not for whole lines, for a slow reader, until the end, or for JSON.
#[test]
fn memory_is_bounded_however_much_the_commands_print() {
    if !std::path::Path::new("/proc/self/status").exists() {
        eprintln!("skipped: there is no /proc here");
        return;
    }
    let fixture = scene();
    let script = "head -c 6000000 /dev/zero | tr '\\0' x | fold -w 4000; \
                  awk '/VmHWM/ { print $2 }' /proc/$PPID/status >\"$HOME/peak-$HATBOX\"";
    for form in [&[][..], &["--group"], &["--json"]] {
        let run = fixture
            .hatbox(&["each", "-j3"])
            .args(form)
            .args(["dev-a", "dev-b", "prod-hub", "--", "sh", "-c", script]);
        let outcome = finish(run.spawn(), "each").ok();
        let least = if form == ["--json"] { 3 << 20 } else { 18_000_000 };
        assert!(outcome.stdout.len() >= least, "{form:?}: {}", outcome.stdout.len());
        for profile in ["dev-a", "dev-b", "prod-hub"] {
            let peak = fs::read_to_string(fixture.path(&format!("home/peak-{profile}"))).unwrap();
            let peak: u64 = peak.trim().parse().unwrap();
            assert!(peak < 44 << 10, "{form:?}: {peak} KiB");
        }
    }
}

#[test]
fn five_hundred_profiles_run_in_one_process() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let roles = ["a", "b", "reader", "admin", "deploy"];
    let section = |number: usize| {
        let role = roles[number % roles.len()];
        format!(
            "[profile p-{number}]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/{role}\n"
        )
    };
    fixture.write_config(&(0..500).map(section).collect::<String>());
    let outcome =
        fixture.hatbox(&["each", "p-*", "-j", "4", "--json", "--", "printenv", "HATBOX"]).run().ok();
    let found = records(&outcome);
    assert_eq!(found.len(), 500);
    for (profile, record) in &found {
        assert_eq!(record["stdout"], format!("{profile}\n"), "{record}");
    }
    assert_eq!(fixture.log().len(), roles.len(), "profiles of one role share its session");
}

#[test]
fn guards_of_a_profile_hold_for_it_and_stop_no_other() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let section = |name: &str, guard: &str| {
        format!(
            "[profile {name}]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/a\n{guard}\n"
        )
    };
    fixture.write_config(
        &[
            section("confirmed", "hatbox_confirm = true"),
            section("denied", "hatbox_deny_commands = echo"),
            section("free", "hatbox_tags = x"),
        ]
        .concat(),
    );
    let outcome = fixture.hatbox(&["each", "*e*", "--", "echo", "ran"]).run().expect_code(125);
    assert_eq!(outcome.stdout, "free      | ran\n");
    for line in [
        "confirmed | hatbox: error: profile `confirmed` requires confirmation, and there is no terminal to ask on\n",
        "denied    | hatbox: error: `hatbox_deny_commands` of profile `denied` denies this command: `echo`\n",
    ] {
        assert!(outcome.stderr.contains(line), "{}", outcome.stderr);
    }
    let mut terminal =
        Terminal::start(&fixture.hatbox(&["each", "confirmed", "free", "--", "printenv", "HATBOX"]));
    terminal.wait_for_prompt("Type `yes` to run `printenv` with the credentials of `confirmed`:");
    terminal.type_keys("yes\r");
    assert_code(terminal.wait(), 0, &terminal);
    assert!(terminal.screen().contains(&"confirmed | confirmed".to_owned()), "{:?}", terminal.screen());
}
