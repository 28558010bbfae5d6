//! Answers the pages of Identity Center and `aws login` without a browser, and revokes sign-ins.

use serde_json::json;

use super::wire::{AccountOrder, AssignmentOrder, Revoked, SignInDone, SignInOrder};
use crate::encoding::render_percent;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Received, Reply};
use crate::sandbox::{Delivery, Sandbox};
use crate::sso::{self, Consent};
use crate::world::{Assignment, PEOPLE_ACCOUNT, USER, user_arn};

/// The maximum number of accounts per request, and of roles in each.
const ACCOUNT_LIMIT: u32 = 5000;
const ROLE_LIMIT: u32 = 50;

/// Answers the page of an authorize request or of a device as the user would.
pub(super) fn sign_in(sandbox: &mut Sandbox, request: &Received) -> Reply {
    let order: SignInOrder = match serde_json::from_slice(&request.body) {
        Ok(order) => order,
        Err(error) => return Reply::text(400, &format!("invalid sign-in: {error}")),
    };
    if let Some((host, query)) = parse_login_page(&order.page) {
        return sign_in_to_console(sandbox, host, query, order.consent);
    }
    let (now, id) = (sandbox.now(), sandbox.world.id.clone());
    let Some(center) = &mut sandbox.world.identity_center else { return without_center() };
    let user = center.browser_user.clone();
    let done = match parse_page(&order.page) {
        Page::Device(code) => sso::answer_user_code(center, &code, order.consent, now)
            .map(|client| SignInDone { client, user, redirect: None }),
        Page::Authorize(params) => sso::parse_request(center, &params, now).and_then(|asked| {
            let redirect = Some(sso::answer_request(center, &id, &asked, order.consent, now)?);
            Ok(SignInDone { client: asked.client_name, user, redirect })
        }),
    };
    match done {
        Ok(done) => save_and(sandbox, Reply::json(&json!(done))),
        Err(error) => refused(&error),
    }
}

/// Returns the host and the query of an `aws login` page.
fn parse_login_page(page: &str) -> Option<(&str, &str)> {
    let (path, query) = page.split_once('?')?;
    Some((path.strip_prefix("http://")?.strip_suffix("/v1/authorize")?, query))
}

/// Submits the form of the sign-in page as the demo world's user.
fn sign_in_to_console(sandbox: &mut Sandbox, host: &str, query: &str, consent: Consent) -> Reply {
    let user = user_arn(PEOPLE_ACCOUNT, "/", USER);
    let decision = if consent == Consent::Allow { "allow" } else { "deny" };
    let form = format!("{query}&identity={}&decision={decision}", render_percent(user.as_bytes()));
    let client = Params::parse(query).get("client_id").unwrap_or_default().to_owned();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Received {
        method: "POST".to_owned(),
        path: "/v1/authorize".to_owned(),
        query: String::new(),
        headers: vec![header("host", host), header("content-type", "application/x-www-form-urlencoded")],
        body: form.into(),
    };
    let Delivery::Reply(reply, _) = sandbox.answer(&request) else {
        return Reply::text(400, "a fault was asked for");
    };
    let redirect = reply.headers.into_iter().find(|(name, _)| name == "location").map(|(_, to)| to);
    match redirect {
        Some(redirect) => Reply::json(&json!(SignInDone { client, user, redirect: Some(redirect) })),
        None => Reply::text(400, "the sign-in page refused it: `hatbox sandbox log` says why"),
    }
}

/// The page that the user answers.
enum Page {
    /// The page of a device, identified by the user code.
    Device(String),
    /// The page of an authorize request, identified by its parameters.
    Authorize(Params),
}

/// Parses a user code or the URL of a page.
fn parse_page(text: &str) -> Page {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let params = Params::parse(query);
    if path.ends_with("/authorize") {
        return Page::Authorize(params);
    }
    Page::Device(params.get("user_code").unwrap_or(text).to_owned())
}

/// Ends sign-ins, or only revokes their access tokens.
pub(super) fn revoke(sandbox: &mut Sandbox, request: &Received) -> Reply {
    let revoked: Revoked = match serde_json::from_slice(&request.body) {
        Ok(revoked) => revoked,
        Err(error) => return Reply::text(400, &format!("invalid revocation: {error}")),
    };
    let Some(center) = &mut sandbox.world.identity_center else { return without_center() };
    center.access_tokens.clear();
    if revoked == Revoked::Sessions {
        center.refresh_tokens.clear();
        center.sessions.clear();
    }
    save_and(sandbox, Reply::json(&json!({})))
}

/// Adds or removes the assignment of a permission set to the user.
pub(super) fn assign(sandbox: &mut Sandbox, request: &Received) -> Reply {
    let order: AssignmentOrder = match serde_json::from_slice(&request.body) {
        Ok(order) => order,
        Err(error) => return Reply::text(400, &format!("invalid assignment: {error}")),
    };
    let Some(center) = &mut sandbox.world.identity_center else { return without_center() };
    if !center.permission_sets.contains_key(&order.permission_set) {
        return Reply::text(404, "there is no such permission set");
    }
    let AssignmentOrder { account, permission_set, is_assigned } = order;
    let user = center.browser_user.clone();
    if is_assigned {
        sandbox.world.assign_permission_set(&user, &account, &permission_set);
    } else {
        center.assignments.remove(&Assignment { user, account, permission_set });
    }
    save_and(sandbox, Reply::json(&json!({})))
}

/// Adds accounts in which the user has roles.
pub(super) fn add_accounts(sandbox: &mut Sandbox, request: &Received) -> Reply {
    let order: AccountOrder = match serde_json::from_slice(&request.body) {
        Ok(order) => order,
        Err(error) => return Reply::text(400, &format!("invalid accounts: {error}")),
    };
    if sandbox.world.identity_center.is_none() {
        return without_center();
    }
    if order.accounts > ACCOUNT_LIMIT || order.roles > ROLE_LIMIT {
        return Reply::text(400, &format!("expected at most {ACCOUNT_LIMIT} accounts of {ROLE_LIMIT} roles"));
    }
    sandbox.world.add_sso_accounts(order.accounts, order.roles);
    save_and(sandbox, Reply::json(&json!({})))
}

fn without_center() -> Reply {
    Reply::text(404, "this sandbox has no Identity Center")
}

fn refused(error: &ErrorResponse) -> Reply {
    let because: String = error.because.iter().map(|why| format!(" ({why})")).collect();
    Reply::text(400, &format!("{}{because}", error.message))
}

fn save_and(sandbox: &Sandbox, reply: Reply) -> Reply {
    match sandbox.save() {
        Ok(()) => reply,
        Err(error) => Reply::text(500, &error.to_string()),
    }
}
