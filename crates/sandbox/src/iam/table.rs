//! What each parameter of IAM may be. The bounds are those of the service's published model.

use crate::rules::{DIGITS, Kind, LATIN, NAME, Pattern, Rule, SERIAL, WORD, optional, required};

const PATH: Pattern =
    Pattern { text: r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", is_allowed: |c| c.is_ascii_graphic() };
const STATUS: Pattern = Pattern { text: r"Active|Inactive", is_allowed: |c| c.is_ascii_alphabetic() };

const USER: Kind = Kind::Text(1, 64, Some(NAME));
const ROLE: Kind = Kind::Text(1, 64, Some(NAME));
const POLICY_NAME: Kind = Kind::Text(1, 128, Some(NAME));
const DOCUMENT: Kind = Kind::Text(1, 131_072, Some(LATIN));
const PATH_TEXT: Kind = Kind::Text(1, 512, Some(PATH));
const KEY_ID: Kind = Kind::Text(16, 128, Some(WORD));
const MFA_SERIAL: Kind = Kind::Text(9, 256, Some(SERIAL));
const CODE: Kind = Kind::Text(6, 6, Some(DIGITS));
const SESSION_SECONDS: Kind = Kind::Number(3600, 43_200);
const DESCRIPTION: Kind = Kind::Text(0, 1000, None);
const BOUNDARY: Kind = Kind::Text(20, 2048, None);
const TAGS: Kind = Kind::List(50, &[("Key", Kind::Text(1, 128, None)), ("Value", Kind::Text(0, 256, None))]);

const MARKER: Pattern = Pattern { text: r"[\u0020-\u00FF]+", is_allowed: |c| matches!(c, ' '..='\u{ff}') };
const ENTITY: Pattern = Pattern {
    text: r"User|Role|Group|LocalManagedPolicy|AWSManagedPolicy",
    is_allowed: |c| c.is_ascii_alphabetic(),
};

/// The rules of a call; none for calls without parameters.
pub(super) fn rules_of(action: &str) -> Vec<Rule> {
    let user = required("UserName", USER);
    let own = optional("UserName", USER);
    let role = required("RoleName", ROLE);
    let marker = optional("Marker", Kind::Text(1, 2048, Some(MARKER)));
    let max_items = optional("MaxItems", Kind::Number(1, 1000));
    match action {
        "CreateUser" => {
            vec![
                user,
                optional("Path", PATH_TEXT),
                optional("PermissionsBoundary", BOUNDARY),
                optional("Tags", TAGS),
            ]
        }
        "DeleteUser" | "ListUserPolicies" => vec![user],
        "GetUser" | "CreateAccessKey" | "ListAccessKeys" => vec![own],
        "ListMFADevices" => vec![own, marker, max_items],
        "ListUsers" | "ListRoles" => vec![optional("PathPrefix", PATH_TEXT), marker, max_items],
        "ListVirtualMFADevices" | "ListAccountAliases" => vec![marker, max_items],
        "GetAccountAuthorizationDetails" => {
            vec![
                optional("Filter", Kind::List(5, &[("", Kind::Text(1, 32, Some(ENTITY)))])),
                marker,
                max_items,
            ]
        }
        "UpdateAccessKey" => {
            vec![own, required("AccessKeyId", KEY_ID), required("Status", Kind::Text(6, 8, Some(STATUS)))]
        }
        "DeleteAccessKey" => vec![own, required("AccessKeyId", KEY_ID)],
        "GetAccessKeyLastUsed" => vec![required("AccessKeyId", KEY_ID)],
        "CreateVirtualMFADevice" => {
            vec![
                required("VirtualMFADeviceName", Kind::Text(1, 226, Some(NAME))),
                optional("Path", PATH_TEXT),
            ]
        }
        "EnableMFADevice" => vec![
            user,
            required("SerialNumber", MFA_SERIAL),
            required("AuthenticationCode1", CODE),
            required("AuthenticationCode2", CODE),
        ],
        "DeactivateMFADevice" => vec![own, required("SerialNumber", MFA_SERIAL)],
        "DeleteVirtualMFADevice" => vec![required("SerialNumber", MFA_SERIAL)],
        "CreateRole" => vec![
            role,
            required("AssumeRolePolicyDocument", DOCUMENT),
            optional("Path", PATH_TEXT),
            optional("Description", DESCRIPTION),
            optional("MaxSessionDuration", SESSION_SECONDS),
            optional("PermissionsBoundary", BOUNDARY),
            optional("Tags", TAGS),
        ],
        "GetRole" | "DeleteRole" | "ListRolePolicies" => vec![role],
        "CreateOpenIDConnectProvider" => vec![
            required("Url", Kind::Text(1, 255, None)),
            optional("ClientIDList", Kind::List(100, &[("", Kind::Text(1, 255, None))])),
            optional("ThumbprintList", Kind::List(5, &[("", Kind::Text(40, 40, None))])),
        ],
        "GetOpenIDConnectProvider" | "DeleteOpenIDConnectProvider" => {
            vec![required("OpenIDConnectProviderArn", Kind::Text(20, 2048, None))]
        }
        "UpdateAssumeRolePolicy" => vec![role, required("PolicyDocument", DOCUMENT)],
        "UpdateRole" => {
            vec![role, optional("Description", DESCRIPTION), optional("MaxSessionDuration", SESSION_SECONDS)]
        }
        "PutUserPolicy" => {
            vec![user, required("PolicyName", POLICY_NAME), required("PolicyDocument", DOCUMENT)]
        }
        "PutRolePolicy" => {
            vec![role, required("PolicyName", POLICY_NAME), required("PolicyDocument", DOCUMENT)]
        }
        "GetUserPolicy" | "DeleteUserPolicy" => vec![user, required("PolicyName", POLICY_NAME)],
        "GetRolePolicy" | "DeleteRolePolicy" => vec![role, required("PolicyName", POLICY_NAME)],
        _ => Vec::new(),
    }
}
