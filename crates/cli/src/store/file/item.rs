//! The content of an item's file: JSON with the item's name, its creation time and a MAC.

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::super::{Item, ItemId, ItemInfo, ItemKind};
use super::identity::Identity;
use super::names::ItemFile;
use crate::sys::format_version::is_newer_json;

const VERSION: u32 = 1;

/// The form on disk. `secret` is hex, which has a known size and needs no escapes.
#[derive(Serialize, Deserialize)]
struct OnDisk {
    version: u32,
    kind: ItemKind,
    profile: String,
    /// Seconds since 1970.
    created: i64,
    access_key_id: Option<String>,
    secret: String,
    mac: String,
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Why the content of an item's file is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemError {
    /// A newer version of hatbox wrote it.
    #[error("it was written by a newer version of hatbox")]
    Newer,
    /// It does not have the form that hatbox writes.
    #[error("it is not in hatbox's form")]
    Form,
    /// The MAC is missing or wrong: someone else encrypted it to this store, or the file was renamed.
    #[error("it was not written by hatbox with this store's key, or is in another item's place")]
    Foreign,
}

fn mac(identity: &Identity, file: &str, disk: &OnDisk) -> String {
    hex::encode(identity.mac(&[
        b"item",
        file.as_bytes(),
        disk.kind.as_str().as_bytes(),
        disk.profile.as_bytes(),
        &disk.created.to_be_bytes(),
        disk.access_key_id.as_deref().unwrap_or_default().as_bytes(),
        disk.secret.as_bytes(),
    ]))
}

/// Renders `item` for the file named `file`.
pub(crate) fn render_item(identity: &Identity, file: &str, item: &Item) -> Zeroizing<Vec<u8>> {
    let mut disk = OnDisk {
        version: VERSION,
        kind: item.info.id.kind,
        profile: item.info.id.profile.as_str().to_owned(),
        created: item.info.created.as_second(),
        access_key_id: item.info.access_key_id.as_ref().map(|id| id.as_str().to_owned()),
        secret: hex::encode(&item.secret),
        mac: String::new(),
    };
    disk.mac = mac(identity, file, &disk);
    // Serializing a struct of strings and numbers cannot fail. Security: reserved in full, as a buffer that grows
    // leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(disk.secret.len() + 1024));
    serde_json::to_writer(&mut *text, &disk).ok();
    text
}

/// Parses the content of the file named `file`.
pub(crate) fn parse_item(identity: &Identity, file: &str, plain: &[u8]) -> Result<Item, ItemError> {
    if is_newer_json(plain, VERSION.into()) {
        return Err(ItemError::Newer);
    }
    let disk: OnDisk = serde_json::from_slice(plain).map_err(|_| ItemError::Form)?;
    if disk.version != VERSION {
        return Err(ItemError::Form);
    }
    if !bool::from(mac(identity, file, &disk).as_bytes().ct_eq(disk.mac.as_bytes())) {
        return Err(ItemError::Foreign);
    }
    let profile = ProfileName::parse(&disk.profile).map_err(|_| ItemError::Form)?;
    let id = ItemId { kind: disk.kind, profile };
    if ItemFile::parse(file).is_none_or(|about| about.name != identity.opaque_name(&id)) {
        return Err(ItemError::Foreign);
    }
    let access_key_id =
        disk.access_key_id.as_deref().map(AccessKeyId::parse).transpose().map_err(|_| ItemError::Form)?;
    let created = Timestamp::from_second(disk.created).map_err(|_| ItemError::Form)?;
    let secret = parse_hex(&disk.secret).ok_or(ItemError::Form)?;
    Ok(Item { info: ItemInfo { id, created, access_key_id }, secret })
}

fn parse_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Security: a buffer of the right length, as one that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let id = ItemId::access_key(&ProfileName::parse("a").unwrap());
        Item {
            info: ItemInfo {
                id,
                created: Timestamp::from_second(1_700_000_000).unwrap(),
                access_key_id: None,
            },
            secret: Zeroizing::new(b"secret".to_vec()),
        }
    }

    #[test]
    fn an_item_that_another_wrote_to_our_recipient_is_refused() {
        let (ours, theirs) = (Identity::generate(), Identity::generate());
        let item = item();
        let file = format!("{}.1.age", ours.opaque_name(&item.info.id));
        let plain = render_item(&ours, &file, &item);
        assert_eq!(&*parse_item(&ours, &file, &plain).unwrap().secret, b"secret");
        // Anyone who knows the recipient can encrypt to it, but does not have the MAC key.
        let forged = render_item(&theirs, &file, &item);
        let sealed = ours.encrypt(&forged).unwrap();
        let opened = ours.decrypt(&sealed).unwrap();
        assert_eq!(parse_item(&ours, &file, &opened).unwrap_err(), ItemError::Foreign);
        assert_eq!(parse_item(&ours, "other.age", &plain).unwrap_err(), ItemError::Foreign);
        assert_eq!(parse_item(&ours, &file, b"{}").unwrap_err(), ItemError::Form);
        assert_eq!(parse_item(&ours, &file, b"{\"version\":2}").unwrap_err(), ItemError::Newer);
    }
}
