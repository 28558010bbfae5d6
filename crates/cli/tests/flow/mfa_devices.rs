//! MFA devices: listed, and their codes generated from stored seeds.

use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::world::{MfaDevice, World, WorldSecret};
use serde_json::{Value, json};

use crate::cast::{OTHER_PHONE, PEOPLE, PHONE, TOKEN};
use crate::fixture::{CODE_LIFE, Fixture, PASSPHRASE};
use crate::prompts::{CONFIG, asking, assert_code};
use crate::terminal::Terminal;

/// The seed of the sandbox's phone, which the cast sets.
pub(crate) const SEED: &str = "PHONEAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub(crate) const PASSKEY: &str = "arn:aws:iam::111122223333:u2f/user/jan/laptop-ABCDEFGHIJKLMNOP";

/// Lets jan call IAM, and gives her a passkey too.
pub(crate) fn may_use_iam(world: &mut World) {
    let people = world.accounts.get_mut(PEOPLE).unwrap();
    let statement = json!({ "Effect": "Allow", "Action": "iam:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    people.users.get_mut("jan").unwrap().policies.insert("iam".to_owned(), policy);
    let phone = people.mfa_devices.get(PHONE).unwrap().clone();
    let passkey = MfaDevice { seed: WorldSecret::new("NONE".to_owned()), ..phone };
    people.mfa_devices.insert(PASSKEY.to_owned(), passkey);
}

fn fixture(config: &str) -> Fixture {
    let fixture = Fixture::empty_in(&["jan-work"], may_use_iam);
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.write_config(config);
    fixture
}

fn store_seed(fixture: &Fixture, profile: &str, seed: &str) -> crate::run::Outcome {
    fixture.hatbox(&["mfa", "store-seed", "--stdin", profile]).input(seed).run()
}

#[test]
fn mfa_list_shows_the_devices_and_the_profiles_that_use_them() {
    let gone = "arn:aws:iam::111122223333:mfa/gone";
    let fixture = fixture(&format!(
        "{CONFIG}\n[profile token]\nsource_profile = jan-work\nmfa_serial = {TOKEN}\n\
         [profile lost]\nsource_profile = jan-work\nmfa_serial = {gone}\n\
         [profile other]\nmfa_serial = {gone}\n"
    ));
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let listed = fixture.hatbox(&["mfa", "list", "guarded"]).run().ok();
    assert_eq!(
        listed.stdout,
        format!(
            "{TOKEN}\n  hardware device, enabled {today}\n  used by token\n\
             {PHONE}\n  virtual device, enabled {today}\n  used by guarded\n\
             {OTHER_PHONE}\n  virtual device, enabled {today}\n  used by no profile\n\
             {PASSKEY}\n  security key or passkey, enabled {today}\n  gives no codes, and STS accepts only codes\n"
        )
    );
    assert_eq!(
        fixture.shown(&listed.stderr),
        format!(
            "hatbox: using the STS endpoint SANDBOX (not AWS)\nhatbox: using the IAM endpoint SANDBOX (not AWS)\n\
             hatbox: security keys and passkeys do not work with STS, which accepts only codes\n\
             hatbox: warning: `mfa_serial` of profile `lost` is {gone}, which is not a device of jan\n"
        )
    );
    store_seed(&fixture, "guarded", SEED).ok();
    let json = fixture.hatbox(&["mfa", "list", "--json"]).env("AWS_PROFILE", "jan-work").run().ok();
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["user"], "arn:aws:iam::111122223333:user/jan");
    assert_eq!(json["account"], PEOPLE);
    assert_eq!(json["not_devices"], json!([{ "profile": "lost", "serial": gone }]));
    let device = |serial: &str| {
        let devices = json["devices"].as_array().unwrap().iter();
        devices.clone().find(|device| device["serial"] == serial).unwrap().clone()
    };
    let phone = device(PHONE);
    assert_eq!((&phone["kind"], &phone["codes"]), (&json!("virtual"), &json!(true)));
    assert_eq!((&phone["profiles"], &phone["seed_stored"]), (&json!(["guarded"]), &json!(true)));
    let passkey = device(PASSKEY);
    assert_eq!((&passkey["kind"], &passkey["codes"]), (&json!("security-key"), &json!(false)));
    assert_eq!(device(TOKEN)["kind"], "hardware");
    assert_eq!(device(TOKEN)["seed_stored"], false);
}

#[test]
fn mfa_list_says_what_is_missing() {
    // Without permissions for IAM.
    let fixture = Fixture::with_config(CONFIG);
    let denied = fixture.hatbox(&["mfa", "list", "jan-work"]).run().expect_code(1);
    assert!(
        denied.stderr.contains("could not list the MFA devices of jan (profile `jan-work`)"),
        "{}",
        denied.stderr
    );
    assert!(denied.stderr.contains("needs the permission `iam:ListMFADevices`"), "{}", denied.stderr);
    // Credentials that do not belong to a user.
    fixture.write_config("[profile ci]\ncredential_source = Environment\n");
    let key = fixture.key("root");
    let root = fixture
        .hatbox(&["mfa", "list", "ci"])
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret.expose());
    let root = root.run().expect_code(1);
    assert!(root.stderr.contains("are not an IAM user's: arn:aws:iam::111122223333:root"), "{}", root.stderr);
}

#[test]
fn a_stored_seed_makes_the_codes_of_exec_and_waits_for_the_next_one() {
    let fixture = fixture(CONFIG);
    let exec = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]);
    exec.run().expect_code(125);
    let stored = store_seed(&fixture, "guarded", &format!("otpauth://totp/x?secret={SEED}")).ok();
    assert_eq!(stored.stdout, "");
    assert_eq!(
        stored.stderr,
        format!(
            "hatbox: warning: with a stored seed, whoever can use this store needs no other device: hatbox makes \
             the MFA codes\n\
             hatbox: hint: the seed is beside the access key; `seed_backend` in hatbox's settings keeps seeds in \
             another backend\n\
             hatbox: stored the TOTP seed of {PHONE} for profile `guarded`\n"
        )
    );
    // Three seconds before the next code.
    fixture.advance_to_end_of_code();
    let first = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]).run().ok();
    assert_eq!(fixture.shown(&first.stderr), "hatbox: using the STS endpoint SANDBOX (not AWS)\n");
    let calls = fixture.log().len();
    let second = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]).run().ok();
    assert_eq!(
        fixture.shown(&second.stderr),
        "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
         hatbox: that MFA code was used already; waiting for the next one\n"
    );
    assert!(fixture.log()[calls..].iter().all(LogEntry::is_allowed), "no used code is sent");
    // Also for `export`, and for another profile with the same device.
    fixture.advance(2 * CODE_LIFE);
    fixture
        .write_config(&format!("{CONFIG}[profile again]\nsource_profile = jan-work\nmfa_serial = {PHONE}\n"));
    let exported = fixture.hatbox(&["export", "--fresh", "again"]).run().ok();
    assert!(exported.stdout.contains("AWS_SESSION_TOKEN"), "{}", exported.stdout);
}

#[test]
fn a_code_that_was_used_elsewhere_is_followed_by_the_next_one() {
    let fixture = fixture(CONFIG);
    store_seed(&fixture, "guarded", SEED).ok();
    fixture.advance_to_end_of_code();
    let code = fixture.code(PHONE);
    // As on another machine, which does not know that the code was used.
    let other = fixture.path("other");
    let elsewhere = |run: crate::run::Run| {
        let directories =
            ["XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"];
        directories.into_iter().fold(run, |run, name| run.env(name, &other)).run().ok()
    };
    elsewhere(fixture.add_run("jan-work", &["--no-add-config"]));
    elsewhere(fixture.hatbox(&["exec", "-t", &code, "guarded", "--", "true"]));
    let calls = fixture.log().len();
    let outcome = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]).run().ok();
    assert!(outcome.stderr.contains("waiting for the next one"), "{}", outcome.stderr);
    let log = fixture.log();
    let verdicts: Vec<_> = log[calls..].iter().map(LogEntry::is_allowed).collect();
    assert_eq!(verdicts, [false, true]);
}

#[test]
fn what_was_said_goes_before_a_stored_seed() {
    let fixture = fixture(CONFIG);
    store_seed(&fixture, "guarded", SEED).ok();
    let exec = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]);
    // The user is asked if `--prompt` or a variable says so.
    for run in
        [exec.clone().env("HATBOX_PROMPT", "terminal"), exec.clone().env("AWS_VAULT_PROMPT", "terminal")]
    {
        let asked = run.run().expect_code(125);
        assert!(asked.stderr.contains("there is no terminal to ask on"), "{}", asked.stderr);
    }
    fixture.write_settings("backend = \"file\"\nprompt = \"terminal\"\n");
    let asked = exec.run().expect_code(125);
    assert!(asked.stderr.contains("there is no terminal to ask on"), "{}", asked.stderr);
    // The flag takes precedence over the settings.
    fixture.hatbox(&["--prompt", "stored", "exec", "--fresh", "guarded", "--", "true"]).run().ok();
    fixture.write_settings("backend = \"file\"\n");
    fixture.write_config(&format!("{CONFIG}mfa_process = echo none\n"));
    let process = exec.run().expect_code(125);
    assert!(process.stderr.contains("`mfa_process` returned no MFA code"), "{}", process.stderr);
    fixture.write_config(&CONFIG.replace("mfa/jan", "mfa/other-phone"));
    let none =
        fixture.hatbox(&["--prompt", "stored", "exec", "guarded", "--", "true"]).run().expect_code(125);
    assert!(
        none.stderr.contains(&format!(
            "no TOTP seed is stored for {OTHER_PHONE}\nhatbox: hint: hatbox mfa store-seed guarded\n"
        )),
        "{}",
        none.stderr
    );
}

#[test]
fn mfa_code_prints_the_code_alone_and_never_one_that_was_sent() {
    let fixture = fixture(&format!("{CONFIG}[profile bare]\n"));
    let none = fixture.hatbox(&["mfa", "code", "guarded"]).run().expect_code(1);
    assert_eq!(
        none.stderr,
        "hatbox: error: no TOTP seed is stored for profile `guarded`\n\
         hatbox: hint: hatbox mfa store-seed guarded\n"
    );
    store_seed(&fixture, "guarded", SEED).ok();
    fixture.advance_to_end_of_code();
    let expected = fixture.code(PHONE);
    let code = fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    assert_eq!((code.stdout, code.stderr.as_str()), (format!("{expected}\n"), ""));
    fixture.hatbox(&["exec", "--fresh", "-t", &expected, "guarded", "--", "true"]).run().ok();
    let next = fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    assert_ne!(next.stdout, format!("{expected}\n"));
    assert_eq!(next.stderr, "hatbox: that MFA code was used already; waiting for the next one\n");
    // A profile without a device uses the seed stored under its own name.
    fixture
        .hatbox(&["mfa", "store-seed", "--stdin", "--mfa-serial", OTHER_PHONE, "bare"])
        .input("OTHERAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
        .run()
        .ok();
    let other = fixture.hatbox(&["mfa", "code", "bare"]).run().ok();
    assert_eq!(other.stdout, format!("{}\n", fixture.client().code(OTHER_PHONE).unwrap().code));
}

#[test]
fn seeds_are_replaced_and_removed_only_after_a_yes() {
    let fixture = fixture(&format!("{CONFIG}[profile bare]\n"));
    let no_device = store_seed(&fixture, "bare", SEED).expect_code(2);
    assert_eq!(
        no_device.stderr,
        "hatbox: error: profile `bare` has no `mfa_serial`\n\
         hatbox: hint: name the device: hatbox mfa store-seed --mfa-serial SERIAL bare\n"
    );
    for (text, why) in [
        ("", "expected 16 to 205 characters"),
        ("canary-1-canary-8", "expected base32"),
        ("otpauth://totp/x?secret=PHONEAAAAAAAAAAA&digits=8", "6 digits"),
    ] {
        let refused = store_seed(&fixture, "guarded", text).expect_code(2);
        assert!(refused.stderr.contains(why) && !refused.stderr.contains("canary"), "{}", refused.stderr);
    }
    let mut terminal = Terminal::start(&fixture.hatbox(&["mfa", "store-seed", "guarded"]));
    let question = "TOTP seed of arn:aws:iam::111122223333:mfa/jan (not shown):";
    terminal.wait_for_prompt(question);
    terminal.type_keys("12345678\r");
    terminal.wait_for("invalid TOTP seed: expected", 1);
    terminal.wait_for_prompt(question);
    terminal.type_keys("phone aaa-aaaaaaaaaaaaaaaaaaaaaaaa\r");
    assert_code(terminal.wait(), 0, &terminal);
    assert!(!terminal.transcript().to_lowercase().contains("phone aaa"), "never echoed");
    let again = store_seed(&fixture, "guarded", SEED).expect_code(4);
    assert!(again.stderr.contains("cannot ask for confirmation: there is no terminal"), "{}", again.stderr);
    fixture.hatbox(&["mfa", "store-seed", "--stdin", "--force", "guarded"]).input(SEED).run().ok();
    fixture.hatbox(&["mfa", "remove-seed", "guarded"]).run().expect_code(4);
    let mut terminal = Terminal::start(&fixture.hatbox(&["mfa", "remove-seed", "guarded"]));
    terminal.wait_for_prompt("Delete the TOTP seed of `guarded`? (y|N)");
    terminal.type_keys("n\r");
    assert_code(terminal.wait(), 0, &terminal);
    fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    let removed = fixture.hatbox(&["mfa", "remove-seed", "-f", "guarded"]).run().ok();
    assert_eq!(removed.stderr, "hatbox: deleted the TOTP seed of `guarded`\n");
    fixture.hatbox(&["mfa", "code", "guarded"]).run().expect_code(1);
    fixture.hatbox(&["mfa", "remove-seed", "-f", "guarded"]).run().expect_code(1);
}

#[test]
fn a_seed_needs_the_store_unlocked_and_stays_over_a_new_index_and_rekey() {
    let fixture = fixture(CONFIG);
    store_seed(&fixture, "guarded", SEED).ok();
    std::fs::remove_file(fixture.index()).unwrap();
    fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    fixture.hatbox(&["store", "rekey"]).run().ok();
    fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    // The access key is removed, but the seed is kept.
    let other = ["mfa", "store-seed", "--stdin", "--mfa-serial", OTHER_PHONE, "jan-work"];
    fixture.hatbox(&other).input("OTHERAAAAAAAAAAAAAAAAAAAAAAAAAAA").run().ok();
    let removed = fixture.hatbox(&["remove", "-f", "jan-work"]).run().ok();
    assert!(removed.stderr.contains("hatbox mfa remove-seed jan-work"), "{}", removed.stderr);
    fixture.hatbox(&["mfa", "code", "guarded"]).run().ok();
    fixture.hatbox(&["lock"]).run().ok();
    let locked = asking(&fixture, &["mfa", "code", "guarded"]).run().expect_code(4);
    assert!(locked.stderr.contains("the file store is locked"), "{}", locked.stderr);
    let mut terminal = Terminal::start(&asking(&fixture, &["mfa", "code", "guarded"]));
    terminal.wait_for_prompt("Passphrase of the hatbox store:");
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    assert_code(terminal.wait(), 0, &terminal);
}

/// Lets jan call IAM with MFA only.
pub(crate) fn needs_mfa_for_iam(world: &mut World) {
    may_use_iam(world);
    let condition = json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } });
    let statement = json!({ "Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": condition });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let people = world.accounts.get_mut(PEOPLE).unwrap();
    people.users.get_mut("jan").unwrap().policies.insert("mfa".to_owned(), policy);
}

#[cfg(feature = "iam")]
#[test]
fn devices_are_listed_and_registered_by_a_session_with_mfa_where_a_policy_demands_it() {
    let fixture = Fixture::empty_in(&["jan-work"], needs_mfa_for_iam);
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    let list = fixture.hatbox(&["mfa", "list", "jan-work"]);
    let denied = list.run().expect_code(1);
    let hint = "hint: if a policy of the user requires MFA, set `mfa_serial` in [profile jan-work]";
    assert!(denied.stderr.contains(hint), "{}", denied.stderr);
    fixture.write_config(&format!("[profile jan-work]\nmfa_serial = {PHONE}\nmfa_process = phone\n"));
    fixture.write_program("phone", &format!("echo {}", fixture.code(PHONE)));
    let listed = list.run().ok();
    assert!(listed.stdout.contains(PHONE) && listed.stdout.contains(PASSKEY), "{}", listed.stdout);
    let note = "hatbox: the access key alone is denied; trying again with MFA\n";
    assert_eq!(listed.stderr.matches(note).count(), 1, "{}", listed.stderr);
    // The session is cached, so the second device needs no code.
    let register = ["mfa", "register", "--name", "tablet", "--store-seed", "jan-work"];
    let registered = fixture.hatbox(&register).run().ok();
    let tablet = "arn:aws:iam::111122223333:mfa/tablet";
    assert!(
        registered.stderr.contains(&format!("hatbox: registered {tablet} for jan\n")),
        "{}",
        registered.stderr
    );
    let calls: Vec<_> = fixture.log().into_iter().filter(|call| call.action == "GetSessionToken").collect();
    assert_eq!(calls.len(), 1);
    let devices = fixture.world().accounts.get(PEOPLE).unwrap().mfa_devices.clone();
    assert_eq!(devices.get(tablet).unwrap().user.as_deref(), Some("jan"));
}
