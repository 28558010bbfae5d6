//! A full disk, a home that is not writable, and many writers at once: no key is lost.

use std::fs;
use std::process::Command;

use crate::fixture::Fixture;
use crate::run::Run;

/// Runs a script, in which `$H` is hatbox, in its own mount namespace. `mount` works in it even without root, if users
/// may create namespaces. Returns `None` and prints the reason if that is not possible.
pub(crate) fn with_mounts(fixture: &Fixture, script: &str) -> Option<Run> {
    let mount = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let is_there = |flags: &&[&str]| {
        let output = Command::new("unshare").args(*flags).args(mount).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(flags) = [&["--mount"][..], &["--map-root-user", "--mount"]].into_iter().find(is_there) else {
        eprintln!("skipped: file systems cannot be mounted here");
        return None;
    };
    let shell = Run::new("unshare", fixture.variables()).env("H", env!("CARGO_BIN_EXE_hatbox"));
    Some(shell.args(flags).args(["/bin/sh", "-c", script]))
}

/// Runs such a script with another key in the environment.
fn with_mounts_and_key(fixture: &Fixture, script: &str) -> Option<Run> {
    let key = fixture.key("newer");
    let shell = with_mounts(fixture, script)?.env("AWS_ACCESS_KEY_ID", &key.id);
    Some(shell.env("AWS_SECRET_ACCESS_KEY", key.secret.expose()))
}

fn fixture() -> Fixture {
    let fixture = Fixture::empty(&["jan-work", "newer"]);
    fixture.add_run("jan-work", &[]).run().ok();
    fixture
}

/// Checks that jan-work still has its old key, and that there are no warnings.
fn assert_is_old(fixture: &Fixture) {
    let exported = fixture.hatbox(&["export", "-n", "jan-work"]).run().ok();
    assert!(exported.stdout.contains(fixture.key("jan-work").secret.expose()));
    assert_eq!(exported.stderr, "");
}

#[test]
fn a_full_disk_is_named_and_the_old_key_stays() {
    let fixture = fixture();
    // The store on a small disk that is full.
    let script = "set -e; store=\"$HOME/.local/share/hatbox\"; cp -a \"$store\" \"$HOME/copy\"\n\
        mount -t tmpfs -o size=256k,mode=700 tmpfs \"$store\"; cp -a \"$HOME/copy/.\" \"$store\"; rm -r \"$HOME/copy\"\n\
        dd if=/dev/zero of=\"$store/filler\" bs=1k 2>/dev/null || :\n\
        $H export -n jan-work >\"$HOME/before\"; set +e\n\
        $H add --env --no-add-config one >/dev/null; $H add --env --no-add-config two; echo \"code $?\"\n\
        $H export -n jan-work >\"$HOME/after\"; cmp \"$HOME/before\" \"$HOME/after\" && echo same";
    let Some(run) = with_mounts_and_key(&fixture, script) else { return };
    let full = run.run().ok();
    assert!(full.stdout.ends_with("code 1\nsame\n"), "{}{}", full.stdout, full.stderr);
    assert!(
        full.stderr.contains("error: ") && full.stderr.contains("No space left on device"),
        "{}",
        full.stderr
    );
    assert_is_old(&fixture);
}

#[test]
fn a_home_that_cannot_be_written_to_is_named_and_what_is_stored_can_be_used() {
    let fixture = fixture();
    fixture.write_config("[profile jan-work]\n");
    let script = "mount --bind \"$HOME\" \"$HOME\" && mount -o remount,ro,bind \"$HOME\" || exit 9\n\
        $H add --env --force jan-work; echo \"code $?\"\n\
        $H export -n jan-work; echo \"code $?\"; $H list --credentials; echo \"code $?\"";
    let Some(run) = with_mounts_and_key(&fixture, script) else { return };
    let output = run.run().ok();
    assert!(output.stdout.starts_with("code 1\n"), "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("Read-only file system"), "{}", output.stderr);
    let key = fixture.key("jan-work");
    let exported =
        format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\ncode 0\n", key.id, key.secret.expose());
    assert!(output.stdout.contains(&exported), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.ends_with("jan-work\ncode 0\n"), "{}", output.stdout);
    assert_is_old(&fixture);
}

#[test]
fn of_four_processes_that_add_fifty_keys_each_every_key_is_kept() {
    let fixture = fixture();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let fixture_variables = fixture.variables();
            scope.spawn(move || {
                for number in 0..50 {
                    Run::new(env!("CARGO_BIN_EXE_hatbox"), fixture_variables.clone())
                        .args(["add", "--env", "--no-add-config", &format!("w{writer}-{number}")])
                        .env("AWS_ACCESS_KEY_ID", format!("AKIA{writer}{number:015}"))
                        .env("AWS_SECRET_ACCESS_KEY", format!("secret{writer}{number:033}"))
                        .run()
                        .ok();
                }
            });
        }
    });
    let count = |fixture: &Fixture| {
        let listed = fixture.hatbox(&["list", "--credentials"]).run().ok();
        assert_eq!(listed.stderr, "");
        listed.stdout.lines().filter(|line| line.starts_with('w')).count()
    };
    assert_eq!(count(&fixture), 200);
    // The index that was updated with each change matches a rebuilt one.
    fs::remove_file(fixture.index()).unwrap();
    assert_eq!(count(&fixture), 200);
    fixture.write_config("[profile w3-49]\n");
    let last = fixture.hatbox(&["export", "-n", "w3-49"]).run().ok();
    assert!(last.stdout.contains(&format!("AWS_SECRET_ACCESS_KEY=secret3{:033}\n", 49)));
}
