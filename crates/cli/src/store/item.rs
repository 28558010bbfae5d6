//! What a store holds: items, their names, and what is known of them without their secrets.

use std::fmt;

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use zeroize::Zeroizing;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ItemKind {
    /// A long-lived access key: its secret half, as text. The id is in [`ItemInfo`].
    AccessKey,
    /// What an MFA device makes its codes from: the device's serial, a blank, and the seed in base32.
    TotpSeed,
    /// The 32 bytes that seal index and sessions. Its profile is `default`, and means nothing.
    CacheKey,
}

impl ItemKind {
    pub(crate) const ALL: [Self; 3] = [Self::AccessKey, Self::TotpSeed, Self::CacheKey];

    /// The kind of this name.
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

/// What is known of an item without showing its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemInfo {
    pub(crate) id: ItemId,
    /// When it was written.
    pub(crate) created: Timestamp,
    /// Of an access key: its id.
    pub(crate) access_key_id: Option<AccessKeyId>,
}

/// An item's secret and what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) info: ItemInfo,
    pub(crate) secret: Zeroizing<Vec<u8>>,
}
