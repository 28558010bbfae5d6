//! All commands evaluate conditions with the same context, so they give the same answer for a condition.

use serde_json::{Value, json};

use super::attempt::Attempt;
use super::aws_error::parse_aws_error;
use super::known::{Known, Role, Sourced, gather_known};
use super::what_if::Call;
use super::{Assessment, Cause, diagnose};
use crate::accounts::{Accounts, Origin, SourceKind};
use crate::admits::{Candidate, Trial, judge_admits};
use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use crate::assume::entity::Entity;
use crate::graph::survey;
use crate::policy::answer::Answer;
use crate::policy::document::Policy;
use crate::policy::evaluate::Caller;
use crate::report::can::{MfaUse, can};
use crate::report::reach::reach;
use crate::report::who::who;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const ROLE: &str = "arn:aws:iam::444455556666:role/Ops";

fn accounts(trust: &Value, with_alice: bool) -> Accounts {
    accounts_with(trust, with_alice, &json!({}))
}

fn accounts_with(trust: &Value, with_alice: bool, devices: &Value) -> Accounts {
    let role = json!({ "RoleName": "Ops", "Arn": ROLE, "AssumeRolePolicyDocument": trust });
    let all = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let policies = json!([{ "PolicyName": "p", "PolicyDocument": all }]);
    let alice = json!({ "UserName": "alice", "Arn": ALICE, "UserPolicyList": policies });
    let mut of = vec![json!({ "account": "444455556666", "details": { "RoleDetailList": [role] } })];
    if with_alice {
        let details = json!({ "UserDetailList": [alice] });
        of.push(json!({ "account": "111122223333", "details": details, "mfa_devices": devices }));
    }
    let snapshot = json!({ "schema": 1, "accounts": of, "organization": "none" });
    let mut accounts = Accounts::default();
    let origin = Origin { name: "iam.json".to_owned(), kind: SourceKind::Snapshot, taken: None };
    accounts.add_source(snapshot.to_string().as_bytes(), origin).unwrap();
    accounts
}

fn attempt() -> Attempt {
    let attempt = json!({
        "at": 0, "profile": "ops", "step_profile": "ops", "step": [1, 1], "role": ROLE, "signer": "access-key",
        "base": { "profile": "alice", "kind": "stored", "key": "****MPLE" },
        "serial": null, "code": "no", "seconds": 3600, "seconds_from": null,
        "session_name": null, "is_session_name_fixed": false, "has_external_id": false,
        "tags": [], "inherited_tags": [], "source_identity": null, "inherited_source_identity": null,
        "region": "eu-central-1", "endpoint": null, "clock_ahead": null,
        "around": { "config": "", "chain": [], "devices": [], "roles": [], "variables": [] },
    });
    serde_json::from_value(attempt).unwrap()
}

/// The answer of each command for `alice`, who signs with access keys.
fn answers(statements: &[Value]) -> Vec<(&'static str, &'static str)> {
    let trust = json!({ "Version": "2012-10-17", "Statement": statements });
    let policy = Policy::parse(&trust.to_string()).unwrap();
    let (alice, role) = (Entity::of_arn(ALICE).unwrap(), Entity::of_arn(ROLE).unwrap());
    let given = Assumptions::default();
    let known = accounts(&trust, true);
    let word = |answer: Option<&Answer>| answer.map_or("no", Answer::name);
    let drawn = |accounts: &Accounts| {
        let graph = survey(accounts, &given);
        graph.edges().first().map_or("no", |edge| if edge.conditions.is_empty() { "yes" } else { "unknown" })
    };
    let trial = Trial { caller: Candidate::parse(ALICE), ..Trial::default() };
    let admits = judge_admits(&policy, &trial);
    let row = admits.rows.iter().find(|row| row.credentials == Credentials::AccessKeys).unwrap();
    let attempt = attempt();
    let caller = Caller::User { arn: ALICE.to_owned() };
    let call = Call { attempt: &attempt, caller, role: ROLE, now: given.now };
    let refused = Role { trust: Some(policy), max_session: None, created_at: None };
    vec![
        ("can", can(&known, &alice, &[], &role, MfaUse::Without, &given).answer().name()),
        ("who", word(who(&known, &role, &given).paths.first().map(|way| &way.answer))),
        ("reach", word(reach(&known, &alice, &given).paths.first().map(|way| &way.answer))),
        ("graph", drawn(&known)),
        ("graph, of an outsider", drawn(&accounts(&trust, false))),
        ("lint", row.answer.name()),
        ("why", call.ask_trust(&refused).unwrap().answer.name()),
    ]
}

#[test]
fn a_condition_gets_the_same_answer_from_every_question() {
    let date = "2026-01-01T00:00:00Z";
    for (effect, condition, expected, why) in [
        ("Allow", json!({ "Bool": { "aws:SecureTransport": "true" } }), "yes", "STS is reached by HTTPS"),
        ("Allow", json!({ "Bool": { "aws:SecureTransport": "false" } }), "no", "and by nothing else"),
        ("Deny", json!({ "Bool": { "aws:SecureTransport": "false" } }), "yes", "which denies nothing"),
        ("Deny", json!({ "Bool": { "aws:SecureTransport": "true" } }), "no", "but this denies all"),
        ("Allow", json!({ "Null": { "aws:SourceArn": "true" } }), "yes", "no service calls"),
        ("Deny", json!({ "Null": { "aws:PrincipalServiceName": "true" } }), "no", "no service calls"),
        ("Allow", json!({ "Bool": { "aws:PrincipalIsAWSService": "true" } }), "no", "a user is no service"),
        ("Allow", json!({ "Bool": { "aws:ViaAWSService": "false" } }), "yes", "no service calls"),
        ("Allow", json!({ "StringEquals": { "aws:PrincipalType": "User" } }), "yes", "a user"),
        ("Allow", json!({ "StringEquals": { "aws:PrincipalType": "AssumedRole" } }), "no", "and no role"),
        ("Allow", json!({ "StringEquals": { "aws:username": "alice" } }), "yes", "the name"),
        (
            "Allow",
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/alice" } }),
            "yes",
            "the ARN",
        ),
        ("Allow", json!({ "StringEquals": { "aws:PrincipalAccount": "444455556666" } }), "no", "the account"),
        ("Allow", json!({ "Null": { "aws:TokenIssueTime": "true" } }), "yes", "access keys are no session"),
        ("Deny", json!({ "DateLessThan": { "aws:CurrentTime": date } }), "no", "the time is given"),
        ("Allow", json!({ "Bool": { "aws:MultiFactorAuthPresnt": "true" } }), "no", "AWS knows no such key"),
        ("Allow", json!({ "StringLike": { "saml:aud": "*" } }), "no", "a user has no token of a provider"),
        (
            "Allow",
            json!({ "StringLike": { "gitlab.com:sub": "*" } }),
            "no",
            "a user has no token of a provider",
        ),
        ("Allow", json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }), "unknown", "where alice sits"),
        ("Allow", json!({ "StringEquals": { "aws:SourceVpc": "vpc-1" } }), "unknown", "where alice sits"),
    ] {
        let principal = json!({ "AWS": ALICE });
        let allow = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
        let mut conditional = allow.clone();
        conditional["Effect"] = json!(effect);
        conditional["Condition"] = condition.clone();
        let statements = if effect == "Deny" { vec![allow, conditional] } else { vec![conditional] };
        for (question, answer) in answers(&statements) {
            assert_eq!(answer, expected, "{question}: {effect} {condition}: {why}");
        }
    }
}

#[test]
fn can_and_why_agree_on_which_devices_give_codes() {
    let principal = json!({ "AWS": ALICE });
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let statement =
        json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": mfa });
    let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let (alice, role) = (Entity::of_arn(ALICE).unwrap(), Entity::of_arn(ROLE).unwrap());
    for (serials, gives_codes, why) in [
        (&["arn:aws:iam::111122223333:mfa/alice"][..], true, "a virtual device"),
        (&["arn:aws-cn:iam::111122223333:mfa/team/alice"], true, "a virtual device with a path"),
        (&["GAHT12345678"], true, "a hardware token"),
        (&["arn:aws:iam::111122223333:u2f/user/alice/key-ABC"], false, "a passkey"),
        (&["arn:aws:iam::111122223333:sms-mfa/alice"], false, "text messages"),
        (&["arn:aws:iam::111122223333:user/alice"], false, "a user is no device"),
        (&["arn:aws:iam::111122223333:mfa/user/alice"], true, "what a device is called does not matter"),
        (
            &["arn:aws:iam::111122223333:u2f/user/a/k", "arn:aws:iam::111122223333:sms-mfa/alice"],
            false,
            "neither",
        ),
        (&["arn:aws:iam::111122223333:u2f/user/a/k", "GAHT12345678"], true, "one of two suffices"),
    ] {
        let accounts = accounts_with(&trust, true, &json!({ "alice": serials }));
        let given = Assumptions::default();
        let can = can(&accounts, &alice, &[], &role, MfaUse::IfNeeded, &given);
        assert_eq!(can.steps[0].has_device, Some(gives_codes), "trust can: {why}");
        let reach = reach(&accounts, &alice, &given);
        assert_eq!(reach.paths[0].lacks_device, !gives_codes, "trust reach: {why}");
        let attempt = attempt();
        let known = Known {
            caller: Some(Sourced { value: ALICE.to_owned(), origin: String::new() }),
            ..gather_known(&accounts, Some(ROLE), Some(ALICE), given.now)
        };
        let aws_error = parse_aws_error("AccessDenied", "");
        let diagnosis = diagnose(&aws_error, &attempt, &known, given.now);
        let weighed = diagnosis.causes.iter().find(|weighed| weighed.cause == Cause::OnlyPasskey).unwrap();
        let is_cause = matches!(weighed.assessment, Assessment::Cause(_));
        assert_eq!(is_cause, !gives_codes, "why: {why}");
    }
}
