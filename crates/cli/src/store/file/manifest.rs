//! `manifest.json`: lists the files of the store, with a MAC and a counter.
//!
//! A file that the manifest does not list is not read. Each change writes new files next to the old ones, under new
//! names, and then replaces the manifest, which commits the change. If hatbox is killed before that, the old state
//! remains; after that, the new one does. At worst, an unlisted file is left behind.
//!
//! Nothing in it may be used before [`Claimed::verify`] has confirmed that hatbox wrote it, except to choose which
//! wraps are tried.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::Identity;
use super::names::{ItemFile, WrapFile};
use crate::sys::files::{FileError, Keep, read_private, write_atomic, write_new};
use crate::sys::format_version::is_newer_json;

pub(super) const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;
/// Room for about 100,000 items.
const LIMIT: u64 = 16 << 20;

/// File names with the SHA-256 of each file's bytes, in hex.
pub(super) type Files = BTreeMap<String, String>;

/// The content of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Incremented with every change.
    pub(super) counter: u64,
    pub(super) wraps: Files,
    pub(super) items: Files,
}

/// A manifest as it was read, not verified yet.
#[derive(Debug)]
pub(super) struct Claimed {
    manifest: Manifest,
    mac: String,
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    version: u32,
    counter: u64,
    wraps: Files,
    items: Files,
    mac: String,
}

/// Why the manifest cannot be used.
#[derive(Debug)]
pub(super) enum ManifestError {
    File(FileError),
    /// It does not have the form that hatbox writes.
    Form,
}

impl Claimed {
    /// Loads the manifest of the store in `directory`; `None` if there is none.
    pub(super) fn load(directory: &Path) -> Result<Option<Self>, ManifestError> {
        let path = directory.join(MANIFEST);
        let text = match read_private(&path, LIMIT) {
            Ok(text) => text,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(ManifestError::File(error)),
        };
        match Self::parse(&text) {
            None if is_newer_json(&text, VERSION.into()) => Err(ManifestError::File(FileError::newer(&path))),
            parsed => parsed.map(Some).ok_or(ManifestError::Form),
        }
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let OnDisk { version, counter, wraps, items, mac } = serde_json::from_slice(text).ok()?;
        let is_known = version == VERSION
            && wraps.keys().all(|file| WrapFile::parse(file).is_some())
            && items.keys().all(|file| ItemFile::parse(file).is_some());
        is_known.then_some(Self { manifest: Manifest { counter, wraps, items }, mac })
    }

    /// The wraps to try.
    pub(super) fn wraps(&self) -> &Files {
        &self.manifest.wraps
    }

    /// The items that it lists.
    pub(super) fn items(&self) -> &Files {
        &self.manifest.items
    }

    /// Returns the manifest if hatbox wrote it with this identity.
    pub(super) fn verify(&self, identity: &Identity) -> Option<&Manifest> {
        use subtle::ConstantTimeEq;
        let mac = self.manifest.seal(identity);
        bool::from(mac.as_bytes().ct_eq(self.mac.as_bytes())).then_some(&self.manifest)
    }
}

impl Manifest {
    fn mac(&self, identity: &Identity) -> [u8; 32] {
        let counts = [self.counter, self.wraps.len() as u64, self.items.len() as u64].map(u64::to_be_bytes);
        let mut parts: Vec<&[u8]> = vec![b"manifest"];
        parts.extend(counts.iter().map(<[u8; 8]>::as_slice));
        for (file, digest) in self.wraps.iter().chain(&self.items) {
            parts.extend([file.as_bytes(), digest.as_bytes()]);
        }
        identity.mac(&parts)
    }

    /// Returns the MAC under the identity, in hex, which is different for every state.
    pub(super) fn seal(&self, identity: &Identity) -> String {
        hex::encode(self.mac(identity))
    }

    fn render(&self, identity: &Identity) -> std::io::Result<Vec<u8>> {
        let Self { counter, wraps, items } = self.clone();
        let on_disk = OnDisk { version: VERSION, counter, wraps, items, mac: self.seal(identity) };
        serde_json::to_vec_pretty(&on_disk).map_err(std::io::Error::other)
    }

    /// Replaces the manifest in `directory`, which commits the change.
    pub(super) fn save(&self, directory: &Path, identity: &Identity) -> Result<(), FileError> {
        let path = directory.join(MANIFEST);
        let text = self.render(identity).map_err(FileError::io("write", &path))?;
        write_atomic(&path, &text, Keep::Nothing)
    }

    /// Writes the manifest of a new store.
    ///
    /// # Errors
    /// [`FileError::Exists`] if there is a store already: it is never overwritten.
    pub(super) fn save_new(&self, directory: &Path, identity: &Identity) -> Result<(), FileError> {
        let path = directory.join(MANIFEST);
        let text = self.render(identity).map_err(FileError::io("write", &path))?;
        write_new(&path, &text)
    }

    /// Returns the file and the digest of the item of this name.
    pub(super) fn item(&self, name: &str) -> Option<(&str, &str)> {
        let (file, digest) = self.items.range(format!("{name}.")..).next()?;
        (ItemFile::parse(file)?.name == name).then_some((file, digest))
    }
}

pub(super) fn digest_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let digest = digest_of(b"x");
        Manifest {
            counter: 7,
            wraps: Files::from([("identity.passphrase.1.age".to_owned(), digest.clone())]),
            items: Files::from([
                (format!("{}.3.age", "a".repeat(32)), digest.clone()),
                (format!("{}.7.age", "b".repeat(32)), digest),
            ]),
        }
    }

    #[test]
    fn a_manifest_comes_back_and_neither_another_identity_nor_a_changed_byte_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::generate();
        manifest().save_new(dir.path(), &identity).unwrap();
        let claimed = Claimed::load(dir.path()).unwrap().unwrap();
        assert_eq!(claimed.verify(&identity), Some(&manifest()));
        assert_eq!(claimed.verify(&Identity::generate()), None);
        assert!(matches!(manifest().save_new(dir.path(), &identity), Err(FileError::Exists(_))));
        let path = dir.path().join(MANIFEST);
        let text = std::fs::read(&path).unwrap();
        for at in 0..text.len() {
            for bit in [1, 0x20] {
                let mut changed = text.clone();
                changed[at] ^= bit;
                let believed = Claimed::parse(&changed).is_some_and(|claimed| {
                    // Whitespace between the members has no meaning.
                    claimed.verify(&identity).is_some_and(|found| *found != manifest())
                });
                assert!(!believed, "byte {at}");
            }
        }
    }

    #[test]
    fn what_one_file_is_cannot_be_moved_to_another_nor_from_items_to_wraps() {
        let identity = Identity::generate();
        let mac = manifest().mac(&identity);
        let mut others = vec![manifest(); 4];
        others[0].counter += 1;
        others[1].items.clear();
        others[2].items = Files::from([(format!("{}.3.age", "a".repeat(32)), digest_of(b"y"))]);
        let (first, digest) = others[3].items.pop_first().unwrap();
        others[3].wraps.insert(first, digest);
        for other in others {
            assert_ne!(other.mac(&identity), mac);
        }
    }

    #[test]
    fn no_name_in_a_manifest_leads_anywhere_else() {
        for file in [
            "../.bashrc",
            "../../identity.passphrase.1.age",
            "/etc/passwd",
            "identity.passphrase.age",
            "identity...1.age",
            "identity.a/b.1.age",
            "identity.passphrase.01.age",
            "identity.passphrase.+1.age",
            "identity.passphrase.1.age/",
            "identity.passphrase.1.age\u{0}",
            "config.toml",
            "",
            ".",
            "..",
            "identity.UP.1.age",
            "identity.passphrase.18446744073709551616.age",
        ] {
            assert!(WrapFile::parse(file).is_none(), "{file:?}");
            assert!(ItemFile::parse(file).is_none(), "{file:?}");
            let text = serde_json::json!({
                "version": 1, "counter": 1, "wraps": {file: "00"}, "items": {}, "mac": "00"
            });
            assert!(Claimed::parse(text.to_string().as_bytes()).is_none(), "{file:?}");
        }
        let name = "0123456789abcdef0123456789abcdef";
        for file in ["../x", "x.1.age", &format!("{name}.age"), &format!("{}.1.age", name.to_uppercase())] {
            assert!(ItemFile::parse(file).is_none(), "{file:?}");
        }
        let file = format!("{name}.12.age");
        let parsed = ItemFile::parse(&file).unwrap();
        assert_eq!((parsed.name, parsed.counter, parsed.to_string()), (name, 12, file.clone()));
    }

    #[test]
    fn an_item_is_found_by_its_name_whatever_its_counter() {
        let manifest = manifest();
        let (a, b, c) = ("a".repeat(32), "b".repeat(32), "c".repeat(32));
        assert_eq!(manifest.item(&a).unwrap().0, format!("{a}.3.age"));
        assert_eq!(manifest.item(&b).unwrap().0, format!("{b}.7.age"));
        assert_eq!(manifest.item(&c), None);
        assert_eq!(manifest.item(&"a".repeat(31)), None);
    }
}
