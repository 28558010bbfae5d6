//! Which state of a store is trusted: an older state, a fork, another store or a missing one is detected, and accepted
//! only if the user says so.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::fixture::{Fixture, wrap_in};
use crate::run::Run;
use crate::store_scene::{
    FORGET_IT, USE_IT, assert_not_trusted, contents, copy, hand_over, home, private, put_back, trust,
};
use crate::terminal::Terminal;

#[test]
fn an_older_state_put_back_whole_or_in_part_is_noticed() {
    let fixture = home();
    let old = fixture.path("old");
    copy(&fixture.store(), &old);
    let item_of = |profile: &str| {
        let manifest = std::fs::read_to_string(fixture.store().join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let items = manifest["items"].as_object().unwrap();
        let before: Vec<_> = items.keys().cloned().collect();
        (profile.to_owned(), before)
    };
    let (_, before) = item_of("jan-work");
    fixture.add_run("jan-work", &["--force"]).run().ok();
    fixture.hatbox(&["remove", "-f", "other"]).run().ok();
    let new = fixture.path("new");
    copy(&fixture.store(), &new);
    // Single files: an old item under its own name and in place of the new one; a removed key; an old wrap.
    for file in &before {
        if !fixture.store().join("items").join(file).exists() {
            std::fs::copy(old.join("items").join(file), fixture.store().join("items").join(file)).unwrap();
        }
    }
    for lock in [false, true] {
        if lock {
            fixture.hatbox(&["lock"]).run().ok();
        }
        std::fs::remove_file(fixture.index()).unwrap();
        let listed = fixture.hatbox(&["list", "--credentials"]).run().ok();
        assert_eq!(listed.stdout, "jan-work\n", "a removed key does not come back");
        hand_over(&fixture, "other").expect_code(2);
        hand_over(&fixture, "jan-work").ok();
    }
    let replaced = std::fs::read_dir(new.join("items")).unwrap().map(|entry| entry.unwrap().file_name());
    let replaced: Vec<_> =
        replaced.filter(|file| !before.contains(&file.to_string_lossy().into_owned())).collect();
    let [newer] = replaced.as_slice() else { panic!("one new item, not {replaced:?}") };
    let opaque = newer.to_string_lossy().split('.').next().unwrap().to_owned();
    let older = before.iter().find(|file| file.starts_with(&opaque)).unwrap();
    std::fs::copy(old.join("items").join(older), fixture.store().join("items").join(newer)).unwrap();
    let broken = hand_over(&fixture, "jan-work");
    assert!(broken.code() != Some(0) && broken.stderr.contains("is damaged"), "{}", broken.stderr);
    assert_eq!(broken.stdout, "");
    // The manifest with all its files.
    put_back(&fixture, &old);
    for lock in [false, true] {
        if lock {
            fixture.hatbox(&["lock"]).run().ok();
        }
        assert_not_trusted(&fixture, "it is older (change");
    }
    put_back(&fixture, &new);
    hand_over(&fixture, "jan-work").ok();
}

#[test]
fn an_old_passphrase_does_not_open_the_store_when_its_wrap_is_put_back() {
    let fixture = home();
    let old = fixture.path("old");
    copy(&fixture.store(), &old);
    let change =
        "exec 8<<'E'\nsecond horse\nE\nexec \"$0\" store wrap add passphrase --replace --new-passphrase-fd 8";
    let shell = Run::new("/bin/sh", fixture.variables());
    shell.args(["-c", change, env!("CARGO_BIN_EXE_hatbox")]).run().ok();
    fixture.hatbox(&["lock"]).run().ok();
    let name = wrap_in(&old, "passphrase");
    std::fs::copy(&name, fixture.store().join(name.file_name().unwrap())).unwrap();
    let refused = hand_over(&fixture, "jan-work").expect_code(1);
    assert!(refused.stderr.contains("the passphrase is wrong"), "{}", refused.stderr);
    let put_back = std::fs::read(old.join("manifest.json")).unwrap();
    std::fs::write(fixture.store().join("manifest.json"), put_back).unwrap();
    assert_not_trusted(&fixture, "it is older (change");
}

#[test]
fn a_store_that_is_gone_is_missing_and_nothing_but_the_users_word_makes_another() {
    let fixture = home();
    let kept = fixture.path("kept");
    for is_held in [true, false] {
        for part in ["", "manifest.json", "items"] {
            copy(&fixture.store(), &kept);
            if !is_held {
                fixture.hatbox(&["lock"]).run().ok();
            }
            let gone = fixture.store().join(part);
            if gone.is_dir() { std::fs::remove_dir_all(&gone) } else { std::fs::remove_file(&gone) }.unwrap();
            let after = fixture.store().exists().then(|| contents(&fixture.store()));
            for command in [
                &["list"][..],
                &["list", "--unlock"],
                &["explain", "jan-work"],
                &["doctor"],
                &["store", "status"],
            ] {
                fixture.hatbox(command).run();
                assert_eq!(
                    fixture.store().exists().then(|| contents(&fixture.store())),
                    after,
                    "{part}: {command:?}"
                );
            }
            let added = fixture.add_run("other", &["--force"]).run().expect_code(3);
            let why = match part {
                "" => "its directory is gone",
                "items" => "its directory `items` is gone",
                _ => "no `manifest.json`",
            };
            assert!(added.stderr.contains(why), "{part}: {}", added.stderr);
            assert!(added.stderr.contains("hint: mount the disk"), "{}", added.stderr);
            let status = fixture.hatbox(&["store", "status"]).run().ok().stdout;
            assert!(status.contains("file            unavailable") && status.contains(why), "{status}");
            std::fs::remove_dir_all(fixture.store()).ok();
            copy(&kept, &fixture.store());
            std::fs::remove_dir_all(&kept).unwrap();
            hand_over(&fixture, "jan-work").ok();
        }
    }
    std::fs::remove_dir_all(fixture.store()).unwrap();
    let screen = trust(&fixture, FORGET_IT);
    assert!(screen.contains("the store is forgotten"), "{screen}");
    fixture.add_run("other", &[]).run().ok();
    hand_over(&fixture, "other").ok();
}

#[test]
fn trusting_a_store_shows_it_first_and_needs_a_typed_yes() {
    let (fixture, other) = (home(), home());
    let mine = fixture.hatbox(&["store", "trust"]).run().ok();
    assert!(mine.stdout.contains("there is nothing to decide"), "{}", mine.stdout);
    put_back(&fixture, &other.store());
    let nobody = fixture.hatbox(&["store", "trust"]).run().expect_code(4);
    assert!(nobody.stderr.contains("cannot ask for confirmation: there is no terminal"), "{}", nobody.stderr);
    for answer in ["y\n", "\n", "no\n", "YES\n"] {
        let mut terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
        terminal.wait_for_prompt(USE_IT);
        terminal.type_keys(answer);
        assert_eq!(terminal.wait().code(), Some(3), "{answer:?}");
    }
    fixture.hatbox(&["lock"]).run().ok();
    assert_not_trusted(&fixture, "was used here before");
    let guest = fixture.store().join("identity.guest.1.age");
    std::fs::copy(fixture.wrap("passphrase"), &guest).unwrap();
    let screen = trust(&fixture, USE_IT);
    for text in ["was used here before", "jan-work  ****", "added 20", "identity.guest.1.age: nothing shows"]
    {
        assert!(screen.contains(text), "{text}: {screen}");
    }
    let handed = hand_over(&fixture, "jan-work").ok();
    assert!(handed.stdout.contains(other.key("jan-work").secret.expose()));
}

/// A store that was restored on a new machine: a passphrase proves that it is the user's, an age plugin does not.
#[test]
fn a_store_that_was_never_used_here_is_pinned_by_its_passphrase() {
    let fixture = home();
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let first = hand_over(&fixture, "jan-work").ok();
    assert!(first.stderr.contains("is used here for the first time; its identity `"), "{}", first.stderr);
    assert_eq!(hand_over(&fixture, "jan-work").ok().stderr, "");
    // The settings may name the identity, so that no first use has to be trusted.
    let fingerprint = first.stderr.split('`').nth(3).unwrap().to_owned();
    assert_eq!(fingerprint.len(), 32, "{}", first.stderr);
    fixture.write_settings(&format!("backend = \"file\"\nstore_identity = \"{fingerprint}\"\n"));
    hand_over(&fixture, "jan-work").ok();
    fixture.write_settings(&format!("backend = \"file\"\nstore_identity = \"{}\"\n", "0".repeat(32)));
    assert_not_trusted(&fixture, "was used here before");
}

#[test]
fn a_damaged_pin_is_an_error_and_never_the_first_use() {
    let fixture = home();
    let pin = fixture.state().join("pin.json");
    for text in ["", "{}", "rubbish"] {
        std::fs::write(&pin, text).unwrap();
        for lock in [true, false] {
            if lock {
                fixture.hatbox(&["lock"]).run().ok();
            }
            let refused = hand_over(&fixture, "jan-work").expect_code(1);
            assert!(refused.stderr.contains("pin.json"), "{}", refused.stderr);
        }
    }
}

/// Two machines share a store and change the same state, so neither result is a later state of the other.
#[test]
fn a_state_that_was_made_beside_the_one_that_was_used_is_noticed() {
    let fixture = home();
    let fork = fixture.path("fork");
    copy(&fixture.store(), &fork);
    let state = fixture.path("state");
    copy(&fixture.path("home/.local/state"), &state);
    fixture.add_run("jan-work", &["--force"]).run().ok();
    let (mine, my_state) = (fixture.path("mine"), fixture.path("my-state"));
    copy(&fixture.store(), &mine);
    copy(&fixture.path("home/.local/state"), &my_state);
    // The other machine: its own pin, the earlier state, and its own change.
    put_back(&fixture, &fork);
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    copy(&state, &fixture.path("home/.local/state"));
    fixture.hatbox(&["remove", "-f", "other"]).run().ok();
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    copy(&my_state, &fixture.path("home/.local/state"));
    for lock in [false, true] {
        if lock {
            fixture.hatbox(&["lock"]).run().ok();
        }
        assert_not_trusted(&fixture, "it differs from the store that was used last");
    }
    put_back(&fixture, &mine);
    hand_over(&fixture, "jan-work").ok();
}

/// A prompt may be open for a long time. What another process adds meanwhile must not be lost.
#[test]
fn what_is_added_while_a_new_passphrase_or_a_yes_is_waited_for_is_not_lost() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config("[profile jan-work]\n[profile other]\n");
    let key = fixture.key("jan-work").clone();
    let add = || {
        fixture
            .hatbox(&["add", "--env", "--no-add-config", "--force", "other"])
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
    };
    let mut terminal =
        Terminal::start(&fixture.hatbox(&["store", "rekey"]).without("HATBOX_FILE_PASSPHRASE"));
    terminal.wait_for_prompt("New passphrase: ");
    let adding = add().spawn();
    // It waits for the store's lock, and takes it over from a process that is stuck.
    let added = crate::run::finish(adding, "add").ok();
    assert!(added.stderr.contains("stored the access key"), "{}", added.stderr);
    terminal.type_keys("second horse\n");
    terminal.wait_for_prompt("Repeat the passphrase: ");
    terminal.type_keys("second horse\n");
    assert_eq!(terminal.wait().code(), Some(1), "{}", terminal.transcript());
    let screen = terminal.screen().join(" ");
    assert!(screen.contains("another hatbox process changed it in the meantime"), "{screen}");
    for profile in ["jan-work", "other"] {
        hand_over(&fixture, profile).ok();
    }
    fixture.hatbox(&["store", "rekey"]).run().ok();
    for profile in ["jan-work", "other"] {
        hand_over(&fixture, profile).ok();
    }
    // Also if the store is about to be trusted.
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    fixture.hatbox(&["lock"]).run();
    let mut terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
    terminal.wait_for_prompt(USE_IT);
    fixture.hatbox(&["remove", "-f", "other"]).run().ok();
    add().run().ok();
    terminal.type_keys("yes\n");
    assert_eq!(terminal.wait().code(), Some(1), "{}", terminal.transcript());
    hand_over(&fixture, "other").ok();
}

/// No key is written to a store that no wrap opens, and the last intact wrap cannot be removed.
#[test]
fn a_store_that_nothing_opens_takes_no_key_and_its_last_whole_wrap_stays() {
    let fixture = home();
    fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().ok();
    let recovery = fixture.wrap("recovery");
    let good = std::fs::read(&recovery).unwrap();
    std::fs::write(&recovery, "garbage").unwrap();
    let refused = fixture.hatbox(&["store", "wrap", "remove", "passphrase"]).run().expect_code(3);
    assert!(refused.stderr.contains("is the only wrap of the store"), "{}", refused.stderr);
    std::fs::write(&recovery, good).unwrap();
    let kept = fixture.path("kept");
    copy(&fixture.store(), &kept);
    for name in ["passphrase", "recovery"] {
        std::fs::remove_file(fixture.wrap(name)).unwrap();
    }
    for lock in [false, true] {
        if lock {
            fixture.hatbox(&["lock"]).run().ok();
        }
        let refused = fixture.add_run("other", &["--force"]).run().expect_code(3);
        assert!(refused.stderr.contains("no `identity.*.age` is there"), "{}", refused.stderr);
    }
    put_back(&fixture, &kept);
    for entry in std::fs::read_dir(fixture.store().join("items")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let refused = fixture.add_run("other", &["--force"]).run().expect_code(3);
    assert!(refused.stderr.contains("its items are gone"), "{}", refused.stderr);
    // A link in place of the directory leads out of the store.
    let outside = fixture.path("outside");
    std::fs::remove_dir(fixture.store().join("items")).unwrap();
    copy(&kept.join("items"), &outside);
    private(&outside.join(".draft.tmp"), "mine");
    let before = contents(&outside);
    symlink(&outside, fixture.store().join("items")).unwrap();
    fixture.add_run("other", &["--force"]).run().expect_code(3);
    fixture.hatbox(&["doctor", "--fix"]).run();
    assert_eq!(contents(&outside), before);
    put_back(&fixture, &kept);
    hand_over(&fixture, "jan-work").ok();
}

#[test]
fn the_pin_of_a_store_is_found_however_its_path_is_written() {
    let fixture = home();
    let old = fixture.path("old");
    copy(&fixture.store(), &old);
    fixture.add_run("jan-work", &["--force"]).run().ok();
    put_back(&fixture, &old);
    fixture.hatbox(&["lock"]).run().ok();
    let store = fixture.store().display().to_string();
    for path in [
        store.clone(),
        format!("{store}/"),
        format!("{store}/."),
        format!("{store}/../store"),
        store.replace("/store", "//store"),
    ] {
        let refused = fixture.hatbox(&["--file-dir", &path, "export", "-n", "jan-work"]).run().expect_code(3);
        assert!(refused.stderr.contains("it is older (change"), "{path}: {}", refused.stderr);
    }
}

/// After a rekeying, the earlier cache key must not open anything that is written.
#[test]
fn a_cache_key_that_another_session_holds_is_given_up_after_a_rekey() {
    let session = ["session", "-", "keyctl", "add", "user", "hatbox-test", "x", "@s"];
    if !Command::new("keyctl").args(session).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no keyctl, or the kernel keyring is denied");
        return;
    }
    let fixture = Fixture::with_config(
        "[profile jan-work]\n[profile reader]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::444455556666:role/reader\n",
    );
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let names = || {
        let sessions = std::fs::read_dir(fixture.path("home/.cache/hatbox/sessions")).unwrap();
        sessions.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let before = names();
    // In a separate session keyring, so that this session keeps its entries.
    let rekey = Run::new("keyctl", fixture.variables());
    rekey.args(["session", "-", env!("CARGO_BIN_EXE_hatbox"), "store", "rekey"]).run().ok();
    std::fs::remove_dir_all(fixture.path("home/.cache/hatbox/sessions")).unwrap();
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(names().iter().all(|name| !before.contains(name)), "the names are keyed by the cache key");
}

/// Such as a store that is mounted read-only: nothing has to be written, so reading needs no lock.
#[test]
fn a_store_that_cannot_be_locked_is_read_all_the_same() {
    let fixture = home();
    let pin = fixture.state().join("pin.json");
    let before = std::fs::read(&pin).unwrap();
    fixture.add_run("jan-work", &["--force"]).run().ok();
    // Another machine has changed the store meanwhile.
    std::fs::write(&pin, before).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let lock = fixture.store().join("lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let handed = hand_over(&fixture, "jan-work").ok();
    assert!(handed.stdout.contains(fixture.key("jan-work").secret.expose()));
    fixture.add_run("other", &["--force"]).run().expect_code(1);
}

#[test]
fn the_seeds_of_a_store_are_shown_before_it_is_trusted() {
    let fixture = home();
    let seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let store_seed = ["mfa", "store-seed", "--stdin", "--mfa-serial", crate::cast::PHONE, "jan-work"];
    fixture.hatbox(&store_seed).input(seed).run().ok();
    let old = fixture.path("old");
    copy(&fixture.store(), &old);
    fixture.add_run("jan-work", &["--force"]).run().ok();
    put_back(&fixture, &old);
    let terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
    terminal.wait_for_prompt(USE_IT);
    let screen = terminal.screen();
    let seeds = screen.iter().find(|line| line.starts_with("Seeds ")).unwrap();
    assert!(seeds.contains(" jan-work ") && seeds.contains(" added ") && !seeds.contains(seed), "{screen:?}");
}
