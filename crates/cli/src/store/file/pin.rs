//! The pin: the store's identity and its newest known counter, kept outside the store's directory.
//!
//! Anyone who can write to the store's directory (a synced folder, a restored backup) can replace it with a store of
//! their own or with an older state. The pin detects both.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::manifest::{Files, Manifest};
use super::names::{WrapFile, WrapKind};
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, remove, write_atomic};
use crate::sys::format_version::is_newer_json;

const FILE: &str = "pin.json";
const VERSION: u32 = 1;
const LIMIT: u64 = 64 << 10;

/// What is known from the last use of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    version: u32,
    /// The store's directory, for people who read the file.
    directory: PathBuf,
    /// The fingerprint of the store's identity.
    pub(super) identity: String,
    /// The manifest's counter; 0 before the first manifest.
    pub(super) counter: u64,
    /// The manifest's MAC. Another machine may have made another manifest with the same counter.
    pub(super) manifest: String,
    /// The plugin wraps that the manifest lists. No other plugin is run before the manifest is verified.
    pub(super) plugins: Files,
    /// The fingerprint of the new identity while the store is being rekeyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rekeying_to: Option<String>,
}

impl Pin {
    /// Returns the pin of a store in this state.
    pub(super) fn of(store: &Path, identity: &Identity, manifest: &Manifest) -> Self {
        let is_plugins =
            |file: &str| WrapFile::parse(file).is_some_and(|about| about.name.kind() == WrapKind::Plugin);
        let plugins = manifest.wraps.iter().filter(|(file, _)| is_plugins(file));
        Self {
            version: VERSION,
            directory: store.to_owned(),
            identity: identity.fingerprint(),
            counter: manifest.counter,
            manifest: manifest.seal(identity),
            plugins: plugins.map(|(file, digest)| (file.clone(), digest.clone())).collect(),
            rekeying_to: None,
        }
    }

    /// Returns the pin to save before the first manifest. If hatbox is killed then, no store counts as missing.
    pub(super) fn before_the_first_manifest(self) -> Self {
        Self { counter: 0, ..self }
    }

    /// Returns the pin to save while the store is being rekeyed to the identity of this fingerprint.
    pub(super) fn rekeying_to(self, identity: String) -> Self {
        Self { rekeying_to: Some(identity), ..self }
    }
}

/// The path of one store's pin.
#[derive(Debug, Clone)]
pub(super) struct PinPlace(PathBuf);

impl PinPlace {
    /// `directory` need not exist yet.
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self(directory.join(FILE))
    }

    /// Returns whether a store was used before, not only about to be created.
    pub(super) fn is_of_a_store(&self) -> bool {
        match self.load() {
            Ok(pin) => pin.is_some_and(|pin| pin.counter > 0),
            // Opening the store reports why the pin cannot be read.
            Err(_) => true,
        }
    }

    /// Loads the pin; `None` if no store was used yet.
    pub(super) fn load(&self) -> Result<Option<Pin>, FileError> {
        let text = match read_private(&self.0, LIMIT) {
            Ok(text) => text,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Checked first, as a later version may have other fields.
        if is_newer_json(&text, VERSION.into()) {
            return Err(FileError::newer(&self.0));
        }
        let pin: Pin = serde_json::from_slice(&text)
            .map_err(std::io::Error::other)
            .map_err(FileError::io("read", &self.0))?;
        Ok(Some(pin))
    }

    pub(super) fn save(&self, pin: &Pin) -> Result<(), FileError> {
        if let Some(directory) = self.0.parent() {
            make_private_directory(directory)?;
        }
        let text = serde_json::to_vec_pretty(pin)
            .map_err(std::io::Error::other)
            .map_err(FileError::io("write", &self.0))?;
        write_atomic(&self.0, &text, Keep::Nothing)
    }

    /// Forgets the store.
    pub(super) fn remove(&self) -> Result<(), FileError> {
        remove(&self.0).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_comes_back_and_a_damaged_one_is_an_error_rather_than_none() {
        let dir = tempfile::tempdir().unwrap();
        let place = PinPlace::in_directory(&dir.path().join("state"));
        let listed = |file: &str| (file.to_owned(), "00".to_owned());
        let wraps = Files::from([listed("identity.passphrase.1.age"), listed("identity.toy.2.age")]);
        let manifest = Manifest { counter: 3, wraps, items: Files::new() };
        let pin = Pin::of(Path::new("/store"), &Identity::generate(), &manifest);
        assert_eq!(pin.plugins, Files::from([listed("identity.toy.2.age")]));
        assert!(!place.is_of_a_store() && place.load().unwrap().is_none());
        place.save(&pin.clone().before_the_first_manifest()).unwrap();
        assert!(!place.is_of_a_store(), "one that was about to be made");
        let pin = pin.rekeying_to("cd".to_owned());
        place.save(&pin).unwrap();
        assert_eq!(place.load().unwrap(), Some(pin));
        for text in ["", "{}", "{\"version\":2,\"directory\":\"/s\",\"identity\":\"a\",\"counter\":1}"] {
            write_atomic(&place.0, text.as_bytes(), Keep::Nothing).unwrap();
            assert!(place.load().is_err() && place.is_of_a_store(), "{text}");
        }
        place.remove().unwrap();
        assert!(place.load().unwrap().is_none());
    }
}
