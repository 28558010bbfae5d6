//! The backends `pass` and `passage`: two programs with the same commands, which keep each item in a file.
//!
//! ```text
//! STORE/hatbox/access-key/NAME.gpg    (passage: .age) an item, as one line of JSON
//! STORE/hatbox/cache-key/default.gpg
//! STORE/hatbox/.../NAME.new.gpg       an interrupted write; the next one overwrites it
//! ```
//!
//! Names are those of [`item_name`](super::item_name). They are found by walking the directory. Secrets are accessed
//! only through the program: `show`, `insert --multiline --force`, `mv --force`, `rm --force`; text is passed on stdin
//! and stdout. The only copy of an item is never overwritten, because `insert` truncates the old file before it has
//! written the new one. Instead, the new item is written next to the old one and then replaces it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use zeroize::Zeroizing;

mod complaint;
mod program;

use self::complaint::Complaint;
pub(crate) use self::program::{Failed, PassProgram};
use super::asker::{Asker, OwnPrompt, PassphraseError};
use super::item_name::{parse_name, render_name};
use super::item_text::{ItemTextError, parse_item, render_item};
use super::programs::Programs;
use super::{Item, ItemId, Listed, Status, Store, StoreError, StoreKind, sort_out};
use crate::sys::program::Person;

/// A directory of items in the store of `pass` or `passage`.
#[derive(Debug)]
pub(crate) struct PassStore {
    program: PassProgram,
    prefix: String,
    is_open: bool,
    person: Person,
}

impl PassStore {
    /// Returns hatbox's items in the store of `pass`.
    pub(crate) fn open_pass(programs: &Programs) -> Self {
        Self::open(PassProgram::pass(programs), programs)
    }

    /// Returns hatbox's items in the store of `passage`.
    pub(crate) fn open_passage(programs: &Programs) -> Self {
        Self::open(PassProgram::passage(programs), programs)
    }

    fn open(program: PassProgram, programs: &Programs) -> Self {
        let prefix = programs.prefix.clone().unwrap_or_else(|| "hatbox".to_owned());
        Self { program, prefix, is_open: false, person: Person::IsNotAsked }
    }

    /// Returns an item's name as the program expects it.
    fn entry(&self, id: &ItemId) -> String {
        format!("{}/{}", self.prefix, render_name(id))
    }

    /// Lists all items with their files.
    fn files(&self) -> Vec<(ItemId, PathBuf)> {
        let entries = self.program.entries_below(&self.prefix).into_iter();
        let mut found: Vec<_> = entries.filter_map(|(name, path)| Some((parse_name(&name)?, path))).collect();
        found.sort();
        found
    }

    /// Converts the program's failure for an item into an error.
    fn error_of(&self, id: &ItemId, failed: Failed) -> StoreError {
        let (kind, program) = (self.program.kind(), self.program.name());
        match failed {
            Failed::Program(error) => error,
            Failed::Complaint(Complaint::Absent) => StoreError::Absent,
            Failed::Complaint(Complaint::Locked) if self.person == Person::IsNotAsked => {
                StoreError::Locked(kind, PassphraseError::CannotAsk)
            }
            Failed::Complaint(Complaint::Locked) => {
                let what = format!("`{program}` got no passphrase");
                StoreError::Locked(kind, PassphraseError::Refused { what })
            }
            Failed::Complaint(Complaint::Broken) => {
                self.broken(id, ItemTextError::Damaged("it cannot be decrypted"))
            }
            Failed::Complaint(Complaint::NoKey) => self.program.unavailable(
                format!("the key to decrypt `{}` is missing", self.entry(id)),
                match kind {
                    StoreKind::Pass => Some("gpg --list-secret-keys".to_owned()),
                    _ => None,
                },
            ),
            Failed::Complaint(Complaint::NoRecipient(whom)) => self.program.unavailable(
                format!(
                    "GnuPG cannot encrypt to `{whom}`, which {} names",
                    self.program.shown(&self.program.directory().join(".gpg-id"))
                ),
                Some("run `pass init GPG-ID`".to_owned()),
            ),
            Failed::Complaint(Complaint::Other(line)) => {
                self.program.unavailable(format!("`{program}` says: {line}"), None)
            }
        }
    }

    fn broken(&self, id: &ItemId, problem: ItemTextError) -> StoreError {
        problem.into_store_error(self.program.kind(), format!("item `{}`", self.entry(id)))
    }

    fn show(&self, id: &ItemId, person: Person) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let entry = self.entry(id);
        // A name without a file may be a directory, which the program lists successfully.
        if !self.program.file_of(&entry).is_file() {
            return Err(Failed::Complaint(Complaint::Absent));
        }
        self.program.run(&["show", &entry], Zeroizing::default(), person)
    }

    /// Checks that an item can be decrypted.
    fn probe(&self, id: &ItemId, person: Person) -> Result<(), Failed> {
        match self.show(id, person) {
            // A damaged item says nothing about the others, and a deleted one no longer counts.
            Ok(_) | Err(Failed::Complaint(Complaint::Broken | Complaint::Absent)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}

impl Store for PassStore {
    fn kind(&self) -> StoreKind {
        self.program.kind()
    }

    fn status(&self) -> Status {
        match self.program.obstacle() {
            Some((why, hint)) => Status::Unavailable(format!("{why}: {hint}")),
            None if self.is_open => Status::Ready,
            None if self.files().is_empty() => Status::Empty,
            None => Status::Locked,
        }
    }

    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        self.program.check_usable()?;
        if self.is_open {
            return Ok(());
        }
        match self.files().pop() {
            // Writing needs no secret key, but later commands may.
            None if asker.may_prompt(OwnPrompt::Program).is_ok() => self.person = Person::MayBeAsked,
            None => {}
            Some((id, _)) => match self.probe(&id, Person::IsNotAsked) {
                Ok(()) => {}
                Err(Failed::Complaint(Complaint::Locked)) => {
                    asker
                        .may_prompt(OwnPrompt::Program)
                        .map_err(|error| StoreError::Locked(self.program.kind(), error))?;
                    self.person = Person::MayBeAsked;
                    self.probe(&id, Person::MayBeAsked).map_err(|failed| self.error_of(&id, failed))?;
                }
                Err(failed) => return Err(self.error_of(&id, failed)),
            },
        }
        self.is_open = true;
        Ok(())
    }

    fn lock(&mut self) {
        // gpg-agent keeps its passphrases: other programs of the user rely on them.
        self.is_open = false;
        self.person = Person::IsNotAsked;
    }

    fn list(&self) -> Result<Listed, StoreError> {
        self.program.check_usable()?;
        sort_out(self.files().into_iter().map(|(id, _)| self.read(&id).map(|item| item.info)))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        self.program.check_usable()?;
        let text = self.show(id, self.person).map_err(|failed| self.error_of(id, failed))?;
        let text = std::str::from_utf8(&text)
            .map_err(|_| self.broken(id, ItemTextError::Damaged("it is not what hatbox wrote")))?;
        parse_item(id, text).map_err(|problem| self.broken(id, problem))
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        self.program.check_usable()?;
        let id = &item.info.id;
        let (entry, text) = (self.entry(id), render_item(item));
        let new = format!("{entry}.new");
        let is_new = !self.program.file_of(&entry).exists();
        let target = if is_new { &entry } else { &new };
        let input = Zeroizing::new(text.as_bytes().to_vec());
        let mut result =
            self.program.run(&["insert", "--multiline", "--force", target], input, self.person).map(drop);
        if !is_new && result.is_ok() {
            result = self
                .program
                .run(&["mv", "--force", &new, &entry], Zeroizing::default(), self.person)
                .map(drop);
        }
        if result.is_err() {
            // A partly written file is not an item, so delete it.
            std::fs::remove_file(self.program.file_of(target)).ok();
        }
        result.map_err(|failed| self.error_of(id, failed))
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        self.program.check_usable()?;
        let entry = self.entry(id);
        if !self.program.file_of(&entry).is_file() {
            return Err(StoreError::Absent);
        }
        let result = self.program.run(&["rm", "--force", &entry], Zeroizing::default(), self.person);
        result.map(drop).map_err(|failed| self.error_of(id, failed))
    }

    fn generation(&self) -> Option<u64> {
        let mut digest = DefaultHasher::new();
        for (id, path) in self.files() {
            id.hash(&mut digest);
            let about = std::fs::metadata(path).ok();
            about.map(|about| (about.len(), about.modified().ok())).hash(&mut digest);
        }
        Some(digest.finish())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
