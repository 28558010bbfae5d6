//! The Rust files of a crate: their modules, their code without comments and tests, and the paths in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The Rust files of a crate with their module paths.
pub(crate) fn sources(krate: &str) -> Vec<(PathBuf, String)> {
    let top = root().join("crates").join(krate).join("src");
    let mut files = Vec::new();
    let mut directories = vec![top.clone()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&top).unwrap().with_extension("");
                let parts: Vec<_> = inside.iter().map(|p| p.to_str().unwrap()).collect();
                let module = parts.join("::");
                files.push((path, module.strip_suffix("::mod").unwrap_or(&module).to_owned()));
            }
        }
    }
    assert!(files.len() > 5);
    files
}

/// The code without comments, and without tests, which may use anything.
pub(crate) fn load_code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// All paths in `code` that start with `root`, with lists in braces expanded.
pub(crate) fn paths_from(code: &str, root: &str) -> BTreeSet<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        let is_part = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if !is_part && let Some(rest) = code[at + root.len()..].strip_prefix("::") {
            expand(rest, "", &mut found);
        }
    }
    found.into_iter().map(|(path, _)| path).collect()
}

/// A path in a `use`.
pub(crate) struct Import {
    /// Whether it is re-exported rather than used.
    pub(crate) is_public: bool,
    pub(crate) path: String,
    /// Its name in the importing file.
    pub(crate) name: String,
}

/// The imports of `code`, and the code without them.
pub(crate) fn split_imports(code: &str) -> (Vec<Import>, String) {
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut statements = code.split_inclusive(';');
    for statement in &mut statements {
        let start = statement.match_indices("use ").map(|(at, _)| at).find(|&at| {
            let line = statement[..at].rsplit('\n').next().unwrap().trim_start();
            matches!(line, "" | "pub ") || line.starts_with("pub(") && line.ends_with(") ")
        });
        let Some(start) = start else {
            rest.push_str(statement);
            continue;
        };
        let (before, paths) = (&statement[..start], &statement[start + "use ".len()..]);
        let is_public = before.rsplit('\n').next().unwrap().contains("pub");
        let mut found = Vec::new();
        expand(paths, "", &mut found);
        imports.extend(found.into_iter().map(|(path, name)| Import { is_public, path, name }));
        rest.push_str(before);
    }
    (imports, rest)
}

/// Adds the paths at the start of `text` to `found`, each with its imported name. Returns the rest of `text`.
fn expand<'t>(text: &'t str, prefix: &str, found: &mut Vec<(String, String)>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut list) = text.strip_prefix('{') {
        loop {
            list = list.trim_start_matches([' ', '\n', ',']);
            if let Some(rest) = list.strip_prefix('}') {
                return rest;
            }
            let rest = expand(list, prefix, found);
            assert!(rest.len() < list.len(), "cannot read `{list}`");
            list = rest;
        }
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
    let (name, rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    if let Some(inside) = rest.strip_prefix("::") {
        return expand(inside, &path, found);
    }
    let Some(renamed) = rest.strip_prefix(" as ") else {
        found.push((path, name.to_owned()));
        return rest;
    };
    let rest = renamed.trim_start_matches(is_name);
    found.push((path, renamed[..renamed.len() - rest.len()].to_owned()));
    rest
}

#[test]
fn lists_of_paths_are_written_out() {
    let code = "use crate::a::{B, c::{D, E as F}, self};\nlet x = crate::g::h(1); mycrate::no::y();";
    let paths: Vec<_> = paths_from(code, "crate").into_iter().collect();
    assert_eq!(paths, ["a::B", "a::c::D", "a::c::E", "a::self", "g::h"]);
    let (imports, rest) = split_imports(code);
    let names: Vec<_> = imports.iter().map(|import| import.name.as_str()).collect();
    assert_eq!(
        (names.as_slice(), rest.trim_start()),
        (&["B", "D", "F", "self"][..], "let x = crate::g::h(1); mycrate::no::y();")
    );
}
