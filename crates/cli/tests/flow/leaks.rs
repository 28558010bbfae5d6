//! Canary secrets in every command with `--debug`: none may appear where it is not expected.

use std::path::{Path, PathBuf};

use hatbox_sandbox::control::Revoked;
use hatbox_sandbox::world::LoginState;

use crate::canary::{Canary, STANDARD, URL_SAFE, base64, hex, url_encoded};
use crate::cast::PHONE;
use crate::fixture::{Fixture, PASSPHRASE};
use crate::mfa_devices::SEED;
use crate::run::{Outcome, Run};
use crate::terminal::Terminal;
use crate::{login_sign_in, sso, sso_cache, sso_populate};

const CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan
mfa_process = phone

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile admin]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/admin
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile strangers]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/strangers
";

/// Looks for canaries in everything that a run leaves behind.
struct Watch {
    fixture: Fixture,
    fixed: Vec<Canary>,
    codes: Vec<String>,
    /// Files that are allowed to contain secrets.
    promised: Vec<PathBuf>,
    found: Vec<String>,
}

/// Whether stdout is allowed to contain secrets.
#[derive(Clone, Copy, PartialEq)]
enum Promised {
    Nothing,
    /// `export`: the credentials are allowed.
    Stdout,
}

impl Watch {
    fn new() -> Self {
        Self::of(Fixture::empty(&["jan-work", "other"]))
    }

    fn of(fixture: Fixture) -> Self {
        fixture.write_config(CONFIG);
        let mut fixed = vec![Canary::new("the passphrase", PASSPHRASE)];
        for name in ["jan-work", "other"] {
            fixed.push(Canary::new(format!("the secret key of {name}"), fixture.key(name).secret.expose()));
        }
        // The phone records the arguments of hatbox, and reads its code from a file outside of HOME.
        let script = "for p in $PPID $(cut -d ' ' -f 4 /proc/$PPID/stat); do tr '\\0' ' ' </proc/$p/cmdline; done \
                      >>\"$HOME/../argv\"; cat \"$HOME/../code\"";
        fixture.write_program("phone", script);
        Self { fixture, fixed, codes: Vec::new(), promised: Vec::new(), found: Vec::new() }
    }

    fn next_code(&mut self) -> String {
        let code = self.fixture.code(PHONE);
        std::fs::write(self.fixture.path("code"), &code).unwrap();
        self.codes.push(code.clone());
        code
    }

    fn canaries(&self) -> Vec<Canary> {
        let mut canaries: Vec<_> = self.codes.iter().map(|code| Canary::new("an MFA code", code)).collect();
        for session in self.fixture.world().sessions.values() {
            canaries.push(Canary::new("a session's secret", session.secret.expose()));
            canaries.push(Canary::new("a session's token", session.token.expose()));
        }
        canaries
    }

    fn look(&mut self, place: &str, bytes: &[u8]) {
        let canaries = self.canaries();
        for canary in self.fixed.iter().chain(&canaries) {
            if let Some(how) = canary.find_in(bytes) {
                self.found.push(format!("{} ({how}) in {place}", canary.name));
            }
        }
    }

    /// Full access key ids are not secret, but they must not appear in messages either.
    fn look_for_ids(&mut self, place: &str, text: &str) {
        let world = self.fixture.world();
        let ids = self.fixture.keys().values().map(|key| &key.id).chain(world.sessions.keys());
        let found: Vec<_> =
            ids.filter(|id| text.contains(*id)).map(|_| format!("a key id in {place}")).collect();
        self.found.extend(found);
    }

    fn look_at_files(&mut self, what: &str) {
        let argv = self.fixture.path("argv");
        let promised = self.promised.clone();
        for path in self.fixture.files().into_iter().chain([argv]).filter(|path| !promised.contains(path)) {
            if let Ok(bytes) = std::fs::read(&path) {
                self.look(&format!("{} after {what}", path.display()), &bytes);
            }
            self.look(&format!("a name after {what}"), path.as_os_str().as_encoded_bytes());
        }
    }

    fn run(&mut self, run: &Run, promised: Promised) -> Outcome {
        let outcome = run.clone().args(["--debug"]).env("RUST_BACKTRACE", "full").run();
        let what = format!("{run:?}").split("variables").next().unwrap_or_default().to_owned();
        self.look(&format!("stderr of {what}"), outcome.stderr.as_bytes());
        self.look_for_ids(&format!("stderr of {what}"), &outcome.stderr);
        if promised == Promised::Nothing {
            self.look(&format!("stdout of {what}"), outcome.stdout.as_bytes());
            self.look_for_ids(&format!("stdout of {what}"), &outcome.stdout);
        } else if outcome.stdout.contains(PASSPHRASE) {
            self.found.push("the passphrase in what was exported".to_owned());
        }
        self.look_at_files(&what);
        outcome
    }
}

#[test]
fn no_canary_appears_where_it_was_not_promised() {
    let mut watch = Watch::new();
    let hatbox = |watch: &Watch, line: &[&str]| watch.fixture.hatbox(line);
    let add = watch.fixture.add_run("jan-work", &["--no-add-config"]);
    watch.run(&add, Promised::Nothing).ok();
    watch.run(&add, Promised::Nothing).expect_code(4);
    watch.run(&add.clone().args(["--force"]), Promised::Nothing).ok();
    let other = watch.fixture.key("other").clone();
    let stdin = format!("{}\n{}\n", other.id, other.secret.expose());
    let add_other = hatbox(&watch, &["add", "--stdin", "other"]).input(stdin);
    watch.run(&add_other, Promised::Nothing).ok();
    // The id and the secret are swapped: the error must not quote the secret.
    let swapped =
        hatbox(&watch, &["add", "--stdin", "third"]).input(format!("canary/swapped+secret\n{}\n", other.id));
    watch.fixed.push(Canary::new("a secret in the place of an id", "canary/swapped+secret"));
    watch.run(&swapped, Promised::Nothing).expect_code(2);

    let code = watch.next_code();
    let debugged = watch.run(&hatbox(&watch, &["exec", "admin"]), Promised::Nothing);
    assert!(debugged.ok().stderr.contains("hatbox: debug: "), "--debug says something at all");
    for format in ["env", "export-env", "json", "ini"] {
        let export = watch.run(&hatbox(&watch, &["export", "--format", format, "admin"]), Promised::Stdout);
        assert!(!export.ok().stdout.is_empty());
    }
    watch.run(&hatbox(&watch, &["export", "-n", "jan-work"]), Promised::Stdout).ok();
    // A sign-in link is a secret itself, but contains none of the credentials.
    watch.run(&hatbox(&watch, &["login", "--stdout", "admin"]), Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &["login", "--stdout", "jan-work"]), Promised::Nothing).expect_code(2);
    let elsewhere = hatbox(&watch, &["login", "--stdout", "admin"]);
    let elsewhere = elsewhere.env("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1");
    watch.run(&elsewhere, Promised::Nothing).expect_code(1);
    for line in [
        &["list"][..],
        &["list", "--json"],
        &["list", "--sessions"],
        &["list", "--credentials"],
        &["explain", "admin"],
        &["explain", "--json", "admin"],
        &["explain", "--json", "jan-work"],
        &["doctor"],
        &["doctor", "--json", "--fix"],
    ] {
        watch.run(&hatbox(&watch, line), Promised::Nothing).ok();
    }
    // The same code is rejected the second time.
    let again = hatbox(&watch, &["exec", "--fresh", "-t", &code, "admin"]);
    watch.run(&again, Promised::Nothing).expect_code(125);
    watch.run(&hatbox(&watch, &["exec", "strangers"]), Promised::Nothing).expect_code(125);
    for form in ["--group", "--json", "--keep-going"] {
        let line = ["each", "--debug", form, "admin", "reader", "strangers", "--", "true"];
        watch.run(&hatbox(&watch, &line), Promised::Nothing).expect_code(125);
    }
    watch.run(&hatbox(&watch, &["exec", "nobody"]), Promised::Nothing).expect_code(125);
    let unreachable =
        hatbox(&watch, &["exec", "--fresh", "reader"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    watch.run(&unreachable, Promised::Nothing).expect_code(125);
    let json = watch.fixture.path("home/why.json");
    let why = hatbox(&watch, &["exec", "--error-json", json.to_str().unwrap(), "strangers"]);
    watch.run(&why, Promised::Nothing).expect_code(125);
    // Invalid keys in the environment, and the damaged store.
    let from_files = "[profile files]\naws_access_key_id = short\naws_secret_access_key = canary-in-a-file\n";
    watch.fixed.push(Canary::new("a malformed key of the config", "canary-in-a-file"));
    let elsewhere = watch.fixture.path("elsewhere");
    std::fs::write(&elsewhere, from_files).unwrap();
    let run = hatbox(&watch, &["exec", "files"]).env("AWS_CONFIG_FILE", &elsewhere);
    watch.run(&run, Promised::Nothing).expect_code(125);
    watch.run(&hatbox(&watch, &["lock"]), Promised::Nothing).ok();
    let wrong = hatbox(&watch, &["exec", "reader"]).env("HATBOX_FILE_PASSPHRASE", "canary wrong passphrase");
    watch.fixed.push(Canary::new("a wrong passphrase", "canary wrong passphrase"));
    watch.run(&wrong, Promised::Nothing).expect_code(125);
    watch.run(&hatbox(&watch, &["list"]), Promised::Nothing).ok();

    let code = watch.next_code();
    let asking = CONFIG.replace("mfa_process = phone\n", "");
    watch.fixture.write_config(&asking);
    watch.run(&hatbox(&watch, &["lock"]), Promised::Nothing).ok();
    let exec = hatbox(&watch, &["exec", "--debug", "--fresh", "admin", "--", "true"]);
    let mut terminal = Terminal::start(&exec.without("HATBOX_FILE_PASSPHRASE"));
    terminal.wait_for_prompt("Passphrase of the hatbox store:");
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    terminal.wait_for_prompt("MFA code for");
    terminal.type_keys(&format!("{code}\r"));
    assert_eq!(terminal.wait().code(), Some(0), "{}", terminal.screen().join("\n"));
    watch.look("the screen afterwards", terminal.screen().join("\n").as_bytes());
    // An MFA code is shown while it is typed; nothing else is.
    let transcript = terminal.transcript().replace(&code, "");
    watch.look("the terminal", transcript.as_bytes());

    watch.run(&hatbox(&watch, &["remove", "-f", "other"]), Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &["clear", "jan-work"]), Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &["clear"]), Promised::Nothing).ok();
    assert!(watch.fixture.world().sessions.len() > 3, "there were sessions to leak");
    let argv = std::fs::read_to_string(watch.fixture.path("argv")).unwrap();
    assert!(argv.contains("exec admin"), "the words of hatbox were seen: {argv}");
    watch.found.sort();
    watch.found.dedup();
    assert!(watch.found.is_empty(), "{}", watch.found.join("\n"));
}

#[test]
fn keys_that_are_moved_or_sealed_again_appear_nowhere_on_the_way() {
    let mut watch = Watch::new();
    let hatbox = |watch: &Watch, line: &[&str]| watch.fixture.hatbox(line);
    let add = watch.fixture.add_run("jan-work", &["--no-add-config"]);
    watch.run(&add, Promised::Nothing).ok();
    for line in [
        &["store", "status"][..],
        &["store", "status", "--json"],
        &["store", "wrap", "list"],
        &["store", "wrap", "add", "recovery"],
        &["store", "rekey"],
        &["store", "wrap", "list", "--json"],
        &["store", "wrap", "remove", "recovery"],
        &["--unlock-for", "1h", "list"],
    ] {
        watch.run(&hatbox(&watch, line), Promised::Nothing).ok();
    }
    let vault = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/data/aws-vault/keys");
    for digit in ["1", "2", "3", "4", "5"] {
        let secret = format!("vaultsecret{}", digit.repeat(29));
        watch.fixed.push(Canary::new(format!("aws-vault's key {digit}"), &secret));
    }
    watch.fixed.push(Canary::new("aws-vault's passphrase", "vault horse"));
    for flags in [&["--dry-run"][..], &["--json"], &[]] {
        let import = hatbox(&watch, &["import", "aws-vault", "--dir", vault, "--overwrite"]).args(flags);
        let import = import.env("AWS_VAULT_FILE_PASSPHRASE", "vault horse");
        watch.run(&import.env("HATBOX_FILE_PASSPHRASE", PASSPHRASE), Promised::Nothing).ok();
    }
    let plain = "[plain]\naws_access_key_id = AKIAPLAIN0000000001\naws_secret_access_key = canary/of+plain/textcanary/of+plain/text\n";
    std::fs::write(watch.fixture.path("home/.aws/credentials"), plain).unwrap();
    watch.fixed.push(Canary::new("a key in plain text", "canary/of+plain/textcanary/of+plain/text"));
    // AWS would reject the key, which would then stay in the file.
    let import = hatbox(&watch, &["import", "credentials", "--yes", "--no-check"]);
    watch.run(&import, Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &["import", "credentials", "--list-backups"]), Promised::Nothing).ok();
    watch.found.sort();
    watch.found.dedup();
    assert!(watch.found.is_empty(), "{}", watch.found.join("\n"));
}

#[test]
fn a_stored_seed_and_the_codes_made_from_it_appear_nowhere() {
    let mut watch = Watch::new();
    let hatbox = |watch: &Watch, line: &[&str]| watch.fixture.hatbox(line);
    let add = watch.fixture.add_run("jan-work", &["--no-add-config"]);
    watch.run(&add, Promised::Nothing).ok();
    watch.fixture.write_config(&CONFIG.replace("mfa_process = phone\n", ""));
    watch.fixed.push(Canary::new("a TOTP seed", SEED));
    let store_seed = ["mfa", "store-seed", "--stdin", "--mfa-serial", PHONE, "jan-work"];
    watch.run(&hatbox(&watch, &store_seed).input(SEED), Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &store_seed).input(format!("x{SEED}!")), Promised::Nothing).expect_code(4);
    watch.next_code();
    watch.run(&hatbox(&watch, &["exec", "--fresh", "admin"]), Promised::Nothing).ok();
    watch.run(&hatbox(&watch, &["mfa", "code", "jan-work"]), Promised::Stdout).ok();
    for line in
        [&["list", "--json"][..], &["doctor"], &["store", "rekey"], &["mfa", "remove-seed", "-f", "jan-work"]]
    {
        watch.run(&hatbox(&watch, line), Promised::Nothing).ok();
    }
    watch.found.sort();
    watch.found.dedup();
    assert!(watch.found.is_empty(), "{}", watch.found.join("\n"));
}

/// Adds the secrets in a sign-in file as canaries.
fn add_tokens(watch: &mut Watch, file: &serde_json::Value, names: &[&str]) {
    for name in names {
        let secret = file.pointer(name).and_then(serde_json::Value::as_str).unwrap();
        watch.fixed.push(Canary::new(format!("the {name} of a sign-in"), secret));
    }
}

#[test]
fn the_tokens_of_sign_ins_are_only_in_the_files_that_other_programs_read() {
    const SSO: [&str; 3] = ["/accessToken", "/refreshToken", "/clientSecret"];
    const LOGIN: [&str; 4] =
        ["/refreshToken", "/idToken", "/accessToken/secretAccessKey", "/accessToken/sessionToken"];
    let fixture = Fixture::empty_in(&["jan-work", "other"], |world| {
        sso::add_center(world);
        login_sign_in::allow_sign_in(world);
    });
    let mut watch = Watch::of(fixture);
    watch.fixture.write_config(sso::CONFIG);
    watch.promised = vec![sso_cache::path(&watch.fixture), watch.fixture.path(login_sign_in::FILE)];
    let said = sso_populate::sign_in_to(&watch.fixture, "corp", &["--share-sso-cache", "--debug"]).stderr;
    let login = ["login", "--debug", "--session", "--region", "eu-west-1", "me"];
    let said = said + &login_sign_in::sign_in_as(&watch.fixture, &login, login_sign_in::JAN).ok().stderr;
    for minutes in [0, 70] {
        watch.fixture.advance(minutes * 60);
        if minutes > 0 {
            // Both are refreshed: look for the new tokens, and for the old ones again.
            for profile in ["dev", "me"] {
                watch.run(&watch.fixture.hatbox(&["exec", profile]), Promised::Nothing).ok();
            }
        }
        let files = (sso_cache::read(&watch.fixture), login_sign_in::read_file(&watch.fixture));
        add_tokens(&mut watch, &files.0, &SSO);
        add_tokens(&mut watch, &files.1, &LOGIN);
        watch.look("what the sign-ins said", said.as_bytes());
        for profile in ["dev", "above", "me"] {
            watch.run(&watch.fixture.hatbox(&["exec", profile]), Promised::Nothing).ok();
            watch.run(&watch.fixture.hatbox(&["export", profile]), Promised::Stdout).ok();
            watch.run(&watch.fixture.hatbox(&["explain", "--json", profile]), Promised::Nothing).ok();
        }
        for line in [
            &["sso", "status", "--json"][..],
            &["list", "--json"],
            &["doctor", "--json"],
            &["sso", "populate", "--dry-run"],
        ] {
            watch.run(&watch.fixture.hatbox(line), Promised::Nothing).ok();
        }
    }
    // Rejected tokens are not quoted either.
    watch.fixture.client().revoke(Revoked::Sessions).unwrap();
    watch.fixture.client().set_login_states(LoginState::Revoked).unwrap();
    for profile in ["dev", "me"] {
        let run = watch.fixture.hatbox(&["exec", "--fresh", profile]);
        watch.run(&run, Promised::Nothing).expect_code(125);
    }
    watch.run(&watch.fixture.hatbox(&["sso", "logout"]), Promised::Nothing).ok();
    watch.found.sort();
    watch.found.dedup();
    assert!(watch.found.is_empty(), "{}", watch.found.join("\n"));
}

#[test]
fn a_deliberate_leak_is_found_in_every_form_and_place() {
    let mut watch = Watch::new();
    let secret = watch.fixture.key("jan-work").secret.expose().to_owned();
    let bytes = secret.as_bytes();
    let forms = [
        secret.clone(),
        hex(bytes, "0123456789abcdef"),
        hex(bytes, "0123456789ABCDEF"),
        url_encoded(bytes, "0123456789ABCDEF"),
        base64(bytes, STANDARD),
        base64(format!("x{secret}").as_bytes(), STANDARD),
        base64(format!("{{\"secret\":\"{secret}\"}}").as_bytes(), URL_SAFE),
    ];
    let shell = |watch: &Watch, script: &str| {
        Run::new("/bin/sh", watch.fixture.variables()).args(["-c", script, "leak"])
    };
    for form in &forms {
        for place in [
            "echo \"$LEAK\"",
            "echo \"$LEAK\" >&2",
            "echo \"$LEAK\" >\"$HOME/left\"",
            "mkdir -p \"$HOME\"; echo \"$LEAK\" >>\"$HOME/../argv\"",
        ] {
            watch.found.clear();
            let run = shell(&watch, place).env("LEAK", form);
            watch.run(&run, Promised::Nothing).ok();
            assert!(!watch.found.is_empty(), "`{place}` of `{form}` was not seen");
            for left in ["home/left", "argv"] {
                std::fs::remove_file(watch.fixture.path(left)).ok();
            }
        }
    }
    watch.found.clear();
    let run = shell(&watch, "echo nothing");
    watch.run(&run, Promised::Nothing).ok();
    assert_eq!(watch.found, Vec::<String>::new());
    // Also look for a session's secret and a code.
    let code = watch.next_code();
    let run = shell(&watch, "echo $LEAK").env("LEAK", format!("code={code}"));
    watch.run(&run, Promised::Nothing).ok();
    assert_eq!(watch.found.len(), 1, "{:?}", watch.found);
}

/// A stolen disk reveals neither secrets nor the names of profiles and accounts.
#[test]
fn the_store_and_the_cache_reveal_no_names() {
    let mut watch = Watch::new();
    let add = watch.fixture.add_run("jan-work", &["--no-add-config"]).without("HATBOX_TEST_WORK_FACTOR");
    watch.run(&add, Promised::Nothing).ok();
    watch.next_code();
    watch.run(&watch.fixture.hatbox(&["exec", "admin"]), Promised::Nothing).ok();
    let id = watch.fixture.key("jan-work").id.clone();
    let names = ["jan-work", "admin", "444455556666", PHONE, &id].map(|name| Canary::new(name, name));
    let own = |path: &Path| {
        path.starts_with(watch.fixture.store()) || path.starts_with(watch.fixture.path("home/.cache"))
    };
    let files: Vec<PathBuf> = watch.fixture.files().into_iter().filter(|path| own(path)).collect();
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        for name in &names {
            assert_eq!(name.find_in(&bytes), None, "{} in {}", name.name, path.display());
        }
    }
    // scrypt with a work factor of at least 2^17 (age's header: `-> scrypt SALT LOG2`).
    let wrap = std::fs::read(watch.fixture.wrap("passphrase")).unwrap();
    let wrap = String::from_utf8_lossy(&wrap);
    let stanza = wrap.lines().find(|line| line.starts_with("-> scrypt ")).unwrap();
    let factor: u32 = stanza.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(factor >= 17, "{stanza}");
}
