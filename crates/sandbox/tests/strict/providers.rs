//! IAM calls about identity providers, and their effects.

use hatbox_sandbox::world::{ISSUER, PEOPLE_ACCOUNT, USER};
use serde_json::json;

use crate::client::{Sandbox, policy};
use crate::web_identity::{assume, token};

const URL: (&str, &str) = ("Url", ISSUER);
const CLIENT: (&str, &str) = ("ClientIDList.member.1", "sts.amazonaws.com");
const ARN: (&str, &str) =
    ("OpenIDConnectProviderArn", "arn:aws:iam::111122223333:oidc-provider/ci.sandbox.example");

#[test]
fn a_provider_is_made_trusted_and_removed() {
    let sandbox = Sandbox::start();
    let iam = |action: &str, params: &[(&str, &str)]| sandbox.iam(&sandbox.jan, action, params);
    let trust = policy(
        r#"{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
            "Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/ci.sandbox.example"}}"#,
    );
    iam("CreateRole", &[("RoleName", "jobs"), ("AssumeRolePolicyDocument", &trust)]).ok();
    let arn = "arn:aws:iam::111122223333:role/jobs";
    let good = token(&sandbox, &json!({}));
    assert_eq!(assume(&sandbox, arn, &good, &[]).text("Code"), "InvalidIdentityToken");
    assert_eq!(iam("GetOpenIDConnectProvider", &[ARN]).text("Code"), "NoSuchEntity");
    let thumbprint = ("ThumbprintList.member.1", "0123456789012345678901234567890123456789");
    let made = iam("CreateOpenIDConnectProvider", &[URL, CLIENT, thumbprint]);
    assert_eq!(made.ok().text(ARN.0), ARN.1);
    assume(&sandbox, arn, &good, &[]).ok();
    let text = format!("Provider with url {ISSUER} already exists.");
    iam("CreateOpenIDConnectProvider", &[URL]).refused(409, "EntityAlreadyExists", &text);
    let got = iam("GetOpenIDConnectProvider", &[ARN]);
    assert_eq!(got.ok().text("Url"), "ci.sandbox.example");
    for shown in [CLIENT.1, thumbprint.1] {
        assert!(got.body.contains(&format!("<member>{shown}</member>")), "{}", got.body);
    }
    assert_eq!(iam("ListOpenIDConnectProviders", &[]).ok().text("Arn"), ARN.1);
    for _ in 0..2 {
        iam("DeleteOpenIDConnectProvider", &[ARN]).ok();
    }
    assert_eq!(assume(&sandbox, arn, &good, &[]).text("Code"), "InvalidIdentityToken");
}

#[test]
fn a_provider_is_named_by_an_https_url_and_made_by_who_may() {
    let sandbox = Sandbox::start();
    for url in ["http://ci.sandbox.example", "ci.sandbox.example", "https://"] {
        let text = "Invalid Open ID Connect Provider URL";
        let refused = sandbox.iam(&sandbox.jan, "CreateOpenIDConnectProvider", &[("Url", url), CLIENT]);
        refused.refused(400, "InvalidInput", text);
    }
    let short = ("ThumbprintList.member.1", "0123");
    let refused = sandbox.iam(&sandbox.jan, "CreateOpenIDConnectProvider", &[URL, short]);
    assert_eq!(refused.text("Code"), "ValidationError");
    sandbox.iam(&sandbox.jan, "CreateOpenIDConnectProvider", &[URL, CLIENT]).ok();
    let sandbox = Sandbox::start_with(|world| {
        let jan = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap();
        jan.policies.remove("all");
    });
    for (action, params) in [
        ("CreateOpenIDConnectProvider", &[URL, CLIENT][..]),
        ("GetOpenIDConnectProvider", &[ARN]),
        ("ListOpenIDConnectProviders", &[]),
        ("DeleteOpenIDConnectProvider", &[ARN]),
        ("EnableOutboundWebIdentityFederation", &[]),
        ("GetOutboundWebIdentityFederationInfo", &[]),
    ] {
        assert_eq!(sandbox.iam(&sandbox.jan, action, params).text("Code"), "AccessDenied", "{action}");
    }
}

#[test]
fn outbound_federation_is_enabled_once_and_stays_over_a_restart() {
    let mut sandbox = Sandbox::start();
    let ask = [("Audience.member.1", "them"), ("SigningAlgorithm", "ES384")];
    assert_eq!(sandbox.sts(&sandbox.jan, "GetWebIdentityToken", &ask).status, 403);
    let info = sandbox.iam(&sandbox.jan, "GetOutboundWebIdentityFederationInfo", &[]);
    assert_eq!((info.status, info.text("Code").as_str()), (404, "FeatureDisabled"));
    let enabled = sandbox.iam(&sandbox.jan, "EnableOutboundWebIdentityFederation", &[]);
    let issuer = enabled.ok().text("IssuerIdentifier");
    assert!(issuer.starts_with("https://") && issuer.ends_with(".tokens.sts.global.api.aws"), "{issuer}");
    let again = sandbox.iam(&sandbox.jan, "EnableOutboundWebIdentityFederation", &[]);
    assert_eq!((again.status, again.text("Code").as_str()), (409, "FeatureEnabled"));
    sandbox.restart();
    let info = sandbox.iam(&sandbox.jan, "GetOutboundWebIdentityFederationInfo", &[]);
    assert_eq!(
        (info.ok().text("IssuerIdentifier"), info.text("JwtVendingEnabled")),
        (issuer, "true".to_owned())
    );
    sandbox.sts(&sandbox.jan, "GetWebIdentityToken", &ask).ok();
}
