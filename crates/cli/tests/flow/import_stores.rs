//! `import aws-vault` from stores other than files: a real keyring, a real `pass`.

use base64::Engine;

use crate::desktop::Keyring;
use crate::fixture::Fixture;
use crate::program_backends::Pass;
use crate::run::Run;
use crate::secret_service::home;

const ID: &str = "AKIAVAULT00000000001";
const SECRET: &str = "vaultsecret11111111111111111111111111111";

/// Returns an item in aws-vault's format.
fn item(name: &str, token: &str) -> String {
    let key = format!(
        r#"{{"AccessKeyID":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":"{token}","Source":"","CanExpire":false,"Expires":"0001-01-01T00:00:00Z"}}"#
    );
    let data = base64::engine::general_purpose::STANDARD.encode(key);
    format!(
        r#"{{"Key":"{name}","Data":"{data}","Label":"aws-vault ({name})","Description":"","KeychainNotTrustApplication":false,"KeychainNotSynchronizable":false}}"#
    )
}

#[test]
fn keys_come_out_of_the_desktop_s_keyring_and_stay_there_until_that_is_said() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    let home = fixture.path("desktop");
    let hatbox = |arguments: &[&str]| desktop.on_bus(fixture.hatbox(arguments)).env("HATBOX_BACKEND", "file");
    let none = hatbox(&["import", "aws-vault"]).run().expect_code(1);
    assert!(
        none.stderr.contains("`secret-service`: the keyring has no collection `awsvault`"),
        "{}",
        none.stderr
    );
    assert!(none.stderr.contains("`file`: "), "{}", none.stderr);

    let collection = desktop.make_collection("awsvault");
    let tool = |arguments: &[&str]| desktop.tool(&home, "secret-tool").args(arguments);
    let store = |name: &str, text: &str| {
        let words =
            ["store", &format!("--collection={collection}"), &format!("--label={name}"), "profile", name];
        tool(&words).input(text).run().ok();
    };
    store("jan-work", &item("jan-work", ""));
    store("team/dev", &item("team/dev", ""));
    store("temporary", &item("temporary", "token"));
    store("renamed", &item("jan-work", ""));
    store("sts.AssumeRole,amFu,YXJu,1600000000", "{}");
    store("oidc:https://corp.awsapps.com/start", "{}");
    let done = hatbox(&["import", "aws-vault"]).run().ok();
    for said in [
        "hatbox: imported the access key of `jan-work`\nhatbox: imported the access key of `team/dev`\n",
        "warning: not imported: the keyring's item `renamed`: it holds the key of another profile",
        "hatbox: not imported: the key of `temporary` is temporary",
        "hatbox: aws-vault still has them; --delete-source deletes them there",
    ] {
        assert!(done.stderr.contains(said), "{said}\n{}", done.stderr);
    }
    let exported = hatbox(&["export", "-n", "jan-work"]).run().ok();
    assert_eq!(exported.stdout, format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"));

    // If two stores have keys, the user must say which one to import.
    let keys = fixture.path("home/.awsvault/keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("other"), "x").unwrap();
    let both = hatbox(&["import", "aws-vault"]).run().expect_code(2);
    assert!(both.stderr.contains("in more than one store: `secret-service`, `file`"), "{}", both.stderr);
    assert!(both.stderr.contains("hatbox import aws-vault --from secret-service"), "{}", both.stderr);

    // Locked, and the user cannot be asked.
    desktop.lock_collection(&home, &collection);
    let locked = hatbox(&["import", "aws-vault", "--from", "secret-service", "jan-work"]).run();
    let locked = locked.expect_code(4);
    assert!(locked.stderr.contains("the keyring's collection `awsvault` is locked"), "{}", locked.stderr);
    let by_variable = hatbox(&["import", "aws-vault"]).env("AWS_VAULT_BACKEND", "secret-service").run();
    by_variable.expect_code(4);
    let unknown = hatbox(&["import", "aws-vault"]).env("AWS_VAULT_BACKEND", "op").run().expect_code(2);
    assert!(unknown.stderr.contains("hatbox cannot read aws-vault's backend `op`"), "{}", unknown.stderr);
}

#[test]
fn imported_keys_are_deleted_from_the_keyring_when_that_is_said_and_the_others_stay() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    let home = fixture.path("desktop");
    let collection = desktop.make_collection("mine-dev");
    assert!(collection.ends_with("/mine_2ddev"), "{collection}");
    let tool = |arguments: &[&str]| desktop.tool(&home, "secret-tool").args(arguments);
    for name in ["jan-work", "other"] {
        let words = ["store", &format!("--collection={collection}"), "--label=x", "profile", name];
        tool(&words).input(item(name, "")).run().ok();
    }
    let words = ["import", "aws-vault", "--from", "secret-service", "jan-work", "--delete-source", "--yes"];
    let import = || {
        let run = desktop.on_bus(fixture.hatbox(&words)).env("HATBOX_BACKEND", "file");
        run.env("AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME", "mine-dev")
    };
    import().run().ok();
    assert_eq!(tool(&["lookup", "profile", "jan-work"]).run().stdout, "");
    assert!(tool(&["lookup", "profile", "other"]).run().ok().stdout.contains("\"Key\":\"other\""));
    let gone = import().run().expect_code(2);
    assert!(
        gone.stderr.contains("`jan-work` has no access key in the keyring's collection"),
        "{}",
        gone.stderr
    );
}

#[test]
fn keys_come_out_of_pass_and_no_other_password_is_opened() {
    let Some(pass) = Pass::new("") else { return };
    let put = |name: &str, text: &str| {
        let run = Run::new("pass", pass.fixture.variables()).args(["insert", "--multiline", "--force", name]);
        run.input(text).run().ok();
    };
    put("jan-work", &item("jan-work", ""));
    put("bank/card", "1234");
    put("dev/team/b c", &item("team/b c", ""));
    let hatbox = |arguments: &[&str]| {
        pass.fixture
            .hatbox(&["import", "aws-vault", "--from", "pass"])
            .args(arguments)
            .env("HATBOX_BACKEND", "file")
    };
    // Records which entries are read through `pass`.
    let log = pass.fixture.path("opened");
    let watched = format!(
        "case \"$1\" in show) echo \"$2\" >> '{}';; esac; PATH=\"$REAL_PATH\" exec pass \"$@\"",
        log.display()
    );
    let watcher = pass.fixture.write_program("pass-watched", &watched);
    let real = std::env::var_os("PATH").unwrap();
    let done = hatbox(&[]).env("AWS_VAULT_PASS_CMD", watcher.as_os_str()).env("REAL_PATH", &real).run().ok();
    assert!(done.stderr.contains("hatbox: imported the access key of `jan-work`\n"), "{}", done.stderr);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "jan-work\n");
    // With a prefix that only aws-vault uses, all files below it are its keys.
    let below = hatbox(&["--delete-source", "--yes"]).env("AWS_VAULT_PASS_PREFIX", "dev").run().ok();
    assert!(below.stderr.contains("hatbox: imported the access key of `team/b c`\n"), "{}", below.stderr);
    let left = pass.fixture.path("home/.password-store");
    assert!(!left.join("dev/team/b c.gpg").exists() && left.join("bank/card.gpg").exists());
    assert!(left.join("jan-work.gpg").exists());
    let exported = pass.fixture.hatbox(&["export", "-n", "jan-work"]).run().ok();
    assert_eq!(exported.stdout, format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"));
}

#[test]
fn a_store_that_this_system_has_not_is_said_with_the_way_by_hand() {
    let fixture = Fixture::empty(&["jan-work"]);
    for name in ["keychain", "wincred", "kwallet"] {
        let refused = fixture.hatbox(&["import", "aws-vault", "--from", name]).run().expect_code(1);
        assert!(
            refused
                .stderr
                .starts_with(&format!("hatbox: error: aws-vault's store `{name}` could not be read: ")),
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("aws-vault exec --no-session PROFILE -- hatbox add"),
            "{}",
            refused.stderr
        );
    }
}
