//! The store's age identity: made, wrapped, opened; and what is derived from it.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use age::secrecy::ExposeSecret;
use hatbox_core::secret::SecretString;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::ItemId;
use crate::sys::files::{FileError, Keep, read_private, write_atomic, write_new};

/// The identity under a passphrase.
pub(crate) const PASSPHRASE_WRAP: &str = "identity.passphrase.age";
const WRAPS: &str = "wraps.json";
/// 2^17: 128 MiB and about half a second, which also fits a container of 256 MiB.
const WORK_FACTOR: u8 = 17;
/// Others may have wrapped with more; beyond 2^20 (1 GiB) a file is an attack rather than a store.
const MAX_WORK_FACTOR: u8 = 20;
const FILE_LIMIT: u64 = 64 << 10;

/// The identity, unlocked.
pub(crate) struct Identity {
    secret: Zeroizing<String>,
    key: age::x25519::Identity,
    mac_key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity([redacted])")
    }
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
struct Wraps {
    version: u32,
    /// File name and SHA-256 of each wrap, sorted.
    files: Vec<(String, String)>,
    mac: String,
}

impl Identity {
    /// A new identity.
    pub(crate) fn generate() -> Self {
        Self::of(age::x25519::Identity::generate())
    }

    /// The identity in age's text form; `None` when it is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        std::str::from_utf8(text).ok()?.trim_end().parse().ok().map(Self::of)
    }

    fn of(identity: age::x25519::Identity) -> Self {
        let secret = Zeroizing::new(identity.to_string().expose_secret().to_owned());
        let mut mac_key = Zeroizing::new([0; 32]);
        mac_key.copy_from_slice(&hmac(secret.as_bytes(), &[b"hatbox store mac 1"]));
        Self { secret, key: identity, mac_key }
    }

    /// Age's text form, for the kernel keyring.
    pub(crate) fn expose(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// Whether this is the identity of the store at `directory`, and not of an earlier one there.
    pub(crate) fn is_of(&self, directory: &Path) -> bool {
        matches!(self.listed_wraps(directory), Ok(Some(_)))
    }

    /// Wraps the identity under `passphrase` and writes it to the new store at `directory`.
    ///
    /// # Errors
    /// [`FileError::Exists`] when there is a store already: it is never written over.
    pub(crate) fn save(&self, directory: &Path, passphrase: &SecretString) -> Result<(), FileError> {
        let path = directory.join(PASSPHRASE_WRAP);
        let mut recipient = age::scrypt::Recipient::new(passphrase.expose().to_owned().into());
        recipient.set_work_factor(WORK_FACTOR);
        let wrap = encrypt_to(&recipient, self.secret.as_bytes())
            .ok_or_else(|| std::io::Error::other("the identity could not be encrypted"))
            .map_err(FileError::io("write", &path))?;
        write_new(&path, &wrap)?;
        self.list_wraps(directory, &wrap)
    }

    /// Writes down that the passphrase's wrap is the only one.
    fn list_wraps(&self, directory: &Path, wrap: &[u8]) -> Result<(), FileError> {
        let path = directory.join(WRAPS);
        let files = vec![(PASSPHRASE_WRAP.to_owned(), digest(wrap))];
        let mac = hex(&self.mac_of_wraps(&files));
        let listed = serde_json::to_vec(&Wraps { version: 1, files, mac })
            .map_err(std::io::Error::other)
            .map_err(FileError::io("write", &path))?;
        write_atomic(&path, &listed, Keep::Nothing)
    }

    /// Opens the identity of the store at `directory`; with it, what the user should know about its wraps.
    pub(crate) fn load(
        directory: &Path,
        passphrase: &SecretString,
    ) -> Result<(Self, Vec<String>), OpenError> {
        let wrap = read_private(&directory.join(PASSPHRASE_WRAP), FILE_LIMIT).map_err(OpenError::File)?;
        let damaged = |problem: &str| OpenError::Damaged {
            file: PASSPHRASE_WRAP.to_owned(),
            problem: problem.to_owned(),
        };
        let mut unwrap = age::scrypt::Identity::new(passphrase.expose().to_owned().into());
        unwrap.set_max_work_factor(MAX_WORK_FACTOR);
        let plain = decrypt_with(&unwrap, &wrap).map_err(|error| match error {
            age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
                OpenError::WrongPassphrase
            }
            age::DecryptError::ExcessiveWork { .. } => damaged("its work factor is beyond 2^20"),
            other => damaged(problem_of(&other)),
        })?;
        let identity = Self::parse(&plain).ok_or_else(|| damaged("it holds no age identity"))?;
        // A kill between the two writes of `save` leaves the wrap without its list. The wrap has just opened,
        // so it may be listed; any other one beside it is still reported.
        if !directory.join(WRAPS).exists() {
            identity.list_wraps(directory, &wrap).map_err(OpenError::File)?;
        }
        let problems = identity.check_wraps(directory).map_err(OpenError::File)?;
        Ok((identity, problems))
    }

    /// The wraps that were written down; `None` when not with this identity's key.
    fn listed_wraps(&self, directory: &Path) -> Result<Option<Wraps>, FileError> {
        let listed: Option<Wraps> = match read_private(&directory.join(WRAPS), FILE_LIMIT) {
            Ok(text) => serde_json::from_slice(&text).ok(),
            Err(FileError::Absent(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(listed.filter(|l| l.version == 1 && hex(&self.mac_of_wraps(&l.files)) == l.mac))
    }

    /// Compares the wraps that are there with those that were written down; what differs, in words.
    pub(crate) fn check_wraps(&self, directory: &Path) -> Result<Vec<String>, FileError> {
        let Some(listed) = self.listed_wraps(directory)? else {
            return Ok(vec![format!(
                "`{}` does not list this store's wraps: somebody else may have changed it",
                directory.join(WRAPS).display()
            )]);
        };
        let mut problems = Vec::new();
        let entries = fs::read_dir(directory).map_err(FileError::io("read", directory))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_prefix("identity.").is_none_or(|rest| rest.strip_suffix(".age").is_none()) {
                continue;
            }
            let found = digest(&read_private(&entry.path(), FILE_LIMIT)?);
            if !listed.files.contains(&(name, found)) {
                problems.push(format!(
                    "`{}` opens this store, and was not made by hatbox: remove it unless you made it",
                    entry.path().display()
                ));
            }
        }
        Ok(problems)
    }

    fn mac_of_wraps(&self, wraps: &[(String, String)]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![b"wraps"];
        for (name, digest) in wraps {
            parts.extend([name.as_bytes(), digest.as_bytes()]);
        }
        self.mac(&parts)
    }

    /// The MAC of these parts, each bound with its length.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac(&*self.mac_key, parts)
    }

    /// The file name of an item: tells nothing without the identity, and needs no index to be found.
    pub(crate) fn opaque_name(&self, id: &ItemId) -> String {
        let mac = self.mac(&[b"name", id.kind.as_str().as_bytes(), id.profile.as_str().as_bytes()]);
        let name: String = hex(&mac).chars().take(32).collect();
        format!("{name}.age")
    }

    /// Encrypts to the identity's recipient.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        encrypt_to(&self.key.to_public(), plain)
    }

    /// Decrypts what was encrypted to the identity's recipient; the error is in words.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        decrypt_with(&self.key, sealed).map_err(|error| problem_of(&error).to_owned())
    }
}

fn encrypt_to(recipient: &dyn age::Recipient, plain: &[u8]) -> Option<Vec<u8>> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient)).ok()?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).ok()?;
    writer.write_all(plain).ok()?;
    writer.finish().ok()?;
    Some(sealed)
}

fn decrypt_with(
    identity: &dyn age::Identity,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let mut reader = age::Decryptor::new(sealed)?.decrypt(std::iter::once(identity))?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

/// What is wrong with an age file. Not age's own words: those are looked up in translation files, which a
/// debug build reads from where age was built, and stops the program when it cannot.
fn problem_of(error: &age::DecryptError) -> &'static str {
    match error {
        age::DecryptError::NoMatchingKeys => "it is encrypted to another store",
        age::DecryptError::InvalidMac => "its header was changed",
        age::DecryptError::InvalidHeader | age::DecryptError::UnknownFormat => "it is no age file",
        age::DecryptError::ExcessiveWork { .. } => "its work factor is too high",
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
            "its content was changed"
        }
        age::DecryptError::Io(_) => "its content was changed, or ends too early",
        _ => "it cannot be decrypted",
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        // HMAC takes keys of any length (RFC 2104), so this arm is never taken.
        return [0; 32];
    };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
