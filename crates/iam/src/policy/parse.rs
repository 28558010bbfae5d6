//! Reads a policy from JSON: the known elements and their types.

use super::condition::Condition;
use super::document::{Effect, Element, Policy, PolicyError, Statement};
use super::json::parse_json;
use super::node::{JsonError, Member, Node, Place, Value};
use super::operator::Operator;
use super::principal::{Principal, PrincipalKind};
use super::variable::{Template, Version};

impl From<JsonError> for PolicyError {
    fn from(error: JsonError) -> Self {
        Self { line: error.place.line, column: error.place.column, problem: error.problem }
    }
}

impl Policy {
    /// Parses the JSON of a policy.
    ///
    /// # Errors
    /// If the text is not JSON or not a valid policy; the error has the position.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        Ok(read_policy(&parse_json(json)?)?)
    }
}

const POLICY_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Reads a policy from its JSON.
pub(super) fn read_policy(node: &Node) -> Result<Policy, JsonError> {
    let members = node.members("a policy")?;
    refuse_unknown(members, &POLICY_ELEMENTS, "a policy")?;
    let version = match node.find_member("Version") {
        None => Version::V2008,
        Some(member) => match member.node.text("`Version`")? {
            "2012-10-17" => Version::V2012,
            "2008-10-17" => Version::V2008,
            other => {
                let problem = format!("`Version` is `2012-10-17` or `2008-10-17`, not `{other}`");
                return Err(member.node.error(problem));
            }
        },
    };
    let id = optional_text(node, "Id")?;
    let statement = node.find_member("Statement").ok_or_else(|| node.error("`Statement` is missing"))?;
    let statements = match &statement.node.value {
        Value::Array(items) => items.iter().map(|item| read_statement(item, version)).collect(),
        _ => read_statement(&statement.node, version).map(|only| vec![only]),
    }?;
    Ok(Policy { version, id, statements })
}

fn read_statement(node: &Node, version: Version) -> Result<Statement, JsonError> {
    let members = node.members("a statement")?;
    refuse_unknown(members, &STATEMENT_ELEMENTS, "a statement")?;
    let effect = node.find_member("Effect").ok_or_else(|| node.error("a statement without `Effect`"))?;
    let effect = match effect.node.text("`Effect`")? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        other => {
            return Err(effect.node.error(format!("`Effect` is `Allow` or `Deny`, not `{other}`")));
        }
    };
    let action = |text, place| Template::parse(text, place, Version::V2008);
    let resource = |text, place| Template::parse(text, place, version);
    let actions = read_element(node, "Action", "NotAction", |member| read_texts(member, action))?
        .ok_or_else(|| node.error("a statement without `Action` or `NotAction`"))?;
    Ok(Statement {
        place: node.place,
        sid: optional_text(node, "Sid")?,
        effect,
        principals: read_element(node, "Principal", "NotPrincipal", read_principals)?,
        actions,
        resources: read_element(node, "Resource", "NotResource", |member| read_texts(member, resource))?,
        conditions: match node.find_member("Condition") {
            Some(member) => read_conditions(&member.node, version)?,
            None => Vec::new(),
        },
    })
}

/// Reads an optional element in its plain or its negated form; having both is an error.
fn read_element<T>(
    statement: &Node,
    plain: &str,
    negated: &str,
    read: impl Fn(&Member) -> Result<Vec<T>, JsonError>,
) -> Result<Option<Element<T>>, JsonError> {
    let (member, is_negated) = match (statement.find_member(plain), statement.find_member(negated)) {
        (None, None) => return Ok(None),
        (Some(member), None) => (member, false),
        (None, Some(member)) => (member, true),
        (Some(_), Some(second)) => {
            let problem = format!("`{plain}` and `{negated}` in one statement");
            return Err(JsonError { place: second.place, problem });
        }
    };
    Ok(Some(Element { place: member.place, is_negated, entries: read(member)? }))
}

fn read_texts<T>(member: &Member, make: impl Fn(String, Place) -> T) -> Result<Vec<T>, JsonError> {
    member
        .node
        .one_or_many()
        .iter()
        .map(|node| Ok(make(node.text(&format!("`{}`", member.name))?.to_owned(), node.place)))
        .collect()
}

fn read_principals(member: &Member) -> Result<Vec<Principal>, JsonError> {
    let types = match &member.node.value {
        Value::String(text) if text == "*" => {
            return Ok(vec![Principal::parse_aws(text.clone().into_owned(), member.node.place)]);
        }
        Value::Object(types) => types,
        other => {
            let problem = format!("`{}` is `\"*\"` or an object, not {}", member.name, other.kind());
            return Err(member.node.error(problem));
        }
    };
    let mut principals = Vec::new();
    for by_type in types {
        let kind = match &*by_type.name {
            "AWS" => None,
            "Service" => Some(PrincipalKind::Service),
            "Federated" => Some(PrincipalKind::Federated),
            "CanonicalUser" => Some(PrincipalKind::CanonicalUser),
            other => {
                let problem = format!(
                    "invalid type of principal `{other}`: expected `AWS`, `Service`, `Federated` or `CanonicalUser`"
                );
                return Err(JsonError { place: by_type.place, problem });
            }
        };
        principals.extend(read_texts(by_type, |text, place| match &kind {
            None => Principal::parse_aws(text, place),
            Some(kind) => Principal { text, place, kind: kind.clone() },
        })?);
    }
    Ok(principals)
}

fn read_conditions(node: &Node, version: Version) -> Result<Vec<Condition>, JsonError> {
    let mut conditions = Vec::new();
    for by_operator in node.members("`Condition`")? {
        let name = &by_operator.name;
        let operator = Operator::parse(name).ok_or_else(|| JsonError {
            place: by_operator.place,
            problem: format!("unknown condition operator `{name}`"),
        })?;
        for by_key in by_operator.node.members(&format!("`{name}`"))? {
            let values = by_key
                .node
                .one_or_many()
                .iter()
                .map(|node| Ok(Template::parse(node.scalar(&by_key.name)?, node.place, version)))
                .collect::<Result<_, _>>()?;
            conditions.push(Condition {
                operator,
                operator_name: name.to_string(),
                key: by_key.name.to_string(),
                lower_key: by_key.name.to_lowercase(),
                place: by_key.place,
                values,
            });
        }
    }
    Ok(conditions)
}

fn refuse_unknown(members: &[Member], known: &[&str], what: &str) -> Result<(), JsonError> {
    let Some(unknown) = members.iter().find(|member| !known.contains(&&*member.name)) else {
        return Ok(());
    };
    let near = known.iter().find(|name| name.eq_ignore_ascii_case(&unknown.name));
    let hint = near.map(|name| format!("; it is written `{name}`")).unwrap_or_default();
    Err(JsonError {
        place: unknown.place,
        problem: format!("{what} has no element `{}`{hint}", unknown.name),
    })
}

fn optional_text(node: &Node, name: &str) -> Result<Option<String>, JsonError> {
    node.find_member(name).map(|member| member.node.text(&format!("`{name}`")).map(str::to_owned)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_and_one_value_need_no_list() {
        let one = r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}"#;
        let many = r#"{"Statement": [{"Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"]}]}"#;
        for text in [one, many] {
            let policy = Policy::parse(text).unwrap();
            assert_eq!(policy.version, Version::V2008);
            assert_eq!(policy.statements.len(), 1);
            let statement = &policy.statements[0];
            assert_eq!((statement.effect, statement.actions.entries.len()), (Effect::Deny, 1));
            assert_eq!(statement.resources.as_ref().unwrap().entries[0].text, "*");
        }
    }

    #[test]
    fn every_part_knows_its_place() {
        let text = "\u{feff}{\"Version\": \"2012-10-17\", \"Id\": \"p\",\n \"Statement\": [\n  \
             {\"Sid\": \"é\", \"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"*\"},\n   \
             \"Action\": \"a:b\", \"Condition\": {\"Bool\": {\"k\": true}}}]}";
        let policy = Policy::parse(text).unwrap();
        let statement = &policy.statements[0];
        assert_eq!((policy.id.as_deref(), statement.sid.as_deref()), (Some("p"), Some("é")));
        let at = |line, column| Place { line, column };
        assert_eq!(statement.place, at(3, 3));
        assert_eq!(statement.principals.as_ref().unwrap().place, at(3, 35));
        assert_eq!(statement.principals.as_ref().unwrap().entries[0].place, at(3, 56));
        assert_eq!(statement.actions.entries[0].place, at(4, 14));
        assert_eq!(statement.conditions[0].place, at(4, 44));
        assert_eq!(statement.conditions[0].values[0].place, at(4, 49));
    }

    #[test]
    fn what_is_not_a_policy_is_refused_with_its_place() {
        for (text, column, why) in [
            ("[]", 1, "a list"),
            ("{}", 1, "no statement"),
            (r#"{"Statement": [], "Extra": 1}"#, 19, "an unknown element"),
            (r#"{"statement": []}"#, 2, "an element in other case"),
            (r#"{"Statement": [], "Version": "2012-10-18"}"#, 30, "an unknown version"),
            (r#"{"Statement": [], "Version": 2012}"#, 30, "a version that is a number"),
            (r#"{"Statement": [], "Id": null}"#, 25, "an id that is null"),
            (r#"{"Statement": "x"}"#, 15, "a statement that is text"),
            (r#"{"Statement": [[]]}"#, 16, "a list of lists"),
            (r#"{"Statement": {"Action": "*"}}"#, 15, "no effect"),
            (r#"{"Statement": {"Effect": "allow", "Action": "*"}}"#, 26, "an effect in other case"),
            (r#"{"Statement": {"Effect": "Allow"}}"#, 15, "no action"),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}}"#, 50, "both"),
            (r#"{"Statement": {"Effect": "Allow", "Action": {"a": 1}}}"#, 45, "an action that is an object"),
            (r#"{"Statement": {"Effect": "Allow", "Action": ["*", 1]}}"#, 51, "an action that is a number"),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "Effect": "Deny"}}"#, 50, "twice"),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "Actoin": "*"}}"#, 50, "a slip"),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "me"}}"#, 63, "plain text"),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "Principal": ["*"]}}"#, 63, "a list"),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"Aws": "*"}}}"#,
                64,
                "no type",
            ),
            (r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": []}}"#, 63, "a list"),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Boo": {}}}}"#,
                64,
                "no operator",
            ),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": "x"}}}"#,
                72,
                "no keys",
            ),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"k": null}}}}"#,
                78,
                "null",
            ),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"k": [[]]}}}}"#,
                79,
                "list",
            ),
        ] {
            let error = Policy::parse(text).unwrap_err();
            assert_eq!((error.line, error.column), (1, column), "{why}: {text}: {error}");
        }
    }

    #[test]
    fn an_error_says_what_it_is_about() {
        let error = Policy::parse("{\n \"statement\": []}").unwrap_err().to_string();
        assert_eq!(error, "line 2, column 2: a policy has no element `statement`; it is written `Statement`");
    }
}
