//! The manual pages: one for each command, with its complete help, and without warnings from mandoc.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may panic, like tests")]

// xtask runs the program that it builds; here it is the program under test.
#[path = "../../../xtask/src/man/mod.rs"]
mod man;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const HATBOX: &str = env!("CARGO_BIN_EXE_hatbox");

/// Writes all pages. Returns their files, each with the words of its command.
fn write_pages(directory: &Path) -> Vec<(String, Vec<String>)> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let pages = man::write_pages(Path::new(HATBOX), &docs, directory, "2026-01-31").unwrap();
    let file = |words: &Vec<String>| format!("{}.1", [&["hatbox".to_owned()], &words[..]].concat().join("-"));
    pages.into_iter().map(|words| (file(&words), words)).collect()
}

fn hatbox(words: &[&str]) -> Output {
    let mut command = Command::new(HATBOX);
    command.args(words).env_clear().env("COLUMNS", "100000").stdin(Stdio::null()).output().unwrap()
}

/// The text of a man page without its escapes.
fn plain(page: &str) -> String {
    let mut text = page.to_owned();
    for (escaped, shown) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fR", ""),
        ("\\&", ""),
        ("\\-", "-"),
        ("\\(aq", "'"),
        ("\\(ga", "`"),
        ("\\(dq", "\""),
        ("\\(ha", "^"),
        ("\\(ti", "~"),
        ("\\(rs", "\\"),
    ] {
        text = text.replace(escaped, shown);
    }
    text
}

/// The words of a text, without punctuation around them.
fn words(text: &str) -> BTreeSet<String> {
    let is_mark = |c: char| c.is_ascii_punctuation() && c != '-';
    let words = text.split(|c: char| c.is_whitespace() || "<>[]()`".contains(c));
    words.map(|word| word.trim_matches(is_mark).to_lowercase()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_command_has_a_page_with_all_that_its_help_says_and_mandoc_finds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pages = write_pages(directory.path());
    let written: BTreeSet<_> = pages.iter().map(|(file, _)| file.clone()).collect();
    let files = fs::read_dir(directory.path()).unwrap();
    let files: BTreeSet<_> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, written);
    for name in
        ["hatbox.1", "hatbox-exec.1", "hatbox-trust-graph.1", "hatbox-sandbox-s3-ls.1", "hatbox-hat.1"]
    {
        assert!(written.contains(name), "{name}");
    }
    // clap mentions it both for its own option and in the options below.
    let of_clap = words(
        "Print help (see a summary with '-h') Print version Options: Arguments: Commands: Usage: Possible \
                         values: Example: help Print this message or the help of the given subcommand(s)",
    );
    for (name, command) in &pages {
        let page = fs::read_to_string(directory.path().join(name)).unwrap();
        let command = command.iter().map(String::as_str).chain(["--help"]);
        let output = hatbox(&command.collect::<Vec<_>>());
        assert!(output.status.success(), "{name}");
        let help = String::from_utf8(output.stdout).unwrap();
        // The first page explains the options of every command.
        let (before, after) = help.split_once("Options of every command:").unwrap_or((&help, ""));
        let after: Vec<_> =
            after.lines().skip(1).skip_while(|l| l.is_empty() || l.starts_with(' ')).collect();
        let said = words(&format!("{before}{}", after.join("\n")));
        // The lists of commands refer to their pages.
        let shown =
            words(&format!("{} {}", plain(&page), plain(&page).replace(&name.replace(".1", "-"), " ")));
        let lost: Vec<_> = said.difference(&shown).filter(|word| !of_clap.contains(*word)).collect();
        assert!(lost.is_empty(), "{name} lacks {lost:?}");
        let order = [
            "NAME",
            "SYNOPSIS",
            "EXAMPLES",
            "DESCRIPTION",
            "OPTIONS",
            "FILES",
            "ENVIRONMENT",
            "EXIT STATUS",
            "SEE ALSO",
        ];
        let places = order.map(|heading| {
            page.find(&format!("\n.SH {heading}\n")).unwrap_or_else(|| panic!("{name}: {heading}"))
        });
        assert!(places.is_sorted(), "{name}");
        for line in page.lines() {
            let is_text = !line.starts_with('.');
            assert!(!is_text || !plain(line).contains("\\f"), "{name}: {line}");
            assert!(!line.starts_with('\'') && !line.contains('`'), "{name}: {line}");
        }
    }
    lint(directory.path(), &pages);
}

/// mandoc warns of anything that other man page viewers may render differently.
fn lint(directory: &Path, pages: &[(String, Vec<String>)]) {
    let mut mandoc = Command::new("mandoc");
    mandoc.args(["-T", "lint", "-W", "all"]).args(pages.iter().map(|(file, _)| file)).current_dir(directory);
    let Ok(output) = mandoc.output() else {
        println!("skipped: mandoc is not installed");
        return;
    };
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && found.is_empty(), "{found}");
}

#[test]
fn help_of_a_command_is_its_long_help() {
    for words in [&["exec"][..], &["trust", "graph"], &["sandbox", "s3", "ls"]] {
        let help = hatbox(&[&["help"][..], words].concat());
        let long = hatbox(&[words, &["--help"]].concat());
        assert!(help.status.success() && help.stdout == long.stdout, "{words:?}");
        assert!(String::from_utf8_lossy(&help.stdout).contains("Options of every command:\n"), "{words:?}");
    }
    let unknown = hatbox(&["help", "exce"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("unrecognized subcommand `exce`"),
        "{unknown:?}"
    );
}
