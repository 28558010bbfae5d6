//! The exact output of `can`.

use hatbox_iam::accounts::Accounts;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::{find_caller, find_role};
use hatbox_iam::report::can::{Can, MfaUse, can};

use crate::{NO_ORGANIZATION, SNAPSHOT, STATE, read};

const PLAN: &str = include_str!("../accounts/plan.json");

fn given(context: &[(&str, &str)]) -> Assumptions {
    Assumptions {
        context: context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect(),
        now: "2026-03-03T09:00:00Z".parse().unwrap(),
    }
}

fn ask(accounts: &Accounts, caller: &str, via: &[&str], role: &str, mfa: MfaUse) -> Can {
    let caller = find_caller(accounts, caller).unwrap();
    let via: Vec<_> = via.iter().map(|role| find_role(accounts, role).unwrap()).collect();
    can(accounts, &caller, &via, &find_role(accounts, role).unwrap(), mfa, &given(&[]))
}

fn check(answer: &Can, verdict: &str, text: &str) {
    assert_eq!(answer.render().to_string(), text.trim_start_matches('\n'));
    assert_eq!(answer.answer().name(), verdict);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_missing_mfa_code_is_reported_with_what_would_follow_from_one() {
    let answer = ask(&read(&[SNAPSHOT]), "alice", &[], "Ops", MfaUse::Without);
    check(
        &answer,
        "no",
        "
NO  alice (111122223333) cannot assume Ops (444455556666) without MFA

  own policies   allow       group ops, policy AssumeOps, statement 1 (Ops)
  boundary       none
  trust policy   no match    statement 1 trusts account 111122223333, but
                             requires aws:MultiFactorAuthPresent = true; with
                             access keys the key is absent
  SCP, RCP       not known   (no organization data; add --from org.json)

With an MFA code: yes, unless an SCP or RCP denies it.
",
    );
}

#[test]
fn a_yes_names_the_statements_that_allow_it() {
    let answer = ask(&read(&[SNAPSHOT, NO_ORGANIZATION]), "alice", &[], "Ops", MfaUse::IfNeeded);
    check(
        &answer,
        "yes",
        "
YES  alice (111122223333) can assume Ops (444455556666) with MFA

  own policies   allow       group ops, policy AssumeOps, statement 1 (Ops)
  boundary       none
  trust policy   allow       statement 1 trusts account 111122223333
  SCP, RCP       none
",
    );
}

#[test]
fn without_organization_data_no_yes_is_certain() {
    let answer = ask(&read(&[SNAPSHOT]), "carol", &[], "Legacy", MfaUse::IfNeeded);
    check(
        &answer,
        "unknown",
        "
UNKNOWN  whether carol (111122223333) can assume Legacy (444455556666) without
    MFA

  own policies   allow       inline policy AssumeLegacy, statement 1 (Legacy)
  boundary       none
  trust policy   allow       statement 1 trusts user carol (111122223333)
  SCP, RCP       not known   (no organization data; add --from org.json)

Yes, unless an SCP or RCP denies it.
",
    );
}

#[test]
fn the_smallest_change_may_be_two_and_a_missing_device_is_said() {
    let answer = ask(&read(&[SNAPSHOT, NO_ORGANIZATION]), "carol", &[], "Ops", MfaUse::IfNeeded);
    check(
        &answer,
        "no",
        "
NO  carol (111122223333) cannot assume Ops (444455556666)

  own policies   no match    no policy of carol allows sts:AssumeRole on this
                             role
  boundary       none
  trust policy   no match    statement 1 trusts account 111122223333, but
                             requires aws:MultiFactorAuthPresent = true; with
                             access keys the key is absent
  SCP, RCP       none

With an MFA code, and with a policy of carol that allows sts:AssumeRole on
arn:aws:iam::444455556666:role/Ops: yes.
carol has no MFA device that gives codes.
",
    );
}

#[test]
fn a_chain_is_judged_step_by_step() {
    let answer = ask(&read(&[SNAPSHOT, NO_ORGANIZATION]), "bob", &["Ops"], "Admin", MfaUse::Without);
    check(
        &answer,
        "no",
        "
NO  bob (111122223333) cannot assume Admin (444455556666) through Ops without
    MFA

1  bob (111122223333) assumes Ops (444455556666)
  own policies   allow       group ops, policy AssumeOps, statement 1 (Ops)
  boundary       none
  trust policy   no match    statement 1 trusts account 111122223333, but
                             requires aws:MultiFactorAuthPresent = true; with
                             access keys the key is absent
  SCP, RCP       none

2  Ops (444455556666) assumes Admin (444455556666)
  own policies   no match    no policy of Ops allows sts:AssumeRole on this role
  boundary       none
  trust policy   no match    Admin trusts user alice (111122223333)
  SCP, RCP       none

1  With an MFA code: yes.

2  With a statement in the trust policy of Admin that trusts Ops: yes.
",
    );
    let audit = ask(&read(&[SNAPSHOT, NO_ORGANIZATION]), "bob", &["Ops"], "Audit", MfaUse::IfNeeded);
    assert_eq!(audit.answer().name(), "yes");
    assert!(audit.render().to_string().ends_with("\nRole chaining limits the session to 1 hour.\n"));
    assert!(audit.render().to_string().contains("not needed  the trust policy names the caller"));
}

#[test]
fn what_terraform_does_not_manage_is_not_known() {
    let accounts = read(&[STATE, NO_ORGANIZATION]);
    let with = ask(&accounts, "alice", &[], "Ops", MfaUse::With);
    assert_eq!(with.answer().name(), "unknown");
    assert!(with.render().to_string().ends_with("\nYes, unless a policy outside Terraform denies it.\n"));
    let without = ask(&accounts, "alice", &[], "Ops", MfaUse::Without);
    assert_eq!(without.answer().name(), "no", "the trust policy alone refuses, whatever else there is");
}

#[test]
fn what_a_plan_does_not_know_is_never_guessed() {
    let accounts = read(&[STATE, PLAN, NO_ORGANIZATION]);
    let linked = ask(&accounts, "alice", &[], "Linked", MfaUse::IfNeeded);
    assert_eq!(linked.answer().name(), "unknown");
    assert!(
        linked.render().to_string().contains(
            "Not seen: a policy outside Terraform; the trust policy of\nLinked (not known until apply)"
        ),
        "{}",
        linked.render()
    );
    let opened = ask(&accounts, "alice", &[], "Ops", MfaUse::Without);
    assert_eq!(opened.answer().name(), "unknown", "the plan takes the MFA condition out");
    assert_eq!(opened.steps[0].ruling.as_known.name(), "yes");
}

const ROLE: &str =
    r#"{"Arn": "arn:aws:iam::444455556666:role/R", "RoleName": "R", "AssumeRolePolicyDocument": TRUST}"#;
const USER: &str = r#"{"Arn": "arn:aws:iam::111122223333:user/dora", "UserName": "dora", "UserId": "AIDADORA",
    "UserPolicyList": [{"PolicyName": "All", "PolicyDocument": {"Statement": [
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}DENY]}}] BOUNDARY}"#;

/// Accounts with one user who may assume any role, and one role with this trust policy.
fn world(trust: &str, deny: &str, boundary: &str, organization: &str) -> Accounts {
    let role = ROLE.replace("TRUST", trust);
    let user = USER.replace("DENY", deny).replace("BOUNDARY", boundary);
    let details = format!(
        r#"{{"UserDetailList": [{user}], "RoleDetailList": [{role}], "Policies": [
        {{"Arn": "arn:aws:iam::111122223333:policy/Limit", "PolicyName": "Limit", "DefaultVersionId": "v1",
          "PolicyVersionList": [{{"VersionId": "v1", "Document": {{"Statement":
            {{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}}}}}]}}]}}"#
    );
    read(&[&details, &format!(r#"{{"schema": 1, "organization": {organization}}}"#)])
}

fn trust(condition: &str) -> String {
    format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "111122223333"}}, "Action": "sts:AssumeRole"{condition}}}}}"#
    )
}

const NONE: &str = "\"none\"";

fn condition(operator: &str, key: &str, value: &str) -> String {
    format!(r#", "Condition": {{"{operator}": {{"{key}": "{value}"}}}}"#)
}

/// A trust policy that names the user bypasses the permissions boundary, so this must not be suggested.
#[test]
fn a_boundary_is_widened_and_not_evaded() {
    let boundary =
        r#", "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/Limit"}"#;
    let limit = r#"{"Arn": "arn:aws:iam::111122223333:policy/Limit", "PolicyName": "Limit", "PolicyVersionList": [
        {"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement":
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}}]}"#;
    let elsewhere = trust("").replace("111122223333", "777788889999");
    for (trust, action, expected) in [
        (trust(""), "sts:*", "With sts:AssumeRole on "),
        (trust(""), "s3:*", "With a policy of dora "),
        (
            elsewhere,
            "sts:*",
            "With a statement in the trust policy of R that trusts dora, and with sts:AssumeRole on ",
        ),
    ] {
        let role = ROLE.replace("444455556666", "111122223333").replace("TRUST", &trust);
        let user = USER.replace("DENY", "").replace("BOUNDARY", boundary).replace("sts:*", action);
        let details =
            format!(r#"{{"UserDetailList": [{user}], "RoleDetailList": [{role}], "Policies": [{limit}]}}"#);
        let accounts = read(&[&details, r#"{"schema": 1, "organization": "none"}"#]);
        let text = ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded).render().to_string().replace('\n', " ");
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("added to the permissions boundary of dora: yes."), "{text}");
    }
}

#[test]
fn each_layer_that_refuses_is_named_with_what_would_turn_it() {
    let deny = r#", {"Effect": "Deny", "Sid": "NoRoles", "Action": "sts:*", "Resource": "*"}"#;
    let boundary =
        r#", "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/Limit"}"#;
    let scp = r#"{"scps": [{"policies": [{"Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}}]}], "rcps": []}"#;
    for (accounts, row, remedy) in [
        (
            world(&trust(""), deny, "", NONE),
            "own policies   deny        inline policy All, statement 2 (NoRoles) denies it",
            "Without the Deny in the policies of dora: yes.",
        ),
        (
            world(&trust(""), &deny.replace("NoRoles", ""), "", NONE),
            "own policies   deny        inline policy All, statement 2 denies it",
            "Without the Deny in the policies of dora: yes.",
        ),
        (
            world(&trust(""), "", boundary, NONE),
            "boundary       no match    Limit leaves out sts:AssumeRole on this role",
            "With sts:AssumeRole on arn:aws:iam::444455556666:role/R added to the permissions\nboundary of dora: yes.",
        ),
        (
            world(&trust(""), "", "", scp),
            "SCP            deny        level 1, policy 1, statement 1 denies it",
            "Without the Deny in the SCPs, and with an SCP at every level that allows\nsts:AssumeRole: yes",
        ),
        (
            world(&trust("").replace("111122223333", "777788889999"), "", "", NONE),
            "trust policy   no match    R trusts account 777788889999",
            "With a statement in the trust policy of R that trusts dora: yes.",
        ),
    ] {
        let answer = ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded);
        assert_eq!(answer.answer().name(), "no");
        let text = answer.render().to_string();
        assert!(text.contains(row), "{text}");
        assert!(text.contains(remedy), "{text}");
    }
}

#[test]
fn a_key_that_only_the_network_sets_leaves_the_answer_open_until_it_is_given() {
    let accounts = world(&trust(&condition("IpAddress", "aws:SourceIp", "203.0.113.0/24")), "", "", NONE);
    let open = ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded);
    assert_eq!(open.answer().name(), "unknown");
    assert!(
        open.render().to_string().ends_with(
            "\nIt depends on aws:SourceIp.\nAdd --context aws:SourceIp=VALUE to say what it is.\n"
        )
    );
    let (caller, role) = (find_caller(&accounts, "dora").unwrap(), find_role(&accounts, "R").unwrap());
    for (address, verdict) in [("203.0.113.7", "yes"), ("198.51.100.7", "no")] {
        let given = given(&[("aws:SourceIp", address)]);
        assert_eq!(can(&accounts, &caller, &[], &role, MfaUse::IfNeeded, &given).answer().name(), verdict);
    }
}

#[test]
fn an_external_id_is_asked_for_and_never_shown() {
    let accounts = world(&trust(&condition("StringEquals", "sts:ExternalId", "hush-7731")), "", "", NONE);
    let answer = ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded);
    assert_eq!(answer.answer().name(), "no");
    let text = answer.render().to_string();
    assert!(!text.contains("hush"), "{text}");
    assert!(text.contains("requires the right sts:ExternalId; none is sent"), "{text}");
    assert!(!answer.to_json().to_string().contains("hush"));
}

#[test]
fn keys_of_the_caller_are_known_from_the_sources() {
    for (condition, verdict, why) in [
        (condition("StringEquals", "aws:username", "dora"), "yes", "the name"),
        (condition("StringEquals", "aws:userid", "AIDADORA"), "yes", "the id"),
        (condition("StringEquals", "aws:PrincipalTag/Team", "a"), "no", "no tags, and that is known"),
        (condition("StringEquals", "aws:PrincipalOrgID", "o-a"), "no", "no organization"),
        (condition("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"), "yes", "the time"),
        (condition("StringEquals", "sts:RoleSessionName", "dora"), "unknown", "the caller chooses it"),
        (condition("Bool", "aws:MultiFactorAuthPresent", "true"), "yes", "with a code, as one may"),
    ] {
        let accounts = world(&trust(&condition), "", "", NONE);
        assert_eq!(ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded).answer().name(), verdict, "{why}");
    }
}

#[test]
fn an_organization_without_facts_of_an_account_leaves_it_open() {
    let allow = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let org = |caller: &str, role: &str| {
        format!(
            r#"{{"scps": [{{"account": "{caller}", "policies": [{allow}]}}],
                "rcps": [{{"account": "{role}", "policies": [{allow}]}}]}}"#
        )
    };
    for (caller, role, verdict) in [
        ("111122223333", "444455556666", "yes"),
        ("777788889999", "444455556666", "unknown"),
        ("111122223333", "777788889999", "unknown"),
    ] {
        let accounts = world(&trust(""), "", "", &org(caller, role));
        assert_eq!(ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded).answer().name(), verdict);
    }
}

#[test]
fn no_one_and_several_of_one_name_are_errors() {
    let accounts = read(&[SNAPSHOT]);
    let error = find_role(&accounts, "admin").unwrap_err();
    assert_eq!(error.to_string(), "no role `admin` in the sources");
    let hatbox_iam::assume::entity::FindError::NotFound { near, .. } = error else { panic!("several") };
    assert_eq!(near, ["Admin"]);
    let twice = r#"{"RoleDetailList": [
        {"Arn": "arn:aws:iam::111122223333:role/Ops", "RoleName": "Ops", "AssumeRolePolicyDocument": {"Statement": []}}]}"#;
    let error = find_role(&read(&[SNAPSHOT, twice]), "Ops").unwrap_err().to_string();
    assert_eq!(
        error,
        "`Ops` may be any of arn:aws:iam::111122223333:role/Ops, arn:aws:iam::444455556666:role/Ops"
    );
}

#[test]
fn a_policy_of_ten_thousand_statements_is_explained_in_few_lines() {
    let statement = r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": "x"}}}"#;
    let trust = format!(r#"{{"Statement": [{}]}}"#, vec![statement; 10_000].join(","));
    let accounts = world(&trust, "", "", NONE);
    let answer = ask(&accounts, "dora", &[], "R", MfaUse::IfNeeded);
    assert_eq!(answer.answer().name(), "no");
    assert!(answer.render().to_string().len() < 2000, "{}", answer.render());
}
