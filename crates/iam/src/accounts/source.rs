//! Detects the kind of a source by its contents, and reads it.

use std::collections::BTreeMap;

use super::details::{self, Pages};
use super::document::Document;
use super::entities::{Attribute, UnplacedRole};
use super::model::Accounts;
use super::origin::{Origin, OriginId, SourceKind};
use crate::policy::json::{self, parse_json_values};
use crate::policy::node::{JsonError, Node, Value};
use hatbox_types::name::AccountId;

/// Why a source could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct SourceError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// What is wrong, as text for the user.
    pub problem: String,
    /// Whether the source is valid JSON, but not of a known kind.
    pub is_foreign: bool,
}

impl From<JsonError> for SourceError {
    fn from(error: JsonError) -> Self {
        Self { line: error.place.line, column: error.place.column, problem: error.problem, is_foreign: false }
    }
}

impl Accounts {
    /// Reads one source and merges it in. For files, `origin.kind` is only the default and is replaced by the detected
    /// kind; [`SourceKind::Live`] is kept.
    ///
    /// # Errors
    /// If the source is not UTF-8, not JSON, of an unknown kind or version, or has a member of the wrong type. What was
    /// read before the error is kept; the caller must discard the accounts.
    pub fn add_source(&mut self, bytes: &[u8], origin: Origin) -> Result<OriginId, SourceError> {
        let text = json::decode(bytes)?;
        let nodes = parse_json_values(text)?;
        let is_live = origin.kind == SourceKind::Live;
        let roles_before = self.roles().count();
        let id = self.add_origin(origin);
        let mut pages = Pages::default();
        let documents = nodes.iter().flat_map(|node| match &node.value {
            Value::Array(items) if !items.is_empty() => items.as_slice(),
            _ => std::slice::from_ref(node),
        });
        for node in documents {
            let whole = (nodes.len() == 1).then_some(text);
            let kind = self.read_document(node, whole, id, &mut pages)?;
            if let Some(origin) = self.origins.get_mut(id.0)
                && !is_live
            {
                origin.kind = kind;
            }
        }
        self.close_pages(pages, id)?;
        self.place_policy_files(id, self.roles().count() > roles_before);
        Ok(id)
    }

    fn read_document(
        &mut self,
        node: &Node,
        whole: Option<&str>,
        origin: OriginId,
        pages: &mut Pages,
    ) -> Result<SourceKind, SourceError> {
        let has = |name: &str| node.find(name).is_some();
        if details::MEMBERS.iter().any(|name| has(name)) {
            self.read_details(node, None, origin, pages)?;
            return Ok(SourceKind::AccountDetails);
        }
        if has("schema") {
            self.read_snapshot(node, origin)?;
            return Ok(SourceKind::Snapshot);
        }
        if has("format_version") {
            return Ok(self.read_show(node, origin)?);
        }
        if has("version") {
            self.read_state(node, origin)?;
            return Ok(SourceKind::TerraformState);
        }
        if has("Statement") {
            // Keep the original text, so that positions in the policy are positions in the file.
            let text = whole.map_or_else(|| node.render(), str::to_owned);
            self.add_policy_file(text, origin);
            return Ok(SourceKind::PolicyFile);
        }
        let problem =
            "neither a snapshot, nor account details, nor a state or plan of Terraform, nor a policy";
        Err(SourceError { is_foreign: true, ..node.error(problem).into() })
    }

    /// Adds a policy file: the trust policy of the role that the file is named after.
    fn add_policy_file(&mut self, text: String, origin: OriginId) {
        let name = self.origin(origin).map(|origin| stem(&origin.name).to_owned()).unwrap_or_default();
        let trust = Attribute::Known(Document::new(name.as_str(), text, origin));
        self.unplaced.push(UnplacedRole { name, trust, address: None, origin });
    }

    /// Called after the source `last`: assigns policy files to the roles that they are named after. The trust policy of
    /// the later source wins. If several roles have the name, the file stays unassigned.
    fn place_policy_files(&mut self, last: OriginId, has_new_roles: bool) {
        let is_due = |role: &UnplacedRole| role.address.is_none() && (has_new_roles || role.origin == last);
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unplaced).into_iter().partition(is_due);
        self.unplaced = rest;
        let mut called: BTreeMap<&str, Vec<(AccountId, String)>> =
            due.iter().map(|file| (file.name.as_str(), Vec::new())).collect();
        for (account, role) in self.roles() {
            if let Some(found) = called.get_mut(role.name.as_str()) {
                found.push((account.clone(), role.arn.clone()));
            }
        }
        for file in &due {
            let called_so = called.get(file.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            match (called_so, file.trust.known()) {
                ([(account, arn)], Some(trust)) => self.merge_trust(account, arn, trust.clone()),
                ([] | [_], _) => self.unplaced.push(file.clone()),
                (several, _) => {
                    let count = several.len();
                    let text = format!(
                        "{count} roles are called {}, and the file is used for none of them",
                        file.name
                    );
                    self.note(file.origin, text);
                    self.unplaced.push(file.clone());
                }
            }
        }
    }
}

/// Returns the name of a file without its folder and extension: `policies/Ops.json` is `Ops`.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    file.strip_suffix(".json").unwrap_or(file)
}
