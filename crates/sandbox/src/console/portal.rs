//! The portal of Identity Center, limited to its console links: `/start/#/console?account_id=...&role_name=...`.
//!
//! Browsers do not send the part after `#`, so a script on the page does.

use super::pages::{Script, escape, render_page};
use super::{PORTAL_CONSOLE, bad_request, federation};
use crate::context::RequestContext;
use crate::encoding::render_base64_url;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::world::{Principal, REGION};
use crate::{clock, mint};

const SCRIPT: &str = "const at=location.hash.indexOf('?');\
    if(location.hash.startsWith('#/console?'))location.replace('/start/console'+location.hash.slice(at));";

/// Handles GET `/start/`: returns the page with the script.
pub(super) fn show_portal(_: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let script = Script { nonce: render_base64_url(&mint::mint_bytes::<12>()?), text: SCRIPT };
    Ok(render_page(200, "Access portal", "<p>This portal opens console links only.</p>", Some(&script)))
}

/// Handles GET `/start/console`: asks the user to sign in to the portal.
pub(super) fn show_portal_console(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let user = signed_in_user(context)?;
    let fields: String = context
        .params
        .iter()
        .map(|(name, value)| {
            format!("<input type=hidden name=\"{}\" value=\"{}\">", escape(name), escape(value))
        })
        .collect();
    let body = format!(
        "<form method=post action=\"{PORTAL_CONSOLE}\">{fields}<p>Open the console as \
         <b id=user>{}</b>?</p><p><button id=open>Sign in</button></p></form>",
        escape(&user)
    );
    Ok(render_page(200, "Access portal", &body, None))
}

/// Handles POST: creates a browser session of the permission set's role.
pub(super) fn portal_login(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    // Security: another site must not sign the user in. Browsers always send the origin of a form.
    let own = context.request.header("host").map(|host| format!("http://{host}"));
    if context.request.header("origin").is_some_and(|origin| Some(origin) != own.as_deref()) {
        return Err(bad_request("the form is from another site", "Origin is not this host"));
    }
    let user = signed_in_user(context)?;
    let param = |name: &str| context.params.get(name).unwrap_or_default().to_owned();
    let (account, role, mut destination) = (param("account_id"), param("role_name"), param("destination"));
    let center = context.world.identity_center.as_ref();
    if !center.is_some_and(|center| center.is_assigned(&user, &account, &role)) {
        return Err(ErrorResponse::new(403, "ForbiddenException", "No access")
            .because(format!("{role} in {account} is not assigned to {user}")));
    }
    let provisioned = context.world.provision_role(&account, &role, context.now)?;
    let (name, seconds) =
        provisioned.ok_or_else(|| bad_request("there is no such role", "the permission set is gone"))?;
    if destination.is_empty() {
        destination = format!("https://{REGION}.console.aws.amazon.com/console/home?region={REGION}");
    }
    let principal = Principal::RoleSession { account, role: name, session: user };
    context.entry.caller = Some(principal.arn(context.world));
    let expires_at = clock::later(clock::whole_seconds(context.now), seconds);
    federation::sign_in(context, &principal, expires_at, &destination)
}

/// Returns the user who signs in through the browser.
fn signed_in_user(context: &RequestContext) -> Result<String, ErrorResponse> {
    let center = context.world.identity_center.as_ref();
    let user = center.map(|center| center.browser_user.clone());
    user.ok_or_else(|| bad_request("there is no portal here", "the world has no Identity Center"))
}
