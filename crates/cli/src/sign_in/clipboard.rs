//! The clipboard: the desktop's, by a program, or else the terminal's, which may be on another machine.

use std::process::{Command, Stdio};
use std::time::Duration;

use hatbox_core::handover::is_store_secret;
use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use crate::files::programs::find_program;
use crate::sys::program::{Person, Program, Streams, run_program};
use crate::world::World;
use crate::world::environment::with_absolute_path;

/// How long a program may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Which clipboard has the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clipboard {
    /// The desktop's.
    Desktop,
    /// The terminal's, by the sequence OSC 52. It is unknown whether the terminal supports it.
    Terminal,
}

/// No clipboard can be reached.
#[derive(Debug, thiserror::Error)]
#[error("neither a clipboard program nor a terminal is here")]
pub(crate) struct NoClipboard;

/// Copies `text`, which a program receives on stdin, never as an argument.
pub(crate) fn copy_to_clipboard(world: &World, text: &SecretString) -> Result<Clipboard, NoClipboard> {
    if programs(world).iter().any(|words| run(world, words, text)) {
        return Ok(Clipboard::Desktop);
    }
    if world.prompter().copy(text) { Ok(Clipboard::Terminal) } else { Err(NoClipboard) }
}

/// The programs to try, the most suitable first.
fn programs(world: &World) -> Vec<&'static [&'static str]> {
    if cfg!(target_os = "macos") {
        return if world.environment.has_desktop() { vec![&["pbcopy"]] } else { Vec::new() };
    }
    if cfg!(windows) {
        return vec![&["clip"]];
    }
    let has = |name: &str| world.environment.text(name).is_some();
    let mut programs: Vec<&[&str]> = Vec::new();
    if has("WAYLAND_DISPLAY") {
        programs.push(&["wl-copy"]);
    }
    if has("DISPLAY") {
        programs.extend([&["xclip", "-selection", "clipboard"][..], &["xsel", "--clipboard", "--input"]]);
    }
    if has("WSL_DISTRO_NAME") {
        programs.push(&["clip.exe"]);
    }
    programs
}

fn run(world: &World, words: &[&str], text: &SecretString) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let Some(path) = find_program(world, program) else { return false };
    let variables = world.environment.variables().iter();
    let kept = variables.filter(|(name, _)| !name.to_str().is_some_and(is_store_secret)).cloned();
    let environment: Vec<_> = kept.map(with_absolute_path).collect();
    let mut command = Command::new(path);
    command.args(arguments).stdout(Stdio::null());
    let streams = Streams::Kept(Zeroizing::new(text.expose().as_bytes().to_vec()));
    let run =
        Program { command, environment: &environment, timeout: TIMEOUT, person: Person::IsNotAsked, streams };
    run_program(run).is_ok_and(|ended| ended.status.success())
}
