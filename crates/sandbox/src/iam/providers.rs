//! Calls about identity providers: the issuers that an account trusts, and its own issuer.
//!
//! As in AWS, an issuer can be added even if the sandbox does not have its keys; its tokens are then rejected because
//! the key is missing.

use super::call::{account_of, already_exists, authorize, no_such_entity, text, text_members};
use crate::clock::{render_iso, whole_seconds};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{OidcProvider, issuer_name, oidc_provider_arn};

const ARN: &str = "OpenIDConnectProviderArn";

pub(super) fn create_provider(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let url = text(context, "Url");
    let arn = oidc_provider_arn(caller.account(), &url);
    authorize(context, caller, &arn)?;
    if !url.starts_with("https://") || issuer_name(&url).is_empty() {
        return Err(ErrorResponse::new(400, "InvalidInput", "Invalid Open ID Connect Provider URL"));
    }
    let provider = OidcProvider {
        client_ids: text_members(context, "ClientIDList").into_iter().collect(),
        thumbprints: text_members(context, "ThumbprintList"),
        created_at: whole_seconds(context.now),
        url: url.clone(),
    };
    let providers = &mut account_of(context, caller).oidc_providers;
    if providers.contains_key(&arn) {
        return Err(already_exists(&format!("Provider with url {url} already exists.")));
    }
    providers.insert(arn.clone(), provider);
    Ok(context.render(|xml| {
        xml.element(ARN, &arn);
    }))
}

pub(super) fn get_provider(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let arn = text(context, ARN);
    authorize(context, caller, &arn)?;
    let provider = account_of(context, caller).oidc_providers.get(&arn).cloned();
    let provider =
        provider.ok_or_else(|| no_such_entity(&format!("OpenIDConnect Provider not found for arn {arn}")))?;
    Ok(context.render(|xml| {
        // AWS returns the URL without `https://`.
        xml.element("Url", issuer_name(&provider.url));
        xml.nest("ClientIDList", |xml| {
            for id in &provider.client_ids {
                xml.element("member", id);
            }
        });
        xml.nest("ThumbprintList", |xml| {
            for thumbprint in &provider.thumbprints {
                xml.element("member", thumbprint);
            }
        });
        xml.element("CreateDate", &render_iso(provider.created_at));
    }))
}

pub(super) fn list_providers(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "*")?;
    let arns: Vec<String> = account_of(context, caller).oidc_providers.keys().cloned().collect();
    Ok(context.render(|xml| {
        xml.nest("OpenIDConnectProviderList", |xml| {
            for arn in &arns {
                xml.nest("member", |xml| {
                    xml.element("Arn", arn);
                });
            }
        });
    }))
}

pub(super) fn delete_provider(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let arn = text(context, ARN);
    authorize(context, caller, &arn)?;
    // Deleting a missing provider succeeds.
    account_of(context, caller).oidc_providers.remove(&arn);
    Ok(context.render_nothing())
}

pub(super) fn enable_outbound(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "*")?;
    if account_of(context, caller).outbound_issuer.is_some() {
        let text = "Outbound web identity federation is enabled for this account already.";
        return Err(ErrorResponse::new(409, "FeatureEnabled", text));
    }
    let issuer = context.world.enable_outbound_federation(caller.account())?;
    Ok(context.render(|xml| {
        xml.element("IssuerIdentifier", &issuer);
    }))
}

pub(super) fn get_outbound_info(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "*")?;
    let issuer = account_of(context, caller).outbound_issuer.clone().ok_or_else(|| {
        let text = "Outbound web identity federation is not enabled for this account.";
        ErrorResponse::new(404, "FeatureDisabled", text)
    })?;
    Ok(context.render(|xml| {
        xml.element("IssuerIdentifier", &issuer).element("JwtVendingEnabled", "true");
    }))
}
