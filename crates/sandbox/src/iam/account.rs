//! Calls about a whole account: its authorization details and its alias.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{account_of, authorize, text_members, write_boundary, write_tags};
use super::page::Page;
use crate::clock::render_iso;
use crate::context::RequestContext;
use crate::encoding::render_percent;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{Account, Attached, Group, Role, User, World, group_arn, role_arn, user_arn};
use crate::xml::Xml;

const KINDS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

/// An item of GetAccountAuthorizationDetails.
enum Detail<'a> {
    User(&'a str, &'a User),
    Group(&'a str, &'a Group),
    Role(&'a str, &'a Role),
    Policy(&'a str, &'a str),
}

pub(super) fn get_details(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "*")?;
    let wanted = parse_filter(context)?;
    let account = account_of(context, caller).clone();
    let page = Page::of(context, details(context.world, &account, &wanted))?;
    let details = Details { account_id: caller.account(), account: &account };
    Ok(context.render(|xml| {
        for list in LISTS {
            xml.nest(list, |xml| {
                for detail in page.items.iter().filter(|detail| detail.list() == list) {
                    xml.nest("member", |xml| details.write(xml, detail));
                }
            });
        }
        page.write_end(xml);
    }))
}

pub(super) fn list_aliases(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "*")?;
    let alias = account_of(context, caller).alias.clone();
    let page = Page::of(context, alias.into_iter().map(|alias| (alias.clone(), alias)).collect())?;
    Ok(context.render(|xml| {
        xml.nest("AccountAliases", |xml| {
            for alias in &page.items {
                xml.element("member", alias);
            }
        });
        page.write_end(xml);
    }))
}

/// The lists in the response.
const LISTS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

impl Detail<'_> {
    /// Returns the name of the list that contains the item.
    fn list(&self) -> &'static str {
        match self {
            Self::User(..) => "UserDetailList",
            Self::Group(..) => "GroupDetailList",
            Self::Role(..) => "RoleDetailList",
            Self::Policy(..) => "Policies",
        }
    }
}

/// Parses the kinds of items that the call asks for; all of them without a filter.
fn parse_filter(context: &RequestContext) -> Result<BTreeSet<String>, ErrorResponse> {
    let wanted: BTreeSet<String> = text_members(context, "Filter").into_iter().collect();
    if wanted.iter().all(|kind| KINDS.contains(&kind.as_str())) {
        return Ok(if wanted.is_empty() { KINDS.map(str::to_owned).into() } else { wanted });
    }
    let listed: Vec<_> = wanted.into_iter().collect();
    Err(ErrorResponse::validation(format!(
        "1 validation error detected: Value '[{}]' at 'filter' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must satisfy enum value set: [{}]]",
        listed.join(", "),
        KINDS.join(", ")
    )))
}

/// Returns the requested items of the account, each with its sort key. Of AWS's managed policies, only those in use.
fn details<'a>(
    world: &'a World,
    account: &'a Account,
    wanted: &BTreeSet<String>,
) -> Vec<(String, Detail<'a>)> {
    let boundaries = account.users.values().map(|user| &user.boundary);
    let boundaries = boundaries.chain(account.roles.values().map(|role| &role.boundary)).flatten();
    let used: BTreeSet<&String> = account.attachments.keys().chain(boundaries).collect();
    let of_aws = world.managed_policies.iter().filter(|(arn, _)| used.contains(arn));
    let policy = |(arn, text): (&'a String, &'a String)| (format!("4 {arn}"), Detail::Policy(arn, text));
    let mut all = Vec::new();
    let mut add = |kind: &str, details: &mut dyn Iterator<Item = (String, Detail<'a>)>| {
        if wanted.contains(kind) {
            all.extend(details);
        }
    };
    let users = account.users.iter();
    add("User", &mut users.map(|(name, user)| (format!("1 {name}"), Detail::User(name, user))));
    let groups = account.groups.iter();
    add("Group", &mut groups.map(|(name, group)| (format!("2 {name}"), Detail::Group(name, group))));
    let roles = account.roles.iter();
    add("Role", &mut roles.map(|(name, role)| (format!("3 {name}"), Detail::Role(name, role))));
    add("LocalManagedPolicy", &mut account.managed_policies.iter().map(policy));
    add("AWSManagedPolicy", &mut of_aws.map(policy));
    all
}

/// Writes the details of each item.
struct Details<'a> {
    account_id: &'a str,
    account: &'a Account,
}

impl Details<'_> {
    fn write(&self, xml: &mut Xml, detail: &Detail) {
        match detail {
            Detail::User(name, user) => self.write_user(xml, name, user),
            Detail::Group(name, group) => self.write_group(xml, name, group),
            Detail::Role(name, role) => self.write_role(xml, name, role),
            Detail::Policy(arn, document) => self.write_policy(xml, arn, document),
        }
    }

    fn write_user(&self, xml: &mut Xml, name: &str, user: &User) {
        xml.element("Path", &user.path)
            .element("UserName", name)
            .element("UserId", &user.user_id)
            .element("Arn", &user_arn(self.account_id, &user.path, name))
            .element("CreateDate", &render_iso(user.created_at));
        write_inline(xml, "UserPolicyList", &user.policies);
        xml.nest("GroupList", |xml| {
            for (group, _) in self.account.groups.iter().filter(|(_, group)| group.members.contains(name)) {
                xml.element("member", group);
            }
        });
        self.write_attached(xml, |to| to.users.contains(name));
        write_boundary(xml, user.boundary.as_ref());
        write_tags(xml, &user.tags);
    }

    fn write_group(&self, xml: &mut Xml, name: &str, group: &Group) {
        xml.element("Path", &group.path)
            .element("GroupName", name)
            .element("GroupId", &group.group_id)
            .element("Arn", &group_arn(self.account_id, &group.path, name))
            .element("CreateDate", &render_iso(group.created_at));
        write_inline(xml, "GroupPolicyList", &group.policies);
        self.write_attached(xml, |to| to.groups.contains(name));
    }

    fn write_role(&self, xml: &mut Xml, name: &str, role: &Role) {
        xml.element("Path", &role.path)
            .element("RoleName", name)
            .element("RoleId", &role.role_id)
            .element("Arn", &role_arn(self.account_id, &role.path, name))
            .element("CreateDate", &render_iso(role.created_at))
            .element("AssumeRolePolicyDocument", &render_percent(role.trust.as_bytes()));
        xml.nest("InstanceProfileList", |_| {});
        write_inline(xml, "RolePolicyList", &role.policies);
        self.write_attached(xml, |to| to.roles.contains(name));
        write_boundary(xml, role.boundary.as_ref());
        write_tags(xml, &role.tags);
    }

    fn write_policy(&self, xml: &mut Xml, arn: &str, document: &str) {
        let path = arn.split_once(":policy").map_or("/", |(_, name)| name);
        let path = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
        let count = self.account.attachments.get(arn).map_or(0, Attached::count);
        let users = self.account.users.values().map(|user| &user.boundary);
        let boundaries = users.chain(self.account.roles.values().map(|role| &role.boundary));
        let usage = boundaries.filter(|boundary| boundary.as_deref() == Some(arn)).count();
        xml.element("PolicyName", policy_name(arn))
            .element("Arn", arn)
            .element("Path", path)
            .element("DefaultVersionId", "v1")
            .element("AttachmentCount", &count.to_string())
            .element("PermissionsBoundaryUsageCount", &usage.to_string())
            .element("IsAttachable", "true");
        xml.nest("PolicyVersionList", |xml| {
            xml.nest("member", |xml| {
                xml.element("VersionId", "v1")
                    .element("IsDefaultVersion", "true")
                    .element("Document", &render_percent(document.as_bytes()));
            });
        });
    }

    fn write_attached(&self, xml: &mut Xml, has: impl Fn(&Attached) -> bool) {
        xml.nest("AttachedManagedPolicies", |xml| {
            for (arn, _) in self.account.attachments.iter().filter(|(_, to)| has(to)) {
                xml.nest("member", |xml| {
                    xml.element("PolicyName", policy_name(arn)).element("PolicyArn", arn);
                });
            }
        });
    }
}

fn policy_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn write_inline(xml: &mut Xml, list: &str, policies: &BTreeMap<String, String>) {
    xml.nest(list, |xml| {
        for (name, document) in policies {
            xml.nest("member", |xml| {
                xml.element("PolicyName", name)
                    .element("PolicyDocument", &render_percent(document.as_bytes()));
            });
        }
    });
}
