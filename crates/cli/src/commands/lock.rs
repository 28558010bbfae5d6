//! `hatbox lock`: drops the unlocked state of the store.

use crate::args::{GlobalArgs, LockArgs};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::keys::request::resolve_store;
use crate::store::unlocked::forget_all;
use crate::sys::keyring::KeyringError;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, _args: &LockArgs) -> Result<(), Failure> {
    let request = resolve_store(global, &world.environment)?;
    let locked = match KeyStore::open_requested(world, request) {
        Ok(mut store) => store.lock(),
        // Broken settings must not keep the store unlocked.
        Err(failure) => {
            world.output.warn(&format!(
                "all stores are locked, because the settings cannot be used: {}",
                failure.error
            ));
            forget_all(world.dirs.runtime())
        }
    };
    match locked {
        Ok(()) | Err(KeyringError::Absent) => world.output.note("locked"),
        // Without a kernel keyring, nothing was kept in it.
        Err(KeyringError::Unknown) => {
            world
                .output
                .note("nothing to lock: on this system, the store is never unlocked between commands");
        }
        Err(KeyringError::Denied | KeyringError::Full) => {
            world.output.note("nothing to lock: the kernel keyring cannot be used here");
        }
    }
    Ok(())
}
