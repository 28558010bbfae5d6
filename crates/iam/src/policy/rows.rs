//! The batch format: each request and each answer is a line of JSON.
//!
//! A row holds `id`, `request` (`principal` with `principal_role`, or `principal_service`, or
//! `principal_federated`; `action`, `also_actions`, `resource`, `resource_account`, `context`,
//! `context_complete`), `trust_policy` or `resource_policy`, `identity_policies`, `boundary_policies`,
//! `session_policies`, `scps`, `rcps`, `management_account` and `single_policy`. Other members are ignored.

use serde_json::{Value as Json, json};

use super::answer::names_of;
use super::arn::Arn;
use super::document::PolicyError;
use super::evaluate::{Caller, Context, Decision, DenyKind, Judgement, Layers, OrganizationLevel, Request};
use super::json::parse_json;
use super::node::{JsonError, Member, Node, Value};
use super::parse::read_policy;
use hatbox_types::name::AccountId;

/// One parsed row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The `id` member as given, or null.
    pub id: Json,
    /// The request to evaluate.
    pub request: Request,
    /// The policies that apply.
    pub layers: Layers,
}

/// Why a line is not a valid row. Positions are within the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct RowError {
    /// The `id` member, or null if it could not be read.
    pub id: Json,
    /// What is wrong, and where.
    pub error: PolicyError,
}

/// Parses one line.
///
/// # Errors
/// If the line is not JSON, a required member is missing, a member has the wrong type, or a policy is invalid.
pub fn parse_row(line: &str) -> Result<Row, RowError> {
    let failed = |id: Json| move |error: JsonError| RowError { id, error: error.into() };
    let node = parse_json(line).map_err(failed(Json::Null))?;
    let id = node.find("id").map_or(Json::Null, read_id);
    let (request, layers) = read_row(&node).map_err(failed(id.clone()))?;
    Ok(Row { id, request, layers })
}

/// Renders the answer to a row as one line, without a newline.
pub fn render_answer(id: &Json, judgement: &Judgement) -> String {
    let because = &judgement.because;
    match &judgement.decision {
        Decision::Allow => json!({"id": id, "decision": "allow", "because": because}),
        Decision::Deny { kind, layer } => {
            let kind = match kind {
                DenyKind::Explicit => "explicit-deny",
                DenyKind::Implicit => "implicit-deny",
            };
            json!({"id": id, "decision": "deny", "kind": kind, "layer": layer.name(), "because": because})
        }
        Decision::Unknown { depends_on } => {
            json!({"id": id, "decision": "unknown", "because": because, "depends_on": names_of(depends_on)})
        }
    }
    .to_string()
}

/// Renders the answer to a line whose `id` could not be read.
pub fn render_unreadable(error: &str) -> String {
    json!({"id": null, "error": error}).to_string()
}

impl RowError {
    /// Renders the answer to the line, without a newline.
    pub fn render(&self) -> String {
        json!({"id": self.id, "error": self.error.to_string()}).to_string()
    }
}

fn read_id(node: &Node) -> Json {
    match &node.value {
        Value::String(text) => Json::from(&**text),
        Value::Unprintable(text) => Json::from(text.shown()),
        Value::Number(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        _ => Json::Null,
    }
}

fn read_row(row: &Node) -> Result<(Request, Layers), JsonError> {
    let layers = Layers {
        trust: read_optional(row, "trust_policy", read_policy)?,
        resource: read_optional(row, "resource_policy", read_policy)?,
        identity: read_list(row, "identity_policies", read_policy)?,
        boundary: Some(read_list(row, "boundary_policies", read_policy)?).filter(|list| !list.is_empty()),
        session: Some(read_list(row, "session_policies", read_policy)?).filter(|list| !list.is_empty()),
        scps: read_list(row, "scps", read_level)?,
        rcps: read_list(row, "rcps", read_level)?,
        management_account: read_optional(row, "management_account", read_account)?,
        is_single_policy: read_optional(row, "single_policy", read_bool)?.unwrap_or(false),
        ..Layers::default()
    };
    let request = row.find("request").ok_or_else(|| row.error("no `request`"))?;
    Ok((read_request(request, &layers)?, layers))
}

fn read_request(node: &Node, layers: &Layers) -> Result<Request, JsonError> {
    if !matches!(node.value, Value::Object(_)) {
        return Err(node.error(format!("`request` is an object, not {}", node.value.kind())));
    }
    let is_complete = read_optional(node, "context_complete", read_bool)?.unwrap_or(true);
    let context = match node.find("context") {
        Some(context) => read_context(context, is_complete)?,
        None => Context { is_complete, ..Context::default() },
    };
    let caller = read_caller(node, &context, layers)?;
    let needed = |name| {
        read_optional(node, name, read_text)?.ok_or_else(|| node.error(format!("no `{name}` in the request")))
    };
    let action = needed("action")?;
    let resource = needed("resource")?;
    let resource_account = match read_optional(node, "resource_account", read_account)? {
        Some(account) => account,
        None => Arn::parse(&resource)
            .map(|arn| arn.account)
            .into_iter()
            .chain(caller.account())
            .find_map(|account| AccountId::parse(account).ok())
            .ok_or_else(|| node.error("no `resource_account`, and neither ARN has one"))?,
    };
    let also_actions = read_list(node, "also_actions", read_text)?;
    Ok(Request { caller, action, also_actions, resource, resource_account, context })
}

fn read_caller(node: &Node, context: &Context, layers: &Layers) -> Result<Caller, JsonError> {
    let service = read_optional(node, "principal_service", read_text)?;
    let federated = read_optional(node, "principal_federated", read_text)?;
    let principal = node.find("principal").filter(|principal| principal.value != Value::Null);
    match (principal, service, federated) {
        (Some(principal), None, None) => read_principal(principal, node, context),
        (None, Some(service), None) => Ok(Caller::Service(service)),
        (None, None, Some(provider)) => Ok(Caller::Federated(provider)),
        // A policy that is evaluated on its own needs no caller.
        (None, None, None) if layers.is_single_policy => Ok(Caller::Anonymous),
        (None, None, None) => Err(node.error("no `principal`, `principal_service` or `principal_federated`")),
        _ => Err(node.error("more than one of `principal`, `principal_service` and `principal_federated`")),
    }
}

fn read_principal(principal: &Node, request: &Node, context: &Context) -> Result<Caller, JsonError> {
    let text = read_text(principal)?;
    let arn = Arn::parse(&text).filter(|arn| AccountId::parse(arn.account).is_ok());
    let Some(arn) = arn else {
        return Err(principal
            .error(format!("invalid principal `{text}`: expected the ARN of a user, role or session")));
    };
    let kind = arn.resource.split_once('/').map_or(arn.resource, |(kind, _)| kind);
    match (arn.service, kind) {
        ("iam", "user") => Ok(Caller::User { arn: text }),
        ("iam", "role") => Ok(Caller::RoleSession { session_arn: None, role_arn: text }),
        ("iam", "root") => {
            let account =
                AccountId::parse(arn.account).map_err(|error| principal.error(error.to_string()))?;
            Ok(Caller::Root(account))
        }
        ("sts", "assumed-role") => {
            let given = match request.find("principal_role") {
                Some(role) => Some((role, read_text(role)?)),
                None => None,
            };
            let from_context = || context.values.get("aws:principalarn")?.first().cloned();
            let (at, role_arn) = given
                .or_else(|| Some((principal, from_context()?)))
                .ok_or_else(|| principal.error("a session without `principal_role`"))?;
            if !is_role_of(&role_arn, &arn) {
                return Err(at.error(format!("`{role_arn}` is not the role of the session `{text}`")));
            }
            Ok(Caller::RoleSession { session_arn: Some(text), role_arn })
        }
        _ => Err(principal
            .error(format!("invalid principal `{text}`: expected the ARN of a user, role or session"))),
    }
}

/// Whether `session` (`assumed-role/NAME/SESSION`) can belong to `role` (`role/PATH/NAME`).
fn is_role_of(role: &str, session: &Arn) -> bool {
    let Some(role) = Arn::parse(role) else { return false };
    role.service == "iam"
        && role.resource.starts_with("role/")
        && (role.partition, role.account) == (session.partition, session.account)
        && session.resource.split('/').nth(1) == role.resource.rsplit('/').next()
}

fn read_context(node: &Node, is_complete: bool) -> Result<Context, JsonError> {
    let mut context = Context { is_complete, ..Context::default() };
    for Member { place, name, node } in node.members("`context`")? {
        if node.value == Value::Null {
            continue;
        }
        if context.values.contains_key(&name.to_lowercase()) {
            let problem = format!("the key `{name}` is there twice, in different case");
            return Err(JsonError { place: *place, problem });
        }
        let values = node.one_or_many().iter().map(|node| node.scalar(name));
        context.set(name, values.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(context)
}

fn read_level(node: &Node) -> Result<OrganizationLevel, JsonError> {
    if let Value::Array(policies) = &node.value {
        let policies = policies.iter().map(read_policy).collect::<Result<_, _>>()?;
        return Ok(OrganizationLevel { account: None, policies });
    }
    node.members("a level of an organization")?;
    Ok(OrganizationLevel {
        account: read_optional(node, "account", read_account)?,
        policies: read_list(node, "policies", read_policy)?,
    })
}

fn read_optional<T>(
    node: &Node,
    name: &str,
    read: impl Fn(&Node) -> Result<T, JsonError>,
) -> Result<Option<T>, JsonError> {
    node.find(name).filter(|found| found.value != Value::Null).map(read).transpose()
}

fn read_list<T>(
    node: &Node,
    name: &str,
    read: impl Fn(&Node) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let Some(found) = node.find(name).filter(|found| found.value != Value::Null) else {
        return Ok(Vec::new());
    };
    match &found.value {
        Value::Array(items) => items.iter().map(read).collect(),
        other => Err(found.error(format!("`{name}` is a list, not {}", other.kind()))),
    }
}

fn read_text(node: &Node) -> Result<String, JsonError> {
    node.text("this").map(str::to_owned)
}

fn read_bool(node: &Node) -> Result<bool, JsonError> {
    match node.value {
        Value::Bool(is_true) => Ok(is_true),
        ref other => Err(node.error(format!("expected true or false, not {}", other.kind()))),
    }
}

fn read_account(node: &Node) -> Result<AccountId, JsonError> {
    let text = read_text(node)?;
    AccountId::parse(&text).map_err(|error| node.error(format!("invalid account id `{text}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::evaluate;
    use super::*;

    const ASK: &str =
        r#""action": "s3:GetObject", "resource": "arn:aws:s3:::box/a", "resource_account": "111122223333""#;

    fn row(request: &str, rest: &str) -> Result<Row, RowError> {
        parse_row(&format!(r#"{{"id": "r1", "request": {{{request}}}{rest}}}"#))
    }

    fn caller(principal: &str) -> Caller {
        row(&format!("{principal}, {ASK}"), "").unwrap().request.caller
    }

    #[test]
    fn an_unreadable_line_is_answered_by_a_line() {
        assert_eq!(render_unreadable("no \"UTF-8\""), r#"{"id":null,"error":"no \"UTF-8\""}"#);
    }

    #[test]
    fn a_principal_is_read_as_what_it_is() {
        let alice = "arn:aws:iam::111122223333:user/alice";
        assert_eq!(caller(&format!(r#""principal": "{alice}""#)), Caller::User { arn: alice.into() });
        let role_arn = "arn:aws:iam::111122223333:role/team/Deploy".to_owned();
        let any = Caller::RoleSession { session_arn: None, role_arn: role_arn.clone() };
        assert_eq!(caller(&format!(r#""principal": "{role_arn}""#)), any);
        let session = "arn:aws:sts::111122223333:assumed-role/Deploy/ci".to_owned();
        let one = Caller::RoleSession { session_arn: Some(session.clone()), role_arn: role_arn.clone() };
        assert_eq!(caller(&format!(r#""principal": "{session}", "principal_role": "{role_arn}""#)), one);
        let by_key = format!(r#""principal": "{session}", "context": {{"aws:PrincipalArn": "{role_arn}"}}"#);
        assert_eq!(caller(&by_key), one);
        assert_eq!(
            caller(r#""principal_service": "ec2.amazonaws.com""#),
            Caller::Service("ec2.amazonaws.com".into())
        );
        assert_eq!(caller(r#""principal_federated": "a.b""#), Caller::Federated("a.b".into()));
        let root = Caller::Root(AccountId::parse("111122223333").unwrap());
        assert_eq!(caller(r#""principal": "arn:aws:iam::111122223333:root""#), root);
    }

    #[test]
    fn what_is_not_a_row_is_refused_by_name() {
        let alice = r#""principal": "arn:aws:iam::111122223333:user/alice""#;
        let session = r#""principal": "arn:aws:sts::111122223333:assumed-role/Deploy/ci""#;
        for (request, rest, part) in [
            (ASK.to_owned(), "", "no `principal`"),
            (format!(r#"{ASK}, "principal": "alice""#), "", "invalid principal `alice`"),
            (
                format!(r#"{ASK}, "principal": "arn:aws:iam::111122223333:group/g""#),
                "",
                "expected the ARN of a user",
            ),
            (format!(r#"{ASK}, "principal_service": "x", {alice}"#), "", "more than one of"),
            (format!("{ASK}, {session}"), "", "without `principal_role`"),
            (
                format!(r#"{ASK}, {session}, "principal_role": "arn:aws:iam::111122223333:role/Other""#),
                "",
                "is not the role of the session",
            ),
            (format!(r#"{alice}, "resource": "*""#), "", "no `action`"),
            (format!(r#"{alice}, "action": "a:b""#), "", "no `resource`"),
            (format!(r#"{alice}, {ASK}, "context": {{"K": "1", "k": "2"}}"#), "", "there twice"),
            (format!(r#"{alice}, {ASK}, "context": {{"k": {{}}}}"#), "", "not an object"),
            (format!(r#"{alice}, {ASK}, "context_complete": "no""#), "", "expected true or false"),
            (format!("{alice}, {ASK}"), r#", "trust_policy": {"Statement": 1}"#, "a statement is an object"),
            (format!("{alice}, {ASK}"), r#", "identity_policies": {}"#, "is a list"),
            (
                format!("{alice}, {ASK}"),
                r#", "scps": [{"account": "1", "policies": []}]"#,
                "invalid account id `1`",
            ),
        ] {
            let error = row(&request, rest).unwrap_err();
            assert_eq!(error.id, "r1");
            assert!(error.to_string().contains(part), "{error}, not {part}");
        }
        assert_eq!(parse_row("{").unwrap_err().id, Json::Null);
        assert!(parse_row(r#"{"id": 7}"#).unwrap_err().to_string().contains("no `request`"));
    }

    #[test]
    fn answers_are_lines_of_json() {
        let alice = r#""principal": "arn:aws:iam::111122223333:user/alice""#;
        let answer = |rest: &str| {
            let row = row(&format!(r#"{alice}, {ASK}, "context_complete": false"#), rest).unwrap();
            render_answer(&row.id, &evaluate(&row.request, &row.layers))
        };
        let policy = |condition: &str| {
            format!(
                r#", "identity_policies": [{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*"{condition}}}}}]"#
            )
        };
        assert_eq!(
            answer(&policy("")),
            r#"{"id":"r1","decision":"allow","because":["identity policy 1, statement 1: allows it"]}"#
        );
        assert_eq!(
            answer(&policy(r#", "Condition": {"Bool": {"k": "true"}}"#)),
            r#"{"id":"r1","decision":"unknown","because":["identity policy 1, statement 1: may allow, depending on `k`"],"depends_on":["k"]}"#
        );
        assert_eq!(
            answer(""),
            r#"{"id":"r1","decision":"deny","kind":"implicit-deny","layer":"identity","because":["no policy of arn:aws:iam::111122223333:user/alice allows s3:GetObject"]}"#
        );
        let error = parse_row(r#"{"id": 7, "request": 1}"#).unwrap_err();
        assert_eq!(
            error.render(),
            r#"{"id":7,"error":"line 1, column 22: `request` is an object, not a number"}"#
        );
    }

    #[test]
    fn the_account_of_a_resource_may_be_given_by_an_arn() {
        let alice = r#""principal": "arn:aws:iam::111122223333:user/alice""#;
        let account = |resource: &str| {
            let request = format!(r#"{alice}, "action": "a:b", "resource": "{resource}""#);
            row(&request, "").unwrap().request.resource_account.to_string()
        };
        assert_eq!(account("arn:aws:iam::444455556666:role/Ops"), "444455556666");
        assert_eq!(account("arn:aws:s3:::box"), "111122223333", "that of the caller, where the ARN has none");
    }
}
