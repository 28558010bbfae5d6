//! Runs the store contract on the real `pass` with GnuPG, and on the real `age` with a stub of `passage`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::store::contract::{Answers, check_contract, item};
use std::ffi::OsString;

use crate::store::programs::{PassSettings, Programs};

fn programs(home: &Path, variables: &[(&str, &Path)]) -> Programs {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut environment: Vec<(OsString, OsString)> =
        vec![("PATH".into(), path), ("HOME".into(), home.into())];
    environment.extend(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    Programs {
        environment,
        home: home.to_owned(),
        is_inside: false,
        patience: Duration::from_secs(30),
        pass: PassSettings::default(),
        passage: PassSettings::default(),
        prefix: None,
        command: None,
    }
}

/// A home directory with a GnuPG key pair and a password store. Its agent ends when this is dropped.
struct Gnupg {
    home: tempfile::TempDir,
}

impl Gnupg {
    /// Returns `None` and prints the reason if the programs are not installed.
    fn new(passphrase: &str) -> Option<Self> {
        if !["pass", "gpg"].iter().all(|name| is_here(name)) {
            eprintln!("skipped: pass and gpg are not installed");
            return None;
        }
        let made = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir(made.directory()).unwrap();
        std::fs::set_permissions(made.directory(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        let arguments = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase];
        made.run(
            "gpg",
            &[&arguments[..], &["--quick-gen-key", "jan@example.invalid", "default", "default"]].concat(),
        );
        made.run("pass", &["init", "jan@example.invalid"]);
        Some(made)
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("gnupg")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).env("GNUPGHOME", self.directory()).env("HOME", self.home.path());
        command.env_remove("PASSWORD_STORE_DIR");
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn store(&self) -> PassStore {
        PassStore::open_pass(&programs(self.home.path(), &[("GNUPGHOME", &self.directory())]))
    }

    fn file(&self, below: &str) -> PathBuf {
        self.home.path().join(".password-store/hatbox").join(below)
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.args(["--kill", "all"]).env("GNUPGHOME", self.directory()).status().ok();
    }
}

fn is_here(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn pass_keeps_the_contract_and_does_not_ask_where_there_is_no_passphrase() {
    let Some(gnupg) = Gnupg::new("") else { return };
    let mut store = gnupg.store();
    assert_eq!(store.status(), Status::Empty);
    check_contract(&mut store);
    assert!(gnupg.file("access-key/team%2fb%20c.gpg").is_file());
    let longest = item(&"🔑".repeat(256), b"1");
    store.write(&longest).unwrap();
    assert_eq!(store.list().unwrap().0.len(), 2);
    store.delete(&longest.info.id).unwrap();
    store.lock();
    assert_eq!(store.status(), Status::Locked);
    store.unlock(&mut Answers::default()).unwrap();
    assert_eq!(store.status(), Status::Ready);
}

#[test]
fn a_damaged_item_of_pass_is_named_and_the_others_work() {
    let Some(gnupg) = Gnupg::new("") else { return };
    let mut store = gnupg.store();
    store.unlock(&mut Answers::default()).unwrap();
    for profile in ["a", "b"] {
        store.write(&item(profile, profile.as_bytes())).unwrap();
    }
    let (a, b) = (gnupg.file("access-key/a.gpg"), gnupg.file("access-key/b.gpg"));
    let good = std::fs::read(&a).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let half = good[..good.len() / 2].to_vec();
    for (what, bytes) in [
        ("another item in its place", std::fs::read(&b).unwrap()),
        ("a flipped bit", flipped),
        ("cut short", half),
        ("empty", Vec::new()),
        ("no message at all", b"garbage".to_vec()),
    ] {
        std::fs::write(&a, bytes).unwrap();
        let (listed, broken) = store.list().unwrap();
        assert_eq!((listed.len(), broken.len()), (1, 1), "{what}");
        assert!(
            broken[0].to_string().starts_with("item `hatbox/access-key/a` in the pass store is damaged: "),
            "{what}"
        );
        assert!(matches!(store.read(&item("a", b"").info.id), Err(StoreError::Broken { .. })), "{what}");
    }
    store.write(&item("a", b"anew")).unwrap();
    assert_eq!(&*store.read(&item("a", b"").info.id).unwrap().secret, b"anew");
}

#[test]
fn a_write_that_fails_leaves_the_item_as_it_was() {
    let Some(gnupg) = Gnupg::new("") else { return };
    let mut store = gnupg.store();
    store.unlock(&mut Answers::default()).unwrap();
    store.write(&item("a", b"old")).unwrap();
    let id_file = gnupg.home.path().join(".password-store/.gpg-id");
    let recipient = std::fs::read_to_string(&id_file).unwrap();
    std::fs::write(&id_file, "nobody@example.invalid\n").unwrap();
    let refused = store.write(&item("a", b"new")).unwrap_err();
    let StoreError::Unavailable { source, .. } = refused else { panic!("{refused:?}") };
    assert!(source.to_string().starts_with("GnuPG cannot encrypt to `nobody@example.invalid`"), "{source}");
    std::fs::write(&id_file, recipient).unwrap();
    assert_eq!(&*store.read(&item("a", b"").info.id).unwrap().secret, b"old");
    assert_eq!(store.list().unwrap().0.len(), 1);
}

#[test]
fn a_key_with_a_passphrase_is_locked_until_its_own_prompt_gave_it() {
    let Some(gnupg) = Gnupg::new("canary") else { return };
    let mut store = gnupg.store();
    store.unlock(&mut Answers::default()).unwrap();
    store.write(&item("a", b"1")).unwrap();
    let agent = |option: &str| gnupg.run("gpgconf", &["--kill", option]);
    agent("gpg-agent");
    let mut store = gnupg.store();
    assert_eq!(store.status(), Status::Locked);
    let refused = store.unlock(&mut Answers::default());
    assert!(matches!(refused, Err(StoreError::Locked(_, PassphraseError::CannotAsk))), "{refused:?}");
    let mut allow = Answers::of("");
    // Stubs of pinentry: one user who cancels, and one who knows the passphrase.
    let pinentry = gnupg.home.path().join("pinentry");
    let speak = |answer: &str| {
        let script = format!(
            "#!/bin/sh\necho OK\nwhile read -r verb rest; do case $verb in GETPIN) {answer};; BYE) echo OK; exit;; \
             *) echo OK;; esac; done\n"
        );
        std::fs::write(&pinentry, script).unwrap();
        std::fs::set_permissions(&pinentry, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(
            gnupg.directory().join("gpg-agent.conf"),
            format!("pinentry-program {}\n", pinentry.display()),
        )
        .unwrap();
        agent("gpg-agent");
    };
    speak("echo 'ERR 83886179 Operation cancelled <Pinentry>'");
    let refused = store.unlock(&mut allow);
    assert!(matches!(refused, Err(StoreError::Locked(_, PassphraseError::Refused { .. }))), "{refused:?}");
    speak("echo 'D canary'; echo OK");
    store.unlock(&mut allow).unwrap();
    assert_eq!(allow.prompts, [OwnPrompt::Program, OwnPrompt::Program]);
    assert_eq!(&*store.read(&item("a", b"").info.id).unwrap().secret, b"1");
    // gpg-agent has the passphrase now.
    gnupg.store().unlock(&mut Answers::default()).unwrap();
}

#[test]
fn what_keeps_pass_from_being_used_is_said_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let mut programs = programs(home.path(), &[]);
    programs.environment = vec![("PATH".into(), home.path().into())];
    let why = |programs: &Programs| match PassStore::open_pass(programs).status() {
        Status::Unavailable(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        why(&programs),
        "there is no program `pass` in PATH: install it, or set `pass_command` in hatbox's settings"
    );
    let program = home.path().join("pass");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(why(&programs), "there is no password store at `~/.password-store`: run `pass init GPG-ID`");
    let mut store = PassStore::open_pass(&programs);
    assert!(matches!(
        store.unlock(&mut Answers::default()),
        Err(StoreError::Unavailable { hint: Some(_), .. })
    ));
    programs.environment = vec![("PATH".into(), "relative:.".into())];
    assert!(why(&programs).starts_with("there is no program"), "a relative directory of PATH");
}

/// What hatbox needs of passage, implemented with the real `age`.
const PASSAGE_STAND_IN: &str = r#"#!/bin/sh
set -eu
identities=$HOME/.passage/identities
verb=$1; shift
while :; do case ${1-} in -*) shift;; *) break;; esac; done
case $verb in
show)
    test -f "$PASSAGE_DIR/$1.age" || { echo "Error: $1 is not in the passage store." >&2; exit 1; }
    age -d -i "$identities" "$PASSAGE_DIR/$1.age";;
insert)
    mkdir -p "$(dirname "$PASSAGE_DIR/$1")"
    age -e -i "$identities" -o "$PASSAGE_DIR/$1.age";;
mv) mv -f "$PASSAGE_DIR/$1.age" "$PASSAGE_DIR/$2.age";;
rm) rm -f "$PASSAGE_DIR/$1.age";;
*) exit 1;;
esac
"#;

#[test]
fn passage_keeps_the_contract() {
    if !is_here("age") {
        eprintln!("skipped: age is not installed");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut programs = programs(home.path(), &[]);
    let program = home.path().join("stand-in");
    std::fs::write(&program, PASSAGE_STAND_IN).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    programs.passage.program = Some(program);
    let mut store = PassStore::open_passage(&programs);
    assert!(matches!(store.status(), Status::Unavailable(why) if why.contains("age-keygen -o")));
    let identities = home.path().join(".passage/identities");
    std::fs::create_dir(home.path().join(".passage")).unwrap();
    let made = Command::new("age-keygen").arg("-o").arg(&identities).output().unwrap();
    assert!(made.status.success());
    assert_eq!(store.status(), Status::Empty);
    check_contract(&mut store);
    let file = home.path().join(".passage/store/hatbox/access-key/team%2fb%20c.age");
    assert!(file.is_file());
    let id = item("team/b c", b"").info.id;
    std::fs::write(&file, "garbage").unwrap();
    assert!(matches!(store.read(&id), Err(StoreError::Broken { .. })), "{:?}", store.read(&id));
    std::fs::remove_file(&identities).unwrap();
    Command::new("age-keygen").arg("-o").arg(&identities).output().unwrap();
    store.write(&item("a", b"1")).unwrap();
    assert_eq!(&*store.read(&item("a", b"").info.id).unwrap().secret, b"1");
}
