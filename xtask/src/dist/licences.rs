//! `THIRD-PARTY-LICENSES.txt`: the licences of all third-party code in the program: crates, Rust's standard library,
//! and the C library if it is linked statically.
//!
//! The texts come from the sources of the crates and from the installed toolchains. Each text is written once, below
//! the names of all parts that it applies to. All copies of the Apache licence count as one text, although their
//! appendices differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::Problem;
use crate::released::is_static;
use crate::scene::{cargo, check, root};

/// The part of the output of `cargo metadata` that is used here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    authors: Vec<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// `None` for crates of the workspace.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `None` for a normal dependency; otherwise `build` or `dev`.
    kind: Option<String>,
}

/// A third-party component of the program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    license: String,
    origin: String,
    texts: Vec<String>,
}

const APACHE: &str = "Apache License, Version 2.0";
const MIT: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and \
    associated documentation files (the \"Software\"), to deal in the Software without restriction, including without \
    limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the \
    Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n\n\
    The above copyright notice and this permission notice shall be included in all copies or substantial portions of the \
    Software.\n\n\
    THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE \
    WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
    COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR \
    OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.\n";

const HEAD: &str = "\
hatbox contains the work of others, under the licences below. hatbox itself is licensed under LICENSE-APACHE or
LICENSE-MIT, at your option. This file lists what is in the program, then the texts of the licences.
";

/// Renders the file for a program built for `target`.
pub(super) fn render_licences(target: &str) -> Result<String, Problem> {
    let mut parts = load_crates(target)?;
    parts.extend(load_standard_library()?);
    parts.extend(load_c_library(target)?);
    Ok(render(&parts, &std::fs::read_to_string(root().join("LICENSE-APACHE"))?))
}

fn render(parts: &[Part], apache: &str) -> String {
    let mut parts: Vec<&Part> = parts.iter().collect();
    parts.sort();
    let mut text = HEAD.to_owned();
    for part in &parts {
        text.push_str(&format!("\n{}\n  licence: {}\n  from:    {}\n", part.name, part.license, part.origin));
    }
    // Keyed by words alone, so that copies with different line breaks count as one.
    let mut texts: BTreeMap<String, (BTreeSet<&str>, &str)> = BTreeMap::new();
    for part in &parts {
        for text in &part.texts {
            let (key, shown) =
                if is_apache(text) { (APACHE.to_owned(), apache) } else { (words(text), text.as_str()) };
            texts.entry(key).or_insert((BTreeSet::new(), shown)).0.insert(&part.name);
        }
    }
    let mut texts: Vec<_> = texts.into_values().collect();
    texts.sort();
    for (names, shown) in texts {
        let names: Vec<&str> = names.into_iter().collect();
        text.push_str(&format!("\n{}\n{}:\n\n", "=".repeat(80), names.join(", ")));
        text.extend(shown.trim_matches(['\n', '\r']).lines().map(|line| format!("{}\n", line.trim_end())));
    }
    text
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether a text is a copy of the Apache licence.
fn is_apache(text: &str) -> bool {
    words(text).to_lowercase().starts_with("apache license version 2.0, january 2004")
}

/// Returns the crates in the program, which are those of `cargo tree --edges normal`.
fn load_crates(target: &str) -> Result<Vec<Part>, Problem> {
    let mut command = cargo();
    command.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", target]);
    command.arg("--manifest-path").arg(root().join("crates/cli/Cargo.toml"));
    let metadata: Metadata = serde_json::from_str(&check(&command.output()?)?)?;
    let package = |id: &str| metadata.packages.iter().find(|package| package.id == id);
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let own = metadata.packages.iter().find(|package| package.name == "hatbox" && package.source.is_none());
    let mut waiting = vec![own.ok_or("cargo metadata names no hatbox")?.id.as_str()];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let normal = deps.filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            waiting.extend(normal.map(|dep| dep.pkg.as_str()));
        }
    }
    let foreign = seen.into_iter().filter_map(package).filter(|package| package.source.is_some());
    foreign.map(load_crate).collect()
}

fn load_crate(package: &Package) -> Result<Part, Problem> {
    let name = format!("{} {}", package.name, package.version);
    let license = package.license.clone().ok_or(format!("{name} names no licence"))?;
    let directory = package.manifest_path.parent().ok_or("a manifest without a directory")?;
    let mut texts = load_texts(directory)?;
    if texts.is_empty() {
        texts = standard_texts(&name, &license, &package.authors)?;
    }
    let origin = format!("https://crates.io/crates/{}/{}", package.name, package.version);
    let origin = package.repository.as_ref().map_or(origin.clone(), |page| format!("{origin}, {page}"));
    Ok(Part { name, license, origin, texts })
}

/// Loads the files in a crate's directory whose names look like licences.
fn load_texts(directory: &Path) -> Result<Vec<String>, Problem> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_text = ["licen", "copying", "copyright", "notice", "unlicense"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_text && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(|file| Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())).collect()
}

/// For a crate without licence files, returns the standard text of the licence in its manifest.
fn standard_texts(name: &str, license: &str, authors: &[String]) -> Result<Vec<String>, Problem> {
    let has = |wanted: &str| license.split(['/', ' ', '(', ')']).any(|word| word == wanted);
    if has("Apache-2.0") {
        return Ok(vec!["Apache License Version 2.0, January 2004".to_owned()]);
    }
    if has("MIT") {
        let holder = if authors.is_empty() { format!("the authors of {name}") } else { authors.join(", ") };
        return Ok(vec![format!("Copyright (c) {holder}\n\n{MIT}")]);
    }
    Err(format!("{name} has no file with the text of its licence, {license}: see xtask/src/dist/licences.rs")
        .into())
}

/// Returns Rust's standard library and its crates, whose licences are on one page of the toolchain.
fn load_standard_library() -> Result<Vec<Part>, Problem> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = |word: &[&str]| check(&Command::new(&rustc).current_dir(root()).args(word).output()?);
    let sysroot = printed(&["--print", "sysroot"])?;
    let version = printed(&["--version"])?;
    let file = Path::new(sysroot.trim_end()).join("share/doc/rust/COPYRIGHT-library.html");
    let page = std::fs::read_to_string(&file).map_err(|problem| format!("{}: {problem}", file.display()))?;
    let mut parts = read_page(&page)?;
    let version = version.split(' ').nth(1).unwrap_or_default();
    parts.push(Part {
        name: format!("Rust's standard library {version}"),
        license: "MIT OR Apache-2.0".to_owned(),
        origin: "https://github.com/rust-lang/rust".to_owned(),
        texts: vec![
            format!("Copyright (c) The Rust Project Developers, https://thanks.rust-lang.org\n\n{MIT}"),
            "Apache License Version 2.0, January 2004".to_owned(),
        ],
    });
    Ok(parts)
}

/// Parses the crates on the page: `<h3>📦 NAME-VERSION</h3>`, then a paragraph with the licence and a `<pre>` for each
/// text. Skips crates for systems without a release.
fn read_page(page: &str) -> Result<Vec<Part>, Problem> {
    const ELSEWHERE: [&str; 10] =
        ["dlmalloc", "fortanix", "hermit", "moto", "r-efi", "rand", "vex", "wasi", "wit-bindgen", "cc-"];
    let mut parts = Vec::new();
    for section in page.split("<h3>").skip(1) {
        let (title, rest) = section.split_once("</h3>").ok_or("a title without an end")?;
        let crate_name = title.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim();
        if ELSEWHERE.iter().any(|start| crate_name.starts_with(start)) {
            continue;
        }
        let field = |name: &str| {
            let rest = rest.split_once(&format!("<b>{name}:</b>"))?.1;
            Some(unescape(rest.split_once("</p>")?.0.trim()))
        };
        let license = field("License").ok_or(format!("{crate_name} names no licence"))?;
        let texts: Vec<String> = rest
            .split("<pre>")
            .skip(1)
            .filter_map(|text| Some(unescape(text.split_once("</pre>")?.0)))
            .collect();
        let (name, version) = crate_name
            .split_once('-')
            .filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
            .or_else(|| crate_name.rsplit_once('-'))
            .ok_or("a crate without a version")?;
        let name_and_version = format!("{name} {version} (in Rust's standard library)");
        let texts = if texts.is_empty() { standard_texts(&name_and_version, &license, &[])? } else { texts };
        let origin = format!("https://crates.io/crates/{name}/{version}");
        parts.push(Part { name: name_and_version, license, origin, texts });
    }
    if parts.is_empty() {
        Err("the standard library's page of licences has no crates".into())
    } else {
        Ok(parts)
    }
}

fn unescape(html: &str) -> String {
    let plain = html.replace("&lt;", "<").replace("&#60;", "<").replace("&gt;", ">").replace("&#62;", ">");
    plain
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// Returns the C library, if it is in the program. The notices come from Debian's packages.
fn load_c_library(target: &str) -> Result<Vec<Part>, Problem> {
    let (name, license, origin, files): (&str, &str, &str, &[&str]) = match target {
        "x86_64-unknown-linux-gnu" => (GLIBC, LGPL, GLIBC_ORIGIN, &["libc6-dev", "libc6"]),
        "aarch64-unknown-linux-gnu" => {
            (GLIBC, LGPL, GLIBC_ORIGIN, &["libc6-dev-arm64-cross", "libc6-dev", "libc6"])
        }
        "x86_64-pc-windows-gnu" => (
            "mingw-w64's runtime",
            "ZPL-2.1 and others, all permissive",
            "https://www.mingw-w64.org",
            &["mingw-w64-common", "mingw-w64-x86-64-dev"],
        ),
        _ => return Ok(Vec::new()),
    };
    let found = files.iter().find_map(|package| {
        std::fs::read_to_string(Path::new("/usr/share/doc").join(package).join("copyright")).ok()
    });
    let missing = || format!("the licence of {name} was not found: install {}", files.join(" or "));
    let mut texts = vec![found.ok_or_else(missing)?];
    if is_static(target) {
        texts.push(std::fs::read_to_string("/usr/share/common-licenses/LGPL-2.1")?);
    }
    Ok(vec![Part { name: name.to_owned(), license: license.to_owned(), origin: origin.to_owned(), texts }])
}

const GLIBC: &str = "The GNU C Library";
const GLIBC_ORIGIN: &str = "https://sourceware.org/glibc, linked statically; to link hatbox with a changed one, build its \
    source with `cargo run -p xtask -- release`";
const LGPL: &str = "LGPL-2.1-or-later and others";

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, text: &str) -> Part {
        Part {
            name: name.to_owned(),
            license: "MIT".to_owned(),
            origin: "https://example.org".to_owned(),
            texts: vec![text.to_owned()],
        }
    }

    #[test]
    fn a_text_that_several_have_is_written_once_under_all_names() {
        let mit = "Copyright (c) A\n\nPermission is\nhereby granted";
        let apache = [
            "Apache License\n   Version 2.0, January 2004\n\none",
            "Apache License Version 2.0, January 2004\ntwo",
        ];
        let parts = [
            part("b 1", mit),
            part("a 1", &mit.replace('\n', " ")),
            part("c 1", apache[0]),
            part("d 1", apache[1]),
        ];
        let text = render(&parts, "the Apache licence\n");
        assert_eq!(text.matches("granted").count(), 1, "{text}");
        assert!(text.contains("\na 1, b 1:\n"), "{text}");
        assert!(text.contains("\nc 1, d 1:\n\nthe Apache licence\n"), "{text}");
        let reversed: Vec<Part> = parts.into_iter().rev().collect();
        assert_eq!(render(&reversed, "the Apache licence\n").matches("a 1, b 1:").count(), 1);
    }

    #[test]
    fn every_crate_of_the_program_has_a_licence_text() {
        for target in ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu", "aarch64-apple-darwin"] {
            let parts = load_crates(target).unwrap();
            assert!(parts.len() > 150, "{target}: {}", parts.len());
            assert!(parts.iter().all(|part| part.texts.iter().any(|text| text.len() > 30)), "{target}");
            assert!(parts.iter().any(|part| part.name.starts_with("ring ")), "{target}");
            assert!(parts.iter().all(|part| !part.name.starts_with("proptest ")), "{target}");
        }
    }

    #[test]
    fn the_standard_library_and_what_is_in_it_have_licences() {
        let parts = load_standard_library().unwrap();
        for name in ["Rust's standard library 1.", "hashbrown 0.", "libc 0.", "windows-sys 0."] {
            assert!(parts.iter().any(|part| part.name.starts_with(name)), "{name}: {parts:?}");
        }
        assert!(parts.iter().all(|part| !part.texts.iter().any(|text| text.contains("&#"))));
    }

    #[test]
    fn a_crate_without_a_file_gets_the_text_that_it_names_or_is_an_error() {
        let authors = ["Jo <jo@example.org>".to_owned()];
        let texts = standard_texts("x 1", "MIT", &authors).unwrap();
        assert!(texts[0].starts_with("Copyright (c) Jo <jo@example.org>\n"), "{texts:?}");
        assert!(is_apache(&standard_texts("x 1", "MIT/Apache-2.0", &authors).unwrap()[0]));
        let problem = standard_texts("x 1", "MPL-2.0", &authors).unwrap_err().to_string();
        assert!(problem.starts_with("x 1 has no file with the text of its licence, MPL-2.0"), "{problem}");
    }
}
