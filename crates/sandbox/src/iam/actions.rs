//! The actions of IAM and the rules of their parameters. The limits are those of AWS's published model of the service.

use super::policies::Owner;
use super::{account, keys, mfa, policies, providers, roles, users};
use crate::action::Action;
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

/// The user that a call is about.
const USER_NAME: Rule = required("UserName", USER);
/// The user that a call is about; the caller if omitted.
const OWN_NAME: Rule = optional("UserName", USER);
const ROLE_NAME: Rule = required("RoleName", ROLE);
const ACCESS_KEY: Rule = required("AccessKeyId", KEY_ID).masked();
const SERIAL_NUMBER: Rule = required("SerialNumber", MFA_SERIAL);
const POLICY: Rule = required("PolicyName", POLICY_NAME);
const POLICY_DOCUMENT: Rule = required("PolicyDocument", DOCUMENT);
const PATH_OF: Rule = optional("Path", PATH_TEXT);
const PREFIX: Rule = optional("PathPrefix", PATH_TEXT);
const BOUNDARY_OF: Rule = optional("PermissionsBoundary", BOUNDARY);
const TAGS_OF: Rule = optional("Tags", TAGS);
const DESCRIPTION_OF: Rule = optional("Description", DESCRIPTION);
const MAX_SESSION: Rule = optional("MaxSessionDuration", SESSION_SECONDS);
const PROVIDER: Rule = required("OpenIDConnectProviderArn", Kind::Text(20, 2048, None));
const MARKER_OF: Rule = optional("Marker", Kind::Text(1, 2048, Some(MARKER)));
const MAX_ITEMS: Rule = optional("MaxItems", Kind::Number(1, 1000));

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::write("CreateUser", &[USER_NAME, PATH_OF, BOUNDARY_OF, TAGS_OF], users::create_user),
    Action::read("GetUser", &[OWN_NAME], users::get_user),
    Action::read("ListUsers", &[PREFIX, MARKER_OF, MAX_ITEMS], users::list_users),
    Action::write("DeleteUser", &[USER_NAME], users::delete_user),
    Action::write("CreateAccessKey", &[OWN_NAME], keys::create_access_key),
    Action::read("ListAccessKeys", &[OWN_NAME], keys::list_access_keys),
    Action::write(
        "UpdateAccessKey",
        &[OWN_NAME, ACCESS_KEY, required("Status", Kind::Text(6, 8, Some(STATUS)))],
        keys::update_access_key,
    ),
    Action::write("DeleteAccessKey", &[OWN_NAME, ACCESS_KEY], keys::delete_access_key),
    Action::read("GetAccessKeyLastUsed", &[ACCESS_KEY], keys::get_access_key_last_used),
    Action::write(
        "CreateVirtualMFADevice",
        &[required("VirtualMFADeviceName", Kind::Text(1, 226, Some(NAME))), PATH_OF],
        mfa::create_device,
    ),
    Action::write(
        "EnableMFADevice",
        &[
            USER_NAME,
            SERIAL_NUMBER,
            required("AuthenticationCode1", CODE).secret(),
            required("AuthenticationCode2", CODE).secret(),
        ],
        mfa::enable_device,
    ),
    Action::write("DeactivateMFADevice", &[OWN_NAME, SERIAL_NUMBER], mfa::deactivate_device),
    Action::write("DeleteVirtualMFADevice", &[SERIAL_NUMBER], mfa::delete_device),
    Action::read("ListMFADevices", &[OWN_NAME, MARKER_OF, MAX_ITEMS], mfa::list_devices),
    Action::read("ListVirtualMFADevices", &[MARKER_OF, MAX_ITEMS], mfa::list_virtual_devices),
    Action::write(
        "CreateRole",
        &[
            ROLE_NAME,
            required("AssumeRolePolicyDocument", DOCUMENT),
            PATH_OF,
            DESCRIPTION_OF,
            MAX_SESSION,
            BOUNDARY_OF,
            TAGS_OF,
        ],
        roles::create_role,
    ),
    Action::read("GetRole", &[ROLE_NAME], roles::get_role),
    Action::read("ListRoles", &[PREFIX, MARKER_OF, MAX_ITEMS], roles::list_roles),
    Action::write("UpdateAssumeRolePolicy", &[ROLE_NAME, POLICY_DOCUMENT], roles::update_trust),
    Action::write("UpdateRole", &[ROLE_NAME, DESCRIPTION_OF, MAX_SESSION], roles::update_role),
    Action::write("DeleteRole", &[ROLE_NAME], roles::delete_role),
    Action::read(
        "GetAccountAuthorizationDetails",
        &[optional("Filter", Kind::List(5, &[("", Kind::Text(1, 32, Some(ENTITY)))])), MARKER_OF, MAX_ITEMS],
        account::get_details,
    ),
    Action::read("ListAccountAliases", &[MARKER_OF, MAX_ITEMS], account::list_aliases),
    Action::write(
        "CreateOpenIDConnectProvider",
        &[
            required("Url", Kind::Text(1, 255, None)),
            optional("ClientIDList", Kind::List(100, &[("", Kind::Text(1, 255, None))])),
            optional("ThumbprintList", Kind::List(5, &[("", Kind::Text(40, 40, None))])),
        ],
        providers::create_provider,
    ),
    Action::read("GetOpenIDConnectProvider", &[PROVIDER], providers::get_provider),
    Action::read("ListOpenIDConnectProviders", &[], providers::list_providers),
    Action::write("DeleteOpenIDConnectProvider", &[PROVIDER], providers::delete_provider),
    Action::write("EnableOutboundWebIdentityFederation", &[], providers::enable_outbound),
    Action::read("GetOutboundWebIdentityFederationInfo", &[], providers::get_outbound_info),
    Action::write("PutUserPolicy", &[USER_NAME, POLICY, POLICY_DOCUMENT], |context, caller| {
        policies::put_policy(context, caller, Owner::User)
    }),
    Action::read("GetUserPolicy", &[USER_NAME, POLICY], |context, caller| {
        policies::get_policy(context, caller, Owner::User)
    }),
    Action::read("ListUserPolicies", &[USER_NAME], |context, caller| {
        policies::list_policies(context, caller, Owner::User)
    }),
    Action::write("DeleteUserPolicy", &[USER_NAME, POLICY], |context, caller| {
        policies::delete_policy(context, caller, Owner::User)
    }),
    Action::write("PutRolePolicy", &[ROLE_NAME, POLICY, POLICY_DOCUMENT], |context, caller| {
        policies::put_policy(context, caller, Owner::Role)
    }),
    Action::read("GetRolePolicy", &[ROLE_NAME, POLICY], |context, caller| {
        policies::get_policy(context, caller, Owner::Role)
    }),
    Action::read("ListRolePolicies", &[ROLE_NAME], |context, caller| {
        policies::list_policies(context, caller, Owner::Role)
    }),
    Action::write("DeleteRolePolicy", &[ROLE_NAME, POLICY], |context, caller| {
        policies::delete_policy(context, caller, Owner::Role)
    }),
];
