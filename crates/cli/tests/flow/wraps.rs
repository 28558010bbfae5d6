//! The ways to open the encrypted files: passphrase, recovery passphrase and age plugin; and rekeying.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::fixture::{Fixture, PASSPHRASE, wrap_in};
use crate::run::Run;
use crate::terminal::Terminal;

/// The toy plugin's identity, which names no key, as the plugin has only one.
const TOY: &str = "# made by hand\nAGE-PLUGIN-TOY-177ZNG8\n";

fn home() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "other"]);
    fixture.write_config("[profile jan-work]\n[profile other]\n");
    fixture
}

/// Runs hatbox with no other passphrase than the given one.
fn with_passphrase(fixture: &Fixture, passphrase: &str, arguments: &[&str]) -> Run {
    fixture.hatbox(arguments).env("HATBOX_FILE_PASSPHRASE", passphrase)
}

fn export(fixture: &Fixture, passphrase: &str) -> Run {
    fixture.hatbox(&["lock"]).run().ok();
    with_passphrase(fixture, passphrase, &["export", "-n", "jan-work"])
}

#[track_caller]
fn assert_opens(fixture: &Fixture, passphrase: &str) {
    let exported = export(fixture, passphrase).run().ok();
    assert!(exported.stdout.contains(fixture.key("jan-work").secret.expose()));
    assert_eq!(exported.stderr, "");
}

#[track_caller]
fn assert_does_not_open(fixture: &Fixture, passphrase: &str) {
    let refused = export(fixture, passphrase).run().expect_code(1);
    assert!(refused.stderr.contains("the passphrase is wrong"), "{}", refused.stderr);
}

/// Puts the toy plugin and its key on PATH. Returns `None` and prints the reason if Python is missing.
fn plug_in(fixture: &Fixture) -> Option<()> {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return None;
    }
    let program = fixture.path("bin/age-plugin-toy");
    std::fs::write(&program, include_str!("data/age-plugin-toy")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(fixture.path("toy.key"), "0123456789abcdef").unwrap();
    std::fs::write(fixture.path("home/toy.txt"), TOY).unwrap();
    Some(())
}

fn with_toy(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(arguments).env("TOY_KEY", fixture.path("toy.key"))
}

#[test]
fn a_recovery_passphrase_is_shown_once_and_opens_the_store_beside_the_usual_one() {
    let fixture = home();
    let added = fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().ok();
    let recovery = added.stdout.trim();
    assert!(recovery.starts_with("hatbox-recovery-") && recovery.len() == 51, "{recovery}");
    assert_eq!(
        added.stderr,
        "hatbox: this recovery passphrase opens the store; write it down: it is not shown again\n"
    );
    let listed = fixture.hatbox(&["store", "wrap", "list"]).run().ok();
    let table = "Wrap        Opened by\npassphrase  your passphrase\nrecovery    the recovery passphrase\n";
    assert_eq!(listed.stdout, table);
    assert_opens(&fixture, recovery);
    assert_opens(&fixture, &recovery.to_uppercase().replace('0', "O"));
    assert_opens(&fixture, PASSPHRASE);
    assert_does_not_open(&fixture, "hatbox-recovery-00000-00000-00000-00000-00000-00000");
    let again = fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().expect_code(3);
    assert_eq!(
        again.stderr,
        "hatbox: error: the store already has a wrap `recovery`\n\
         hatbox: hint: add --replace to replace it\n"
    );
    let replaced = fixture.hatbox(&["store", "wrap", "add", "recovery", "--replace"]).run().ok();
    assert_does_not_open(&fixture, recovery);
    assert_opens(&fixture, replaced.stdout.trim());
    fixture.hatbox(&["store", "wrap", "remove", "recovery"]).run().ok();
    assert_does_not_open(&fixture, replaced.stdout.trim());
    assert_opens(&fixture, PASSPHRASE);
    let last = fixture.hatbox(&["store", "wrap", "remove", "passphrase"]).run().expect_code(3);
    assert!(last.stderr.contains("`passphrase` is the only wrap of the store"), "{}", last.stderr);
    let none = fixture.hatbox(&["store", "wrap", "remove", "yubikey"]).run().expect_code(2);
    assert!(none.stderr.contains("the store has no wrap `yubikey`, only `passphrase`"), "{}", none.stderr);
}

#[test]
fn the_passphrase_is_changed_on_the_terminal_or_by_a_descriptor() {
    let fixture = home();
    let change = ["store", "wrap", "add", "passphrase", "--replace"];
    let mut terminal = Terminal::start(&fixture.hatbox(&change));
    terminal.wait_for_prompt("New passphrase: ");
    terminal.type_keys("second horse\n");
    terminal.wait_for_prompt("Repeat the passphrase: ");
    terminal.type_keys("second horse\n");
    assert!(terminal.wait().success());
    assert!(!terminal.transcript().contains("second horse"));
    assert_does_not_open(&fixture, PASSPHRASE);
    assert_opens(&fixture, "second horse");
    let line = "exec 8<<'E'\nthird horse\nE\nexec \"$0\" \"$@\" --new-passphrase-fd 8";
    let shell = Run::new("/bin/sh", fixture.variables()).env("HATBOX_FILE_PASSPHRASE", "second horse");
    shell.args(["-c", line, env!("CARGO_BIN_EXE_hatbox")]).args(change).run().ok();
    assert_opens(&fixture, "third horse");
    assert_does_not_open(&fixture, "second horse");
}

#[test]
fn an_age_plugin_opens_the_store_with_a_touch_and_without_it_the_passphrase_is_asked_for() {
    let fixture = home();
    if plug_in(&fixture).is_none() {
        return;
    }
    let identity = fixture.path("home/toy.txt");
    let add = ["store", "wrap", "add", "plugin", "--identity", identity.to_str().unwrap()];
    let added = with_toy(&fixture, &add).run().ok();
    assert_eq!(added.stderr, "hatbox: `age-plugin-toy` now opens the store (wrap `toy`)\n");
    let listed = fixture.hatbox(&["store", "wrap", "list", "--json"]).run().ok();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(
        listed["wraps"][1],
        serde_json::json!({"name": "toy", "kind": "plugin", "plugin": "toy", "made_by_hatbox": true})
    );
    fixture.hatbox(&["lock"]).run().ok();
    let exec = ["exec", "-n", "jan-work", "--", "echo", "in"];
    let mut terminal = Terminal::start(&with_toy(&fixture, &exec).without("HATBOX_FILE_PASSPHRASE"));
    assert!(terminal.wait().success());
    assert_eq!(terminal.screen().join("\n"), "age-plugin-toy: touch the toy\nin");
    // The PIN is not shown.
    fixture.hatbox(&["lock"]).run().ok();
    let run = with_toy(&fixture, &exec).without("HATBOX_FILE_PASSPHRASE").env("TOY_PIN", "86420");
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt("age-plugin-toy: PIN: ");
    terminal.type_keys("86420\n");
    assert!(terminal.wait().success());
    assert!(!terminal.transcript().contains("86420"));
    // If the key is not plugged in or the plugin is missing, hatbox asks for the passphrase.
    for (run, why) in [
        (
            fixture.hatbox(&exec),
            "'age-plugin-toy' couldn't use an identity: the toy is not plugged in\\u001b[31m",
        ),
        (fixture.hatbox(&exec).env("PATH", "/nonexistent:/usr/bin:/bin"), "`age-plugin-toy` is not on PATH"),
    ] {
        fixture.hatbox(&["lock"]).run().ok();
        let mut terminal = Terminal::start(&run.without("HATBOX_FILE_PASSPHRASE"));
        terminal.wait_for_prompt("Passphrase of the hatbox store: ");
        terminal.type_keys(&format!("{PASSPHRASE}\n"));
        assert!(terminal.wait().success());
        let shown = terminal.screen().join("");
        assert!(shown.contains(why), "{shown}");
    }
    // With an available passphrase, no touch of a security key is needed.
    assert_opens(&fixture, PASSPHRASE);
}

#[test]
fn a_plugin_that_is_the_only_way_and_hangs_or_fails_is_named() {
    let fixture = home();
    if plug_in(&fixture).is_none() {
        return;
    }
    fixture.write_settings("backend = \"file\"\nprompt_timeout = \"1s\"\n");
    let identity = fixture.path("home/toy.txt");
    let add = ["store", "wrap", "add", "plugin", "--name", "desk", "--identity", identity.to_str().unwrap()];
    with_toy(&fixture, &add).run().ok();
    fixture.hatbox(&["store", "wrap", "remove", "passphrase"]).run().ok();
    let export = |run: Run| {
        fixture.hatbox(&["lock"]).run().ok();
        run.args(["export", "-n", "jan-work"])
    };
    let exported = export(with_toy(&fixture, &[])).run().ok();
    assert!(exported.stdout.contains(fixture.key("jan-work").secret.expose()));
    let failed = export(fixture.hatbox(&[])).run().expect_code(130);
    assert!(failed.stderr.contains("caused by: the age plugin failed: 'age-plugin-toy' couldn't use an identity: the toy is not plugged in"));
    let hung = export(with_toy(&fixture, &[]).env("TOY_HANGS", "1")).run().expect_code(130);
    assert!(hung.stderr.contains("caused by: `age-plugin-toy` did not answer in time"), "{}", hung.stderr);
}

#[test]
fn a_wrap_that_hatbox_did_not_make_is_reported_and_shown() {
    let fixture = home();
    let guest = fixture.store().join("identity.guest.2.age");
    std::fs::copy(fixture.wrap("passphrase"), &guest).unwrap();
    std::fs::set_permissions(&guest, std::fs::Permissions::from_mode(0o600)).unwrap();
    let exported = export(&fixture, PASSPHRASE).run().ok();
    assert!(exported.stderr.contains("identity.guest.2.age` is not part of the store, and is not used"));
    let listed = fixture.hatbox(&["store", "wrap", "list"]).run().ok();
    assert!(listed.stdout.contains("(not part of the store: not used)"), "{}", listed.stdout);
    // Adding another wrap does not add this one to the manifest.
    fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().ok();
    let listed = fixture.hatbox(&["store", "wrap", "list"]).run().ok();
    assert_eq!(listed.stdout.matches("(not part of the store: not used)").count(), 1, "{}", listed.stdout);
}

#[test]
fn rekeying_seals_everything_again_and_what_was_known_before_opens_nothing() {
    let fixture = home();
    let recovery = fixture.hatbox(&["store", "wrap", "add", "recovery"]).run().ok().stdout;
    fixture.hatbox(&["exec", "jan-work", "--", "true"]).run().ok();
    let before: Vec<_> = fixture.files().into_iter().filter(|path| path.ends_with("items")).collect();
    let old_store = fixture.path("old");
    let copied = Command::new("cp").arg("-a").args([fixture.store(), old_store.clone()]).status().unwrap();
    assert!(copied.success());
    let rekeyed = fixture.hatbox(&["store", "rekey"]).run().ok();
    assert_eq!(
        rekeyed.stderr,
        "hatbox: the passphrase stays the one that HATBOX_FILE_PASSPHRASE gives\n\
         hatbox: encrypted 2 access keys with a new identity\n\
         hatbox: cached sessions will be obtained again when they are needed\n\
         hatbox: this recovery passphrase opens the store; write it down: it is not shown again\n"
    );
    assert_opens(&fixture, PASSPHRASE);
    assert_opens(&fixture, rekeyed.stdout.trim());
    assert_does_not_open(&fixture, recovery.trim());
    for path in fixture.files() {
        assert!(!before.contains(&path), "{}", path.display());
    }
    // A restored old wrap is not used, even under the name of the new one.
    let (old, new) = (wrap_in(&old_store, "passphrase"), fixture.wrap("passphrase"));
    std::fs::copy(&old, fixture.store().join(old.file_name().unwrap())).unwrap();
    let exported = export(&fixture, PASSPHRASE).run().ok();
    assert!(exported.stderr.contains("is not part of the store, and is not used"), "{}", exported.stderr);
    std::fs::remove_file(fixture.store().join(old.file_name().unwrap())).unwrap();
    let good = std::fs::read(&new).unwrap();
    std::fs::copy(&old, &new).unwrap();
    let exported = export(&fixture, rekeyed.stdout.trim()).run().ok();
    assert!(
        exported.stderr.contains("is damaged: it is not the file that hatbox wrote"),
        "{}",
        exported.stderr
    );
    std::fs::write(&new, good).unwrap();
    assert_opens(&fixture, PASSPHRASE);
    let left = std::fs::read_dir(fixture.store()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("rekey") || name == "items.old"), "{left:?}");
}

#[test]
fn a_damaged_item_stops_rekeying_before_anything_has_changed() {
    let fixture = home();
    let items = fixture.store().join("items");
    let item = std::fs::read_dir(&items).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&item).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&item, bytes).unwrap();
    let before = fixture.files();
    let refused = fixture.hatbox(&["store", "rekey"]).run().expect_code(1);
    let name = item.file_name().unwrap().to_str().unwrap();
    assert!(
        refused.stderr.contains(&format!("item `{name}` in the file store is damaged")),
        "{}",
        refused.stderr
    );
    assert_eq!(fixture.files(), before);
}

/// Debian's `age` is the Go program, an independent implementation of the format.
#[test]
fn the_go_program_age_opens_what_hatbox_wrote_and_the_reverse() {
    if Command::new("age").arg("--version").output().is_err() {
        eprintln!("skipped: there is no age");
        return;
    }
    let fixture = home();
    let identity = fixture.path("identity.txt");
    let open = ["--decrypt", "--output", identity.to_str().unwrap()];
    let wrap = fixture.wrap("passphrase");
    let mut terminal = Terminal::start(&Run::new("age", fixture.variables()).args(open).args([&wrap]));
    terminal.wait_for("Enter passphrase", 1);
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    let mut found = 0;
    for entry in std::fs::read_dir(fixture.store().join("items")).unwrap() {
        let opened = Run::new("age", fixture.variables())
            .args(["--decrypt", "--identity", identity.to_str().unwrap()])
            .args([entry.unwrap().path()])
            .run()
            .ok();
        let item: serde_json::Value = serde_json::from_str(&opened.stdout).unwrap();
        let secret: Vec<u8> = item["secret"]
            .as_str()
            .unwrap()
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        found += usize::from(secret == fixture.key("jan-work").secret.expose().as_bytes());
    }
    assert_eq!(found, 1, "jan's secret, in one item");
    // In reverse: age wraps the same identity with another passphrase, which opens the store once the user trusts it.
    std::fs::remove_file(&wrap).unwrap();
    let close = ["--passphrase", "--output", wrap.to_str().unwrap(), identity.to_str().unwrap()];
    let mut terminal = Terminal::start(&Run::new("age", fixture.variables()).args(close));
    terminal.wait_for("Enter passphrase", 1);
    terminal.type_keys("made by age\n");
    terminal.wait_for("Confirm passphrase", 1);
    terminal.type_keys("made by age\n");
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    std::fs::set_permissions(&wrap, std::fs::Permissions::from_mode(0o600)).unwrap();
    let refused = export(&fixture, "made by age").run().expect_code(1);
    assert!(refused.stderr.contains("it is not the file that hatbox wrote"), "{}", refused.stderr);
    let mut terminal = Terminal::start(&with_passphrase(&fixture, "made by age", &["store", "trust"]));
    terminal.wait_for_prompt("Use this store from now on? Type `yes`: ");
    terminal.type_keys("yes\n");
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    assert_opens(&fixture, "made by age");
}

/// age would run the first program of this name on PATH and give it the wrap.
#[test]
fn a_plugin_in_the_working_directory_is_not_run() {
    let fixture = home();
    if plug_in(&fixture).is_none() {
        return;
    }
    let identity = fixture.path("home/toy.txt");
    with_toy(&fixture, &["store", "wrap", "add", "plugin", "--identity", identity.to_str().unwrap()])
        .run()
        .ok();
    let here = fixture.path("here");
    std::fs::create_dir_all(&here).unwrap();
    std::fs::copy(fixture.path("bin/age-plugin-toy"), here.join("age-plugin-toy")).unwrap();
    let line = "cd \"$HERE\" && exec \"$0\" exec -n jan-work -- echo in";
    for start in [".", "", "./"] {
        fixture.hatbox(&["lock"]).run().ok();
        let run = Run::new("/bin/sh", fixture.variables())
            .args(["-c", line, env!("CARGO_BIN_EXE_hatbox")])
            .env("HERE", &here)
            .env("TOY_KEY", fixture.path("toy.key"))
            .env("PATH", format!("{start}:/usr/bin:/bin"))
            .without("HATBOX_FILE_PASSPHRASE");
        let mut terminal = Terminal::start(&run);
        terminal.wait_for_prompt("Passphrase of the hatbox store: ");
        terminal.type_keys(&format!("{PASSPHRASE}\n"));
        assert!(terminal.wait().success());
        let shown = terminal.screen().join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("is found by an entry of PATH that is not absolute"), "{start:?}: {shown}");
        assert!(!shown.contains("touch the toy"), "{start:?}: {shown}");
    }
}

/// Before the manifest is verified, any program could have listed a wrap and thus choose which plugin runs.
#[test]
fn a_plugin_that_was_not_there_when_the_store_was_last_used_is_not_run() {
    let fixture = home();
    if plug_in(&fixture).is_none() {
        return;
    }
    let before = std::fs::read(fixture.state().join("pin.json")).unwrap();
    let identity = fixture.path("home/toy.txt");
    with_toy(&fixture, &["store", "wrap", "add", "plugin", "--identity", identity.to_str().unwrap()])
        .run()
        .ok();
    // As on another machine that has not used the store since the plugin was added.
    std::fs::write(fixture.state().join("pin.json"), before).unwrap();
    fixture.hatbox(&["lock"]).run().ok();
    let exec = ["exec", "-n", "jan-work", "--", "echo", "in"];
    let mut terminal = Terminal::start(&with_toy(&fixture, &exec).without("HATBOX_FILE_PASSPHRASE"));
    terminal.wait_for_prompt("Passphrase of the hatbox store: ");
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    assert!(terminal.wait().success());
    let shown = terminal.screen().join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!shown.contains("touch the toy"), "{shown}");
    assert!(shown.contains("the wrap `toy` is not used until a passphrase has opened the store"), "{shown}");
    // Now the plugin is known on this machine.
    fixture.hatbox(&["lock"]).run().ok();
    let mut terminal = Terminal::start(&with_toy(&fixture, &exec).without("HATBOX_FILE_PASSPHRASE"));
    assert!(terminal.wait().success());
    assert!(terminal.screen().join(" ").contains("touch the toy"));
}
