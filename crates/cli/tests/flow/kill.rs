//! Kills a run at many system calls, and makes each system call on files fail: the result is the old state or the new
//! one.

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::strace::{fail_at_each_call, is_strace_there, kill_at_points};

const CONFIG: &str = "# mine
[profile jan-work]

[profile other]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile admin]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/admin
";

/// A store with two keys, and a third key that is not stored.
fn fixture() -> Fixture {
    let fixture = Fixture::empty(&["jan-work", "other", "newer"]);
    fixture.write_config(CONFIG);
    for profile in ["jan-work", "other"] {
        fixture.add_run(profile, &[]).run().ok();
    }
    fixture
}

/// Returns the access key that is handed over for a profile.
fn handed_over(fixture: &Fixture, profile: &str, when: &str) -> String {
    let outcome = fixture.hatbox(&["export", "-n", profile]).run();
    assert_eq!(outcome.code(), Some(0), "{when}: {}", outcome.stderr);
    assert_eq!(outcome.stderr, "", "{when}");
    outcome.stdout
}

fn lines_of(fixture: &Fixture, key: &str) -> String {
    let key = fixture.key(key);
    format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.id, key.secret.expose())
}

/// Checks that the list shows both keys without a warning.
fn check_list(fixture: &Fixture, when: &str) {
    let list = fixture.hatbox(&["list", "--credentials"]).run();
    assert_eq!((list.code(), list.stderr.as_str()), (Some(0), ""), "{when}");
    assert_eq!(list.stdout, "jan-work\nother\n", "{when}");
}

#[test]
fn add_killed_anywhere_leaves_the_old_key_and_config_or_the_new_ones() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let newer = fixture.key("newer").clone();
    let add = fixture
        .hatbox(&["add", "--env", "--force", "--mfa-serial", PHONE, "jan-work"])
        .env("AWS_ACCESS_KEY_ID", &newer.id)
        .env("AWS_SECRET_ACCESS_KEY", newer.secret.expose());
    let (old, new) = (lines_of(&fixture, "jan-work"), lines_of(&fixture, "newer"));
    let new_config =
        CONFIG.replace("[profile jan-work]\n", &format!("[profile jan-work]\nmfa_serial={PHONE}\n"));
    let (mut seen_old, mut seen_new) = (0, 0);
    let seen = std::cell::RefCell::new((&mut seen_old, &mut seen_new));
    let writing = kill_at_points(&fixture, &add, (40, 60), |when| {
        let config = std::fs::read_to_string(fixture.config_path()).unwrap();
        assert!(config == CONFIG || config == new_config, "{when}: the config is\n{config}");
        check_list(&fixture, when);
        let key = handed_over(&fixture, "jan-work", when);
        assert!(key == old || key == new, "{when}: the key is neither");
        assert!(config == CONFIG || key == new, "{when}: the config comes last");
        assert_eq!(handed_over(&fixture, "other", when), lines_of(&fixture, "other"), "{when}");
        let mut seen = seen.borrow_mut();
        if key == old { *seen.0 += 1 } else { *seen.1 += 1 }
    });
    assert!(writing >= 50, "only {writing} kills while it was writing");
    assert!(seen_old > 0 && seen_new > 0, "old {seen_old}, new {seen_new}: both must come up");
}

#[test]
fn add_that_meets_an_error_at_any_call_loses_no_key() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let newer = fixture.key("newer").clone();
    let add = fixture
        .hatbox(&["add", "--env", "--force", "jan-work"])
        .env("AWS_ACCESS_KEY_ID", &newer.id)
        .env("AWS_SECRET_ACCESS_KEY", newer.secret.expose());
    let (old, new) = (lines_of(&fixture, "jan-work"), lines_of(&fixture, "newer"));
    for error in ["EIO", "ENOSPC"] {
        let count = fail_at_each_call(&fixture, &add, error, |when| {
            assert_eq!(std::fs::read_to_string(fixture.config_path()).unwrap(), CONFIG, "{when}");
            fixture.hatbox(&["lock"]).run();
            check_list(&fixture, when);
            let key = handed_over(&fixture, "jan-work", when);
            assert!(key == old || key == new, "{when}: the key is neither");
            assert_eq!(handed_over(&fixture, "other", when), lines_of(&fixture, "other"), "{when}");
        });
        assert!(count >= 15, "only {count} calls");
    }
}

#[test]
fn rekeying_that_meets_an_error_at_any_call_loses_no_key() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let rekey = fixture.hatbox(&["store", "rekey"]);
    let count = fail_at_each_call(&fixture, &rekey, "EIO", |when| {
        fixture.hatbox(&["lock"]).run();
        for profile in ["jan-work", "other"] {
            let handed = fixture.hatbox(&["export", "-n", profile]).run();
            assert_eq!(handed.code(), Some(0), "{when}: {}", handed.stderr);
            assert_eq!(handed.stdout, lines_of(&fixture, profile), "{when}");
        }
    });
    assert!(count >= 30, "only {count} calls");
}

#[test]
fn the_first_add_killed_anywhere_can_be_done_again() {
    if !is_strace_there() {
        return;
    }
    let fixture = Fixture::empty(&["jan-work"]);
    std::fs::create_dir_all(fixture.home()).unwrap();
    let add = fixture.add_run("jan-work", &["--force"]);
    kill_at_points(&fixture, &add, (6, 18), |when| {
        let list = fixture.hatbox(&["list"]).run();
        let has_nothing_to_report = list.stderr.is_empty() || list.stderr.contains("nothing is set up yet");
        assert!(list.code() == Some(0) && has_nothing_to_report, "{when}: {}", list.stderr);
        let again = add.run();
        assert_eq!(again.code(), Some(0), "{when}: {}", again.stderr);
        assert_eq!(handed_over(&fixture, "jan-work", when), lines_of(&fixture, "jan-work"), "{when}");
        fixture.hatbox(&["lock"]).run().ok();
    });
}

#[test]
fn clear_killed_anywhere_leaves_a_cache_that_works() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    for profile in ["reader", "admin", "other"] {
        fixture.hatbox(&["exec", profile, "--", "true"]).run().ok();
    }
    let clear = fixture.hatbox(&["clear"]);
    kill_at_points(&fixture, &clear, (26, 10), |when| {
        check_list(&fixture, when);
        let sessions = fixture.hatbox(&["list", "--sessions"]).run().ok().stdout;
        assert!(sessions.lines().count() <= 3, "{when}");
        let again = fixture.hatbox(&["exec", "reader", "--", "true"]).run();
        assert_eq!(again.code(), Some(0), "{when}: {}", again.stderr);
    });
}

#[test]
fn exec_killed_anywhere_leaves_a_store_and_cache_that_work() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let exec = fixture.hatbox(&["exec", "reader", "--", "true"]);
    let count = || fixture.hatbox(&["list", "--sessions"]).run().ok().stdout.lines().count();
    let (mut without, mut with) = (0, 0);
    let seen = std::cell::RefCell::new((&mut without, &mut with));
    kill_at_points(&fixture, &exec, (30, 20), |when| {
        assert_eq!(std::fs::read_to_string(fixture.config_path()).unwrap(), CONFIG, "{when}");
        check_list(&fixture, when);
        let sessions = count();
        assert!(sessions <= 1, "{when}");
        let mut seen = seen.borrow_mut();
        if sessions == 0 {
            *seen.0 += 1;
        } else {
            *seen.1 += 1;
        }
        let again = exec.run();
        assert_eq!(again.code(), Some(0), "{when}: {}", again.stderr);
    });
    assert!(without > 0 && with > 0, "without a session {without}, with one {with}: both must come up");
}

/// A session can be obtained again, so it is only renamed into place. A session damaged by a power failure is replaced.
#[test]
fn a_session_is_saved_without_waiting_for_the_disk_and_a_damaged_one_counts_as_none() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let report = fixture.path("trace");
    let flags = ["-f", "-e", "trace=fsync,fdatasync,sync,syncfs,rename", "-o", report.to_str().unwrap()];
    let exec = fixture.hatbox(&["exec", "reader", "--", "true"]);
    exec.clone().under("strace", &flags).run().ok();
    let calls = std::fs::read_to_string(&report).unwrap();
    let renamed = calls.lines().find(|line| line.contains("rename(")).unwrap();
    assert!(renamed.contains("/sessions/") && !calls.contains("sync"), "{calls}");
    let session = renamed.split('"').nth(3).unwrap();
    let whole = std::fs::read(session).unwrap();
    for left in [0, 10, whole.len() - 1] {
        std::fs::write(session, &whole[..left]).unwrap();
        let again = exec.run();
        assert_eq!(again.code(), Some(0), "{left}: {}", again.stderr);
        assert_eq!(std::fs::read(session).unwrap().len(), whole.len(), "{left}");
    }
}

/// Checks that every file of a store is listed in its manifest: others may hold the keys, sealed under a passphrase that
/// was given up. The one file that was being written is removed an hour later.
fn check_files(fixture: &Fixture, when: &str) {
    let manifest = std::fs::read_to_string(fixture.store().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let mut drafts = 0;
    for (directory, list) in [("", "wraps"), ("items", "items")] {
        for entry in std::fs::read_dir(fixture.store().join(directory)).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let is_own =
                directory.is_empty() && ["manifest.json", "items", "lock", "unlock.lock"].contains(&&*file);
            let is_draft = file.starts_with('.')
                && std::path::Path::new(&*file).extension().is_some_and(|end| end == "tmp");
            drafts += usize::from(is_draft);
            let is_listed = manifest[list].get(&file).is_some();
            assert!(is_own || is_draft || is_listed, "{when}: {directory}/{file} is left");
        }
    }
    assert!(drafts <= 1, "{when}: {drafts} drafts are left");
}

#[test]
fn rekeying_killed_anywhere_leaves_the_old_store_or_the_new_one() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let rekey = fixture.hatbox(&["store", "rekey"]);
    let identity = || {
        let entries = std::fs::read_dir(fixture.store()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut files: Vec<_> =
            entries.filter(|file| file.to_string_lossy().starts_with("identity.")).collect();
        files.sort();
        files
    };
    let old = identity();
    let (mut seen_old, mut seen_new) = (0, 0);
    let seen = std::cell::RefCell::new((&mut seen_old, &mut seen_new));
    kill_at_points(&fixture, &rekey, (5, 45), |when| {
        fixture.hatbox(&["lock"]).run();
        for profile in ["jan-work", "other"] {
            assert_eq!(handed_over(&fixture, profile, when), lines_of(&fixture, profile), "{when}");
        }
        check_list(&fixture, when);
        check_files(&fixture, when);
        let mut seen = seen.borrow_mut();
        if identity() == old {
            *seen.0 += 1;
        } else {
            *seen.1 += 1;
        }
    });
    assert!(seen_old > 0 && seen_new > 0, "old {seen_old}, new {seen_new}: both must come up");
}

#[test]
fn changing_the_wraps_killed_anywhere_leaves_a_store_that_opens_and_reports_nothing() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().ok();
    for change in [&["add", "recovery", "--replace"][..], &["remove", "recovery"]] {
        let run = fixture.hatbox(&["store", "wrap"]).args(change);
        kill_at_points(&fixture, &run, (2, 12), |when| {
            fixture.hatbox(&["lock"]).run();
            check_list(&fixture, when);
            assert_eq!(handed_over(&fixture, "other", when), lines_of(&fixture, "other"), "{when}");
        });
    }
}

#[test]
fn importing_plain_keys_killed_anywhere_leaves_each_key_in_one_place_at_least() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let newer = fixture.key("newer").clone();
    let plain = format!(
        "# mine\n[newer]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = x\n",
        newer.id,
        newer.secret.expose()
    );
    let file = fixture.path("home/.aws/credentials");
    std::fs::write(&file, &plain).unwrap();
    let import = fixture.hatbox(&["import", "credentials", "--yes", "--no-check"]);
    let (mut seen_old, mut seen_new) = (0, 0);
    let seen = std::cell::RefCell::new((&mut seen_old, &mut seen_new));
    let writing = kill_at_points(&fixture, &import, (20, 40), |when| {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_whole = text == plain;
        assert!(is_whole || text == "# mine\n[newer]\nregion = x\n", "{when}: the file is\n{text}");
        let list = fixture.hatbox(&["list", "--credentials"]).run();
        assert_eq!((list.code(), list.stderr.as_str()), (Some(0), ""), "{when}");
        let is_stored = list.stdout.lines().any(|line| line == "newer");
        assert!(is_whole || is_stored, "{when}: the key is nowhere");
        if !is_whole {
            let handed = handed_over(&fixture, "newer", when);
            assert!(handed.starts_with(&lines_of(&fixture, "newer")), "{when}: {handed}");
            let backups = fixture.hatbox(&["import", "credentials", "--list-backups"]).run().ok();
            assert!(!backups.stdout.is_empty(), "{when}: there is no backup");
        }
        for profile in ["jan-work", "other"] {
            assert_eq!(handed_over(&fixture, profile, when), lines_of(&fixture, profile), "{when}");
        }
        let mut seen = seen.borrow_mut();
        if is_whole { *seen.0 += 1 } else { *seen.1 += 1 }
    });
    assert!(writing >= 30, "only {writing} kills while it was writing");
    assert!(seen_old > 0 && seen_new > 0, "old {seen_old}, new {seen_new}: both must come up");
}

#[test]
fn importing_from_aws_vault_killed_anywhere_leaves_its_files_until_the_keys_are_stored() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let keys = fixture.path("home/.awsvault/keys");
    std::fs::create_dir_all(&keys).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/data/aws-vault/keys/team%2Fdev");
    let file = keys.join("team%2Fdev");
    std::fs::copy(source, &file).unwrap();
    let import = fixture
        .hatbox(&["import", "aws-vault", "--from", "file", "--delete-source", "--yes"])
        .env("AWS_VAULT_FILE_PASSPHRASE", "vault horse");
    kill_at_points(&fixture, &import, (15, 25), |when| {
        let list = fixture.hatbox(&["list", "--credentials"]).run();
        assert_eq!((list.code(), list.stderr.as_str()), (Some(0), ""), "{when}");
        let is_stored = list.stdout.lines().any(|line| line == "team/dev");
        let is_there = file.exists();
        if is_there {
            assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(source).unwrap(), "{when}");
        }
        assert!(is_there || is_stored, "{when}: the key is nowhere");
    });
    // Whatever state the last kill left, running the command again completes it.
    import.run().ok();
    assert!(!file.exists());
    assert!(fixture.hatbox(&["list", "--credentials"]).run().ok().stdout.contains("team/dev\n"));
}
