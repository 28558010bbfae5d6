//! `hatbox store rekey`: gives the `file` backend a new identity.

use super::wrap::print_recovery;
use crate::args::{GlobalArgs, StoreRekeyArgs};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreRekeyArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    let (count, recovery) = store.rekey(args.new_passphrase_fd)?;
    world.output.note(&format!("sealed {count} access keys under a new identity"));
    world.output.note("cached sessions are made again when they are next needed");
    match recovery {
        Some(passphrase) => print_recovery(world, &passphrase),
        None => Ok(()),
    }
}
