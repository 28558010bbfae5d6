//! The actions of the OIDC service and of the portal. Their rules only control the log: each action reports bad
//! parameters in its own wording.

use super::{authorize, device, portal, register, token};
use crate::action::Action;
use crate::rules::{Kind, Rule, optional};

const TEXT: Kind = Kind::Text(0, usize::MAX, None);
const AUTHORIZE: &[Rule] = &[
    optional("answer", TEXT),
    optional("client_id", TEXT),
    optional("code_challenge", TEXT).secret(),
    optional("code_challenge_method", TEXT),
    optional("redirect_uri", TEXT),
    optional("response_type", TEXT),
    optional("scope", TEXT),
    optional("scopes", TEXT),
    optional("state", TEXT).secret(),
];
const DEVICE: &[Rule] = &[optional("answer", TEXT), optional("user_code", TEXT).secret()];
const LIST: &[Rule] =
    &[optional("account_id", TEXT), optional("max_result", TEXT), optional("next_token", TEXT)];

/// One row for each action of the OIDC service.
pub(crate) const OIDC_ACTIONS: &[Action] = &[
    Action::unsigned(
        "RegisterClient",
        &[
            optional("clientName", TEXT),
            optional("clientType", TEXT),
            optional("grantTypes", TEXT),
            optional("issuerUrl", TEXT),
            optional("redirectUris", TEXT),
            optional("scopes", TEXT),
        ],
        register::register_client,
    ),
    Action::unsigned(
        "StartDeviceAuthorization",
        &[optional("clientId", TEXT), optional("clientSecret", TEXT).secret(), optional("startUrl", TEXT)],
        device::start_device_authorization,
    ),
    Action::unsigned(
        "CreateToken",
        &[
            optional("clientId", TEXT),
            optional("clientSecret", TEXT).secret(),
            optional("code", TEXT).secret(),
            optional("codeVerifier", TEXT).secret(),
            optional("deviceCode", TEXT).secret(),
            optional("grantType", TEXT),
            optional("redirectUri", TEXT),
            optional("refreshToken", TEXT).secret(),
            optional("scope", TEXT),
        ],
        token::create_token,
    ),
    Action::unsigned_read("Authorize", AUTHORIZE, authorize::authorize),
    Action::unsigned("AnswerAuthorize", AUTHORIZE, authorize::answer_authorize),
    Action::unsigned_read("VerifyDevice", DEVICE, device::verify_device),
    Action::unsigned("AnswerVerifyDevice", DEVICE, device::answer_verify_device),
];

/// One row for each action of the portal.
pub(crate) const PORTAL_ACTIONS: &[Action] = &[
    Action::unsigned(
        "GetRoleCredentials",
        &[optional("account_id", TEXT), optional("role_name", TEXT)],
        portal::get_role_credentials,
    ),
    Action::unsigned_read("ListAccounts", LIST, portal::list_accounts),
    Action::unsigned_read("ListAccountRoles", LIST, portal::list_account_roles),
    Action::unsigned("Logout", &[], portal::logout),
];
