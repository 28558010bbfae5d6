//! aws-vault's stores `pass` and `passage`: one entry per item, below a prefix that is empty by default.

use hatbox_types::name::ProfileName;
use zeroize::Zeroizing;

use super::{FoundKey, ReadError, VaultError, parse_item, profile_of};
use crate::store::pass::{Failed, PassProgram};
use crate::store::programs::Programs;
use crate::sys::program::Person;

/// Entries of one of the programs.
#[derive(Debug)]
pub(crate) struct PassVault {
    program: PassProgram,
    prefix: String,
}

impl PassVault {
    pub(crate) fn pass(programs: &Programs, prefix: &str) -> Self {
        Self { program: PassProgram::pass(programs), prefix: prefix.trim_matches('/').to_owned() }
    }

    pub(crate) fn passage(programs: &Programs, prefix: &str) -> Self {
        Self { program: PassProgram::passage(programs), prefix: prefix.trim_matches('/').to_owned() }
    }

    /// Whether aws-vault's entries are mixed with all other entries of the user.
    pub(crate) fn is_shared(&self) -> bool {
        self.prefix.is_empty()
    }

    /// The directory of the program's store.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.program.directory()
    }

    pub(super) fn entry_of(&self, profile: &ProfileName) -> String {
        if self.prefix.is_empty() { profile.to_string() } else { format!("{}/{profile}", self.prefix) }
    }

    pub(super) fn profiles(&self) -> Result<Vec<ProfileName>, VaultError> {
        if let Some((why, _)) = self.program.obstacle() {
            return Err(VaultError::Absent(why));
        }
        let entries = self.program.entries_below(&self.prefix);
        Ok(entries.iter().filter_map(|(name, _)| profile_of(name)).collect())
    }

    pub(super) fn read(&self, profile: &ProfileName) -> Result<FoundKey, ReadError> {
        let shown = self.run(&["show", &self.entry_of(profile)]).map_err(ReadError::Reported)?;
        parse_item(profile, &shown).map_err(ReadError::Form)
    }

    pub(super) fn delete(&self, profile: &ProfileName) -> Result<(), String> {
        self.run(&["rm", "--force", &self.entry_of(profile)]).map(drop)
    }

    fn run(&self, words: &[&str]) -> Result<Zeroizing<Vec<u8>>, String> {
        let ran = self.program.run(words, Zeroizing::default(), Person::MayBeAsked);
        ran.map_err(|failed| match failed {
            Failed::Program(error) => match std::error::Error::source(&error) {
                Some(source) => source.to_string(),
                None => error.to_string(),
            },
            Failed::Complaint(complaint) => complaint.describe(self.program.name()),
        })
    }
}
