//! Properties of the policy parser and evaluator for any input.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeSet;

use hatbox_iam::policy::answer::Fact;
use hatbox_iam::policy::document::{Effect, Policy, Statement};
use hatbox_iam::policy::evaluate::{
    Caller, Context, Decision, Layer, Layers, OrganizationLevel, Request, decide, evaluate,
};
use hatbox_iam::policy::principal::PrincipalKind;
use hatbox_iam::policy::rows::parse_row;
use hatbox_types::name::AccountId;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const HOME: &str = "111122223333";
const WORK: &str = "444455556666";
const ROLE: &str = "arn:aws:iam::444455556666:role/Ops";

const PRINCIPALS: [&str; 8] = [
    r#""Principal": "*""#,
    r#""Principal": {"AWS": "111122223333"}"#,
    r#""Principal": {"AWS": "arn:aws:iam::444455556666:root"}"#,
    r#""Principal": {"AWS": "arn:aws:iam::444455556666:user/alice"}"#,
    r#""Principal": {"AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:role/ci"]}"#,
    r#""Principal": {"Service": "ec2.amazonaws.com"}"#,
    r#""NotPrincipal": {"AWS": ["arn:aws:iam::444455556666:user/alice", "444455556666"]}"#,
    r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}"#,
];
const ACTIONS: [&str; 5] = [
    r#""Action": "*""#,
    r#""Action": "sts:AssumeRole""#,
    r#""Action": ["sts:TagSession", "s3:Get*"]"#,
    r#""NotAction": "sts:TagSession""#,
    r#""NotAction": "s3:*""#,
];
const RESOURCES: [&str; 4] = [
    r#""Resource": "*""#,
    r#""Resource": "arn:aws:iam::*:role/${aws:PrincipalTag/role, 'Ops'}""#,
    r#""Resource": "arn:aws:s3:::box/*""#,
    r#""NotResource": "arn:aws:iam::*:role/Admin""#,
];
const CONDITIONS: [&str; 9] = [
    "{}",
    r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"Null": {"aws:SourceIp": "false"}}"#,
    r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringLike": {"aws:PrincipalTag/role": "O*"}}"#,
    r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}"#,
    r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}"#,
    r#"{"StringEquals": {"aws:PrincipalTag/role": "${aws:username}"}}"#,
    r#"{"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}"#,
];
const KEYS: [(&str, &[&str]); 8] = [
    ("aws:multifactorauthpresent", &["true"]),
    ("aws:multifactorauthpresent", &["false"]),
    ("aws:multifactorauthage", &["600"]),
    ("aws:sourceip", &["203.0.113.9"]),
    ("aws:principaltag/role", &["Ops"]),
    ("aws:username", &["Ops"]),
    ("aws:tagkeys", &["a", "c"]),
    ("aws:tagkeys", &["b"]),
];

/// A statement with or without a principal.
fn statement(effect: &'static [&'static str], has_principal: bool) -> impl Strategy<Value = String> {
    (select(effect), select(&PRINCIPALS), select(&ACTIONS), select(&RESOURCES), select(&CONDITIONS)).prop_map(
        move |(effect, principal, action, resource, condition)| {
            let principal = if has_principal { format!("{principal}, ") } else { String::new() };
            format!(r#"{{"Effect": "{effect}", {principal}{action}, {resource}, "Condition": {condition}}}"#)
        },
    )
}

fn parse(statements: &[String]) -> Policy {
    let json = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
    Policy::parse(&json).unwrap()
}

fn policy(has_principal: bool) -> impl Strategy<Value = Policy> {
    vec(statement(&["Allow", "Allow", "Allow", "Deny"], has_principal), 1..4)
        .prop_map(|statements| parse(&statements))
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn caller() -> impl Strategy<Value = Caller> {
    select(vec![
        Caller::User { arn: "arn:aws:iam::444455556666:user/alice".into() },
        Caller::User { arn: "arn:aws:iam::111122223333:user/alice".into() },
        Caller::RoleSession {
            session_arn: Some("arn:aws:sts::444455556666:assumed-role/ci/run".into()),
            role_arn: "arn:aws:iam::444455556666:role/ci".into(),
        },
        Caller::Service("ec2.amazonaws.com".into()),
        Caller::Root(account(WORK)),
    ])
}

fn request() -> impl Strategy<Value = Request> {
    let target = select(vec![("sts:AssumeRole", ROLE), ("s3:GetObject", "arn:aws:s3:::box/a")]);
    let also = select(vec![vec![], vec!["sts:TagSession".to_owned()]]);
    (caller(), target, also, vec(select(&KEYS), 0..5)).prop_map(|(caller, target, also, keys)| {
        let keys = keys.into_iter().map(|(name, values)| (name, values.to_vec()));
        Request {
            caller,
            action: target.0.into(),
            also_actions: if target.0 == "sts:AssumeRole" { also } else { Vec::new() },
            resource: target.1.into(),
            resource_account: account(WORK),
            context: Context::complete(keys),
        }
    })
}

fn level() -> impl Strategy<Value = OrganizationLevel> {
    (vec(policy(false), 1..3), select(vec![None, Some(WORK), Some(HOME)]))
        .prop_map(|(policies, id)| OrganizationLevel { account: id.map(account), policies })
}

fn layers() -> impl Strategy<Value = Layers> {
    (
        policy(true),
        proptest::option::of(policy(true)),
        vec(policy(false), 0..3),
        proptest::option::of(vec(policy(false), 1..2)),
        proptest::option::of(vec(policy(false), 1..2)),
        proptest::option::weighted(0.3, vec(level(), 1..3)),
        proptest::option::weighted(0.3, vec(level(), 1..3)),
    )
        .prop_map(|(trust, resource, identity, boundary, session, scps, rcps)| Layers {
            trust: Some(trust),
            resource,
            identity,
            boundary,
            session,
            scps: scps.unwrap_or_default(),
            rcps: rcps.unwrap_or_default(),
            ..Layers::default()
        })
}

/// Returns all policies of `layers`.
fn policies(layers: &mut Layers) -> Vec<&mut Policy> {
    let levels = layers.scps.iter_mut().chain(&mut layers.rcps);
    let lists = layers.boundary.iter_mut().chain(&mut layers.session);
    let mut all: Vec<_> = layers.trust.iter_mut().chain(&mut layers.resource).collect();
    all.extend(&mut layers.identity);
    all.extend(lists.flatten());
    all.extend(levels.flat_map(|level| &mut level.policies));
    all
}

fn with_statement(layers: &Layers, at: prop::sample::Index, statement: &Statement) -> Layers {
    let mut layers = layers.clone();
    let mut all = policies(&mut layers);
    let at = at.index(all.len());
    all[at].statements.push(statement.clone());
    layers
}

/// Whether the AWS documentation may leave the answer open: a session policy, and a resource's policy that allows
/// everyone in the same account.
fn is_contested(request: &Request, layers: &Layers) -> bool {
    let mut statements = layers.trust.iter().chain(&layers.resource).flat_map(|policy| &policy.statements);
    let is_open = statements.any(|statement| {
        statement.effect == Effect::Allow
            && statement.principals.as_ref().is_some_and(|element| {
                element.is_negated || element.entries.iter().any(|one| one.kind == PrincipalKind::Everyone)
            })
    });
    is_open && layers.session.is_some() && request.caller.account() == Some(request.resource_account.as_str())
}

fn is_same_kind(one: &Decision, other: &Decision) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_further_deny_never_lets_anyone_in(
        request in request(), layers in layers(), at: prop::sample::Index, deny in statement(&["Deny"], true)
    ) {
        let more = with_statement(&layers, at, &parse(&[deny]).statements[0]);
        if evaluate(&request, &more).decision == Decision::Allow {
            prop_assert_eq!(evaluate(&request, &layers).decision, Decision::Allow);
        }
    }

    #[test]
    fn a_further_allow_never_shuts_anyone_out(
        request in request(), layers in layers(), at: prop::sample::Index, allow in statement(&["Allow"], true)
    ) {
        let more = with_statement(&layers, at, &parse(&[allow]).statements[0]);
        if evaluate(&request, &layers).decision == Decision::Allow {
            prop_assert_eq!(evaluate(&request, &more).decision, Decision::Allow);
        }
    }

    #[test]
    fn nothing_is_unknown_when_everything_is_given(request in request(), layers in layers()) {
        let decision = evaluate(&request, &layers).decision;
        if let Decision::Unknown { depends_on } = decision {
            prop_assert_eq!(depends_on, [Fact::Layer(Layer::Session)]);
            prop_assert!(is_contested(&request, &layers));
        }
    }

    #[test]
    fn a_decision_without_some_keys_holds_whatever_they_are(
        request in request(), layers in layers(), hidden in btree_set(select(&KEYS), 1..5)
    ) {
        let hidden: BTreeSet<_> = hidden.into_iter().map(|(name, _)| name).collect();
        let mut partial = request.clone();
        partial.context.is_complete = false;
        // All keys that are not hidden are known, those without a value to be absent.
        for (name, _) in KEYS {
            if hidden.contains(name) {
                partial.context.values.remove(name);
            } else if !partial.context.values.contains_key(name) {
                partial.context.set(name, Vec::<String>::new());
            }
        }
        let whole = evaluate(&request, &layers).decision;
        match evaluate(&partial, &layers).decision {
            Decision::Unknown { depends_on } => {
                prop_assert!(!depends_on.is_empty());
                for key in depends_on {
                    let is_open = key == Fact::Layer(Layer::Session) && is_contested(&request, &layers);
                    let is_hidden = hidden.contains(key.to_string().to_lowercase().as_str());
                    prop_assert!(is_open || is_hidden, "{}", key);
                }
            }
            decision => prop_assert!(is_same_kind(&decision, &whole), "{:?} but {:?}", decision, whole),
        }
    }

    #[test]
    fn a_decision_without_some_layers_holds_whatever_they_are(
        request in request(), layers in layers(), unknown in btree_set(select(&Layer::ALL), 1..4)
    ) {
        let partial = Layers { unknown, ..layers.clone() };
        match evaluate(&request, &partial).decision {
            Decision::Unknown { depends_on } => {
                let names: Vec<_> = partial.unknown.iter().copied().map(Fact::Layer).collect();
                let is_open =
                    |fact: &Fact| *fact == Fact::Layer(Layer::Session) && is_contested(&request, &layers);
                prop_assert!(depends_on.iter().all(|fact| names.contains(fact) || is_open(fact)), "{:?}", depends_on);
            }
            decision => {
                let whole = evaluate(&request, &layers).decision;
                prop_assert!(is_same_kind(&decision, &whole), "{:?} but {:?}", decision, whole);
            }
        }
    }

    #[test]
    fn an_answer_always_has_a_reason(
        request in request(), layers in layers(), unknown in btree_set(select(&Layer::ALL), 0..3)
    ) {
        let layers = Layers { unknown, ..layers };
        prop_assert!(!evaluate(&request, &layers).because.is_empty());
    }

    #[test]
    fn a_decision_without_reasons_is_the_same(
        request in request(), layers in layers(), is_complete: bool,
        unknown in btree_set(select(&Layer::ALL), 0..3), is_single_policy in proptest::bool::weighted(0.1)
    ) {
        let mut request = request;
        request.context.is_complete = is_complete;
        let layers = Layers { unknown, is_single_policy, ..layers };
        prop_assert_eq!(decide(&request, &layers), evaluate(&request, &layers).decision);
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_lose_its_place(text in any::<String>()) {
        check_place(&text)?;
    }

    #[test]
    fn no_sequence_of_json_signs_makes_the_parser_panic(
        signs in vec(select(&["{", "}", "[", "]", ":", ",", "\"", "\\u12", "\\", "1", "-", "e", "tr", "\n", "é",
            "\"Statement\"", "\"Effect\":\"Allow\"", "\"Action\":\"*\"", "null"][..]), 0..40)
    ) {
        check_place(&signs.concat())?;
    }

    #[test]
    fn a_policy_with_one_character_changed_is_read_or_refused(
        statements in vec(statement(&["Allow"], true), 1..3), at: prop::sample::Index, c in any::<char>()
    ) {
        let json = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
        let mut signs: Vec<char> = json.chars().collect();
        let at = at.index(signs.len());
        signs[at] = c;
        check_place(&signs.iter().collect::<String>())?;
        signs.truncate(at);
        check_place(&signs.iter().collect::<String>())?;
    }
}

fn check_place(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = Policy::parse(text) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line = text.split('\n').nth(error.line as usize - 1);
        prop_assert!(line.is_some(), "line {} of {:?}", error.line, text);
        let width = line.unwrap_or_default().chars().count();
        prop_assert!((1..=width + 1).contains(&(error.column as usize)), "{} in {:?}", error, text);
        prop_assert!(!error.problem.is_empty());
    }
    // A row may contain any JSON, so this covers more than a policy does.
    let _row_or_error = parse_row(text);
    Ok(())
}

#[test]
fn the_cases_of_the_properties_are_of_all_kinds() {
    let mut runner = TestRunner::deterministic();
    let (mut allowed, mut explicit, mut implicit) = (0, BTreeSet::new(), BTreeSet::new());
    for _ in 0..3000 {
        let (request, layers) = (request(), layers()).new_tree(&mut runner).unwrap().current();
        match evaluate(&request, &layers).decision {
            Decision::Allow => allowed += 1,
            Decision::Deny { kind, layer } => {
                let seen = if format!("{kind:?}") == "Explicit" { &mut explicit } else { &mut implicit };
                seen.insert(layer);
            }
            Decision::Unknown { .. } => {}
        }
    }
    assert!(allowed > 100, "only {allowed} were allowed");
    assert_eq!(explicit.len(), 6, "explicit denies of {explicit:?}");
    assert_eq!(implicit.len(), 5, "implicit denies of {implicit:?}; control policies of resources have none");
}

#[test]
fn a_megabyte_of_statements_is_read_and_judged() {
    let one = r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::box/*",
        "Condition": {"StringLike": {"aws:PrincipalTag/role": "*a*a*a*b"}}}"#;
    let policy = parse(&vec![one.to_owned(); 10_000]);
    assert_eq!(policy.statements.len(), 10_000);
    let request = Request {
        caller: Caller::User { arn: "arn:aws:iam::444455556666:user/alice".into() },
        action: "s3:GetObject".into(),
        also_actions: Vec::new(),
        resource: "arn:aws:s3:::box/a".into(),
        resource_account: account(WORK),
        context: Context::complete([("aws:PrincipalTag/role", vec!["a".repeat(256)])]),
    };
    let judgement = evaluate(&request, &Layers { identity: vec![policy], ..Layers::default() });
    assert!(matches!(judgement.decision, Decision::Deny { .. }));
    assert!(judgement.because.len() < 20, "an answer stays short");
}
