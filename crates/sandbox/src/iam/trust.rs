//! Validates trust policies as IAM does: fields, actions, principals, and length.

use hatbox_iam::policy::document::Statement;
use hatbox_iam::policy::principal::{Principal, PrincipalKind};

use super::call::{count_characters, malformed, parse_policy, text};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::world::{World, role_arn, user_arn};

/// The default limit of a trust policy in characters; AWS can raise it per account.
const LIMIT: usize = 2048;

/// Identity providers that are principals by domain name.
const WEB_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// Parses the trust policy in the parameter `name`.
pub(super) fn parse_trust(context: &RequestContext, name: &str) -> Result<String, ErrorResponse> {
    let text = text(context, name);
    if count_characters(&text) > LIMIT {
        let message = format!("Cannot exceed quota for ACLSizePerRole: {LIMIT}");
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    for statement in &parse_policy(&text)?.statements {
        check_fields(statement)?;
        check_actions(statement)?;
        for principal in statement.principals.iter().flat_map(|element| &element.entries) {
            check_principal(context.world, principal)?;
        }
    }
    Ok(text)
}

/// Refuses service-linked roles and roles of Identity Center, which only AWS may change.
pub(super) fn check_modifiable(path: &str, name: &str) -> Result<(), ErrorResponse> {
    if !path.starts_with("/aws-service-role/") && !path.starts_with("/aws-reserved/") {
        return Ok(());
    }
    let message = format!(
        "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    );
    Err(ErrorResponse::new(400, "UnmodifiableEntity", message))
}

fn check_fields(statement: &Statement) -> Result<(), ErrorResponse> {
    match (&statement.principals, &statement.resources) {
        (_, Some(resources)) => {
            let field = if resources.is_negated { "NotResource" } else { "Resource" };
            Err(malformed(&format!("Has prohibited field {field}")))
        }
        (None, None) => Err(malformed("Missing required field Principal")),
        (Some(element), None) if element.is_negated => Err(malformed("Has prohibited field NotPrincipal")),
        _ => Ok(()),
    }
}

fn check_actions(statement: &Statement) -> Result<(), ErrorResponse> {
    let is_of_sts =
        |action: &str| action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("sts:"));
    if statement.actions.entries.iter().all(|action| is_of_sts(&action.text)) {
        return Ok(());
    }
    Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."))
}

/// Checks that the principal exists: AWS stores the unique id of a user or role instead of its name.
fn check_principal(world: &World, principal: &Principal) -> Result<(), ErrorResponse> {
    let name = &principal.text;
    let (kind, is_there) = match &principal.kind {
        PrincipalKind::Everyone => return Ok(()),
        PrincipalKind::Account { account, .. } => ("AWS", world.accounts.contains_key(account)),
        PrincipalKind::Arn => ("AWS", is_there(world, name)),
        PrincipalKind::NoOne => ("AWS", false),
        PrincipalKind::CanonicalUser => ("CANONICALUSER", false),
        PrincipalKind::Service => {
            ("SERVICE", name.contains(".amazonaws.com") || name.ends_with(".aws.internal"))
        }
        PrincipalKind::Federated => {
            let is_provider = name.contains(":saml-provider/") || name.contains(":oidc-provider/");
            if is_provider || WEB_PROVIDERS.contains(&name.as_str()) {
                return Ok(());
            }
            let message = "Federated principals must be valid domain names or SAML metadata ARNs";
            return Err(malformed(message));
        }
    };
    if is_there {
        Ok(())
    } else {
        Err(malformed(&format!("Invalid principal in policy: \"{kind}\":\"{name}\"")))
    }
}

fn is_there(world: &World, arn: &str) -> bool {
    world.accounts.iter().any(|(account, entry)| {
        let mut users = entry.users.iter().map(|(name, user)| user_arn(account, &user.path, name));
        let mut roles = entry.roles.iter().map(|(name, role)| role_arn(account, &role.path, name));
        let session_of = |name: &String| format!("arn:aws:sts::{account}:assumed-role/{name}/");
        users.any(|there| there == arn)
            || roles.any(|there| there == arn)
            || entry.roles.keys().any(|name| {
                arn.strip_prefix(&session_of(name))
                    .is_some_and(|rest| !rest.is_empty() && !rest.contains('*'))
            })
    })
}
