//! A store with two keys, and checks of its directory and of whether it is trusted.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::fixture::Fixture;
use crate::run::Outcome;
use crate::terminal::Terminal;

pub(crate) fn home() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "other"]);
    fixture.write_config("[profile jan-work]\n[profile other]\n");
    fixture
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg("-T").args([from, to]).status().unwrap();
    assert!(done.success());
}

pub(crate) fn put_back(fixture: &Fixture, copied: &Path) {
    std::fs::remove_dir_all(fixture.store()).unwrap();
    copy(copied, &fixture.store());
}

pub(crate) fn private(path: &Path, text: impl AsRef<[u8]>) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
        std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Returns every file and link below a directory with its content, except locks.
pub(crate) fn contents(directory: &Path) -> BTreeMap<PathBuf, String> {
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

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn hand_over(fixture: &Fixture, profile: &str) -> Outcome {
    fixture.hatbox(&["export", "-n", profile]).run()
}

/// Checks that the store is not trusted: no key is handed over, and none is added.
#[track_caller]
pub(crate) fn assert_not_trusted(fixture: &Fixture, why: &str) {
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
pub(crate) fn trust(fixture: &Fixture, question: &str) -> String {
    let mut terminal = Terminal::start(&fixture.hatbox(&["store", "trust"]));
    terminal.wait_for_prompt(question);
    terminal.type_keys("yes\n");
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    terminal.screen().join("\n")
}

pub(crate) const USE_IT: &str = "Use this store from now on? Type `yes`: ";
pub(crate) const FORGET_IT: &str = "Forget the store? Type `yes`: ";
