//! Files that others may read or write, and how `--fix` repairs them.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use crate::home::{Home, found};

#[test]
fn files_that_others_may_read_or_write_are_reported_and_others_are_not() {
    let home = Home::with_store();
    let store = ".local/share/hatbox/store";
    home.write(".aws/credentials", "");
    home.write(".cache/hatbox/sessions/0123456789abcdef0123456789abcdef", "");
    fs::create_dir_all(home.path(".cache/hatbox/locks")).unwrap();
    for directory in [".cache/hatbox/sessions", ".cache/hatbox/locks"] {
        home.set_mode(directory, 0o700);
    }
    let locked = "store-locked -";
    assert_eq!(home.found(&[]), [locked]);
    let item = fs::read_dir(home.path(store).join("items")).unwrap().next().unwrap().unwrap().path();
    let item = item.strip_prefix(home.path("")).unwrap().display().to_string();
    let state =
        fs::read_dir(home.path(".local/state/hatbox/stores")).unwrap().next().unwrap().unwrap().path();
    let state = state.strip_prefix(home.path("")).unwrap().display().to_string();
    let (index, pin) = (format!("{state}/index"), format!("{state}/pin.json"));
    for (path, good, bad) in [
        (".aws/config", 0o644, 0o664),
        (".aws", 0o755, 0o775),
        (".aws/credentials", 0o600, 0o640),
        (".config/hatbox", 0o755, 0o777),
        (".config/hatbox/config.toml", 0o644, 0o666),
        (store, 0o700, 0o750),
        (".local/share/hatbox/store/items", 0o700, 0o755),
        (&item, 0o600, 0o604),
        (&index, 0o600, 0o644),
        (&pin, 0o600, 0o660),
        (".cache/hatbox/sessions", 0o700, 0o755),
        (".cache/hatbox/sessions/0123456789abcdef0123456789abcdef", 0o600, 0o644),
        (".cache/hatbox/locks", 0o700, 0o755),
    ] {
        home.set_mode(path, good);
        assert_eq!(home.found(&[]), [locked], "{path} {good:o}");
        home.set_mode(path, bad);
        // hatbox ignores settings that others may write, so it does not know which store is used.
        let store = if path.ends_with("config.toml") { "store-settings -" } else { locked };
        assert_eq!(home.found(&[]), [format!("loose-mode ~/{path}"), store.to_owned()], "{path} {bad:o}");
        let fix = home.report(&[], &[])["findings"][0]["fix"].as_str().unwrap().to_owned();
        let ran = std::process::Command::new("sh").args(["-c", &fix]).status().unwrap();
        assert!(ran.success(), "{fix}");
        assert_eq!(home.found(&[]), [locked], "{fix}");
        home.set_mode(path, bad);
        let report = home.report(&["--fix"], &[]);
        let finding = &report["findings"][0];
        assert_eq!(
            (found(&report)[0].as_str(), &finding["fixed"]),
            (&*format!("loose-mode ~/{path}"), &true.into())
        );
        assert_eq!(report["ok"], true, "a fixed finding does not count");
        assert_eq!(home.mode(path) & 0o022, 0, "{path}");
        assert_eq!(home.found(&[]), [locked], "{path} after --fix");
    }
}

#[test]
fn a_fix_is_said_and_nothing_else_is_changed() {
    let home = Home::with_config("[profile a]\nmfa_seriall = x\n");
    home.set_mode(".aws/config", 0o666);
    home.set_mode(".aws", 0o777);
    let before = fs::read(home.path(".aws/config")).unwrap();
    let ran = home.run(&["doctor", "--fix"], &[]);
    assert_eq!(ran.stdout.matches("  fixed    others may write to it").count(), 2, "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n2 warnings, 2 fixed.\n"), "{}", ran.stdout);
    assert_eq!((home.mode(".aws/config"), home.mode(".aws")), (0o644, 0o755));
    assert_eq!(fs::read(home.path(".aws/config")).unwrap(), before);
    let again = home.run(&["doctor", "--fix"], &[]);
    assert!(!again.stdout.contains("fixed"), "{}", again.stdout);
}

#[test]
fn a_directory_that_all_write_to_is_safe_with_the_sticky_bit() {
    let home = Home::with_config("");
    home.set_mode(".aws", 0o1777);
    assert!(home.found(&[]).is_empty());
    home.set_mode(".aws", 0o777);
    assert_eq!(home.found(&[]), ["loose-mode ~/.aws"]);
}

#[test]
fn a_file_of_another_user_is_reported_and_never_touched() {
    let home = Home::with_config("");
    home.write(".local/share/hatbox/store/manifest.json", "");
    for directory in [".local/share/hatbox/store", ".local/share/hatbox"] {
        home.set_mode(directory, 0o700);
    }
    if chown(home.path(".aws/config"), Some(12_345), None).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    chown(home.path(".local/share/hatbox/store/manifest.json"), Some(12_345), None).unwrap();
    home.set_mode(".local/share/hatbox/store/manifest.json", 0o666);
    let report = home.report(&["--fix"], &[]);
    let expected = ["foreign-file ~/.aws/config", "foreign-file ~/.local/share/hatbox/store/manifest.json"];
    assert_eq!(&found(&report)[..2], expected, "{report:#}");
    assert_eq!(home.mode(".local/share/hatbox/store/manifest.json"), 0o666);
}

#[test]
fn a_link_in_the_place_of_a_session_is_reported_and_one_to_the_config_is_followed() {
    let home = Home::new();
    home.write("dotfiles/config", "");
    home.write(".aws/credentials", "");
    symlink("../dotfiles/config", home.path(".aws/config")).unwrap();
    assert!(home.found(&[]).is_empty());
    home.set_mode("dotfiles/config", 0o666);
    assert_eq!(home.found(&[]), ["loose-mode ~/.aws/config"]);
    home.report(&["--fix"], &[]);
    assert_eq!(home.mode("dotfiles/config"), 0o644);
    home.write(".cache/hatbox/sessions/x", "");
    symlink("/etc/passwd", home.path(".cache/hatbox/sessions/y")).unwrap();
    home.set_mode(".cache/hatbox/sessions", 0o700);
    assert_eq!(home.found(&[]), ["foreign-file ~/.cache/hatbox/sessions/y"]);
}

#[test]
fn what_may_not_be_read_is_reported_once_and_the_rest_is_looked_at() {
    let home = Home::with_config("[profile a]\nmfa_seriall = x\n");
    home.write(".aws/credentials", "[bob]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n");
    home.set_mode(".aws/config", 0o000);
    let Some(ran) = home.run_as_user(&["doctor", "--json"]) else { return };
    let expected = ["unreadable-file ~/.aws/config", "half-key ~/.aws/credentials:2"];
    assert_eq!(found(&ran.report()), expected, "{ran:?}");
    home.set_mode(".aws/config", 0o600);
    let Some(ran) = home.run_as_user(&["doctor", "--json"]) else { return };
    assert!(!found(&ran.report()).contains(&expected[0].to_owned()), "{ran:?}");
}
