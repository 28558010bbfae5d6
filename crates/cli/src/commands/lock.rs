//! `hatbox lock`: forgets the unlocked store.

use crate::args::{GlobalArgs, LockArgs};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::sys::keyring::KeyringError;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, _args: &LockArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    match store.lock() {
        Ok(()) | Err(KeyringError::Absent) => world.output.note("locked"),
        // Where there is no kernel keyring nothing was ever held in it.
        Err(KeyringError::Unknown) => world.output.note("nothing is held between commands on this system"),
        Err(KeyringError::Denied | KeyringError::Full) => {
            world.output.note("nothing was unlocked: the kernel keyring cannot be used here");
        }
    }
    Ok(())
}
