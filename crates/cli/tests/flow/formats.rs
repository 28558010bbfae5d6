//! The files of every released version, kept in `tests/formats`, are still read. A file with a later format is an error
//! that names the file, says what to do and changes nothing. docs/formats.md has the rules.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::fixture::PASSPHRASE;
use crate::run::{Outcome, Run};
use crate::store_scene::contents;
use crate::terminal::Terminal;

/// The directory of the kept files, with a subdirectory per version.
pub(crate) const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats");
/// Placeholders in the kept files: the home directory, and the name of the store's state, which depends on the store's
/// path.
pub(crate) const HOME: &str = "@HOME@";
pub(crate) const STATE: &str = "STORE";

/// A home with the files of one version, soon after they were written. Its endpoint never answers.
struct Kept {
    directory: TempDir,
    facts: Value,
}

impl Kept {
    fn of(version: &str) -> Self {
        let kept = Path::new(KEPT).join(version);
        let facts: Value =
            serde_json::from_str(&fs::read_to_string(kept.join("facts.json")).unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        copy(&kept.join("home"), &home, &home);
        let number = |nth: usize| facts["items_changed"][nth].as_u64().unwrap();
        let changed = Duration::new(number(0), u32::try_from(number(1)).unwrap());
        let items = fs::File::open(home.join(".local/share/hatbox/store/items")).unwrap();
        items.set_modified(std::time::UNIX_EPOCH + changed).unwrap();
        let store = Sha256::digest(home.join(".local/share/hatbox/store").as_os_str().as_encoded_bytes());
        let name: String = store.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let stores = home.join(".local/state/hatbox/stores");
        fs::rename(stores.join(STATE), stores.join(name)).unwrap();
        Self { directory, facts }
    }

    fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("no fact `{name}`"))
    }

    fn variables(&self) -> std::collections::BTreeMap<std::ffi::OsString, std::ffi::OsString> {
        let made = self.facts["made_at"].as_i64().unwrap();
        let offset = made + 20 - Timestamp::now().as_second();
        let home = self.home();
        [
            ("PATH", std::env::var_os("PATH").unwrap()),
            ("HOME", home.clone().into()),
            ("XDG_RUNTIME_DIR", home.join("run").into()),
            ("AWS_ENDPOINT_URL", self.fact("endpoint").into()),
            ("HATBOX_FILE_PASSPHRASE", PASSPHRASE.into()),
            ("HATBOX_TEST_WORK_FACTOR", "10".into()),
            ("HATBOX_TEST_CLOCK_OFFSET", offset.to_string().into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("TERM", "xterm".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }

    fn hatbox(&self, arguments: &[&str]) -> Run {
        let home = self.home();
        let arguments = arguments.iter().map(|word| word.replace(HOME, home.to_str().unwrap()));
        Run::new(env!("CARGO_BIN_EXE_hatbox"), self.variables()).args(arguments.collect::<Vec<_>>())
    }

    fn ok(&self, arguments: &[&str]) -> Outcome {
        self.hatbox(arguments).run().ok()
    }

    /// Returns the only file below `directory` whose name has this start and end.
    fn file(&self, directory: &str, start: &str, end: &str) -> PathBuf {
        let mut found = files_below(&self.home().join(directory));
        found.retain(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(start) && name.ends_with(end) && !name.ends_with("lock")
        });
        found.into_iter().next().unwrap_or_else(|| panic!("no {start}*{end} in {directory}"))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Removes this store's entries from the kernel keyring, whose quota is shared by all of the user's processes.
        self.hatbox(&["lock"]).run();
    }
}

fn copy(from: &Path, to: &Path, home: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, home);
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => text.replace(HOME, home.to_str().unwrap()).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        fs::write(&target, bytes).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    paths.sort();
    paths
}

/// Lists the versions whose files are kept.
pub(crate) fn versions() -> Vec<String> {
    let entries = fs::read_dir(KEPT).unwrap().map(|entry| entry.unwrap());
    let directories = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    directories.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn the_files_of_every_version_are_read() {
    let versions = versions();
    assert!(versions.contains(&"0.1.0".to_owned()), "{versions:?}");
    for version in versions {
        check_store(&version);
        check_files_of_others(&version);
    }
}

/// Checks the store with its wraps, manifest, items, pin and index, and the files sealed under its cache key.
fn check_store(version: &str) {
    let kept = Kept::of(version);
    let before = contents(&kept.home().join(".local/share/hatbox/store"));
    let exported = kept.ok(&["--debug", "export", "-n", "jan-work"]);
    assert!(!exported.stderr.contains("rebuilding the index"), "{version}: {}", exported.stderr);
    let key = exported.stdout;
    assert!(key.contains(kept.fact("id")) && key.contains(kept.fact("secret")), "{version}");
    kept.ok(&["lock"]);
    kept.hatbox(&["export", "-n", "jan-work"])
        .env("HATBOX_FILE_PASSPHRASE", kept.fact("recovery"))
        .run()
        .ok();
    // The endpoint does not answer, so these sessions come from the cache.
    for (profile, id) in [("reader", "reader_id"), ("dev", "dev_id"), ("me", "me_id")] {
        let session = kept.ok(&["export", "--format", "json", profile]).stdout;
        assert!(session.contains(kept.fact(id)), "{version}: {profile}");
    }
    let status = kept.ok(&["sso", "status"]).stdout;
    assert!(status.contains("signed in for"), "{version}: {status}");
    let unfinished = kept.ok(&["rotate", "--status"]).stdout;
    assert!(unfinished.contains("jan-work"), "{version}: {unfinished}");
    let code = kept.ok(&["mfa", "code", "guarded"]).stdout;
    assert!(code.trim().len() == 6 && code.trim().bytes().all(|byte| byte.is_ascii_digit()), "{version}");
    let backups = kept.ok(&["import", "credentials", "--list-backups"]).stdout;
    assert_eq!(contents(&kept.home().join(".local/share/hatbox/store")), before, "{version}: only read");
    let restore = ["import", "credentials", "--restore", backups.split_whitespace().next().unwrap()];
    kept.ok(&restore);
    let restored = fs::read_to_string(kept.home().join(".aws/credentials")).unwrap();
    assert_eq!(restored, kept.fact("credentials"), "{version}");
    let listed = kept.ok(&["list", "--json"]).stdout;
    assert!(listed.contains("jan-work"), "{version}: {listed}");
}

/// Checks settings, lists, logs, snapshots and backups of trust policies.
fn check_files_of_others(version: &str) {
    let kept = Kept::of(version);
    let logged: Value = serde_json::from_str(&kept.ok(&["log", "--json"]).stdout).unwrap();
    assert_eq!(logged[0]["reason"], "ticket 7", "{version}");
    let who = kept.ok(&["trust", "who", "reader", "--from", "@HOME@/iam.json"]).stdout;
    assert!(who.starts_with("Who can assume reader (444455556666)"), "{version}: {who}");
    // The file is recognised as a backup. Then hatbox calls AWS, which does not answer here.
    let backup = kept.file(".local/share/hatbox/trust-backups", "", ".json");
    let restore = ["trust", "require-mfa", "--profile", "work", "--yes", "--restore"];
    let run = kept.hatbox(&restore).args([&backup]).run();
    assert!(!run.stderr.contains("is not a backup") && run.stderr.contains("endpoint"), "{}", run.stderr);
    // A project's file is only used on a terminal, and only if it was allowed.
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let line = format!("cd ~/work && exec {hatbox} exec -- sh -c 'echo \"it is $HATBOX\"'");
    let run = Run::new("sh", kept.variables()).args(["-c", &line]);
    let mut terminal = Terminal::start_wide(&run, 200);
    terminal.wait_for("it is reader", 1);
    assert_eq!(terminal.wait().code(), Some(0), "{version}");
}

/// How a later version might change a file.
#[derive(Clone, Copy)]
enum Later {
    /// Replaces the first text with the second.
    Text(&'static str, &'static str),
    /// Appends a text.
    End(&'static str),
}

const SEALED: Later = Later::Text("hatbox-sealed-1\n", "hatbox-sealed-2\n");
const AGE: Later = Later::Text("age-encryption.org/v1\n", "age-encryption.org/v2\n");
const VERSION: Later = Later::Text("\"version\": 1", "\"version\": 2, \"later\": []");
const SCHEMA: Later = Later::Text("\"schema\": 1", "\"schema\": 2");
const NO_VERSION: Later = Later::Text("{", "{\"version\":2,");
/// The message that a newer version is needed.
pub(crate) const NEWER: &str = "was written by a newer version of hatbox";

fn change(path: &Path, later: Later) {
    let bytes = fs::read(path).unwrap();
    let bytes = match later {
        Later::Text(from, to) => {
            let at = bytes.windows(from.len()).position(|part| part == from.as_bytes());
            let at = at.unwrap_or_else(|| panic!("no {from:?} in {}", path.display()));
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        }
        Later::End(text) => [&bytes, text.as_bytes()].concat(),
    };
    fs::write(path, bytes).unwrap();
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table of files and commands")]
fn a_later_format_is_an_error_that_names_the_file_and_changes_nothing() {
    const STORE: &str = ".local/share/hatbox/store";
    const STORES: &str = ".local/state/hatbox/stores";
    const WORK: &str = "@HOME@/work";
    let export = &["export", "-n", "jan-work"][..];
    let add = &["add", "--env", "--force", "--no-add-config", "jan-work"][..];
    let restore = &["import", "credentials", "--restore"][..];
    let trust_restore = &["trust", "require-mfa", "--profile", "work", "--yes", "--restore"][..];
    let who = &["trust", "who", "reader", "--from", "@HOME@/iam.json"][..];
    let snapshot = "schema 2 was written by a newer version of hatbox";
    let setting = "if a newer version of hatbox reads this setting";
    let project_key = "if a newer version of hatbox reads this key";
    // The directory of the file, the start and end of its name, the change, the commands that read it, and the message.
    for (directory, start, end, later, lines, said) in [
        (
            STORE,
            "manifest",
            ".json",
            VERSION,
            &[export, add, &["store", "trust"], &["list", "--unlock"]][..],
            NEWER,
        ),
        (STORE, "identity.passphrase", ".age", AGE, &[export, add], NEWER),
        (".local/share/hatbox/store/items", "", ".age", AGE, &[add, &["store", "rekey"]], NEWER),
        (STORES, "pin", ".json", VERSION, &[export, add, &["store", "trust"]], NEWER),
        (STORES, "index", "", SEALED, &[export, add], NEWER),
        (STORE, "credentials-", "Z", SEALED, &[restore, &["store", "rekey"]], NEWER),
        (".cache/hatbox/sessions", "", "", SEALED, &[&["export", "reader"]], NEWER),
        (".cache/hatbox/sign-ins", "", "", SEALED, &[&["sso", "status"]], NEWER),
        (
            ".local/share/hatbox/rotations",
            "",
            "",
            SEALED,
            &[&["rotate", "--status"], &["rotate", "jan-work"]],
            NEWER,
        ),
        (".local/share/hatbox/trust-backups", "", ".json", SCHEMA, &[trust_restore], NEWER),
        (
            ".local/state/hatbox",
            "allowed-projects",
            ".json",
            NO_VERSION,
            &[&["allow", "--yes", WORK], &["allow", "--revoke", WORK]],
            NEWER,
        ),
        (
            ".local/state/hatbox/log",
            "audit",
            ".jsonl",
            Later::End("{\"time\":\"2026-11-29T16:00:00Z\",\"version\":2}\n"),
            &[&["log"], &["log", "--json"]],
            NEWER,
        ),
        ("", "iam", ".json", SCHEMA, &[who], snapshot),
        (
            ".config/hatbox",
            "config",
            ".toml",
            Later::Text("audit_log", "later = 1\naudit_log"),
            &[export, &["list"]],
            setting,
        ),
        (
            "work",
            ".hatbox",
            ".toml",
            Later::Text("profile", "version = 2\nprofile"),
            &[&["allow", "--yes", WORK]],
            project_key,
        ),
    ] {
        for line in lines {
            let kept = Kept::of("0.1.0");
            let files: Vec<PathBuf> = match directory {
                // The command may read any of them.
                ".cache/hatbox/sessions" | ".cache/hatbox/sign-ins" | ".local/share/hatbox/store/items" => {
                    files_below(&kept.home().join(directory))
                }
                "" => vec![kept.home().join("iam.json")],
                _ => vec![kept.file(directory, start, end)],
            };
            for file in &files {
                change(file, later);
            }
            if line == &["store", "rekey"] {
                // Otherwise the unfinished rotation would be reported first.
                fs::remove_dir_all(kept.home().join(".local/share/hatbox/rotations")).unwrap();
            }
            let before = contents(&kept.home());
            let mut run = kept.hatbox(line);
            if line.ends_with(&["--restore"]) {
                let name = files[0].file_name().unwrap();
                let is_sealed = directory == STORE;
                run = if is_sealed { run.args([name]) } else { run.args([&files[0]]) };
            }
            run = run.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
            run = run.env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
            let outcome = run.run();
            let what = format!("{directory}/{start}*{end}: {line:?}:\n{}", outcome.stderr);
            assert!(outcome.code().is_some_and(|code| code > 0), "{what}");
            assert!(outcome.stderr.contains(said) && outcome.stderr.contains("update hatbox"), "{what}");
            let is_named =
                |path: &PathBuf| outcome.stderr.contains(path.file_name().unwrap().to_str().unwrap());
            assert!(files.iter().any(is_named), "the file is not named: {what}");
            let after = contents(&kept.home());
            for (path, digest) in before {
                assert_eq!(after.get(&path), Some(&digest), "{} was changed: {what}", path.display());
            }
        }
    }
}

/// A file that only orders a list never makes a command fail: hatbox prints a warning and keeps the file.
#[test]
fn a_later_list_of_choices_is_left_alone() {
    let kept = Kept::of("0.1.0");
    let file = kept.file(".local/state/hatbox", "chosen-profiles", ".json");
    change(&file, NO_VERSION);
    let before = fs::read(&file).unwrap();
    let mut terminal = Terminal::start_wide(&kept.hatbox(&["exec", "--", "true"]), 200);
    terminal.wait_for("Profile (", 1);
    assert!(terminal.transcript().contains(NEWER), "{}", terminal.transcript());
    terminal.type_keys("reader\r");
    terminal.wait_for("next time", 1);
    terminal.wait();
    assert_eq!(fs::read(&file).unwrap(), before);
}
