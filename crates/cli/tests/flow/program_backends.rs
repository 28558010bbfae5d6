//! The backends that are external programs, with the real binary: `pass` with a real GnuPG, `command` with a helper.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cast::PHONE;
use crate::fixture::{Fixture, PASSPHRASE};
use crate::mfa_devices::SEED;
use crate::run::{Outcome, Run};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

/// A fixture with its own password store. The GnuPG agent ends when this is dropped.
pub(crate) struct Pass {
    pub(crate) fixture: Fixture,
}

impl Pass {
    /// Returns `None` and prints the reason if the programs are not installed.
    pub(crate) fn new(passphrase: &str) -> Option<Self> {
        let is_here =
            |name: &str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
        if !is_here("pass") || !is_here("gpg") {
            eprintln!("skipped: pass and gpg are not installed");
            return None;
        }
        let made = Self { fixture: Fixture::empty(&["jan-work", "team/b c"]) };
        made.fixture.write_config(CONFIG);
        let directory = made.fixture.path("home/.gnupg");
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700)).unwrap();
        let flags = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase];
        made.tool(
            "gpg",
            &[&flags[..], &["--quick-gen-key", "jan@example.invalid", "default", "default"]].concat(),
        );
        made.tool("pass", &["init", "jan@example.invalid"]);
        Some(made)
    }

    fn tool(&self, program: &str, arguments: &[&str]) {
        Run::new(program, self.fixture.variables()).args(arguments).run().ok();
    }

    /// Runs hatbox without the passphrase of the `file` backend.
    fn hatbox(&self, arguments: &[&str]) -> Run {
        self.fixture.hatbox(arguments).without("HATBOX_FILE_PASSPHRASE")
    }

    pub(crate) fn add(&self, profile: &str) -> Outcome {
        let run = self.fixture.add_run(profile, &["--backend", "pass", "--no-add-config"]);
        run.without("HATBOX_FILE_PASSPHRASE").run()
    }

    fn items(&self) -> Vec<String> {
        let top = self.fixture.path("home/.password-store/hatbox");
        let below = |path: PathBuf| path.strip_prefix(&top).unwrap().display().to_string();
        let mut found: Vec<_> =
            self.fixture.files().into_iter().filter(|path| path.starts_with(&top)).map(below).collect();
        found.sort();
        found
    }

    fn forget(&self) {
        self.hatbox(&["lock"]).run().ok();
        self.tool("gpgconf", &["--kill", "gpg-agent"]);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.args(["--kill", "all"]).env("GNUPGHOME", self.fixture.path("home/.gnupg"));
        command.stdin(Stdio::null()).status().ok();
    }
}

#[test]
fn keys_in_pass_are_added_used_listed_and_removed() {
    let Some(pass) = Pass::new("") else { return };
    let added = pass.add("jan-work").ok();
    let kept = "hatbox: keys are kept in the backend `pass`\nhatbox: stored the access key ****";
    assert!(added.stderr.starts_with(kept), "{}", added.stderr);
    pass.add("team/b c").ok();
    assert_eq!(
        pass.items(),
        ["access-key/jan-work.gpg", "access-key/team%2fb%20c.gpg", "cache-key/default.gpg"]
    );
    // The first write saved the choice in the settings.
    let exec =
        pass.hatbox(&["exec", "reader", "--", "sh", "-c", "echo $AWS_SESSION_TOKEN | wc -c"]).run().ok();
    assert!(exec.stdout.trim().parse::<u32>().unwrap() > 20);
    let list = pass.hatbox(&["list", "--credentials"]).run().ok();
    assert_eq!(list.stdout, "jan-work\nteam/b c\n");
    pass.hatbox(&["remove", "-f", "jan-work"]).run().ok();
    assert_eq!(pass.items(), ["access-key/team%2fb%20c.gpg", "cache-key/default.gpg"]);
    // A key that was removed with another tool.
    pass.tool("pass", &["rm", "-f", "hatbox/access-key/team%2fb%20c"]);
    let list = pass.hatbox(&["list", "--credentials"]).run().ok();
    assert_eq!(list.stdout, "");
}

#[test]
fn a_locked_pass_is_never_asked_by_list_and_by_exec_only_where_a_person_is() {
    let Some(pass) = Pass::new("canary") else { return };
    let pinentry = |answer: &str| {
        let script = format!(
            "echo OK; while read -r verb rest; do case $verb in GETPIN) {answer};; BYE) echo OK; exit;; \
             *) echo OK;; esac; done"
        );
        let path = pass.fixture.write_program("pinentry-canary", &script);
        let agent = format!("pinentry-program {}\n", path.display());
        std::fs::write(pass.fixture.path("home/.gnupg/gpg-agent.conf"), agent).unwrap();
        pass.forget();
    };
    pinentry("echo 'D canary'; echo OK");
    pass.add("jan-work").ok();
    pinentry("echo 'ERR 83886179 Operation cancelled <Pinentry>'");
    let exec = || pass.hatbox(&["export", "-n", "jan-work"]);
    let list = pass.hatbox(&["list"]).run().ok();
    assert!(list.stdout.contains("locked"), "{}", list.stdout);
    let status = pass.hatbox(&["store", "status"]).run().ok();
    assert!(status.stdout.contains("* pass            locked       ?"), "{}", status.stdout);
    // The user cannot be asked: pinentry has no terminal either.
    let refused = exec().run().expect_code(130);
    assert!(refused.stderr.starts_with("hatbox: error: the pass store is locked\n"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`pass` got no passphrase"), "{}", refused.stderr);

    pinentry("echo 'D canary'; echo OK");
    let mut terminal = Terminal::start(&exec());
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    assert!(terminal.transcript().contains("AWS_ACCESS_KEY_ID"));
}

#[test]
fn pass_that_is_absent_or_has_no_store_is_named_with_the_way_out() {
    let fixture = Fixture::empty(&["jan-work"]);
    let add = |path: &Path| {
        let run = fixture.add_run("jan-work", &["--backend", "pass", "--no-add-config"]);
        run.env("PATH", path).run().expect_code(1)
    };
    let absent = add(Path::new("/nonexistent"));
    assert!(absent.stderr.contains("caused by: there is no program `pass` in PATH"), "{}", absent.stderr);
    assert!(absent.stderr.contains("hint: install it, or set `pass_command` in hatbox's settings"));
    fixture.write_program("pass", "exit 1");
    let no_store = add(&fixture.path("bin"));
    assert!(
        no_store.stderr.contains("there is no password store at `~/.password-store`"),
        "{}",
        no_store.stderr
    );
    assert!(no_store.stderr.contains("hint: run `pass init GPG-ID`"), "{}", no_store.stderr);
    let switch = fixture.hatbox(&["store", "use", "pass"]).run().expect_code(1);
    assert!(switch.stderr.contains("there is no password store"), "{}", switch.stderr);
}

#[test]
fn keys_move_from_file_to_pass_and_back() {
    let Some(pass) = Pass::new("") else { return };
    let fixture = &pass.fixture;
    for profile in ["jan-work", "team/b c"] {
        fixture.add_run(profile, &["--no-add-config"]).run().ok();
    }
    let secret = || fixture.hatbox(&["export", "-n", "--format", "json", "jan-work"]).run().ok().stdout;
    let before = secret();
    let store_seed = ["mfa", "store-seed", "--stdin", "--mfa-serial", PHONE, "jan-work"];
    fixture.hatbox(&store_seed).input(SEED).run().ok();
    let moved = fixture.hatbox(&["store", "migrate", "--to", "pass", "--delete-source", "--yes"]).run().ok();
    assert_eq!(
        moved.stderr,
        "hatbox: keys are kept in the backend `pass`\n\
         hatbox: copied the access key of `jan-work` to `pass`\n\
         hatbox: copied the access key of `team/b c` to `pass`\n\
         hatbox: copied the TOTP seed of `jan-work` to `pass`\n\
         hatbox: deleted 3 keys and TOTP seeds from `file`\n"
    );
    assert_eq!(pass.items().len(), 4);
    pass.hatbox(&["mfa", "code", "jan-work"]).run().ok();
    assert_eq!(secret(), before);
    assert!(
        pass.hatbox(&["export", "-n", "jan-work"]).run().code() == Some(0),
        "without the file's passphrase"
    );
    fixture.hatbox(&["store", "migrate", "--to", "file", "--delete-source", "--yes"]).run().ok();
    assert_eq!(pass.items(), ["cache-key/default.gpg"]);
    assert_eq!(secret(), before);
}

#[test]
fn seeds_can_be_kept_in_another_backend_than_the_keys() {
    let Some(pass) = Pass::new("") else { return };
    let fixture = &pass.fixture;
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    let backend = "backend = \"file\"\n";
    let settings = std::fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap();
    assert!(settings.starts_with(backend), "{settings}");
    fixture.write_settings(&format!("{backend}seed_backend = \"pass\"\n"));
    let store_seed = ["mfa", "store-seed", "--stdin", "--mfa-serial", PHONE, "jan-work"];
    let stored = fixture.hatbox(&store_seed).input(SEED).run().ok();
    assert!(!stored.stderr.contains("beside the access key"), "{}", stored.stderr);
    assert!(pass.items().contains(&"totp-seed/jan-work.gpg".to_owned()), "{:?}", pass.items());
    assert!(!pass.items().iter().any(|item| item.starts_with("access-key")), "{:?}", pass.items());
    fixture.write_config(crate::prompts::CONFIG);
    fixture.hatbox(&["exec", "guarded", "--", "true"]).run().ok();
    let settings = std::fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap();
    assert!(settings.starts_with(backend), "the backend of the keys stays: {settings}");
    fixture.hatbox(&["mfa", "remove-seed", "-f", "jan-work"]).run().ok();
    assert!(!pass.items().iter().any(|item| item.starts_with("totp-seed")), "{:?}", pass.items());
}

#[test]
fn settings_move_the_store_the_program_and_the_directory_of_pass() {
    let Some(pass) = Pass::new("") else { return };
    let elsewhere = pass.fixture.path("home/elsewhere");
    std::fs::rename(pass.fixture.path("home/.password-store"), &elsewhere).unwrap();
    pass.fixture.write_program("my-pass", "echo \"$@\" >>\"$HOME/ran\"; exec pass \"$@\"");
    pass.fixture.write_settings(&format!(
        "pass_dir = \"~/elsewhere\"\npass_prefix = \"work/aws keys\"\npass_command = \"{}\"\n",
        pass.fixture.path("bin/my-pass").display()
    ));
    pass.add("jan-work").ok();
    assert!(elsewhere.join("work/aws keys/access-key/jan-work.gpg").is_file());
    let ran = std::fs::read_to_string(pass.fixture.path("home/ran")).unwrap();
    assert!(ran.contains("insert --multiline --force work/aws keys/access-key/jan-work\n"), "{ran}");
    assert!(!ran.contains(pass.fixture.key("jan-work").secret.expose()));
    pass.fixture.write_settings("pass_prefix = \"../x\"\n");
    let refused = pass.hatbox(&["list"]).run().expect_code(2);
    assert!(refused.stderr.contains("invalid `pass_prefix = \"../x\"`"));
}

/// A fixture with the helper for rbw and a stub of rbw.
pub(crate) fn with_helper() -> Option<Fixture> {
    if !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: python3 is not installed");
        return None;
    }
    let fixture = Fixture::empty(&["jan-work"]);
    fixture.write_config(CONFIG);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    symlink(crates.join("tests/stand_ins/rbw"), fixture.path("bin/rbw")).unwrap();
    let helper = crates.join("../../helpers/hatbox-store-rbw").canonicalize().unwrap();
    fixture.write_settings(&format!("backend = \"command\"\nstore_command = \"'{}'\"\n", helper.display()));
    Some(fixture)
}

#[test]
fn keys_behind_a_helper_are_added_used_listed_and_removed() {
    let Some(fixture) = with_helper() else { return };
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert_eq!(fixture.hatbox(&["list", "--credentials"]).run().ok().stdout, "jan-work\n");
    // With cached data the helper is no longer needed.
    std::fs::remove_file(fixture.path("bin/rbw")).unwrap();
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let cold = fixture.hatbox(&["export", "-n", "jan-work"]).run().expect_code(1);
    assert!(cold.stderr.contains("says: `rbw` is not installed"), "{}", cold.stderr);
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_ins/rbw"), fixture.path("bin/rbw"))
        .unwrap();
    fixture.hatbox(&["remove", "-f", "jan-work"]).run().ok();
    assert_eq!(fixture.hatbox(&["list", "--credentials"]).run().ok().stdout, "");
}

#[test]
fn a_helper_gets_no_secret_of_hatbox_and_cannot_go_round_in_a_circle() {
    let fixture = Fixture::empty(&["jan-work"]);
    let seen = fixture.path("home/seen");
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture.write_program("helper", &format!("env >'{}'; exec '{hatbox}' list --unlock", seen.display()));
    fixture.write_settings("backend = \"command\"\nstore_command = \"helper\"\n");
    let refused = fixture.add_run("jan-work", &["--no-add-config"]).run().expect_code(1);
    assert!(
        refused.stderr.contains("the helper `helper` returned no answer to `unlock`"),
        "{}",
        refused.stderr
    );
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("HOME=") && !seen.contains(PASSPHRASE), "{seen}");
}

#[test]
fn a_settings_file_that_others_may_write_names_no_helper() {
    let Some(fixture) = with_helper() else { return };
    let path = fixture.path("home/.config/hatbox/config.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let refused = fixture.hatbox(&["list"]).run().expect_code(3);
    assert!(
        refused.stderr.contains("names a command to run, and others may write to it"),
        "{}",
        refused.stderr
    );
    fixture.write_settings("backend = \"command\"\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let unnamed = fixture.add_run("jan-work", &["--no-add-config"]).run().expect_code(1);
    assert!(unnamed.stderr.contains("`store_command` is not in hatbox's settings"), "{}", unnamed.stderr);
}

/// On a terminal of 80 columns, which would break lines anywhere.
#[test]
fn the_reasons_in_store_status_are_broken_at_words_on_a_terminal() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let status = || fixture.hatbox(&["store", "status"]).env("PATH", fixture.path("bin"));
    let plain = status().run().ok().stdout;
    let columns = 80;
    assert!(plain.lines().any(|line| line.len() > columns), "{plain}");
    let mut terminal = Terminal::start(&status());
    assert!(terminal.wait().success());
    let screen = terminal.screen();
    for word in plain.split_whitespace().filter(|word| word.len() < columns / 2) {
        assert!(
            screen.iter().any(|line| line.split_whitespace().any(|own| own == word)),
            "{word}: {screen:#?}"
        );
    }
}
