//! `add`, `list`, `remove`, `clear`: their output and their effects.

use serde_json::Value;

use crate::cast::PHONE;
use crate::fixture::{Fixture, masked};

const CONFIG: &str = "\
[default]

[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile admin]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/admin
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[sso-session corp]
sso_region = eu-central-1
";

/// Returns the table without trailing spaces, and with the remaining seconds replaced.
fn table(fixture: &Fixture) -> String {
    let outcome = fixture.hatbox(&["list"]).run().ok();
    let text = outcome.stdout;
    let mut shown = String::new();
    for line in text.lines() {
        let line = match line.split_once(":59m5") {
            Some((before, _)) => format!("{before}:LEFT"),
            None => line.trim_end().to_owned(),
        };
        shown.push_str(&format!("{line}\n"));
    }
    shown
}

#[test]
fn the_first_add_makes_store_section_and_settings_and_says_so() {
    let fixture = Fixture::empty(&["jan-work"]);
    let id = fixture.key("jan-work").id.clone();
    let outcome = fixture.add_run("jan-work", &["--mfa-serial", PHONE, "--region", "eu-west-1"]).run().ok();
    assert_eq!(outcome.stdout, "");
    assert_eq!(
        outcome.stderr,
        format!(
            "hatbox: `secret-service` cannot be used here: there is no D-Bus session bus\n\
             hatbox: keys are kept encrypted in ~/.local/share/hatbox/store (backend `file`)\n\
             hatbox: added [profile jan-work] in ~/.aws/config\n\
             hatbox: stored the access key {} of profile `jan-work`\n\
             hatbox: try it: hatbox exec jan-work -- aws sts get-caller-identity\n",
            masked(&id)
        )
    );
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    assert_eq!(config, format!("[profile jan-work]\nmfa_serial={PHONE}\nregion=eu-west-1\n"));
    let settings = std::fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap();
    assert_eq!(settings, "backend = \"file\"\n");
    let world_readable = fixture.files().into_iter().filter(|path| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).unwrap().mode() & 0o077 != 0
    });
    assert_eq!(world_readable.collect::<Vec<_>>(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_key_is_taken_from_standard_input_or_the_environment_and_its_shape_is_checked() {
    let fixture = Fixture::empty(&["jan-work"]);
    let key = fixture.key("jan-work").clone();
    let secret = key.secret.expose();
    let add = |flags: &[&str], input: &str| {
        fixture.hatbox(&["add", "--force", "jan-work"]).args(flags).input(input).run()
    };
    add(&["--stdin"], &format!("{}\n{secret}\n", key.id)).ok();
    add(&["--stdin"], &format!("{}\r\n{secret}", key.id)).ok();
    // Emulators use ids with other prefixes, some of a different form.
    add(&["--stdin", "--any-key"], "minio_access_key\nminio_secret\n").ok();
    add(&["--stdin"], &format!("LKIA{}\n{secret}\n", &key.id[4..])).ok();
    // In the last one the id and the secret are swapped; a possible secret is not quoted.
    for input in ["", "AKIA\n", "only-one-line\n", "secret/with/slashes+0123456789\nAKIAIOSFODNN7EXAMPLE\n"] {
        let refused = add(&["--stdin"], input).expect_code(2);
        assert!(refused.stderr.contains("standard input must hold two lines"), "{input}: {}", refused.stderr);
        assert!(!refused.stderr.contains("slashes"));
    }
    let unset = add(&["--env"], "").expect_code(2);
    assert_eq!(unset.stderr, "hatbox: error: --env needs AWS_SECRET_ACCESS_KEY, which is not set\n");
    let asked = add(&[], "").expect_code(4);
    assert_eq!(
        asked.stderr,
        "hatbox: error: could not ask for the access key\n\
         \x20 caused by: there is no terminal to ask on\n\
         hatbox: hint: pass it in variables (--env) or on standard input (--stdin)\n"
    );
    for wrong in
        [&["add"][..], &["add", "--mfa-serial", "x y", "a"], &["add", "--region", "a b", "a"], &["add", ""]]
    {
        fixture.hatbox(wrong).run().expect_code(2);
    }
}

/// Which keys are rejected and with which message, whatever their source. No message contains part of the input.
#[test]
fn a_temporary_key_a_token_and_swapped_halves_are_not_kept() {
    let fixture = Fixture::with_config(CONFIG);
    let key = fixture.key("jan-work").clone();
    let (id, secret) = (key.id.as_str(), key.secret.expose());
    let temporary = id.replacen("AKIA", "ASIA", 1);
    // Of 100 secrets, 28 contain only characters that an id may contain.
    let plain = secret.replace(['/', '+'], "x");
    let token = secret.repeat(12);
    for (id, secret, said) in [
        (temporary.as_str(), secret, "the access key id is that of a temporary key (ASIA...), which expires"),
        (secret, id, "the access key id and the secret access key are swapped"),
        (&plain, id, "the access key id and the secret access key are swapped"),
        (&plain, secret, "the access key id looks like a secret access key"),
        (id, id, "the secret access key looks like an access key id"),
        (id, &token, "the secret access key looks like a session token"),
        (id, &secret[..39], "the secret access key has 39 characters: expected 40"),
        (&id.to_lowercase(), secret, "the access key id has characters other than A-Z and 0-9"),
    ] {
        let add = fixture.hatbox(&["add", "--force", "--env", "jan-work"]).env("AWS_ACCESS_KEY_ID", id);
        let by_env = add.env("AWS_SECRET_ACCESS_KEY", secret).run().expect_code(2);
        let add = fixture.hatbox(&["add", "--force", "--stdin", "jan-work"]);
        let by_stdin = add.input(format!("{id}\n{secret}\n")).run().expect_code(2);
        let file = format!("[jan-work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        std::fs::write(fixture.path("home/.aws/credentials"), &file).unwrap();
        let import = ["import", "credentials", "--overwrite", "--yes", "--no-check"];
        let by_import = fixture.hatbox(&import).run().ok();
        assert_eq!(std::fs::read_to_string(fixture.path("home/.aws/credentials")).unwrap(), file, "{said}");
        for outcome in [by_env, by_stdin, by_import] {
            assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
            for half in [id, secret] {
                assert!(!outcome.stderr.contains(half) && !outcome.stdout.contains(half), "{said}");
            }
        }
    }
    std::fs::remove_file(fixture.path("home/.aws/credentials")).unwrap();
    let stored = fixture.hatbox(&["export", "-n", "jan-work"]).run().ok().stdout;
    assert!(
        stored.contains(&format!("{id}\n")) && stored.contains(&format!("{secret}\n")),
        "the old one stays"
    );
}

#[test]
fn inside_an_exec_no_key_is_added_from_the_environment() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let key = fixture.key("jan-work").clone();
    let add = |flags: &[&str]| {
        let line = [&["exec"], flags, &["--", hatbox, "add", "--force", "--env", "jan-work"]].concat();
        fixture.hatbox(&line).run()
    };
    let code = fixture.code(PHONE);
    for flags in [&["-t", &code, "jan-work"][..], &["reader"]] {
        let refused = add(flags).expect_code(2);
        let said = "error: AWS_SESSION_TOKEN is set: the key beside it is temporary and expires\n";
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
        assert!(refused.stderr.contains("or use `exec --no-session`"), "{}", refused.stderr);
    }
    for token in ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] {
        for flags in [&[][..], &["--any-key"]] {
            let run =
                fixture.add_run("jan-work", &["--force"]).args(flags).env(token, "t").run().expect_code(2);
            assert!(run.stderr.contains(&format!("or `unset {token}` if it is left over")), "{}", run.stderr);
        }
    }
    add(&["--no-session", "jan-work"]).ok();
    let stored = fixture.hatbox(&["export", "-n", "jan-work"]).run().ok().stdout;
    assert!(stored.contains(&key.id), "{stored}");
}

#[test]
fn the_first_steps_say_the_next_one() {
    let fixture = Fixture::empty(&["jan-work"]);
    let first = fixture.hatbox(&["list"]).run().ok();
    assert!(first.stderr.contains("hint: nothing is set up yet: `hatbox add NAME`"), "{}", first.stderr);
    assert_eq!(fixture.hatbox(&["list", "--json"]).run().ok().stderr, "");
    assert_eq!(fixture.hatbox(&["list", "--profiles"]).run().ok().stderr, "");
    let nobody = fixture.hatbox(&["exec", "--", "true"]).run().expect_code(125);
    assert!(nobody.stderr.contains("`hatbox add NAME` creates one"), "{}", nobody.stderr);
    let added = fixture.add_run("jan-work", &[]).run().ok();
    let next = "hatbox: try it: hatbox exec jan-work -- aws sts get-caller-identity\n";
    assert!(added.stderr.ends_with(next), "{}", added.stderr);
    assert_eq!(fixture.hatbox(&["list"]).run().ok().stderr, "");
}

#[test]
fn a_stored_key_is_replaced_only_with_a_yes_or_by_force() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(CONFIG);
    let code = fixture.code(PHONE);
    fixture.hatbox(&["exec", "jan-work", "-t", &code, "--", "true"]).run().ok();
    let again = fixture.add_run("jan-work", &[]).run().expect_code(4);
    assert_eq!(
        again.stderr,
        format!(
            "hatbox: error: cannot ask for confirmation: there is no terminal\n\
             \x20 caused by: `jan-work` already has the access key {}\n\
             hatbox: hint: run it on a terminal, or add --force\n",
            masked(&fixture.key("jan-work").id)
        )
    );
    let forced = fixture.add_run("jan-work", &["--force"]).run().ok();
    let id = masked(&fixture.key("jan-work").id);
    assert_eq!(
        forced.stderr,
        format!(
            "hatbox: stored the access key {id} of profile `jan-work`\n\
             hatbox: deleted 1 cached session of the profile\n"
        ),
        "the section is there, and nothing is to be changed in it"
    );
}

#[test]
fn a_profile_that_names_itself_as_source_takes_a_key() {
    let fixture = Fixture::empty(&["self"]);
    fixture.write_config("[profile self]\nsource_profile = self\n");
    fixture.add_run("self", &[]).run().ok();
    assert!(table(&fixture).contains("self     self"));
}

#[test]
fn the_list_is_a_table_of_four_columns_with_orphans_below() {
    let fixture = Fixture::with_keys(&["jan-work", "zz"]);
    fixture.write_config(CONFIG);
    let code = fixture.code(PHONE);
    fixture.hatbox(&["exec", "-d", "1h", "admin", "-t", &code, "--", "true"]).run().ok();
    let expected = "\
Profile   Credentials  Age    Sessions
=======   ===========  ===    ========
jan-work  jan-work     today  sts.GetSessionToken:LEFT
reader    -            -      -
admin     -            -      sts.AssumeRole:LEFT
-         zz           today  -
";
    assert_eq!(table(&fixture), expected);
    let list = |flag: &str| fixture.hatbox(&["list", flag]).run().ok().stdout;
    assert_eq!(list("--profiles"), "jan-work\nreader\nadmin\n");
    assert_eq!(list("--credentials"), "jan-work\nzz\n");
    assert_eq!(list("--sessions").lines().count(), 2);
    let json: Value = serde_json::from_str(&list("--json")).unwrap();
    assert_eq!(json["store"], "ready");
    let admin = &json["profiles"][2];
    assert_eq!(admin["profile"], "admin");
    assert_eq!(admin["place"], "~/.aws/config:10");
    assert_eq!(admin["credentials"], Value::Null);
    assert_eq!(admin["sessions"][0]["call"], "sts.AssumeRole");
    assert_eq!(json["profiles"][3]["profile"], "zz");
    assert_eq!(json["profiles"][3]["place"], Value::Null);
    assert_eq!(json["profiles"][3]["credentials"]["age_days"], 0);
    // Expired sessions are not shown.
    fixture.advance(12 * 24 * 3600 + 60);
    assert!(!table(&fixture).contains("sts."));
    assert!(table(&fixture).contains("-         zz           12d  -\n"));
    let json: Value = serde_json::from_str(&list("--json")).unwrap();
    assert_eq!(json["profiles"][3]["credentials"]["age_days"], 12);
}

#[test]
fn a_locked_store_is_listed_as_locked_without_a_question() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    let list = |flags: &[&str]| fixture.hatbox(&["list"]).args(flags).without("HATBOX_FILE_PASSPHRASE").run();
    let outcome = list(&[]).ok();
    let first = outcome.stdout.lines().nth(2).unwrap();
    assert_eq!(first, "jan-work  locked       locked  locked");
    assert_eq!(
        outcome.stderr,
        "hatbox: the store is locked; `hatbox list --unlock` asks for its passphrase\n"
    );
    let json: Value = serde_json::from_str(&list(&["--json"]).ok().stdout).unwrap();
    assert_eq!(json["store"], "locked");
    assert_eq!(json["profiles"][0]["credentials"], Value::Null);
    assert_eq!(list(&["--profiles"]).ok().stdout, "jan-work\nreader\nadmin\n");
    list(&["--credentials"]).expect_code(4);
    list(&["--unlock"]).expect_code(4);
}

#[test]
fn a_removed_key_takes_the_sessions_made_with_it_along() {
    let fixture = Fixture::with_keys(&["jan-work", "zz"]);
    fixture.write_config(CONFIG);
    let code = fixture.code(PHONE);
    fixture.hatbox(&["exec", "admin", "-t", &code, "--", "true"]).run().ok();
    fixture.hatbox(&["exec", "zz", "--", "true"]).run().ok();
    let refused = fixture.hatbox(&["remove", "jan-work"]).run().expect_code(4);
    assert!(refused.stderr.contains("run it on a terminal, or add --force"));
    let removed = fixture.hatbox(&["rm", "-f", "jan-work"]).run().ok();
    assert_eq!(removed.stderr, "hatbox: deleted the access key of `jan-work` and 2 cached sessions\n");
    let text = table(&fixture);
    assert!(text.contains("jan-work  -            -      -\n"), "{text}");
    assert!(text.contains("sts.GetSessionToken:LEFT"), "zz's session stays: {text}");
    let again = fixture.hatbox(&["remove", "-f", "jan-work"]).run().expect_code(1);
    assert_eq!(
        again.stderr,
        "hatbox: error: no access key is stored for profile `jan-work`\n\
         hatbox: hint: `hatbox list --credentials` shows the stored keys\n"
    );
    let gone = fixture.hatbox(&["exec", "admin", "--", "true"]).run().expect_code(125);
    assert!(gone.stderr.contains("jan-work"), "{}", gone.stderr);
}

#[test]
fn clear_deletes_the_sessions_of_one_profile_or_all_and_needs_no_passphrase_for_all() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(CONFIG);
    let code = fixture.code(PHONE);
    let clear = |name: &[&str]| fixture.hatbox(&["clear"]).args(name).run().ok().stderr;
    fixture.hatbox(&["exec", "admin", "-t", &code, "--", "true"]).run().ok();
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert_eq!(clear(&["nope"]), "hatbox: cleared 0 cached sessions\n");
    assert_eq!(clear(&["reader"]), "hatbox: cleared 1 cached session\n");
    fixture.hatbox(&["lock"]).run().ok();
    let locked = fixture.hatbox(&["clear"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
    assert_eq!((locked.stdout.as_str(), locked.stderr.as_str()), ("", "hatbox: cleared 2 cached sessions\n"));
    assert_eq!(clear(&[]), "hatbox: cleared 0 cached sessions\n");
}

#[test]
fn the_store_is_not_made_by_looking_at_it() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config(CONFIG);
    for line in [
        &["list"][..],
        &["list", "--json"],
        &["explain", "reader"],
        &["doctor", "--fix"],
        &["clear"],
        &["clear", "reader"],
        &["lock"],
    ] {
        fixture.hatbox(line).run();
    }
    assert_eq!(fixture.files(), [fixture.config_path()]);
    assert!(!fixture.store().exists());
}

/// The kernel keyring, if there is one, still contains the identity of the first store.
#[test]
fn a_store_that_was_deleted_while_it_was_unlocked_is_created_again() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    std::fs::remove_dir_all(fixture.path("home/.local")).unwrap();
    assert_eq!(fixture.hatbox(&["list", "--credentials"]).run().ok().stdout, "");
    let added = fixture.add_run("jan-work", &[]).run().ok();
    assert!(added.stderr.contains("stored the access key"), "{}", added.stderr);
    fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).run().ok();
}
