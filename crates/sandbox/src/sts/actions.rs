//! The actions of STS and the rules of their parameters. The limits are those of AWS's published model of the service.

use super::parameters::{
    ARN, EXTERNAL, MFA_CODE, MFA_SERIAL, POLICY, POLICY_ARNS, ROLE_SECONDS, SESSION_NAME, TAG_COUNT, TAG_KEY,
    TAGS, TOKEN_SECONDS, TOKEN_SIZE,
};
use super::{assume_role, assume_root, caller_identity, outbound, refused, tokens, web_identity};
use crate::action::Action;
use crate::rules::{Kind, NAME, WORD, optional, required};

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::write(
        "AssumeRole",
        &[
            required("RoleArn", ARN).target(),
            required("RoleSessionName", SESSION_NAME),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("ExternalId", Kind::Text(2, 1224, Some(EXTERNAL))),
            optional("SerialNumber", MFA_SERIAL),
            optional("TokenCode", MFA_CODE).secret(),
            optional("SourceIdentity", SESSION_NAME),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            optional("Tags", TAGS),
            optional("TransitiveTagKeys", Kind::List(TAG_COUNT, &[("", TAG_KEY)])),
            optional("ProvidedContexts", Kind::List(5, &[("ProviderArn", ARN)])),
            TOKEN_SIZE,
        ],
        assume_role::assume_role,
    ),
    Action::unsigned(
        "AssumeRoleWithSAML",
        &[
            required("RoleArn", ARN).target(),
            required("PrincipalArn", ARN),
            required("SAMLAssertion", Kind::Text(4, 100_000, None)).secret(),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            TOKEN_SIZE,
        ],
        refused::assume_role_with_saml,
    ),
    Action::unsigned(
        "AssumeRoleWithWebIdentity",
        &[
            required("RoleArn", ARN).target(),
            required("RoleSessionName", SESSION_NAME),
            required("WebIdentityToken", Kind::Text(4, 20_000, None)).secret(),
            optional("ProviderId", Kind::Text(4, 2048, None)),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            TOKEN_SIZE,
        ],
        web_identity::assume_role_with_web_identity,
    ),
    Action::write(
        "AssumeRoot",
        &[
            required("TargetPrincipal", Kind::Text(12, 2048, None)).target(),
            required("TaskPolicyArn.arn", ARN),
            optional("DurationSeconds", Kind::Number(0, 900)),
            TOKEN_SIZE,
        ],
        assume_root::assume_root,
    ),
    Action::write(
        "GetSessionToken",
        &[
            optional("DurationSeconds", TOKEN_SECONDS),
            optional("SerialNumber", MFA_SERIAL),
            optional("TokenCode", MFA_CODE).secret(),
            TOKEN_SIZE,
        ],
        tokens::get_session_token,
    ),
    Action::write(
        "GetFederationToken",
        &[
            required("Name", Kind::Text(2, 32, Some(NAME))),
            optional("DurationSeconds", TOKEN_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            optional("Tags", TAGS),
            TOKEN_SIZE,
        ],
        tokens::get_federation_token,
    ),
    Action::read(
        "GetDelegatedAccessToken",
        &[required("TradeInToken", Kind::Text(0, usize::MAX, None)).secret()],
        refused::get_delegated_access_token,
    ),
    Action::read(
        "GetWebIdentityToken",
        &[
            required("Audience", Kind::List(10, &[("", Kind::Text(1, 1000, None))])),
            optional("DurationSeconds", Kind::Number(60, 3600)),
            required("SigningAlgorithm", Kind::Text(5, 5, None)),
            optional("Tags", TAGS),
        ],
        outbound::get_web_identity_token,
    ),
    Action::read("GetCallerIdentity", &[], |context, caller| {
        Ok(caller_identity::get_caller_identity(context, caller))
    }),
    Action::read(
        "GetAccessKeyInfo",
        &[required("AccessKeyId", Kind::Text(16, 128, Some(WORD))).masked()],
        caller_identity::get_access_key_info,
    ),
    Action::read(
        "DecodeAuthorizationMessage",
        &[required("EncodedMessage", Kind::Text(1, 10_240, None)).secret()],
        caller_identity::decode_authorization_message,
    ),
];
