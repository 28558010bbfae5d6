//! An item as one line of JSON, for stores that keep text.
//!
//! ```json
//! {"version":1,"kind":"access-key","profile":"jan","created":"2026-01-02T03:04:05Z","access_key_id":"AKIA...","secret":"..."}
//! ```
//!
//! The kind and the profile are also inside the value: an item that was copied to another name is rejected, rather than
//! used for the wrong profile. The secret of a cache key is in hexadecimal digits.

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Item, ItemId, ItemInfo, ItemKind, StoreError, StoreKind};
use crate::sys::format_version::is_newer_json;

const VERSION: u32 = 1;

/// Limit in bytes: far more than an item needs, as a hostile store may return anything.
pub(crate) const TEXT_LIMIT: usize = 64 << 10;

/// Why a text is not a valid item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemTextError {
    /// A newer version of hatbox wrote it.
    #[error("it was written by a newer version of hatbox")]
    Newer,
    /// What is wrong with the text, without quoting it.
    #[error("{0}")]
    Damaged(&'static str),
}

impl ItemTextError {
    /// Converts it into an error of the store that returned the text. `what` is the item's name there.
    pub(crate) fn into_store_error(self, kind: StoreKind, what: String) -> StoreError {
        match self {
            Self::Newer => StoreError::Newer { kind, what },
            Self::Damaged(problem) => StoreError::Broken { kind, what, problem: problem.to_owned() },
        }
    }
}

fn damaged(problem: &'static str) -> ItemTextError {
    ItemTextError::Damaged(problem)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    kind: ItemKind,
    profile: String,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    secret: String,
}

impl Drop for Text {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Renders the item as text, without a line end.
pub(crate) fn render_item(item: &Item) -> Zeroizing<String> {
    let secret = match item.info.id.kind {
        ItemKind::AccessKey | ItemKind::TotpSeed => String::from_utf8_lossy(&item.secret).into_owned(),
        ItemKind::CacheKey => hex::encode(&item.secret),
    };
    let text = Text {
        version: VERSION,
        kind: item.info.id.kind,
        profile: item.info.id.profile.as_str().to_owned(),
        created: item.info.created,
        access_key_id: item.info.access_key_id.as_ref().map(|id| id.as_str().to_owned()),
        secret,
    };
    // Security: reserved in full, as a buffer that grows leaves copies behind.
    let mut buffer = Vec::with_capacity(512 + text.profile.len() * 6 + text.secret.len() * 6);
    // Serializing a struct of strings into memory cannot fail.
    serde_json::to_writer(&mut buffer, &text).ok();
    Zeroizing::new(String::from_utf8(buffer).unwrap_or_default())
}

/// Parses `text`, which must be the item of this name.
///
/// # Errors
/// What is wrong with the text, without quoting it.
pub(crate) fn parse_item(id: &ItemId, text: &str) -> Result<Item, ItemTextError> {
    let item = parse_any_item(text)?;
    if item.info.id == *id { Ok(item) } else { Err(damaged("it belongs to another item")) }
}

/// Parses `text` as an item of any name.
///
/// # Errors
/// What is wrong with the text, without quoting it.
pub(crate) fn parse_any_item(text: &str) -> Result<Item, ItemTextError> {
    if text.len() > TEXT_LIMIT {
        return Err(damaged("it is too long for an item"));
    }
    let text: Text = serde_json::from_str(text.trim_end()).map_err(|_| {
        // A later version may have other fields.
        let is_newer = is_newer_json(text.as_bytes(), VERSION.into());
        if is_newer { ItemTextError::Newer } else { damaged("it is not what hatbox wrote") }
    })?;
    if text.version > VERSION {
        return Err(ItemTextError::Newer);
    }
    let profile = ProfileName::parse(&text.profile).map_err(|_| damaged("it names no profile"))?;
    let access_key_id = match &text.access_key_id {
        None => None,
        Some(id) => Some(AccessKeyId::parse(id).map_err(|_| damaged("its access key id is invalid"))?),
    };
    let secret = match text.kind {
        ItemKind::AccessKey if access_key_id.is_none() => return Err(damaged("it has no access key id")),
        ItemKind::AccessKey | ItemKind::TotpSeed => Zeroizing::new(text.secret.as_bytes().to_vec()),
        ItemKind::CacheKey => of_hex(&text.secret).ok_or(damaged("its key is not in hexadecimal digits"))?,
    };
    if secret.is_empty() {
        return Err(damaged("its secret is empty"));
    }
    let id = ItemId { kind: text.kind, profile };
    Ok(Item { info: ItemInfo { id, created: text.created, access_key_id }, secret })
}

fn of_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Security: a buffer of the right length, as one that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Item {
        Item {
            info: ItemInfo {
                id: ItemId::access_key(&ProfileName::parse("team/\"b\" ü").unwrap()),
                created: Timestamp::from_second(1_700_000_000).unwrap(),
                access_key_id: Some(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap()),
            },
            secret: Zeroizing::new(b"wJalr\"\\/+".to_vec()),
        }
    }

    #[test]
    fn an_item_comes_back_as_it_was_and_only_under_its_own_name() {
        let cache_key = Item {
            info: ItemInfo { id: ItemId::cache_key(), access_key_id: None, ..key().info },
            secret: Zeroizing::new((0..32).collect()),
        };
        let seed = Item {
            info: ItemInfo {
                id: ItemId::totp_seed(&key().info.id.profile),
                access_key_id: None,
                ..key().info
            },
            secret: Zeroizing::new(b"GAHT12345678 GEZDGNBVGY3TQOJQ".to_vec()),
        };
        for item in [key(), seed, cache_key] {
            let text = render_item(&item);
            assert!(!text.contains('\n'));
            let read = parse_item(&item.info.id, &text).unwrap();
            assert_eq!((read.info, read.secret), (item.info, item.secret));
        }
        let other = ItemId::access_key(&ProfileName::parse("other").unwrap());
        assert_eq!(
            parse_item(&other, &render_item(&key())).unwrap_err(),
            damaged("it belongs to another item")
        );
    }

    #[test]
    fn what_hatbox_did_not_write_is_refused_in_words_that_hold_none_of_it() {
        let right = render_item(&key());
        let cases = [
            ("", "it is not what hatbox wrote"),
            ("{}", "it is not what hatbox wrote"),
            (&right[..right.len() / 2], "it is not what hatbox wrote"),
            (&right.replace("AKIAIOSFODNN7EXAMPLE", "no id"), "its access key id is invalid"),
            (&right.replace("wJalr\\\"\\\\/+", ""), "its secret is empty"),
            (&right.replace("access-key", "cache-key"), "its key is not in hexadecimal digits"),
            (&"x".repeat(TEXT_LIMIT + 1), "it is too long for an item"),
        ];
        for (text, problem) in cases {
            assert_eq!(parse_any_item(text).unwrap_err(), damaged(problem));
        }
        for newer in ["\"version\":2", "\"version\":2,\"more\":true"] {
            let text = right.replace("\"version\":1", newer);
            assert_eq!(parse_any_item(&text).unwrap_err(), ItemTextError::Newer);
        }
    }
}
