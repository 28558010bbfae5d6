//! Reads the facts of each resource, and connects resources that refer to others only by name.

use std::collections::BTreeMap;

use super::resource::Resource;
use crate::accounts::document::Document;
use crate::accounts::entities::{Attribute, Extent, Grants, Group, ManagedPolicy, Role, UnplacedRole, User};
use crate::accounts::model::Accounts;
use crate::accounts::origin::OriginId;
use crate::accounts::read::{iam_arn, items, number, text};
use crate::policy::arn::Arn;
use crate::policy::node::{JsonError, Member};
use hatbox_types::name::AccountId;

/// The kind of entity that a policy belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    User,
    Group,
    Role,
}

/// A policy or group membership of an entity that is known only by name.
#[derive(Debug)]
enum Grant {
    Inline(Document),
    Attached(String),
    Group(String),
}

impl Holder {
    const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::User, "user", "users"), (Self::Group, "group", "groups"), (Self::Role, "role", "roles")];
}

impl Accounts {
    /// Reads the resources of a state or plan: users, groups and roles first, then their policies. A resource that
    /// cannot be read is noted and left out.
    ///
    /// # Errors
    /// If none of the users, groups and roles can be read.
    pub(super) fn read_resources(
        &mut self,
        resources: &[Resource],
        origin: OriginId,
    ) -> Result<(), JsonError> {
        let mut first_error = None;
        let mut is_any_read = false;
        for resource in resources {
            let read = match resource.kind {
                "aws_iam_role" => self.read_role(resource, origin),
                "aws_iam_user" => self.read_user(resource, origin),
                "aws_iam_group" => self.read_group(resource, origin),
                "aws_iam_policy" => self.read_policy(resource, origin),
                _ => continue,
            };
            let Err(error) = read else {
                is_any_read = true;
                continue;
            };
            let (line, column, problem) = (error.place.line, error.place.column, &error.problem);
            let address = resource.address.render();
            self.note(origin, format!("line {line}, column {column}: {problem}; {address} is left out"));
            first_error.get_or_insert(error);
        }
        if let (Some(error), false) = (first_error, is_any_read) {
            return Err(error);
        }
        for resource in resources {
            for (holder, name, grant) in self.read_grants(resource, origin)? {
                self.grant(holder, &name, grant, resource, origin);
            }
        }
        Ok(())
    }

    /// Removes the resources that a plan deletes.
    pub(super) fn remove_resources(&mut self, resources: &[Resource]) -> Result<(), JsonError> {
        for resource in resources {
            let Attribute::Known(arn) = resource.text("arn")? else { continue };
            let account = Arn::parse(arn).and_then(|arn| AccountId::parse(arn.account).ok());
            let account = account.and_then(|id| self.accounts.get_mut(&id));
            match (resource.kind, account) {
                ("aws_iam_role", Some(account)) => drop(account.roles.remove(arn)),
                ("aws_iam_user", Some(account)) => drop(account.users.remove(arn)),
                ("aws_iam_group", Some(account)) => {
                    account.groups.retain(|_, group| group.arn.as_deref() != Some(arn));
                }
                ("aws_iam_policy", _) => drop(self.policies.remove(arn)),
                _ => {}
            }
        }
        for resource in resources {
            for (holder, name, grant) in self.read_grants(resource, OriginId(0))? {
                for grants in self.grants_mut(holder, &name) {
                    match &grant {
                        Grant::Inline(document) => {
                            grants.inline.retain(|inline| inline.name != document.name);
                        }
                        Grant::Attached(arn) => grants.attached.retain(|attached| attached != arn),
                        Grant::Group(_) => {}
                    }
                }
                if let Grant::Group(group) = &grant {
                    let users = self.accounts.values_mut().flat_map(|account| account.users.values_mut());
                    for user in users.filter(|user| user.name == name) {
                        user.groups.retain(|member_of| member_of != group);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_role(&mut self, resource: &Resource, origin: OriginId) -> Result<(), JsonError> {
        let address = resource.address.render();
        let name = match resource.text("name")? {
            Attribute::Known(name) => name.to_owned(),
            Attribute::UntilApply | Attribute::NotGiven => address.clone(),
        };
        let trust = resource.document("assume_role_policy", &name, origin);
        if trust == Attribute::UntilApply {
            self.note(origin, format!("the trust policy of {address} is not known until apply"));
        }
        let Some((arn, account)) = place(resource, "role")? else {
            self.unplaced.push(UnplacedRole { name, trust, address: Some(address), origin });
            return Ok(());
        };
        let mut grants = Grants { attached: resource.texts("managed_policy_arns")?, ..Grants::default() };
        if let Attribute::Known(inline) = resource.find("inline_policy") {
            for policy in items(inline, "inline_policy")? {
                // The provider writes an empty block if there is no inline policy.
                let given = |name| text(policy, name).map(|text| text.filter(|text| !text.is_empty()));
                if let (Some(name), Some(text)) = (given("name")?, given("policy")?) {
                    grants.inline.push(Document::new(name, text, origin));
                }
            }
        }
        let role = Role {
            name,
            id: known_text(resource, "unique_id")?,
            trust,
            grants,
            boundary: read_boundary(resource)?,
            tags: read_tags(resource)?,
            max_session_duration: match resource.find("max_session_duration") {
                Attribute::Known(_) => number(resource.values, "max_session_duration")?.into(),
                Attribute::UntilApply => Attribute::UntilApply,
                Attribute::NotGiven => Attribute::NotGiven,
            },
            address: Some(address),
            ..Role::bare(&arn, origin)
        };
        self.merge_role(&account, role);
        Ok(())
    }

    fn read_user(&mut self, resource: &Resource, origin: OriginId) -> Result<(), JsonError> {
        let address = resource.address.render();
        let Some((arn, account)) = place(resource, "user")? else {
            self.note(origin, format!("the ARN of {address} is not known until apply, so it is left out"));
            return Ok(());
        };
        let user = User {
            id: known_text(resource, "unique_id")?,
            boundary: read_boundary(resource)?,
            tags: read_tags(resource)?,
            address: Some(address),
            ..User::bare(&arn, origin)
        };
        self.merge_user(&account, user);
        Ok(())
    }

    fn read_group(&mut self, resource: &Resource, origin: OriginId) -> Result<(), JsonError> {
        let Some((arn, account)) = place(resource, "group")? else { return Ok(()) };
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        self.merge_group(&account, Group { arn: Some(arn), name, grants: Grants::default(), origin });
        Ok(())
    }

    fn read_policy(&mut self, resource: &Resource, origin: OriginId) -> Result<(), JsonError> {
        let Attribute::Known(arn) = resource.text("arn")? else { return Ok(()) };
        let name = arn.rsplit('/').next().unwrap_or_default();
        let document = resource.document("policy", name, origin);
        if document == Attribute::UntilApply {
            let address = resource.address.render();
            self.note(origin, format!("the policy {address} is not known until apply"));
        }
        self.merge_policy(ManagedPolicy { arn: arn.to_owned(), document, origin });
        Ok(())
    }

    /// Adds the policies that a resource grants to their holder.
    fn read_grants(
        &mut self,
        resource: &Resource,
        origin: OriginId,
    ) -> Result<Vec<(Holder, String, Grant)>, JsonError> {
        let mut granted = Vec::new();
        for (holder, one, many) in Holder::ALL {
            if resource.kind == format!("aws_iam_{one}_policy") {
                let name = known_text(resource, "name")?.unwrap_or_else(|| resource.address.render());
                match (resource.text(one)?, resource.document("policy", &name, origin)) {
                    (Attribute::Known(of), Attribute::Known(document)) => {
                        granted.push((holder, of.to_owned(), Grant::Inline(document)));
                    }
                    (Attribute::UntilApply, _) | (_, Attribute::UntilApply) => {
                        self.note_until_apply(resource, origin);
                    }
                    _ => {}
                }
            }
            let is_attachment = resource.kind == format!("aws_iam_{one}_policy_attachment");
            if is_attachment || resource.kind == "aws_iam_policy_attachment" {
                let mut names = resource.texts(many)?;
                names.extend(known_text(resource, one)?.filter(|_| is_attachment));
                match resource.text("policy_arn")? {
                    Attribute::Known(arn) => {
                        let to = |name| (holder, name, Grant::Attached(arn.to_owned()));
                        granted.extend(names.into_iter().map(to));
                    }
                    Attribute::UntilApply => self.note_until_apply(resource, origin),
                    Attribute::NotGiven => {}
                }
            }
        }
        let is_membership = ["aws_iam_user_group_membership", "aws_iam_group_membership"];
        if is_membership.contains(&resource.kind) {
            let (mut users, mut groups) = (resource.texts("users")?, resource.texts("groups")?);
            users.extend(known_text(resource, "user")?);
            groups.extend(known_text(resource, "group")?);
            for user in users {
                let of = |group: &String| (Holder::User, user.clone(), Grant::Group(group.clone()));
                granted.extend(groups.iter().map(of));
            }
        }
        Ok(granted)
    }

    fn note_until_apply(&mut self, resource: &Resource, origin: OriginId) {
        let address = resource.address.render();
        self.note(origin, format!("what {address} grants is not known until apply"));
    }

    /// Grants to the user, group or role called `name`: the only one in this source, or else the only one in all
    /// sources.
    fn grant(&mut self, holder: Holder, name: &str, grant: Grant, resource: &Resource, origin: OriginId) {
        let mut accounts = self.accounts_with(holder, name, Some(origin));
        if accounts.is_empty() {
            accounts = self.accounts_with(holder, name, None);
        }
        let [account] = accounts.as_slice() else {
            let address = resource.address.render();
            let why = if accounts.is_empty() { "no source has" } else { "several accounts have" };
            self.note(origin, format!("{address} is left out: {why} `{name}`"));
            return;
        };
        let Some(account) = self.accounts.get_mut(account) else { return };
        if let Grant::Group(group) = grant {
            for user in account.users.values_mut().filter(|user| user.name == name) {
                if !user.groups.contains(&group) {
                    user.groups.push(group.clone());
                }
            }
            return;
        }
        let mut more = Grants { extent: Extent::Part, ..Grants::default() };
        match grant {
            Grant::Inline(document) => more.inline.push(document),
            Grant::Attached(arn) => more.attached.push(arn),
            Grant::Group(_) => {}
        }
        let grants = match holder {
            Holder::User => {
                account.users.values_mut().find(|user| user.name == name).map(|user| &mut user.grants)
            }
            Holder::Group => account.groups.get_mut(name).map(|group| &mut group.grants),
            Holder::Role => {
                account.roles.values_mut().find(|role| role.name == name).map(|role| &mut role.grants)
            }
        };
        if let Some(grants) = grants {
            grants.correct(more);
        }
    }

    fn accounts_with(&self, holder: Holder, name: &str, origin: Option<OriginId>) -> Vec<AccountId> {
        let is_from = |found: OriginId| origin.is_none_or(|origin| origin == found);
        let has = self.accounts.iter().filter(|(_, account)| match holder {
            Holder::User => account.users.values().any(|user| user.name == name && is_from(user.origin)),
            Holder::Group => account.groups.get(name).is_some_and(|group| is_from(group.origin)),
            Holder::Role => account.roles.values().any(|role| role.name == name && is_from(role.origin)),
        });
        has.map(|(id, _)| id.clone()).collect()
    }

    fn grants_mut(&mut self, holder: Holder, name: &str) -> Vec<&mut Grants> {
        let accounts = self.accounts.values_mut();
        match holder {
            Holder::User => {
                let users = accounts.flat_map(|account| account.users.values_mut());
                users.filter(|user| user.name == name).map(|user| &mut user.grants).collect()
            }
            Holder::Group => {
                accounts.filter_map(|account| Some(&mut account.groups.get_mut(name)?.grants)).collect()
            }
            Holder::Role => {
                let roles = accounts.flat_map(|account| account.roles.values_mut());
                roles.filter(|role| role.name == name).map(|role| &mut role.grants).collect()
            }
        }
    }
}

/// Returns the ARN and the account of a resource; `None` if it does not exist yet.
fn place(resource: &Resource, kind: &str) -> Result<Option<(String, AccountId)>, JsonError> {
    match resource.text("arn")? {
        Attribute::Known(_) => {
            iam_arn(resource.values, "arn", kind).map(|(arn, account)| Some((arn.to_owned(), account)))
        }
        Attribute::UntilApply | Attribute::NotGiven => Ok(None),
    }
}

fn known_text(resource: &Resource, name: &str) -> Result<Option<String>, JsonError> {
    Ok(resource.text(name)?.known().map(|text| (*text).to_owned()))
}

/// If absent, there is no boundary: Terraform keeps the attribute in sync with AWS.
fn read_boundary(resource: &Resource) -> Result<Attribute<Option<String>>, JsonError> {
    Ok(match resource.text("permissions_boundary")? {
        Attribute::Known(arn) => Attribute::Known(Some(arn.to_owned())),
        Attribute::UntilApply => Attribute::UntilApply,
        Attribute::NotGiven => Attribute::Known(None),
    })
}

/// `tags_all` includes the provider's default tags; older providers only have `tags`.
fn read_tags(resource: &Resource) -> Result<Attribute<BTreeMap<String, String>>, JsonError> {
    let tags = match (resource.find("tags_all"), resource.find("tags")) {
        (Attribute::UntilApply, _) | (Attribute::NotGiven, Attribute::UntilApply) => {
            return Ok(Attribute::UntilApply);
        }
        (Attribute::Known(tags), _) | (Attribute::NotGiven, Attribute::Known(tags)) => tags,
        (Attribute::NotGiven, Attribute::NotGiven) => return Ok(Attribute::Known(BTreeMap::new())),
    };
    let read = |member: &Member| Ok((member.name.to_string(), member.node.text("a tag's value")?.to_owned()));
    tags.members("tags")?.iter().map(read).collect::<Result<_, _>>().map(Attribute::Known)
}
