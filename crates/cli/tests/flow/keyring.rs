//! The unlocked state in the kernel keyring: in which keyring, for how long, and what the child can access.

use std::process::Command;

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::Run;

/// A locked store. Returns `None` and prints the reason if `keyctl` is missing or the kernel keyring is denied.
fn home() -> Option<Fixture> {
    let session = ["session", "-", "keyctl", "add", "user", "hatbox-test", "x", "@s"];
    if !Command::new("keyctl").args(session).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no keyctl, or the kernel keyring is denied");
        return None;
    }
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config("[profile jan-work]\n");
    fixture.hatbox(&["lock"]).run().ok();
    Some(fixture)
}

/// A script in its own session keyring, in which `$H` is hatbox and `unlocked CMD` has the passphrase.
fn in_session(fixture: &Fixture, script: &str) -> Run {
    let unlocked = format!("unlocked() {{ HATBOX_FILE_PASSPHRASE='{PASSPHRASE}' \"$@\"; }}\n{script}");
    Run::new("keyctl", fixture.variables())
        .without("HATBOX_FILE_PASSPHRASE")
        .env("H", env!("CARGO_BIN_EXE_hatbox"))
        .args(["session", "-", "/bin/sh", "-ec", &unlocked])
}

#[test]
fn what_is_unlocked_in_a_session_keyring_is_unlocked_in_that_session_alone() {
    let Some(fixture) = home() else { return };
    let script = "unlocked $H export -n jan-work >/dev/null; $H export -n jan-work; keyctl show @s";
    let inside = in_session(&fixture, script).run().ok();
    assert!(inside.stdout.contains(fixture.key("jan-work").secret.expose()));
    assert_eq!(inside.stdout.matches(":cache-key").count(), 1, "{}", inside.stdout);
    let another = in_session(&fixture, "$H export -n jan-work").run().expect_code(4);
    assert!(another.stderr.contains("the file store is locked"), "{}", another.stderr);
    let locked =
        in_session(&fixture, "unlocked $H export -n jan-work >/dev/null; $H lock; $H export -n jan-work");
    locked.run().expect_code(4);
}

/// As after `su` or in cron if no PAM module creates a session keyring: the kernel uses the user session keyring.
#[test]
fn without_a_session_keyring_it_is_unlocked_for_the_user() {
    let Some(fixture) = home() else { return };
    let run = || fixture.hatbox(&["export", "-n", "jan-work"]).without("HATBOX_FILE_PASSPHRASE");
    let described = Command::new("keyctl").args(["rdescribe", "@s"]).output().unwrap();
    if !String::from_utf8_lossy(&described.stdout).contains("_uid_ses.") {
        eprintln!("skipped: this session has a keyring of its own");
        return;
    }
    run().run().expect_code(4);
    fixture.hatbox(&["export", "-n", "jan-work"]).run().ok();
    run().run().ok();
    let user = Command::new("keyctl").args(["show", "@us"]).output().unwrap();
    assert!(String::from_utf8_lossy(&user.stdout).contains(":cache-key"));
}

#[test]
fn an_isolated_child_has_a_session_keyring_with_nothing_in_it() {
    let Some(fixture) = home() else { return };
    let show = "-n jan-work -- keyctl show @s";
    let script = format!("unlocked $H exec {show}; echo ---; $H exec --isolate {show}; echo ---; $H list");
    let shown = in_session(&fixture, &script).run().ok();
    let [shared, isolated, listed]: [&str; 3] =
        shown.stdout.split("---\n").collect::<Vec<_>>().try_into().unwrap();
    assert!(shared.contains(":cache-key"), "the caller's keyring is the child's: {shared}");
    assert!(!isolated.contains("hatbox"), "{isolated}");
    assert_eq!(isolated.lines().count(), 2, "a heading and the keyring: {isolated}");
    assert!(listed.contains("jan-work  jan-work"), "the caller's own keyring is as it was: {listed}");
    fixture.write_settings("backend = \"file\"\nisolate_child = true\n");
    let shown = in_session(&fixture, &format!("unlocked $H exec {show}; $H each {show}")).run().ok();
    assert!(!shown.stdout.contains("hatbox"), "{}", shown.stdout);
    assert_eq!(shown.stdout.matches("_ses").count(), 2, "{}", shown.stdout);
}

#[test]
fn isolation_that_cannot_be_had_is_an_error_before_the_command_runs() {
    let Some(fixture) = home() else { return };
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let calls = "keyctl,add_key,request_key";
    let inject = format!("inject={calls}:error=EPERM");
    let flags = ["-f", "-qqq", "-o", "/dev/null", "-e", &inject];
    for verb in ["exec", "each"] {
        let run = fixture.hatbox(&[verb, "-n", "--isolate", "jan-work", "--", "echo", "ran"]);
        let refused = run.under("strace", &flags).run().expect_code(125);
        assert_eq!(refused.stdout, "");
        let said = "could not create a session keyring for the command";
        assert!(refused.stderr.contains(said), "{verb}: {}", refused.stderr);
    }
}

/// Returns the remaining time of an entry after a script, from the fourth column of /proc/keys.
fn left_of(fixture: &Fixture, script: &str, what: &str) -> String {
    let serial = format!("keyctl show @s | awk '/:{what}/ {{ printf \"%08x\", $1 }}'");
    let script =
        format!("{{ {script}; }} >/dev/null; grep \"^$({serial})\" /proc/keys | awk '{{ print $4 }}'");
    in_session(fixture, &script).run().ok().stdout
}

/// Like gpg-agent's max-cache-ttl: use alone does not keep the store unlocked forever.
#[test]
fn use_renews_the_timeout_but_never_beyond_the_end_that_was_set_at_the_unlock() {
    let Some(fixture) = home() else { return };
    fixture.write_settings("backend = \"file\"\nunlock_timeout = \"40s\"\nunlock_max = \"2s\"\n");
    // In constant use, it ends two seconds after the unlock; the loop waits for that, for 20 s at most.
    let script = "unlocked $H export -n jan-work >/dev/null\n\
        i=0; while $H export -n jan-work >/dev/null 2>&1 && [ $i -lt 2000 ]; do i=$((i+1)); sleep 0.01; done\n\
        [ $i -lt 2000 ] && [ $i -gt 0 ] && echo ended; ! $H export -n jan-work";
    let run = in_session(&fixture, script).run().ok();
    assert_eq!(run.stdout, "ended\n", "{}", run.stderr);
    assert!(run.stderr.contains("the file store is locked"), "{}", run.stderr);
}

#[test]
fn the_store_stays_unlocked_for_as_long_as_the_flag_or_the_settings_say() {
    let Some(fixture) = home() else { return };
    for (script, expected) in [
        ("unlocked $H --unlock-for 8h list", ["8h", "7h"]),
        ("unlocked $H list", ["15m", "14m"]),
        ("unlocked $H list; $H --unlock-for 3h list", ["3h", "2h"]),
        // The next use renews it with the timeout set at the unlock.
        ("unlocked $H --unlock-for 8h list; $H list; $H list", ["8h", "7h"]),
        // Never longer than `unlock_max`.
        ("unlocked $H --unlock-for 30h list", ["12h", "11h"]),
    ] {
        for what in ["cache-key", "identity"] {
            let left = left_of(&fixture, script, what);
            assert!(expected.contains(&left.trim()), "{script}: {what}: {left}");
        }
    }
    let wrong = fixture.hatbox(&["--unlock-for", "soon", "list"]).run().expect_code(2);
    assert!(wrong.stderr.contains("invalid `--unlock-for` `soon`"), "{}", wrong.stderr);
}

/// keyrings(7): users other than root may have 200 keys and 20,000 bytes.
#[test]
fn a_full_keyring_does_not_unlock_again_where_a_passphrase_is_at_hand() {
    let Some(fixture) = home() else { return };
    if !rustix::process::geteuid().is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("skipped: only root can become a user whose quota may be used up");
        return;
    }
    // An unused uid, different in each test run, so the quota is not shared.
    let id = 61_234 + std::process::id();
    let owner = format!("{id}:{id}");
    let status = Command::new("chown").args(["-R", &owner]).arg(fixture.path("")).status().unwrap();
    assert!(status.success());
    std::fs::set_permissions(fixture.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let fill = "i=0; while keyctl add user filler$i x @s >/dev/null 2>&1 && [ $i -lt 300 ]; do i=$((i+1)); done\n\
                unlocked $H export -n jan-work; unlocked $H export -n jan-work >/dev/null";
    let become_user = [&format!("--reuid={id}"), &format!("--regid={id}"), "--clear-groups"];
    let binary = fixture.path("hatbox");
    std::fs::copy(env!("CARGO_BIN_EXE_hatbox"), &binary).unwrap();
    let run = in_session(&fixture, fill).env("H", &binary).under("setpriv", &become_user).run().ok();
    assert!(run.stdout.contains(fixture.key("jan-work").secret.expose()));
    // The passphrase is available, so a box in memory saves the second unlock.
    assert!(!run.stderr.contains("hatbox: "), "{}", run.stderr);
}
