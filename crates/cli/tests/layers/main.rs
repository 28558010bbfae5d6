//! The tables of arrows in ARCHITECTURE.md are true: each module uses only what its row lists, and only rows below it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers may panic, like tests"
)]

mod circles;
mod source;

use std::collections::BTreeSet;
use std::fs;

use source::{is_below, load_code, paths_from, root, sources};

/// A row of a table in ARCHITECTURE.md: a module, and the paths in its crate that it may use.
#[derive(Debug)]
struct Row {
    module: String,
    may_use: Vec<String>,
}

/// The rows below the heading `### Arrows in \`krate\``.
fn load_table(krate: &str) -> Vec<Row> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let heading = format!("### Arrows in `{krate}`");
    let section = text.split_once(&heading).unwrap_or_else(|| panic!("no {heading}")).1;
    let table = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|l| l.starts_with('|'));
    let rows: Vec<Row> = table
        .skip(2)
        .map(|line| {
            let in_backticks = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            let mut cells = line.split('|').skip(1);
            let mut module: Vec<String> = in_backticks(cells.next().unwrap());
            Row { module: module.pop().unwrap(), may_use: in_backticks(cells.next().unwrap()) }
        })
        .collect();
    assert!(rows.len() > 5, "no table below {heading}");
    rows
}

/// The row that `path` belongs to: the most specific one.
fn row_of(rows: &[Row], path: &str) -> Option<usize> {
    (0..rows.len()).filter(|&row| is_below(path, &rows[row].module)).max_by_key(|&row| rows[row].module.len())
}

/// Which modules of a crate use which others.
fn uses_within(krate: &str) -> Vec<(String, String)> {
    let mut uses = Vec::new();
    for (file, module) in sources(krate) {
        if module == "lib" {
            continue;
        }
        let code = load_code(&file);
        let mut paths = paths_from(&code, "crate");
        if module == "main" {
            // The root refers to its modules without `crate::`.
            for declared in code.lines().filter_map(|line| line.strip_prefix("mod ")) {
                let declared = declared.trim_end_matches(';');
                let inside = paths_from(&code, declared);
                paths.extend(inside.into_iter().map(|path| format!("{declared}::{path}")));
            }
        } else {
            let climbs = "super::".repeat(module.split("::").count());
            assert!(!code.contains(&climbs), "{}: write `crate::`, not `{climbs}`", file.display());
        }
        uses.extend(paths.into_iter().map(|path| (module.clone(), path)));
    }
    uses
}

/// Messages about differences between a crate and its table.
fn breaches(rows: &[Row], uses: &[(String, String)]) -> Vec<String> {
    let mut breaches = BTreeSet::new();
    for (module, path) in uses {
        let (Some(from), Some(to)) = (row_of(rows, module), row_of(rows, path)) else {
            breaches.insert(format!("`{module}` uses `{path}`, and one of the two has no row"));
            continue;
        };
        let is_named = rows[from].may_use.iter().any(|allowed| is_below(path, allowed));
        if from != to && !is_named {
            breaches
                .insert(format!("`{module}` uses `{path}`, which the row of `{}` lacks", rows[from].module));
        }
    }
    for (number, row) in rows.iter().enumerate() {
        for allowed in &row.may_use {
            if row_of(rows, allowed).is_none_or(|to| to <= number) {
                breaches.insert(format!("the arrow `{}` -> `{allowed}` does not run down", row.module));
            }
            let is_used = uses
                .iter()
                .any(|(module, path)| row_of(rows, module) == Some(number) && is_below(path, allowed));
            if !is_used {
                breaches
                    .insert(format!("the row of `{}` names `{allowed}`, which it does not use", row.module));
            }
        }
    }
    breaches.into_iter().collect()
}

fn check(krate: &str) {
    let breaches = breaches(&load_table(krate), &uses_within(krate));
    assert!(breaches.is_empty(), "ARCHITECTURE.md and crates/{krate} differ:\n{}", breaches.join("\n"));
}

#[test]
fn arrows_of_the_program_run_down_as_the_table_says() {
    check("cli");
}

#[test]
fn the_program_reaches_the_sandbox_from_its_own_command_only() {
    for (file, module) in sources("cli") {
        let is_allowed = is_below(&module, "commands::sandbox");
        assert!(is_allowed || !load_code(&file).contains("hatbox_sandbox"), "{}", file.display());
    }
}

#[test]
fn unsafe_code_is_in_sys_only() {
    for (file, module) in sources("cli") {
        let code = load_code(&file);
        let is_used =
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|u| code.contains(u));
        assert!(is_below(&module, "sys") || !is_used, "{}", file.display());
    }
}

#[test]
fn a_wrong_arrow_is_found() {
    let row = |module: &str, may_use: &[&str]| Row {
        module: module.to_owned(),
        may_use: may_use.iter().map(|path| (*path).to_owned()).collect(),
    };
    let rows = [row("a", &["b", "c::x"]), row("b", &["c"]), row("c", &[])];
    let used = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let good = [used("a::z", "b::Thing"), used("a", "c::x::Y"), used("b", "c::x"), used("c", "c::y")];
    assert_eq!(breaches(&rows, &good), [] as [String; 0]);
    for (bad, why) in [
        (used("c", "a"), "upwards"),
        (used("a", "c::y"), "a part that is not named"),
        (used("d", "a"), "a module without a row"),
        (used("a", "e::F"), "a target without a row"),
    ] {
        let uses: Vec<_> = good.iter().cloned().chain([bad]).collect();
        assert_eq!(breaches(&rows, &uses).len(), 1, "{why}");
    }
    assert_eq!(breaches(&rows, &good[..2]).len(), 1, "a row that lists an unused module");
    let up = [row("a", &[]), row("b", &["a"])];
    assert_eq!(breaches(&up, &[used("b", "a")]).len(), 1, "an arrow that points up");
}
