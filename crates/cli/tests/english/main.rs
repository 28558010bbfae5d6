//! What users read is plain English: help texts and documents contain none of the phrases in `english/avoid.txt`, and
//! the string literals of each crate no more than `english/left.txt` allows.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers may panic, like tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const CRATES: [&str; 5] = ["types", "core", "iam", "sandbox", "cli"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The lines `NAME: TEXT` of a file in this directory.
fn load_table(file: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/english").join(file);
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once(": ").unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// The files below `directory` with this extension, without `target`, tests and fuzz targets.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "tests", "fuzz"].contains(&name.as_str()) && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|e| e == extension) && name != "tests.rs" {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Each phrase to avoid in `text`, with its context and what to write instead.
fn avoided_in(text: &str, phrases: &[(String, String)]) -> Vec<String> {
    let text = text.to_lowercase().replace('’', "'");
    let is_of_word = |c: char| c.is_alphanumeric() || "-_'".contains(c);
    let words: Vec<&str> = text
        .split(|c: char| !is_of_word(c))
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        for (phrase, instead) in phrases {
            let length = phrase.split(' ').count();
            let Some(here) = words.get(at..at + length) else { continue };
            let before = at.checked_sub(1).map_or("", |at| words[at]);
            let after = words.get(at + length).copied().unwrap_or_default();
            if here.join(" ") == *phrase && !is_good_english(before, phrase, after) {
                let around = &words[at.saturating_sub(4)..words.len().min(at + length + 4)];
                found.push(format!("... {} ... (`{phrase}`: {instead})", around.join(" ")));
            }
        }
    }
    found
}

/// Whether this use of a phrase is idiomatic.
fn is_good_english(before: &str, phrase: &str, after: &str) -> bool {
    match phrase {
        "is no" => before == "there" || ["longer", "more", "less", "later", "larger"].contains(&after),
        "tell" => before == "cannot",
        "has not" | "have not" => after.ends_with("ed") || ["been", "yet", "run"].contains(&after),
        _ => false,
    }
}

/// The text without transcripts, because messages are checked in the code.
fn without_transcripts(text: &str) -> String {
    let mut kept = String::new();
    let mut is_in_transcript = false;
    for line in text.lines() {
        if let Some(tag) = line.strip_prefix("```") {
            is_in_transcript = ["console", "text"].contains(&tag);
        } else if !is_in_transcript {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The pages in docs/commands are the help texts, which `documents.rs` checks.
#[test]
fn documents_and_help_texts_are_plain_english() {
    let mut problems = String::new();
    let phrases = load_table("avoid.txt");
    let (mut count, mut is_help_seen) = (0, false);
    for path in files(&root(), "md") {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if name.starts_with("crates/") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let is_help = name.starts_with("docs/commands");
        is_help_seen |= is_help;
        let text = if is_help { text } else { without_transcripts(&text) };
        for problem in avoided_in(&text, &phrases) {
            writeln!(problems, "{name}: {problem}").unwrap();
        }
        count += 1;
    }
    let helpers = fs::read_dir(root().join("helpers")).unwrap().map(|entry| entry.unwrap().path());
    for path in helpers.chain([root().join("run")]) {
        for problem in avoided_in(&fs::read_to_string(&path).unwrap(), &phrases) {
            writeln!(problems, "{}: {problem}", path.display()).unwrap();
        }
    }
    for krate in CRATES {
        let manifest = fs::read_to_string(root().join("crates").join(krate).join("Cargo.toml")).unwrap();
        let description = manifest.lines().find(|line| line.starts_with("description")).unwrap();
        for problem in avoided_in(description, &phrases) {
            writeln!(problems, "{krate}: {problem}").unwrap();
        }
    }
    assert!(count >= 25 && is_help_seen, "only {count} documents");
    assert!(problems.is_empty(), "\n{problems}");
}

/// Adds the string literals of code to `found`, except those in tests, comments and lints.
fn add_literals(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
                let Some(TokenTree::Group(attribute)) = tokens.peek().cloned() else { continue };
                let text = attribute.stream().to_string().replace(' ', "");
                if ["doc=", "expect(", "allow(", "cfg"].iter().any(|start| text.starts_with(start)) {
                    tokens.next();
                }
                if text.starts_with("cfg(test)") || text.starts_with("cfg(all(test,") {
                    // Skips the item that follows, up to its body or its semicolon.
                    for token in tokens.by_ref() {
                        match token {
                            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
                            _ => {}
                        }
                    }
                }
            }
            TokenTree::Group(group) => add_literals(group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.starts_with(['"', 'r']) {
                    // Escapes separate words, and a line that ends with `\` continues on the next.
                    found.push(text.replace("\\\n", " ").replace("\\n", " ").replace("\\t", " "));
                }
            }
            _ => {}
        }
    }
}

/// The count is per crate rather than per directory, so that moving a file does not change it.
#[test]
fn messages_in_code_have_no_more_phrases_to_avoid_than_are_counted() {
    let phrases = load_table("avoid.txt");
    let counted: BTreeMap<String, usize> =
        load_table("left.txt").into_iter().map(|(name, count)| (name, count.parse().unwrap())).collect();
    assert_eq!(counted.keys().map(String::as_str).collect::<BTreeSet<_>>(), CRATES.into());
    let mut problems = String::new();
    for krate in CRATES {
        let source = root().join("crates").join(krate).join("src");
        let (mut found, mut literal_count) = (Vec::new(), 0);
        for path in files(&source, "rs") {
            let mut literals = Vec::new();
            add_literals(fs::read_to_string(&path).unwrap().parse().unwrap(), &mut literals);
            literal_count += literals.len();
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            let here = literals.iter().flat_map(|literal| avoided_in(literal, &phrases));
            found.extend(here.map(|problem| format!("{name}: {problem}")));
        }
        assert!(literal_count > 50, "only {literal_count} literals in {krate}");
        if found.len() != counted[krate] {
            writeln!(problems, "{krate}: {}\n    {}", found.len(), found.join("\n    ")).unwrap();
        }
    }
    assert!(problems.is_empty(), "change these lines of english/left.txt, or the messages:\n{problems}");
}

#[test]
fn phrases_are_found_where_they_are_and_only_there() {
    let phrases = load_table("avoid.txt");
    for bad in [
        "could not put\non the role",
        "`x` is no duration",
        "IAM still tells the old policy",
        "Nobody can",
        "a store of its own",
        "It stands in plain text.",
    ] {
        assert_eq!(avoided_in(bad, &phrases).len(), 1, "{bad}");
    }
    for good in [
        "there is no profile `x`",
        "it is no longer valid",
        "cannot tell the format",
        "a stand-in for AWS",
        "hatbox",
        "it has not been used",
    ] {
        assert_eq!(avoided_in(good, &phrases), Vec::<String>::new(), "{good}");
    }
    let code = "#[error(\"a\")] struct S; /* \"b\" */ #[cfg(test)] mod tests { fn f() { \"c\" } }\n\
                fn g() { x(r\"d\"); } #[expect(x, reason = \"e\")] fn h() { \"f\\ng\" }";
    let mut found = Vec::new();
    add_literals(code.parse().unwrap(), &mut found);
    assert_eq!(found, ["\"a\"", "r\"d\"", "\"f g\""]);
    assert_eq!(without_transcripts("a\n```console\nb\n```\n```sh\nc\n```\n"), "a\nc\n");
}
