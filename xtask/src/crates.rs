//! `crates`: counts the crates that each feature of hatbox adds, and compares them with a budget.
//!
//! Counts the crates in `cargo tree` for the host system: normal dependencies, each once, including hatbox's own
//! crates. For a feature, counts those in addition to a build without features.

use std::collections::BTreeSet;
use std::process::Command;

use crate::Problem;
use crate::scene::{check, root};

/// The budget without any feature; most of these crates belong to the SDK's STS client.
const BASE: usize = 192;

/// Each feature and the maximum number of crates that it may add.
const BUDGET: [(&str, usize); 7] = [
    ("file", 85),
    ("iam", 4),
    ("keychain", 8),
    ("plugins", 90),
    ("sandbox", 8),
    ("secret-service", 58),
    ("trust", 4),
];

/// Counts the crates. Fails if a feature is over its budget or has none.
pub(crate) fn run() -> Result<(), Problem> {
    check_that_each_has_a_budget(&std::fs::read_to_string(root().join("crates/cli/Cargo.toml"))?)?;
    let base = load_crates("")?;
    let mut is_over = base.len() > BASE;
    println!("| feature | crates | budget |");
    println!("|---|---|---|");
    println!("| none | {} | {BASE} |", base.len());
    for (feature, budget) in BUDGET {
        let count = load_crates(feature)?.difference(&base).count();
        println!("| `{feature}` | {count} more | {budget} |");
        is_over |= count > budget;
    }
    if is_over { Err("more crates than the budget in xtask/src/crates.rs".into()) } else { Ok(()) }
}

/// Without this check, a new feature would have no budget.
fn check_that_each_has_a_budget(manifest: &str) -> Result<(), Problem> {
    let default = manifest.lines().find_map(|line| line.strip_prefix("default = ["));
    let names = default.ok_or("crates/cli/Cargo.toml has no default features")?.split('"').skip(1).step_by(2);
    match names.into_iter().find(|name| BUDGET.iter().all(|(feature, _)| feature != name)) {
        None => Ok(()),
        Some(name) => Err(format!("the feature `{name}` has no budget in xtask/src/crates.rs").into()),
    }
}

/// Returns `name vVERSION` of each crate in the build.
fn load_crates(feature: &str) -> Result<BTreeSet<String>, Problem> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let flags =
        ["tree", "--quiet", "--locked", "--package", "hatbox", "--edges", "normal", "--prefix", "none"];
    let output = Command::new(cargo)
        .args(flags)
        .args(["--no-default-features", "--features", feature])
        .current_dir(root())
        .output()?;
    Ok(parse_crates(&check(&output)?))
}

/// Takes the first two words of each line `name vVERSION (path) (*)`.
fn parse_crates(tree: &str) -> BTreeSet<String> {
    let first_two = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    tree.lines().filter(|line| !line.is_empty()).map(first_two).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_and_each_version_of_it() {
        let tree = "hatbox v0.1.0 (/x)\na v1.0.0\na v1.0.0 (*)\na v2.0.0\nb v1.0.0 (proc-macro)\n\n";
        assert_eq!(parse_crates(tree).len(), 4);
    }

    #[test]
    fn a_feature_without_a_budget_is_seen() {
        assert!(check_that_each_has_a_budget("x\ndefault = [\"file\", \"trust\"]\n").is_ok());
        assert!(check_that_each_has_a_budget("default = [\"file\", \"newer\"]\n").is_err());
        assert!(check_that_each_has_a_budget("[features]\n").is_err());
    }
}
