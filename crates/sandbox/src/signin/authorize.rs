//! The identity that signs in, and the authorization code for it.

use hatbox_iam::policy::evaluate::Decision;
use sha2::{Digest, Sha256};

use super::page::{render_message, render_sign_in};
use super::{CONFIRMATION, CROSS_DEVICE, SAME_DEVICE, invalid, region_of_host};
use crate::authorize::{Ask, CodeGiven, caller_keys, judge, not_authorized};
use crate::context::RequestContext;
use crate::encoding::{parse_base64_url, render_base64_url, render_percent};
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{LoginCode, Principal, REGION, World};
use crate::{clock, mint};

/// How long a code can be exchanged.
const CODE_SECONDS: i64 = 300;

/// Handles GET: shows the page on which the user chooses an identity.
pub(super) fn show_sign_in(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_question(context)?;
    let identities = identities(context.world);
    let hidden: Vec<(&str, &str)> = context.params.iter().collect();
    Ok(render_sign_in(&identities, &hidden, context.params.get("client_id") == Some(CROSS_DEVICE)))
}

/// Handles POST: the user's choice.
pub(super) fn authorize_oauth2_access(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    // Security: another site must not choose for the user. Browsers always send the origin of a form.
    let own = context.request.header("host").map(|host| format!("http://{host}"));
    if context.request.header("origin").is_some_and(|origin| Some(origin) != own.as_deref()) {
        return Err(invalid("the form is from another site").because("Origin is not this host"));
    }
    check_question(context)?;
    let params = context.params;
    let param = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let (redirect, state) = (param("redirect_uri"), render_percent(param("state").as_bytes()));
    let answer = match param("decision").as_str() {
        "deny" => "error=access_denied".to_owned(),
        "allow" => {
            let principal = find_identity(context.world, &param("identity"))?;
            let region = region_of_host(context.request);
            check_allowed(
                context,
                &principal,
                "signin:AuthorizeOAuth2Access",
                &param("client_id"),
                region.as_deref(),
            )?;
            let code = render_base64_url(&mint::mint_bytes::<32>()?);
            let granted = LoginCode {
                principal,
                client_id: param("client_id"),
                redirect_uri: redirect.clone(),
                challenge: param("code_challenge"),
                region,
                expires_at: clock::later(context.now, CODE_SECONDS),
            };
            context.world.logins.codes.insert(digest(&code), granted);
            format!("code={code}")
        }
        _ => return Err(invalid("expected `allow` or `deny`")),
    };
    let location = format!("{redirect}?{answer}&state={state}");
    Ok(render_message(303, "Signed in", "Going back to the program.").with("location", location))
}

/// Returns the digest that is stored instead of a code or token.
pub(super) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Checks that the policies of `principal` allow an action of this service.
pub(super) fn check_allowed(
    context: &mut RequestContext,
    principal: &Principal,
    action: &str,
    client_id: &str,
    region: Option<&str>,
) -> Result<(), ErrorResponse> {
    let region = region.unwrap_or(REGION).to_owned();
    let account = principal.account().to_owned();
    let kind = if client_id == CROSS_DEVICE { "remote" } else { "localhost" };
    let resource = format!("arn:aws:signin:{region}:{account}:oauth2/public-client/{kind}");
    let caller = Caller { key_id: String::new(), principal: principal.clone(), session: None, region };
    context.entry.caller = Some(principal.arn(context.world));
    context.entry.resource = Some(resource.clone());
    let keys = caller_keys(context.world, &caller, CodeGiven::No, context.now);
    let judgement = judge(context.world, &caller, &keys, &Ask::new(action, &resource, &account))?;
    if judgement.decision == Decision::Allow {
        context.entry.because.extend(judgement.because);
        return Ok(());
    }
    let message = not_authorized(context.world, &caller, action);
    Err(ErrorResponse::new(403, "INSUFFICIENT_PERMISSIONS", message).judged(judgement))
}

fn check_question(context: &RequestContext) -> Result<(), ErrorResponse> {
    let is = |name: &str, value: &str| match context.params.get(name) {
        Some(said) if said == value => Ok(()),
        _ => Err(invalid(&format!("invalid {name}: expected `{value}`"))),
    };
    is("response_type", "code")?;
    // The service's name for what RFC 7636 calls `S256`.
    is("code_challenge_method", "SHA-256")?;
    is("scope", "openid")?;
    let challenge = context.params.get("code_challenge").and_then(parse_base64_url);
    if challenge.is_none_or(|bytes| bytes.len() != 32) {
        return Err(invalid("invalid code_challenge"));
    }
    let redirect = context.params.get("redirect_uri").unwrap_or_default();
    let host = context.request.header("host").unwrap_or_default();
    let is_right = match context.params.get("client_id") {
        Some(SAME_DEVICE) => is_callback(redirect),
        Some(CROSS_DEVICE) => redirect == format!("http://{host}{CONFIRMATION}"),
        _ => return Err(invalid("unknown client_id")),
    };
    if is_right { Ok(()) } else { Err(invalid("the redirect_uri is not one of the client")) }
}

/// Returns whether the URL is `http://127.0.0.1:PORT/oauth/callback` with any port.
fn is_callback(redirect: &str) -> bool {
    let port = redirect
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/oauth/callback"))
        .unwrap_or_default();
    port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

/// Returns the ARNs of all identities that can sign in: users, root users, and roles, as after switching roles.
fn identities(world: &World) -> Vec<String> {
    let mut arns = Vec::new();
    for (account, entry) in &world.accounts {
        let user = |name: &String| Principal::User { account: account.clone(), name: name.clone() };
        arns.extend(entry.users.keys().map(|name| user(name).arn(world)));
        let role = |role: &String| role_session(account, role, "console");
        arns.extend(entry.roles.keys().map(|name| role(name).arn(world)));
        arns.push(Principal::Root { account: account.clone() }.arn(world));
    }
    arns
}

fn role_session(account: &str, role: &str, session: &str) -> Principal {
    Principal::RoleSession { account: account.to_owned(), role: role.to_owned(), session: session.to_owned() }
}

fn find_identity(world: &World, arn: &str) -> Result<Principal, ErrorResponse> {
    let parse = || {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, _, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let entry = world.accounts.get(account)?;
        let principal = match (service, resource.split('/').collect::<Vec<_>>().as_slice()) {
            ("iam", ["root"]) => Principal::Root { account: account.to_owned() },
            ("iam", ["user", .., name]) if entry.users.contains_key(*name) => {
                Principal::User { account: account.to_owned(), name: (*name).to_owned() }
            }
            ("sts", ["assumed-role", role, session]) if entry.roles.contains_key(*role) => {
                role_session(account, role, session)
            }
            _ => return None,
        };
        // The ARN of a user includes its path, which was not compared yet.
        (principal.arn(world) == arn).then_some(principal)
    };
    parse().ok_or_else(|| invalid("there is no such identity"))
}

/// Returns whether the user, role or account still exists.
pub(super) fn exists(world: &World, principal: &Principal) -> bool {
    match principal {
        Principal::User { account, name } => world.user(account, name).is_some(),
        Principal::RoleSession { account, role, .. } => world.role(account, role).is_some(),
        Principal::Root { account } => world.accounts.contains_key(account),
        Principal::Federated { .. } => false,
    }
}
