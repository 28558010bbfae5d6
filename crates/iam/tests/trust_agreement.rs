//! `can`, `who`, `reach` and the graph agree on each pair, whatever is missing from the sources.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers may panic, like tests")]

use std::collections::{BTreeMap, BTreeSet};

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::{Entity, EntityKind};
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::text::{Characters, render_text};
use hatbox_iam::graph::{Mfa as GraphMfa, survey};
use hatbox_iam::policy::document::Policy;
use hatbox_iam::policy::evaluate::{Caller, Context, Decision, Layers, Request, evaluate};
use hatbox_iam::report::can::{MfaUse, can};
use hatbox_iam::report::path::Mfa;
use hatbox_iam::report::reach::reach;
use hatbox_iam::report::who::who;
use hatbox_types::name::AccountId;
use proptest::prelude::*;

const HOME: &str = "111122223333";
const PROD: &str = "444455556666";

fn read(sources: &[(&str, &str)]) -> Accounts {
    let mut accounts = Accounts::default();
    for (name, source) in sources {
        let origin = Origin { name: (*name).to_owned(), kind: SourceKind::PolicyFile, taken: None };
        accounts.add_source(source.as_bytes(), origin).unwrap();
    }
    accounts
}

/// The answer for a step: allowed by the known policies, possibly allowed by a missing one, or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    No,
    Perhaps,
    Known,
}

fn ask(accounts: &Accounts, caller: &Entity, role: &Entity, mfa: MfaUse) -> Answer {
    let answer = can(accounts, caller, &[], role, mfa, &Assumptions::default());
    match (answer.answer().is_no(), answer.steps[0].ruling.as_known.is_no()) {
        (true, _) => Answer::No,
        (_, true) => Answer::Perhaps,
        _ => Answer::Known,
    }
}

/// The answers for all steps.
struct Truth {
    callers: Vec<Entity>,
    roles: Vec<Entity>,
    /// By caller, role and whether an MFA code is sent.
    steps: BTreeMap<(usize, usize, bool), Answer>,
}

impl Truth {
    fn of(accounts: &Accounts) -> Self {
        let users = accounts.users().filter_map(|(_, user)| Entity::of_arn(&user.arn));
        let roles = accounts.roles().filter_map(|(_, role)| Entity::of_arn(&role.arn));
        let unplaced = accounts.unplaced.iter().map(|role| Entity::unplaced(&role.name));
        let roles: Vec<Entity> = roles.chain(unplaced).collect();
        let callers: Vec<Entity> = users.chain(roles.iter().cloned()).collect();
        let mut steps = BTreeMap::new();
        for (from, caller) in callers.iter().enumerate() {
            for (to, role) in roles.iter().enumerate().filter(|(_, role)| *role != caller) {
                for (with_code, mfa) in [(false, MfaUse::Without), (true, MfaUse::With)] {
                    steps.insert((from, to, with_code), ask(accounts, caller, role, mfa));
                }
            }
        }
        Self { callers, roles, steps }
    }

    fn step(&self, from: &Entity, to: &Entity, with_code: bool) -> Answer {
        let from = self.callers.iter().position(|entity| entity == from).unwrap();
        let to = self.roles.iter().position(|entity| entity == to).unwrap();
        self.steps.get(&(from, to, with_code)).copied().unwrap_or(Answer::No)
    }

    /// Returns the roles reachable by any number of steps with at least this answer.
    fn reached(&self, caller: &Entity, with_code: bool, least: Answer) -> BTreeSet<&Entity> {
        let mut reached: BTreeSet<&Entity> = BTreeSet::new();
        let mut queue = vec![caller];
        while let Some(from) = queue.pop() {
            for role in self.roles.iter().filter(|role| *role != caller) {
                let with_code = with_code && from == caller;
                if self.step(from, role, with_code) >= least && reached.insert(role) {
                    queue.push(role);
                }
            }
        }
        reached
    }

    /// Returns the expected answer for a pair, and whether it requires MFA.
    fn whole(&self, caller: &Entity, role: &Entity) -> (Answer, Option<Mfa>) {
        let is = |with_code, least| self.reached(caller, with_code, least).contains(role);
        let is_role = caller.kind == EntityKind::Role;
        match (is(false, Answer::Known), is(true, Answer::Known)) {
            _ if is_role && is(false, Answer::Known) => (Answer::Known, Some(Mfa::OfNoUse)),
            _ if is_role && is(false, Answer::Perhaps) => (Answer::Perhaps, None),
            (true, _) => (Answer::Known, Some(Mfa::NotNeeded)),
            (_, true) if is(false, Answer::Perhaps) => (Answer::Known, Some(Mfa::NotKnown)),
            (_, true) => (Answer::Known, Some(Mfa::Needed)),
            _ if is(false, Answer::Perhaps) || is(true, Answer::Perhaps) => (Answer::Perhaps, None),
            _ => (Answer::No, None),
        }
    }
}

/// Checks all pairs, and returns the number of pairs for each answer.
fn check(accounts: &Accounts) -> BTreeMap<Answer, usize> {
    let truth = Truth::of(accounts);
    let graph = survey(accounts, &Assumptions::default());
    let text = render_text(&graph, Characters::Lines).to_string().replace("\n  ", " ");
    let json: serde_json::Value = serde_json::from_str(&render_json(&graph).unwrap()).unwrap();
    let place = |entity: &Entity| graph.nodes().iter().position(|node| node.id == entity.arn).unwrap();
    let mut counts = BTreeMap::new();
    for caller in &truth.callers {
        let reach = reach(accounts, caller, &Assumptions::default());
        let mut has_any = false;
        for role in truth.roles.iter().filter(|role| *role != caller) {
            let pair = format!("{} -> {}", caller.arn, role.arn);
            let (answer, mfa) = truth.whole(caller, role);
            *counts.entry(answer).or_default() += 1;
            has_any |= answer != Answer::No;

            let path = reach.paths.iter().find(|path| path.to == *role);
            assert_eq!(path.map(|path| path.mfa), mfa, "reach, {pair}");
            assert_eq!(reach.perhaps.contains(role), answer == Answer::Perhaps, "reach, {pair}");
            let who = who(accounts, role, &Assumptions::default());
            let path = who.paths.iter().find(|path| path.from == *caller);
            assert_eq!(path.map(|path| path.mfa), mfa, "who, {pair}");
            assert_eq!(who.perhaps.contains(caller), answer == Answer::Perhaps, "who, {pair}");

            // The graph shows single steps.
            let is_role = caller.kind == EntityKind::Role;
            let (plain, with_code) = (truth.step(caller, role, false), truth.step(caller, role, true));
            let expected = match (plain, with_code) {
                (Answer::Known, _) => Some(GraphMfa::NotRequired),
                (Answer::Perhaps, Answer::Known) if !is_role => Some(GraphMfa::Unknown),
                (_, Answer::Known) if !is_role => Some(GraphMfa::Required),
                _ => None,
            };
            let (from, to) = (place(caller), place(role));
            let edge = graph.edges().iter().find(|edge| (edge.from, edge.to) == (from, to));
            assert_eq!(edge.map(|edge| edge.mfa), expected, "graph, {pair}");
            let is_perhaps = expected.is_none() && plain.max(with_code) == Answer::Perhaps;
            let pairs = graph.perhaps();
            let found = pairs.iter().find(|pair| (pair.from, pair.to) == (from, to));
            assert_eq!(found.is_some(), is_perhaps, "graph, {pair}");
            assert!(found.is_none_or(|pair| !pair.unknown.is_empty()), "a reason, {pair}");
            let pairs = json["perhaps"].as_array().unwrap();
            let is_there = |row: &&serde_json::Value| row["from"] == *caller.arn && row["to"] == *role.arn;
            assert_eq!(pairs.iter().any(|row| is_there(&row)), is_perhaps, "JSON, {pair}");
        }
        // A name may be followed by its account, in parentheses.
        let listed = |start: &str| {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
            line.trim_start_matches(start)
                .trim_end_matches('.')
                .split(", ")
                .any(|name| name == caller.name || name.split(" (").next() == Some(caller.name.as_str()))
        };
        if caller.kind == EntityKind::User {
            assert_eq!(listed("Can assume no role: "), !has_any, "{} in {text}", caller.arn);
            assert!(
                !reach.render().to_string().contains("cannot assume any role in the sources")
                    || reach.paths.is_empty()
            );
        } else {
            let by_user = truth.callers.iter().filter(|other| other.kind == EntityKind::User);
            let is_open = by_user.into_iter().any(|user| truth.whole(user, caller).0 != Answer::No);
            assert!(!is_open || !listed("No user here can assume: "), "{} in {text}", caller.arn);
        }
        if has_any && reach.paths.is_empty() {
            assert!(reach.render().to_string().starts_with("As far as is known, "), "{}", reach.render());
        }
    }
    if counts.contains_key(&Answer::Perhaps) && !graph.perhaps().is_empty() {
        assert_ne!(json["not_known"], serde_json::json!([]));
    }
    counts
}

/// An account's user and role, with policies that may be missing from the sources.
#[derive(Debug, Clone)]
struct Person {
    own: Option<String>,
    attached: Option<&'static str>,
    group: Option<&'static str>,
    boundary: Option<&'static str>,
    trust: String,
}

const MANAGED: [&str; 2] = ["arn:aws:iam::111122223333:policy/All", "arn:aws:iam::aws:policy/Missing"];
const BOUNDARIES: [&str; 3] = [
    "arn:aws:iam::111122223333:policy/All",
    "arn:aws:iam::111122223333:policy/Limit",
    "arn:aws:iam::aws:policy/Gone",
];
const GROUPS: [&str; 2] = ["admins", "unseen"];

fn condition() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        5 => Just(""),
        2 => Just(r#", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#),
        1 => Just(r#", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#),
    ]
}

fn effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just("Allow"), 1 => Just("Deny")]
}

/// Patterns that the shortcuts take for one role, for any or for none, and patterns that need a full evaluation.
const PATTERNS: [&str; 22] = [
    "*",
    "arn:aws:iam::444455556666:role/R1",
    "arn:aws:iam::444455556666:role/team/R2",
    "arn:aws:iam::111122223333:role/R0",
    "arn:aws:iam::444455556666:role/r1",
    "arn:aws:iam::444455556666:role/R1:x",
    "arn:aws:iam::444455556666",
    "arn:aws:iam::*:role/R*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::444455556666:role/team*",
    "arn:aws:iam::444455556666:role/?1",
    "*:role/R1",
    "*R1",
    "arn:aws:iam:*:role/R1",
    "arn:aws:*:role/R?",
    "arn:aws:i*m:role/R1",
    "arn:aws:iam::111122223333:role/R${*}",
    "arn:aws:iam::111122223333:role/${aws:username}",
    "arn:aws:iam::${aws:PrincipalAccount}:role/R0",
    "arn:aws:iam::${aws:ResourceAccount}:role/R1",
    "${aws:PrincipalTag/none, 'arn:aws:iam::444455556666:role/R1'}",
    "arn:aws:iam::444455556666:role/${aws:SourceIp}",
];
const ACTIONS: [&str; 8] = [
    "sts:AssumeRole",
    "sts:AssumeRole",
    "sts:*",
    "*",
    "STS:assumerole",
    "sts:Assume?ole",
    "s3:*",
    "sts:AssumeRoleWithSAML",
];

/// The text of a policy without principals.
fn policy() -> impl Strategy<Value = String> {
    let element = |name: &'static str, values: &'static [&'static str]| {
        let values = proptest::collection::vec(proptest::sample::select(values), 1..3);
        (proptest::bool::weighted(0.1), values).prop_map(move |(is_negated, values)| {
            let not = if is_negated { "Not" } else { "" };
            format!(r#""{not}{name}": {}"#, serde_json::json!(values))
        })
    };
    let statement = (effect(), element("Action", &ACTIONS), element("Resource", &PATTERNS), condition())
        .prop_map(|(effect, action, resource, condition)| {
            format!(r#"{{"Effect": "{effect}", {action}, {resource}{condition}}}"#)
        });
    let version = prop_oneof![3 => Just(r#""Version": "2012-10-17", "#), 1 => Just("")];
    (version, proptest::collection::vec(statement, 1..3))
        .prop_map(|(version, statements)| format!(r#"{{{version}"Statement": [{}]}}"#, statements.join(", ")))
}

fn trust() -> impl Strategy<Value = String> {
    let principal = prop_oneof![
        3 => Just(r#"{"AWS": "111122223333"}"#),
        2 => Just(r#"{"AWS": "arn:aws:iam::444455556666:root"}"#),
        1 => Just(r#""*""#),
        1 => Just(r#"{"AWS": "arn:aws:iam::111122223333:user/U0"}"#),
        1 => Just(r#"{"AWS": "arn:aws:iam::444455556666:role/R1"}"#),
        1 => Just(r#"{"AWS": "arn:aws:sts::444455556666:assumed-role/R1/one"}"#),
        1 => Just(r#"{"AWS": "arn:aws:iam::111122223333:role/File"}"#),
        1 => Just(r#"{"Service": "ec2.amazonaws.com"}"#),
    ];
    let statement = (effect(), principal, condition()).prop_map(|(effect, principal, condition)| {
        format!(
            r#"{{"Statement": {{"Effect": "{effect}", "Principal": {principal}, "Action": "sts:AssumeRole"{condition}}}}}"#
        )
    });
    prop_oneof![6 => statement, 1 => Just("\"not to be read\"".to_owned())]
}

fn person() -> impl Strategy<Value = Person> {
    let one_of =
        |all: &'static [&'static str]| proptest::option::weighted(0.3, proptest::sample::select(all));
    (
        proptest::option::weighted(0.8, policy()),
        one_of(&MANAGED),
        one_of(&GROUPS),
        one_of(&BOUNDARIES),
        trust(),
    )
        .prop_map(|(own, attached, group, boundary, trust)| Person {
            own,
            attached,
            group,
            boundary,
            trust,
        })
}

fn organization() -> impl Strategy<Value = String> {
    const ALLOW: &str = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    prop_oneof![
        3 => Just(r#""none""#.to_owned()),
        1 => Just("null".to_owned()),
        2 => policy().prop_map(|policy| format!(
            r#"{{"id": "o-example12345", "rcps": null, "scps": [{{"policies": [{ALLOW}, {policy}]}}, {{"account": "444455556666", "policies": [{policy}]}}]}}"#
        )),
        1 => Just(r#"{"id": "o-example12345", "management_account": "111122223333", "scps": [{"account": "444455556666", "policies": [{"Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}}]}], "rcps": []}"#.to_owned()),
        1 => Just(r#"{"id": "o-example12345", "scps": null, "rcps": [{"policies": [{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam:*:role/R1"}}]}]}"#.to_owned()),
    ]
}

fn entity(person: &Person, account: &str, kind: &str, name: &str) -> serde_json::Value {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let own: Vec<_> = person
        .own
        .iter()
        .map(|own| serde_json::json!({"PolicyName": "own", "PolicyDocument": parse(own)}))
        .collect();
    let attached: Vec<_> =
        person.attached.iter().map(|arn| serde_json::json!({"PolicyName": "m", "PolicyArn": arn})).collect();
    let arn = format!("arn:aws:iam::{account}:{kind}/{name}");
    let name = name.rsplit('/').next().unwrap_or_default();
    let boundary = person.boundary.map(|arn| serde_json::json!({"PermissionsBoundaryArn": arn}));
    match kind {
        "user" => serde_json::json!({"Arn": arn, "UserName": name, "UserPolicyList": own,
            "AttachedManagedPolicies": attached, "GroupList": person.group.as_slice(), "PermissionsBoundary": boundary}),
        _ => serde_json::json!({"Arn": arn, "RoleName": name, "RolePolicyList": own,
            "AttachedManagedPolicies": attached, "PermissionsBoundary": boundary,
            "AssumeRolePolicyDocument": parse(&person.trust)}),
    }
}

/// Two users and a role in the home account, a user and two roles in production, and optionally a policy file for a
/// role whose account is unknown.
fn world(people: &[Person], limit: &str, organization: &str, file: Option<&str>) -> Accounts {
    let of =
        |number: usize, account: &str, kind: &str, name: &str| entity(&people[number], account, kind, name);
    let all = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let limit: serde_json::Value = serde_json::from_str(limit).unwrap();
    let managed = |name: &str, document: &serde_json::Value| {
        serde_json::json!({"PolicyName": name, "Arn": format!("arn:aws:iam::{HOME}:policy/{name}"),
            "PolicyVersionList": [{"IsDefaultVersion": true, "Document": document}]})
    };
    let admins = serde_json::json!({"GroupName": "admins", "Arn": format!("arn:aws:iam::{HOME}:group/admins"),
        "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement":
            {"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::444455556666:role/team/R2"}}}]});
    let snapshot = serde_json::json!({
        "schema": 1,
        "organization": serde_json::from_str::<serde_json::Value>(organization).unwrap(),
        "accounts": [
            {"account": HOME, "details": {
                "UserDetailList": [of(0, HOME, "user", "U0"), of(1, HOME, "user", "U1")],
                "RoleDetailList": [of(2, HOME, "role", "R0")],
                "GroupDetailList": [admins], "Policies": [managed("All", &all), managed("Limit", &limit)]}},
            {"account": PROD, "details": {
                "UserDetailList": [of(3, PROD, "user", "U2")],
                "RoleDetailList": [of(4, PROD, "role", "R1"), of(5, PROD, "role", "team/R2")]}},
        ],
    });
    let snapshot = snapshot.to_string();
    let file = file.map(|trust| ("File.json", trust)).filter(|(_, trust)| trust.contains("Statement"));
    read(&std::iter::once(("iam.json", snapshot.as_str())).chain(file).collect::<Vec<_>>())
}

#[test]
fn a_policy_that_is_not_in_the_sources_is_named_in_every_answer() {
    let user = |name: &str, attached: serde_json::Value| {
        serde_json::json!({"Arn": format!("arn:aws:iam::{HOME}:user/{name}"), "UserName": name,
            "AttachedManagedPolicies": attached})
    };
    let administrator =
        serde_json::json!([{"PolicyName": "Any", "PolicyArn": "arn:aws:iam::111122223333:policy/Any"}]);
    let accounts = serde_json::json!({
        "UserDetailList": [user("alice", administrator), user("bob", serde_json::json!([]))],
        "RoleDetailList": [{"Arn": format!("arn:aws:iam::{HOME}:role/Ops"), "RoleName": "Ops",
            "AssumeRolePolicyDocument": {"Statement":
                {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}}}]});
    let source = accounts.to_string();
    let accounts = read(&[("iam.json", &source), ("org.json", r#"{"schema": 1, "organization": "none"}"#)]);
    assert_eq!(check(&accounts), BTreeMap::from([(Answer::No, 1), (Answer::Perhaps, 1)]));
    let graph = survey(&accounts, &Assumptions::default());
    let expected = "\
Can assume no role: bob.
Not known whether alice can assume Ops: it depends on the policy Any (not in the
  sources).
Not known whether any user here can assume: Ops.
Indirect access is not counted: changing policies or creating access keys.
";
    let text = render_text(&graph, Characters::Lines).to_string();
    assert!(text.ends_with(expected), "{text}");
    let svg = hatbox_iam::graph::svg::render_svg(&graph);
    assert!(svg.contains("Not known whether alice can assume Ops") && !svg.contains("No user here"), "{svg}");
    let dot = hatbox_iam::graph::dot::render_dot(&graph);
    assert!(dot.contains("Not known whether alice can assume Ops"), "{dot}");
    let json: serde_json::Value = serde_json::from_str(&render_json(&graph).unwrap()).unwrap();
    assert_eq!(json["not_known"], serde_json::json!(["the policy Any (not in the sources)"]));
}

#[test]
fn a_trust_policy_that_cannot_be_read_may_mean_anyone_and_lets_no_one_in_by_what_is_known() {
    let own = serde_json::json!([{"PolicyName": "p", "PolicyDocument":
        {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}}]);
    let accounts = serde_json::json!({
        "UserDetailList": [{"Arn": format!("arn:aws:iam::{HOME}:user/alice"), "UserName": "alice", "UserPolicyList": own}],
        "RoleDetailList": [{"Arn": format!("arn:aws:iam::{PROD}:role/Ops"), "RoleName": "Ops",
            "AssumeRolePolicyDocument": "no policy"}]});
    let accounts = read(&[("iam.json", &accounts.to_string())]);
    assert_eq!(check(&accounts), BTreeMap::from([(Answer::Perhaps, 1)]));
    let graph = survey(&accounts, &Assumptions::default());
    assert_eq!((graph.edges().len(), graph.perhaps().len()), (0, 1));
}

#[test]
fn sources_of_every_kind_give_one_answer_for_each_pair() {
    let files = [
        ("iam.json", include_str!("accounts/snapshot.json")),
        ("terraform.tfstate", include_str!("accounts/terraform.tfstate")),
        ("plan.json", include_str!("accounts/plan.json")),
        ("details.json", include_str!("accounts/details.json")),
        ("state.json", include_str!("accounts/show-state.json")),
    ];
    let mut counts: BTreeMap<Answer, usize> = BTreeMap::new();
    for (at, first) in files.iter().enumerate() {
        check(&read(&[*first]));
        for second in &files[at + 1..] {
            for (answer, count) in check(&read(&[*first, *second])) {
                *counts.entry(answer).or_default() += count;
            }
        }
    }
    assert!(counts.len() == 3, "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_on_a_pair_is_the_same(
        people in proptest::collection::vec(person(), 6),
        limit in policy(),
        organization in organization(),
        file in proptest::option::weighted(0.4, trust()),
    ) {
        check(&world(&people, &limit, &organization, file.as_deref()));
    }

    /// For any request, the policy allows no role besides those that it names one by one.
    #[test]
    fn no_role_is_allowed_that_the_shortcut_leaves_out(text in policy(), is_complete: bool) {
        let policy = Policy::parse(&text).unwrap();
        let named: Option<BTreeSet<String>> =
            policy.assumable_roles().map(|roles| roles.map(str::to_owned).collect());
        for role in ["444455556666:role/R1", "444455556666:role/team/R2", "111122223333:role/R0", "444455556666:role/R1:x"] {
            let role = format!("arn:aws:iam::{role}");
            let keys = [("aws:username", vec!["R0"]), ("aws:SourceIp", vec!["R1"]), ("aws:MultiFactorAuthPresent", vec!["true"]),
                ("aws:PrincipalAccount", vec![HOME]), ("aws:ResourceAccount", vec![PROD])];
            let request = Request {
                caller: Caller::User { arn: format!("arn:aws:iam::{HOME}:user/U0") },
                action: "sts:AssumeRole".to_owned(),
                also_actions: Vec::new(),
                resource: role.clone(),
                resource_account: AccountId::parse(HOME).unwrap(),
                context: if is_complete { Context::complete(keys) } else { Context::default() },
            };
            let layers = Layers { identity: vec![policy.clone()], is_single_policy: true, ..Layers::default() };
            let is_no = matches!(evaluate(&request, &layers).decision, Decision::Deny { .. });
            let is_left_out = named.as_ref().is_some_and(|named| !named.contains(&role));
            prop_assert!(is_no || !is_left_out, "{} on {}", text, role);
        }
    }
}
