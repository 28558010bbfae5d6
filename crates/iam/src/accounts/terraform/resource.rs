//! One resource from Terraform, and its attributes, which may be unknown until apply.

use crate::accounts::document::Document;
use crate::accounts::entities::Attribute;
use crate::accounts::origin::OriginId;
use crate::accounts::read::{self, find};
use crate::policy::node::{JsonError, Node, Value};

/// A managed resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'n> {
    /// The type, such as `aws_iam_role`.
    pub(super) kind: &'n str,
    /// The address, such as `module.iam.aws_iam_role.ops["a"]`.
    pub(super) address: Address<'n>,
    /// Its attributes.
    pub(super) values: &'n Node<'n>,
    /// In a plan: which attributes are unknown until apply.
    pub(super) unknown: Option<&'n Node<'n>>,
}

/// The address of a resource in the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Address<'n> {
    /// The complete address, as written in the source.
    Whole(&'n str),
    /// The parts of the address, as in a state file.
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
    /// Finds the attribute `name`. Null and the empty string count as absent.
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

    /// Returns the strings of a list; empty if it is absent or unknown.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, JsonError> {
        match self.find(name) {
            Attribute::Known(_) => read::texts(self.values, name),
            Attribute::UntilApply | Attribute::NotGiven => Ok(Vec::new()),
        }
    }

    /// Reads the policy in the attribute `attribute`.
    pub(super) fn document(&self, attribute: &str, name: &str, origin: OriginId) -> Attribute<Document> {
        match self.find(attribute) {
            Attribute::Known(node) => Attribute::Known(Document::read(name, node, origin)),
            Attribute::UntilApply => Attribute::UntilApply,
            Attribute::NotGiven => Attribute::NotGiven,
        }
    }
}

/// Whether any part of an attribute is unknown. Terraform marks it with `true`, nested like the attribute.
fn has_true(node: &Node) -> bool {
    match &node.value {
        Value::Bool(is_true) => *is_true,
        Value::Array(items) => items.iter().any(has_true),
        Value::Object(members) => members.iter().any(|member| has_true(&member.node)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Unprintable(_) => false,
    }
}
