//! What `rotate` needs from a run: to make the plan again with the new key, and to delete the sessions of the old one.

use std::collections::BTreeSet;
use std::sync::MutexGuard;

use hatbox_core::cache::resolve_session_key;
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_core::plan::{Base, Plan, Purpose};
use hatbox_types::name::ProfileName;

use super::plan::{Planned, Planning};
use super::request::resolve_session;
use super::run::PlanRun;
use crate::args::{GlobalArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::errors::Failure;
use crate::keys::KeyStore;

impl PlanRun {
    /// The store that the plan was made from.
    pub(crate) fn store(&self) -> MutexGuard<'_, KeyStore> {
        self.store.lock()
    }

    /// Makes the plan again with the keys that are stored now.
    pub(crate) fn replan(&mut self, purpose: Purpose) -> Result<(), Failure> {
        let index = self.store.lock().index(Interaction::Allowed)?;
        let Planned { world, files, request, plan, .. } = &mut *self.planned;
        *plan = Planning::new(world, files, request, Some(&index), purpose).resolve_quietly(&plan.profile)?;
        Ok(())
    }

    /// Deletes all cached sessions that start from the keys of `profiles`, except sessions of the currently stored
    /// keys. Returns how many there were.
    pub(crate) fn delete_earlier_sessions(&mut self, profiles: &[ProfileName]) -> Result<usize, Failure> {
        let index = self.store.lock().index(Interaction::Allowed)?;
        let Planned { world, files, plan, .. } = &*self.planned;
        let request = resolve_session(&GlobalArgs::default(), &SessionArgs::default(), &world.environment)?;
        let planning = Planning::new(world, files, &request, Some(&index), Purpose::Use);
        let mut names: BTreeSet<_> = profiles.iter().cloned().collect();
        let mut kept: Vec<_> = plan.stages().filter_map(|stage| resolve_session_key(plan, stage)).collect();
        for profile in profiles {
            let (of_profile, keys) = planning.resolve_sessions_of(profile);
            names.extend(of_profile);
            kept.extend(keys);
        }
        Ok(self.store.lock().sessions(Interaction::Allowed)?.delete_others(&names, &kept)?)
    }

    /// Warns if the stored key is also in plain text somewhere.
    pub(crate) fn warn_of_copies(&self) {
        let Planned { world, files, request, plan, .. } = &*self.planned;
        let Base::StoredKey { id: Some(id), .. } = &plan.base else { return };
        for name in files.config.profile_names() {
            let Ok(profile) = resolve_profile(&files.config, &name, &request.overrides, Which::Source) else {
                continue;
            };
            let keys = profile.static_keys.filter(|keys| keys.value.key.id == *id);
            if let Some(place) = keys.as_ref().and_then(|keys| keys.origin.place()) {
                let place = files.shown_place(place);
                world.output.warn(&format!("{place}: this copy of the access key stops working: remove it"));
            }
        }
    }

    pub(crate) fn into_plan(self) -> Plan {
        self.planned.plan
    }
}
