//! The scripts that shells evaluate when they start.

use crate::args::ShellKind;
use crate::world::World;

/// The script of `hatbox completions`, for the name under which hatbox was called.
pub(super) fn render_completions(world: &World, shell: ShellKind) -> String {
    let script = match shell {
        ShellKind::Bash => include_str!("scripts/completions.bash"),
        ShellKind::Zsh => include_str!("scripts/completions.zsh"),
        ShellKind::Fish => include_str!("scripts/completions.fish"),
        ShellKind::Pwsh => include_str!("scripts/completions.ps1"),
    };
    name(world, script)
}

/// The script of `hatbox shell-init`, with a function of this name.
pub(super) fn render_init(world: &World, shell: ShellKind, function: &str) -> String {
    let script = match shell {
        ShellKind::Bash => include_str!("scripts/init.bash"),
        ShellKind::Zsh => include_str!("scripts/init.zsh"),
        ShellKind::Fish => include_str!("scripts/init.fish"),
        ShellKind::Pwsh => include_str!("scripts/init.ps1"),
    };
    // The scripts write `[H]ATBOX` where they mean the variable.
    render_completions(world, shell) + &name(world, &script.replace("HAT", function))
}

/// A script with the names of the program and of its functions.
fn name(world: &World, script: &str) -> String {
    let program = world.output.called_as().as_str();
    script.replace("FUNCTION", &program.replace('-', "_")).replace("PROGRAM", program)
}
