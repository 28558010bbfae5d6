//! The suite that every [`Store`] passes.

use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use zeroize::Zeroizing;

#[cfg(feature = "plugins")]
use super::asker::PluginMessage;
use super::asker::{Asker, OwnPrompt, PassphraseError, PassphraseFor};
use super::file::FileStore;
use super::memory::MemoryStore;
use super::unlocked::{TimeoutOrigin, Unlocked};
use super::{Item, ItemId, ItemInfo, Status, Store, StoreError};

pub(super) fn item(profile: &str, secret: &[u8]) -> Item {
    Item {
        info: ItemInfo {
            id: ItemId::access_key(&ProfileName::parse(profile).unwrap()),
            created: Timestamp::from_second(1_700_000_000).unwrap(),
            access_key_id: Some(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap()),
        },
        secret: Zeroizing::new(secret.to_vec()),
    }
}

/// Gives the same answer each time, and records the questions. Without an answer, no person can be asked.
#[derive(Default)]
pub(super) struct Answers {
    passphrase: Option<&'static str>,
    pub(super) asked: Vec<PassphraseFor>,
    pub(super) prompts: Vec<OwnPrompt>,
}

impl Answers {
    pub(super) fn of(passphrase: &'static str) -> Self {
        Self { passphrase: Some(passphrase), ..Self::default() }
    }

    fn answer(&self) -> Result<SecretString, PassphraseError> {
        self.passphrase.map(|text| SecretString::new(text.to_owned())).ok_or(PassphraseError::CannotAsk)
    }
}

impl Asker for Answers {
    fn passphrase(&mut self, what: PassphraseFor) -> Result<SecretString, PassphraseError> {
        self.asked.push(what);
        self.answer()
    }

    fn may_prompt(&mut self, prompt: OwnPrompt) -> Result<(), PassphraseError> {
        self.prompts.push(prompt);
        self.answer().map(drop)
    }

    #[cfg(feature = "plugins")]
    fn plugin(&mut self, _: &PluginMessage) -> Result<Option<SecretString>, PassphraseError> {
        self.answer().map(Some)
    }

    fn warn(&mut self, _: &str) {}
}

/// Returns a store whose kernel keyring entries no other test uses.
fn file_store(dir: &std::path::Path) -> FileStore {
    let minute = std::time::Duration::from_mins(1);
    let place = dir.display().to_string();
    let unlocked = Unlocked::of_store(&place, minute, TimeoutOrigin::Settings, minute);
    FileStore::open(&dir.join("store"), &dir.join("state"), None, unlocked, minute)
}

fn seed(profile: &str) -> Item {
    let id = ItemId::totp_seed(&ProfileName::parse(profile).unwrap());
    let secret = b"arn:aws:iam::111122223333:mfa/jan GEZDGNBVGY3TQOJQ";
    Item {
        info: ItemInfo { id, access_key_id: None, ..item(profile, b"").info },
        secret: Zeroizing::new(secret.to_vec()),
    }
}

pub(super) fn check_contract(store: &mut dyn Store) {
    store.unlock(&mut Answers::of("correct horse")).unwrap();
    assert_eq!(store.status(), Status::Ready);
    let (a, b) = (item("a", b"secret a"), item("team/b c", b"secret b"));
    assert!(matches!(store.read(&a.info.id), Err(StoreError::Absent)), "an item that was never written");
    assert!(matches!(store.delete(&a.info.id), Err(StoreError::Absent)), "deleting it");

    let before = store.generation();
    store.write(&a).unwrap();
    store.write(&b).unwrap();
    if before.is_some() {
        assert_ne!(store.generation(), before, "a write changes the generation");
    }
    let read = store.read(&a.info.id).unwrap();
    assert_eq!((&read.info, &*read.secret), (&a.info, &*a.secret));

    let (listed, broken) = store.list().unwrap();
    assert_eq!(listed, [a.info.clone(), b.info.clone()]);
    assert!(broken.is_empty());

    store.write(&item("a", b"newer")).unwrap();
    assert_eq!(&*store.read(&a.info.id).unwrap().secret, b"newer");
    assert_eq!(&*store.read(&b.info.id).unwrap().secret, b"secret b", "its neighbour is untouched");

    // An item with the same name but another kind is a different item.
    let seed = seed("a");
    store.write(&seed).unwrap();
    let read = store.read(&seed.info.id).unwrap();
    assert_eq!((&read.info, &*read.secret), (&seed.info, &*seed.secret));
    assert_eq!(&*store.read(&a.info.id).unwrap().secret, b"newer");

    store.delete(&a.info.id).unwrap();
    assert!(matches!(store.read(&a.info.id), Err(StoreError::Absent)));
    let mut left = store.list().unwrap().0;
    left.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(left, [b.info, seed.info.clone()]);
    store.delete(&seed.info.id).unwrap();
    assert_eq!(store.list().unwrap().0.len(), 1);
}

#[test]
fn the_memory_store_keeps_the_contract() {
    check_contract(&mut MemoryStore::default());
}

#[test]
fn the_file_store_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = file_store(dir.path());
    assert_eq!(store.status(), Status::Empty);
    check_contract(&mut store);
    store.lock();
    assert_eq!(store.status(), Status::Locked);
    assert!(matches!(store.read(&item("a", b"").info.id), Err(StoreError::Locked(..))));
}

/// Runs one test of this binary again, in a new session bus with an unlocked keyring. Prints the reason if that is not
/// possible.
#[cfg(all(target_os = "linux", feature = "secret-service"))]
fn run_in_a_desktop_session(test: &str) {
    const SCRIPT: &str = "\
        printf %s secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n\
        gdbus wait --session --timeout 10 org.freedesktop.secrets || exit 1\n\
        exec \"$0\" --exact --nocapture \"$1\"";
    for program in ["dbus-run-session", "gnome-keyring-daemon", "gdbus"] {
        let found = std::process::Command::new(program).arg("--version").output();
        if found.is_err() {
            println!("skipped: there is no {program}");
            return;
        }
    }
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("dbus-run-session")
        .args(["--", "/bin/sh", "-c", SCRIPT])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("HOME", home.path()), ("XDG_RUNTIME_DIR", home.path())])
        .env(IN_SESSION, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{output:?}");
}

#[cfg(all(target_os = "linux", feature = "secret-service"))]
const IN_SESSION: &str = "HATBOX_TEST_IN_SESSION";

#[cfg(all(target_os = "linux", feature = "secret-service"))]
#[test]
fn the_secret_service_keeps_the_contract() {
    use super::secret_service::SecretServiceStore;
    use std::time::Duration;
    if std::env::var_os(IN_SESSION).is_none() {
        return run_in_a_desktop_session("store::contract::the_secret_service_keeps_the_contract");
    }
    check_contract(&mut SecretServiceStore::open(Duration::from_secs(1)));
}

#[test]
fn a_wrong_passphrase_may_be_corrected_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = file_store(dir.path());
    store.unlock(&mut Answers::of("correct horse")).unwrap();
    store.lock();
    let mut wrong = Answers::of("wrong");
    let refused = store.unlock(&mut wrong);
    assert!(matches!(refused, Err(StoreError::Locked(_, PassphraseError::Wrong))));
    assert_eq!(wrong.asked, [1, 2, 3].map(|attempt| PassphraseFor::Opening { attempt }));
}

#[test]
fn an_empty_passphrase_is_refused_at_creation_and_at_opening() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = file_store(dir.path());
    assert!(matches!(
        store.unlock(&mut Answers::of("")),
        Err(StoreError::Locked(_, PassphraseError::Empty(_)))
    ));
    assert_eq!(store.status(), Status::Empty, "nothing was created");
    store.unlock(&mut Answers::of("correct horse")).unwrap();
    store.lock();
    assert!(matches!(
        store.unlock(&mut Answers::of("")),
        Err(StoreError::Locked(_, PassphraseError::Empty(_)))
    ));
}

#[test]
fn a_damaged_or_foreign_item_is_named_and_the_others_work() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = file_store(dir.path());
    store.unlock(&mut Answers::of("correct horse")).unwrap();
    store.write(&item("a", b"1")).unwrap();
    store.write(&item("b", b"2")).unwrap();
    let items = dir.path().join("store/items");
    let mut files: Vec<_> = std::fs::read_dir(&items).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (first, second) = (std::fs::read(&files[0]).unwrap(), std::fs::read(&files[1]).unwrap());

    let check = |what: &str| {
        let (listed, broken) = store.list().unwrap();
        assert_eq!((listed.len(), broken.len()), (1, 1), "{what}");
        let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(broken[0].to_string().contains(&name), "{what}: {}", broken[0]);
    };
    std::fs::write(&files[0], &second).unwrap();
    check("another item in its place");
    let mut flipped = first.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&files[0], flipped).unwrap();
    check("a flipped bit");
    std::fs::write(&files[0], &first[..first.len() / 2]).unwrap();
    check("cut short");
    std::fs::write(&files[0], b"").unwrap();
    check("empty");
    std::fs::write(&files[0], &first).unwrap();
    #[cfg(unix)]
    {
        std::fs::set_permissions(&files[0], std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        check("readable by others");
    }
}
