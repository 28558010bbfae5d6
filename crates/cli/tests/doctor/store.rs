//! The store in every state, and the MFA prompt, when nobody can answer.

use crate::home::{Home, PASSPHRASE, found, is_here};

fn summary(report: &serde_json::Value, topic: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["topic"] == topic);
    check.map(|check| check["summary"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn a_locked_store_says_so_and_an_unlocked_one_what_it_holds() {
    let home = Home::with_store();
    let locked = home.report(&[], &[]);
    assert_eq!(found(&locked), ["store-locked -"]);
    assert_eq!(
        summary(&locked, "store"),
        "`file` is locked (set by ~/.config/hatbox/config.toml), opened by passphrase"
    );
    assert_eq!(summary(&locked, "profiles"), "each has a credential plan (the store is locked)");
    let variable = [("HATBOX_FILE_PASSPHRASE", PASSPHRASE)];
    let open = home.report(&[], &variable);
    let text =
        "`file` is unlocked (set by ~/.config/hatbox/config.toml), with 1 access key, opened by passphrase";
    assert_eq!(summary(&open, "store"), text);
    let rest: Vec<_> = found(&open).into_iter().filter(|found| !found.starts_with("no-keyring")).collect();
    assert_eq!(rest, ["env-passphrase HATBOX_FILE_PASSPHRASE"]);
    let wrong = home.run(&["lock"], &[]);
    assert_eq!(wrong.code, 0);
    let wrong = home.report(&[], &[("HATBOX_FILE_PASSPHRASE", "another")]);
    assert!(found(&wrong).contains(&"store-broken -".to_owned()), "{wrong:#}");
}

#[test]
fn no_store_is_not_a_fault() {
    let home = Home::new();
    assert!(home.found(&[]).is_empty());
    home.write(".awsvault/keys/alice", "x");
    assert_eq!(home.found(&[]), ["keys-of-aws-vault ~/.awsvault/keys"]);
    assert_eq!(home.report(&[], &[])["findings"][0]["fix"], "hatbox import aws-vault");
    assert_eq!(home.run(&["doctor"], &[]).code, 0);
}

#[test]
fn settings_that_are_wrong_and_a_backend_that_cannot_be_used_are_reported() {
    let home = Home::new();
    home.write(".config/hatbox/config.toml", "backend = \"file\"\nunlok_timeout = \"1h\"\n");
    let report = home.report(&[], &[]);
    let place = report["findings"][0]["place"].as_str().unwrap();
    assert!(
        found(&report)[0].starts_with("store-settings ") && place.ends_with("config.toml:2"),
        "{report:#}"
    );
    home.write(".config/hatbox/config.toml", "");
    assert_eq!(home.found(&[("HATBOX_BACKEND", "zzz")]), ["store-settings -"]);
    assert_eq!(home.found(&[("HATBOX_BACKEND", "secret-service")]), ["store-unavailable -"]);
    assert!(home.found(&[("HATBOX_BACKEND", "file")]).is_empty());
}

#[test]
fn a_wrap_that_hatbox_did_not_make_is_reported() {
    let home = Home::with_store();
    let store = ".local/share/hatbox/store";
    let wrap = std::fs::read(home.path(store).join("identity.passphrase.1.age")).unwrap();
    home.write(&format!("{store}/identity.sneaky.2.age"), wrap);
    let report = home.report(&[], &[("HATBOX_FILE_PASSPHRASE", PASSPHRASE)]);
    assert!(found(&report).contains(&"foreign-wrap -".to_owned()), "{report:#}");
    let is_foreign = |finding: &&serde_json::Value| finding["id"] == "foreign-wrap";
    let finding = report["findings"].as_array().unwrap().iter().find(is_foreign).unwrap();
    assert_eq!(finding["fix"], format!("rm ~/{store}/identity.sneaky.2.age"));
}

#[test]
fn without_a_kernel_keyring_it_says_that_each_command_asks_again() {
    if !is_here("strace") {
        return;
    }
    let home = Home::with_store();
    let mut command = std::process::Command::new("strace");
    let inject = "inject=add_key,request_key,keyctl:error=EPERM";
    command.args(["-f", "-qqq", "-o", "/dev/null", "-e", inject, "setsid", "--wait"]);
    command.args([env!("CARGO_BIN_EXE_hatbox"), "doctor", "--json"]);
    command
        .env_clear()
        .env("HOME", home.path(""))
        .env("PATH", "/usr/bin:/bin")
        .env("XDG_RUNTIME_DIR", home.path("run"));
    let output = command.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_it = |finding: &&serde_json::Value| finding["id"] == "no-keyring";
    let finding = report["findings"].as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!(finding["level"], "warning");
    let fix = finding["fix"].as_str().unwrap();
    assert!(fix.starts_with("echo 'unlock_cache"), "{fix}");
    // The suggested command writes settings that hatbox accepts.
    let fix = format!("HOME='{}'; {fix}", home.path("").display());
    assert!(std::process::Command::new("sh").args(["-c", &fix]).status().unwrap().success());
    assert_eq!(home.found(&[]), ["store-locked -"]);
}

#[test]
fn how_a_code_is_asked_for_is_looked_at() {
    let home = Home::with_config("");
    let found = |driver: &str| home.found(&[("HATBOX_PROMPT", driver)]);
    assert!(found("terminal").is_empty());
    assert_eq!(found("carrier-pigeon"), ["prompt-unknown -"]);
    assert_eq!(found("ykman"), ["no-prompt-program -"]);
    home.write_program("bin/ykman");
    assert!(found("ykman").is_empty());
    home.write_program("bin/zenity");
    assert_eq!(found("zenity"), ["no-desktop -"]);
    assert!(home.found(&[("HATBOX_PROMPT", "zenity"), ("DISPLAY", ":0")]).is_empty());
}

#[test]
fn without_a_terminal_the_error_says_who_cannot_be_asked() {
    let home = Home::with_store();
    home.write(".aws/config", "[profile alice]\nmfa_serial = GAHT12345678\n");
    let report = home.report(&[], &[("HATBOX_FILE_PASSPHRASE", PASSPHRASE)]);
    let is_it = |finding: &&serde_json::Value| finding["id"] == "no-terminal";
    let finding = report["findings"].as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!(finding["profiles"], serde_json::json!(["alice"]));
    home.write(".aws/config", "[profile alice]\nmfa_serial = GAHT12345678\nmfa_process = true\n");
    let report = home.report(&[], &[("HATBOX_FILE_PASSPHRASE", PASSPHRASE)]);
    assert!(!found(&report).contains(&"no-terminal -".to_owned()), "{report:#}");
}
