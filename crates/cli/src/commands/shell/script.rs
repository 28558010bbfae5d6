//! Renders the scripts that shells run when they start.

use crate::args::ShellKind;
use crate::world::World;

/// Renders the script of `hatbox completions`, for the name by which hatbox was called.
pub(super) fn render_completions(world: &World, shell: ShellKind) -> String {
    let script = match shell {
        ShellKind::Bash => include_str!("scripts/completions.bash"),
        ShellKind::Zsh => include_str!("scripts/completions.zsh"),
        ShellKind::Fish => include_str!("scripts/completions.fish"),
        ShellKind::Pwsh => include_str!("scripts/completions.ps1"),
    };
    name(world, script)
}

/// Renders the script of `hatbox shell-init`, with a function of this name.
pub(super) fn render_init(world: &World, shell: ShellKind, function: &str) -> String {
    let script = match shell {
        ShellKind::Bash => include_str!("scripts/init.bash"),
        ShellKind::Zsh => include_str!("scripts/init.zsh"),
        ShellKind::Fish => include_str!("scripts/init.fish"),
        ShellKind::Pwsh => include_str!("scripts/init.ps1"),
    };
    // Variables are written as `[H]ATBOX` in the scripts, to survive this replacement.
    render_completions(world, shell) + &name(world, &script.replace("HAT", function))
}

/// Fills the names of the program and its functions into a script.
fn name(world: &World, script: &str) -> String {
    let program = world.output.called_as().as_str();
    script.replace("FUNCTION", &program.replace('-', "_")).replace("PROGRAM", program)
}
