//! `hatbox store rekey`: gives the `file` backend a new identity.

use hatbox_types::text;

use super::wrap::print_recovery;
use crate::args::{GlobalArgs, StoreRekeyArgs};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreRekeyArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    let (count, recovery) = store.rekey(args.new_passphrase_fd)?;
    world.output.note(&format!("encrypted {} with a new identity", text::count(count, "access key")));
    world.output.note("cached sessions will be obtained again when they are needed");
    match recovery {
        Some(passphrase) => print_recovery(world, &passphrase),
        None => Ok(()),
    }
}
