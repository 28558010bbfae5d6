//! Reads members of JSON objects as values of the expected types.

use crate::policy::arn::Arn;
use crate::policy::node::{JsonError, Node, Value};
use hatbox_types::name::AccountId;

/// Finds the member `name`, unless it is absent or null.
pub(super) fn find<'n>(node: &'n Node<'n>, name: &str) -> Option<&'n Node<'n>> {
    node.find(name).filter(|found| found.value != Value::Null)
}

pub(super) fn need<'n>(node: &'n Node<'n>, name: &str) -> Result<&'n Node<'n>, JsonError> {
    find(node, name).ok_or_else(|| node.error(format!("`{name}` is missing here")))
}

pub(super) fn text<'n>(node: &'n Node<'n>, name: &str) -> Result<Option<&'n str>, JsonError> {
    find(node, name).map(|found| found.text(&format!("`{name}`"))).transpose()
}

pub(super) fn need_text<'n>(node: &'n Node<'n>, name: &str) -> Result<&'n str, JsonError> {
    need(node, name)?.text(&format!("`{name}`"))
}

/// Returns the items of the list `name`; empty if it is absent.
pub(super) fn list<'n>(node: &'n Node<'n>, name: &str) -> Result<&'n [Node<'n>], JsonError> {
    match find(node, name) {
        None => Ok(&[]),
        Some(found) => items(found, name),
    }
}

pub(super) fn items<'n>(node: &'n Node<'n>, name: &str) -> Result<&'n [Node<'n>], JsonError> {
    match &node.value {
        Value::Array(items) => Ok(items),
        other => Err(node.error(format!("`{name}` is a list, not {}", other.kind()))),
    }
}

pub(super) fn texts(node: &Node, name: &str) -> Result<Vec<String>, JsonError> {
    list(node, name)?
        .iter()
        .map(|item| item.text(&format!("an item of `{name}`")).map(str::to_owned))
        .collect()
}

pub(super) fn is_true(node: &Node, name: &str) -> Result<bool, JsonError> {
    match find(node, name).map(|found| (found, &found.value)) {
        None => Ok(false),
        Some((_, Value::Bool(is_true))) => Ok(*is_true),
        Some((found, other)) => Err(found.error(format!("`{name}` is true or false, not {}", other.kind()))),
    }
}

pub(super) fn number(node: &Node, name: &str) -> Result<Option<u32>, JsonError> {
    let Some(found) = find(node, name) else { return Ok(None) };
    let parsed = match &found.value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    };
    parsed.map(Some).ok_or_else(|| found.error(format!("`{name}` is a whole number")))
}

pub(super) fn account(node: &Node) -> Result<AccountId, JsonError> {
    let text = node.text("an account")?;
    AccountId::parse(text).map_err(|error| node.error(format!("invalid account id `{text}`: {error}")))
}

/// Returns the ARN in `name`, which must be that of an IAM `kind` (`user`, `role`, ...), and its account.
pub(super) fn iam_arn<'n>(
    node: &'n Node<'n>,
    name: &str,
    kind: &str,
) -> Result<(&'n str, AccountId), JsonError> {
    let found = need(node, name)?;
    let text = found.text(&format!("`{name}`"))?;
    let parsed = Arn::parse(text).filter(|arn| arn.service == "iam" && is_of_kind(arn.resource, kind));
    parsed
        .and_then(|arn| AccountId::parse(arn.account).ok())
        .map(|account| (text, account))
        .ok_or_else(|| found.error(format!("invalid ARN `{text}`: expected the ARN of a {kind}")))
}

fn is_of_kind(resource: &str, kind: &str) -> bool {
    resource.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| !name.is_empty())
}
