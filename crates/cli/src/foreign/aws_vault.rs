//! The `file` backend of aws-vault: a directory with one JWE for each item. granted and aws-sso-cli keep theirs in
//! the same form.
//!
//! | item's name | what it is |
//! |---|---|
//! | `<profile>` | a long-lived access key: the only kind that is imported |
//! | `<type>,<profile>,<mfa serial>,<expiry>` | a session |
//! | `session,...`, `<profile> session (...)` | a session of an older aws-vault |
//! | `oidc:<start url>` | a token of Identity Center |
//!
//! The file's name is the item's, with `%` and two digits for `/` and `%`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hatbox_core::name::ProfileName;
use hatbox_core::secret::{AccessKey, SecretString};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::jwe::{self, JweError};

/// Far more than an item needs.
const LIMIT: u64 = 64 << 10;

/// A file that by its name holds a long-lived key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFile {
    pub(crate) profile: ProfileName,
    pub(crate) path: PathBuf,
}

/// What a file held.
#[derive(Debug)]
pub(crate) enum FoundKey {
    Key(AccessKey),
    /// With a session token: it ends by itself, and is not taken over.
    Temporary,
}

/// Why a file gives no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    #[error("{0}")]
    Form(&'static str),
}

#[derive(Deserialize)]
struct ItemText {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Data")]
    data: String,
}

#[derive(Deserialize)]
struct KeyText {
    #[serde(rename = "AccessKeyID")]
    id: String,
    #[serde(rename = "SecretAccessKey")]
    secret: String,
    #[serde(rename = "SessionToken", default)]
    token: String,
}

impl Drop for ItemText {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl Drop for KeyText {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.token.zeroize();
    }
}

/// The files in `directory` that by their names hold long-lived keys, sorted by profile.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn key_files_in(directory: &Path) -> io::Result<Vec<KeyFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Some(profile) = name.to_str().and_then(unescape).filter(|name| is_key(name))
            && let Ok(profile) = ProfileName::parse(&profile)
        {
            files.push(KeyFile { profile, path: entry.path() });
        }
    }
    files.sort_by(|a, b| a.profile.cmp(&b.profile));
    Ok(files)
}

/// Whether an item of this name is a long-lived key.
fn is_key(name: &str) -> bool {
    let is_session = name.split(',').count() == 4
        || name.starts_with("session,")
        || name.starts_with("oidc:")
        || (name.ends_with(')') && name.contains(" session ("));
    !is_session && !name.starts_with('.')
}

/// `team%2Fdev` as `team/dev`; `None` when a `%` stands before anything but two digits.
fn unescape(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Opens a file.
///
/// # Errors
/// Also when it holds the item of another name: aws-vault would take it for this one's.
pub(crate) fn read_key(file: &KeyFile, passphrase: &SecretString) -> Result<FoundKey, ReadError> {
    let about = fs::metadata(&file.path).map_err(ReadError::Io)?;
    if about.len() > LIMIT {
        return Err(ReadError::Form("it is longer than an item of aws-vault's"));
    }
    let text = fs::read_to_string(&file.path).map_err(ReadError::Io)?;
    let plain = jwe::open(&text, passphrase).map_err(|error| match error {
        JweError::WrongPassphrase => ReadError::WrongPassphrase,
        JweError::Form(what) => ReadError::Form(what),
    })?;
    parse_item(&file.profile, &plain).map_err(ReadError::Form)
}

fn parse_item(profile: &ProfileName, plain: &[u8]) -> Result<FoundKey, &'static str> {
    let item: ItemText = serde_json::from_slice(plain).map_err(|_| "it holds no item of aws-vault's")?;
    if item.key != profile.as_str() {
        return Err("it holds the key of another profile than its name says");
    }
    let data = STANDARD.decode(&item.data).map(Zeroizing::new).map_err(|_| "its key is not base64")?;
    let key: KeyText = serde_json::from_slice(&data).map_err(|_| "it holds no access key")?;
    if !key.token.is_empty() {
        return Ok(FoundKey::Temporary);
    }
    AccessKey::parse(&key.id, &key.secret)
        .map(FoundKey::Key)
        .map_err(|_| "its access key has not the form of one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lived_keys_count_as_keys() {
        for name in ["jan", "team/dev", "a,b", "50%", "my prof"] {
            assert!(is_key(name), "{name}");
        }
        for name in [
            "sts.GetSessionToken,amFu,YXJu,1600000000",
            "sso.GetRoleCredentials,amFu,,1600000000",
            "session,amFu,,1600000000",
            "jan session (61646d696e)",
            "oidc:https://corp.awsapps.com/start",
            ".hidden",
        ] {
            assert!(!is_key(name), "{name}");
        }
        assert_eq!(unescape("team%2Fdev%25").as_deref(), Some("team/dev%"));
        assert_eq!((unescape("a%2"), unescape("a%zz"), unescape("%ff")), (None, None, None));
    }

    #[test]
    fn an_item_is_the_profile_s_own_and_holds_a_key_or_is_refused() {
        let item = |key: &str, data: &str| {
            serde_json::json!({ "Key": key, "Data": STANDARD.encode(data), "Label": "x" }).to_string()
        };
        let jan = ProfileName::parse("jan").unwrap();
        let good = r#"{"AccessKeyID":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","SessionToken":"","CanExpire":false}"#;
        let Ok(FoundKey::Key(key)) = parse_item(&jan, item("jan", good).as_bytes()) else {
            panic!("it is a key")
        };
        assert_eq!((key.id.as_str(), key.secret.expose()), ("AKIAIOSFODNN7EXAMPLE", "s"));
        let temporary = good.replace("\"SessionToken\":\"\"", "\"SessionToken\":\"t\"");
        assert!(matches!(parse_item(&jan, item("jan", &temporary).as_bytes()), Ok(FoundKey::Temporary)));
        for text in [
            item("other", good),
            item("jan", "{}"),
            item("jan", &good.replace("\"s\"", "\"\"")),
            item("jan", &good.replace("AKIAIOSFODNN7EXAMPLE", "no id")),
            "{\"Key\":\"jan\",\"Data\":\"*\"}".to_owned(),
            "[]".to_owned(),
        ] {
            assert!(parse_item(&jan, text.as_bytes()).is_err(), "{text}");
        }
    }
}
