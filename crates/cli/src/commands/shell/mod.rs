//! What shells call: scripts, the words at Tab, the credentials for their function `hat`, and the segment of a prompt.

pub(crate) mod completion;
pub(crate) mod hat;
pub(crate) mod prompt;

mod answer;
mod candidates;
mod names;

mod bash_line;
mod script;

use crate::args::{CompletionsArgs, ShellInitArgs};
use crate::errors::Failure;
use crate::world::World;

/// `hatbox completions`.
pub(crate) fn run_completions(world: &World, args: &CompletionsArgs) -> Result<(), Failure> {
    Ok(world.output.data(&script::render_completions(world, args.shell))?)
}

/// `hatbox shell-init`.
pub(crate) fn run_init(world: &World, args: &ShellInitArgs) -> Result<(), Failure> {
    Ok(world.output.data(&script::render_init(world, args.shell, &args.cmd))?)
}
