//! `hatbox clear`: deletes cached sessions.

use hatbox_types::text;

use crate::args::{ClearArgs, GlobalArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::request::resolve_profile_name;
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::output::CalledAs;
use crate::store::sessions::delete_all;
use crate::store::sign_ins::delete_all_sign_ins;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ClearArgs) -> Result<(), Failure> {
    let mut sign_ins = 0;
    let count = match &args.profile {
        // Sessions of all profiles can be deleted without knowing which is which, so the store stays locked.
        None => {
            sign_ins = delete_all_sign_ins(&world.dirs.sign_ins())?;
            delete_all(&world.dirs.sessions())?
        }
        Some(name) => {
            let profile = resolve_profile_name(Some(name), &world.environment)?;
            let mut store = KeyStore::open(world, global)?;
            if store.is_empty() {
                0
            } else {
                store.sessions(Interaction::Allowed)?.delete_of_profile(&profile)?
            }
        }
    };
    match world.output.called_as() {
        // Scripts parse aws-vault's output.
        CalledAs::AwsVault => world.output.data(&format!("Cleared {count} sessions.\n"))?,
        CalledAs::Hatbox => {
            let more = if sign_ins > 0 { " and the SSO sign-ins" } else { "" };
            world.output.note(&format!("cleared {}{more}", text::count(count, "cached session")));
        }
    }
    Ok(())
}
