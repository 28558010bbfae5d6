//! The pure part of `hatbox sso populate`: a session's block in a config, whatever else is in the config.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::{BTreeSet, HashSet};

use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::config::syntax::Document;
use hatbox_core::populate::block::{BlockError, find_block};
use hatbox_core::populate::merge::{Changes, PopulateError, Wanted, populate};
use hatbox_core::populate::role::AssignedRole;
use hatbox_core::populate::template::{DEFAULT_TEMPLATE, NameTemplate};
use hatbox_types::name::Region;
use proptest::prelude::*;

fn role(account: u32, name: &str, role: &str) -> AssignedRole {
    AssignedRole::parse(&format!("{account:012}"), name, role).unwrap()
}

fn run_with(text: &str, roles: &[AssignedRole], template: &str, region: Option<&str>) -> (String, Changes) {
    let region = region.map(|region| Region::parse(region).unwrap());
    let (text, changes) = populate(
        text.as_bytes(),
        &Wanted {
            session: "corp",
            template: &NameTemplate::parse(template).unwrap(),
            region: region.as_ref(),
            roles,
            taken: &BTreeSet::from(["keys".to_owned()]),
        },
    )
    .unwrap();
    (String::from_utf8(text).unwrap(), changes)
}

fn run(text: &str, roles: &[AssignedRole]) -> (String, Changes) {
    run_with(text, roles, DEFAULT_TEMPLATE, None)
}

fn names(rows: &[hatbox_core::populate::merge::Row]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

const MINE: &str = "[sso-session corp]\nsso_region = eu-west-1\n\n[profile mine]\nregion = x\n";

const BLOCK: &str = "
# >>> hatbox sso populate corp
# hatbox writes this block again: profiles without an assigned role are removed.
# template = {account_name}.{role_name}

[profile Dev.Admin]
sso_session=corp
sso_account_id=000000000002
sso_role_name=Admin

[profile Prod.Admin]
sso_session=corp
sso_account_id=000000000001
sso_role_name=Admin

# <<< hatbox sso populate corp
";

#[test]
fn a_block_is_added_pruned_and_removed_and_the_rest_stays() {
    let both = [role(1, "Prod", "Admin"), role(2, "Dev", "Admin")];
    let (text, changes) = run(MINE, &both);
    assert_eq!(text, format!("{MINE}{BLOCK}"));
    assert_eq!(names(&changes.added), ["Dev.Admin", "Prod.Admin"]);
    let text = text + "\n[profile below]\nregion = y\n";
    let (same, changes) = run(&text, &both);
    assert_eq!((same.as_str(), changes.is_empty(), changes.unchanged), (text.as_str(), true, 2));
    let (pruned, changes) = run(&text, &both[..1]);
    assert_eq!(names(&changes.removed), ["Dev.Admin"]);
    assert!(pruned.starts_with(MINE) && pruned.ends_with("\n[profile below]\nregion = y\n"), "{pruned}");
    assert!(!pruned.contains("Dev.Admin"));
    let (empty, changes) = run(&text, &[]);
    assert_eq!(names(&changes.removed), ["Dev.Admin", "Prod.Admin"]);
    assert_eq!(empty, format!("{MINE}\n[profile below]\nregion = y\n"));
    assert_eq!(run(&format!("{MINE}{BLOCK}"), &[]).0, MINE);
}

#[test]
fn settings_that_the_user_added_to_a_profile_stay_also_under_another_name() {
    let own = "sso_role_name=Admin\noutput = json # mine\ns3 =\n  max_queue_size = 1\n# note\n";
    let text = format!("{MINE}{BLOCK}").replacen("sso_role_name=Admin\n", own, 1);
    let (same, changes) = run(&text, &[role(1, "Prod", "Admin"), role(2, "Dev", "Admin")]);
    assert_eq!((same, changes.unchanged), (text.clone(), 2));
    let (renamed, changes) = run(&text, &[role(1, "Prod", "Admin"), role(2, "Test", "Admin")]);
    assert_eq!(changes.changed[0].renamed_from.as_deref(), Some("Dev.Admin"));
    assert!(
        renamed
            .contains(&format!("[profile Test.Admin]\nsso_session=corp\nsso_account_id=000000000002\n{own}"))
    );
    // A setting of hatbox's that was changed by hand is kept, but has no effect.
    let (fixed, changes) = run(
        &text.replace("Dev.Admin]\nsso_session", "Dev.Admin]\nSSO_Region = us-east-1\nsso_session"),
        &[role(2, "Dev", "Admin")],
    );
    assert!(fixed.contains("SSO_Region") && changes.unchanged == 1, "{fixed}");
}

#[test]
fn a_region_is_written_to_new_profiles_and_to_all_when_it_changes() {
    let both = [role(1, "Prod", "Admin"), role(2, "Dev", "Admin")];
    let (text, _) = run_with("", &both[..1], DEFAULT_TEMPLATE, Some("eu-west-1"));
    assert!(
        text.contains("# region = eu-west-1\n") && text.contains("sso_role_name=Admin\nregion=eu-west-1\n")
    );
    let text = text.replace("region=eu-west-1", "region=us-east-1");
    let (text, changes) = run_with(&text, &both, DEFAULT_TEMPLATE, Some("eu-west-1"));
    assert_eq!((changes.unchanged, names(&changes.added)), (1, vec!["Dev.Admin"]));
    assert!(text.contains("\nregion=us-east-1\n") && text.contains("\nregion=eu-west-1\n"));
    let (text, changes) = run_with(&text, &both, DEFAULT_TEMPLATE, Some("eu-west-2"));
    assert_eq!((changes.changed.len(), text.matches("\nregion=eu-west-2\n").count()), (2, 2));
    let block = find_block(text.as_bytes(), "corp").unwrap().unwrap();
    assert_eq!(block.region.unwrap().as_str(), "eu-west-2");
    assert_eq!(block.template.unwrap().to_string(), DEFAULT_TEMPLATE);
}

#[test]
fn no_profile_gets_a_name_that_means_something_already() {
    let text = "[profile Prod.Admin]\nrole_arn = r\n\n# >>> hatbox sso populate other\n[profile Dev.Admin]\n# <<< hatbox sso populate other\n";
    let roles =
        [role(1, "Prod", "Admin"), role(2, "Dev", "Admin"), role(3, "keys", "A"), role(4, "default", "A")];
    let (_, changes) = run(text, &roles[..2]);
    assert_eq!(names(&changes.added), ["Dev.Admin-000000000002", "Prod.Admin-000000000001"]);
    let (_, changes) = run_with(text, &roles[2..], "{account_name}", None);
    assert_eq!(names(&changes.added), ["default-000000000004", "keys-000000000003"]);
}

#[test]
fn a_name_that_passes_from_one_role_to_another_is_listed_twice() {
    let (text, _) = run("", &[role(1, "Prod", "Admin")]);
    let (_, changes) = run(&text, &[role(2, "Prod", "Admin")]);
    assert_eq!((names(&changes.removed), names(&changes.added)), (vec!["Prod.Admin"], vec!["Prod.Admin"]));
    assert_eq!(
        (changes.removed[0].account_id.as_str(), changes.added[0].account_id.as_str()),
        ("000000000001", "000000000002")
    );
}

#[test]
fn a_block_with_anything_else_in_it_is_an_error_with_its_line() {
    let good = format!("{MINE}{BLOCK}");
    let begin = "# >>> hatbox sso populate corp\n";
    let end = "# <<< hatbox sso populate corp\n";
    for (text, line) in [
        (good.replace(end, ""), 7),
        (good.replace(begin, ""), 20),
        (format!("{good}{begin}"), 22),
        (format!("{good}{BLOCK}"), 23),
        (good.replace(end, &format!("[profile other]\nregion = x\n{end}")), 21),
        (good.replace(end, &format!("[services corp]\n{end}")), 21),
        (good.replace("sso_session=corp", "sso_session=other"), 11),
        (good.replace(begin, &format!("{begin}region = x\n")), 8),
        (format!("{good}# note\nregion = x\n"), 23),
        (good.replace("{role_name}", "{role}"), 9),
        (good.replace("# template", "# region = A B\n# template"), 9),
    ] {
        let error = find_block(text.as_bytes(), "corp").unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}: {text}");
    }
    assert_eq!(find_block(good.as_bytes(), "cor").unwrap(), None);
    // Comments below are the user's.
    assert!(find_block(format!("{good}# note\n\n[profile x]\n").as_bytes(), "corp").is_ok());
    let bad = good.replace("sso_role_name=Admin", "sso_role_name=Admin\nword");
    let wanted = Wanted {
        session: "corp",
        template: &NameTemplate::parse(DEFAULT_TEMPLATE).unwrap(),
        region: None,
        roles: &[role(1, "Prod", "Admin")],
        taken: &BTreeSet::new(),
    };
    assert!(matches!(populate(bad.as_bytes(), &wanted), Err(PopulateError::Profile { .. })));
    assert!(matches!(
        populate(good.replace(end, "").as_bytes(), &wanted),
        Err(PopulateError::Block(BlockError::Marks { .. }))
    ));
}

#[test]
fn eight_hundred_accounts_are_no_effort() {
    let roles: Vec<_> = (0..800)
        .flat_map(|account| {
            ["Admin", "ReadOnly", "Billing"].map(|name| role(account, &format!("acct {account}"), name))
        })
        .collect();
    let (text, changes) = run(MINE, &roles);
    assert_eq!((changes.added.len(), text.matches("[profile ").count()), (2400, 2401));
    let (same, changes) = run(&text, &roles);
    assert!(same == text && changes.unchanged == 2400);
}

fn any_role() -> impl Strategy<Value = AssignedRole> {
    let name = prop_oneof![
        prop::sample::select(vec!["Prod", "prod", "", "a b", "a-b", "a", "default", "x]\n[default]"])
            .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    (0_u32..4, name, prop::sample::select(vec!["Admin", "admin", "R", "Prod-000000000001"]))
        .prop_map(|(account, name, name_of_role)| role(account, &name, name_of_role))
}

fn any_text() -> impl Strategy<Value = String> {
    let lines = vec![
        "[default]",
        "[profile a]",
        "[profile a.R]",
        "[sso-session corp]",
        "region = x",
        "s3 =",
        "  nested = 1",
        "word",
        "# note",
        "",
        "  ",
        "[profile \"a b\"]",
        "# >>> hatbox sso populate other",
    ];
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    (prop::collection::vec(prop::sample::select(lines), 0..12), end, any::<bool>())
        .prop_map(|(lines, end, ends)| format!("{}{}", lines.join(end), if ends { end } else { "" }))
}

proptest! {
    #[test]
    fn any_roles_get_a_profile_each_and_nothing_else_changes(
        text in any_text(),
        first in prop::collection::vec(any_role(), 0..8),
        then in prop::collection::vec(any_role(), 0..8),
        template in prop::sample::select(vec![DEFAULT_TEMPLATE, "{account_name:lower}", "a b-{role_name:lower}"]),
    ) {
        let (with_first, _) = run_with(&text, &first, template, None);
        let (with_then, changes) = run_with(&with_first, &then, template, None);
        let wanted: HashSet<_> = then.iter().map(|role| (role.account_id.clone(), role.role_name.clone())).collect();
        prop_assert_eq!(changes.left_out.len(), 0);
        prop_assert_eq!(changes.added.len() + changes.changed.len() + changes.unchanged, wanted.len());
        let outside = |text: &str| {
            let mut is_inside = false;
            let mut lines = text.lines().filter(|line| {
                is_inside |= line.starts_with("# >>> hatbox sso populate corp");
                let is_outside = !is_inside;
                is_inside &= !line.starts_with("# <<< hatbox sso populate corp");
                is_outside
            }).map(str::to_owned).collect::<Vec<_>>();
            while lines.last().is_some_and(String::is_empty) { lines.pop(); }
            lines
        };
        prop_assert_eq!(outside(&text), outside(&with_then));
        // Every role has exactly one profile, with a unique section name.
        let document = Document::parse(FileKind::Config, with_then.clone().into_bytes()).unwrap();
        let mut found = HashSet::new();
        for section in document.sections().filter(|section| section.kind() == SectionKind::Profile) {
            let entries = section.scan().entries;
            let value = |key| entries.iter().find(|e| e.has_key(key)).map(|e| e.value.to_string());
            if let (Some(account), Some(role)) = (value("sso_account_id"), value("sso_role_name")) {
                prop_assert!(found.insert((account, role)));
                let name = section.name();
                let same = document.sections_named(SectionKind::Profile, &name).count();
                prop_assert_eq!(same, 1, "{}", name);
                prop_assert!(name != "default");
            }
        }
        prop_assert_eq!(found.len(), wanted.len());
        let (again, changes) = run_with(&with_then, &then, template, None);
        prop_assert_eq!(&again, &with_then);
        prop_assert!(changes.is_empty());
        let ends_plainly = !text.ends_with("\n\n") && !text.ends_with("\n\r\n") && text.ends_with('\n');
        if ends_plainly {
            prop_assert_eq!(run_with(&with_then, &[], template, None).0, text);
        }
    }
}
