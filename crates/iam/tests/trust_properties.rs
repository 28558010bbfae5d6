//! Properties for any accounts: `who`, `reach` and `can` agree, and no source makes the parsers panic.
#![expect(clippy::unwrap_used, reason = "test helpers may panic, like tests")]

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::Entity;
use hatbox_iam::report::can::{MfaUse, can};
use hatbox_iam::report::reach::reach;
use hatbox_iam::report::who::who;
use proptest::prelude::*;

const SOURCES: [&str; 5] = [
    include_str!("accounts/snapshot.json"),
    include_str!("accounts/details.json"),
    include_str!("accounts/terraform.tfstate"),
    include_str!("accounts/show-state.json"),
    include_str!("accounts/plan.json"),
];

fn add(accounts: &mut Accounts, source: &[u8]) -> bool {
    let origin = Origin { name: "iam.json".to_owned(), kind: SourceKind::PolicyFile, taken: None };
    accounts.add_source(source, origin).is_ok()
}

fn user(number: usize) -> String {
    format!("arn:aws:iam::111122223333:user/u{number}")
}

/// Roles 0 and 1 are in the users' account, the others in another account.
fn role(number: usize) -> String {
    let account = if number < 2 { "111122223333" } else { "444455556666" };
    format!("arn:aws:iam::{account}:role/r{number}")
}

const USERS: usize = 3;
const ROLES: usize = 5;

fn principal() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        Just("111122223333".to_owned()),
        Just("arn:aws:iam::444455556666:root".to_owned()),
        (0..USERS).prop_map(user),
        (0..ROLES).prop_map(role),
        Just("arn:aws:sts::444455556666:assumed-role/r3/me".to_owned()),
        Just("AIDAQAAAAAAADELETED01".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        4 => Just(r#", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#),
        1 => Just(r#", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#),
        1 => Just(r#", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#),
    ]
}

fn effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("Allow"), 1 => Just("Deny")]
}

fn trust_statement() -> impl Strategy<Value = String> {
    (effect(), principal(), condition()).prop_map(|(effect, principal, condition)| {
        format!(
            r#"{{"Effect": "{effect}", "Principal": {{"AWS": "{principal}"}}, "Action": "sts:*"{condition}}}"#
        )
    })
}

fn own_statement() -> impl Strategy<Value = String> {
    let resource = prop_oneof![
        Just("*".to_owned()),
        Just("arn:aws:iam::*:role/r1".to_owned()),
        Just("arn:aws:iam".to_owned()),
        (0..ROLES).prop_map(role),
    ];
    let action = prop_oneof![Just("sts:AssumeRole"), Just("*"), Just("s3:*")];
    (effect(), action, resource, condition()).prop_map(|(effect, action, resource, condition)| {
        format!(r#"{{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"{condition}}}"#)
    })
}

fn own_policy() -> impl Strategy<Value = String> {
    prop::collection::vec(own_statement(), 0..3).prop_map(|statements| {
        format!(r#"[{{"PolicyName": "P", "PolicyDocument": {{"Statement": [{}]}}}}]"#, statements.join(","))
    })
}

fn world() -> impl Strategy<Value = String> {
    let users = prop::collection::vec(own_policy(), USERS);
    let roles = prop::collection::vec((own_policy(), prop::collection::vec(trust_statement(), 0..3)), ROLES);
    (users, roles, any::<bool>()).prop_map(|(users, roles, has_organization)| {
        let users = users.iter().enumerate().map(|(number, policy)| {
            format!(r#"{{"Arn": "{}", "UserName": "u{number}", "UserPolicyList": {policy}}}"#, user(number))
        });
        let roles = roles.iter().enumerate().map(|(number, (policy, trust))| {
            format!(
                r#"{{"Arn": "{}", "RoleName": "r{number}", "RolePolicyList": {policy},
                "AssumeRolePolicyDocument": {{"Statement": [{}]}}}}"#,
                role(number),
                trust.join(",")
            )
        });
        let organization = if has_organization { "" } else { r#"{"schema": 1, "organization": "none"}"# };
        format!(
            r#"{{"UserDetailList": [{}], "RoleDetailList": [{}]}} {organization}"#,
            users.collect::<Vec<_>>().join(","),
            roles.collect::<Vec<_>>().join(",")
        )
    })
}

fn entities() -> (Vec<Entity>, Vec<Entity>) {
    let of = |arn: String| Entity::of_arn(&arn).unwrap();
    let roles: Vec<_> = (0..ROLES).map(role).map(of).collect();
    let callers = (0..USERS).map(user).map(of).chain(roles.iter().cloned()).collect();
    (callers, roles)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn who_reach_and_can_agree(world in world()) {
        let mut accounts = Accounts::default();
        prop_assert!(add(&mut accounts, world.as_bytes()));
        let given = Assumptions::default();
        let (callers, roles) = entities();
        for caller in &callers {
            let reach = reach(&accounts, caller, &given);
            for role in roles.iter().filter(|role| *role != caller) {
                let direct = can(&accounts, caller, &[], role, MfaUse::IfNeeded, &given);
                let path = reach.paths.iter().find(|path| path.to == *role);
                let is_direct = !direct.answer().is_no() && !direct.steps[0].ruling.as_known.is_no();
                prop_assert!(!is_direct || path.is_some(), "{} {}", caller.arn, role.arn);
                if let Some(path) = path.filter(|path| path.through.is_empty()) {
                    prop_assert!(is_direct, "{} {}", caller.arn, role.arn);
                    // A path without MFA is preferred, even if it is less certain than one with an MFA code.
                    let direct = direct.answer();
                    let is_less = !direct.is_no() && (!path.answer.is_yes() || direct.is_yes());
                    prop_assert!(is_less, "{} {}", caller.arn, role.arn);
                }
                let who = who(&accounts, role, &given);
                let found = who.paths.iter().find(|path| path.from == *caller);
                prop_assert_eq!(found.map(|path| path.mfa), path.map(|path| path.mfa), "{} {}", caller.arn, role.arn);
            }
        }
    }

    #[test]
    fn an_answer_fits_a_terminal_and_a_change_is_named_only_for_a_no(world in world()) {
        let mut accounts = Accounts::default();
        prop_assert!(add(&mut accounts, world.as_bytes()));
        let (callers, roles) = entities();
        for (caller, role) in callers.iter().zip(&roles) {
            let answer = can(&accounts, caller, &[], role, MfaUse::IfNeeded, &Assumptions::default());
            let text = answer.render().to_string();
            prop_assert!(text.lines().all(|line| line.chars().count() <= 80 || !line.trim().contains(' ')), "{}", text);
            let has_remedy = answer.steps[0].remedy.is_some();
            prop_assert!(answer.answer().is_no() || !has_remedy);
        }
    }

    #[test]
    fn no_source_stops_a_reader(
        which in 0..SOURCES.len(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = SOURCES[which].as_bytes().to_vec();
        let index = at.index(bytes.len());
        if is_cut { bytes.truncate(index) } else { bytes[index] = byte }
        let mut accounts = Accounts::default();
        add(&mut accounts, &bytes);
        for (_, role) in accounts.roles() {
            if let (Some(role), (callers, _)) = (Entity::of_arn(&role.arn), entities()) {
                can(&accounts, &callers[0], &[], &role, MfaUse::IfNeeded, &Assumptions::default());
            }
        }
    }
}
