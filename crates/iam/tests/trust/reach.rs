//! The exact output of `who` and `reach`.

use hatbox_iam::accounts::Accounts;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::{find_caller, find_role};
use hatbox_iam::policy::answer::names_of;
use hatbox_iam::report::reach::{Reach, reach};
use hatbox_iam::report::who::{Who, who};

use crate::{NO_ORGANIZATION, SNAPSHOT, STATE, read};

fn reach_of(accounts: &Accounts, caller: &str) -> Reach {
    reach(accounts, &find_caller(accounts, caller).unwrap(), &Assumptions::default())
}

fn who_of(accounts: &Accounts, role: &str) -> Who {
    who(accounts, &find_role(accounts, role).unwrap(), &Assumptions::default())
}

#[test]
fn the_roles_that_a_user_can_assume_are_shown_with_mfa_and_the_path() {
    let reach = reach_of(&read(&[SNAPSHOT, NO_ORGANIZATION]), "alice");
    assert_eq!(
        reach.render().to_string(),
        "\
Roles that alice (111122223333) can assume

  Admin  444455556666  with MFA
  Audit  444455556666  with MFA, through Ops
  Ops    444455556666  with MFA

Role chaining limits the session to 1 hour.

Indirect access is not counted: changing policies or creating access keys.
"
    );
    let audit = &reach.to_json()["roles"][1];
    assert_eq!((&audit["mfa"], &audit["answer"]), (&"needed".into(), &"yes".into()));
    assert_eq!(audit["through"][0]["name"], "Ops");
}

#[test]
fn what_lets_plain_access_keys_in_is_said() {
    let accounts = read(&[SNAPSHOT, NO_ORGANIZATION]);
    assert_eq!(
        reach_of(&accounts, "carol").render().to_string(),
        "Roles that carol (111122223333) can assume\n\n  Legacy  444455556666  no MFA needed\n\n\
         Indirect access is not counted: changing policies or creating access keys.\n"
    );
    let nothing = reach_of(&accounts, "Legacy").render().to_string();
    assert_eq!(
        nothing,
        "Legacy (444455556666) cannot assume any role in the sources.\n\nIndirect access is not counted: changing policies or creating access keys.\n"
    );
    for json in [reach_of(&accounts, "carol").to_json(), who_of(&accounts, "Legacy").to_json()] {
        let note = "Indirect access is not counted: changing policies or creating access keys.";
        assert_eq!(json["note"], note);
    }
}

#[test]
fn everyone_who_can_assume_a_role_is_shown_through_other_roles_too() {
    let who = who_of(&read(&[SNAPSHOT]), "Audit");
    assert_eq!(
        who.render().to_string(),
        "\
Who can assume Audit (444455556666)

  alice     111122223333  with MFA, through Ops
  bob       111122223333  with MFA, through Ops
  role Ops  444455556666  chained

All of this, unless an SCP or RCP denies it.

Role chaining limits the session to 1 hour.

Indirect access is not counted: changing policies or creating access keys.
"
    );
    assert!(who.paths.iter().all(|path| names_of(path.answer.facts()) == ["an SCP or RCP"]));
}

#[test]
fn who_has_no_device_for_the_code_that_is_needed_is_named() {
    let without = SNAPSHOT
        .replace("\"arn:aws:iam::111122223333:mfa/bob\"", "\"arn:aws:iam::111122223333:u2f/user/bob/key\"");
    assert_ne!(without, SNAPSHOT);
    let text = who_of(&read(&[&without, NO_ORGANIZATION]), "Audit").render().to_string();
    assert!(text.contains("  bob       111122223333  with MFA, but has no device, through Ops\n"), "{text}");
    assert!(text.contains("  alice     111122223333  with MFA, through Ops\n"), "{text}");
}

#[test]
fn whom_the_sources_do_not_have_is_not_left_out() {
    let who = who_of(&read(&[STATE]), "Ops");
    assert_eq!(
        who.render().to_string(),
        "\
Who can assume Ops (444455556666)

  alice  111122223333  with MFA

Its trust policy also names
  other users or roles of account 111122223333, which the sources cover in part,
    under a condition

All of this, unless an SCP or RCP or a policy outside Terraform denies it.

Indirect access is not counted: changing policies or creating access keys.
"
    );
    let cut = STATE.replace("sts:AssumeRole\\\", \\\"Resource", "s3:GetObject\\\", \\\"Resource");
    assert_ne!(cut, STATE);
    let who = who_of(&read(&[&cut, NO_ORGANIZATION]), "Ops");
    assert!(who.paths.is_empty());
    assert!(
        who.render().to_string().contains("Not known: alice (111122223333), who may be"),
        "{}",
        who.render()
    );
}

#[test]
fn services_providers_and_everyone_are_described_in_words() {
    let trust = r#"{"Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::444455556666:saml-provider/Idp"},
         "Action": "sts:AssumeRoleWithSAML", "Condition": {"StringEquals": {"SAML:aud": "x"}}},
        {"Effect": "Allow", "Principal": {"AWS": ["*", "777788889999"]}, "Action": "sts:AssumeRole"}]}"#;
    let details = format!(
        r#"{{"RoleDetailList": [{{"Arn": "arn:aws:iam::444455556666:role/R", "RoleName": "R",
            "AssumeRolePolicyDocument": {trust}}}]}}"#
    );
    let who = who_of(&read(&[&details]), "R");
    assert_eq!(
        who.others,
        [
            "the service ec2.amazonaws.com",
            "whom the provider arn:aws:iam::444455556666:saml-provider/Idp signs in, under a condition",
            "anyone, in any account",
            "any user or role of account 777788889999 (not in the sources) that it allows",
        ]
    );
}

#[test]
fn roles_that_trust_each_other_do_not_loop_forever() {
    let role = |name: &str, trusted: &str| {
        format!(
            r#"{{"Arn": "arn:aws:iam::444455556666:role/{name}", "RoleName": "{name}", "AssumeRolePolicyDocument":
            {{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole",
              "Principal": {{"AWS": "arn:aws:iam::444455556666:role/{trusted}"}}}}}}}}"#
        )
    };
    let roles = [role("A", "C"), role("B", "A"), role("C", "B")].join(",");
    let accounts = read(&[&format!(r#"{{"RoleDetailList": [{roles}]}}"#), NO_ORGANIZATION]);
    let names: Vec<_> = reach_of(&accounts, "A").paths.iter().map(|path| path.to.name.clone()).collect();
    assert_eq!(names, ["B", "C"]);
    let who = who_of(&accounts, "A");
    assert_eq!(who.paths.iter().map(|path| path.through.len()).collect::<Vec<_>>(), [1, 0]);
}
