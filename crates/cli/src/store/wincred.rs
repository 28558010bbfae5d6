//! The `wincred` backend: generic credentials in the Windows Credential Manager.
//!
//! ```text
//! hatbox:access-key:jan    the item as text (see `item_text`); stays on this machine
//! ```
//!
//! Names in Windows are not case-sensitive, but profile names are: every character except lower-case letters, digits
//! and `-_./@+` is written as `%` and two hexadecimal digits per byte.

use zeroize::Zeroizing;

use super::asker::Asker;
use super::item_text::{ItemTextError, parse_any_item, parse_item, render_item};
use super::os_code::meaning_of_last_error;
use super::{Item, ItemId, Listed, Status, Store, StoreError, StoreKind, cause};
use crate::sys::credentials::{self, Code, LIMIT};

/// The user's credentials whose names have this prefix.
#[derive(Debug)]
pub(crate) struct WincredStore {
    prefix: String,
    is_open: bool,
}

impl WincredStore {
    /// Returns the user's store.
    pub(crate) fn open() -> Self {
        Self::with_prefix("hatbox")
    }

    pub(super) fn with_prefix(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}:"), is_open: false }
    }

    fn name_of(&self, id: &ItemId) -> String {
        let mut name = format!("{}{}:", self.prefix, id.kind.as_str());
        for byte in id.profile.as_str().bytes() {
            if byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./@+".contains(&byte) {
                name.push(char::from(byte));
            } else {
                name.push_str(&percent_encoding::percent_encode_byte(byte).to_ascii_lowercase());
            }
        }
        name
    }
}

fn error_of(Code(code): Code, name: &str) -> StoreError {
    let said = std::io::Error::from_raw_os_error(code.cast_signed()).to_string();
    meaning_of_last_error(code).error(StoreKind::Wincred, &format!("`{name}`"), said)
}

fn broken(name: &str, problem: &str) -> StoreError {
    StoreError::Broken { kind: StoreKind::Wincred, what: shown(name), problem: problem.to_owned() }
}

fn shown(name: &str) -> String {
    format!("`{name}`")
}

impl Store for WincredStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Wincred
    }

    fn status(&self) -> Status {
        if self.is_open {
            return Status::Ready;
        }
        match credentials::list(&self.prefix).map_err(|code| error_of(code, &self.prefix)) {
            Ok(_) => Status::Ready,
            Err(StoreError::Absent) => Status::Empty,
            Err(error) => Status::Unavailable(match std::error::Error::source(&error) {
                Some(source) => source.to_string(),
                None => error.to_string(),
            }),
        }
    }

    /// Windows unlocks it at logon, so there is no prompt.
    fn unlock(&mut self, _asker: &mut dyn Asker) -> Result<(), StoreError> {
        match credentials::list(&self.prefix).map_err(|code| error_of(code, &self.prefix)) {
            Ok(_) | Err(StoreError::Absent) => {
                self.is_open = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn lock(&mut self) {
        self.is_open = false;
    }

    fn list(&self) -> Result<Listed, StoreError> {
        let found = match credentials::list(&self.prefix).map_err(|code| error_of(code, &self.prefix)) {
            Ok(found) => found,
            Err(StoreError::Absent) => Vec::new(),
            Err(error) => return Err(error),
        };
        let (mut items, mut problems) = (Vec::new(), Vec::new());
        for (name, secret) in found {
            let text = std::str::from_utf8(&secret).map_err(|_| ItemTextError::Damaged("it is not text"));
            let item = text.and_then(parse_any_item);
            match item {
                // Windows keeps the case in which a name was first written.
                Ok(item) if self.name_of(&item.info.id).eq_ignore_ascii_case(&name) => items.push(item.info),
                Ok(_) => problems.push(broken(&name, "it belongs to another item")),
                Err(problem) => match problem.into_store_error(StoreKind::Wincred, shown(&name)) {
                    newer @ StoreError::Newer { .. } => return Err(newer),
                    damaged => problems.push(damaged),
                },
            }
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((items, problems))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        let name = self.name_of(id);
        let secret: Zeroizing<Vec<u8>> = credentials::read(&name).map_err(|code| error_of(code, &name))?;
        let text = std::str::from_utf8(&secret).map_err(|_| broken(&name, "it is not text"))?;
        parse_item(id, text).map_err(|problem| problem.into_store_error(StoreKind::Wincred, shown(&name)))
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let (name, text) = (self.name_of(&item.info.id), render_item(item));
        if text.len() > LIMIT {
            return Err(StoreError::Unavailable {
                kind: StoreKind::Wincred,
                source: cause(format!(
                    "the item has {} bytes, and Windows keeps {LIMIT} at most",
                    text.len()
                )),
                hint: Some("hatbox store use file".to_owned()),
            });
        }
        let comment = format!("{} of profile {}", item.info.id.kind.as_str(), item.info.id.profile);
        credentials::write(&name, "hatbox", &comment, text.as_bytes()).map_err(|code| error_of(code, &name))
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        let name = self.name_of(id);
        credentials::delete(&name).map_err(|code| error_of(code, &name))
    }

    /// The Credential Manager has no change counter.
    fn generation(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{check_contract, item};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// One test at a time: Wine counts the credentials first and then reads that many, even if their number has
    /// changed.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    /// The credentials of one test, deleted when it ends.
    struct Own(WincredStore, #[expect(dead_code, reason = "held until the end")] MutexGuard<'static, ()>);

    impl Own {
        fn of(test: &str) -> Self {
            let held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            let prefix = format!("hatbox-test-{}-{test}", std::process::id());
            let own = Self(WincredStore::with_prefix(&prefix), held);
            // Left over from a killed run whose process had the same id.
            own.clear();
            own
        }

        fn clear(&self) {
            for (name, _) in credentials::list(&self.0.prefix).unwrap_or_default() {
                credentials::delete(&name).ok();
            }
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            self.clear();
        }
    }

    #[test]
    fn the_wincred_store_keeps_the_contract() {
        let mut own = Own::of("contract");
        assert_eq!(own.0.status(), Status::Empty);
        check_contract(&mut own.0);
        own.0.lock();
        assert_eq!(own.0.status(), Status::Ready, "there are items, and nothing to ask for");
    }

    #[test]
    fn profiles_that_differ_in_case_or_in_letters_of_other_languages_are_kept_apart() {
        let own = Own::of("case");
        let profiles = ["dev", "Dev", "DEV", "d%65v", "dév", "dÉv", "team/b c", "a*"];
        for profile in profiles {
            own.0.write(&item(profile, profile.as_bytes())).unwrap();
        }
        for profile in profiles {
            let read = own.0.read(&item(profile, b"x").info.id).unwrap();
            assert_eq!(&*read.secret, profile.as_bytes());
        }
        assert_eq!(own.0.list().unwrap().0.len(), profiles.len());
    }

    #[test]
    fn an_item_that_is_too_long_is_refused_and_one_of_the_most_bytes_is_not() {
        let own = Own::of("long");
        let overhead = render_item(&item("a", b"")).len();
        let longest = item("a", &vec![b'x'; LIMIT - overhead]);
        own.0.write(&longest).unwrap();
        assert_eq!(own.0.read(&longest.info.id).unwrap().secret, longest.secret);
        let error = own.0.write(&item("a", &vec![b'x'; LIMIT - overhead + 1])).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert_eq!(own.0.read(&longest.info.id).unwrap().secret, longest.secret, "the earlier one stays");
    }

    #[test]
    fn a_foreign_or_moved_item_is_named_and_the_others_work() {
        let own = Own::of("foreign");
        let (a, b) = (item("a", b"1"), item("b", b"2"));
        own.0.write(&a).unwrap();
        let moved = own.0.name_of(&b.info.id);
        credentials::write(&moved, "x", "", render_item(&a).as_bytes()).unwrap();
        credentials::write(&format!("{}other", own.0.prefix), "x", "", &[0xff, 0]).unwrap();
        let (items, problems) = own.0.list().unwrap();
        assert_eq!((items, problems.len()), (vec![a.info.clone()], 2));
        assert!(matches!(own.0.read(&b.info.id), Err(StoreError::Broken { .. })));
        assert_eq!(own.0.read(&a.info.id).unwrap().secret, a.secret);
    }
}
