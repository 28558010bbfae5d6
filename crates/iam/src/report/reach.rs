//! Everything that a caller can assume, through other roles too, and whether that asks for MFA.

use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::accounts::Accounts;
use crate::assume::device::has_code_device;
use crate::assume::edges::{Edge, Edges};
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::answer::{Answer, Fact, names_of};
use crate::report::can::entity_json;
use crate::report::words::join_or;
use hatbox_types::text::page::{Line, Page, Style};
use hatbox_types::text::table::Table;

/// What `who`, `reach` and the graph leave out, in the words of all of them.
pub(crate) const INDIRECT: &str =
    "Indirect access is not counted: changing policies or creating access keys.";

/// Whether a path begins with an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mfa {
    /// Plain access keys get in.
    NotNeeded,
    /// A code is needed.
    Needed,
    /// A code lets the caller in, and something that no source tells may do so without one.
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

/// What a caller can assume.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The caller.
    pub caller: Entity,
    /// By account and name of the role.
    pub paths: Vec<AccessPath>,
    /// Roles that are within reach only if something allows it that no source tells.
    pub perhaps: Vec<Entity>,
}

/// Finds all roles that `caller` can assume.
pub fn reach(accounts: &Accounts, caller: &Entity, assumptions: &Assumptions) -> Reach {
    let mut search = Search { caller, edges: Edges::new(accounts, assumptions), onward: BTreeMap::new() };
    let mut found: BTreeMap<Entity, AccessPath> = BTreeMap::new();
    let mut perhaps: BTreeSet<Entity> = BTreeSet::new();
    match caller.kind {
        EntityKind::Role => search.follow(Credentials::RoleSession, Mfa::OfNoUse, &mut found, &mut perhaps),
        EntityKind::User => {
            search.follow(Credentials::AccessKeys, Mfa::NotNeeded, &mut found, &mut perhaps);
            let perhaps_without_mfa = perhaps.clone();
            search.follow(Credentials::AccessKeysWithMfa, Mfa::Needed, &mut found, &mut perhaps);
            for path in found.values_mut() {
                path.allow_for_less(perhaps_without_mfa.contains(&path.to));
            }
        }
    }
    perhaps.retain(|entity| !found.contains_key(entity));
    let mut paths: Vec<_> = found.into_values().collect();
    look_for_devices(accounts, &mut paths);
    paths.sort_by(|a, b| (&a.to.account, &a.to.name).cmp(&(&b.to.account, &b.to.name)));
    Reach { caller: caller.clone(), paths, perhaps: perhaps.into_iter().collect() }
}

/// The search for all that one caller can assume.
struct Search<'a> {
    caller: &'a Entity,
    edges: Edges<'a>,
    /// The steps that leave the roles met so far.
    onward: BTreeMap<Entity, Vec<Edge>>,
}

impl Search<'_> {
    /// Adds the paths that begin with a call signed so to `found`, and the roles at the end of those that have a step
    /// which only something unseen could allow to `perhaps`.
    fn follow(
        &mut self,
        credentials: Credentials,
        mfa: Mfa,
        found: &mut BTreeMap<Entity, AccessPath>,
        perhaps: &mut BTreeSet<Entity>,
    ) {
        let mut queue: VecDeque<AccessPath> = VecDeque::new();
        let mut unsure: Vec<Entity> = Vec::new();
        let mut steps = self.edges.outgoing(self.caller, credentials);
        let mut path: Option<AccessPath> = None;
        loop {
            for edge in steps {
                if edge.to == *self.caller {
                    continue;
                }
                if edge.ruling.as_known.is_no() {
                    if perhaps.insert(edge.to.clone()) {
                        unsure.push(edge.to);
                    }
                } else if !found.contains_key(&edge.to) {
                    let next = extend(self.caller, path.as_ref(), edge, mfa);
                    found.insert(next.to.clone(), next.clone());
                    queue.push_back(next);
                }
            }
            let Some(next) = queue.pop_front() else { break };
            steps = self.outgoing(&next.to);
            path = Some(next);
        }
        while let Some(role) = unsure.pop() {
            for edge in self.outgoing(&role) {
                if edge.to != *self.caller && perhaps.insert(edge.to.clone()) {
                    unsure.push(edge.to);
                }
            }
        }
    }

    fn outgoing(&mut self, role: &Entity) -> Vec<Edge> {
        let edges = &mut self.edges;
        self.onward
            .entry(role.clone())
            .or_insert_with(|| edges.outgoing(role, Credentials::RoleSession))
            .clone()
    }
}

/// Marks the paths of those who cannot send a code today.
pub(crate) fn look_for_devices(accounts: &Accounts, paths: &mut [AccessPath]) {
    for path in paths.iter_mut().filter(|path| matches!(path.mfa, Mfa::Needed | Mfa::NotKnown)) {
        path.lacks_device = has_code_device(accounts, &path.from) == Some(false);
    }
}

fn extend(caller: &Entity, path: Option<&AccessPath>, edge: Edge, mfa: Mfa) -> AccessPath {
    let mut through = path.map(|path| path.through.clone()).unwrap_or_default();
    through.extend(path.map(|path| Arc::new(path.to.clone())));
    let before = path.map_or(Answer::Yes, |path| path.answer.clone());
    let answer = before.and(edge.ruling.answer);
    AccessPath { from: caller.clone(), to: edge.to, through, mfa, lacks_device: false, answer }
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

impl Reach {
    /// The answer for people.
    pub fn render(&self) -> Page {
        let caller = self.caller.label();
        let mut page = Page::default();
        match (self.paths.is_empty(), self.perhaps.is_empty()) {
            (true, true) => page.plain(&format!("{caller} cannot assume any role of the sources.")),
            (true, false) => {
                page.plain(&format!("By what is known, {caller} cannot assume any role of the sources."));
            }
            (false, _) => {
                page.line(&[(&format!("Roles that {caller} can assume"), Style::Strong)]);
                page.blank();
            }
        }
        let common = common_to(&self.paths);
        let mut table = Table::indented(2);
        for path in &self.paths {
            path.push_row(&mut table, &path.to.name, &path.to, &common);
        }
        page.append(table.into_page());
        push_footer(&mut page, &common, &self.paths);
        push_not_known(&mut page, &self.perhaps, "where something that is not in the sources may allow it");
        page.blank();
        page.plain(INDIRECT);
        page
    }

    /// The answer as JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "schema": 1,
            "caller": entity_json(&self.caller),
            "roles": self.paths.iter().map(AccessPath::to_json).collect::<Vec<_>>(),
            "not_known": self.perhaps.iter().map(entity_json).collect::<Vec<_>>(),
            "note": INDIRECT,
        })
    }
}

/// Whom or what the sources leave open, and why.
pub(crate) fn push_not_known(page: &mut Page, entities: &[Entity], why: &str) {
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
pub(crate) fn push_footer(page: &mut Page, common: &[Fact], paths: &[AccessPath]) {
    let (policies, facts): (Vec<Fact>, Vec<Fact>) = common.iter().cloned().partition(Fact::is_policy);
    let (policies, facts) = (names_of(&policies), names_of(&facts));
    if !policies.is_empty() {
        let what = join_or(&policies);
        page.blank();
        page.paragraph(&format!("All of it unless {what} forbids it."));
    }
    if !facts.is_empty() {
        page.blank();
        page.paragraph(&format!("All of it depending on {}.", join_or(&facts)));
    }
    if paths.iter().any(|path| !path.through.is_empty() || path.mfa == Mfa::OfNoUse) {
        page.blank();
        page.plain("Role chaining limits the session to 1 hour.");
    }
}
