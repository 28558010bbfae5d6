//! Answers the completion scripts, which call this on every Tab.
//!
//! | line | answer |
//! |---|---|
//! | `--complete bash PROGRAM WORDBREAKS LINE WORD...` | see [`super::answer`]; LINE ends at the cursor, and the words are `COMP_WORDS` |
//! | `--complete zsh\|fish\|pwsh PROGRAM WORD...` | the same; the last word is the one at the cursor |
//! | `--completion-bash WORD...`, `--completion-script-bash`, `--completion-script-zsh` | the answers of aws-vault |
//!
//! Asks no question and opens no store. What cannot be read counts as empty, as an error message would appear in the
//! middle of the user's line.

use std::ffi::OsString;

use clap::Command;
use clap::ValueEnum;

use super::answer::{own_words, render_answer, render_bash_answer};
use super::candidates::{Answer, resolve_answer};
use super::names::Names;
use super::script::render_completions;
use crate::args::ShellKind;
use crate::errors::Failure;
use crate::world::World;

/// Whether the first word of a line asks for candidates, or for one of aws-vault's scripts.
pub(crate) fn is_asked(word: &OsString) -> bool {
    ["--complete", "--completion-bash", "--completion-script-bash", "--completion-script-zsh"]
        .iter()
        .any(|own| word == own)
}

/// Answers a completion script.
pub(crate) fn run(world: &World, mut cli: Command, words: &[OsString]) -> Result<(), Failure> {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["--completion-script-bash", ..] => render_completions(world, ShellKind::Bash),
        ["--completion-script-zsh", ..] => render_completions(world, ShellKind::Zsh),
        ["--complete", shell, program, rest @ ..] => {
            cli.build();
            let Ok(shell) = ShellKind::from_str(shell, false) else { return Ok(()) };
            render_asked(&cli, &Names::of(world), shell, program, rest)
        }
        [_, rest @ ..] => {
            cli.build();
            render_plain(resolve_answer(&cli, rest, &Names::of(world)))
        }
        [] => String::new(),
    };
    // Printed unchanged: a candidate must be the exact word. Those with unprintable characters were left out.
    Ok(world.output.exact(&text)?)
}

fn render_asked(cli: &Command, names: &Names, shell: ShellKind, program: &str, words: &[&str]) -> String {
    if shell == ShellKind::Bash {
        let [breaks, line, words @ ..] = words else { return String::new() };
        return render_bash_answer(cli, names, program, breaks, line, words);
    }
    // PowerShell drops empty words, so its script adds a character before the last one.
    let typed = match (shell, words) {
        (ShellKind::Pwsh, [.., last]) => last.get(1..).unwrap_or_default(),
        (_, words) => words.last().copied().unwrap_or_default(),
    };
    let words = [words.get(..words.len().saturating_sub(1)).unwrap_or_default(), &[typed]].concat();
    let own = own_words(program, &words);
    let answer = resolve_answer(cli, &own, names);
    render_answer(answer, shell, words.len() - own.len())
}

/// Renders the answer to aws-vault's scripts, which let the shell expand it again.
///
/// Security: leaves out names that mean something to a shell.
fn render_plain(answer: Answer) -> String {
    let Answer::Words(candidates) = answer else { return String::new() };
    let is_plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || "-_./:=@%+,".contains(c));
    candidates.iter().filter(|c| is_plain(&c.value)).map(|c| format!("{}\n", c.value)).collect()
}
