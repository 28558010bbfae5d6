//! The wraps of the store's identity: age files of their own, any one of which opens the store.
//!
//! | file | opened by |
//! |---|---|
//! | `identity.passphrase.age` | a passphrase of the user's choice |
//! | `identity.recovery.age` | a recovery passphrase that hatbox made up |
//! | `identity.NAME.age`, with `identity.NAME.plugin` | the age plugin that the second file names |
//!
//! `wraps.json` lists them with a MAC under the identity, so that one added behind the user's back is reported.
//! A wrap is listed before it is there, and removed before it is taken off the list: a kill in between leaves
//! a list with a name too many, which means nothing.

use std::fs;
use std::path::{Path, PathBuf};

use hatbox_core::secret::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::identity::{Identity, decrypt_with, encrypt_to, hex, problem_of};
use crate::sys::files::{FileError, Keep, read_private, remove, write_atomic, write_new};

const LIST: &str = "wraps.json";
/// 2^17: 128 MiB and about half a second, which also fits a container of 256 MiB.
const WORK_FACTOR: u8 = 17;
/// Others may have wrapped with more; beyond 2^20 (1 GiB) a file is an attack rather than a store.
const MAX_WORK_FACTOR: u8 = 20;
const FILE_LIMIT: u64 = 64 << 10;

/// The name of a wrap: 1 to 32 of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WrapName(String);

impl WrapName {
    pub(crate) fn passphrase() -> Self {
        Self("passphrase".to_owned())
    }

    pub(crate) fn recovery() -> Self {
        Self("recovery".to_owned())
    }

    /// The name, unless it could not be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        (begins && text.len() <= 32 && text.chars().all(is_allowed)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn kind(&self) -> WrapKind {
        match self.as_str() {
            "passphrase" => WrapKind::Passphrase,
            "recovery" => WrapKind::Recovery,
            _ => WrapKind::Plugin,
        }
    }

    fn file(&self) -> String {
        format!("identity.{}.age", self.0)
    }

    fn plugin_file(&self) -> String {
        format!("identity.{}.plugin", self.0)
    }

    /// The wrap that a file of the store's directory is, or belongs to.
    fn of_file(file: &str) -> Option<Self> {
        let rest = file.strip_prefix("identity.")?;
        Self::parse(rest.strip_suffix(".age").or_else(|| rest.strip_suffix(".plugin"))?)
    }
}

/// What opens a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrapKind {
    Passphrase,
    Recovery,
    Plugin,
}

/// A wrap to be written.
pub(crate) struct NewWrap {
    pub(super) name: WrapName,
    pub(super) sealed: Vec<u8>,
    /// The plugin's own identity, which is no secret without the device.
    pub(super) plugin: Option<String>,
}

/// Why the identity could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Not this passphrase.
    WrongPassphrase,
    /// The file cannot be read.
    File(FileError),
    /// The file is not what hatbox wrote.
    Damaged { file: String, problem: String },
}

/// The form of `wraps.json`.
#[derive(Serialize, Deserialize)]
struct Listed {
    version: u32,
    /// File name and SHA-256 of each wrap, sorted.
    files: Vec<(String, String)>,
    mac: String,
}

/// Wraps `identity` under a passphrase of either kind.
pub(super) fn wrap_by_passphrase(
    identity: &Identity,
    name: WrapName,
    passphrase: &SecretString,
) -> Result<NewWrap, FileError> {
    let mut recipient = age::scrypt::Recipient::new(passphrase.expose().to_owned().into());
    recipient.set_work_factor(WORK_FACTOR);
    let sealed = encrypt_to(&recipient, identity.expose())
        .map_err(|_| std::io::Error::other("the identity could not be encrypted"))
        .map_err(FileError::io("write", Path::new(&name.file())))?;
    Ok(NewWrap { name, sealed, plugin: None })
}

/// Opens the wrap of this name by a passphrase of either kind.
pub(super) fn open_by_passphrase(
    directory: &Path,
    name: &WrapName,
    passphrase: &SecretString,
) -> Result<Identity, OpenError> {
    let wrap = read_private(&directory.join(name.file()), FILE_LIMIT).map_err(OpenError::File)?;
    let mut unwrap = age::scrypt::Identity::new(passphrase.expose().to_owned().into());
    unwrap.set_max_work_factor(MAX_WORK_FACTOR);
    let plain = decrypt_with(&unwrap, &wrap).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
            OpenError::WrongPassphrase
        }
        age::DecryptError::ExcessiveWork { .. } => damaged(name, "its work factor is beyond 2^20"),
        other => damaged(name, problem_of(&other)),
    })?;
    parse_identity(name, &plain)
}

/// The sealed bytes of a plugin's wrap, and the plugin's own identity.
#[cfg(feature = "plugins")]
pub(super) fn read_plugin_wrap(directory: &Path, name: &WrapName) -> Result<(Vec<u8>, String), OpenError> {
    let read = |file: String| read_private(&directory.join(file), FILE_LIMIT).map_err(OpenError::File);
    let sealed = read(name.file())?;
    let plugin = String::from_utf8(read(name.plugin_file())?)
        .map_err(|_| OpenError::Damaged { file: name.plugin_file(), problem: "it is not text".to_owned() })?;
    Ok((sealed, plugin.trim().to_owned()))
}

/// What a wrap held, as the identity.
pub(super) fn parse_identity(name: &WrapName, plain: &Zeroizing<Vec<u8>>) -> Result<Identity, OpenError> {
    Identity::parse(plain).ok_or_else(|| damaged(name, "it holds no age identity"))
}

fn damaged(name: &WrapName, problem: &str) -> OpenError {
    OpenError::Damaged { file: name.file(), problem: problem.to_owned() }
}

/// The wraps that are in `directory`, sorted.
pub(crate) fn wraps_in(directory: &Path) -> Vec<WrapName> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            WrapName::of_file(&file).filter(|name| name.file() == file)
        })
        .collect();
    names.sort();
    names
}

/// Whether there is a store in `directory`: the usual wrap, or another.
pub(super) fn has_wraps(directory: &Path) -> bool {
    directory.join(WrapName::passphrase().file()).exists() || !wraps_in(directory).is_empty()
}

/// Writes the first wrap of a new store.
///
/// # Errors
/// [`FileError::Exists`] when there is a store already: it is never written over.
pub(super) fn create(directory: &Path, identity: &Identity, wrap: &NewWrap) -> Result<(), FileError> {
    write_new(&directory.join(wrap.name.file()), &wrap.sealed)?;
    save_list(directory, identity, vec![entry_of(&wrap.name.file(), &wrap.sealed)])
}

/// Adds a wrap, in the place of one of the same name.
pub(super) fn add(directory: &Path, identity: &Identity, wrap: &NewWrap) -> Result<(), FileError> {
    let mut files = trusted_files(directory, identity)?;
    let mut parts = vec![(wrap.name.file(), wrap.sealed.clone())];
    if let Some(plugin) = &wrap.plugin {
        parts.insert(0, (wrap.name.plugin_file(), format!("{plugin}\n").into_bytes()));
    }
    files.extend(parts.iter().map(|(file, bytes)| entry_of(file, bytes)));
    save_list(directory, identity, files)?;
    for (file, bytes) in &parts {
        write_atomic(&directory.join(file), bytes, Keep::Nothing)?;
    }
    let files = trusted_files(directory, identity)?;
    save_list(directory, identity, files)
}

/// Removes the wrap of this name.
pub(super) fn take_off(directory: &Path, identity: &Identity, name: &WrapName) -> Result<(), FileError> {
    remove(&directory.join(name.file()))?;
    remove(&directory.join(name.plugin_file()))?;
    let files = trusted_files(directory, identity)?;
    save_list(directory, identity, files)
}

/// Whether `identity` is that of the store in `directory`, and not of an earlier one there.
pub(super) fn is_of(directory: &Path, identity: &Identity) -> bool {
    matches!(load_list(directory, identity), Ok(Some(_)))
}

/// Writes the list where a kill right after the first wrap left none. `opened` has just opened, so it may be
/// listed; any other one beside it is still reported.
pub(super) fn list_if_missing(
    directory: &Path,
    identity: &Identity,
    opened: &WrapName,
) -> Result<(), FileError> {
    if directory.join(LIST).exists() {
        return Ok(());
    }
    let sealed = read_private(&directory.join(opened.file()), FILE_LIMIT)?;
    save_list(directory, identity, vec![entry_of(&opened.file(), &sealed)])
}

/// The wraps that are there and were not made by hatbox, by path; or that the list itself is not to be
/// trusted. In words.
pub(super) fn check(directory: &Path, identity: &Identity) -> Result<Vec<String>, FileError> {
    let Some(listed) = load_list(directory, identity)? else {
        return Ok(vec![format!(
            "`{}` does not list this store's wraps: somebody else may have changed it",
            directory.join(LIST).display()
        )]);
    };
    let foreign = files_in(directory)?.into_iter().filter(|file| !listed.files.contains(file));
    Ok(foreign
        .map(|(file, _)| {
            format!(
                "`{}` opens this store, and was not made by hatbox: remove it unless you made it",
                directory.join(file).display()
            )
        })
        .collect())
}

/// The names of the wraps that are there and listed.
pub(super) fn trusted(directory: &Path, identity: &Identity) -> Result<Vec<WrapName>, FileError> {
    let files = trusted_files(directory, identity)?;
    let mut names: Vec<_> = files.iter().filter_map(|(file, _)| WrapName::of_file(file)).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// File name and digest of what is there and listed.
fn trusted_files(directory: &Path, identity: &Identity) -> Result<Vec<(String, String)>, FileError> {
    let listed = load_list(directory, identity)?.map(|listed| listed.files).unwrap_or_default();
    Ok(files_in(directory)?.into_iter().filter(|file| listed.contains(file)).collect())
}

/// File name and digest of each wrap, and of what its plugin needs.
fn files_in(directory: &Path) -> Result<Vec<(String, String)>, FileError> {
    let entries = fs::read_dir(directory).map_err(FileError::io("read", directory))?;
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let is_wrap = file
            .strip_prefix("identity.")
            .is_some_and(|rest| [".age", ".plugin"].into_iter().any(|end| rest.strip_suffix(end).is_some()));
        if is_wrap {
            let bytes = read_private(&entry.path(), FILE_LIMIT)?;
            files.push(entry_of(&file, &bytes));
        }
    }
    Ok(files)
}

/// The list; `None` when there is none that was made with this identity.
fn load_list(directory: &Path, identity: &Identity) -> Result<Option<Listed>, FileError> {
    let listed: Option<Listed> = match read_private(&directory.join(LIST), FILE_LIMIT) {
        Ok(text) => serde_json::from_slice(&text).ok(),
        Err(FileError::Absent(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(listed.filter(|l| l.version == 1 && hex(&mac_of(identity, &l.files)) == l.mac))
}

fn save_list(
    directory: &Path,
    identity: &Identity,
    mut files: Vec<(String, String)>,
) -> Result<(), FileError> {
    files.sort();
    let path = directory.join(LIST);
    let mac = hex(&mac_of(identity, &files));
    let listed = serde_json::to_vec(&Listed { version: 1, files, mac })
        .map_err(std::io::Error::other)
        .map_err(FileError::io("write", &path))?;
    write_atomic(&path, &listed, Keep::Nothing)
}

/// The files of `wraps.json` in `directory` by name and digest, whoever made it; and its own path.
pub(super) fn listed_files(directory: &Path) -> Option<(PathBuf, Vec<(String, String)>)> {
    let path = directory.join(LIST);
    let text = read_private(&path, FILE_LIMIT).ok()?;
    let listed: Listed = serde_json::from_slice(&text).ok()?;
    Some((path, listed.files))
}

/// Deletes the wraps in `directory` that are not among `files`.
pub(super) fn keep_only(directory: &Path, files: &[(String, String)]) -> Result<(), FileError> {
    for file in files_in(directory)?.into_iter().filter(|file| !files.contains(file)) {
        remove(&directory.join(file.0))?;
    }
    Ok(())
}

fn mac_of(identity: &Identity, files: &[(String, String)]) -> [u8; 32] {
    let mut parts: Vec<&[u8]> = vec![b"wraps"];
    for (file, digest) in files {
        parts.extend([file.as_bytes(), digest.as_bytes()]);
    }
    identity.mac(&parts)
}

fn entry_of(file: &str, bytes: &[u8]) -> (String, String) {
    (file.to_owned(), hex(&Sha256::digest(bytes)))
}
