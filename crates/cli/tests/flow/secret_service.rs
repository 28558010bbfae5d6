//! The desktop's keyring as the backend: a real GNOME Keyring, and buses without one.

use std::os::unix::net::UnixListener;

use crate::desktop::{Desktop, Keyring, missing};
use crate::fixture::{Fixture, masked};
use crate::run::Run;

/// A home whose desktop has this keyring. Returns `None` and prints the reason if there can be no desktop.
pub(crate) fn home(keyring: Keyring) -> Option<(Fixture, Desktop)> {
    if let Some(why) = missing() {
        eprintln!("skipped: {why}");
        return None;
    }
    let fixture = Fixture::empty(&["jan-work", "other"]);
    let home = fixture.path("desktop");
    std::fs::create_dir(&home).unwrap();
    let desktop = Desktop::start(&home, keyring);
    Some((fixture, desktop))
}

fn hatbox(fixture: &Fixture, desktop: &Desktop, arguments: &[&str]) -> Run {
    desktop.on_bus(fixture.hatbox(arguments)).without("HATBOX_FILE_PASSPHRASE")
}

fn add(fixture: &Fixture, desktop: &Desktop, profile: &str, flags: &[&str]) -> Run {
    desktop.on_bus(fixture.add_run(profile, flags)).without("HATBOX_FILE_PASSPHRASE")
}

#[test]
fn the_first_key_goes_to_the_desktop_s_keyring_and_later_runs_touch_the_bus_only_when_they_must() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    let added = add(&fixture, &desktop, "jan-work", &[]).run().ok();
    assert_eq!(added.stdout, "");
    assert_eq!(
        added.stderr,
        "hatbox: keys are kept in the backend `secret-service`\nhatbox: added [profile jan-work] in ~/.aws/config\n\
         hatbox: stored the access key ****MPLE of profile `jan-work`\n\
         hatbox: try it: hatbox exec jan-work -- aws sts get-caller-identity\n"
            .replace("MPLE", tail(&fixture))
    );
    let settings = std::fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap();
    assert_eq!(settings, "backend = \"secret-service\"\n");
    // The keyring contains text, which any desktop tool can find by its attributes.
    let lookup = ["lookup", "application", "hatbox", "kind", "access-key", "profile", "jan-work"];
    let shown = desktop.tool(&fixture.path("desktop"), "secret-tool").args(lookup).run().ok();
    let secret = fixture.key("jan-work").secret.expose().to_owned();
    assert!(shown.stdout.starts_with("{\"version\":1,\"kind\":\"access-key\",\"profile\":\"jan-work\","));
    assert!(shown.stdout.contains(&secret));
    for path in fixture.files() {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{}", path.display());
    }
    let exported = hatbox(&fixture, &desktop, &["export", "-n", "jan-work"]).run().ok();
    assert!(exported.stdout.contains(&secret));
    hatbox(&fixture, &desktop, &["exec", "jan-work", "--", "true"]).run().ok();
    // The cache key is in the kernel keyring, so a bus that never answers goes unnoticed.
    let deaf = Deaf::listen(&fixture);
    deaf.on_bus(fixture.hatbox(&["exec", "jan-work", "--", "true"])).run().ok();
    assert!(!deaf.was_called(), "it called the bus");
}

fn tail(fixture: &Fixture) -> &str {
    let id = &fixture.key("jan-work").id;
    &id[id.len() - 4..]
}

#[test]
fn a_key_is_replaced_listed_and_removed_and_what_others_keep_there_stays() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    let store = ["store", "--label=x", "application", "other", "profile", "jan-work"];
    let tool = |arguments: &[&str]| desktop.tool(&fixture.path("desktop"), "secret-tool").args(arguments);
    tool(&store).input("theirs").run().ok();
    add(&fixture, &desktop, "jan-work", &["--no-add-config"]).run().ok();
    add(&fixture, &desktop, "other", &["--no-add-config"]).run().ok();
    let key = fixture.key("other");
    add(&fixture, &desktop, "jan-work", &["--no-add-config", "--force"])
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
        .run()
        .ok();
    let found = tool(&["search", "--all", "application", "hatbox", "profile", "jan-work"]).run().ok();
    assert_eq!(found.stdout.matches("label = ").count(), 1, "the older item is gone: {}", found.stdout);
    let exported = hatbox(&fixture, &desktop, &["export", "-n", "jan-work", "--format", "json"]).run().ok();
    assert!(exported.stdout.contains(&key.id));
    hatbox(&fixture, &desktop, &["lock"]).run().ok();
    let listed = hatbox(&fixture, &desktop, &["list", "--credentials"]).run().ok();
    assert_eq!(listed.stdout, "jan-work\nother\n");
    hatbox(&fixture, &desktop, &["remove", "--force", "jan-work"]).run().ok();
    let listed = hatbox(&fixture, &desktop, &["list", "--credentials"]).run().ok();
    assert_eq!(listed.stdout, "other\n");
    assert_eq!(tool(&["lookup", "application", "other"]).run().ok().stdout, "theirs");
}

#[test]
fn an_item_that_was_edited_by_hand_is_named_and_the_others_work() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    for profile in ["jan-work", "other"] {
        add(&fixture, &desktop, profile, &["--no-add-config"]).run().ok();
    }
    let tool = |arguments: &[&str]| desktop.tool(&fixture.path("desktop"), "secret-tool").args(arguments);
    let names = ["application", "hatbox", "kind", "access-key", "profile"];
    let text = tool(&["lookup"]).args(names).args(["other"]).run().ok().stdout;
    tool(&["clear"]).args(names).args(["jan-work"]).run().ok();
    let created = ["jan-work", "created", "2026-01-02T03:04:05Z", "access-key-id", "AKIAIOSFODNN7EXAMPLE"];
    for (stored, problem) in [
        (text.as_str(), "it belongs to another item"),
        ("mine now", "it is not what hatbox wrote"),
        ("", "it is not what hatbox wrote"),
    ] {
        tool(&["store", "--label=x"]).args(names).args(created).input(stored).run().ok();
        let refused = hatbox(&fixture, &desktop, &["export", "-n", "jan-work"]).run().expect_code(1);
        let expected =
            format!("the item of profile `jan-work` in the secret-service store is damaged: {problem}");
        assert!(refused.stderr.contains(&expected), "{}", refused.stderr);
    }
    hatbox(&fixture, &desktop, &["export", "-n", "other"]).run().ok();
}

#[test]
fn a_locked_keyring_that_no_one_can_unlock_is_named_and_no_other_backend_is_used() {
    let Some((fixture, desktop)) = home(Keyring::Locked) else { return };
    // Before anything is stored, the file backend is chosen, and the reason is printed.
    let chosen = desktop.on_bus(fixture.add_run("jan-work", &["--no-add-config"])).run().ok();
    assert_eq!(
        chosen.stderr,
        format!(
            "hatbox: `secret-service` cannot be used here: it is locked, and there is no desktop to ask for its password\n\
             hatbox: keys are kept encrypted in ~/.local/share/hatbox/store (backend `file`)\n\
             hatbox: stored the access key {} of profile `jan-work`\n",
            masked(&fixture.key("jan-work").id)
        )
    );
    // A chosen backend is never replaced by another.
    fixture.write_settings("backend = \"secret-service\"\n");
    let refused = hatbox(&fixture, &desktop, &["export", "-n", "jan-work"]).run().expect_code(4);
    assert_eq!(
        refused.stderr,
        "hatbox: error: the secret-service store is locked\n  \
         caused by: it is locked, and there is no desktop to ask for its password\n\
         hatbox: hint: unlock the keyring on the desktop, or with `gnome-keyring-daemon --unlock`\n"
    );
    // A desktop that claims it can show a window, but cannot.
    let unanswered = hatbox(&fixture, &desktop, &["export", "-n", "jan-work"])
        .env("DISPLAY", ":77")
        .run()
        .expect_code(130);
    assert!(unanswered.stderr.contains("was dismissed, or could not be shown"), "{}", unanswered.stderr);
    fixture.write_config("[profile jan-work]\n");
    let listed = hatbox(&fixture, &desktop, &["list", "--json"]).run().ok();
    assert!(listed.stdout.contains("\"store\": \"locked\""), "{}", listed.stdout);
}

#[test]
fn without_a_bus_or_a_keyring_the_first_write_takes_the_file_backend_and_says_why() {
    let Some((fixture, desktop)) = home(Keyring::None) else { return };
    for (bus, why) in [
        ("nothing", "there is no D-Bus session bus"),
        ("empty", "no keyring program responds on the session bus"),
    ] {
        std::fs::remove_dir_all(fixture.path("home/.config/hatbox")).ok();
        std::fs::remove_dir_all(fixture.store()).ok();
        std::fs::remove_dir_all(fixture.path("home/.local/state")).ok();
        let run = fixture.add_run("jan-work", &["--no-add-config"]);
        let run = if bus == "empty" { desktop.on_bus(run) } else { run };
        let added = run.run().ok();
        assert_eq!(
            added.stderr,
            format!(
                "hatbox: `secret-service` cannot be used here: {why}\n\
                 hatbox: keys are kept encrypted in ~/.local/share/hatbox/store (backend `file`)\n\
                 hatbox: stored the access key {} of profile `jan-work`\n",
                masked(&fixture.key("jan-work").id)
            )
        );
        fixture.hatbox(&["lock"]).run().ok();
        let status = fixture.hatbox(&["store", "status"]).run().ok();
        assert!(
            status.stdout.contains("  secret-service  unavailable        there is no D-Bus session bus\n")
        );
        assert!(status.stdout.contains("* file            ready        1     ~/.local/share/hatbox/store\n"));
    }
    let refused =
        fixture.hatbox(&["--backend", "secret-service", "export", "-n", "jan-work"]).run().expect_code(1);
    assert_eq!(
        refused.stderr,
        "hatbox: error: the secret-service store cannot be used\n  \
         caused by: there is no D-Bus session bus\n\
         hatbox: hint: run hatbox in a desktop session, or under `dbus-run-session`; \
         `hatbox store status` shows the other backends\n"
    );
}

/// A bus that accepts connections and never answers.
struct Deaf {
    socket: UnixListener,
    address: String,
}

impl Deaf {
    fn listen(fixture: &Fixture) -> Self {
        let path = fixture.path("deaf");
        let socket = UnixListener::bind(&path).unwrap();
        Self { socket, address: format!("unix:path={}", path.display()) }
    }

    fn on_bus(&self, run: Run) -> Run {
        run.env("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// Returns whether a client has connected since the last call.
    fn was_called(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        self.socket.accept().is_ok()
    }
}

#[test]
fn a_bus_that_hangs_is_given_up_after_five_seconds() {
    let fixture = Fixture::empty(&["jan-work"]);
    let deaf = Deaf::listen(&fixture);
    let refused = deaf.on_bus(fixture.hatbox(&["--backend", "secret-service", "export", "-n", "x"])).run();
    assert!(deaf.was_called());
    let refused = refused.expect_code(1);
    assert!(refused.stderr.contains("the keyring did not respond within 5 s"), "{}", refused.stderr);
}

#[test]
fn keys_move_from_the_file_backend_to_the_keyring_and_back() {
    let Some((fixture, desktop)) = home(Keyring::Unlocked) else { return };
    let both = |arguments: &[&str]| desktop.on_bus(fixture.hatbox(arguments));
    desktop.on_bus(fixture.add_run("jan-work", &["--no-add-config"])).args(["--backend", "file"]).run().ok();
    let moved =
        both(&["store", "migrate", "--from", "file", "--to", "secret-service", "--delete-source", "--yes"]);
    let moved = moved.run().ok();
    assert!(
        moved.stderr.contains("copied the access key of `jan-work` to `secret-service`"),
        "{}",
        moved.stderr
    );
    assert!(moved.stderr.contains("deleted 1 keys from `file`"));
    let exported = both(&["export", "-n", "jan-work"]).run().ok();
    assert!(exported.stdout.contains(fixture.key("jan-work").secret.expose()));
    both(&["store", "migrate", "--to", "file"]).run().ok();
    let exported = both(&["--backend", "file", "export", "-n", "jan-work"]).run().ok();
    assert!(exported.stdout.contains(fixture.key("jan-work").secret.expose()));
}

#[test]
fn a_chosen_keyring_that_is_gone_is_an_error_and_not_a_lock() {
    let fixture = Fixture::empty(&[]);
    fixture.write_settings("backend = \"secret-service\"\n");
    fixture.write_config("[profile jan-work]\n");
    for command in [&["list"][..], &["export", "-n", "jan-work"]] {
        let refused = fixture.hatbox(command).without("HATBOX_FILE_PASSPHRASE").run().expect_code(1);
        let expected = "hatbox: error: the secret-service store cannot be used\n  caused by: there is no D-Bus session bus\n";
        assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    }
}
