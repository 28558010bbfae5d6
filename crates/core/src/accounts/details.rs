//! The answer of `aws iam get-account-authorization-details`: one document for each page or account, one
//! after another, or in a list.
//!
//! Policies are there as text that is URL-encoded (IAM's API) or as JSON (the AWS CLI). A last page with
//! `IsTruncated` true means that the rest is missing, which is noted. MFA devices and a role's longest
//! session are not part of it.

use std::collections::BTreeMap;

use super::document::Document;
use super::entities::{Grants, Group, ManagedPolicy, Role, User};
use super::fact::{Extent, Fact};
use super::model::Accounts;
use super::origin::OriginId;
use super::read::{find, iam_arn, is_true, list, need, need_text, text};
use crate::name::AccountId;
use crate::policy::node::{JsonError, Node};

/// The members by which such a document is known.
pub(super) const MEMBERS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

/// Pages that have been read: of each account, whether more should have followed the last one.
#[derive(Debug, Default)]
pub(super) struct Pages {
    is_cut: BTreeMap<AccountId, bool>,
    last: Option<AccountId>,
}

impl Accounts {
    /// Reads one page. `of` is the account where the source tells it; else the ARNs do.
    pub(super) fn read_details(
        &mut self,
        page: &Node,
        of: Option<&AccountId>,
        origin: OriginId,
        pages: &mut Pages,
    ) -> Result<(), JsonError> {
        page.members("a page of account details")?;
        let mut accounts: Vec<AccountId> = of.into_iter().cloned().collect();
        let mut met = |account: &AccountId, node: &Node| match of {
            Some(of) if of != account => {
                Err(node.error(format!("this belongs to account {account}, not to {of}")))
            }
            _ => {
                if !accounts.contains(account) {
                    accounts.push(account.clone());
                }
                Ok(())
            }
        };
        for node in list(page, "UserDetailList")? {
            let (account, user) = read_user(node, origin)?;
            met(&account, node)?;
            self.merge_user(&account, user);
        }
        for node in list(page, "GroupDetailList")? {
            let (account, group) = read_group(node, origin)?;
            met(&account, node)?;
            self.merge_group(&account, group);
        }
        for node in list(page, "RoleDetailList")? {
            let (account, role) = read_role(node, origin)?;
            met(&account, node)?;
            self.merge_role(&account, role);
        }
        for node in list(page, "Policies")? {
            self.merge_policy(read_managed_policy(node, origin)?);
        }
        let is_cut = is_true(page, "IsTruncated")?;
        if accounts.is_empty() {
            // A page of policies alone: it goes on from the page before.
            accounts.extend(pages.last.clone());
        }
        for account in accounts {
            pages.is_cut.insert(account.clone(), is_cut);
            pages.last = Some(account);
        }
        Ok(())
    }

    /// After the last page: what is whole, and what was cut.
    pub(super) fn close_pages(&mut self, pages: Pages, origin: OriginId) {
        for (id, is_cut) in pages.is_cut {
            if is_cut {
                self.note(
                    origin,
                    format!("account {id} is cut: its last page has `IsTruncated` true, so more is missing"),
                );
            } else {
                self.account_mut(&id).extent = Extent::Whole;
            }
        }
    }
}

fn read_user(node: &Node, origin: OriginId) -> Result<(AccountId, User), JsonError> {
    let (arn, account) = iam_arn(node, "Arn", "user")?;
    let user = User {
        name: need_text(node, "UserName")?.to_owned(),
        id: text(node, "UserId")?.map(str::to_owned),
        grants: read_grants(node, "UserPolicyList", origin)?,
        groups: super::read::texts(node, "GroupList")?,
        boundary: Fact::Known(read_boundary(node)?),
        tags: Fact::Known(read_tags(node)?),
        ..User::bare(arn, origin)
    };
    Ok((account, user))
}

fn read_group(node: &Node, origin: OriginId) -> Result<(AccountId, Group), JsonError> {
    let (arn, account) = iam_arn(node, "Arn", "group")?;
    let name = need_text(node, "GroupName")?.to_owned();
    let grants = read_grants(node, "GroupPolicyList", origin)?;
    Ok((account, Group { arn: Some(arn.to_owned()), name, grants, origin }))
}

fn read_role(node: &Node, origin: OriginId) -> Result<(AccountId, Role), JsonError> {
    let (arn, account) = iam_arn(node, "Arn", "role")?;
    let name = need_text(node, "RoleName")?;
    let trust = Document::read(name, need(node, "AssumeRolePolicyDocument")?, origin);
    let role = Role {
        name: name.to_owned(),
        id: text(node, "RoleId")?.map(str::to_owned),
        trust: Fact::Known(trust),
        grants: read_grants(node, "RolePolicyList", origin)?,
        boundary: Fact::Known(read_boundary(node)?),
        tags: Fact::Known(read_tags(node)?),
        ..Role::bare(arn, origin)
    };
    Ok((account, role))
}

fn read_managed_policy(node: &Node, origin: OriginId) -> Result<ManagedPolicy, JsonError> {
    let arn = need_text(node, "Arn")?;
    let name = need_text(node, "PolicyName")?;
    let default = text(node, "DefaultVersionId")?;
    let mut document = Fact::NotGiven;
    for version in list(node, "PolicyVersionList")? {
        let is_default = match default {
            Some(id) => text(version, "VersionId")? == Some(id),
            None => is_true(version, "IsDefaultVersion")?,
        };
        if is_default && let Some(found) = find(version, "Document") {
            document = Fact::Known(Document::read(name, found, origin));
        }
    }
    Ok(ManagedPolicy { arn: arn.to_owned(), document, origin })
}

fn read_grants(node: &Node, inline: &str, origin: OriginId) -> Result<Grants, JsonError> {
    let read = |policy: &Node| {
        let name = need_text(policy, "PolicyName")?;
        Ok(Document::read(name, need(policy, "PolicyDocument")?, origin))
    };
    let attached = |policy: &Node| need_text(policy, "PolicyArn").map(str::to_owned);
    Ok(Grants {
        inline: list(node, inline)?.iter().map(read).collect::<Result<_, JsonError>>()?,
        attached: list(node, "AttachedManagedPolicies")?.iter().map(attached).collect::<Result<_, _>>()?,
        extent: Extent::Whole,
    })
}

fn read_boundary(node: &Node) -> Result<Option<String>, JsonError> {
    let Some(boundary) = find(node, "PermissionsBoundary") else { return Ok(None) };
    boundary.members("`PermissionsBoundary`")?;
    need_text(boundary, "PermissionsBoundaryArn").map(|arn| Some(arn.to_owned()))
}

fn read_tags(node: &Node) -> Result<BTreeMap<String, String>, JsonError> {
    let tag = |tag: &Node| Ok((need_text(tag, "Key")?.to_owned(), need_text(tag, "Value")?.to_owned()));
    list(node, "Tags")?.iter().map(tag).collect()
}
