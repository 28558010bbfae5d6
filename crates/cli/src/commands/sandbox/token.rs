//! `hatbox sandbox token`: prints a token of an identity provider, such as a CI server or a cluster gives to a job.

use std::path::Path;

use hatbox_sandbox::control::TokenOrder;
use hatbox_sandbox::world as demo_world;
use hatbox_types::duration::parse_duration;

use super::open_client;
use crate::args::SandboxTokenArgs;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

pub(super) fn run(world: &World, directory: &Path, args: &SandboxTokenArgs) -> Result<(), Failure> {
    let lifetime = parse_duration(&args.lifetime).map_err(|error| {
        let text = format!("invalid `--lifetime` `{}`: {error}", args.lifetime);
        Failure::new(FailureKind::Usage, text)
    })?;
    let given = |text: &Option<String>, usual: &str| text.clone().unwrap_or_else(|| usual.to_owned());
    let order = TokenOrder {
        issuer: given(&args.issuer, demo_world::ISSUER),
        subject: given(&args.subject, demo_world::SUBJECT),
        audience: given(&args.audience, demo_world::AUDIENCE),
        // The limit is one year, which fits.
        lifetime_seconds: i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX),
        claims: serde_json::Map::new(),
    };
    let token = open_client(directory)?.mint_token(&order)?;
    world.output.data(&format!("{token}\n"))?;
    Ok(())
}
