//! Computes the config's new text, with one profile per role in the session's block, and the list of changes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::block::{Block, BlockError, WrittenProfile, find_block, render_block};
use super::names::choose_names;
use super::role::{AssignedRole, RoleError};
use super::template::NameTemplate;
use crate::config::edit::{Change, EditError, append_blank_line, edit_section, line_end, without_blank_line};
use crate::config::header::SectionKind;
use crate::config::origin::FileKind;
use crate::config::syntax::{Document, TooLarge};
use hatbox_types::name::Region;

/// The wanted content of the block.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The `[sso-session]`.
    pub session: &'a str,
    /// The template for names of profiles.
    pub template: &'a NameTemplate,
    /// The region of new profiles; if it differs from that of the last run, of all profiles.
    pub region: Option<&'a Region>,
    /// All roles assigned to the user, in any order.
    pub roles: &'a [AssignedRole],
    /// Names that are used outside of the config file: by sections of the credentials file, and by stored keys.
    pub taken: &'a BTreeSet<String>,
}

/// A profile and its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The profile.
    pub name: String,
    /// The account's id.
    pub account_id: String,
    /// The role.
    pub role_name: String,
    /// The earlier name of the profile, if it is renamed.
    pub renamed_from: Option<String>,
}

/// The changes in a block. Rows are sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Roles that get a new profile.
    pub added: Vec<Row>,
    /// Profiles whose role is no longer assigned.
    pub removed: Vec<Row>,
    /// Profiles with a new name or new settings.
    pub changed: Vec<Row>,
    /// The number of unchanged profiles.
    pub unchanged: usize,
    /// Roles that get no profile.
    pub left_out: Vec<(AssignedRole, RoleError)>,
}

impl Changes {
    /// Whether no profile is added, removed or changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Why there is no new text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PopulateError {
    /// The block cannot be used.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A profile cannot be written.
    #[error("could not write the profile `{name}`")]
    Profile {
        /// The profile.
        name: String,
        /// Why.
        #[source]
        source: EditError,
    },
}

impl From<TooLarge> for PopulateError {
    fn from(error: TooLarge) -> Self {
        Self::Block(error.into())
    }
}

/// Gives the session's block one profile per role. Changes no byte outside of the block.
///
/// A profile whose role is still assigned keeps settings that the user added to it. Running it again changes nothing.
/// Without roles, removes the block.
///
/// # Errors
/// If the block contains something that hatbox did not write, or a profile in it cannot be changed.
pub fn populate(text: &[u8], wanted: &Wanted<'_>) -> Result<(Vec<u8>, Changes), PopulateError> {
    let block = find_block(text, wanted.session)?;
    let written: &[WrittenProfile] = block.as_ref().map_or(&[], |block| &block.profiles);
    let mut roles: Vec<_> = wanted.roles.to_vec();
    roles.sort();
    roles.dedup_by(|one, other| (&one.account_id, &one.role_name) == (&other.account_id, &other.role_name));
    let mut earlier: BTreeMap<_, &WrittenProfile> = BTreeMap::new();
    let mut gone = Vec::new();
    for profile in written {
        // Of two profiles for the same role, the first is kept.
        match earlier.entry((profile.account_id.as_str(), profile.role_name.as_str())) {
            Entry::Vacant(place) => drop(place.insert(profile)),
            Entry::Occupied(_) => gone.push(profile),
        }
    }
    let names_before = earlier.iter().map(|(role, profile)| (*role, profile.name.as_str())).collect();
    let taken = names_outside(text, block.as_ref(), wanted)?;
    let names = choose_names(wanted.template, &roles, &names_before, &taken);

    let end = line_end(text);
    let set_region = block.as_ref().and_then(|block| block.region.as_ref()) != wanted.region;
    let mut changes = Changes::default();
    let mut sections = BTreeMap::new();
    for (role, name) in roles.iter().zip(names) {
        let Some(name) = name else {
            changes.left_out.push((role.clone(), RoleError::Name));
            continue;
        };
        let before = earlier.remove(&(role.account_id.as_str(), role.role_name.as_str()));
        let region = wanted.region.filter(|_| set_region || before.is_none());
        let section = render_section(&name, role, wanted.session, region, before, end)
            .map_err(|source| PopulateError::Profile { name: name.clone(), source })?;
        let renamed_from = before.map(|before| &before.name).filter(|before| **before != name).cloned();
        let row = Row {
            name: name.clone(),
            account_id: role.account_id.as_str().to_owned(),
            role_name: role.role_name.clone(),
            renamed_from,
        };
        match before {
            None => changes.added.push(row),
            Some(before) if row.renamed_from.is_none() && section.ends_with(&before.body) => {
                changes.unchanged += 1;
            }
            Some(_) => changes.changed.push(row),
        }
        sections.insert(name, section);
    }
    gone.extend(earlier.into_values());
    changes.removed = gone.into_iter().map(row_of).collect();
    for rows in [&mut changes.added, &mut changes.removed, &mut changes.changed] {
        rows.sort_by(|one, other| one.name.cmp(&other.name));
    }
    let sections: Vec<_> = sections.into_values().collect();
    let new = (!sections.is_empty())
        .then(|| render_block(wanted.session, wanted.template, wanted.region, &sections, end));
    Ok((replace(text, block.as_ref(), new, end), changes))
}

fn row_of(profile: &WrittenProfile) -> Row {
    Row {
        name: profile.name.clone(),
        account_id: profile.account_id.clone(),
        role_name: profile.role_name.clone(),
        renamed_from: None,
    }
}

/// Returns the names of all profiles outside of the block.
fn names_outside(
    text: &[u8],
    block: Option<&Block>,
    wanted: &Wanted<'_>,
) -> Result<BTreeSet<String>, TooLarge> {
    let range = block.map_or(text.len()..text.len(), |block| block.range.clone());
    let mut names = wanted.taken.clone();
    for part in [text.get(..range.start), text.get(range.end..)] {
        let document = Document::parse(FileKind::Config, part.unwrap_or_default().to_vec())?;
        let profiles = document.sections().filter(|section| section.kind() == SectionKind::Profile);
        names.extend(profiles.map(|section| section.name().into_owned()));
    }
    Ok(names)
}

fn render_section(
    name: &str,
    role: &AssignedRole,
    session: &str,
    region: Option<&Region>,
    before: Option<&WrittenProfile>,
    end: &[u8],
) -> Result<Vec<u8>, EditError> {
    let kind = SectionKind::Profile;
    let header = edit_section(b"", FileKind::Config, kind, name, &[])?;
    let body = before.map_or(&[][..], |before| &before.body);
    let section = [header.trim_ascii_end(), end, body].concat();
    let settings = [
        ("sso_session", Some(session)),
        ("sso_account_id", Some(role.account_id.as_str())),
        ("sso_role_name", Some(&role.role_name)),
        ("region", region.map(Region::as_str)),
    ];
    let set = |(key, value): (&str, Option<&str>)| {
        Some(Change::Set { key: key.to_owned(), value: value?.to_owned() })
    };
    let changes: Vec<_> = settings.into_iter().filter_map(set).collect();
    edit_section(&section, FileKind::Config, kind, name, &changes)
}

/// Replaces the block in the text, or adds it at the end.
fn replace(text: &[u8], block: Option<&Block>, new: Option<Vec<u8>>, end: &[u8]) -> Vec<u8> {
    let Some(block) = block else {
        let mut result = text.to_vec();
        if let Some(new) = new {
            append_blank_line(&mut result, end);
            result.extend_from_slice(&new);
        }
        return result;
    };
    let (mut before, mut after) =
        (text.get(..block.range.start).unwrap_or_default(), text.get(block.range.end..).unwrap_or_default());
    if new.is_none() {
        // Also removes the blank line before the block.
        if after.trim_ascii().is_empty() {
            (before, after) = (without_blank_line(before), b"");
        } else if let Some(less) = after.strip_prefix(end) {
            after = less;
        }
    }
    [before, &new.unwrap_or_default(), after].concat()
}
