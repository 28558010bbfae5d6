//! The shell function `hat` in real shells: which variables it sets, and which it restores afterwards.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::shells::{Session, Shell};

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
region = eu-west-1

[profile 'my deploy']
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/guarded
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile broken]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/no-such-role
";

/// Starts a shell with `hat`, and with variables of the user.
pub(crate) fn start(shell: Shell, fixture: &Fixture) -> Session {
    start_after(shell, fixture, "")
}

/// Starts such a shell, after these commands.
fn start_after(shell: Shell, fixture: &Fixture, before: &str) -> Session {
    let setup = match shell {
        Shell::Bash => "eval \"$(hatbox shell-init bash)\"",
        Shell::Zsh => "autoload -Uz compinit; compinit -u -D; eval \"$(hatbox shell-init zsh)\"",
        Shell::Fish => "hatbox shell-init fish | source",
    };
    let session = Session::start(shell, fixture, &format!("{before}{setup}"));
    session.type_line(match shell {
        Shell::Bash | Shell::Zsh => {
            "export AWS_PROFILE=before AWS_REGION= AWS_SECRET_ACCESS_KEY='a \"b\" $(touch ~/pwned)'; AWS_SESSION_TOKEN='of the shell'"
        }
        Shell::Fish => {
            "set -gx AWS_PROFILE before; set -gx AWS_REGION ''; set -gx AWS_SECRET_ACCESS_KEY 'a \"b\" $(touch ~/pwned)'; set -g AWS_SESSION_TOKEN 'of the shell'"
        }
    });
    session
}

fn set(shell: Shell, name: &str, value: &str) -> String {
    match shell {
        Shell::Bash | Shell::Zsh => format!("export {name}={value}"),
        Shell::Fish => format!("set -gx {name} {value}"),
    }
}

/// Returns the variables that programs get, except those that shells maintain themselves.
pub(crate) fn variables(session: &Session, fixture: &Fixture) -> BTreeMap<String, String> {
    let file = fixture.path("env");
    session.capture(&format!("env -0 >{}; capture done", file.display()));
    let text = std::fs::read_to_string(file).unwrap();
    let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.filter(|(name, _)| !["_", "SHLVL", "OLDPWD"].contains(name));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_role_is_set_in_the_shell_and_dropped_without_a_trace() {
    let fixture = Fixture::with_config(CONFIG);
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = start(shell, &fixture);
        let before = variables(&session, &fixture);
        assert_eq!(before.get("AWS_SESSION_TOKEN"), None, "{shell:?}: it is not exported");
        session.type_line("hat reader");
        let role = variables(&session, &fixture);
        assert_eq!(role["HATBOX"], "reader", "{shell:?}");
        assert_eq!(role["AWS_REGION"], "eu-west-1", "{shell:?}");
        assert!(role["AWS_ACCESS_KEY_ID"].starts_with("ASIA"), "{shell:?}");
        assert!(role.contains_key("AWS_SESSION_TOKEN"), "{shell:?}");
        assert_eq!(role.get("AWS_PROFILE"), None, "{shell:?}");
        // The store must be unlocked for the next call.
        assert_eq!(role["HATBOX_FILE_PASSPHRASE"], before["HATBOX_FILE_PASSPHRASE"], "{shell:?}");

        // The next profile starts from the original variables, not from those of the first.
        session.type_line("hat 'my deploy'");
        let other = variables(&session, &fixture);
        assert_eq!(other["HATBOX"], "my deploy", "{shell:?}");
        assert_ne!(other["AWS_ACCESS_KEY_ID"], role["AWS_ACCESS_KEY_ID"], "{shell:?}");
        assert_eq!(other.get("AWS_REGION").map_or("", String::as_str), "", "{shell:?}: of the other profile");

        session.type_line("hat -");
        assert_eq!(variables(&session, &fixture), role, "{shell:?}: back to the one before");

        session.type_line("hat broken");
        assert_eq!(variables(&session, &fixture), role, "{shell:?}: a failure changes nothing");

        session.type_line("hat --drop");
        assert_eq!(variables(&session, &fixture), before, "{shell:?}");
        let token = if shell == Shell::Fish {
            "capture $AWS_SESSION_TOKEN"
        } else {
            "capture \"$AWS_SESSION_TOKEN\""
        };
        assert_eq!(session.capture(token), ["of the shell"], "{shell:?}");
        session.type_line("hat --drop");
        session.terminal.wait_for("this shell has no credentials of `hat`", 1);
        assert!(!fixture.home().join("pwned").exists(), "{shell:?} ran a value");
    }
}

/// The functions keep their state in the shell, never in the environment.
#[test]
fn what_another_shell_remembers_is_not_believed() {
    let fixture = Fixture::with_config(CONFIG);
    let inherited = [
        ("profile", "reader"),
        ("previous", "reader"),
        ("previous_args", "--fresh"),
        ("args", "--fresh"),
        ("expires", "1"),
        ("renew", "1"),
        ("names", "HOME"),
        ("exported", "HOME"),
        ("old_HOME", "/elsewhere"),
    ];
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let set = inherited.map(|(name, value)| set(shell, &format!("__hatbox_{name}"), value));
        let session = start_after(shell, &fixture, &format!("{}; ", set.join("; ")));
        session.type_line("hat --drop");
        session.terminal.wait_for("this shell has no credentials of `hat`", 1);
        session.type_line("hat -");
        session.terminal.wait_for("no previous profile in this shell", 1);
        session.type_line("hat reader");
        session.type_line("hat --drop");
        let after = variables(&session, &fixture);
        assert_eq!(after["HOME"], fixture.home().display().to_string(), "{shell:?}");
        assert!(!after.keys().any(|name| name.starts_with("__hatbox")) || shell != Shell::Fish, "{after:?}");
    }
    assert_eq!(
        fixture.log().len(),
        1,
        "nothing was renewed, and the session of the first shell was used again"
    );
}

#[test]
fn no_secret_is_shown_traced_or_remembered() {
    let fixture = Fixture::with_config(CONFIG);
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = start(shell, &fixture);
        session.type_line(if shell == Shell::Fish { "set -g fish_trace 1" } else { "set -x" });
        session.type_line("hat reader");
        session.type_line(if shell == Shell::Fish { "set -e fish_trace" } else { "set +x" });
        session.type_line("history");
        session.type_line("hat reader --fresh");
        let role = variables(&session, &fixture);
        let shown = session.terminal.transcript();
        for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            assert!(!shown.contains(&role[name]), "{shell:?} shows {name}");
        }
    }
}

#[test]
fn credentials_are_renewed_before_a_prompt_and_not_sooner() {
    let fixture = Fixture::with_config(CONFIG);
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = start(shell, &fixture);
        session.type_line("hat reader");
        let first = variables(&session, &fixture);
        let calls = fixture.log().len();
        let due = set(shell, "__hatbox_renew", "1");
        // The credentials expire in ten minutes: other commands would still use them, but this shell gets new ones.
        fixture.advance(50 * 60 + 5);
        let offset = fixture.variables()[std::ffi::OsStr::new("HATBOX_TEST_CLOCK_OFFSET")].clone();
        session.type_line(&set(shell, "HATBOX_TEST_CLOCK_OFFSET", offset.to_str().unwrap()));
        assert_eq!(
            variables(&session, &fixture)["AWS_SESSION_TOKEN"],
            first["AWS_SESSION_TOKEN"],
            "{shell:?}"
        );
        assert_eq!(fixture.log().len(), calls, "{shell:?}: nothing is called while they are fresh");
        session.type_line(&due);
        let second = variables(&session, &fixture);
        assert_ne!(second["AWS_SESSION_TOKEN"], first["AWS_SESSION_TOKEN"], "{shell:?}");
        assert_eq!(second["AWS_REGION"], "eu-west-1", "{shell:?}");
        session.type_line("hat --drop");
        let dropped = variables(&session, &fixture);
        assert_eq!(dropped["AWS_PROFILE"], "before", "{shell:?}");
    }
}

#[test]
fn a_renewal_that_needs_a_person_asks_none_and_says_how_to_renew() {
    let fixture = Fixture::with_config(CONFIG);
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        fixture.advance(12 * 3600);
        let code = fixture.code(PHONE);
        let session = start(shell, &fixture);
        session.type_line(&format!("hat -t {code} guarded"));
        let first = variables(&session, &fixture);
        assert_eq!(first["HATBOX"], "guarded", "{shell:?}");
        fixture.advance(52 * 60);
        let offset = fixture.variables()[std::ffi::OsStr::new("HATBOX_TEST_CLOCK_OFFSET")].clone();
        session.type_line(&set(shell, "HATBOX_TEST_CLOCK_OFFSET", offset.to_str().unwrap()));
        session.type_line(&set(shell, "__hatbox_renew", "1"));
        session.terminal.wait_for("`hat guarded` renews them", 1);
        session.terminal.wait_for("the credentials of `guarded` expire in", 1);
        assert_eq!(
            variables(&session, &fixture)["AWS_SESSION_TOKEN"],
            first["AWS_SESSION_TOKEN"],
            "{shell:?}"
        );
    }
}

#[test]
fn hat_alone_opens_the_list_and_renews_what_was_chosen() {
    let fixture = Fixture::with_config(CONFIG);
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = start(shell, &fixture);
        session.type_line(if shell == Shell::Fish { "set -e AWS_PROFILE" } else { "unset AWS_PROFILE" });
        session.type_line("hat");
        session.terminal.wait_for("Profile (", 1);
        session.terminal.type_keys("deploy my\r");
        session.terminal.wait_for("next time: hat 'my deploy'", 1);
        let first = variables(&session, &fixture);
        assert_eq!(first["HATBOX"], "my deploy", "{shell:?}");
        fixture.advance(50 * 60 + 5);
        let offset = fixture.variables()[std::ffi::OsStr::new("HATBOX_TEST_CLOCK_OFFSET")].clone();
        session.type_line(&set(shell, "HATBOX_TEST_CLOCK_OFFSET", offset.to_str().unwrap()));
        session.type_line(&set(shell, "__hatbox_renew", "1"));
        let second = variables(&session, &fixture);
        assert_eq!(second["HATBOX"], "my deploy", "{shell:?}");
        assert_ne!(second["AWS_SESSION_TOKEN"], first["AWS_SESSION_TOKEN"], "{shell:?}");
    }
}

/// Returns what a shell prints after `hat reader`, with hatbox or with a stub in its place.
fn printed_after_hat(shell: Shell, fixture: &Fixture, stand_in: Option<&Path>) -> String {
    let init = match shell {
        Shell::Bash => "eval \"$(hatbox shell-init bash)\"",
        Shell::Zsh => "autoload -Uz compinit; compinit -u -D; eval \"$(hatbox shell-init zsh)\"",
        Shell::Fish => "hatbox shell-init fish | source",
    };
    let path = stand_in.map(|directory| match shell {
        Shell::Bash | Shell::Zsh => format!("PATH={}:$PATH; ", directory.display()),
        Shell::Fish => format!("set -gx PATH {} $PATH; ", directory.display()),
    });
    let path = path.unwrap_or_default();
    let line = format!("{init}; {path}printenv PATH; hat reader; printenv HATBOX PATH AWS_REGION");
    let run = shell.run(fixture).args(["-c", &line]);
    // A shell may drop such names or pass them on.
    let run = run.env("AWS_CONTAINER_X[$(touch ~/pwned)]", "x").env("AWS_CONTAINER_Z`touch ~/pwned`", "x");
    let run = run.env("AWS_CONTAINER_X\nset PATH /evil\nset AWS_ENDPOINT_URL http://evil.example", "x");
    run.run().ok().stdout
}

#[test]
fn the_name_of_a_variable_is_never_run_and_sets_nothing() {
    let fixture = Fixture::with_config(CONFIG);
    let lines = [
        "profile reader",
        "expires ",
        "renew ",
        "unset AWS_X[$(touch ~/pwned)]",
        "unset x[$(touch ~/pwned)]",
        "set AWS_X[$(touch ~/pwned)] x",
        "set AWS_X;touch${IFS}~/pwned x",
        "unset PATH",
        "set PATH /evil",
        "set HATBOXES x",
        "set 1 x",
        "set AWS_REGION eu-west-1",
        "set HATBOX reader",
    ];
    let script = format!("#!/bin/sh\ncat <<'END'\n{}\nEND\n", lines.join("\n"));
    let stand_in = fixture.path("stand-in");
    std::fs::create_dir(&stand_in).unwrap();
    let program = fixture.write_program("hatbox-that-is-wrong", &script);
    std::os::unix::fs::symlink(program, stand_in.join("hatbox")).unwrap();
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        for stand_in in [None, Some(stand_in.as_path())] {
            let printed = printed_after_hat(shell, &fixture, stand_in);
            let lines: Vec<&str> = printed.lines().collect();
            let [before, name, after, region] = lines[..] else { panic!("{shell:?}: {printed}") };
            assert_eq!((name, after, region), ("reader", before, "eu-west-1"), "{shell:?}");
            assert!(!fixture.home().join("pwned").exists(), "{shell:?} ran a name");
        }
    }
}

#[test]
fn the_segment_of_a_prompt_has_the_profile_and_the_time_left() {
    let fixture = Fixture::empty(&[]);
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(42 * 60 + 30);
    let prompt = |arguments: &[&str], profile: &str| {
        let run = fixture.hatbox(&[&["prompt"], arguments].concat()).env("HATBOX", profile);
        run.env("AWS_CREDENTIAL_EXPIRATION", end.to_string()).run().ok().stdout
    };
    assert_eq!(prompt(&[], "prod"), "prod 42m\n");
    assert_eq!(prompt(&[], "a%\u{1b}[31m"), "a%\\u001b[31m 42m\n");
    assert_eq!(prompt(&["--shell", "zsh"], "a%d"), "a%%d 42m\n");
    assert_eq!(prompt(&[], ""), "");
    assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn hat_itself_prints_no_credentials_on_a_terminal_and_takes_another_name() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = crate::terminal::Terminal::start(&fixture.hatbox(&["hat", "reader"]));
    assert_eq!(terminal.wait().code(), Some(2));
    let shown = terminal.transcript();
    assert!(shown.contains("hatbox shell-init bash") && !shown.contains("AWS_SECRET"), "{shown}");
    let script = fixture.hatbox(&["shell-init", "--cmd", "role", "bash"]).run().ok().stdout;
    assert!(script.contains("\nrole() {") && !script.contains("HAT"), "{script}");
    fixture.hatbox(&["shell-init", "--cmd", "a;b", "bash"]).run().expect_code(2);
}
