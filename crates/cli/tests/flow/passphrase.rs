//! The passphrase without a person: by descriptor, variable, command; and that the child gets none of it.

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::{Outcome, Run};

const CONFIG: &str = "[profile jan-work]\n";
/// What a child can see of itself.
const LOOK: &str = "env -0; echo; ls -l /proc/self/fd; cat /proc/self/cmdline";

fn locked() -> Fixture {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    fixture
}

#[track_caller]
fn assert_child_has_nothing(outcome: &Outcome) {
    assert!(!outcome.stdout.contains(PASSPHRASE), "{}", outcome.stdout);
    for name in ["HATBOX_FILE_PASSPHRASE", "AWS_VAULT_FILE_PASSPHRASE", "HATBOX_PASSPHRASE_FD"] {
        assert!(!outcome.stdout.contains(name), "{name}");
    }
    assert_eq!(outcome.stderr, "");
}

/// Runs hatbox with `script` in front, in a shell: `exec 7<...`.
fn run_after(fixture: &Fixture, script: &str, arguments: &[&str]) -> Outcome {
    let line = format!("{script} exec \"$0\" \"$@\"");
    let shell = Run::new("/bin/sh", fixture.variables()).without("HATBOX_FILE_PASSPHRASE");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_hatbox")]).args(arguments).run()
}

#[test]
fn a_descriptor_gives_it_and_does_not_reach_the_child() {
    let exec = ["exec", "-n", "jan-work", "--", "sh", "-c", LOOK];
    let with_flag = ["exec", "--passphrase-fd", "7", "-n", "jan-work", "--", "sh", "-c", LOOK];
    for end in ["", "\n"] {
        for (before, arguments) in [
            ("exec 7<\"$HOME/secret\";", &with_flag[..]),
            ("export HATBOX_PASSPHRASE_FD=7; exec 7<\"$HOME/secret\";", &exec),
            // It must be kept from the child also where it is not needed.
            ("exec 7<\"$HOME/secret\";", &with_flag),
        ] {
            let fixture = locked();
            std::fs::write(fixture.path("home/secret"), format!("{PASSPHRASE}{end}")).unwrap();
            let outcome = run_after(&fixture, before, arguments).ok();
            assert_child_has_nothing(&outcome);
            assert!(!outcome.stdout.contains("/secret"), "the descriptor: {}", outcome.stdout);
            let again = run_after(&fixture, before, arguments).ok();
            assert!(!again.stdout.contains("/secret"), "when it was not needed: {}", again.stdout);
        }
    }
    let fixture = locked();
    std::fs::write(fixture.path("home/secret"), format!("{PASSPHRASE}\n\n")).unwrap();
    let wrong = run_after(&fixture, "exec 7<\"$HOME/secret\";", &with_flag).expect_code(125);
    assert!(wrong.stderr.contains("the passphrase is wrong"), "only one line end is cut: {}", wrong.stderr);
    let closed = run_after(&fixture, "exec 7<&-;", &with_flag).expect_code(125);
    assert!(closed.stderr.starts_with("hatbox: error: descriptor 7 for the passphrase is not open\n"));
    std::fs::write(fixture.path("home/secret"), "\n").unwrap();
    let empty = run_after(&fixture, "exec 7<\"$HOME/secret\";", &with_flag).expect_code(125);
    assert!(empty.stderr.contains("is empty"), "{}", empty.stderr);
    let negative = run_after(&fixture, "", &["export", "--passphrase-fd=-1", "jan-work"]);
    negative.expect_code(2);
}

#[test]
fn a_pipe_gives_it_too_and_the_other_descriptors_of_the_caller_stay_open() {
    let fixture = locked();
    std::fs::write(fixture.path("home/mine"), "for the child").unwrap();
    let script = format!("printf '%s' '{PASSPHRASE}' | (exec 5<\"$HOME/mine\"; ");
    let line = format!("{script} exec \"$0\" --passphrase-fd 0 exec -n jan-work -- sh -c 'cat <&5')");
    let shell = Run::new("/bin/sh", fixture.variables()).without("HATBOX_FILE_PASSPHRASE");
    let outcome = shell.args(["-c", &line, env!("CARGO_BIN_EXE_hatbox")]).run().ok();
    assert_eq!(outcome.stdout, "for the child");
}

#[test]
fn a_variable_gives_it_and_ours_goes_before_aws_vaults() {
    for (variables, works) in [
        (&[("HATBOX_FILE_PASSPHRASE", PASSPHRASE)][..], true),
        (&[("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE)], true),
        (&[("HATBOX_FILE_PASSPHRASE", PASSPHRASE), ("AWS_VAULT_FILE_PASSPHRASE", "wrong")], true),
        (&[("HATBOX_FILE_PASSPHRASE", "wrong"), ("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE)], false),
    ] {
        let fixture = locked();
        let mut run = fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", LOOK]);
        run = run.without("HATBOX_FILE_PASSPHRASE");
        for (name, value) in variables {
            run = run.env(name, value);
        }
        if works {
            assert_child_has_nothing(&run.run().ok());
        } else {
            let wrong = run.run().expect_code(125);
            assert!(wrong.stderr.contains("caused by: the passphrase is wrong"), "{}", wrong.stderr);
        }
    }
}

#[test]
fn a_command_gives_it_and_sees_no_secret_of_ours() {
    let fixture = locked();
    let (seen, secret) = (fixture.path("home/seen"), fixture.path("home/secret"));
    std::fs::write(&secret, PASSPHRASE).unwrap();
    fixture.write_program("opener", &format!("env >'{}'; cat '{}'", seen.display(), secret.display()));
    fixture.write_settings("passphrase_command = \"opener\"\n");
    let run = || {
        let run = fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", LOOK]);
        run.without("HATBOX_FILE_PASSPHRASE").run()
    };
    assert_child_has_nothing(&run().ok());
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("HOME=") && !seen.contains("PASSPHRASE"), "{seen}");
    for (script, why) in [
        ("exit 3", "`passphrase_command` gave no passphrase: it failed: exit status: 3"),
        ("printf ''", "the passphrase from `passphrase_command` is empty"),
        ("yes | head -c 100000", "`passphrase_command` gave no passphrase: it printed more than 64 KiB"),
        ("printf '\\377\\376'", "`passphrase_command` gave no passphrase: it is not UTF-8"),
        ("echo wrong", "caused by: the passphrase is wrong"),
    ] {
        fixture.hatbox(&["lock"]).run().ok();
        fixture.write_program("opener", script);
        let failed = run().expect_code(125);
        assert!(failed.stderr.contains(why), "{script}: {}", failed.stderr);
    }
    // A source that is at hand is used by commands that never ask.
    fixture.write_program("opener", &format!("cat '{}'", secret.display()));
    let list = fixture.hatbox(&["list", "--credentials"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
    assert_eq!(list.stdout, "jan-work\n");
}

#[test]
fn the_environment_of_hatbox_itself_cannot_be_read_by_another_process_of_the_user() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let fixture = locked();
    fixture.write_settings("passphrase_command = \"cat /proc/$PPID/environ >&2; echo x\"\n");
    let run = fixture.hatbox(&["list"]).without("HATBOX_FILE_PASSPHRASE").env("CANARY", "canary").run();
    assert!(!run.stderr.contains("canary"));
}

#[test]
fn where_the_kernel_keyring_is_denied_each_command_unlocks_by_itself_and_says_so_once() {
    if !std::process::Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let fixture = locked();
    // As a container's seccomp profile does it.
    let inject = "inject=add_key,request_key,keyctl:error=EPERM";
    let denied = |arguments: &[&str]| {
        fixture.hatbox(arguments).under("strace", &["-f", "-qqq", "-e", inject, "-o", "/dev/null"])
    };
    let exec = ["exec", "jan-work", "--", "echo", "in"];
    for expected in ["hatbox: STS is SANDBOX here, not AWS\n", ""] {
        let outcome = denied(&exec).run().ok();
        assert_eq!(outcome.stdout, "in\n");
        let note =
            "hatbox: the kernel keyring cannot be used here: the store is unlocked anew by each command\n";
        assert_eq!(fixture.shown(&outcome.stderr), format!("{note}{expected}"));
    }
    assert_eq!(fixture.log().len(), 1, "the session is cached all the same");
    let nobody = denied(&["export", "-n", "jan-work"]).without("HATBOX_FILE_PASSPHRASE").run();
    assert!(nobody.expect_code(4).stderr.contains("there is no way to ask for its passphrase"));
    let list = denied(&["list"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
    assert!(list.stdout.contains("locked"));
    denied(&["lock"]).run().ok();
}
