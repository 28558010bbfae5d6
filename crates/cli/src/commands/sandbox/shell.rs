//! `hatbox sandbox shell`: the user's shell with the sandbox set up, recognizable by its prompt.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::errors::Failure;
use crate::output::BOLD;
use crate::sys::files::{FileError, Keep, make_private_directory, write_atomic};
use crate::world::World;

use super::scene::Scene;

/// The profiles that can read IAM, one per account.
const BOTH_ACCOUNTS: &str = "--from live:jan-work --from live:security-auditor";

/// The width of the commands that are shown beside what they do.
const COMMAND_WIDTH: usize = 41;

pub(super) fn run(world: &World, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let shell = world
        .environment
        .raw("SHELL")
        .filter(|shell| !shell.is_empty())
        .map_or_else(|| PathBuf::from("/bin/sh"), PathBuf::from);
    make_startup_files(&scene.home())?;
    let s3 = if scene.find_program(OsStr::new("aws")).is_ok() { "aws s3" } else { "hatbox sandbox s3" };
    world.output.note(&format!(
        "{BOLD}this is a sandbox{BOLD:#}, not AWS, without your keys; `exit` leaves it. Try:"
    ));
    for (command, what) in [
        (format!("hatbox exec security-auditor -- {s3} ls"), "assume a role without MFA"),
        (format!("hatbox exec dev-infra-admin -- {s3} ls"), "assume a role that requires MFA"),
        ("hatbox sandbox code".to_owned(), "print the MFA code"),
        ("hatbox sso login".to_owned(), "sign in to IAM Identity Center"),
        ("hatbox login --session jan-console".to_owned(), "sign in as `aws login` does"),
        (format!("hatbox trust graph {BOTH_ACCOUNTS}"), "who can assume which role"),
        ("hatbox sandbox log".to_owned(), "which calls were allowed, and why"),
    ] {
        // On the line of the command if both fit into 80 columns, otherwise below it.
        if command.len() > COMMAND_WIDTH {
            world.output.raw_line(&format!("  {command}"));
            world.output.raw_line(&format!("  {:COMMAND_WIDTH$}  {what}", ""));
        } else {
            world.output.raw_line(&format!("  {command:<COMMAND_WIDTH$}  {what}"));
        }
    }
    let mut command = scene.command(&shell);
    command
        .env("SHELL", &shell)
        // An interactive `sh` reads this file (POSIX, sh, ENV).
        .env("ENV", scene.home().join(".shrc"))
        .current_dir(scene.home());
    if is_bash(&shell) {
        // Skip the system's start files, which may set the prompt afterwards.
        command.args([OsString::from("--rcfile"), scene.home().join(".bashrc").into()]);
    }
    scene.run_child(command)
}

fn is_bash(shell: &Path) -> bool {
    shell.file_name().is_some_and(|name| name == "bash")
}

/// Creates startup files that set the prompts of common shells. Keeps existing files, which the user may have changed.
fn make_startup_files(home: &Path) -> Result<(), FileError> {
    let fish = home.join(".config/fish");
    make_private_directory(&fish)?;
    for (path, text) in [
        (home.join(".bashrc"), "PS1='\\[\\e[1;36m\\](sandbox)\\[\\e[0m\\] \\w \\$ '\n"),
        (home.join(".zshrc"), "PROMPT='%B%F{cyan}(sandbox)%f%b %~ %# '\n"),
        (home.join(".shrc"), "PS1='(sandbox) $ '\n"),
        (
            fish.join("config.fish"),
            "set -g fish_greeting\nfunction fish_prompt\n    echo -n '(sandbox) '(prompt_pwd)' > '\nend\n",
        ),
    ] {
        if !path.exists() {
            write_atomic(&path, text.as_bytes(), Keep::Nothing)?;
        }
    }
    Ok(())
}
