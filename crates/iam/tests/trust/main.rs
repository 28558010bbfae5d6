//! The reports of `hatbox trust`, with their exact output.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic, like tests")]

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};

mod can;
mod reach;

pub(crate) const SNAPSHOT: &str = include_str!("../accounts/snapshot.json");
pub(crate) const STATE: &str = include_str!("../accounts/terraform.tfstate");
pub(crate) const NO_ORGANIZATION: &str = r#"{"schema": 1, "organization": "none"}"#;

/// Reads up to three sources, as files with these names.
pub(crate) fn read(sources: &[&str]) -> Accounts {
    let mut accounts = Accounts::default();
    for (source, name) in sources.iter().zip(["iam.json", "second.json", "third.json"]) {
        let origin = Origin { name: name.to_owned(), kind: SourceKind::PolicyFile, taken: None };
        accounts.add_source(source.as_bytes(), origin).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    accounts
}
