//! A path from a caller to a role, as reported by `who`, `reach` and `impact`.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::accounts::Accounts;
use crate::assume::device::has_code_device;
use crate::assume::entity::Entity;
use crate::policy::answer::{Answer, Fact, names_of};
use crate::report::can::entity_json;
use crate::report::words::join_or;
use hatbox_types::text::page::{Line, Page, Style};
use hatbox_types::text::table::Table;

/// The limitation that `who`, `reach` and the graph all mention.
pub(crate) const INDIRECT: &str =
    "Indirect access is not counted: changing policies or creating access keys.";

/// Whether a path starts with an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mfa {
    /// Access keys without MFA are enough.
    NotNeeded,
    /// An MFA code is required.
    Needed,
    /// A code works, and a policy missing from the sources may allow the call without one.
    NotKnown,
    /// The path starts at a role, whose sessions never have MFA.
    OfNoUse,
}

/// A path from a caller to a role. If there are several, it is the one that requires least: a path without MFA is
/// preferred, even if it is less certain than another with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPath {
    /// The caller.
    pub from: Entity,
    /// The role that the path leads to.
    pub to: Entity,
    /// The roles in between. Shared, as long chains have many paths.
    pub through: Vec<Arc<Entity>>,
    /// Whether the path starts with an MFA code.
    pub mfa: Mfa,
    /// Whether a code is required and the caller is known to have no device that produces one.
    pub lacks_device: bool,
    /// The answer for the whole path; never *no*.
    pub answer: Answer,
}

impl AccessPath {
    /// Records that a policy missing from the sources may allow the call without the code that the known path requires.
    pub(crate) fn allow_for_less(&mut self, is_perhaps_without_mfa: bool) {
        if self.mfa == Mfa::Needed && is_perhaps_without_mfa {
            self.mfa = Mfa::NotKnown;
        }
    }

    /// Adds a table row: the name and account of `entity`, one of the path's ends, and what the path requires.
    pub(crate) fn push_row(&self, table: &mut Table, name: &str, entity: &Entity, common: &[Fact]) {
        let account = entity.account.as_ref().map(ToString::to_string).unwrap_or_default();
        let style = if self.answer == Answer::Yes { Style::Plain } else { Style::Warning };
        table.row(&[(name, Style::Plain), (&account, Style::Plain), (&self.render(common), style)]);
    }

    /// Renders what the path requires: `with MFA, through Ops`.
    fn render(&self, common: &[Fact]) -> String {
        let mut parts = Vec::new();
        match self.mfa {
            Mfa::NotNeeded => parts.push("no MFA needed".to_owned()),
            Mfa::Needed if self.lacks_device => parts.push("with MFA, but has no device".to_owned()),
            Mfa::Needed => parts.push("with MFA".to_owned()),
            Mfa::NotKnown if self.lacks_device => {
                parts.push("with MFA, but has no device; perhaps without".to_owned());
            }
            Mfa::NotKnown => parts.push("with MFA, perhaps without".to_owned()),
            Mfa::OfNoUse => parts.push("chained".to_owned()),
        }
        if !self.through.is_empty() {
            let names: Vec<_> = self.through.iter().map(|entity| entity.name.as_str()).collect();
            parts.push(format!("through {}", names.join(", ")));
        }
        let is_own = |fact: &&Fact| !common.contains(fact);
        let own: Vec<Fact> = self.answer.facts().iter().filter(is_own).cloned().collect();
        if !own.is_empty() {
            parts.push(format!("depending on {}", join_or(&names_of(&own))));
        }
        parts.join(", ")
    }

    pub(crate) fn to_json(&self) -> Json {
        let mfa = match self.mfa {
            Mfa::NotNeeded => "not-needed",
            Mfa::Needed => "needed",
            Mfa::NotKnown => "not-known",
            Mfa::OfNoUse => "role-session",
        };
        json!({
            "from": entity_json(&self.from),
            "to": entity_json(&self.to),
            "through": self.through.iter().map(|entity| entity_json(entity)).collect::<Vec<_>>(),
            "mfa": mfa,
            "lacks_device": self.lacks_device,
            "answer": self.answer.name(),
            "depends_on": names_of(self.answer.facts()),
        })
    }
}

/// Returns the facts that every path depends on, which the report shows once below the table.
pub(crate) fn common_to(paths: &[AccessPath]) -> Vec<Fact> {
    let mut all = paths.iter().map(|path| path.answer.facts());
    let first = all.next().unwrap_or_default().to_vec();
    all.fold(first, |common, facts| common.into_iter().filter(|fact| facts.contains(fact)).collect())
}

/// Marks the paths of users who need a code but have no device that produces one.
pub(crate) fn look_for_devices(accounts: &Accounts, paths: &mut [AccessPath]) {
    for path in paths.iter_mut().filter(|path| matches!(path.mfa, Mfa::Needed | Mfa::NotKnown)) {
        path.lacks_device = has_code_device(accounts, &path.from) == Some(false);
    }
}

/// Adds the end of a report: what applies to all paths, what is unknown and why, and what is not counted.
pub(crate) fn push_end(page: &mut Page, common: &[Fact], paths: &[AccessPath], open: &[Entity], why: &str) {
    push_footer(page, common, paths);
    push_not_known(page, open, why);
    page.blank();
    page.plain(INDIRECT);
}

/// Adds the entities that the sources do not decide, and why.
fn push_not_known(page: &mut Page, entities: &[Entity], why: &str) {
    if !entities.is_empty() {
        let names: Vec<_> = entities.iter().map(Entity::label).collect();
        page.blank();
        push_unknown(page, &format!("{}, {why}.", join_or(&names)));
    }
}

/// Adds a paragraph about something unknown.
pub(crate) fn push_unknown(page: &mut Page, what: &str) {
    page.hang(Line::of("Not known:", Style::Warning).with(" ", Style::Plain), what, Style::Plain, 0);
}

/// Adds what applies to all paths.
fn push_footer(page: &mut Page, common: &[Fact], paths: &[AccessPath]) {
    let (policies, facts): (Vec<Fact>, Vec<Fact>) = common.iter().cloned().partition(Fact::is_policy);
    let (policies, facts) = (names_of(&policies), names_of(&facts));
    if !policies.is_empty() {
        let what = join_or(&policies);
        page.blank();
        page.paragraph(&format!("All of this, unless {what} denies it."));
    }
    if !facts.is_empty() {
        page.blank();
        page.paragraph(&format!("All of this depends on {}.", join_or(&facts)));
    }
    if paths.iter().any(|path| !path.through.is_empty() || path.mfa == Mfa::OfNoUse) {
        page.blank();
        page.plain("Role chaining limits the session to 1 hour.");
    }
}
