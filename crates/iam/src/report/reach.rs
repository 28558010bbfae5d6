//! Reports every role that a caller can assume, including through other roles, and whether that requires MFA.

use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::accounts::Accounts;
use crate::assume::edges::{Edge, Edges};
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::answer::Answer;
use crate::report::can::entity_json;
use crate::report::path::{AccessPath, INDIRECT, Mfa, common_to, look_for_devices, push_end};
use hatbox_types::text::page::{Page, Style};
use hatbox_types::text::table::Table;

/// The roles that a caller can assume.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The caller.
    pub caller: Entity,
    /// The paths, sorted by account and name of the role.
    pub paths: Vec<AccessPath>,
    /// Roles that can be reached only if a policy missing from the sources allows it.
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

/// The search for all roles that one caller can assume.
struct Search<'a> {
    caller: &'a Entity,
    edges: Edges<'a>,
    /// The next steps from the roles found so far.
    onward: BTreeMap<Entity, Vec<Edge>>,
}

impl Search<'_> {
    /// Adds to `found` the paths that start with a call signed this way. Adds to `perhaps` the roles at the end of
    /// paths with a step that only a missing policy could allow.
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

fn extend(caller: &Entity, path: Option<&AccessPath>, edge: Edge, mfa: Mfa) -> AccessPath {
    let mut through = path.map(|path| path.through.clone()).unwrap_or_default();
    through.extend(path.map(|path| Arc::new(path.to.clone())));
    let before = path.map_or(Answer::Yes, |path| path.answer.clone());
    let answer = before.and(edge.ruling.answer);
    AccessPath { from: caller.clone(), to: edge.to, through, mfa, lacks_device: false, answer }
}

impl Reach {
    /// Renders the answer as text.
    pub fn render(&self) -> Page {
        let caller = self.caller.label();
        let mut page = Page::default();
        match (self.paths.is_empty(), self.perhaps.is_empty()) {
            (true, true) => page.plain(&format!("{caller} cannot assume any role in the sources.")),
            (true, false) => {
                page.plain(&format!("As far as is known, {caller} cannot assume any role in the sources."));
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
        let why = "which may be allowed by something outside the sources";
        push_end(&mut page, &common, &self.paths, &self.perhaps, why);
        page
    }

    /// Renders the answer as JSON.
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
