//! The backend `command`: a helper program that the user chooses stores the items.
//!
//! Each run sends one [`Request`] on stdin and reads one answer from stdout; `docs/store-command.md` describes the
//! protocol. Everything that can be checked is checked: an item contains its own name, and an invalid answer is an
//! error that names the helper.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use hatbox_types::name::AccessKeyId;
use hatbox_types::text::printable_start;

mod protocol;

use self::protocol::{Answer, Request, State, Trouble, Verb, parse_answer, render_request};
use super::asker::{Asker, OwnPrompt, PassphraseError};
use super::item_name::{parse_name, render_name};
use super::item_text::{TEXT_LIMIT, parse_item, render_item};
use super::programs::Programs;
use super::{
    Item, ItemId, ItemInfo, ItemKind, Listed, Status, Store, StoreError, StoreKind, cause, sort_out,
};
use crate::sys::program::{Person, ProgramError};

const KIND: StoreKind = StoreKind::Command;

/// A store that a helper keeps.
#[derive(Debug)]
pub(crate) struct CommandStore {
    programs: Programs,
    /// The setting `store_command`, for `sh -c`.
    command: Option<String>,
    person: Person,
    /// The last status that the helper reported, so that it is not started for each check.
    state: RefCell<Option<Status>>,
}

impl CommandStore {
    /// Returns the store of the helper in the settings.
    pub(crate) fn open(programs: &Programs) -> Self {
        let command = programs.command.clone().filter(|command| !command.trim().is_empty());
        Self { programs: programs.clone(), command, person: Person::IsNotAsked, state: RefCell::new(None) }
    }

    fn unavailable(why: String, hint: Option<String>) -> StoreError {
        StoreError::Unavailable { kind: KIND, source: cause(why), hint }
    }

    /// Returns the helper as the user named it.
    fn shown(&self) -> String {
        let command = self.command.as_deref().unwrap_or_default();
        format!("`{}`", printable_start(command, 100))
    }

    fn no_answer(&self, verb: Verb, problem: &str) -> StoreError {
        let why = format!("the helper {} returned no answer to `{}`: {problem}", self.shown(), verb.as_str());
        Self::unavailable(why, Some("docs/store-command.md describes what a helper must print".to_owned()))
    }

    /// Runs the helper once. `id` is the item, if the request is about one.
    fn ask_helper(
        &self,
        verb: Verb,
        id: Option<&ItemId>,
        item: Option<&Item>,
        person: Person,
    ) -> Result<Answer, StoreError> {
        let Some(command) = &self.command else {
            let why = "no helper is set: `store_command` is not in hatbox's settings".to_owned();
            return Err(Self::unavailable(why, Some("see docs/store-command.md".to_owned())));
        };
        let name = id.map(render_name);
        let text = item.map(render_item);
        let about = item.map(|item| render_about(&item.info));
        let request = render_request(&Request {
            version: protocol::VERSION,
            verb,
            may_ask: person == Person::MayBeAsked,
            name: name.as_deref(),
            about: about.as_deref(),
            text: text.as_ref().map(|text| text.as_str()),
        });
        let arguments: [OsString; 2] = ["-c".into(), command.into()];
        let ended = self
            .programs
            .run("store_command", Path::new("/bin/sh"), &arguments, &[], request, person)
            .map_err(|error| self.no_answer(verb, &error.to_string()))?;
        if !ended.status.success() {
            // Security: stderr is not shown, as it may contain the secrets that the helper received.
            return Err(self.no_answer(verb, &ProgramError::of_status(ended.status).to_string()));
        }
        let answer = parse_answer(&ended.output).map_err(|problem| self.no_answer(verb, problem))?;
        if let Some(said) = &answer.name
            && Some(said) != name.as_ref()
        {
            return Err(self.no_answer(verb, "it is for another item"));
        }
        match answer.error {
            None => Ok(answer),
            Some(trouble) => Err(self.error_of(trouble, answer, id, person)),
        }
    }

    /// Converts the helper's complaint into an error.
    fn error_of(&self, trouble: Trouble, answer: Answer, id: Option<&ItemId>, person: Person) -> StoreError {
        let message = answer.message.unwrap_or_else(|| "it does not say why".to_owned());
        match trouble {
            Trouble::Absent => StoreError::Absent,
            Trouble::Locked if person == Person::IsNotAsked => {
                StoreError::Locked(KIND, PassphraseError::CannotAsk)
            }
            Trouble::Locked | Trouble::Refused => {
                let what = format!("the helper {} says: {message}", self.shown());
                StoreError::Locked(KIND, PassphraseError::Refused { what })
            }
            Trouble::Unavailable => {
                Self::unavailable(format!("the helper {} says: {message}", self.shown()), answer.hint)
            }
            Trouble::Broken => broken(id, &message),
        }
    }

    fn fetch_state(&self) -> Status {
        if self.command.is_none() {
            return Status::Unavailable(
                "no helper is set: add `store_command` to hatbox's settings".to_owned(),
            );
        }
        let answer = match self.ask_helper(Verb::Status, None, None, Person::IsNotAsked) {
            Ok(answer) => answer,
            Err(StoreError::Locked(..)) => return Status::Locked,
            Err(StoreError::Unavailable { source, .. }) => return Status::Unavailable(source.to_string()),
            Err(error) => return Status::Unavailable(error.to_string()),
        };
        match answer.status {
            Some(State::Ready) => Status::Ready,
            Some(State::Locked) => Status::Locked,
            None => Status::Unavailable(self.no_status()),
        }
    }

    fn no_status(&self) -> String {
        format!("the helper {} returned no answer to `status`: it has no status", self.shown())
    }

    fn info_of(&self, name: &str, about: Option<&str>) -> Result<ItemInfo, StoreError> {
        let Some(id) = parse_name(name) else {
            let printable = printable_start(name, 100);
            return Err(broken_named(&printable, "hatbox makes no such name"));
        };
        match about.and_then(|about| parse_about(&id, about)) {
            Some(info) => Ok(info),
            // The helper does not keep `about`.
            None => self.read(&id).map(|item| item.info),
        }
    }
}

fn broken(id: Option<&ItemId>, problem: &str) -> StoreError {
    broken_named(&id.map_or_else(|| "?".to_owned(), render_name), problem)
}

fn broken_named(name: &str, problem: &str) -> StoreError {
    StoreError::Broken { kind: KIND, what: shown(name), problem: problem.to_owned() }
}

fn shown(name: &str) -> String {
    format!("item `{name}`")
}

/// Renders what the index needs of an item, so that it can be built without reading secrets: `AKIA...
/// 2026-01-02T03:04:05Z`.
fn render_about(info: &ItemInfo) -> String {
    let id = info.access_key_id.as_ref().map_or("-", AccessKeyId::as_str);
    format!("{id} {}", info.created)
}

fn parse_about(id: &ItemId, about: &str) -> Option<ItemInfo> {
    let (key, created) = about.split_once(' ')?;
    let access_key_id = match (id.kind, key) {
        (ItemKind::AccessKey, key) => Some(AccessKeyId::parse(key).ok()?),
        (ItemKind::TotpSeed | ItemKind::CacheKey, "-") => None,
        (ItemKind::TotpSeed | ItemKind::CacheKey, _) => return None,
    };
    Some(ItemInfo { id: id.clone(), created: created.parse().ok()?, access_key_id })
}

impl Store for CommandStore {
    fn kind(&self) -> StoreKind {
        KIND
    }

    fn status(&self) -> Status {
        self.state.borrow_mut().get_or_insert_with(|| self.fetch_state()).clone()
    }

    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        if self.status() == Status::Ready {
            return Ok(());
        }
        match self.ask_helper(Verb::Unlock, None, None, Person::IsNotAsked) {
            Ok(_) => {}
            Err(StoreError::Locked(..)) => {
                asker.may_prompt(OwnPrompt::Program).map_err(|error| StoreError::Locked(KIND, error))?;
                self.person = Person::MayBeAsked;
                self.ask_helper(Verb::Unlock, None, None, Person::MayBeAsked)?;
            }
            Err(error) => return Err(error),
        }
        self.state.replace(Some(Status::Ready));
        Ok(())
    }

    fn lock(&mut self) {
        // `hatbox lock` must not fail because the helper was removed: a helper that is gone has nothing to lock.
        self.ask_helper(Verb::Lock, None, None, Person::IsNotAsked).ok();
        self.state.replace(None);
        self.person = Person::IsNotAsked;
    }

    fn list(&self) -> Result<Listed, StoreError> {
        let answer = self.ask_helper(Verb::List, None, None, self.person)?;
        let Some(listed) = answer.items else { return Err(self.no_answer(Verb::List, "it has no items")) };
        let mut seen = BTreeSet::new();
        sort_out(listed.iter().map(|entry| {
            let info = self.info_of(&entry.name, entry.about.as_deref())?;
            if seen.insert(info.id.clone()) {
                Ok(info)
            } else {
                Err(broken_named(&entry.name, "there are two of this name"))
            }
        }))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        let answer = self.ask_helper(Verb::Read, Some(id), None, self.person)?;
        let Some(text) = answer.text else { return Err(self.no_answer(Verb::Read, "it has no text")) };
        parse_item(id, &text).map_err(|problem| problem.into_store_error(KIND, shown(&render_name(id))))
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let id = &item.info.id;
        if render_item(item).len() > TEXT_LIMIT / 2 {
            return Err(broken(Some(id), "it is longer than a helper may answer"));
        }
        self.ask_helper(Verb::Write, Some(id), Some(item), self.person)?;
        // Read back: some tools truncate or change what they store. It is worth another run while the caller still has
        // the item.
        let read = self.read(id)?;
        if read.secret != item.secret || read.info != item.info {
            return Err(broken(Some(id), "it did not come back as it was written"));
        }
        Ok(())
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        self.ask_helper(Verb::Delete, Some(id), None, self.person).map(drop)
    }

    fn generation(&self) -> Option<u64> {
        None
    }
}

/// Returns whether a helper's answer is valid, for `crate::fuzzing`.
#[cfg(any(test, fuzzing))]
pub(crate) fn accepts_answer(bytes: &[u8]) -> bool {
    parse_answer(bytes).is_ok()
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
