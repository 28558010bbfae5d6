//! The output of `aws iam get-account-authorization-details`: one JSON document for each page or account, either
//! concatenated or in a list.
//!
//! Policies are URL-encoded text (IAM's API) or JSON (the AWS CLI). If the last page has `IsTruncated` true, the rest
//! is missing, which is noted. A user, group, role or policy that cannot be read is noted and left out, and a
//! permissions boundary that cannot be read counts as unknown, so that one bad entry does not make the whole file
//! unusable. MFA devices and the maximum session duration of roles are not part of this output.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::entities::{Attribute, Extent, Grants, Group, ManagedPolicy, Role, User};
use super::model::Accounts;
use super::origin::OriginId;
use super::read::{find, iam_arn, is_true, list, need, need_text, text};
use crate::policy::node::{JsonError, Node};
use hatbox_types::name::AccountId;

/// The members that identify such a document.
pub(super) const MEMBERS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

/// The pages read so far: for each account, whether the last page said that more follow.
#[derive(Debug, Default)]
pub(super) struct Pages {
    is_cut: BTreeMap<AccountId, bool>,
    /// Accounts with entries that could not be read.
    in_part: BTreeSet<AccountId>,
    /// The first error of such an entry.
    first_error: Option<JsonError>,
    is_any_read: bool,
    last: Option<AccountId>,
}

impl Accounts {
    /// Reads one page. `of` is the account, if the source names it; otherwise the ARNs do.
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
        let mut left_out = false;
        let mut is_any_read = false;
        for node in list(page, "UserDetailList")? {
            let Some((account, mut user)) = self.take(read_user(node, origin), "user", origin, pages) else {
                left_out = true;
                continue;
            };
            met(&account, node)?;
            is_any_read = true;
            user.boundary = self.take_boundary(node, &user.name, origin);
            self.merge_user(&account, user);
        }
        for node in list(page, "GroupDetailList")? {
            let Some((account, group)) = self.take(read_group(node, origin), "group", origin, pages) else {
                left_out = true;
                continue;
            };
            met(&account, node)?;
            is_any_read = true;
            self.merge_group(&account, group);
        }
        for node in list(page, "RoleDetailList")? {
            let Some((account, mut role)) = self.take(read_role(node, origin), "role", origin, pages) else {
                left_out = true;
                continue;
            };
            met(&account, node)?;
            is_any_read = true;
            role.boundary = self.take_boundary(node, &role.name, origin);
            self.merge_role(&account, role);
        }
        for node in list(page, "Policies")? {
            if let Some(policy) = self.take(read_managed_policy(node, origin), "policy", origin, pages) {
                is_any_read = true;
                self.merge_policy(policy);
            }
        }
        pages.is_any_read |= is_any_read;
        let is_cut = is_true(page, "IsTruncated")?;
        if accounts.is_empty() {
            // A page with nothing but policies continues the previous page.
            accounts.extend(pages.last.clone());
        }
        for account in accounts {
            if left_out {
                pages.in_part.insert(account.clone());
            }
            pages.is_cut.insert(account.clone(), is_cut);
            pages.last = Some(account);
        }
        Ok(())
    }

    /// After the last page: records which accounts are complete and which were cut off.
    ///
    /// # Errors
    /// If none of the entries could be read.
    pub(super) fn close_pages(&mut self, pages: Pages, origin: OriginId) -> Result<(), JsonError> {
        if let (Some(error), false) = (pages.first_error, pages.is_any_read) {
            return Err(error);
        }
        for (id, is_cut) in pages.is_cut {
            if is_cut {
                self.note(
                    origin,
                    format!("account {id} is cut: its last page has `IsTruncated` true, so more is missing"),
                );
            } else if !pages.in_part.contains(&id) {
                self.account_mut(&id).extent = Extent::Whole;
            }
        }
        Ok(())
    }

    /// Returns an entry, or notes why it could not be read.
    fn take<T>(
        &mut self,
        read: Result<T, JsonError>,
        kind: &str,
        origin: OriginId,
        pages: &mut Pages,
    ) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                let (place, problem) = (error.place, &error.problem);
                let at = format!("line {}, column {}", place.line, place.column);
                self.note(origin, format!("{at}: {problem}; this {kind} is left out"));
                pages.first_error.get_or_insert(error);
                None
            }
        }
    }

    fn take_boundary(&mut self, node: &Node, of: &str, origin: OriginId) -> Attribute<Option<String>> {
        match read_boundary(node) {
            Ok(boundary) => Attribute::Known(boundary),
            Err(JsonError { place, problem }) => {
                let at = format!("line {}, column {}", place.line, place.column);
                self.note(origin, format!("{at}: {problem}; the permissions boundary of {of} is not known"));
                Attribute::NotGiven
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
        tags: Attribute::Known(read_tags(node)?),
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
        trust: Attribute::Known(trust),
        grants: read_grants(node, "RolePolicyList", origin)?,
        tags: Attribute::Known(read_tags(node)?),
        ..Role::bare(arn, origin)
    };
    Ok((account, role))
}

fn read_managed_policy(node: &Node, origin: OriginId) -> Result<ManagedPolicy, JsonError> {
    let arn = need_text(node, "Arn")?;
    let name = need_text(node, "PolicyName")?;
    let default = text(node, "DefaultVersionId")?;
    let mut document = Attribute::NotGiven;
    for version in list(node, "PolicyVersionList")? {
        let is_default = match default {
            Some(id) => text(version, "VersionId")? == Some(id),
            None => is_true(version, "IsDefaultVersion")?,
        };
        if is_default && let Some(found) = find(version, "Document") {
            document = Attribute::Known(Document::read(name, found, origin));
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
    match need_text(boundary, "PermissionsBoundaryArn")? {
        "" => Err(boundary.error("`PermissionsBoundaryArn` is empty")),
        arn => Ok(Some(arn.to_owned())),
    }
}

fn read_tags(node: &Node) -> Result<BTreeMap<String, String>, JsonError> {
    let tag = |tag: &Node| Ok((need_text(tag, "Key")?.to_owned(), need_text(tag, "Value")?.to_owned()));
    list(node, "Tags")?.iter().map(tag).collect()
}
