//! Graphs of who can assume which role: their exact output, and properties of all of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers may panic, like tests")]

use hatbox_iam::graph::{Account, Edge, Graph, Kind, Mfa, Node, Perhaps};

mod federation;
mod looks;
mod many;
mod markup;
mod properties;
mod survey;

pub(crate) const HOME: &str = "111122223333";
pub(crate) const PROD: &str = "444455556666";

/// A graph under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) accounts: Vec<Account>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) perhaps: Vec<Perhaps>,
    pub(crate) not_known: Vec<String>,
}

impl Draft {
    pub(crate) fn account(&mut self, id: &str, label: &str) {
        self.accounts.push(Account { id: id.to_owned(), label: Some(label.to_owned()) });
    }

    fn node(&mut self, kind: Kind, account: &str, name: &str, id: String) -> usize {
        let account = (!account.is_empty()).then(|| account.to_owned());
        self.nodes.push(Node {
            kind,
            account,
            name: name.to_owned(),
            id,
            members: Vec::new(),
            has_more: false,
        });
        self.nodes.len() - 1
    }

    pub(crate) fn user(&mut self, account: &str, name: &str) -> usize {
        self.node(Kind::User, account, name, format!("arn:aws:iam::{account}:user/{name}"))
    }

    pub(crate) fn role(&mut self, account: &str, name: &str) -> usize {
        self.node(Kind::Role, account, name, format!("arn:aws:iam::{account}:role/{name}"))
    }

    pub(crate) fn outsider(&mut self, account: &str, name: &str) -> usize {
        self.node(Kind::Outside, account, name, format!("{name} of {account}"))
    }

    pub(crate) fn edge(&mut self, from: usize, to: usize, mfa: Mfa) -> &mut Edge {
        self.edges.push(Edge { from, to, mfa, conditions: Vec::new(), unknown: Vec::new() });
        self.edges.last_mut().unwrap()
    }

    pub(crate) fn finish(self) -> Graph {
        Graph::new(self.accounts, self.nodes, self.edges, self.perhaps, self.not_known)
    }
}

/// Three users and four roles: with MFA, without MFA, and chained.
pub(crate) fn small() -> Draft {
    let mut draft = Draft::default();
    draft.account(HOME, "home");
    draft.account(PROD, "prod");
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| draft.user(HOME, name));
    let [ops, admin, audit, legacy] = ["Ops", "Admin", "Audit", "Legacy"].map(|name| draft.role(PROD, name));
    draft.edge(alice, ops, Mfa::Required);
    draft.edge(alice, admin, Mfa::Required);
    draft.edge(bob, ops, Mfa::Required);
    draft.edge(carol, legacy, Mfa::NotRequired);
    draft.edge(ops, audit, Mfa::NotRequired);
    draft
}
