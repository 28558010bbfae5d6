//! Properties of the rules about MFA and of the patch, for any trust policy that allows people.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::admits::{Candidate, Trial, judge_admits};
use hatbox_iam::lint::{Subject, lint_policy};
use hatbox_iam::policy::document::Policy;
use hatbox_iam::require_mfa::{Guard, Outcome, Wanted, require_mfa};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

/// Principals that all include alice.
const PRINCIPALS: [&str; 5] = [
    r#""*""#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:root"]}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:user/alice"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:root"]}"#,
];
const CONDITIONS: [&str; 19] = [
    "{}",
    "{}",
    r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"Bool": {"aws:MultiFactorAuthPresent": ["true"], "aws:SecureTransport": true}}"#,
    r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}}"#,
    r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true", "aws:SecureTransport": "true"}}"#,
    r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"Null": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"Null": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"ForAllValues:Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"ForAnyValue:Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"ForAnyValue:Bool": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"StringEquals": {"aws:MultiFactorAuthPresent": "true"}}"#,
    r#"{"StringNotEquals": {"aws:MultiFactorAuthPresent": "false"}}"#,
    r#"{"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}"#,
    r#"{"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}, "Bool": {"aws:SecureTransport": "true"}}"#,
    r#"{"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}}"#,
    r#"{"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}"#,
];
const NOT_PEOPLE: [&str; 3] = [
    r#"{"Service": "ec2.amazonaws.com"}"#,
    r#"{"AWS": "arn:aws:iam::444455556666:role/Deploy"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:role/Deploy"], "Service": "ec2.amazonaws.com"}"#,
];

fn statement(
    effect: &'static [&'static str],
    principals: Vec<&'static str>,
    conditions: &'static [&'static str],
) -> impl Strategy<Value = String> {
    (select(effect), select(principals), select(conditions), select(vec!["", " ", "\n    "])).prop_map(
        |(effect, principal, condition, blank)| {
            format!(
                r#"{{{blank}"Effect": "{effect}",{blank}"Principal": {principal},{blank}"Action": "sts:AssumeRole",{blank}"Condition": {condition}}}"#
            )
        },
    )
}

fn policy(principals: Vec<&'static str>) -> impl Strategy<Value = String> {
    let first = statement(&["Allow"], principals.clone(), &CONDITIONS);
    // Denies apply to everyone, so that the result for alice is the same for any caller.
    let deny = statement(&["Deny"], vec![r#""*""#], &CONDITIONS[2..]);
    (first, vec(statement(&["Allow"], principals, &CONDITIONS), 0..2), vec(deny, 0..2)).prop_map(
        |(first, allows, denies)| {
            let all: Vec<_> = std::iter::once(first).chain(allows).chain(denies).collect();
            format!("{{\"Version\": \"2012-10-17\", \"Statement\": [\n  {}\n]}}", all.join(",\n  "))
        },
    )
}

/// Returns a letter for each row of the table: `y`, `n` or `u` for unknown.
fn row(text: &str, caller: &str) -> String {
    let trial = Trial { caller: Candidate::parse(caller), ..Trial::default() };
    let admits = judge_admits(&Policy::parse(text).unwrap(), &trial);
    admits.rows.iter().filter_map(|row| row.answer.name().chars().next()).collect()
}

fn has_mfa_finding(text: &str) -> bool {
    let report = lint_policy(text, Subject::default(), &Trial::default()).unwrap();
    report.findings.iter().any(|finding| finding.rule.id().starts_with("mfa-"))
}

/// These policies are written as users write them.
#[test]
fn policies_of_the_examples_have_no_false_alarms() {
    let sources = [
        include_str!("../../../docs/example-accounts.json"),
        include_str!("accounts/snapshot.json"),
        include_str!("accounts/details.json"),
        include_str!("accounts/terraform.tfstate"),
        include_str!("accounts/show-state.json"),
        include_str!("accounts/plan.json"),
    ];
    let mut linted = 0;
    for source in sources {
        let mut accounts = Accounts::default();
        let origin = Origin { name: "source".to_owned(), kind: SourceKind::PolicyFile, taken: None };
        accounts.add_source(source.as_bytes(), origin).unwrap();
        let known = accounts.accounts.keys().map(|id| id.as_str().to_owned()).collect();
        for (_, role) in accounts.roles() {
            let Some(document) = role.trust.known() else { continue };
            let subject = Subject { arn: Some(&role.arn), accounts: Some(&known) };
            let report = lint_policy(&document.text, subject, &Trial::default()).unwrap();
            let found: Vec<_> = report.findings.iter().map(|finding| finding.rule.id()).collect();
            let is_expected = |id: &&str| ["mfa-missing", "confused-deputy"].contains(id);
            assert!(found.iter().all(is_expected) && !report.is_closed, "{}: {found:?}", role.name);
            linted += 1;
        }
    }
    assert!(linted > 10, "{linted}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// Without findings, every statement that allows alice requires MFA, and allows her with it.
    #[test]
    fn there_is_no_finding_on_mfa_just_when_people_get_in_with_mfa_only(text in policy(PRINCIPALS.to_vec())) {
        let row = row(&text, ALICE);
        if has_mfa_finding(&text) {
            // One statement may have a finding although another allows alice correctly.
            let policy = Policy::parse(&text).unwrap();
            prop_assert!(row != "nynyn" || policy.statements.len() > 1, "{text}");
        } else {
            prop_assert_eq!(row, "nynyn", "{}", text);
        }
    }

    #[test]
    fn one_statement_has_a_finding_just_when_people_do_not_get_in_with_mfa_only(
        text in statement(&["Allow"], PRINCIPALS.to_vec(), &CONDITIONS),
    ) {
        let text = format!(r#"{{"Statement": {text}}}"#);
        prop_assert_eq!(!has_mfa_finding(&text), row(&text, ALICE) == "nynyn", "{}", text);
    }

    #[test]
    fn a_patched_policy_lets_people_in_with_mfa_only_and_is_not_patched_again(
        text in policy(PRINCIPALS.iter().chain(&NOT_PEOPLE).copied().collect()),
    ) {
        let before = row(&text, ALICE);
        match require_mfa(&text, &Wanted::default()).unwrap() {
            Outcome::Patched(patch) => {
                prop_assert_eq!(row(&patch.text, ALICE), "nynyn", "{}", patch.text);
                let again = require_mfa(&patch.text, &Wanted::default()).unwrap();
                prop_assert!(matches!(again, Outcome::Unchanged(_)), "{}\n{:?}", patch.text, again);
                let deploy = "arn:aws:iam::444455556666:role/Deploy";
                let is_new = row(&text, deploy).ends_with('n') && row(&patch.text, deploy).ends_with('y');
                prop_assert!(!is_new, "{text}\n{}", patch.text);
                let denies = |text: &str| text.matches("\"Deny\"").count();
                prop_assert_eq!(denies(&text), denies(&patch.text));
            }
            Outcome::Unchanged(_) => prop_assert_eq!(before, "nynyn", "{}", text),
            Outcome::Refused(Guard::ShutOut(_) | Guard::NoOneHasMfa) => {}
            Outcome::Refused(guard) => panic!("{guard}: {text}"),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\",:a-zA-Z0-9 \\\\\n*]{0,200}") {
        drop(lint_policy(&text, Subject::default(), &Trial::default()));
        drop(require_mfa(&text, &Wanted::default()));
    }
}
