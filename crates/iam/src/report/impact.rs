//! Reports who would keep and who would lose access to a role if its trust policy were replaced.

use crate::accounts::{Accounts, Attribute, Document, Role};
use crate::assume::context::Assumptions;
use crate::assume::device::has_code_device;
use crate::assume::entity::{Entity, EntityKind};
use crate::report::path::{AccessPath, Mfa};
use crate::report::who::{Who, who};
use hatbox_types::text::page::{Line, Page, Style};

/// The column where the names start.
const INDENT: usize = 18;

/// How a change affects the callers that can assume the role directly today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impact {
    /// Users who keep access with MFA, and have a device that produces codes.
    pub keeps: Vec<Entity>,
    /// Users who keep access if they have a device, which no source says.
    pub keeps_perhaps: Vec<Entity>,
    /// Users and roles that keep access without MFA.
    pub keeps_without_mfa: Vec<Entity>,
    /// Users who lose access because they have no device that produces codes.
    pub no_device: Vec<Entity>,
    /// Users and roles that lose access for another reason.
    pub loses: Vec<Entity>,
    /// Other trusted principals that the sources do not describe, as text.
    pub others: Vec<String>,
    /// The role's address in Terraform.
    pub address: Option<String>,
}

/// Evaluates what changes if the trust policy of the role `arn` is `after` instead of `before`. Returns `None` if no
/// source has the role.
pub fn impact(
    accounts: &Accounts,
    arn: &str,
    before: &str,
    after: &str,
    assumptions: &Assumptions,
) -> Option<Impact> {
    let role = Entity::of_arn(arn)?;
    let address = find_role(accounts, &role)?.address.clone();
    let mut accounts = accounts.clone();
    let now = ask(&mut accounts, &role, before, assumptions);
    let then = ask(&mut accounts, &role, after, assumptions);
    let mut impact = Impact { others: then.others, address, ..Impact::default() };
    for from in now.paths.into_iter().filter(is_direct).map(|path| path.from) {
        let still = then.paths.iter().find(|path| is_direct(path) && path.from == from);
        let list = match still.map(|path| path.mfa) {
            None => &mut impact.loses,
            Some(Mfa::NotNeeded | Mfa::OfNoUse) => &mut impact.keeps_without_mfa,
            Some(Mfa::Needed | Mfa::NotKnown) => match has_code_device(&accounts, &from) {
                Some(true) => &mut impact.keeps,
                Some(false) => &mut impact.no_device,
                None => &mut impact.keeps_perhaps,
            },
        };
        list.push(from);
    }
    Some(impact)
}

impl Impact {
    /// Renders the answer as text, with one line for each non-empty group.
    pub fn render(&self) -> Page {
        let mut page = Page::default();
        let mut say = |label: &str, style: Style, whom: &[String], what: &str| {
            if !whom.is_empty() {
                let mut lead = Line::of(label, style);
                lead.pad_to(INDENT);
                page.hang(lead, &format!("{}{what}", whom.join(", ")), Style::Plain, INDENT);
            }
        };
        let names =
            |entities: &[Entity]| entities.iter().map(|entity| entity.name.clone()).collect::<Vec<_>>();
        let (roles, users): (Vec<_>, Vec<_>) =
            self.loses.iter().cloned().partition(|entity| entity.kind == EntityKind::Role);
        let roles: Vec<_> = roles.iter().map(role_label).collect();
        say("Keeps access", Style::Good, &names(&self.keeps), " (with MFA)");
        say(
            "Keeps access",
            Style::Good,
            &names(&self.keeps_perhaps),
            " (with MFA; whether there is a device is not known)",
        );
        say("Keeps access", Style::Good, &names(&self.keeps_without_mfa), " (without MFA)");
        say("Loses access", Style::Bad, &names(&users), "");
        say("Loses access", Style::Bad, &roles, ": a role never has MFA");
        say("No MFA device", Style::Warning, &names(&self.no_device), ": locked out until one is registered");
        say("Not known", Style::Warning, &self.others, "");
        if let Some(address) = &self.address {
            let line =
                format!("Managed by Terraform ({address}): change it there, or the next apply undoes this.");
            page.paragraph(&line);
        }
        page
    }
}

fn role_label(role: &Entity) -> String {
    let account = role.account.as_ref().map(|account| format!(" of {account}")).unwrap_or_default();
    format!("role {}{account}", role.name)
}

fn is_direct(path: &AccessPath) -> bool {
    path.through.is_empty()
}

fn find_role<'a>(accounts: &'a Accounts, role: &Entity) -> Option<&'a Role> {
    accounts.accounts.get(role.account.as_ref()?)?.roles.get(&role.arn)
}

/// Returns who can assume `role` if `trust` is its trust policy.
fn ask(accounts: &mut Accounts, role: &Entity, trust: &str, assumptions: &Assumptions) -> Who {
    let account = role.account.as_ref().and_then(|id| accounts.accounts.get_mut(id));
    if let Some(there) = account.and_then(|account| account.roles.get_mut(&role.arn)) {
        there.trust = Attribute::Known(Document::new(there.name.clone(), trust, there.origin));
    }
    who(accounts, role, assumptions)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::accounts::{Origin, SourceKind};
    use crate::require_mfa::{Outcome, Wanted, require_mfa};

    const OPS: &str = "arn:aws:iam::111122223333:role/Ops";

    /// An account with users and the role Deploy, all of which may assume any role by their own policies.
    fn accounts(devices: &Value) -> Accounts {
        let assume = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*" });
        let grants = json!([{ "PolicyName": "p", "PolicyDocument": { "Version": "2012-10-17", "Statement": assume } }]);
        let user = |name: &str| {
            let arn = format!("arn:aws:iam::111122223333:user/{name}");
            json!({ "UserName": name, "Arn": arn, "UserPolicyList": grants })
        };
        let role = |name: &str| {
            let arn = format!("arn:aws:iam::111122223333:role/{name}");
            let trust = json!({ "Version": "2012-10-17", "Statement": [] });
            json!({ "RoleName": name, "Arn": arn, "RolePolicyList": grants, "AssumeRolePolicyDocument": trust })
        };
        let users = ["alice", "bob", "carol", "dave"].map(user);
        let roles = ["Deploy", "Ops"].map(role);
        let details = json!({ "UserDetailList": users, "RoleDetailList": roles });
        let account = json!({ "account": "111122223333", "details": details, "mfa_devices": devices });
        let snapshot = json!({ "schema": 1, "accounts": [account], "organization": "none" });
        let mut accounts = Accounts::default();
        let origin = Origin { name: "iam.json".to_owned(), kind: SourceKind::Snapshot, taken: None };
        accounts.add_source(snapshot.to_string().as_bytes(), origin).unwrap();
        accounts
    }

    fn impact_of(trust: &Value, devices: &Value) -> Impact {
        let before = json!({ "Version": "2012-10-17", "Statement": [trust] }).to_string();
        let wanted = Wanted { role: Some(OPS.to_owned()), ..Wanted::default() };
        let Outcome::Patched(patch) = require_mfa(&before, &wanted).unwrap() else { panic!("it is changed") };
        impact(&accounts(devices), OPS, &before, &patch.text, &Assumptions::default()).unwrap()
    }

    #[test]
    fn a_device_decides_whether_a_user_keeps_the_role_and_a_role_never_does() {
        let trust = json!({ "Effect": "Allow", "Principal": { "AWS": ["111122223333", "999999999999"] }, "Action": "sts:AssumeRole" });
        let devices = json!({
            "alice": ["arn:aws:iam::111122223333:mfa/alice"],
            "bob": [],
            "carol": ["arn:aws:iam::111122223333:u2f/user/carol/key"],
        });
        let expected = "\
Keeps access      alice (with MFA)
Keeps access      dave (with MFA; whether there is a device is not known)
Loses access      role Deploy of 111122223333: a role never has MFA
No MFA device     bob, carol: locked out until one is registered
Not known         any user or role of account 999999999999 (not in the sources)
                  that it allows, under a condition
";
        assert_eq!(impact_of(&trust, &devices).render().to_string(), expected);
    }

    #[test]
    fn who_is_left_alone_keeps_the_role_as_it_was() {
        let principal = json!({ "AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/Deploy"] });
        let trust = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
        let impact = impact_of(&trust, &json!({ "alice": ["GAHT12345678"] }));
        let names =
            |entities: &[Entity]| entities.iter().map(|entity| entity.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&impact.keeps), ["alice"]);
        assert_eq!(
            (names(&impact.keeps_without_mfa), names(&impact.loses)),
            (vec!["Deploy".to_owned()], Vec::new())
        );
    }
}
