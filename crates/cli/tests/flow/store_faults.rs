//! A store whose files were damaged, swapped, made accessible to others or deleted; and two writers at once.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::fixture::Fixture;
use crate::run::{Outcome, finish};

const CONFIG: &str = "\
[profile jan-work]

[profile other]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A store with two keys, and the file of each.
struct Vault {
    fixture: Fixture,
    jan: PathBuf,
    other: PathBuf,
}

impl Vault {
    fn new() -> Self {
        let fixture = Fixture::empty(&["jan-work", "other"]);
        fixture.write_config(CONFIG);
        let items = || {
            let entries = std::fs::read_dir(fixture.store().join("items"));
            entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        // The first `add` also writes the cache key, so the second key's file is the one that appears with its `add`.
        fixture.add_run("jan-work", &[]).run().ok();
        let before = items();
        fixture.add_run("other", &[]).run().ok();
        let other = items().into_iter().find(|path| !before.contains(path)).unwrap();
        fixture.hatbox(&["remove", "-f", "jan-work"]).run().ok();
        let without = items();
        fixture.add_run("jan-work", &[]).run().ok();
        let jan = items().into_iter().find(|path| !without.contains(path)).unwrap();
        Self { fixture, jan, other }
    }

    fn hand_over(&self, profile: &str) -> Outcome {
        self.fixture.hatbox(&["export", "-n", profile]).run()
    }

    /// Checks that jan's key cannot be read, the error names its file, and the other key works, also in a rebuilt
    /// index.
    #[track_caller]
    fn assert_only_jans_is_broken(&self, what: &str, problem: &str) {
        let name = self.jan.file_name().unwrap().to_str().unwrap();
        // With the earlier index this is an error. If the index had to be rebuilt, there is a warning, and then no such
        // key.
        let broken = self.hand_over("jan-work");
        assert!(matches!(broken.code(), Some(1 | 2)), "{what}: {}", broken.stderr);
        let headline = format!(": item `{name}` in the file store is damaged: ");
        assert!(broken.stderr.lines().next().unwrap().contains(&headline), "{what}: {}", broken.stderr);
        assert!(broken.stderr.contains(problem), "{what}: {}", broken.stderr);
        assert!(broken.stderr.contains("hint: "), "{what}: {}", broken.stderr);
        self.hand_over("other").ok();
        let index = self.fixture.index();
        let kept = std::fs::read(&index).unwrap();
        std::fs::remove_file(&index).unwrap();
        let list = self.fixture.hatbox(&["list"]).run().ok();
        assert!(list.stderr.contains(&format!("item `{name}` in the file store is damaged")), "{what}");
        assert!(list.stdout.contains("other     other"), "{what}: {}", list.stdout);
        std::fs::write(&index, kept).unwrap();
    }
}

#[test]
fn a_damaged_item_is_named_and_the_others_work() {
    let vault = Vault::new();
    let (good, other) = (std::fs::read(&vault.jan).unwrap(), std::fs::read(&vault.other).unwrap());
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    // Still valid base64, and therefore a possible key.
    let other_letter = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bytes
    };
    let changed = "its content was changed, or ends too early";
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty", Vec::new(), changed),
        ("cut in half", good[..good.len() / 2].to_vec(), changed),
        ("cut by one byte", good[..good.len() - 1].to_vec(), changed),
        ("one byte too long", [&good[..], b"x"].concat(), changed),
        ("a bit of the first line flipped", flipped(3), "not an age file"),
        ("another letter in the wrapped key", other_letter(60), "it is encrypted to another store"),
        ("a bit of the end flipped", flipped(good.len() - 1), changed),
        (
            "something else altogether",
            b"not an age file, however long its first line may be\n".to_vec(),
            "not an age file",
        ),
        (
            "swapped with another item",
            other,
            "it was not written by hatbox with this store's key, or is in another item's place",
        ),
    ];
    for (what, bytes, problem) in cases {
        std::fs::write(&vault.jan, bytes).unwrap();
        vault.assert_only_jans_is_broken(what, problem);
    }
    // Writing it again repairs it.
    vault.fixture.add_run("jan-work", &["--force"]).run().ok();
    vault.hand_over("jan-work").ok();
}

#[test]
fn an_item_that_others_may_read_or_own_is_refused_with_the_way_out() {
    let vault = Vault::new();
    for mode in [0o644, 0o660, 0o604] {
        chmod(&vault.jan, mode);
        vault.assert_only_jans_is_broken("mode", &format!("run: chmod 600 {}", vault.jan.display()));
    }
    chmod(&vault.jan, 0o600);
    let moved = vault.fixture.path("moved");
    std::fs::rename(&vault.jan, &moved).unwrap();
    symlink(&moved, &vault.jan).unwrap();
    vault.assert_only_jans_is_broken("a link", "is not a regular file");
    std::fs::remove_file(&vault.jan).unwrap();
    std::fs::rename(&moved, &vault.jan).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&vault.jan, Some(65534), None).unwrap();
        vault.assert_only_jans_is_broken("owner", "belongs to uid 65534, not to you (uid 0)");
    } else {
        eprintln!("skipped: only root can give a file to another user");
    }
}

#[test]
fn a_directory_open_to_others_or_of_another_user_is_not_used() {
    let vault = Vault::new();
    let fixture = &vault.fixture;
    let directories = [fixture.store(), fixture.store().join("items")];
    let check = |directory: &Path, hint: &str| {
        let refused = vault.hand_over("jan-work").expect_code(1);
        let shown = directory.display().to_string();
        assert!(refused.stderr.contains(&shown) && refused.stderr.contains(hint), "{}", refused.stderr);
    };
    for directory in &directories {
        chmod(directory, 0o755);
        fixture.hatbox(&["lock"]).run().ok();
        check(directory, "hatbox: hint: chmod 700 ");
        chmod(directory, 0o700);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(directory, Some(65534), None).unwrap();
            check(directory, "hatbox: hint: sudo -u '#65534' hatbox ...");
            std::os::unix::fs::chown(directory, Some(0), None).unwrap();
        }
    }
    vault.hand_over("jan-work").ok();
    let sessions = fixture.path("home/.cache/hatbox/sessions");
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let session = std::fs::read_dir(&sessions).unwrap().next().unwrap().unwrap().path();
    chmod(&session, 0o644);
    let refused = fixture.hatbox(&["exec", "reader", "--", "true"]).run().expect_code(125);
    assert!(refused.stderr.contains("hint: chmod 600 "), "{}", refused.stderr);
}

#[test]
fn a_damaged_session_is_made_again_without_a_word() {
    let fixture = Fixture::with_config(CONFIG);
    let exec = || fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    exec();
    let sessions = fixture.path("home/.cache/hatbox/sessions");
    let path = std::fs::read_dir(&sessions).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let (mut calls, start) = (1, fixture.log().len());
    assert_eq!(start, 1);
    for bytes in [Vec::new(), good[..good.len() / 2].to_vec(), flipped, b"x".repeat(300 << 10)] {
        std::fs::write(&path, &bytes).unwrap();
        if bytes.len() > 256 << 10 {
            // Larger than any that hatbox writes, so the user has to look at it.
            let refused = fixture.hatbox(&["exec", "reader", "--", "true"]).run().expect_code(125);
            assert!(refused.stderr.contains("has more than") && refused.stderr.contains("hatbox clear"));
            continue;
        }
        exec();
        calls += 1;
        assert_eq!(fixture.log().len(), calls);
        fixture.hatbox(&["list"]).run().ok();
    }
}

#[test]
fn an_index_that_is_missing_stale_or_damaged_is_rebuilt() {
    let vault = Vault::new();
    let index = vault.fixture.index();
    let listed = || vault.fixture.hatbox(&["list", "--credentials"]).run().ok().stdout;
    let good = std::fs::read(&index).unwrap();
    std::fs::remove_file(&index).unwrap();
    assert_eq!(listed(), "jan-work\nother\n");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bytes in [&b""[..], b"rubbish", &good[..good.len() - 1], &flipped] {
        std::fs::write(&index, bytes).unwrap();
        assert_eq!(listed(), "jan-work\nother\n");
    }
    // An older index: the key that it names was removed, and a newer item is missing.
    std::fs::write(&index, &good).unwrap();
    let kept = std::fs::read(&index).unwrap();
    vault.fixture.hatbox(&["remove", "-f", "other"]).run().ok();
    std::fs::write(&index, &kept).unwrap();
    assert_eq!(listed(), "jan-work\n");
    chmod(&index, 0o644);
    let refused = vault.fixture.hatbox(&["list"]).run().expect_code(1);
    assert!(refused.stderr.contains("hint: chmod 600"), "{}", refused.stderr);
}

#[test]
fn a_damaged_identity_says_which_file_it_is() {
    let vault = Vault::new();
    let wrap = vault.fixture.wrap("passphrase");
    let good = std::fs::read(&wrap).unwrap();
    vault.fixture.hatbox(&["lock"]).run().ok();
    std::fs::write(&wrap, &good[..good.len() / 2]).unwrap();
    let broken = vault.hand_over("jan-work").expect_code(1);
    assert!(broken.stderr.contains("identity.passphrase.1.age"), "{}", broken.stderr);
    std::fs::write(&wrap, &good).unwrap();
    let manifest = vault.fixture.store().join("manifest.json");
    let list = std::fs::read(&manifest).unwrap();
    // A second wrap that hatbox did not write.
    std::fs::write(vault.fixture.store().join("identity.recovery.9.age"), &good).unwrap();
    chmod(&vault.fixture.store().join("identity.recovery.9.age"), 0o600);
    vault.fixture.hatbox(&["lock"]).run().ok();
    let told = vault.hand_over("jan-work").ok();
    assert!(
        told.stderr.contains("warning: ") && told.stderr.contains("identity.recovery.9.age"),
        "{}",
        told.stderr
    );
    assert_eq!(std::fs::read(&manifest).unwrap(), list);
}

#[test]
fn two_that_add_at_once_both_have_their_keys_in() {
    let names = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];
    let fixture = Fixture::empty(&names);
    let children: Vec<_> =
        names.iter().map(|name| fixture.add_run(name, &["--no-add-config"]).spawn()).collect();
    for child in children {
        finish(child, "add").ok();
    }
    let listed = fixture.hatbox(&["list", "--credentials"]).run().ok().stdout;
    assert_eq!(listed, names.map(|name| format!("{name}\n")).concat());
    for name in names {
        let exported = fixture.hatbox(&["export", "-n", name]).run().ok().stdout;
        assert!(exported.contains(fixture.key(name).secret.expose()), "{name}");
    }
}

#[test]
fn two_that_add_at_once_both_have_their_sections_in_the_config() {
    let names = ["k0", "k1", "k2", "k3", "k4", "k5"];
    let fixture = Fixture::empty(&names);
    fixture.write_config("# mine\n");
    // With an existing store, the writes overlap more.
    fixture.add_run("k0", &[]).run().ok();
    let children: Vec<_> = names[1..].iter().map(|name| fixture.add_run(name, &[]).spawn()).collect();
    for child in children {
        finish(child, "add").ok();
    }
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    for name in names {
        assert!(config.contains(&format!("[profile {name}]\n")), "{name} is lost:\n{config}");
    }
    assert!(config.starts_with("# mine\n"));
}

/// `sudo hatbox` with the user's HOME would create files of root there, which the user could neither read nor delete.
#[test]
fn root_creates_nothing_in_another_users_home() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a directory to another user");
        return;
    }
    let fixture = Fixture::empty(&["jan-work"]);
    let key = fixture.key("jan-work");
    let plain = format!(
        "[plain]\naws_access_key_id = {}\naws_secret_access_key = {}\n[reader]\nsource_profile = plain\n\
         role_arn = arn:aws:iam::444455556666:role/reader\n",
        key.id,
        key.secret.expose()
    );
    std::fs::write(fixture.path("home/.aws/credentials"), plain).unwrap();
    fixture.write_config("[profile plain]\n[profile reader]\n");
    let owned =
        std::process::Command::new("chown").args(["-R", "65534"]).arg(fixture.home()).status().unwrap();
    assert!(owned.success());
    let files = || {
        let mut files = fixture.files();
        files.sort();
        files
    };
    let before = files();
    let way_out = "hint: sudo -u '#65534' hatbox ...";
    let add = ["add", "--env", "jan-work"];
    let added = fixture.add_run("jan-work", &[]).run().expect_code(1);
    assert!(added.stderr.contains("you are root, and `"), "{}", added.stderr);
    assert!(added.stderr.contains("hatbox creates no files there") && added.stderr.contains(way_out));
    assert_eq!(fixture.hatbox(&add).run().code().map(|code| code != 0), Some(true));
    // A role needs a lock, and a failure is recorded; neither creates a file there.
    let refused = fixture.hatbox(&["exec", "reader", "--", "true"]).run().expect_code(125);
    assert!(refused.stderr.contains(way_out), "{}", refused.stderr);
    for arguments in [&["list"][..], &["explain", "reader"], &["doctor"], &["why"], &["clear"], &["lock"]] {
        fixture.hatbox(arguments).run();
    }
    fixture.hatbox(&["exec", "-n", "plain", "--", "true"]).run().ok();
    let mine = fixture.home().join("mine");
    for sandbox in
        [&["sandbox", "run", "--", "true"][..], &["sandbox", "up", "--detach"], &["sandbox", "shell"]]
    {
        let refused = fixture.hatbox(sandbox).run().expect_code(1);
        assert!(refused.stderr.contains(way_out), "{sandbox:?}: {}", refused.stderr);
        let there = ["sandbox", "--dir", mine.to_str().unwrap()];
        fixture.hatbox(&there).args(&sandbox[1..]).run().expect_code(1);
    }
    assert_eq!(files(), before);
    for file in files() {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::symlink_metadata(&file).unwrap().uid(), 65534, "{}", file.display());
    }
}
