//! What a store contains: items, their names, and their metadata.

use std::fmt;

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use zeroize::Zeroizing;

/// The kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ItemKind {
    /// The secret half of a long-lived access key, as text. The id is in [`ItemInfo`].
    AccessKey,
    /// The TOTP secret of an MFA device: the device's serial, a space, and the seed in base32.
    TotpSeed,
    /// The 32 bytes that seal the index and the sessions. Its profile is always `default`, which has no meaning.
    CacheKey,
}

impl ItemKind {
    pub(crate) const ALL: [Self; 3] = [Self::AccessKey, Self::TotpSeed, Self::CacheKey];

    /// Returns the kind of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::TotpSeed => "totp-seed",
            Self::CacheKey => "cache-key",
        }
    }
}

/// The name of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId {
    pub(crate) kind: ItemKind,
    pub(crate) profile: ProfileName,
}

impl ItemId {
    pub(crate) fn access_key(profile: &ProfileName) -> Self {
        Self { kind: ItemKind::AccessKey, profile: profile.clone() }
    }

    pub(crate) fn totp_seed(profile: &ProfileName) -> Self {
        Self { kind: ItemKind::TotpSeed, profile: profile.clone() }
    }

    pub(crate) fn cache_key() -> Self {
        Self { kind: ItemKind::CacheKey, profile: ProfileName::default_profile() }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ItemKind::AccessKey => write!(f, "the access key of `{}`", self.profile),
            ItemKind::TotpSeed => write!(f, "the TOTP seed of `{}`", self.profile),
            ItemKind::CacheKey => f.write_str("the cache key"),
        }
    }
}

/// The metadata of an item, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemInfo {
    pub(crate) id: ItemId,
    /// When the item was written.
    pub(crate) created: Timestamp,
    /// The id of an access key; `None` for other kinds.
    pub(crate) access_key_id: Option<AccessKeyId>,
}

/// An item's secret and its metadata.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) info: ItemInfo,
    pub(crate) secret: Zeroizing<Vec<u8>>,
}
