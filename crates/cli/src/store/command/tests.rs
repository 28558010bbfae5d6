//! Runs the store contract on each helper of `helpers/` with a stub of its tool, and tests broken helpers.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::store::contract::{Answers, check_contract, item};
use crate::store::programs::PassSettings;

/// A home directory, and a PATH directory with stubs of the tools.
struct Scene {
    home: tempfile::TempDir,
    programs: Programs,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

impl Scene {
    fn new(command: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        // The interpreter itself: version managers that choose between several take longer than the helpers do.
        let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        if let Ok(python) = python {
            let python = String::from_utf8(python.stdout).unwrap();
            std::os::unix::fs::symlink(python.trim(), bin.join("python3")).unwrap();
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let programs = Programs {
            environment: vec![
                ("PATH".into(), format!("{}:{path}", bin.display()).into()),
                ("HOME".into(), home.path().into()),
            ],
            home: home.path().to_owned(),
            is_inside: false,
            patience: Duration::from_secs(30),
            pass: PassSettings::default(),
            passage: PassSettings::default(),
            prefix: None,
            command: Some(command.to_owned()),
        };
        Self { home, programs }
    }

    /// Uses the helper of this name, with a stub of its tool that keeps its state in the home directory.
    fn with_helper(helper: &str, tool: &str) -> Self {
        let path = root().join("helpers").join(helper);
        let scene = Self::new(&format!("'{}'", path.display()));
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_ins").join(tool);
        std::os::unix::fs::symlink(stand_in, scene.home.path().join("bin").join(tool)).unwrap();
        scene
    }

    fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.programs.environment.push((name.into(), value.into()));
        self
    }

    fn store(&self) -> CommandStore {
        CommandStore::open(&self.programs)
    }
}

fn has_python() -> bool {
    let is_here =
        Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_here {
        eprintln!("skipped: python3 is not installed");
    }
    is_here
}

/// Checks the contract, and that any text can be stored and read back.
fn check_helper(scene: &Scene) {
    check_contract(&mut scene.store());
    check_texts(scene, &["Ünï/çödé \"quoted\" $(x) `y`", "-rf", "../..", "b=c,d[e"]);
}

fn check_texts(scene: &Scene, profiles: &[&str]) {
    let store = scene.store();
    for profile in profiles {
        let item = item(profile, b"wJalrXUtnFEMI/K7MDENG+bPx\"\\'$RfiCY=");
        store.write(&item).unwrap();
        let read = store.read(&item.info.id).unwrap();
        assert_eq!((read.info, read.secret), (item.info.clone(), item.secret));
        store.delete(&item.info.id).unwrap();
        assert!(matches!(store.read(&item.info.id), Err(StoreError::Absent)));
    }
    let cache_key = Item {
        info: ItemInfo { id: ItemId::cache_key(), access_key_id: None, ..item("a", b"x").info },
        secret: Zeroizing::new((0..32).collect()),
    };
    store.write(&cache_key).unwrap();
    assert_eq!(store.read(&ItemId::cache_key()).unwrap().secret, cache_key.secret);
    assert_eq!(store.list().unwrap().0.len(), 2);
}

/// Tests the tool locked, unlocked and missing.
fn check_locked(scene: &mut Scene, tool: &str) {
    let lock = scene.home.path().join("locked");
    std::fs::write(&lock, "").unwrap();
    assert_eq!(scene.store().status(), Status::Locked);
    let refused = scene.store().unlock(&mut Answers::default());
    assert!(matches!(refused, Err(StoreError::Locked(_, PassphraseError::CannotAsk))), "{refused:?}");
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(scene.store().status(), Status::Ready);
    std::fs::remove_file(scene.home.path().join("bin").join(tool)).unwrap();
    // If the real tool is installed too, it would be found instead.
    for (name, value) in &mut scene.programs.environment {
        if name == "PATH" {
            *value = scene.home.path().join("bin").into();
        }
    }
    let Status::Unavailable(why) = scene.store().status() else { panic!("{:?}", scene.store().status()) };
    assert!(why.contains(&format!("`{tool}` is not installed")), "{why}");
}

#[test]
fn the_helper_of_1password_keeps_the_contract() {
    if has_python() {
        let mut scene = Scene::with_helper("hatbox-store-op", "op");
        check_helper(&scene);
        check_locked(&mut scene, "op");
    }
}

#[test]
fn the_helper_of_rbw_keeps_the_contract() {
    if has_python() {
        let mut scene = Scene::with_helper("hatbox-store-rbw", "rbw");
        check_helper(&scene);
        check_locked(&mut scene, "rbw");
    }
}

#[test]
fn the_helper_of_bitwarden_keeps_the_contract() {
    if has_python() {
        let mut scene = Scene::with_helper("hatbox-store-bw", "bw").set("BW_SESSION", "session");
        check_helper(&scene);
        check_locked(&mut scene, "bw");
    }
}

#[test]
fn the_helper_of_vault_keeps_the_contract() {
    if has_python() {
        let mut scene = Scene::with_helper("hatbox-store-vault", "vault");
        check_helper(&scene);
        check_locked(&mut scene, "vault");
    }
}

#[test]
fn the_helper_of_the_windows_store_keeps_the_contract() {
    if has_python() {
        let mut scene = Scene::with_helper("hatbox-store-wsl", "powershell.exe");
        check_helper(&scene);
        check_locked(&mut scene, "powershell.exe");
    }
}

#[test]
fn the_helper_of_keepassxc_keeps_the_contract() {
    if !has_python() {
        return;
    }
    let scene = Scene::with_helper("hatbox-store-keepassxc", "keepassxc-cli");
    let database = scene.home.path().join("keys.kdbx");
    std::fs::write(&database, "{}").unwrap();
    let key = scene.home.path().join("key");
    std::fs::write(&key, "stand-in").unwrap();
    let mut scene = scene.set("HATBOX_KEEPASSXC_DATABASE", database).set("HATBOX_KEEPASSXC_KEY_FILE", key);
    check_helper(&scene);
    check_locked(&mut scene, "keepassxc-cli");
}

#[test]
fn the_helper_of_keepassxc_keeps_the_contract_with_the_real_one() {
    if !has_python() || Command::new("keepassxc-cli").arg("--version").output().is_err() {
        eprintln!("skipped: keepassxc-cli is not installed");
        return;
    }
    let path = root().join("helpers/hatbox-store-keepassxc");
    let scene = Scene::new(&format!("'{}'", path.display()));
    let (database, key) = (scene.home.path().join("keys.kdbx"), scene.home.path().join("key"));
    std::fs::write(&key, "some bytes for a key file").unwrap();
    let made = Command::new("keepassxc-cli")
        .args(["db-create", "--decryption-time", "100", "--set-key-file"])
        .args([&key, &database])
        .env("HOME", scene.home.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let scene = scene.set("HATBOX_KEEPASSXC_DATABASE", database).set("HATBOX_KEEPASSXC_KEY_FILE", key);
    check_contract(&mut scene.store());
    check_texts(&scene, &["Ünï/ \"x\" $(y)"]);
}

/// Returns a store with a helper script that answers every verb correctly, except `verb`.
fn wrong(verb: &str, answer: &str) -> (Scene, CommandStore) {
    let script = format!(
        "read -r request; case $request in *'\"verb\":\"{verb}\"'*) {answer};; \
         *status*) echo '{{\"version\":1,\"status\":\"ready\"}}';; *) echo '{{\"version\":1}}';; esac"
    );
    let mut scene = Scene::new(&script);
    scene.programs.patience = Duration::from_secs(1);
    let store = scene.store();
    (scene, store)
}

#[test]
fn a_helper_that_answers_with_anything_else_is_named() {
    let of = |profile: &str| render_item(&item(profile, b"canary")).replace('"', "\\\"");
    let other = of("other");
    let cases = [
        ("read", "echo can''ary".to_owned(), "its output is not valid JSON"),
        ("read", "exit 3".to_owned(), "it failed: exit status: 3"),
        ("read", "exec sleep 20".to_owned(), "it did not end within 1 s"),
        ("read", "exec yes can''ary".to_owned(), "it printed more than 64 KiB"),
        ("read", ":".to_owned(), "it printed nothing"),
        ("read", "echo '{\"version\":2}'".to_owned(), "its output is not of version 1 of the protocol"),
        ("read", "echo '{\"version\":1}'".to_owned(), "it has no text"),
        (
            "read",
            "echo '{\"version\":1,\"name\":\"access-key/b\",\"text\":\"\"}'".to_owned(),
            "it is for another item",
        ),
        ("read", "echo can''ary >&2; exit 1".to_owned(), "it failed: exit status: 1"),
    ];
    for (verb, answer, problem) in cases {
        let (_scene, store) = wrong(verb, &answer);
        let error = store.read(&item("a", b"").info.id).unwrap_err();
        let StoreError::Unavailable { source, .. } = &error else { panic!("{answer}: {error:?}") };
        let text = source.to_string();
        assert!(text.starts_with("the helper `read -r request;") && text.ends_with(problem), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
    for (text, problem) in
        [(other.as_str(), "it belongs to another item"), ("canary", "it is not what hatbox wrote")]
    {
        let (_scene, store) = wrong("read", &format!("printf '%s' '{{\"version\":1,\"text\":\"{text}\"}}'"));
        let Err(StoreError::Broken { what, problem: said, .. }) = store.read(&item("a", b"").info.id) else {
            panic!("{text}")
        };
        assert_eq!((&*what, &*said), ("item `access-key/a`", problem));
    }
}

#[test]
fn what_a_helper_says_is_wrong_becomes_the_error_of_its_kind() {
    let says = |error: &str| {
        let answer =
            format!("echo '{{\"version\":1,\"error\":\"{error}\",\"message\":\"why\",\"way_out\":\"do\"}}'");
        let (_scene, store) = wrong("read", &answer);
        store.read(&item("a", b"").info.id).unwrap_err()
    };
    assert!(matches!(says("absent"), StoreError::Absent));
    assert!(matches!(says("locked"), StoreError::Locked(_, PassphraseError::CannotAsk)));
    assert!(
        matches!(says("refused"), StoreError::Locked(_, PassphraseError::Refused { what }) if what.ends_with("says: why"))
    );
    let StoreError::Unavailable { source, hint, .. } = says("unavailable") else { panic!() };
    assert!(source.to_string().ends_with("says: why"));
    assert_eq!(hint.as_deref(), Some("do"));
    assert!(matches!(says("broken"), StoreError::Broken { problem, .. } if problem == "why"));
}

#[test]
fn a_write_that_does_not_come_back_is_an_error() {
    let (_scene, store) = wrong("read", "echo '{\"version\":1,\"error\":\"absent\"}'");
    assert!(store.write(&item("a", b"1")).is_err(), "a helper that keeps nothing");
}

#[test]
fn a_list_reports_what_is_not_an_item_beside_the_others() {
    let list = "echo '{\"version\":1,\"items\":[\
        {\"name\":\"access-key/a\",\"about\":\"AKIAIOSFODNN7EXAMPLE 2026-01-02T03:04:05Z\"},\
        {\"name\":\"access-key/a\",\"about\":\"AKIAIOSFODNN7EXAMPLE 2026-01-02T03:04:05Z\"},\
        {\"name\":\"../x\"}]}'";
    let (_scene, store) = wrong("list", list);
    let (items, broken) = store.list().unwrap();
    assert_eq!(items.len(), 1);
    let broken: Vec<_> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(
        broken,
        [
            "item `access-key/a` in the command store is damaged: there are two of this name",
            "item `../x` in the command store is damaged: hatbox makes no such name",
        ]
    );
}

#[test]
fn a_locked_helper_asks_only_when_a_person_may_be_asked() {
    let answer = "case $request in *'\"may_ask\":true'*) echo '{\"version\":1}';; \
                  *) echo '{\"version\":1,\"error\":\"locked\"}';; esac";
    let (mut scene, _) = wrong("unlock", answer);
    let command = scene.programs.command.take().unwrap().replace("\"ready\"", "\"locked\"");
    scene.programs.command = Some(command);
    let mut store = scene.store();
    assert_eq!(store.status(), Status::Locked);
    let refused = store.unlock(&mut Answers::default());
    assert!(matches!(refused, Err(StoreError::Locked(_, PassphraseError::CannotAsk))));
    store.unlock(&mut Answers::of("yes")).unwrap();
    assert_eq!(store.status(), Status::Ready);
    store.lock();
    assert_eq!(store.status(), Status::Locked);
}
