//! `site`: builds the documentation as a website with mdBook, in target/site/html.
//!
//! Its pages are those of docs and the documents at the repository's root. Their links are for the repository, so they
//! are rewritten for the website. Every link in the result is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Problem;
use crate::scene::root;

const VERSION: &str = "0.5.4";

/// The URL of files that are not on the website.
const REPOSITORY: &str = "https://github.com/hatbox/hatbox/blob/main";

/// Documents at the root, and their paths on the website.
const AT_ROOT: [(&str, &str); 5] = [
    ("README.md", "index.md"),
    ("SECURITY.md", "SECURITY.md"),
    ("ARCHITECTURE.md", "ARCHITECTURE.md"),
    ("CONTRIBUTING.md", "CONTRIBUTING.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
];

/// Files in docs that configure mdBook.
const OF_MDBOOK: [&str; 2] = ["book.toml", "book.css"];

/// Builds the website and checks its links.
pub(crate) fn run() -> Result<(), Problem> {
    let site = root().join("target/site");
    std::fs::remove_dir_all(&site).ok();
    assemble(&site)?;
    let mut mdbook = Command::new(load_mdbook()?);
    if !mdbook.arg("build").arg("--dest-dir").arg(site.join("html")).arg(&site).status()?.success() {
        return Err("mdbook failed".into());
    }
    let pages = check_links(&site.join("html"))?;
    println!("{pages} pages in {}", site.join("html").display());
    Ok(())
}

/// Returns mdBook; installs it below target if it is missing.
fn load_mdbook() -> Result<PathBuf, Problem> {
    let tools = root().join("target/tools");
    let program = tools.join("bin/mdbook");
    let has_version =
        |output: std::process::Output| String::from_utf8_lossy(&output.stdout).contains(VERSION);
    if !Command::new(&program).arg("--version").output().is_ok_and(has_version) {
        let build = tools.join("build-mdbook");
        let mut cargo = Command::new("cargo");
        cargo.args([
            "install",
            "--quiet",
            "--locked",
            "--debug",
            "--no-default-features",
            "--features",
            "search",
        ]);
        cargo.arg("--root").arg(&tools).arg(format!("mdbook@{VERSION}")).env("CARGO_TARGET_DIR", &build);
        if !cargo.status()?.success() {
            return Err("mdbook was not installed".into());
        }
        std::fs::remove_dir_all(build).ok();
    }
    Ok(program)
}

/// Writes the input of mdBook.
fn assemble(site: &Path) -> Result<(), Problem> {
    let source = site.join("src");
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (name, shown) in AT_ROOT {
        files.insert(name.to_owned(), shown.to_owned());
    }
    for directory in ["docs", "docs/commands"] {
        for entry in std::fs::read_dir(root().join(directory))? {
            let entry = entry?;
            let name = format!("{directory}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_file() && !OF_MDBOOK.iter().any(|file| name == format!("docs/{file}")) {
                let shown = name.strip_prefix("docs/").unwrap_or(&name).replace("README.md", "index.md");
                files.insert(name, shown);
            }
        }
    }
    for (name, shown) in &files {
        let to = source.join(shown);
        if let Some(directory) = to.parent() {
            std::fs::create_dir_all(directory)?;
        }
        if Path::new(name).extension().is_some_and(|extension| extension == "md") {
            std::fs::write(to, rewrite_links(&std::fs::read_to_string(root().join(name))?, name, &files))?;
        } else {
            std::fs::copy(root().join(name), to)?;
        }
    }
    for file in OF_MDBOOK {
        std::fs::copy(root().join("docs").join(file), site.join(file))?;
    }
    Ok(())
}

/// Returns the text of the document `name` with links for the website. `files` are the files on the website.
fn rewrite_links(text: &str, name: &str, files: &BTreeMap<String, String>) -> String {
    let mut is_code = false;
    let mut made = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            made.push_str(line);
            continue;
        }
        let mut parts = line.split("](");
        made.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (target, rest) = part.split_once(')').unwrap_or((part, ""));
            made.push_str("](");
            made.push_str(&shown_target(target, name, files));
            made.push(')');
            made.push_str(rest);
        }
    }
    made
}

fn shown_target(target: &str, name: &str, files: &BTreeMap<String, String>) -> String {
    let (path, anchor) = target.split_at(target.find('#').unwrap_or(target.len()));
    if path.is_empty() || target.contains("://") {
        return target.to_owned();
    }
    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
    let path = resolve(directory, path);
    let Some(shown) = files.get(&path) else { return format!("{REPOSITORY}/{path}{anchor}") };
    let depth = files.get(name).map_or(0, |own| own.matches('/').count());
    format!("{}{shown}{anchor}", "../".repeat(depth))
}

/// Resolves a path relative to `directory` to one relative to the root.
fn resolve(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Checks that every link between pages leads to an existing file and anchor. Returns the number of pages.
fn check_links(html: &Path) -> Result<usize, Problem> {
    let mut pages = BTreeMap::new();
    load_pages(html, "", &mut pages)?;
    // It is shown at any URL, so its links are absolute.
    pages.remove("404.html");
    let ids: BTreeMap<&String, BTreeSet<&str>> =
        pages.iter().map(|(name, text)| (name, values(text, "id").collect())).collect();
    let mut broken = Vec::new();
    for (name, text) in &pages {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        for target in values(text, "href").chain(values(text, "src")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            if path.contains(':') {
                continue;
            }
            let path = if path.is_empty() { name.clone() } else { resolve(directory, path) };
            let is_there = html.join(&path).is_file()
                && (anchor.is_empty() || ids.get(&path).is_none_or(|ids| ids.contains(anchor)));
            if !is_there {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    if pages.len() < 50 {
        return Err(format!("there are only {} pages", pages.len()).into());
    }
    if broken.is_empty() { Ok(pages.len()) } else { Err(broken.join("\n").into()) }
}

fn load_pages(directory: &Path, prefix: &str, pages: &mut BTreeMap<String, String>) -> Result<(), Problem> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            load_pages(&path, &format!("{name}/"), pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            pages.insert(name, std::fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// Returns the values of an attribute in mdBook's output.
fn values<'a>(html: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {attribute}=\"");
    let mut rest = html;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&begin)?;
        let (value, after) = after.split_once('"')?;
        rest = after;
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_pages_of_the_website_or_to_the_repository() {
        let files = [
            ("README.md", "index.md"),
            ("SECURITY.md", "SECURITY.md"),
            ("docs/sso.md", "sso.md"),
            ("docs/commands/README.md", "commands/index.md"),
            ("docs/commands/add.md", "commands/add.md"),
        ];
        let files = files.map(|(name, shown)| (name.to_owned(), shown.to_owned())).into();
        for (name, target, expected) in [
            ("README.md", "docs/sso.md#a-b", "sso.md#a-b"),
            ("README.md", "#set-up", "#set-up"),
            ("README.md", "LICENSE-MIT", "https://github.com/hatbox/hatbox/blob/main/LICENSE-MIT"),
            ("docs/sso.md", "../SECURITY.md", "SECURITY.md"),
            ("docs/sso.md", "commands/README.md", "commands/index.md"),
            ("docs/sso.md", "https://example.com/a.md", "https://example.com/a.md"),
            ("docs/commands/add.md", "README.md", "../commands/index.md"),
            ("docs/commands/add.md", "../sso.md", "../sso.md"),
            ("docs/commands/add.md", "../../README.md#x", "../index.md#x"),
        ] {
            assert_eq!(shown_target(target, name, &files), expected, "{name}: {target}");
        }
        let text = "[a](docs/sso.md), [b](#c)\n```\n[a](docs/sso.md)\n```\n";
        let expected = "[a](sso.md), [b](#c)\n```\n[a](docs/sso.md)\n```\n";
        assert_eq!(rewrite_links(text, "README.md", &files), expected);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        assert_eq!(
            values("<a href=\"x\"><b id=\"y\" href=\"z#a\">", "href").collect::<Vec<_>>(),
            ["x", "z#a"]
        );
        assert_eq!(resolve("a/b", "../c/./d"), "a/c/d");
    }
}
