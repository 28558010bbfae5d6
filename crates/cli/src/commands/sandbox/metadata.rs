//! `hatbox sandbox metadata`: prints the variables that make a program see the sandbox's instance metadata.

use std::path::Path;

use hatbox_sandbox::{CONTAINER_PATH, world as demo};
use hatbox_types::text::shell::quote_word;

use crate::errors::{Failure, FailureKind};
use crate::world::World;

pub(super) fn run(world: &World, directory: &Path) -> Result<(), Failure> {
    let client = super::open_client(directory)?;
    let machine = demo::load_world(directory)?.and_then(|world| world.machine).ok_or_else(|| {
        Failure::new(FailureKind::Failed, "this sandbox has no machine with a role")
            .hint("remove the sandbox's directory to start over")
    })?;
    let variables = [
        // The sandbox's shell sets it to `true`.
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", client.url()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}{CONTAINER_PATH}", client.url())),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", machine.container_token.expose().to_owned()),
    ];
    let lines = variables.map(|(name, value)| format!("export {name}={}\n", quote_word(&value)));
    world.output.data(&lines.concat())?;
    world.output.note(&format!("programs with these variables get the role `{}`", machine.role));
    Ok(())
}
