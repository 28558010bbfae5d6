//! Remembers the sign-ins, so that `hatbox sso logout` can end them even if they are no longer in the config.
//!
//! The list is sealed beside the tokens. It identifies the sign-ins and contains no token.

use hatbox_core::config::profile::{Origin, Sourced, Sso, SsoUrls};
use hatbox_core::sso::sign_in::resolve_sign_in_key;
use hatbox_types::name::Region;
use serde::{Deserialize, Serialize};

use super::sign_in::{SignIn, name_of};
use crate::store::sign_ins::SignIns;
use crate::sys::files::FileError;
use crate::sys::lock;
use crate::world::World;

/// More than anyone needs; the oldest entries are dropped first.
const MOST: usize = 100;

/// The format on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remembered {
    session: Option<String>,
    start_url: String,
    region: String,
    scopes: Vec<String>,
    oidc_url: Option<String>,
    portal_url: Option<String>,
}

impl Remembered {
    fn of(sso: &Sso) -> Self {
        Self {
            session: sso.session.clone(),
            start_url: sso.start_url.value.clone(),
            region: sso.region.as_str().to_owned(),
            scopes: sso.registration_scopes.clone(),
            oidc_url: sso.urls.oidc.clone(),
            portal_url: sso.urls.portal.clone(),
        }
    }

    /// Returns `None` if the region is invalid.
    fn into_sso(self) -> Option<Sso> {
        Some(Sso {
            session: self.session,
            start_url: Sourced { value: self.start_url, origin: Origin::Default },
            region: Region::parse(&self.region).ok()?,
            account_id: None,
            role_name: None,
            registration_scopes: self.scopes,
            use_device_code: false,
            urls: Box::new(SsoUrls { oidc: self.oidc_url, portal: self.portal_url }),
        })
    }
}

/// Loads the sign-ins that have not been signed out. A damaged list counts as empty.
pub(super) fn load_remembered(files: &SignIns) -> Result<Vec<Sso>, FileError> {
    Ok(load(files)?.into_iter().filter_map(Remembered::into_sso).collect())
}

fn load(files: &SignIns) -> Result<Vec<Remembered>, FileError> {
    Ok(serde_json::from_slice(&files.load_list()?).unwrap_or_default())
}

/// Whether `name` is the session's name, or the start URL if there is no session.
pub(super) fn is_named(sso: &Sso, name: &str) -> bool {
    name_of(sso) == name
}

impl SignIn {
    /// Adds this sign-in to the list.
    pub(super) fn remember(&self) {
        let result = change(&self.world, &self.files, |list| {
            let new = Remembered::of(&self.sso);
            if list.contains(&new) {
                return false;
            }
            list.push(new);
            let surplus = list.len().saturating_sub(MOST);
            list.drain(..surplus);
            true
        });
        if let Err(error) = result {
            self.world.output.debug(|| format!("the list of sign-ins is not saved: {error}"));
        }
    }

    /// Removes this sign-in from the list.
    pub(super) fn unremember(&self) -> Result<(), FileError> {
        change(&self.world, &self.files, |list| {
            let before = list.len();
            let is_it = |one: &Remembered| {
                one.clone().into_sso().is_some_and(|sso| resolve_sign_in_key(&sso) == self.key)
            };
            list.retain(|one| !is_it(one));
            list.len() != before
        })
    }
}

/// Reads the list, and writes it if `change` modified it.
fn change(
    world: &World,
    files: &SignIns,
    change: impl FnOnce(&mut Vec<Remembered>) -> bool,
) -> Result<(), FileError> {
    let _held = lock::hold(&world.dirs.locks().join("sso-list.lock"))?;
    let mut list = load(files)?;
    if !change(&mut list) {
        return Ok(());
    }
    let text = if list.is_empty() { Vec::new() } else { serde_json::to_vec(&list).unwrap_or_default() };
    files.save_list(&text)
}
