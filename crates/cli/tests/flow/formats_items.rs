//! Items in the backends of others: those of every released version, kept in `tests/formats`, are still read, and one of a
//! later version is an error and is not written over. docs/formats.md has the rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desktop::{Desktop, Keyring};
use crate::fixture::Fixture;
use crate::formats::{KEPT, NEWER, versions};
use crate::mfa_devices::SEED;
use crate::program_backends::{Pass, with_helper};
use crate::run::{Outcome, Run};
use crate::secret_service;

const CONFIG: &str = "\
[profile jan-work]
[profile guarded]
source_profile = jan-work
mfa_serial = arn:aws:iam::111122223333:mfa/jan
role_arn = arn:aws:iam::444455556666:role/guarded
";

/// An item as a keyring has it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    label: String,
    attributes: BTreeMap<String, String>,
    /// The line of JSON that every backend of text has.
    text: String,
}

impl Kept {
    fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// What does not differ between items of a kind: label, names of attributes, members and their types.
    fn shape(&self) -> String {
        let value = self.value();
        let profile = value["profile"].as_str().unwrap();
        let members = value.as_object().unwrap().iter();
        let members: Vec<_> = members
            .map(|(name, value)| format!("{name}: {}", if value.is_u64() { "number" } else { "text" }))
            .collect();
        let attributes: Vec<_> = self.attributes.keys().collect();
        format!("{} {attributes:?} {members:?}", self.label.replace(profile, "PROFILE"))
    }
}

/// A home with a keyring, which no passphrase of another backend reaches.
struct Scene {
    fixture: Fixture,
    desktop: Desktop,
}

impl Scene {
    fn new() -> Option<Self> {
        let (fixture, desktop) = secret_service::home(Keyring::Unlocked)?;
        fixture.write_config(CONFIG);
        fixture.write_settings("backend = \"secret-service\"\n");
        Some(Self { fixture, desktop })
    }

    fn on_desktop(&self, run: Run) -> Run {
        self.desktop.on_bus(run).without("HATBOX_FILE_PASSPHRASE")
    }

    fn hatbox(&self, arguments: &[&str]) -> Run {
        self.on_desktop(self.fixture.hatbox(arguments))
    }

    fn add(&self, flags: &[&str]) -> Outcome {
        let flags = [&["--no-add-config"], flags].concat();
        self.on_desktop(self.fixture.add_run("jan-work", &flags)).run()
    }

    fn tool(&self, arguments: &[&str]) -> Run {
        self.desktop.tool(&self.fixture.path("desktop"), "secret-tool").args(arguments)
    }

    /// Returns the only item of this kind.
    fn item(&self, kind: &str) -> Kept {
        let found = self.tool(&["search", "--all", "application", "hatbox", "kind", kind]).run().ok();
        let printed = format!("{}\n{}", found.stdout, found.stderr);
        assert_eq!(printed.matches("label = ").count(), 1, "{printed}");
        let after =
            |start: &str| printed.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
        let attributes =
            printed.lines().filter_map(|line| line.strip_prefix("attribute.")?.split_once(" = "));
        // The tool marks items with the name of a schema; hatbox does not look at it.
        let attributes = attributes.filter(|(name, _)| *name != "xdg:schema");
        Kept {
            label: after("label = "),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            text: after("secret = "),
        }
    }

    fn store(&self, item: &Kept) {
        let attributes = item.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        self.tool(&["store", "--label", &item.label]).args(attributes).input(&item.text).run().ok();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.hatbox(&["lock"]).run();
    }
}

const KINDS: [&str; 3] = ["access-key", "cache-key", "totp-seed"];

fn kept(version: &str) -> Vec<Kept> {
    let path = Path::new(KEPT).join(version).join("items.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// With `HATBOX_WRITE_FORMATS`, keeps them as those of a release: `formats_made.rs` has the command.
#[test]
fn items_that_this_version_writes_in_a_keyring_are_of_the_kept_kinds() {
    let Some(scene) = Scene::new() else { return };
    scene.add(&[]).ok();
    scene.hatbox(&["mfa", "store-seed", "--stdin", "guarded"]).input(SEED).run().ok();
    let made: Vec<_> = KINDS.iter().map(|kind| scene.item(kind)).collect();
    if let Some(place) = std::env::var_os("HATBOX_WRITE_FORMATS") {
        fs::create_dir_all(&place).unwrap();
        let text = serde_json::to_string_pretty(&made).unwrap();
        fs::write(Path::new(&place).join("items.json"), text + "\n").unwrap();
    }
    let shapes = |items: &[Kept]| items.iter().map(Kept::shape).collect::<Vec<_>>();
    assert_eq!(shapes(&made), shapes(&kept("0.1.0")), "see docs/formats.md");
}

#[test]
fn items_of_every_version_are_read_from_a_keyring() {
    for version in versions() {
        let Some(scene) = Scene::new() else { return };
        let items = kept(&version);
        for item in &items {
            scene.store(item);
        }
        let key = items[0].value();
        let exported = scene.hatbox(&["export", "-n", "--format", "json", "jan-work"]).run().ok().stdout;
        let exported: Value = serde_json::from_str(&exported).unwrap();
        assert_eq!(exported["AccessKeyId"], key["access_key_id"], "{version}");
        assert_eq!(exported["SecretAccessKey"], key["secret"], "{version}");
        let code = scene.hatbox(&["mfa", "code", "guarded"]).run().ok().stdout;
        assert!(code.trim().len() == 6, "{version}: {code}");
        let listed = scene.hatbox(&["list", "--credentials"]).run().ok().stdout;
        assert_eq!(listed, "jan-work\n", "{version}");
        // A cache key that is not read would be replaced by a new one.
        assert_eq!(scene.item("cache-key").text, items[1].text, "{version}");
    }
}

/// Returns the text as a later version may write it.
fn later(text: &str) -> String {
    let later = text.replace("\"version\":1,", "\"version\":2,\"later\":[],");
    assert_ne!(later, text);
    later
}

fn assert_refused(outcome: &Outcome, what: &str) {
    assert_eq!(outcome.code(), Some(1), "{what}: {}", outcome.stderr);
    let said = &outcome.stderr;
    assert!(said.contains(NEWER) && said.contains("hatbox: hint: update hatbox"), "{what}: {said}");
}

#[test]
fn a_later_item_in_a_keyring_is_an_error_and_stays_as_it_is() {
    let Some(scene) = Scene::new() else { return };
    scene.add(&[]).ok();
    scene.hatbox(&["mfa", "store-seed", "--stdin", "guarded"]).input(SEED).run().ok();
    let lines: [(&str, &[&[&str]]); 3] = [
        ("access-key", &[&["export", "-n", "jan-work"], &["rotate", "jan-work"], &["add"]]),
        ("totp-seed", &[&["mfa", "code", "guarded"], &["mfa", "store-seed", "--stdin", "guarded"]]),
        ("cache-key", &[&["export", "-n", "jan-work"], &["add"]]),
    ];
    for (kind, lines) in lines {
        let mut item = scene.item(kind);
        let text = std::mem::take(&mut item.text);
        item.text = later(&text);
        scene.store(&item);
        for line in lines {
            if kind == "cache-key" {
                // Otherwise the key that the kernel keyring holds is used.
                scene.hatbox(&["lock"]).run().ok();
            }
            let outcome = match line {
                ["add"] => scene.add(&["--force"]),
                line => scene.hatbox(line).input(SEED).run(),
            };
            assert_refused(&outcome, &format!("{kind}: {line:?}"));
            assert_eq!(scene.item(kind).text, item.text, "{kind}: {line:?}");
        }
        item.text = text;
        scene.store(&item);
    }
    scene.hatbox(&["export", "-n", "jan-work"]).run().ok();
}

#[test]
fn a_later_item_in_pass_stays_as_it_is() {
    let Some(pass) = Pass::new("") else { return };
    pass.add("jan-work").ok();
    let tool = |arguments: &[&str]| Run::new("pass", pass.fixture.variables()).args(arguments);
    let name = "hatbox/access-key/jan-work";
    let text = later(&tool(&["show", name]).run().ok().stdout);
    tool(&["insert", "--multiline", "--force", name]).input(&text).run().ok();
    let force = ["--backend", "pass", "--no-add-config", "--force"];
    let add = pass.fixture.add_run("jan-work", &force).without("HATBOX_FILE_PASSPHRASE").run();
    assert_refused(&add, "add");
    assert_refused(&pass.fixture.hatbox(&["export", "-n", "jan-work"]).run(), "export");
    assert_eq!(tool(&["show", name]).run().ok().stdout, text);
}

#[test]
fn a_later_item_behind_a_helper_stays_as_it_is() {
    let Some(fixture) = with_helper() else { return };
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    let state = fixture.path("home/rbw.json");
    // In the state of the stand-in, the text is a string of JSON.
    let text = fs::read_to_string(&state).unwrap();
    let changed = text
        .replace(r#"{\"version\":1,\"kind\":\"access-key\""#, r#"{\"version\":2,\"kind\":\"access-key\""#);
    assert_ne!(changed, text);
    fs::write(&state, &changed).unwrap();
    let add = fixture.add_run("jan-work", &["--no-add-config", "--force"]).run();
    assert_refused(&add, "add");
    assert_refused(&fixture.hatbox(&["export", "-n", "jan-work"]).run(), "export");
    assert_eq!(fs::read_to_string(&state).unwrap(), changed);
}
