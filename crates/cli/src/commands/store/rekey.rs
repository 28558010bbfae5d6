//! `hatbox store rekey`: a new identity for the encrypted files.

use super::wrap::tell_recovery;
use crate::args::{GlobalArgs, StoreRekeyArgs};
use crate::errors::Failure;
use crate::keys::Secrets;
use crate::keys::request::resolve_store;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreRekeyArgs) -> Result<(), Failure> {
    let mut secrets = Secrets::open(world, resolve_store(global, &world.environment)?)?;
    let (count, recovery) = secrets.rekey(args.new_passphrase_fd)?;
    world.output.note(&format!("sealed {count} access keys under a new identity"));
    world.output.note("cached sessions are made again when they are next needed");
    match recovery {
        Some(passphrase) => tell_recovery(world, &passphrase),
        None => Ok(()),
    }
}
