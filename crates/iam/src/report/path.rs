//! A path from a caller to a role, as `who`, `reach` and `impact` report it.

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

/// What `who`, `reach` and the graph leave out, in the words of all of them.
pub(crate) const INDIRECT: &str =
    "Indirect access is not counted: changing policies or creating access keys.";

/// Whether a path begins with an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mfa {
    /// Access keys without MFA suffice.
    NotNeeded,
    /// A code is needed.
    Needed,
    /// A code suffices, and something that is not in the sources may allow the call without one.
    NotKnown,
    /// The path begins at a role, whose sessions never carry MFA.
    OfNoUse,
}

/// A path from a caller to a role. Of several it is the one that asks for least: a path without MFA, though it
/// be less certain than another with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPath {
    /// Who calls.
    pub from: Entity,
    /// The role at its end.
    pub to: Entity,
    /// Roles between. Shared, as the paths through a long chain are many.
    pub through: Vec<Arc<Entity>>,
    /// Whether it begins with an MFA code.
    pub mfa: Mfa,
    /// Whether a code is needed and the caller is known to have no device that gives one.
    pub lacks_device: bool,
    /// Never *no*.
    pub answer: Answer,
}

impl AccessPath {
    /// Takes into account that something unseen may let the caller in without the code that the known path needs.
    pub(crate) fn allow_for_less(&mut self, is_perhaps_without_mfa: bool) {
        if self.mfa == Mfa::Needed && is_perhaps_without_mfa {
            self.mfa = Mfa::NotKnown;
        }
    }

    /// Adds its row: the name and account of `entity` at one of its ends, and what it asks for.
    pub(crate) fn push_row(&self, table: &mut Table, name: &str, entity: &Entity, common: &[Fact]) {
        let account = entity.account.as_ref().map(ToString::to_string).unwrap_or_default();
        let style = if self.answer == Answer::Yes { Style::Plain } else { Style::Warning };
        table.row(&[(name, Style::Plain), (&account, Style::Plain), (&self.render(common), style)]);
    }

    /// The rest of its line: `with MFA, through Ops`.
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

/// What every path depends on: named once, below.
pub(crate) fn common_to(paths: &[AccessPath]) -> Vec<Fact> {
    let mut all = paths.iter().map(|path| path.answer.facts());
    let first = all.next().unwrap_or_default().to_vec();
    all.fold(first, |common, facts| common.into_iter().filter(|fact| facts.contains(fact)).collect())
}

/// Marks the paths of those who cannot send a code today.
pub(crate) fn look_for_devices(accounts: &Accounts, paths: &mut [AccessPath]) {
    for path in paths.iter_mut().filter(|path| matches!(path.mfa, Mfa::Needed | Mfa::NotKnown)) {
        path.lacks_device = has_code_device(accounts, &path.from) == Some(false);
    }
}

/// The end of a report: what holds for all paths, whom or what the sources leave open, and what is not counted.
pub(crate) fn push_end(page: &mut Page, common: &[Fact], paths: &[AccessPath], open: &[Entity], why: &str) {
    push_footer(page, common, paths);
    push_not_known(page, open, why);
    page.blank();
    page.plain(INDIRECT);
}

/// Whom or what the sources leave open, and why.
fn push_not_known(page: &mut Page, entities: &[Entity], why: &str) {
    if !entities.is_empty() {
        let names: Vec<_> = entities.iter().map(Entity::label).collect();
        page.blank();
        push_unknown(page, &format!("{}, {why}.", join_or(&names)));
    }
}

/// What is not known, as a paragraph.
pub(crate) fn push_unknown(page: &mut Page, what: &str) {
    page.hang(Line::of("Not known:", Style::Warning).with(" ", Style::Plain), what, Style::Plain, 0);
}

/// What holds for all paths.
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
