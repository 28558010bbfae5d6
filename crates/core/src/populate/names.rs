//! Chooses a unique name for each role, which no other profile has; keeps an earlier name that is still suitable.
//!
//! | tried | example |
//! |---|---|
//! | 1 | the name from the template: `Prod.Admin` |
//! | 2 | with the account id: `Prod.Admin-111122223333` |
//! | 3 | also with the role, if the template lacks it: `Prod-111122223333-Admin` |
//! | 4 | with a digest of both, if they differ only in case: `prod.admin-5f0c91d2` |
//!
//! If two roles would get the same name, neither does: otherwise chance would decide, and a command meant for one
//! account could run in the other. A role that already has the name keeps it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::role::AssignedRole;
use super::template::NameTemplate;
use hatbox_types::name::ProfileName;

/// Returns the names to try for a role, in this order.
fn candidates(template: &NameTemplate, role: &AssignedRole) -> [String; 4] {
    let name = template.render(role);
    let with_account = format!("{name}-{}", role.account_id);
    let with_role = format!("{with_account}-{}", role.role_name);
    let digest = Sha256::digest(format!("{}/{}", role.account_id, role.role_name));
    let digest = hex::encode(digest.get(..4).unwrap_or_default());
    // The last name must be short, whatever the template is.
    let short: String = name.chars().take(200).collect();
    [name, with_account, with_role, format!("{}-{digest}", short.trim_end())]
}

/// Returns the names of `roles`, which contains each role once, in the same order; `None` if no name is left.
///
/// `earlier` contains the names of an earlier run by account id and role, `taken` those of all other profiles.
pub fn choose_names(
    template: &NameTemplate,
    roles: &[AssignedRole],
    earlier: &BTreeMap<(&str, &str), &str>,
    taken: &BTreeSet<String>,
) -> Vec<Option<String>> {
    // AWS's tools use `default` if no profile is named, so no account may get that name.
    let mut taken: HashSet<&str> = taken.iter().map(String::as_str).chain(["default"]).collect();
    let candidates: Vec<_> = roles.iter().map(|role| candidates(template, role)).collect();
    let mut chosen: Vec<Option<&str>> = roles
        .iter()
        .zip(&candidates)
        .map(|(role, candidates)| {
            let name = earlier.get(&(role.account_id.as_str(), role.role_name.as_str()))?;
            let still = candidates.iter().find(|candidate| candidate == name)?;
            taken.insert(still).then_some(still.as_str())
        })
        .collect();
    for attempt in 0..4 {
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        let left = || candidates.iter().map(|names| names.get(attempt).map_or("", String::as_str));
        for (name, _) in left().zip(&chosen).filter(|(_, chosen)| chosen.is_none()) {
            *wanted.entry(name).or_default() += 1;
        }
        for (name, chosen) in left().zip(&mut chosen).filter(|(_, chosen)| chosen.is_none()) {
            let is_free = wanted.get(name) == Some(&1) && !taken.contains(name);
            if is_free && ProfileName::parse(name).is_ok() {
                *chosen = Some(name);
            }
        }
        taken.extend(chosen.iter().flatten());
    }
    chosen.into_iter().map(|name| name.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::template::DEFAULT_TEMPLATE;
    use super::*;

    fn role(account: u64, name: &str, role: &str) -> AssignedRole {
        AssignedRole::parse(&format!("{account:012}"), name, role).unwrap()
    }

    fn choose(template: &str, roles: &[AssignedRole], taken: &[&str]) -> Vec<Option<String>> {
        let taken = taken.iter().map(|&name| name.to_owned()).collect();
        choose_names(&NameTemplate::parse(template).unwrap(), roles, &BTreeMap::new(), &taken)
    }

    fn some(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|&name| Some(name.to_owned())).collect()
    }

    #[test]
    fn of_two_roles_with_one_name_neither_gets_it() {
        let roles = [role(1, "Prod", "Admin"), role(2, "Prod", "Admin"), role(3, "Dev", "Admin")];
        let names = some(&["Prod.Admin-000000000001", "Prod.Admin-000000000002", "Dev.Admin"]);
        assert_eq!(choose(DEFAULT_TEMPLATE, &roles, &[]), names);
        // Even if one is named like the second choice for the other.
        let roles = [role(1, "P", "A"), role(2, "P", "A"), role(3, "P.A-000000000001", "x")];
        let names = choose("{account_name}", &roles[2..], &[]);
        assert_eq!(names, some(&["P.A-000000000001"]));
        let names = choose("{account_name}", &[role(1, "Q", "A"), role(1, "Q", "B")], &[]);
        assert_eq!(names, some(&["Q-000000000001-A", "Q-000000000001-B"]));
        let names = choose(DEFAULT_TEMPLATE, &roles, &[]);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3);
    }

    #[test]
    fn names_of_other_profiles_and_default_are_not_used() {
        let names = choose("{account_name}", &[role(1, "prod", "A"), role(2, "default", "A")], &["prod"]);
        assert_eq!(names, some(&["prod-000000000001", "default-000000000002"]));
    }

    #[test]
    fn roles_that_differ_in_case_alone_are_told_apart() {
        let roles = [role(1, "P", "admin"), role(1, "P", "Admin")];
        let names = choose("{account_name:lower}.{role_name:lower}", &roles, &[]);
        assert_eq!(names, some(&["p.admin-000000000001-admin", "p.admin-000000000001-Admin"]));
        let taken = ["p.admin", "p.admin-000000000001", "p.admin-000000000001-admin"];
        let [first, _] = &choose("{account_name:lower}.{role_name:lower}", &roles, &taken)[..] else {
            panic!()
        };
        assert_eq!(first.as_deref(), Some("p.admin-602a83a7"));
    }

    #[test]
    fn a_role_keeps_its_name_when_another_one_of_that_name_comes() {
        let template = NameTemplate::parse(DEFAULT_TEMPLATE).unwrap();
        let roles = [role(1, "Prod", "Admin"), role(2, "Prod", "Admin")];
        let earlier = [(("000000000002", "Admin"), "Prod.Admin")].into();
        let names = choose_names(&template, &roles, &earlier, &BTreeSet::new());
        assert_eq!(names, some(&["Prod.Admin-000000000001", "Prod.Admin"]));
        // With another template, or another account name, it is another profile.
        let other = NameTemplate::parse("x-{account_name}").unwrap();
        let names = choose_names(&other, &roles[1..], &earlier, &BTreeSet::new());
        assert_eq!(names, some(&["x-Prod"]));
    }

    #[test]
    fn a_name_that_is_too_long_is_cut() {
        let template = format!("{}{{account_name}}.{{role_name}}", "x".repeat(220));
        let names = choose(&template, &[role(1, &"y".repeat(60), "Admin")], &[]);
        let [Some(name)] = &names[..] else { panic!("{names:?}") };
        assert_eq!(name.len(), 209);
    }
}
