//! Finds users and roles by ARN or name, and the policies that a principal has.

use super::entities::{Grants, Role, User};
use super::model::{Account, Accounts};
use hatbox_types::name::AccountId;

impl Accounts {
    /// The account of an ARN, if any source tells of it.
    pub fn account(&self, id: &str) -> Option<(&AccountId, &Account)> {
        self.accounts.iter().find(|(known, _)| known.as_str() == id)
    }

    /// Users with this ARN or name.
    pub fn find_users<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a AccountId, &'a User)> {
        self.users().filter(move |(_, user)| user.arn == wanted || user.name == wanted)
    }

    /// Roles with this ARN or name.
    pub fn find_roles<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a AccountId, &'a Role)> {
        self.roles().filter(move |(_, role)| role.arn == wanted || role.name == wanted)
    }
}

impl Account {
    /// What the groups of `user` grant, by group name; `None` for a group that no source tells of.
    pub fn grants_of_groups<'a>(
        &'a self,
        user: &'a User,
    ) -> impl Iterator<Item = (&'a str, Option<&'a Grants>)> {
        user.groups.iter().map(|name| (name.as_str(), self.groups.get(name).map(|group| &group.grants)))
    }
}
