//! Reads account sources in the forms that users provide.
#![expect(clippy::unwrap_used, reason = "test helpers may panic, like tests")]

use hatbox_iam::accounts::{Accounts, Attribute, Extent, Organization, Origin, SourceError, SourceKind};

const DETAILS: &str = include_str!("accounts/details.json");
const SNAPSHOT: &str = include_str!("accounts/snapshot.json");
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const OPS: &str = "arn:aws:iam::444455556666:role/Ops";

fn origin(name: &str) -> Origin {
    Origin { name: name.to_owned(), kind: SourceKind::PolicyFile, taken: None }
}

fn read(text: &str) -> Accounts {
    let mut accounts = Accounts::default();
    accounts.add_source(text.as_bytes(), origin("iam.json")).unwrap();
    accounts
}

fn refusal(bytes: &[u8]) -> SourceError {
    Accounts::default().add_source(bytes, origin("iam.json")).unwrap_err()
}

#[test]
fn account_details_of_two_accounts_are_read_from_one_file() {
    let accounts = read(DETAILS);
    assert_eq!(accounts.origins[0].kind, SourceKind::AccountDetails);
    assert_eq!(accounts.users().count(), 3);
    assert_eq!(accounts.roles().count(), 4);
    let (_, home) = accounts.account("111122223333").unwrap();
    assert_eq!(home.extent, Extent::Whole);
    let alice = &home.users[ALICE];
    assert_eq!((alice.name.as_str(), alice.groups.as_slice()), ("alice", ["ops".to_owned()].as_slice()));
    assert_eq!(alice.boundary, Attribute::Known(None));
    assert_eq!(alice.tags.known().unwrap()["Team"], "platform");
    assert_eq!(alice.mfa_devices, Attribute::NotGiven, "account details do not tell devices");
    let (_, group) = home.grants_of_groups(alice).next().unwrap();
    let policy = &accounts.policies[&group.unwrap().attached[0]];
    let sid = &policy.document.known().unwrap().policy().unwrap().statements[0].sid;
    assert_eq!(sid.as_deref(), Some("Ops"), "the default version");
    let (_, audit) = accounts.find_roles("Audit").next().unwrap();
    assert!(audit.trust.known().unwrap().policy().is_ok(), "URL-encoded");
    assert!(accounts.notes.is_empty());
}

#[test]
fn a_snapshot_holds_devices_and_lengths_too() {
    let accounts = read(SNAPSHOT);
    assert_eq!(accounts.origins[0].kind, SourceKind::Snapshot);
    assert_eq!(accounts.origins[0].taken, Some("2026-03-01T09:00:00Z".parse().unwrap()), "the oldest");
    let (id, home) = accounts.account("111122223333").unwrap();
    assert_eq!((id.as_str(), home.alias.as_deref()), ("111122223333", Some("home")));
    let devices = |name: &str| accounts.find_users(name).next().unwrap().1.mfa_devices.clone();
    assert_eq!(devices("alice"), Attribute::Known(vec!["arn:aws:iam::111122223333:mfa/alice".to_owned()]));
    assert_eq!(devices("carol"), Attribute::Known(Vec::new()));
    let (_, ops) = accounts.find_roles(OPS).next().unwrap();
    assert_eq!(ops.max_session_duration, Attribute::Known(14400));
    assert!(matches!(accounts.organization, Organization::NotGiven));
}

#[test]
fn a_page_that_is_not_the_last_leaves_the_account_cut() {
    let page = |name: &str, is_truncated: bool| {
        format!(
            r#"{{"UserDetailList": [{{"Arn": "arn:aws:iam::111122223333:user/{name}", "UserName": "{name}"}}],
               "IsTruncated": {is_truncated}}}"#
        )
    };
    let cut = read(&page("alice", true));
    assert_eq!(cut.account("111122223333").unwrap().1.extent, Extent::Part);
    assert!(cut.notes[0].text.contains("account 111122223333 is cut"), "{:?}", cut.notes);
    for whole in [
        [page("alice", true), page("bob", false)].concat(),
        format!("[{}, {}]", page("alice", true), page("bob", false)),
        [page("alice", true), r#"{"Policies": [], "IsTruncated": false}"#.to_owned()].concat(),
    ] {
        let whole = read(&whole);
        assert_eq!(whole.account("111122223333").unwrap().1.extent, Extent::Whole);
        assert!(whole.notes.is_empty());
    }
}

#[test]
fn an_organization_may_be_there_be_none_or_not_be_known() {
    let org = r#"{"schema": 1, "organization": {"id": "o-a", "management_account": "777788889999",
        "scps": [{"account": "111122223333", "policies": [{"Statement": []}, "{\"Statement\": []}"]}]}}"#;
    let Organization::Known(policies) = read(org).organization else { panic!("no organization") };
    assert_eq!(policies.scps.unwrap()[0].policies.len(), 2);
    assert!(policies.rcps.is_none());
    let none = read(r#"{"schema": 1, "organization": "none"}"#).organization;
    assert!(matches!(none, Organization::None));
}

#[test]
fn a_later_source_corrects_an_earlier_one_and_the_difference_is_reported() {
    let mut accounts = read(SNAPSHOT);
    accounts.add_source(DETAILS.as_bytes(), origin("same.json")).unwrap();
    assert!(accounts.notes.is_empty(), "{:?}", accounts.notes);
    let (_, alice) = accounts.find_users(ALICE).next().unwrap();
    assert!(alice.mfa_devices.known().is_some(), "what a later source does not tell stays");
    let open = DETAILS.replace("aws:MultiFactorAuthPresent", "aws:multifactorauthpresent");
    accounts.add_source(open.as_bytes(), origin("later.json")).unwrap();
    let (_, ops) = accounts.find_roles(OPS).next().unwrap();
    assert_eq!(accounts.origin(ops.trust.known().unwrap().origin).unwrap().name, "later.json");
    assert!(accounts.notes.iter().any(|note| note.text.contains("the trust policy of Ops (444455556666)")));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let user = r#"{"Arn": "arn:aws:iam::111122223333:user/a", "UserName": "a"}"#;
    for (text, line, column, problem) in [
        (r#"{"UserDetailList": 7}"#.to_owned(), 1, 20, "is a list, not a number"),
        (r#"{"UserDetailList": [{"Arn": 7}]}"#.to_owned(), 1, 29, "is a string, not a number"),
        (r#"{"UserDetailList": [{"UserName": "a"}]}"#.to_owned(), 1, 21, "`Arn` is missing"),
        (
            r#"{"RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:user/a"}]}"#.to_owned(),
            1,
            29,
            "expected the ARN of a role",
        ),
        (format!("{{\"UserDetailList\": [{user},\n {user}"), 2, 62, "the text ends here"),
        (r#"{"schema": 2}"#.to_owned(), 1, 12, "written by a newer version of hatbox"),
        (r#"{"schema": 0}"#.to_owned(), 1, 12, "expected 1"),
        (
            r#"{"schema": 1, "accounts": [{"account": "1", "details": {}}]}"#.to_owned(),
            1,
            40,
            "invalid account id `1`",
        ),
        (
            format!(
                r#"{{"schema": 1, "accounts": [{{"account": "444455556666", "details": {{"UserDetailList": [{user}]}}}}]}}"#
            ),
            1,
            87,
            "belongs to account 111122223333",
        ),
        (
            r#"{"schema": 1, "organization": {"scps": [{"policies": [{}]}]}}"#.to_owned(),
            1,
            55,
            "`Statement` is missing",
        ),
        (r#"{"schema": 1, "organization": "some"}"#.to_owned(), 1, 31, "\"none\""),
        ("{}".to_owned(), 1, 1, "neither a snapshot"),
        (String::new(), 1, 1, "the text ends here"),
        ("[]".to_owned(), 1, 1, "neither a snapshot"),
    ] {
        let error = refusal(text.as_bytes());
        assert!(error.problem.contains(problem), "{text}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    let error = refusal(b"{\n \"\xc3\xa9\xff\"}");
    assert_eq!((error.line, error.column), (2, 4), "{error}");
    assert!(error.problem.contains("not UTF-8"));
}

/// An entry that cannot be read is left out or unknown, and noted; all others are kept.
#[test]
fn one_odd_user_role_or_boundary_does_not_spoil_the_file() {
    let user = |arn: &str, rest: &str| format!(r#"{{"Arn": "{arn}", "UserName": "x"{rest}}}"#);
    let role = |arn: &str, rest: &str| {
        format!(
            r#"{{"Arn": "{arn}", "RoleName": "R", "AssumeRolePolicyDocument": {{"Statement": []}}{rest}}}"#
        )
    };
    let at_home = |kind: &str| format!("arn:aws:iam::111122223333:{kind}/ok");
    let good_user = user(&at_home("user"), "");
    for (list, odd, note) in [
        (
            "UserDetailList",
            user("arn:aws:iam::N/A:user/odd", ""),
            "expected the ARN of a user; this user is left out",
        ),
        ("UserDetailList", user("", ""), "expected the ARN of a user; this user is left out"),
        ("UserDetailList", r#"{"UserName": "x"}"#.to_owned(), "`Arn` is missing here; this user is left out"),
        ("UserDetailList", "7".to_owned(), "this user is left out"),
        (
            "RoleDetailList",
            role("arn:aws:iam::111122223333:user/R", ""),
            "expected the ARN of a role; this role is left out",
        ),
        (
            "RoleDetailList",
            role(&at_home("role"), r#", "Tags": 7"#),
            "`Tags` is a list, not a number; this role is left out",
        ),
        ("GroupDetailList", r#"{"Arn": "g", "GroupName": "g"}"#.to_owned(), "this group is left out"),
        ("Policies", r#"{"PolicyName": "P"}"#.to_owned(), "this policy is left out"),
    ] {
        let lists = if list == "UserDetailList" {
            format!(r#""UserDetailList": [{odd}, {good_user}]"#)
        } else {
            format!(r#""UserDetailList": [{good_user}], "{list}": [{odd}]"#)
        };
        let accounts = read(&format!("{{{lists}}}"));
        let notes: Vec<&str> = accounts.notes.iter().map(|note| note.text.as_str()).collect();
        assert!(
            matches!(notes.as_slice(), [only] if only.contains(note) && only.starts_with("line 1, ")),
            "{notes:?}"
        );
        assert_eq!((accounts.users().count(), accounts.roles().count()), (1, 0), "{odd}");
        let (_, home) = accounts.account("111122223333").unwrap();
        let is_whole = list == "Policies";
        assert_eq!(home.extent == Extent::Whole, is_whole, "{odd}: what was left out may be of this account");
    }
    for boundary in
        ["{}", "7", r#"{"PermissionsBoundaryArn": ""}"#, r#"{"PermissionsBoundaryType": "Policy"}"#]
    {
        let odd = user(&at_home("user"), &format!(r#", "PermissionsBoundary": {boundary}"#));
        let accounts = read(&format!(r#"{{"UserDetailList": [{odd}]}}"#));
        let (_, user) = accounts.users().next().unwrap();
        assert_eq!(user.boundary, Attribute::NotGiven, "{boundary}: not none");
        assert!(
            accounts.notes[0].text.ends_with("the permissions boundary of x is not known"),
            "{:?}",
            accounts.notes
        );
    }
}

const STATE: &str = include_str!("accounts/terraform.tfstate");
const SHOWN_STATE: &str = include_str!("accounts/show-state.json");
const PLAN: &str = include_str!("accounts/plan.json");

#[test]
fn one_odd_resource_does_not_spoil_a_state() {
    let odd = STATE.replacen("arn:aws:iam::444455556666:role/", "arn:aws:iam::N/A:role/", 1);
    assert_ne!(odd, STATE);
    let (whole, rest) = (read(STATE), read(&odd));
    assert_eq!(rest.roles().count() + 1, whole.roles().count());
    assert_eq!(rest.users().count(), whole.users().count());
    assert!(rest.notes.iter().any(|note| note.text.ends_with(" is left out")), "{:?}", rest.notes);
}

#[test]
fn a_state_and_what_terraform_shows_of_it_read_the_same() {
    let (state, shown) = (read(STATE), read(SHOWN_STATE));
    for accounts in [&state, &shown] {
        assert_eq!(accounts.origins[0].kind, SourceKind::TerraformState);
        let (_, ops) = accounts.find_roles("Ops").next().unwrap();
        assert_eq!(ops.address.as_deref(), Some("module.iam.aws_iam_role.ops"));
        assert_eq!(ops.max_session_duration, Attribute::Known(14400));
        assert_eq!(ops.boundary, Attribute::Known(None));
        assert_eq!(ops.tags.known().unwrap()["Env"], "prod");
        assert_eq!(ops.grants.attached, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
        assert!(ops.grants.inline.is_empty(), "an empty block is no policy");
        assert!(ops.trust.known().unwrap().policy().is_ok());
        let (_, alice) = accounts.find_users("alice").next().unwrap();
        assert_eq!(alice.address.as_deref(), Some("aws_iam_user.people[\"alice\"]"));
        assert_eq!(
            (alice.groups.as_slice(), alice.grants.extent),
            (["ops".to_owned()].as_slice(), Extent::Part)
        );
        assert_eq!(alice.grants.inline[0].name, "Extra");
        let (_, home) = accounts.account("111122223333").unwrap();
        assert_eq!(home.groups["ops"].grants.attached, ["arn:aws:iam::111122223333:policy/AssumeOps"]);
        assert_eq!(home.extent, Extent::Part, "there may be more than Terraform manages");
        assert_eq!(accounts.notes.len(), 1);
        assert_eq!(accounts.notes[0].text, "aws_iam_user_policy.lost is left out: no source has `nobody`");
    }
    assert_eq!(state.accounts, shown.accounts);
}

#[test]
fn a_plan_shows_what_will_be_and_never_guesses_what_it_does_not_know() {
    let mut accounts = read(STATE);
    accounts.add_source(PLAN.as_bytes(), origin("plan.json")).unwrap();
    assert_eq!(accounts.origins[1].kind, SourceKind::TerraformPlan);
    let (_, ops) = accounts.find_roles("Ops").next().unwrap();
    assert!(ops.trust.known().unwrap().policy().unwrap().statements[0].conditions.is_empty());
    let (_, alice) = accounts.find_users("alice").next().unwrap();
    assert!(alice.grants.inline.is_empty(), "what the plan deletes is gone");
    let unplaced: Vec<_> = accounts.unplaced.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(unplaced, ["Deploy", "Linked"]);
    assert!(accounts.unplaced[0].trust.known().is_some());
    assert_eq!(accounts.unplaced[1].trust, Attribute::UntilApply);
    let notes: Vec<_> = accounts.notes.iter().map(|note| note.text.as_str()).collect();
    assert!(notes.contains(&"the trust policy of aws_iam_role.linked is not known until apply"), "{notes:?}");
    assert!(
        notes.contains(&"the ARN of aws_iam_user.new is not known until apply, so it is left out"),
        "{notes:?}"
    );
}

#[test]
fn a_policy_file_is_about_the_one_role_of_its_name_and_the_later_source_counts() {
    let policy = |who: &str| {
        format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"AWS": "{who}"}}}}}}"#
        )
    };
    let role = |account: &str, who: &str| {
        format!(
            r#"{{"RoleDetailList": [{{"RoleName": "Ops", "Arn": "arn:aws:iam::{account}:role/Ops",
            "AssumeRolePolicyDocument": {}}}]}}"#,
            policy(who)
        )
    };
    let trusts = |accounts: &Accounts, who: &str| {
        let (_, role) = accounts.find_roles("Ops").next().unwrap();
        role.trust.known().unwrap().text.contains(who)
    };
    let details = ("iam.json", role("444455556666", "111122223333"));
    let file = ("Ops.json", policy("999999999999"));
    for (sources, counts, note) in [
        ([&details, &file], "999999999999", Some("differs from that in iam.json; this one counts")),
        ([&file, &details], "111122223333", Some("differs from that in Ops.json; this one counts")),
        ([&details, &("Ops.json", policy("111122223333"))], "111122223333", None),
        ([&details, &("Other.json", policy("999999999999"))], "111122223333", None),
    ] {
        let mut accounts = Accounts::default();
        for (name, text) in sources {
            accounts.add_source(text.as_bytes(), origin(name)).unwrap();
        }
        assert!(trusts(&accounts, counts), "{sources:?}");
        let is_another = sources[1].0 == "Other.json";
        assert_eq!(accounts.unplaced.len(), usize::from(is_another), "{sources:?}");
        assert_eq!(accounts.notes.len(), usize::from(note.is_some()), "{:?}", accounts.notes);
        assert!(accounts.notes.iter().all(|one| one.text.contains(note.unwrap())), "{:?}", accounts.notes);
    }
    // With two roles of this name, it is unknown which account the file belongs to.
    let mut accounts = Accounts::default();
    for (name, text) in [details, ("prod.json", role("777788889999", "111122223333")), file] {
        accounts.add_source(text.as_bytes(), origin(name)).unwrap();
    }
    assert!(trusts(&accounts, "111122223333") && accounts.unplaced.len() == 1);
    assert_eq!(accounts.notes[0].text, "2 roles are called Ops, and the file is used for none of them");
}

#[test]
fn a_policy_file_keeps_its_name_and_its_places() {
    let mut accounts = Accounts::default();
    let text = "\n{\"Statement\": [\n  {\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", \"Principal\": \"*\"}]}";
    accounts.add_source(text.as_bytes(), origin("policies/Ops.json")).unwrap();
    let role = &accounts.unplaced[0];
    assert_eq!((role.name.as_str(), accounts.origins[0].kind), ("Ops", SourceKind::PolicyFile));
    assert_eq!(role.trust.known().unwrap().policy().unwrap().statements[0].place.line, 3);
}

#[test]
fn another_version_of_terraform_s_files_is_refused() {
    for (text, column, problem) in [
        (r#"{"version": 3, "modules": []}"#, 13, "a Terraform state of version 3 cannot be read, only 4"),
        (r#"{"version": "4"}"#, 13, "a Terraform state of version \"4\" cannot be read"),
        (r#"{"format_version": "2.0"}"#, 20, "in format 2.0 cannot be read, only 1"),
        (r#"{"version": 4, "resources": {}}"#, 29, "`resources` is a list"),
        (r#"{"version": 4, "resources": [{"mode": "managed"}]}"#, 30, "`type` is missing"),
        (
            r#"{"version": 4, "resources": [{"mode": "managed", "type": "aws_iam_role", "name": "x", "instances": [{"attributes": {"arn": 7}}]}]}"#,
            124,
            "`arn` is a string",
        ),
    ] {
        let error = refusal(text.as_bytes());
        assert!(error.problem.contains(problem), "{error}");
        assert_eq!(error.column, column, "{error}");
    }
}
