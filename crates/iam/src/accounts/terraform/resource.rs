//! One resource as Terraform shows it, and its attributes, which may not be known before it is applied.

use crate::accounts::document::Document;
use crate::accounts::entities::Attribute;
use crate::accounts::origin::OriginId;
use crate::accounts::read::{self, find};
use crate::policy::node::{JsonError, Node, Value};

/// A managed resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'n> {
    /// `aws_iam_role`, ...
    pub(super) kind: &'n str,
    /// `module.iam.aws_iam_role.ops["a"]`, as far as it is given.
    pub(super) address: Address<'n>,
    /// Its attributes.
    pub(super) values: &'n Node<'n>,
    /// Of a plan: which of them are not known yet.
    pub(super) unknown: Option<&'n Node<'n>>,
}

/// Where a resource is in the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Address<'n> {
    /// As written.
    Whole(&'n str),
    /// Of a state file: its parts.
    Parts { module: Option<&'n str>, kind: &'n str, name: &'n str, key: Option<&'n Node<'n>> },
}

impl Address<'_> {
    pub(super) fn render(self) -> String {
        match self {
            Self::Whole(text) => text.to_owned(),
            Self::Parts { module, kind, name, key } => {
                let module = module.map(|module| format!("{module}.")).unwrap_or_default();
                let key = key.map(|key| format!("[{}]", key.render())).unwrap_or_default();
                format!("{module}{kind}.{name}{key}")
            }
        }
    }
}

impl<'n> Resource<'n> {
    /// The attribute `name`. Null and the empty text count as not there.
    pub(super) fn find(&self, name: &str) -> Attribute<&'n Node<'n>> {
        if self.unknown.and_then(|unknown| unknown.find(name)).is_some_and(has_true) {
            return Attribute::UntilApply;
        }
        let found = find(self.values, name).filter(|node| node.value != Value::String("".into()));
        found.map_or(Attribute::NotGiven, Attribute::Known)
    }

    pub(super) fn text(&self, name: &str) -> Result<Attribute<&'n str>, JsonError> {
        Ok(match self.find(name) {
            Attribute::Known(node) => Attribute::Known(node.text(&format!("`{name}`"))?),
            Attribute::UntilApply => Attribute::UntilApply,
            Attribute::NotGiven => Attribute::NotGiven,
        })
    }

    /// The texts of a list; none when it is not there or not known.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, JsonError> {
        match self.find(name) {
            Attribute::Known(_) => read::texts(self.values, name),
            Attribute::UntilApply | Attribute::NotGiven => Ok(Vec::new()),
        }
    }

    /// The policy in the attribute `attribute`.
    pub(super) fn document(&self, attribute: &str, name: &str, origin: OriginId) -> Attribute<Document> {
        match self.find(attribute) {
            Attribute::Known(node) => Attribute::Known(Document::read(name, node, origin)),
            Attribute::UntilApply => Attribute::UntilApply,
            Attribute::NotGiven => Attribute::NotGiven,
        }
    }
}

/// Whether a part of what is unknown is. Terraform writes `true` for it, nested as the attribute is.
fn has_true(node: &Node) -> bool {
    match &node.value {
        Value::Bool(is_true) => *is_true,
        Value::Array(items) => items.iter().any(has_true),
        Value::Object(members) => members.iter().any(|member| has_true(&member.node)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Unprintable(_) => false,
    }
}
