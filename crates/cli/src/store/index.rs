//! The index: lists which profiles have an access key or a TOTP seed, without opening the store.
//!
//! It is a file sealed under the cache key. It is written after the item, under the store's lock, and contains the
//! store's generation. An index of another generation is stale, and is built again from the store.

use std::path::Path;

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sealed::CacheKey;
use super::{ItemId, ItemInfo, ItemKind};
use crate::sys::files::{FileError, Keep, read_private, write_atomic};
use crate::sys::format_version::is_newer_json;

const VERSION: u32 = 1;
const PURPOSE: &str = "index";
/// Room for about 100,000 keys.
const LIMIT: u64 = 16 << 20;

/// What the store contains, sorted by profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    /// The store's generation when the index was built.
    pub(crate) generation: u64,
    /// The access keys.
    pub(crate) keys: Vec<StoredKey>,
    /// The profiles with a TOTP seed, sorted.
    pub(crate) seeds: Vec<ProfileName>,
}

/// What is known about a stored access key without opening the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) profile: ProfileName,
    pub(crate) id: AccessKeyId,
    pub(crate) created: Timestamp,
}

impl StoredKey {
    fn of_item(item: &ItemInfo) -> Option<Self> {
        let id = item.access_key_id.clone().filter(|_| item.id.kind == ItemKind::AccessKey)?;
        Some(Self { profile: item.id.profile.clone(), id, created: item.created })
    }
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
struct OnDisk {
    version: u32,
    generation: u64,
    keys: Vec<(String, String, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seeds: Vec<String>,
}

impl Index {
    /// Builds the index of these items.
    pub(crate) fn of_items(generation: u64, items: &[ItemInfo]) -> Self {
        let mut keys: Vec<_> = items.iter().filter_map(StoredKey::of_item).collect();
        keys.sort_by(|a, b| a.profile.cmp(&b.profile));
        let seeds = items.iter().filter(|item| item.id.kind == ItemKind::TotpSeed);
        let mut seeds: Vec<_> = seeds.map(|item| item.id.profile.clone()).collect();
        seeds.sort();
        Self { generation, keys, seeds }
    }

    /// Records that an item was written.
    pub(crate) fn put(&mut self, item: &ItemInfo) {
        if item.id.kind == ItemKind::TotpSeed
            && let Err(at) = self.seeds.binary_search(&item.id.profile)
        {
            self.seeds.insert(at, item.id.profile.clone());
        }
        let Some(key) = StoredKey::of_item(item) else { return };
        match self.keys.binary_search_by(|other| other.profile.cmp(&key.profile)) {
            Ok(at) => {
                if let Some(old) = self.keys.get_mut(at) {
                    *old = key;
                }
            }
            Err(at) => self.keys.insert(at, key),
        }
    }

    /// Records that an item was deleted.
    pub(crate) fn take_off(&mut self, id: &ItemId) {
        match id.kind {
            ItemKind::AccessKey => self.keys.retain(|key| key.profile != id.profile),
            ItemKind::TotpSeed => self.seeds.retain(|profile| *profile != id.profile),
            ItemKind::CacheKey => {}
        }
    }

    /// Returns the key that is stored for a profile.
    pub(crate) fn find(&self, profile: &ProfileName) -> Option<&StoredKey> {
        let at = self.keys.binary_search_by(|key| key.profile.cmp(profile)).ok()?;
        self.keys.get(at)
    }
}

/// Loads the index at `path`. Returns `None` if there is none, or if this key does not open it. It can be built again
/// from the store, so nothing is lost.
///
/// # Errors
/// If other users can access the file, or a newer version of hatbox wrote it: the user has to look at it.
pub(crate) fn load_index(path: &Path, key: &CacheKey) -> Result<Option<Index>, FileError> {
    let sealed = match read_private(path, LIMIT) {
        Ok(sealed) => sealed,
        Err(FileError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(plain) = key.open_file(path, PURPOSE, &sealed)? else { return Ok(None) };
    match parse_index(&plain) {
        None if is_newer_json(&plain, VERSION.into()) => Err(FileError::newer(path)),
        parsed => Ok(parsed),
    }
}

pub(crate) fn parse_index(plain: &[u8]) -> Option<Index> {
    let on_disk: OnDisk = serde_json::from_slice(plain).ok()?;
    if on_disk.version != VERSION {
        return None;
    }
    let keys = on_disk
        .keys
        .into_iter()
        .map(|(profile, id, created)| {
            Some(StoredKey {
                profile: ProfileName::parse(&profile).ok()?,
                id: AccessKeyId::parse(&id).ok()?,
                created: Timestamp::from_second(created).ok()?,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let seeds = on_disk.seeds.iter().map(|name| ProfileName::parse(name).ok()).collect::<Option<Vec<_>>>()?;
    Some(Index { generation: on_disk.generation, keys, seeds })
}

/// Saves the index at `path`.
pub(crate) fn save_index(path: &Path, key: &CacheKey, index: &Index) -> Result<(), FileError> {
    let on_disk = OnDisk {
        version: VERSION,
        generation: index.generation,
        keys: index
            .keys
            .iter()
            .map(|k| (k.profile.as_str().to_owned(), k.id.as_str().to_owned(), k.created.as_second()))
            .collect(),
        seeds: index.seeds.iter().map(|profile| profile.as_str().to_owned()).collect(),
    };
    let sealed = serde_json::to_vec(&on_disk)
        .map_err(std::io::Error::other)
        .and_then(|plain| key.seal(PURPOSE, &plain).map_err(std::io::Error::other))
        .map_err(FileError::io("write", path))?;
    write_atomic(path, &sealed, Keep::Nothing)
}

#[cfg(test)]
mod tests {
    use super::super::ItemId;
    use super::*;

    fn info(profile: &str, id: &str) -> ItemInfo {
        ItemInfo {
            id: ItemId::access_key(&ProfileName::parse(profile).unwrap()),
            created: Timestamp::from_second(1_700_000_000).unwrap(),
            access_key_id: Some(AccessKeyId::parse(id).unwrap()),
        }
    }

    fn seed(profile: &str) -> ItemInfo {
        let id = ItemId::totp_seed(&ProfileName::parse(profile).unwrap());
        ItemInfo { id, access_key_id: None, ..info(profile, "AKIAAAAAAAAAAAAAAAAA") }
    }

    #[test]
    fn an_index_comes_back_as_it_was_saved_and_another_key_sees_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let key = CacheKey::generate().unwrap();
        let index = Index::of_items(
            7,
            &[info("b", "AKIABBBBBBBBBBBBBBBB"), info("a", "AKIAAAAAAAAAAAAAAAAA"), seed("c")],
        );
        save_index(&path, &key, &index).unwrap();
        assert_eq!(load_index(&path, &key).unwrap().unwrap(), index);
        assert_eq!(load_index(&path, &CacheKey::generate().unwrap()).unwrap(), None);
        assert_eq!(load_index(&dir.path().join("none"), &key).unwrap(), None);
        let found = index.find(&ProfileName::parse("b").unwrap()).unwrap();
        assert_eq!(found.id.as_str(), "AKIABBBBBBBBBBBBBBBB");
        assert!(index.find(&ProfileName::parse("c").unwrap()).is_none());
    }

    #[test]
    fn an_index_of_a_later_version_is_an_error_and_one_that_is_damaged_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let key = CacheKey::generate().unwrap();
        let write = |sealed: &[u8]| write_atomic(&path, sealed, Keep::Nothing).unwrap();
        write(&key.seal(PURPOSE, b"{\"version\":2,\"generation\":0,\"keys\":[]}").unwrap());
        assert!(matches!(load_index(&path, &key), Err(FileError::Newer(_))));
        write(b"hatbox-sealed-2\nwhatever");
        assert!(matches!(load_index(&path, &key), Err(FileError::Newer(_))));
        for damaged in [&b"hatbox-sealed-1\nshort"[..], b"hatbox-sealed-", b""] {
            write(damaged);
            assert_eq!(load_index(&path, &key).unwrap(), None);
        }
        write(&key.seal(PURPOSE, b"{\"version\":0}").unwrap());
        assert_eq!(load_index(&path, &key).unwrap(), None);
    }

    #[test]
    fn an_index_that_follows_the_changes_equals_a_rebuilt_one() {
        let (a, b) = (info("a", "AKIAAAAAAAAAAAAAAAAA"), info("b", "AKIABBBBBBBBBBBBBBBB"));
        let newer = info("a", "AKIACCCCCCCCCCCCCCCC");
        let cache_key = ItemInfo { id: ItemId::cache_key(), access_key_id: None, ..a.clone() };
        let mut index = Index::default();
        let (seed_a, seed_b) = (seed("a"), seed("b"));
        for item in [&b, &seed_b, &a, &cache_key, &seed_a, &newer, &seed_b] {
            index.put(item);
        }
        assert_eq!(index, Index::of_items(0, &[newer.clone(), b.clone(), seed_b.clone(), seed_a.clone()]));
        index.take_off(&b.id);
        index.take_off(&ItemId::cache_key());
        index.take_off(&seed_b.id);
        index.take_off(&ItemId::access_key(&ProfileName::parse("c").unwrap()));
        assert_eq!(index, Index::of_items(0, &[newer, seed_a]));
    }
}
