//! The actions of the sign-in service and the rules of their parameters. The limits are those of AWS's published model
//! of the service.

use super::{authorize, page, token};
use crate::action::{Action, Effect, Run};
use crate::rules::{Kind, Pattern, Rule, optional, required};

/// The characters of code verifiers (RFC 7636).
const VERIFIER: Pattern =
    Pattern { text: r"[A-Za-z0-9-._~]+", is_allowed: |c| c.is_ascii_alphanumeric() || "-._~".contains(c) };
const TEXT: Kind = Kind::Text(1, 2048, None);

/// The parameters in the URL of the sign-in page.
const RESPONSE_TYPE: Rule = required("response_type", TEXT);
const CLIENT_ID: Rule = required("client_id", TEXT);
const STATE: Rule = required("state", TEXT).secret();
const METHOD: Rule = required("code_challenge_method", TEXT);
const CHALLENGE: Rule = required("code_challenge", Kind::Text(43, 43, Some(VERIFIER))).secret();
const SCOPE: Rule = required("scope", TEXT);
const REDIRECT: Rule = required("redirect_uri", TEXT);

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action {
        name: "ShowSignIn",
        effect: Effect::Read,
        rules: &[RESPONSE_TYPE, CLIENT_ID, STATE, METHOD, CHALLENGE, SCOPE, REDIRECT],
        run: Run::Unsigned(authorize::show_sign_in),
    },
    Action::unsigned(
        "AuthorizeOAuth2Access",
        &[
            RESPONSE_TYPE,
            CLIENT_ID,
            STATE,
            METHOD,
            CHALLENGE,
            SCOPE,
            REDIRECT,
            required("identity", TEXT).target(),
            required("decision", TEXT),
        ],
        authorize::authorize_oauth2_access,
    ),
    Action {
        name: "ShowConfirmation",
        effect: Effect::Read,
        rules: &[STATE, optional("code", TEXT).secret(), optional("error", TEXT)],
        run: Run::Unsigned(page::show_confirmation),
    },
    Action::unsigned(
        "CreateOAuth2Token",
        &[
            required("clientId", Kind::Text(1, 2048, None)),
            required("grantType", Kind::Text(1, 2048, None)),
            optional("code", Kind::Text(1, 512, None)).secret(),
            optional("redirectUri", Kind::Text(1, 2048, None)),
            optional("codeVerifier", Kind::Text(43, 128, Some(VERIFIER))).secret(),
            optional("refreshToken", Kind::Text(1, 12_288, None)).secret(),
        ],
        token::create_oauth2_token,
    ),
];
