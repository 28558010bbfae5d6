use super::*;
use crate::policy::answer::Fact;

const ACCOUNT: &str = r#""Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole""#;

fn judge(statements: &str, trial: &Trial) -> Admits {
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    judge_admits(&Policy::parse(&policy).unwrap(), trial)
}

fn assuming(keys: &[(&str, &str)]) -> Assumptions {
    let context = keys.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]));
    Assumptions { context: context.collect(), ..Assumptions::default() }
}

/// One letter for each kind of credentials: `y`, `n` or `?`.
fn row(admits: &Admits) -> String {
    let letter = |row: &Row| match row.answer {
        Answer::Yes => 'y',
        Answer::No => 'n',
        Answer::Unknown(_) => '?',
    };
    admits.rows.iter().map(letter).collect()
}

fn allow(condition: &str) -> String {
    format!(r#"{{"Effect": "Allow", {ACCOUNT}, "Condition": {condition}}}"#)
}

fn deny(condition: &str) -> String {
    format!(r#"{{"Effect": "Deny", {ACCOUNT}, "Condition": {condition}}}"#)
}

#[test]
fn each_way_to_ask_for_mfa_lets_in_whom_aws_lets_in() {
    let present = |operator: &str, value: &str| {
        format!(r#"{{"{operator}": {{"aws:MultiFactorAuthPresent": "{value}"}}}}"#)
    };
    let age = |operator: &str| format!(r#"{{"{operator}": {{"aws:MultiFactorAuthAge": "3600"}}}}"#);
    let good = allow(&present("Bool", "true"));
    let and_deny = |condition: &str| format!("{}, {}", allow("{}"), deny(condition));
    for (statements, expected, mfa) in [
        (good.clone(), "nynyn", Mfa::Required),
        (allow(&present("BoolIfExists", "true")), "yynyn", Mfa::NotRequired),
        (and_deny(&present("Bool", "false")), "yynyn", Mfa::NotRequired),
        (and_deny(&present("BoolIfExists", "false")), "nynyn", Mfa::Required),
        (allow(&present("Null", "false")), "nyyyy", Mfa::NotRequired),
        (and_deny(&present("Null", "true")), "nyyyy", Mfa::NotRequired),
        (allow(&present("ForAllValues:Bool", "true")), "yynyn", Mfa::NotRequired),
        (allow(&age("NumericLessThanIfExists")), "yyyyy", Mfa::NotRequired),
        (and_deny(&age("NumericGreaterThan")), "yyyyy", Mfa::NotRequired),
        (format!("{good}, {}", allow("{}")), "yyyyy", Mfa::NotRequired),
        (allow("{}"), "yyyyy", Mfa::NotRequired),
        (allow(&age("NumericLessThan")), "nynyn", Mfa::Required),
        (allow(&present("Bool", "false")), "nnyny", Mfa::NotRequired),
        (format!("{good}, {}", deny(&present("Bool", "true"))), "nnnnn", Mfa::Unsatisfiable),
        (allow(&present("Bool", "yes")), "nnnnn", Mfa::Unsatisfiable),
    ] {
        let admits = judge(&statements, &Trial::default());
        assert_eq!((row(&admits).as_str(), admits.mfa), (expected, mfa), "{statements}");
    }
}

#[test]
fn the_first_that_is_trusted_calls_unless_another_is_named() {
    let of = |principal: &str, condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole", "Condition": {condition}}}"#
        )
    };
    let mfa = r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;
    let alice = r#"{"AWS": "arn:aws:iam::111122223333:user/alice"}"#;
    let deploy = r#"{"AWS": "arn:aws:iam::111122223333:role/Deploy"}"#;
    let service = r#"{"Service": "ec2.amazonaws.com"}"#;
    for (statements, caller, expected, mfa, why) in [
        (of(alice, "{}"), None, "yyyyn", Mfa::NotRequired, "a user is no role"),
        (of(deploy, "{}"), None, "nnnny", Mfa::NotRequired, "a role is no user"),
        (of(deploy, mfa), None, "nnnnn", Mfa::Unsatisfiable, "a role has no MFA"),
        (of(service, "{}"), None, "nnnnn", Mfa::NotRequired, "a service needs none"),
        (of(service, mfa), None, "nnnnn", Mfa::Unsatisfiable, "and cannot have it"),
        (of(r#""*""#, "{}"), None, "yyyyy", Mfa::NotRequired, "everybody"),
        (of(alice, mfa), Some("arn:aws:iam::111122223333:user/bob"), "nnnnn", Mfa::Unsatisfiable, "bob"),
        (
            of(deploy, "{}"),
            Some("arn:aws:sts::111122223333:assumed-role/Deploy/ci"),
            "nnnny",
            Mfa::NotRequired,
            "ci",
        ),
        (format!("{}, {}", of(service, "{}"), of(alice, mfa)), None, "nynyn", Mfa::Required, "alice"),
    ] {
        let caller = caller.map(|arn| Candidate::parse(arn).unwrap());
        let admits = judge(&statements, &Trial { caller, ..Trial::default() });
        assert_eq!((row(&admits).as_str(), admits.mfa), (expected, mfa), "{why}: {statements}");
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let statement = allow(
        r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"},
            "StringEquals": {"sts:ExternalId": "x", "sts:RoleSessionName": "${aws:username}"}}"#,
    );
    let admits = judge(&statement, &Trial::default());
    assert_eq!((row(&admits).as_str(), admits.mfa), ("n?n?n", Mfa::Required));
    let depends = Answer::Unknown(vec![Fact::key("sts:ExternalId"), Fact::key("sts:RoleSessionName")]);
    assert_eq!(admits.rows[1].answer, depends);
    let with_assumption = Trial {
        caller: Candidate::parse("arn:aws:iam::111122223333:user/alice"),
        assumptions: assuming(&[("sts:RoleSessionName", "alice"), ("STS:ExternalId", "x")]),
    };
    assert_eq!(row(&judge(&statement, &with_assumption)), "nynyn");
    let negated = allow(r#"{"StringNotEquals": {"aws:PrincipalTag/team": "x"}}"#);
    assert_eq!(row(&judge(&negated, &Trial::default())), "?????");
}

/// Some user of the account has the name, so more facts about the request must never turn *unknown* into *no*.
#[test]
fn more_knowledge_turns_no_maybe_into_a_wrong_no() {
    let arn = "arn:aws:iam::111122223333:user";
    for (condition, key, value, caller) in [
        (r#""sts:RoleSessionName": "${aws:username}""#, "sts:RoleSessionName", "alice", "alice"),
        (r#""sts:RoleSessionName": "${aws:username}-ci""#, "sts:RoleSessionName", "alice-ci", "alice"),
        (r#""sts:SourceIdentity": "${aws:username}""#, "sts:SourceIdentity", "alice", "alice"),
        (r#""aws:RequestTag/user": "${aws:username}""#, "aws:RequestTag/user", "alice", "alice"),
        (
            r#""aws:PrincipalArn": "arn:aws:iam::111122223333:user/${sts:RoleSessionName}""#,
            "sts:RoleSessionName",
            "alice",
            "alice",
        ),
        (
            r#""sts:RoleSessionName": "${aws:username}", "aws:PrincipalArn": "arn:aws:iam::111122223333:user/team/*""#,
            "sts:RoleSessionName",
            "alice",
            "team/alice",
        ),
    ] {
        let statement = allow(&format!(
            r#"{{"Bool": {{"aws:MultiFactorAuthPresent": "true"}}, "StringLike": {{{condition}}}}}"#
        ));
        let with_assumption = |value: &str, caller: Option<String>| Trial {
            caller: caller.map(|arn| Candidate::parse(&arn).unwrap()),
            assumptions: assuming(&[(key, value)]),
        };
        let any = judge(&statement, &with_assumption(value, None));
        assert_eq!((row(&any).as_str(), any.mfa), ("n?n?n", Mfa::Required), "{condition}");
        let named = judge(&statement, &with_assumption(value, Some(format!("{arn}/{caller}"))));
        assert_eq!((row(&named).as_str(), named.mfa), ("nynyn", Mfa::Required), "{condition}");
        let other = judge(&statement, &with_assumption(value, Some(format!("{arn}/team/bob"))));
        assert_eq!(row(&other), "nnnnn", "{condition}");
    }
    let by_option = Trial { caller: None, assumptions: assuming(&[("sts:RoleSessionName", "alice")]) };
    let statement = allow(r#"{"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}"#);
    assert_eq!(row(&judge(&statement, &by_option)), "????n");
    let named = allow(r#"{"StringEquals": {"aws:username": "bob"}}"#);
    assert_eq!(row(&judge(&named, &by_option)), "yyyyn", "bob is a user of the account");
}

#[test]
fn a_key_that_aws_does_not_know_is_never_there() {
    let statement = allow(r#"{"Bool": {"aws:MultiFactorAuthPresnt": "true"}}"#);
    assert_eq!(row(&judge(&statement, &Trial::default())), "nnnnn");
}

#[test]
fn whom_a_condition_names_is_tried() {
    let statement = allow(
        r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/team/*"},
            "Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
    );
    assert_eq!(row(&judge(&statement, &Trial::default())), "nynyn");
    let role = allow(r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Deploy"}}"#);
    assert_eq!(row(&judge(&role, &Trial::default())), "nnnny");
}

#[test]
fn a_policy_without_statements_lets_no_one_in() {
    let admits = judge("", &Trial::default());
    assert_eq!((row(&admits).as_str(), admits.mfa), ("nnnnn", Mfa::Unsatisfiable));
}
