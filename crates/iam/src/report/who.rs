//! Reports who can assume a role, including through other roles.

use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::accounts::{Accounts, Extent};
use crate::assume::edges::{Edge, Edges};
use crate::assume::entity::{Entity, Session};
use crate::assume::target::Target;
use crate::policy::document::Effect;
use crate::policy::principal::PrincipalKind;
use crate::report::can::entity_json;
use crate::report::path::{AccessPath, INDIRECT, Mfa, common_to, look_for_devices, push_end, push_unknown};
use crate::report::words::join_or;
use hatbox_types::text::page::{Line, Page, Style};
use hatbox_types::text::table::Table;

/// Who can assume a role.
#[derive(Debug, Clone)]
pub struct Who {
    /// The role.
    pub role: Entity,
    /// The paths, sorted by account and name of the caller, users before roles.
    pub paths: Vec<AccessPath>,
    /// Other principals that the trust policy names, as text: services, identity providers, accounts without a source.
    pub others: Vec<String>,
    /// Callers that can assume the role only if a policy missing from the sources allows it.
    pub perhaps: Vec<Entity>,
    /// Why the trust policy is unknown; empty if it is known.
    pub not_known: Vec<String>,
}

/// Finds all callers that can assume `role`.
pub fn who(accounts: &Accounts, role: &Entity, assumptions: &Assumptions) -> Who {
    let mut edges = Edges::new(accounts, assumptions);
    // The paths from roles to `role`, by their first role; the empty path first.
    let mut from_role: BTreeMap<Entity, AccessPath> = BTreeMap::new();
    let mut perhaps: BTreeSet<Entity> = BTreeSet::new();
    let mut ends = vec![Arc::new(role.clone())];
    let mut next = 0;
    while let Some(end) = ends.get(next).cloned() {
        next += 1;
        let is_new = |from: &Entity| from != role && !from_role.contains_key(from);
        for edge in edges.incoming(&end, Credentials::RoleSession, is_new) {
            if edge.ruling.as_known.is_no() {
                perhaps.insert(edge.from);
            } else {
                let path = prepend(edge, &end, from_role.get(&*end), role, Mfa::OfNoUse);
                ends.push(Arc::new(path.from.clone()));
                from_role.insert(path.from.clone(), path);
            }
        }
    }
    perhaps.retain(|entity| !from_role.contains_key(entity));
    // A path through an uncertain caller is uncertain too.
    let mut unsure_ends: Vec<Entity> = perhaps.iter().cloned().collect();
    let mut next = 0;
    while let Some(end) = unsure_ends.get(next).cloned() {
        next += 1;
        let is_new = |from: &Entity| from != role && !from_role.contains_key(from) && !perhaps.contains(from);
        let more = edges.incoming(&end, Credentials::RoleSession, is_new);
        unsure_ends.extend(more.iter().map(|edge| edge.from.clone()));
        perhaps.extend(more.into_iter().map(|edge| edge.from));
    }
    let mut from_user: BTreeMap<Entity, AccessPath> = BTreeMap::new();
    let mut perhaps_without_mfa = BTreeSet::new();
    for (credentials, mfa) in
        [(Credentials::AccessKeys, Mfa::NotNeeded), (Credentials::AccessKeysWithMfa, Mfa::Needed)]
    {
        for end in &ends {
            for edge in edges.incoming(end, credentials, |from| !from_user.contains_key(from)) {
                if edge.ruling.as_known.is_no() {
                    perhaps.insert(edge.from);
                } else {
                    let path = prepend(edge, end, from_role.get(&**end), role, mfa);
                    from_user.insert(path.from.clone(), path);
                }
            }
        }
        for end in &unsure_ends {
            let is_new = |from: &Entity| !from_user.contains_key(from) && !perhaps.contains(from);
            let more = edges.incoming(end, credentials, is_new);
            perhaps.extend(more.into_iter().map(|edge| edge.from));
        }
        if credentials == Credentials::AccessKeys {
            perhaps_without_mfa.clone_from(&perhaps);
        }
    }
    for path in from_user.values_mut() {
        path.allow_for_less(perhaps_without_mfa.contains(&path.from));
    }
    perhaps.retain(|entity| !from_user.contains_key(entity) && !from_role.contains_key(entity));
    let by_place = |a: &AccessPath, b: &AccessPath| {
        let key = |path: &AccessPath| (path.from.kind, path.from.account.clone(), path.from.name.clone());
        key(a).cmp(&key(b))
    };
    let mut paths: Vec<_> = from_user.into_values().chain(from_role.into_values()).collect();
    paths.sort_by(by_place);
    look_for_devices(accounts, &mut paths);
    let target = Target::gather(accounts, role);
    let others = others(accounts, &target);
    let not_known = match target.trust {
        Some(_) => Vec::new(),
        None => target.gaps.into_iter().map(|gap| gap.what).collect(),
    };
    Who { role: role.clone(), paths, others, perhaps: perhaps.into_iter().collect(), not_known }
}

fn prepend(edge: Edge, end: &Arc<Entity>, rest: Option<&AccessPath>, role: &Entity, mfa: Mfa) -> AccessPath {
    let mut through = Vec::new();
    let mut answer = edge.ruling.answer;
    if let Some(rest) = rest {
        through.push(Arc::clone(end));
        through.extend(rest.through.iter().cloned());
        answer = answer.and(rest.answer.clone());
    }
    AccessPath { from: edge.from, to: role.clone(), through, mfa, lacks_device: false, answer }
}

/// Returns the other principals that an Allow of the trust policy names.
fn others(accounts: &Accounts, target: &Target) -> Vec<String> {
    let mut others: Vec<String> = Vec::new();
    let statements = target.trust.iter().flat_map(|trust| &trust.statements);
    for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
        let is_open = statement.conditions.is_empty();
        let under = if is_open { "" } else { ", under a condition" };
        let Some(element) = &statement.principals else { continue };
        if element.is_negated {
            others.push(format!("anyone in any account except those it names{under}"));
            continue;
        }
        others.extend(element.entries.iter().filter_map(|principal| {
            match &principal.kind {
                PrincipalKind::Everyone => Some(format!("anyone, in any account{under}")),
                PrincipalKind::Service => Some(format!("the service {}{under}", principal.text)),
                PrincipalKind::Federated => {
                    Some(format!("whom the provider {} signs in{under}", principal.text))
                }
                PrincipalKind::Account { account, .. } => match accounts.account(account) {
                    None => Some(format!(
                        "any user or role of account {account} (not in the sources) that it allows{under}"
                    )),
                    Some((_, known)) if known.extent == Extent::Part => Some(format!(
                        "other users or roles of account {account}, which the sources cover in part{under}"
                    )),
                    Some(_) => None,
                },
                PrincipalKind::Arn => session_elsewhere(accounts, &principal.text)
                    .map(|session| format!("{session} (not in the sources){under}")),
                PrincipalKind::NoOne | PrincipalKind::CanonicalUser => None,
            }
        }));
    }
    others.dedup();
    others
}

/// Describes a session of a role that no source has.
fn session_elsewhere(accounts: &Accounts, principal: &str) -> Option<String> {
    let Session { account, role, name } = Session::parse(principal)?;
    let known = accounts.account(account);
    let is_known = known.is_some_and(|(_, known)| known.roles.values().any(|known| known.name == role));
    (!is_known).then(|| format!("the session {name} of the role {role} of account {account}"))
}

impl Who {
    /// Renders the answer as text.
    pub fn render(&self) -> Page {
        let role = self.role.label();
        let mut page = Page::default();
        if !self.not_known.is_empty() {
            push_unknown(&mut page, &format!("{}.", join_or(&self.not_known)));
            page.blank();
            page.plain(INDIRECT);
            return page;
        }
        if self.paths.is_empty() && !self.perhaps.is_empty() {
            page.plain(&format!("As far as is known, no user or role in the sources can assume {role}."));
        } else if self.paths.is_empty() {
            page.plain(&format!("No user or role in the sources can assume {role}."));
        } else {
            page.line(&[(&format!("Who can assume {role}"), Style::Strong)]);
            page.blank();
        }
        let common = common_to(&self.paths);
        let mut table = Table::indented(2);
        for path in &self.paths {
            let name = match path.from.kind {
                crate::assume::entity::EntityKind::User => path.from.name.clone(),
                crate::assume::entity::EntityKind::Role => format!("role {}", path.from.name),
            };
            path.push_row(&mut table, &name, &path.from, &common);
        }
        page.append(table.into_page());
        if !self.others.is_empty() {
            page.blank();
            page.line(&[("Its trust policy also names", Style::Strong)]);
            for other in &self.others {
                page.hang(Line::of("  ", Style::Plain), other, Style::Plain, 4);
            }
        }
        let why = "who may be allowed by something outside the sources";
        push_end(&mut page, &common, &self.paths, &self.perhaps, why);
        page
    }

    /// Renders the answer as JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "schema": 1,
            "role": entity_json(&self.role),
            "callers": self.paths.iter().map(AccessPath::to_json).collect::<Vec<_>>(),
            "others": self.others,
            "not_known": self.perhaps.iter().map(entity_json).collect::<Vec<_>>(),
            "trust_policy_not_known": self.not_known,
            "note": INDIRECT,
        })
    }
}
