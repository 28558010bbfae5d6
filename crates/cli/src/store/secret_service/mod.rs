//! The `secret-service` backend: the desktop's keyring (GNOME Keyring, KWallet, KeePassXC), over D-Bus.
//!
//! Each item of hatbox is an item of the default collection, found by its attributes:
//!
//! | attribute | value |
//! |---|---|
//! | `application` | `hatbox` |
//! | `kind`, `profile` | the item's name |
//! | `created`, `access-key-id` | what `list` shows without reading a secret |
//!
//! The secret is the text of [`item_text`](super::item_text), as KWallet stores only UTF-8. It is encrypted on the bus
//! (`dh-ietf1024-sha256-aes128-cbc-pkcs7` of the Secret Service specification), so neither the bus nor its message
//! buffers contain it in plain text.
//!
//! Items are never changed: a write creates a new item and then deletes the older one. If hatbox is killed in between,
//! the newest item counts.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;
use secret_service::EncryptionType;
use secret_service::blocking::{Collection, Item as BusItem, SecretService};
use zbus::blocking::Connection;
use zeroize::Zeroizing;

use super::asker::{Asker, OwnPrompt, PassphraseError};
use super::item_text::{parse_item, render_item};
use super::{Item, ItemId, ItemInfo, ItemKind, Listed, Status, Store, StoreError, StoreKind};

mod bus;
mod failure;

pub(crate) use bus::{connect, within};
pub(crate) use failure::{Failed, classify};

const APPLICATION: (&str, &str) = ("application", "hatbox");
const KIND: StoreKind = StoreKind::SecretService;

/// The default collection of the user's session.
pub(crate) struct SecretServiceStore {
    /// How long the user may take to answer the desktop's prompt.
    patience: Duration,
    /// Kept even if it failed, so that a bus that does not answer is not tried again.
    connection: OnceCell<Result<Connection, Failed>>,
    service: OnceCell<SecretService<'static>>,
}

impl fmt::Debug for SecretServiceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretServiceStore").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl SecretServiceStore {
    /// Returns the store, without connecting. `patience` limits how long the user may take to answer the desktop's
    /// prompt.
    pub(crate) fn open(patience: Duration) -> Self {
        Self { patience, connection: OnceCell::new(), service: OnceCell::new() }
    }

    fn connection(&self) -> Result<&Connection, Failed> {
        self.connection.get_or_init(connect).as_ref().map_err(Failed::clone)
    }

    fn service(&self) -> Result<&SecretService<'static>, Failed> {
        if let Some(service) = self.service.get() {
            return Ok(service);
        }
        let connection = self.connection()?.clone();
        let service = SecretService::connect_with_existing(EncryptionType::Dh, connection)
            .map_err(|error| classify(&error))?;
        Ok(self.service.get_or_init(|| service))
    }

    /// Returns the default collection; `None` if there is none yet.
    fn collection(&self) -> Result<Option<Collection<'_>>, Failed> {
        match self.service()?.get_default_collection() {
            Ok(collection) => Ok(Some(collection)),
            Err(secret_service::Error::NoResult) => Ok(None),
            Err(error) => Err(classify(&error)),
        }
    }

    fn state(&self) -> Result<Status, Failed> {
        match self.collection()? {
            None => Ok(Status::Empty),
            Some(collection) if collection.is_locked().map_err(|e| classify(&e))? => Ok(Status::Locked),
            Some(_) => Ok(Status::Ready),
        }
    }

    /// Runs `work` on the default collection. [`StoreError::Absent`] if there is none.
    fn with_collection<T>(
        &self,
        work: impl FnOnce(&Collection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let collection = self.collection().map_err(Failed::into_error)?;
        work(&collection.ok_or(StoreError::Absent)?)
    }
}

impl Store for SecretServiceStore {
    fn kind(&self) -> StoreKind {
        KIND
    }

    fn status(&self) -> Status {
        match self.state() {
            Ok(status) => status,
            Err(failed) => Status::Unavailable(failed.to_string()),
        }
    }

    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        let status = self.state().map_err(Failed::into_error)?;
        if status == Status::Ready {
            return Ok(());
        }
        asker.may_prompt(OwnPrompt::Desktop).map_err(|error| StoreError::Locked(KIND, error))?;
        let connection = self.connection().map_err(Failed::into_error)?.clone();
        let answered = within(self.patience, move || {
            let service = SecretService::connect_with_existing(EncryptionType::Plain, connection)?;
            match service.get_default_collection() {
                Ok(collection) => collection.unlock(),
                Err(secret_service::Error::NoResult) => {
                    service.create_collection("Default keyring", "default").map(drop)
                }
                Err(error) => Err(error),
            }
        });
        match answered {
            None => return Err(StoreError::Locked(KIND, PassphraseError::TimedOut)),
            Some(Err(error)) => return Err(error_of(&error)),
            Some(Ok(())) => {}
        }
        match self.state().map_err(Failed::into_error)? {
            Status::Ready => Ok(()),
            // If the prompt cannot be shown, some services complete it as if the user had answered.
            _ => Err(Failed::Refused.into_error()),
        }
    }

    /// Drops the session with the service. The collection stays unlocked, as it belongs to the desktop and other
    /// programs use it.
    fn lock(&mut self) {
        self.service.take();
    }

    fn list(&self) -> Result<Listed, StoreError> {
        let listed = self.with_collection(|collection| {
            let (mut items, mut broken) = (Vec::<ItemInfo>::new(), Vec::new());
            for item in search(collection, &[APPLICATION])? {
                match attributes_of(&item) {
                    Ok(Ok(info)) => items.push(info),
                    Ok(Err(error)) => broken.push(error),
                    // It was deleted after it was found.
                    Err(StoreError::Absent) => {}
                    Err(error) => return Err(error),
                }
            }
            // If there are two versions of an item, the newest counts.
            items.sort_by(|a, b| a.id.cmp(&b.id).then(b.created.cmp(&a.created)));
            items.dedup_by(|later, earlier| later.id == earlier.id);
            Ok((items, broken))
        });
        match listed {
            Err(StoreError::Absent) => Ok((Vec::new(), Vec::new())),
            listed => listed,
        }
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        self.with_collection(|collection| {
            let item = newest(search(collection, &name_of(id))?)?;
            let secret = Zeroizing::new(item.get_secret().map_err(|error| error_of(&error))?);
            let text = std::str::from_utf8(&secret).map_err(|_| broken(id, "it is not UTF-8"))?;
            parse_item(id, text).map_err(|problem| problem.into_store_error(KIND, shown(id)))
        })
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let ItemInfo { id, created, access_key_id } = &item.info;
        let created = created.to_string();
        let mut attributes = HashMap::from(name_of(id));
        attributes.insert("created", &created);
        if let Some(key_id) = access_key_id {
            attributes.insert("access-key-id", key_id.as_str());
        }
        let label = match id.kind {
            ItemKind::AccessKey => format!("hatbox: access key of {}", id.profile),
            ItemKind::TotpSeed => format!("hatbox: TOTP seed of {}", id.profile),
            ItemKind::CacheKey => "hatbox: key of the session cache".to_owned(),
        };
        let text = render_item(item);
        self.with_collection(|collection| {
            let older = search(collection, &name_of(id))?;
            let written = collection
                .create_item(&label, attributes, text.as_bytes(), false, "text/plain; charset=utf8")
                .map_err(|error| error_of(&error))?;
            for item in older.iter().filter(|item| **item != written) {
                delete(item)?;
            }
            Ok(())
        })
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        self.with_collection(|collection| {
            let items = search(collection, &name_of(id))?;
            if items.is_empty() {
                return Err(StoreError::Absent);
            }
            items.iter().try_for_each(delete)
        })
    }

    fn generation(&self) -> Option<u64> {
        None
    }
}

fn name_of(id: &ItemId) -> [(&'static str, &str); 3] {
    [APPLICATION, ("kind", id.kind.as_str()), ("profile", id.profile.as_str())]
}

fn search<'a>(
    collection: &'a Collection<'_>,
    attributes: &[(&str, &str)],
) -> Result<Vec<BusItem<'a>>, StoreError> {
    collection.search_items(attributes.iter().copied().collect()).map_err(|error| error_of(&error))
}

/// Reads an item's attributes. The inner error concerns only this item.
fn attributes_of(item: &BusItem<'_>) -> Result<Result<ItemInfo, StoreError>, StoreError> {
    let attributes = item.get_attributes().map_err(|error| error_of(&error))?;
    Ok(parse_attributes(&attributes).ok_or_else(|| StoreError::Broken {
        kind: KIND,
        what: format!("the item `{}`", item.item_path.as_str()),
        problem: "its attributes are not what hatbox wrote".to_owned(),
    }))
}

fn parse_attributes(attributes: &HashMap<String, String>) -> Option<ItemInfo> {
    let kind = ItemKind::parse(attributes.get("kind")?)?;
    let profile = ProfileName::parse(attributes.get("profile")?).ok()?;
    let access_key_id = match attributes.get("access-key-id") {
        Some(id) => Some(AccessKeyId::parse(id).ok()?),
        None if kind == ItemKind::AccessKey => return None,
        None => None,
    };
    let created: Timestamp = attributes.get("created")?.parse().ok()?;
    Some(ItemInfo { id: ItemId { kind, profile }, created, access_key_id })
}

/// Returns the item that was written last, of those with the same name.
fn newest(mut items: Vec<BusItem<'_>>) -> Result<BusItem<'_>, StoreError> {
    if items.len() > 1 {
        items.sort_by_cached_key(|item| {
            attributes_of(item).ok().and_then(Result::ok).map(|info| info.created)
        });
    }
    items.pop().ok_or(StoreError::Absent)
}

/// Deletes an item. It is not an error if it was already deleted.
fn delete(item: &BusItem<'_>) -> Result<(), StoreError> {
    match item.delete().map_err(|error| error_of(&error)) {
        Err(StoreError::Absent) => Ok(()),
        result => result,
    }
}

fn broken(id: &ItemId, problem: &str) -> StoreError {
    StoreError::Broken { kind: KIND, what: shown(id), problem: problem.to_owned() }
}

fn shown(id: &ItemId) -> String {
    format!("the item of profile `{}`", id.profile)
}

fn error_of(error: &secret_service::Error) -> StoreError {
    classify(error).into_error()
}
