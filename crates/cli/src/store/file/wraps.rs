//! The wraps of the store's identity: age files, any one of which opens the store.
//!
//! | file | opened by |
//! |---|---|
//! | `identity.passphrase.N.age` | a passphrase that the user chose |
//! | `identity.recovery.N.age` | a recovery passphrase that hatbox generated |
//! | `identity.NAME.N.age`, with `identity.NAME.N.plugin` | the age plugin that the second file names |
//!
//! `N` is the counter of the manifest that first listed the wrap. Only wraps that the manifest lists are tried.

use std::fs;
use std::path::Path;

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use super::identity::{Identity, decrypt_with, encrypt_to, problem_of};
use super::manifest::{Files, digest_of};
use super::names::{WrapFile, WrapName, WrapPart};
use crate::sys::files::{FileError, Keep, read_private, remove, write_atomic};
use crate::sys::format_version::is_newer_age;

/// 2^17 needs 128 MiB and about half a second, which also fits into a container with 256 MiB.
const WORK_FACTOR: u8 = 17;
/// Other programs may have used more. Above 2^20 (1 GiB), assume an attack rather than a store.
const MAX_WORK_FACTOR: u8 = 20;
const FILE_LIMIT: u64 = 64 << 10;

/// A wrap to write.
pub(crate) struct NewWrap {
    pub(super) name: WrapName,
    pub(super) sealed: Vec<u8>,
    /// The plugin's own identity, which is not secret without the device.
    pub(super) plugin: Option<String>,
}

/// Why the identity could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The passphrase is wrong.
    WrongPassphrase,
    /// The file cannot be read.
    File(FileError),
    /// hatbox did not write the content of the file.
    Damaged { file: String, problem: String },
    /// scrypt needs more memory than is available.
    Memory { megabytes: usize },
}

/// A wrap in the store's directory that matches the manifest, with its content.
#[derive(Debug)]
pub(super) struct FoundWrap {
    pub(super) name: WrapName,
    file: String,
    /// Its files, as the manifest lists them.
    files: Files,
    sealed: Vec<u8>,
    /// The text that names the plugin, if it is a plugin's wrap.
    #[cfg_attr(not(feature = "plugins"), expect(dead_code, reason = "for plugins"))]
    pub(super) plugin: Option<String>,
}

/// Wraps `identity` with a chosen or a recovery passphrase.
pub(super) fn wrap_by_passphrase(
    identity: &Identity,
    name: WrapName,
    passphrase: &SecretString,
) -> Result<NewWrap, OpenError> {
    let work_factor = work_factor();
    ensure_memory(work_factor)?;
    let mut recipient = age::scrypt::Recipient::new(passphrase.expose().to_owned().into());
    recipient.set_work_factor(work_factor);
    let sealed = encrypt_to(&recipient, identity.expose())
        .map_err(|_| std::io::Error::other("the identity could not be encrypted"))
        .map_err(FileError::io("write", Path::new(name.as_str())))
        .map_err(OpenError::File)?;
    Ok(NewWrap { name, sealed, plugin: None })
}

/// Returns the work factor of new wraps. Tests may use a smaller one, as hundreds of them create a store.
fn work_factor() -> u8 {
    #[cfg(feature = "test-clock")]
    if let Some(asked) = std::env::var("HATBOX_TEST_WORK_FACTOR").ok().and_then(|text| text.parse().ok()) {
        return asked;
    }
    if cfg!(test) { 10 } else { WORK_FACTOR }
}

/// Allocates scrypt's memory once as a test (RFC 7914: 128 * r * N bytes; age uses r = 8): if the allocation inside
/// scrypt failed, it would abort the process.
fn ensure_memory(work_factor: u8) -> Result<(), OpenError> {
    const MARGIN: usize = 4 << 20;
    let bytes = (1024_usize << work_factor) + MARGIN;
    let mut probe: Vec<u8> = Vec::new();
    match probe.try_reserve_exact(bytes) {
        Ok(()) => {
            // Without this, the compiler removes the allocation.
            std::hint::black_box(&mut probe);
            Ok(())
        }
        Err(_) => Err(OpenError::Memory { megabytes: bytes >> 20 }),
    }
}

/// Reads the work factor in an age file's header: `-> scrypt SALT 17`.
fn work_factor_of(sealed: &[u8]) -> Option<u8> {
    let header = sealed.get(..sealed.len().min(512))?;
    let stanza = header.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"-> scrypt "))?;
    std::str::from_utf8(stanza).ok()?.split(' ').nth(1)?.parse().ok()
}

impl FoundWrap {
    /// Opens it with a chosen or a recovery passphrase.
    pub(super) fn open_by_passphrase(&self, passphrase: &SecretString) -> Result<Identity, OpenError> {
        if let Some(factor) = work_factor_of(&self.sealed).filter(|factor| *factor <= MAX_WORK_FACTOR) {
            ensure_memory(factor)?;
        }
        let mut unwrap = age::scrypt::Identity::new(passphrase.expose().to_owned().into());
        unwrap.set_max_work_factor(MAX_WORK_FACTOR);
        let plain = decrypt_with(&unwrap, &self.sealed).map_err(|error| match error {
            age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
                OpenError::WrongPassphrase
            }
            age::DecryptError::ExcessiveWork { .. } => self.damaged("its work factor is beyond 2^20"),
            other => self.damaged(problem_of(&other)),
        })?;
        self.parse_identity(&plain)
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    #[cfg(feature = "plugins")]
    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// Parses the decrypted content as the identity.
    pub(super) fn parse_identity(&self, plain: &Zeroizing<Vec<u8>>) -> Result<Identity, OpenError> {
        Identity::parse(plain).ok_or_else(|| {
            // age has other kinds of identities than X25519. In an X25519 identity, `1` follows here (Bech32).
            let is_other = plain.starts_with(b"AGE-") && !plain.starts_with(b"AGE-SECRET-KEY-1");
            if is_other {
                OpenError::File(FileError::Newer(self.file.clone()))
            } else {
                self.damaged("it holds no age identity")
            }
        })
    }

    fn damaged(&self, problem: &str) -> OpenError {
        damaged(&self.file, problem)
    }
}

fn damaged(file: &str, problem: &str) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), problem: problem.to_owned() }
}

/// Lists the wrap files in `directory`, sorted, whoever wrote them.
pub(super) fn files_in(directory: &Path) -> Vec<(String, WrapFile)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let parsed = WrapFile::parse(&file)?;
            Some((file, parsed))
        })
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files
}

/// Lists the files in `directory` that look like wraps but are not in `listed`. They are never used.
pub(super) fn foreign_files(directory: &Path, listed: &Files) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|file| file.starts_with("identity.") && !listed.contains_key(file))
        .collect();
    files.sort();
    files
}

/// Loads the wraps in `listed`. Returns the usable ones and the problems of the others. Missing files are ignored: if
/// hatbox is killed while it writes or deletes a wrap, its name stays in the list.
pub(super) fn load_wraps(directory: &Path, listed: &Files) -> (Vec<FoundWrap>, Vec<OpenError>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (file, digest) in listed {
        let Some(about) = WrapFile::parse(file).filter(|about| about.part == WrapPart::Sealed) else {
            continue;
        };
        let plugin_file = WrapFile { part: WrapPart::Plugin, ..about.clone() }.to_string();
        let wrap = read_listed(directory, file, digest).and_then(|sealed| {
            let mut files = Files::from([(file.clone(), digest.clone())]);
            let plugin = match listed.get(&plugin_file) {
                None => None,
                Some(digest) => {
                    let text = read_listed(directory, &plugin_file, digest)?;
                    files.insert(plugin_file.clone(), digest.clone());
                    let text =
                        String::from_utf8(text).map_err(|_| damaged(&plugin_file, "it is not text"))?;
                    Some(text.trim().to_owned())
                }
            };
            Ok(FoundWrap { name: about.name.clone(), file: file.clone(), files, sealed, plugin })
        });
        match wrap {
            Ok(wrap) => found.push(wrap),
            Err(OpenError::File(FileError::Absent(_))) => {}
            Err(problem) => problems.push(problem),
        }
    }
    (found, problems)
}

/// Loads the wraps in `directory` without verification, for `hatbox store trust`.
///
/// # Errors
/// If a newer version of hatbox wrote a wrap, as it would be left out of the store.
pub(super) fn load_unlisted_wraps(directory: &Path) -> Result<Vec<FoundWrap>, FileError> {
    let files = files_in(directory).into_iter().filter_map(|(file, _)| {
        let bytes = read_file(directory, &file).ok()?;
        Some((file, digest_of(&bytes)))
    });
    let (found, problems) = load_wraps(directory, &files.collect());
    problems.into_iter().try_fold(found, |found, problem| match problem {
        OpenError::File(newer @ FileError::Newer(_)) => Err(newer),
        _ => Ok(found),
    })
}

/// Reads a wrap's file, without verification.
pub(super) fn read_file(directory: &Path, file: &str) -> Result<Vec<u8>, FileError> {
    read_private(&directory.join(file), FILE_LIMIT)
}

fn read_listed(directory: &Path, file: &str, digest: &str) -> Result<Vec<u8>, OpenError> {
    match read_file(directory, file) {
        Ok(bytes) if is_newer_age(&bytes) => Err(OpenError::File(FileError::newer(&directory.join(file)))),
        Ok(bytes) if digest_of(&bytes) == digest => Ok(bytes),
        Ok(_) => Err(damaged(file, "it is not the file that hatbox wrote")),
        Err(error) => Err(OpenError::File(error)),
    }
}

impl NewWrap {
    fn parts(&self, counter: u64) -> Vec<(String, Vec<u8>)> {
        let file = |part| WrapFile { name: self.name.clone(), counter, part }.to_string();
        let mut parts = vec![(file(WrapPart::Sealed), self.sealed.clone())];
        if let Some(plugin) = &self.plugin {
            parts.insert(0, (file(WrapPart::Plugin), format!("{plugin}\n").into_bytes()));
        }
        parts
    }

    /// Returns its manifest entries, for files with this counter.
    pub(super) fn files(&self, counter: u64) -> Files {
        self.parts(counter).into_iter().map(|(file, bytes)| (file, digest_of(&bytes))).collect()
    }

    /// Writes the files of the wrap.
    pub(super) fn write(&self, directory: &Path, counter: u64) -> Result<(), FileError> {
        for (file, bytes) in self.parts(counter) {
            write_atomic(&directory.join(&file), &bytes, Keep::Nothing)?;
        }
        Ok(())
    }
}

/// Deletes the files of the wrap of this name, except those with this counter.
pub(super) fn remove_wraps(directory: &Path, name: &WrapName, but: Option<u64>) -> Result<(), FileError> {
    for (file, about) in files_in(directory) {
        if about.name == *name && Some(about.counter) != but {
            remove(&directory.join(file))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_factor_is_read_from_the_header_and_memory_that_cannot_be_had_is_an_error() {
        let identity = Identity::generate();
        let passphrase = SecretString::new("correct horse".to_owned());
        let wrap = wrap_by_passphrase(&identity, WrapName::passphrase(), &passphrase).unwrap();
        assert_eq!(work_factor_of(&wrap.sealed), Some(work_factor()));
        for text in
            ["", "age-encryption.org/v1\n-> scrypt salt\n", "-> scrypt salt 300\n", "-> X25519 a 17\n"]
        {
            assert_eq!(work_factor_of(text.as_bytes()), None, "{text}");
        }
        assert!(matches!(ensure_memory(52), Err(OpenError::Memory { .. })));
    }
}
