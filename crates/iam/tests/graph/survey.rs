//! The graph of given sources agrees with `can` for each pair.

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::Entity;
use hatbox_iam::graph::text::{Characters, render_text};
use hatbox_iam::graph::{Edge, Graph, Mfa, survey};
use hatbox_iam::report::can::{MfaUse, can};
use proptest::collection::vec;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../../docs/example-accounts.json");
const SNAPSHOT: &str = include_str!("../accounts/snapshot.json");
const STATE: &str = include_str!("../accounts/terraform.tfstate");
const PLAN: &str = include_str!("../accounts/plan.json");

fn read(sources: &[&str]) -> Accounts {
    let mut accounts = Accounts::default();
    for (source, name) in sources.iter().zip(["one.json", "two.json", "three.json"]) {
        let origin = Origin { name: name.to_owned(), kind: SourceKind::PolicyFile, taken: None };
        accounts.add_source(source.as_bytes(), origin).unwrap();
    }
    accounts
}

fn given() -> Assumptions {
    Assumptions { now: "2026-03-03T09:00:00Z".parse().unwrap(), ..Assumptions::default() }
}

fn graph(sources: &[&str]) -> Graph {
    survey(&read(sources), &given())
}

fn text(sources: &[&str]) -> String {
    render_text(&graph(sources), Characters::Lines).to_string()
}

/// A snapshot of one account with the user `alice` and the role `Ops`, with these policies.
fn one(own: &str, trust: &str) -> String {
    format!(
        r#"{{"schema": 1, "organization": "none", "accounts": [{{"account": "111122223333", "details": {{
        "UserDetailList": [{{"UserName": "alice", "Arn": "arn:aws:iam::111122223333:user/alice", "GroupList": [],
          "UserPolicyList": [{{"PolicyName": "own", "PolicyDocument": {own}}}], "AttachedManagedPolicies": []}}],
        "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{{"RoleName": "Ops", "Arn": "arn:aws:iam::111122223333:role/Ops", "RolePolicyList": [],
          "AttachedManagedPolicies": [], "AssumeRolePolicyDocument": {trust}}}]}},
        "mfa_devices": {{"alice": []}}}}]}}"#
    )
}

const ANY_ROLE: &str = r#"{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}"#;

fn trusts(principal: &str, condition: &str) -> String {
    let condition =
        if condition.is_empty() { String::new() } else { format!(r#", "Condition": {condition}"#) };
    format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"{condition}}}}}"#
    )
}

#[test]
fn the_example_looks_as_it_should() {
    assert_eq!(
        text(&[EXAMPLE]),
        "\
home 111122223333                      prod 444455556666
alice ──mfa──> Ops ┈┈no mfa┈┈> Audit   Ops
      ──mfa──> Admin                   Admin   only alice
bob   ──mfa──> Ops                     Audit   reachable without MFA through Ops
carol ────────> Legacy   ! no MFA      Legacy  ! no MFA
4 roles, 3 users, 2 warnings.
mfa: MFA required, ┈ chained (max 1 h), ! access keys are enough
Indirect access is not counted: changing policies or creating access keys.
"
    );
}

#[test]
fn what_is_missing_of_all_is_named_once() {
    let graph = graph(&[SNAPSHOT]);
    assert_eq!(graph.not_known(), ["an SCP or RCP"]);
    assert!(graph.edges().iter().all(|edge| edge.unknown.is_empty()));
    assert!(text(&[SNAPSHOT]).contains("\nNot known, and may change this: an SCP or RCP.\n"));
}

#[test]
fn what_a_caller_may_send_or_an_address_may_be_is_a_condition() {
    for (condition, mfa, expected) in [
        (
            r#"{"StringEquals": {"sts:ExternalId": "x"}}"#,
            Mfa::NotRequired,
            vec!["the right sts:ExternalId is sent"],
        ),
        (
            r#"{"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}"#,
            Mfa::NotRequired,
            vec!["the right sts:RoleSessionName is sent"],
        ),
        (
            r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            Mfa::NotRequired,
            vec!["aws:SourceIp matches"],
        ),
        (
            r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            Mfa::Required,
            vec!["aws:SourceIp matches", "an MFA device is registered"],
        ),
        (r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#, Mfa::NotRequired, vec![]),
    ] {
        let source = one(ANY_ROLE, &trusts(r#"{"AWS": "111122223333"}"#, condition));
        let graph = graph(&[&source]);
        let [Edge { mfa: drawn, conditions, .. }] = graph.edges() else { panic!("{condition}: {graph:?}") };
        assert_eq!(
            (*drawn, conditions.iter().map(String::as_str).collect::<Vec<_>>()),
            (mfa, expected),
            "{condition}"
        );
    }
}

#[test]
fn those_of_whom_nothing_is_known_are_drawn_as_trusted() {
    for (principal, name, account) in [
        (r#""*""#, "anyone", None),
        (r#"{"AWS": "arn:aws:iam::777788889999:root"}"#, "any user or role", Some("777788889999")),
        (r#"{"AWS": "arn:aws:iam::777788889999:role/ci/Deploy"}"#, "Deploy", Some("777788889999")),
        (r#"{"AWS": "arn:aws:iam::111122223333:user/gone"}"#, "gone", Some("111122223333")),
        (r#"{"AWS": "arn:aws:sts::777788889999:assumed-role/Deploy/ci"}"#, "Deploy/ci", Some("777788889999")),
        (r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/Gone/ci"}"#, "Gone/ci", Some("111122223333")),
        (
            r#"{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#,
            "token.actions.githubusercontent.com",
            None,
        ),
    ] {
        let trust = trusts(principal, "").replace("sts:AssumeRole\"", "sts:AssumeRole*\"");
        let nobody = r#"{"Statement": []}"#;
        let graph = graph(&[&one(nobody, &trust)]);
        let outsider = graph.nodes().iter().find(|node| node.name == name);
        let outsider = outsider.unwrap_or_else(|| panic!("{principal}: {graph:?}"));
        assert_eq!(outsider.account.as_deref(), account, "{principal}");
    }
    let negated =
        trusts("\"x\"", "").replace(r#""Principal": "x""#, r#""NotPrincipal": {"AWS": "111122223333"}"#);
    let graph_of_negated = graph(&[&one(r#"{"Statement": []}"#, &negated)]);
    assert!(graph_of_negated.nodes().iter().any(|node| node.name == "anyone"), "{graph_of_negated:?}");
    let service = one(ANY_ROLE, &trusts(r#"{"Service": "ec2.amazonaws.com"}"#, ""));
    assert_eq!(graph(&[&service]).edges(), []);
}

#[test]
fn a_trust_of_one_session_is_a_way_of_that_session_only() {
    let role = |name: &str, trust: &str| {
        format!(
            r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::111122223333:role/sso/{name}", "RolePolicyList": [
            {{"PolicyName": "own", "PolicyDocument": {ANY_ROLE}}}], "AssumeRolePolicyDocument": {trust}}}"#
        )
    };
    let session = |name: &str| format!("arn:aws:sts::111122223333:assumed-role/Admin/{name}");
    let one = trusts(&format!(r#"{{"AWS": "{}"}}"#, session("elad@x")), "");
    let two = trusts(&format!(r#"{{"AWS": ["{}", "{}"]}}"#, session("elad@x"), session("eve@x")), "");
    let both = format!(r#"{{"AWS": ["{}", "111122223333"]}}"#, session("elad@x"));
    let roles = [
        role("Admin", r#"{"Statement": []}"#),
        role("One", &one),
        role("Two", &two),
        role("All", &trusts(&both, "")),
    ];
    let source = format!(
        r#"{{"schema": 1, "organization": "none", "accounts": [{{"account": "111122223333", "details":
        {{"RoleDetailList": [{}]}}}}]}}"#,
        roles.join(",")
    );
    let graph = graph(&[&source]);
    let from_admin = |role: &str| {
        let is_there =
            |edge: &&Edge| graph.nodes()[edge.from].name == "Admin" && graph.nodes()[edge.to].name == role;
        let edge = graph.edges().iter().find(is_there).unwrap_or_else(|| panic!("{role}: {graph:?}"));
        assert!(edge.unknown.is_empty(), "{edge:?}");
        edge.conditions.clone()
    };
    assert_eq!(from_admin("One"), ["the session is named elad@x"]);
    assert_eq!(from_admin("Two"), ["the session is named elad@x or eve@x"]);
    assert_eq!(from_admin("All"), Vec::<String>::new(), "the account is trusted besides");
    assert!(graph.not_known().is_empty(), "{graph:?}");
}

#[test]
fn an_account_that_the_sources_have_in_part_is_reported() {
    let other = "other users and roles of account 111122223333 (partly in the sources)";
    assert!(graph(&[STATE]).not_known().contains(&other.to_owned()), "{:?}", graph(&[STATE]).not_known());
    assert!(!graph(&[SNAPSHOT]).not_known().contains(&other.to_owned()));
}

#[test]
fn a_role_whose_policy_is_not_known_until_apply_is_drawn_without_ways() {
    let graph = graph(&[PLAN]);
    assert!(graph.not_known().iter().any(|what| what.contains("not known until apply")), "{graph:?}");
}

/// Checks that there is an edge exactly for the pairs that `can` allows by the known policies.
fn check_against_can(accounts: &Accounts) -> usize {
    let graph = survey(accounts, &given());
    let users: Vec<Entity> = accounts.users().filter_map(|(_, user)| Entity::of_arn(&user.arn)).collect();
    let roles: Vec<Entity> = accounts.roles().filter_map(|(_, role)| Entity::of_arn(&role.arn)).collect();
    let place = |arn: &str| graph.nodes().iter().position(|node| node.id == arn).unwrap();
    let mut pairs = 0;
    for caller in users.iter().chain(&roles) {
        for role in roles.iter().filter(|role| *role != caller) {
            let answer = |mfa| {
                let answer = can(accounts, caller, &[], role, mfa, &given());
                answer.steps[0].ruling.as_known.is_no()
            };
            let expected = match (answer(MfaUse::Without), answer(MfaUse::With)) {
                (true, true) => None,
                (true, _) => Some(Mfa::Required),
                _ => Some(Mfa::NotRequired),
            };
            let (from, to) = (place(&caller.arn), place(&role.arn));
            let drawn = graph.edges().iter().find(|edge| (edge.from, edge.to) == (from, to));
            // `can` treats keys that the caller could send as absent.
            let is_sent =
                drawn.is_some_and(|edge| edge.conditions.iter().any(|c| c.contains("sts:ExternalId")));
            if is_sent {
                let drawn = drawn.unwrap();
                assert!(expected.is_none_or(|mfa| mfa > drawn.mfa), "{} to {}", caller.arn, role.arn);
            } else {
                assert_eq!(drawn.map(|edge| edge.mfa), expected, "{} to {}", caller.arn, role.arn);
            }
            pairs += 1;
        }
    }
    pairs
}

#[test]
fn the_graph_says_what_can_says() {
    for sources in [&[EXAMPLE][..], &[SNAPSHOT], &[SNAPSHOT, STATE], &[SNAPSHOT, STATE, PLAN]] {
        assert!(check_against_can(&read(sources)) > 0);
    }
}

const RESOURCES: [&str; 8] = [
    "*",
    "arn:aws:iam::*:role/Ops",
    "arn:aws:iam::444455556666:role/*",
    "arn:aws:iam::444455556666:role/Ops",
    "arn:aws:iam::111122223333:role/${aws:username}",
    "arn:aws:iam::111122223333:role/O?s",
    "arn:aws:iam::111122223333",
    "arn:aws:s3:::bucket",
];
const PRINCIPALS: [&str; 8] = [
    r#""*""#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:user/Ops"]}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:user/alice"}"#,
    r#"{"AWS": "arn:aws:iam::444455556666:role/Ops"}"#,
    r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/Ops/alice"}"#,
    r#"{"Service": "ec2.amazonaws.com"}"#,
    r#"{"AWS": "AIDAQAAAAAAAEXAMPLE1"}"#,
];
const CONDITIONS: [&str; 6] = [
    "{}",
    r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"StringEquals": {"sts:ExternalId": "x"}}"#,
    r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
    r#"{"StringNotEquals": {"aws:username": "alice"}}"#,
];
const ACTIONS: [&str; 4] = ["sts:AssumeRole", "*", "STS:*Role", "s3:GetObject"];

/// A statement, as indexes: its effect, action, condition, and its resource or principal.
type Drawn = (bool, usize, usize, usize);

fn policy(statements: &[Drawn], line: impl Fn(usize) -> String) -> String {
    let statement = |(is_allow, action, condition, other): &Drawn| {
        let effect = if *is_allow { "Allow" } else { "Deny" };
        let (action, condition) = (ACTIONS[*action], CONDITIONS[*condition]);
        format!(
            r#"{{"Effect": "{effect}", "Action": "{action}", "Condition": {condition}, {}}}"#,
            line(*other)
        )
    };
    let statements: Vec<String> = statements.iter().map(statement).collect();
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
}

fn own(statements: &[Drawn]) -> String {
    policy(statements, |resource| format!(r#""Resource": "{}""#, RESOURCES[resource]))
}

fn trust(statements: &[Drawn]) -> String {
    policy(statements, |principal| format!(r#""Principal": {}"#, PRINCIPALS[principal]))
}

/// Two accounts, each with users and roles with these policies; Ops is both a user and a role.
fn snapshot(policies: &[Vec<Drawn>]) -> String {
    let mut policies = policies.iter();
    let mut next = || policies.next().map(Vec::as_slice).unwrap_or_default();
    let mut accounts = Vec::new();
    for account in ["111122223333", "444455556666"] {
        let users = ["alice", "Ops"].map(|name| {
            let own = own(next());
            format!(
                r#"{{"UserName": "{name}", "Arn": "arn:aws:iam::{account}:user/{name}", "GroupList": [],
                "UserPolicyList": [{{"PolicyName": "own", "PolicyDocument": {own}}}], "AttachedManagedPolicies": []}}"#
            )
        });
        let roles = ["Ops", "alice"].map(|name| {
            let (own, trust) = (own(next()), trust(next()));
            format!(
                r#"{{"RoleName": "{name}", "Arn": "arn:aws:iam::{account}:role/{name}",
                "RolePolicyList": [{{"PolicyName": "own", "PolicyDocument": {own}}}], "AttachedManagedPolicies": [],
                "AssumeRolePolicyDocument": {trust}}}"#
            )
        });
        accounts.push(format!(
            r#"{{"account": "{account}", "details": {{"UserDetailList": [{}], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [{}]}}}}"#,
            users.join(", "),
            roles.join(", ")
        ));
    }
    format!(r#"{{"schema": 1, "organization": "none", "accounts": [{}]}}"#, accounts.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_graph_says_what_can_says_whatever_the_policies(
        policies in vec(vec((prop::bool::weighted(0.8), 0..4_usize, 0..6_usize, 0..8_usize), 0..3), 12)
    ) {
        prop_assert!(check_against_can(&read(&[&snapshot(&policies)])) > 0);
    }
}
