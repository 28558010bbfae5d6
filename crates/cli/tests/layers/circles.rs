//! No two files of a crate import from each other, directly or through other files.
//!
//! A file may use what a `mod.rs` above it declares: that does not count as a circle. What a `mod.rs` only re-exports
//! counts as an import from the file that declares it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{is_below, load_code, paths_from, sources, split_imports};

/// Pairs of files that are still in a circle. Remove a pair once it no longer is.
const KNOWN: [(&str, &str, &str); 0] = [];

/// The paths that a file uses, and its imports by the names that they have in it.
#[derive(Default)]
struct File {
    uses: BTreeSet<String>,
    names: BTreeMap<String, String>,
}

/// The files of a crate by module path; the root has the empty path.
type Files = BTreeMap<String, File>;

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn parent(module: &str) -> Option<&str> {
    (!module.is_empty()).then(|| module.rsplit_once("::").map_or("", |(above, _)| above))
}

/// Resolves a path written in `module` to a path from the crate's root; `None` for another crate's path.
fn resolve_path(module: &str, path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    match first {
        "crate" => Some(rest.to_owned()),
        "self" => Some(join(module, rest)),
        "super" => {
            let mut from = parent(module)?;
            let mut rest = rest;
            while let Some(further) = rest.strip_prefix("super::") {
                (from, rest) = (parent(from)?, further);
            }
            Some(join(from, rest))
        }
        _ => modules.contains(&join(module, first)).then(|| join(module, path)),
    }
}

fn read_file(module: &str, code: &str, modules: &BTreeSet<String>) -> File {
    let mut file = File::default();
    let (imports, rest) = split_imports(code);
    for import in imports {
        let Some(path) = resolve_path(module, &import.path, modules) else { continue };
        let path = path.strip_suffix("::self").unwrap_or(&path).to_owned();
        if !import.is_public {
            file.uses.insert(path.clone());
        }
        file.names.insert(import.name, path);
    }
    let children =
        modules.iter().filter(|of| parent(of) == Some(module)).filter_map(|of| of.rsplit("::").next());
    for start in ["crate", "self", "super"].into_iter().chain(children) {
        let paths = paths_from(&rest, start).into_iter().map(|path| format!("{start}::{path}"));
        file.uses.extend(paths.filter_map(|path| resolve_path(module, &path, modules)));
    }
    file
}

/// The files of a crate, except those that contain only tests.
fn load_files(krate: &str) -> Files {
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    let mut of_tests = Vec::new();
    for (path, module) in sources(krate) {
        let module = if matches!(module.as_str(), "lib" | "main") { String::new() } else { module };
        let code = load_code(&path);
        let declared = code.split("#[cfg(test)]\nmod ").skip(1).map(|rest| rest.split(';').next().unwrap());
        of_tests.extend(declared.map(|name| join(&module, name)));
        codes.insert(module, code);
    }
    codes.retain(|module, _| !of_tests.iter().any(|tests| is_below(module, tests)));
    read_files(codes.iter().map(|(module, code)| (module.as_str(), code.as_str())))
}

fn read_files<'c>(codes: impl Iterator<Item = (&'c str, &'c str)> + Clone) -> Files {
    let modules: BTreeSet<String> = codes.clone().map(|(module, _)| module.to_owned()).collect();
    codes.map(|(module, code)| (module.to_owned(), read_file(module, code, &modules))).collect()
}

/// The file that declares the item at `path`.
fn declaring<'f>(files: &'f Files, path: &str, depth: usize) -> &'f str {
    let module = files.keys().filter(|module| module.is_empty() || is_below(path, module));
    let (module, file) = files.get_key_value(module.max_by_key(|module| module.len()).unwrap()).unwrap();
    let rest = if module.is_empty() { path } else { path[module.len()..].trim_start_matches("::") };
    let (name, inside) = rest.split_once("::").unwrap_or((rest, ""));
    match file.names.get(name) {
        Some(elsewhere) if depth > 0 && elsewhere != path => {
            let path = if inside.is_empty() { elsewhere.clone() } else { join(elsewhere, inside) };
            declaring(files, &path, depth - 1)
        }
        _ => module,
    }
}

/// For each file, the files that it imports from, except a `mod.rs` above it.
fn imports_of(files: &Files) -> BTreeMap<&str, BTreeSet<&str>> {
    let targets = |module: &str, file: &File| -> BTreeSet<&str> {
        let declaring = file.uses.iter().map(|path| declaring(files, path, 8));
        declaring.filter(|&target| !target.is_empty() && !is_below(module, target)).collect()
    };
    files.iter().map(|(module, file)| (module.as_str(), targets(module, file))).collect()
}

/// The files that can be reached from a file; itself only through other files.
fn reached<'f>(imports: &BTreeMap<&'f str, BTreeSet<&'f str>>, from: &str) -> BTreeSet<&'f str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = imports[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&imports[module]);
        }
    }
    reached
}

/// The circles of a crate, each as its files in alphabetical order: `a b c`.
fn circles(files: &Files) -> BTreeSet<String> {
    let imports = imports_of(files);
    let reached: BTreeMap<&str, _> = imports.keys().map(|&from| (from, reached(&imports, from))).collect();
    let of = |from: &str| {
        let back: Vec<_> = reached[from].iter().copied().filter(|&to| reached[to].contains(from)).collect();
        (!back.is_empty()).then(|| back.join(" "))
    };
    imports.keys().filter_map(|&from| of(from)).collect()
}

/// Messages about the circles of a crate that are not known, and about known ones that no longer exist.
fn find_wrong(krate: &str, circles: &BTreeSet<String>, known: &[(&str, &str, &str)]) -> Vec<String> {
    let has = |circle: &str, file: &str| circle.split(' ').any(|of| of == file);
    let known: Vec<_> = known.iter().filter(|(of, ..)| *of == krate).collect();
    let is_in =
        |circle: &String, (_, one, other): &(&str, &str, &str)| has(circle, one) && has(circle, other);
    let new = circles.iter().filter(|circle| !known.iter().any(|pair| is_in(circle, pair)));
    let gone = known.iter().filter(|pair| !circles.iter().any(|circle| is_in(circle, pair)));
    new.map(|circle| format!("`{krate}`: these files import from each other: {circle}"))
        .chain(gone.map(|(_, one, other)| {
            format!("`{krate}`: {one} and {other} no longer do: take them off the list")
        }))
        .collect()
}

#[test]
fn no_two_files_import_from_each_other() {
    let crates = ["types", "core", "iam", "sandbox", "cli"];
    let wrong: Vec<_> =
        crates.iter().flat_map(|krate| find_wrong(krate, &circles(&load_files(krate)), &KNOWN)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_circle_that_is_gone_may_not_stay_on_the_list() {
    let circles: BTreeSet<String> = ["a b c".to_owned(), "d e".to_owned()].into();
    assert_eq!(
        find_wrong("iam", &circles, &[("iam", "a", "c"), ("iam", "d", "e"), ("cli", "f", "g")]),
        [""; 0]
    );
    assert_eq!(find_wrong("iam", &circles, &[("iam", "a", "c")]).len(), 1, "a new one");
    assert_eq!(
        find_wrong("iam", &circles, &[("iam", "a", "b"), ("iam", "d", "e"), ("iam", "a", "d")]).len(),
        1
    );
}

#[test]
fn circles_are_found_through_lists_other_names_and_what_is_handed_on() {
    let circles_of = |codes: &[(&str, &str)]| {
        let root = [("", "mod a;\nmod b;\npub use b::Last;")];
        let found = circles(&read_files(root.iter().chain(codes).copied()));
        found.into_iter().collect::<Vec<_>>()
    };
    let none: [String; 0] = [];
    let child = ("a::x", "use super::Shared;\nuse super::y::{self, Y};");
    let straight = [("a", "mod x;\nmod y;\npub(crate) use x::X;"), ("a::y", "fn y() {}"), child];
    assert_eq!(circles_of(&[straight.as_slice(), &[("b", "use crate::a::X;")]].concat()), none);
    for (other, circle) in [
        (("a::y", "use super::X;"), "a::x a::y"),
        (("a::y", "fn y() { super::x::z() }"), "a::x a::y"),
        (("a::y", "use crate::a::{x as other};"), "a::x a::y"),
        (("b", "use crate::a::X;\nuse super::c::C;"), "b c"),
    ] {
        let c = ("c", "use crate::{d::D, Last};");
        let mut codes: BTreeMap<&str, &str> = straight.into_iter().collect();
        codes.extend([("b", ""), c, ("d", ""), other]);
        let codes: Vec<_> = codes.into_iter().collect();
        assert_eq!(circles_of(&codes), [circle], "{other:?}");
    }
    let upwards = [("a", "use x::X;\nuse crate::b::B;"), ("a::x", "use super::A;"), ("b", "fn b() {}")];
    assert_eq!(circles_of(&upwards), none, "what a folder declares for its files");
    let round = [upwards[0], upwards[1], ("b", "use crate::a::x::X;\nuse crate::a::A;")];
    assert_eq!(circles_of(&round), ["a b"]);
}
