//! The answers to completion scripts: a line with the kind of answer, then one candidate per line.
//!
//! | first line | further lines |
//! |---|---|
//! | `words` | candidates: `VALUE`, or `VALUE TAB DESCRIPTION` if the shell shows descriptions |
//! | `files`, `directories` | none: the shell completes them |
//! | `command N` | none: the shell completes the command that begins with word N, counted from 0 |
//!
//! zsh and fish quote what they insert. bash and PowerShell do not, so their candidates are quoted here.

use clap::Command;

use super::bash_line::{BashLine, quote_for_bash};
use super::candidates::{Answer, resolve_answer};
use super::names::{Candidate, Names};
use crate::args::ShellKind;

/// Returns the words after the program's name. For `hat PROFILE`, they are those of the command `hatbox hat`.
pub(super) fn own_words<'w>(program: &str, words: &[&'w str]) -> Vec<&'w str> {
    let rest = words.iter().skip(1).copied();
    if program == "hat" { ["hat"].into_iter().chain(rest).collect() } else { rest.collect() }
}

/// Renders the answer for zsh, fish and PowerShell. `shift` is the number of words that the shell counts before these.
pub(super) fn render_answer(answer: Answer, shell: ShellKind, shift: usize) -> String {
    match answer {
        Answer::Words(candidates) => {
            let value = |candidate: &Candidate| match shell {
                ShellKind::Pwsh => quote_for_powershell(&candidate.value),
                _ => candidate.value.clone(),
            };
            let line = |candidate: &Candidate| match candidate.about.as_str() {
                "" => format!("{}\n", value(candidate)),
                about => format!("{}\t{}\n", value(candidate), about.replace('\t', " ")),
            };
            format!("words\n{}", candidates.iter().map(line).collect::<String>())
        }
        Answer::File => "files\n".to_owned(),
        Answer::Directory => "directories\n".to_owned(),
        Answer::Command(index) => format!("command {}\n", index + shift),
    }
}

/// Renders the answer for bash, which passes its line as typed: only that shows what is quoted.
pub(super) fn render_bash_answer(
    cli: &Command,
    names: &Names,
    program: &str,
    breaks: &str,
    line: &str,
    comp_words: &[&str],
) -> String {
    let Some(parsed) = BashLine::parse(line, breaks) else { return "words\n".to_owned() };
    let words: Vec<&str> = parsed.words.iter().map(|word| word.text.as_str()).collect();
    let own = own_words(program, &words);
    let shift = words.len().saturating_sub(own.len());
    match resolve_answer(cli, &own, names) {
        Answer::Words(candidates) => {
            let quoted = candidates.iter().filter_map(|c| quote_for_bash(&c.value, parsed.end));
            format!("words\n{}", quoted.map(|word| word + "\n").collect::<String>())
        }
        Answer::Command(index) => match parsed.index_in(line, comp_words, index + shift) {
            Some(index) => format!("command {index}\n"),
            None => "words\n".to_owned(),
        },
        other => render_answer(other, ShellKind::Bash, shift),
    }
}

/// Quotes a word for PowerShell, if it contains a character with a meaning there.
fn quote_for_powershell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // PowerShell treats typographic single quotes like the ASCII one.
    let mut quoted = String::from("'");
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_gets_words_that_mean_nothing_to_it() {
        for (word, quoted) in [
            ("prod-admin", "prod-admin"),
            ("my prod", "'my prod'"),
            ("$(calc)", "'$(calc)'"),
            ("it's", "'it''s'"),
            ("a\u{2019};b", "'a\u{2019}\u{2019};b'"),
            ("@splat", "'@splat'"),
        ] {
            assert_eq!(quote_for_powershell(word), quoted);
        }
    }
}
