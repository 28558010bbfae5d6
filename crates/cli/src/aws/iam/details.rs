//! Renders account details as JSON in the format of the AWS CLI.

use std::borrow::Cow;

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail,
    Tag, UserDetail,
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The lists from all pages.
#[derive(Default)]
pub(super) struct Lists {
    users: Vec<Value>,
    groups: Vec<Value>,
    roles: Vec<Value>,
    policies: Vec<Value>,
}

impl Lists {
    pub(super) fn add(&mut self, page: GetAccountAuthorizationDetailsOutput) {
        self.users.extend(page.user_detail_list.unwrap_or_default().into_iter().map(render_user));
        self.groups.extend(page.group_detail_list.unwrap_or_default().into_iter().map(render_group));
        self.roles.extend(page.role_detail_list.unwrap_or_default().into_iter().map(render_role));
        self.policies.extend(page.policies.unwrap_or_default().into_iter().map(render_policy));
    }

    pub(super) fn render(self) -> Value {
        json!({
            "UserDetailList": self.users,
            "GroupDetailList": self.groups,
            "RoleDetailList": self.roles,
            "Policies": self.policies,
        })
    }
}

fn render_user(user: UserDetail) -> Value {
    object([
        ("Path", user.path.map(Value::from)),
        ("UserName", user.user_name.map(Value::from)),
        ("UserId", user.user_id.map(Value::from)),
        ("Arn", user.arn.map(Value::from)),
        ("UserPolicyList", Some(render_inline(user.user_policy_list))),
        ("GroupList", Some(user.group_list.unwrap_or_default().into())),
        ("AttachedManagedPolicies", Some(render_attached(user.attached_managed_policies))),
        ("PermissionsBoundary", user.permissions_boundary.map(render_boundary)),
        ("Tags", Some(render_tags(user.tags))),
    ])
}

fn render_group(group: GroupDetail) -> Value {
    object([
        ("Path", group.path.map(Value::from)),
        ("GroupName", group.group_name.map(Value::from)),
        ("GroupId", group.group_id.map(Value::from)),
        ("Arn", group.arn.map(Value::from)),
        ("GroupPolicyList", Some(render_inline(group.group_policy_list))),
        ("AttachedManagedPolicies", Some(render_attached(group.attached_managed_policies))),
    ])
}

fn render_role(role: RoleDetail) -> Value {
    object([
        ("Path", role.path.map(Value::from)),
        ("RoleName", role.role_name.map(Value::from)),
        ("RoleId", role.role_id.map(Value::from)),
        ("Arn", role.arn.map(Value::from)),
        ("AssumeRolePolicyDocument", role.assume_role_policy_document.as_deref().map(render_document)),
        ("RolePolicyList", Some(render_inline(role.role_policy_list))),
        ("AttachedManagedPolicies", Some(render_attached(role.attached_managed_policies))),
        ("PermissionsBoundary", role.permissions_boundary.map(render_boundary)),
        ("Tags", Some(render_tags(role.tags))),
    ])
}

fn render_policy(policy: ManagedPolicyDetail) -> Value {
    let versions = policy.policy_version_list.unwrap_or_default();
    let versions = versions.into_iter().filter(|version| version.is_default_version).map(|version| {
        object([
            ("VersionId", version.version_id.map(Value::from)),
            ("IsDefaultVersion", Some(true.into())),
            ("Document", version.document.as_deref().map(render_document)),
        ])
    });
    let versions: Vec<Value> = versions.collect();
    object([
        ("PolicyName", policy.policy_name.map(Value::from)),
        ("Arn", policy.arn.map(Value::from)),
        ("DefaultVersionId", policy.default_version_id.map(Value::from)),
        ("PolicyVersionList", Some(versions.into())),
    ])
}

fn render_inline(policies: Option<Vec<PolicyDetail>>) -> Value {
    let render = |policy: PolicyDetail| {
        object([
            ("PolicyName", policy.policy_name.map(Value::from)),
            ("PolicyDocument", policy.policy_document.as_deref().map(render_document)),
        ])
    };
    policies.unwrap_or_default().into_iter().map(render).collect()
}

fn render_attached(policies: Option<Vec<AttachedPolicy>>) -> Value {
    let render = |policy: AttachedPolicy| {
        object([
            ("PolicyName", policy.policy_name.map(Value::from)),
            ("PolicyArn", policy.policy_arn.map(Value::from)),
        ])
    };
    policies.unwrap_or_default().into_iter().map(render).collect()
}

fn render_boundary(boundary: AttachedPermissionsBoundary) -> Value {
    object([("PermissionsBoundaryArn", boundary.permissions_boundary_arn.map(Value::from))])
}

fn render_tags(tags: Option<Vec<Tag>>) -> Value {
    tags.unwrap_or_default().into_iter().map(|tag| json!({ "Key": tag.key, "Value": tag.value })).collect()
}

/// Renders a policy as JSON if it is valid, otherwise as its text.
fn render_document(encoded: &str) -> Value {
    let text = decode_percent(encoded);
    let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    match serde_json::from_str::<Value>(&text) {
        // A duplicate member would be lost, so such a text is kept unparsed.
        Ok(value) if count(&value.to_string()) == count(&text) => value,
        _ => text.into(),
    }
}

/// Renders an object with those members that have a value.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

/// Decodes IAM's percent-encoding (RFC 3986). Keeps a `%` that is not followed by two hex digits.
pub(super) fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_decoded_and_becomes_json_where_nothing_is_lost() {
        assert_eq!(render_document("%7B%22Statement%22%3A%20%5B%5D%7D"), json!({ "Statement": [] }));
        assert_eq!(render_document("{\"a\": 1, \"a\": 2}"), json!("{\"a\": 1, \"a\": 2}"));
        assert_eq!(render_document("%7Bno"), json!("{no"));
    }

    #[test]
    fn percent_signs_are_kept_before_anything_but_hex() {
        for (encoded, text) in [("a%2Fb", "a/b"), ("100%", "100%"), ("%zz%C3%A9", "%zzé"), ("%FF", "%FF")] {
            assert_eq!(decode_percent(encoded), text);
        }
    }
}
