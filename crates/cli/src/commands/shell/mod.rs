//! Commands for shells: scripts, completion, the credentials for their function `hat`, and the segment of a prompt.

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

/// Prints a completion script.
pub(crate) fn run_completions(world: &World, args: &CompletionsArgs) -> Result<(), Failure> {
    Ok(world.output.data(&script::render_completions(world, args.shell))?)
}

/// Prints the script that defines `hat`.
pub(crate) fn run_init(world: &World, args: &ShellInitArgs) -> Result<(), Failure> {
    Ok(world.output.data(&script::render_init(world, args.shell, &args.cmd))?)
}
