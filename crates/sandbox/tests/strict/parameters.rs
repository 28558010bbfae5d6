//! The limits of each STS parameter: the last accepted value, the first rejected one, and the error message.

use crate::client::{AUDITOR, Answer, OPEN, Sandbox};

const NAME: &str = r"Member must satisfy regular expression pattern: [\w+=,.@-]*";

fn at_least(n: u32) -> String {
    format!("Member must have length greater than or equal to {n}")
}

pub(crate) fn at_most(n: u32) -> String {
    format!("Member must have length less than or equal to {n}")
}

fn text(value: &str, name: &str, rule: &str) -> String {
    format!("1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}")
}

/// Returns the parameters that a call needs apart from the tested one.
pub(crate) fn base(action: &str) -> Vec<(&'static str, &'static str)> {
    match action {
        "AssumeRole" => vec![("RoleArn", OPEN), ("RoleSessionName", "me")],
        "AssumeRoleWithSAML" => {
            vec![("RoleArn", AUDITOR), ("PrincipalArn", AUDITOR), ("SAMLAssertion", "abcd")]
        }
        "AssumeRoleWithWebIdentity" => {
            vec![("RoleArn", AUDITOR), ("RoleSessionName", "me"), ("WebIdentityToken", "abcd")]
        }
        "AssumeRoot" => vec![
            ("TargetPrincipal", "444455556666"),
            ("TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"),
        ],
        "GetFederationToken" => vec![("Name", "jo")],
        "GetDelegatedAccessToken" => vec![("TradeInToken", "abcd")],
        "GetWebIdentityToken" => vec![("Audience.member.1", "them"), ("SigningAlgorithm", "ES384")],
        "GetAccessKeyInfo" => vec![("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")],
        "DecodeAuthorizationMessage" => vec![("EncodedMessage", "x")],
        _ => Vec::new(),
    }
}

pub(crate) fn call(sandbox: &Sandbox, action: &str, name: &str, value: &str) -> Answer {
    let mut params = base(action);
    params.retain(|(n, _)| *n != name);
    params.push((name, value));
    sandbox.sts(&sandbox.jan, action, &params)
}

/// Action, parameter, its name in the error message, last accepted value, first rejected value, violated rule.
type Row = (&'static str, &'static str, &'static str, String, String, String);

fn x(n: usize) -> String {
    "x".repeat(n)
}

fn seconds(n: i64, word: &str) -> String {
    format!("Member must have value {word} than or equal to {n}")
}

fn rows_of_roles() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |action, parameter, name, good: String, bad: String, rule: String| {
        rows.push((action, parameter, name, good, bad, rule));
    };
    let arn = |n: usize| format!("{OPEN}{}", "x".repeat(n - OPEN.len()));
    for action in ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"] {
        row(action, "RoleArn", "roleArn", arn(2048), arn(2049), at_most(2048));
        row(
            action,
            "RoleArn",
            "roleArn",
            "arn:aws:iam::1:role/".into(),
            "arn:aws:iam::1:role".into(),
            at_least(20),
        );
        row(
            action,
            "DurationSeconds",
            "durationSeconds",
            "900".into(),
            "899".into(),
            seconds(900, "greater"),
        );
        row(
            action,
            "DurationSeconds",
            "durationSeconds",
            "43200".into(),
            "43201".into(),
            seconds(43_200, "less"),
        );
        row(action, "Policy", "policy", x(2048), x(2049), at_most(2048));
    }
    for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
        row(action, "RoleSessionName", "roleSessionName", x(2), x(1), at_least(2));
        row(action, "RoleSessionName", "roleSessionName", x(64), x(65), at_most(64));
        row(action, "RoleSessionName", "roleSessionName", "a_+=,.@-9".into(), "a b".into(), NAME.into());
    }
    let a = "AssumeRole";
    row(a, "ExternalId", "externalId", x(2), x(1), at_least(2));
    row(a, "ExternalId", "externalId", x(1224), x(1225), at_most(1224));
    let external = r"Member must satisfy regular expression pattern: [\w+=,.@:\/-]*";
    row(a, "ExternalId", "externalId", "a:/b".into(), "a*b".into(), external.into());
    row(a, "SourceIdentity", "sourceIdentity", x(2), x(1), at_least(2));
    row(a, "SourceIdentity", "sourceIdentity", x(64), x(65), at_most(64));
    row(a, "SourceIdentity", "sourceIdentity", "a@b".into(), "a/b".into(), NAME.into());
    row(a, "Policy", "policy", "{}".into(), String::new(), at_least(1));
    let latin = r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+";
    row(a, "Policy", "policy", "\u{ff}".into(), "\u{100}".into(), latin.into());
    for action in ["AssumeRole", "GetSessionToken"] {
        row(action, "SerialNumber", "serialNumber", x(9), x(8), at_least(9));
        row(action, "SerialNumber", "serialNumber", x(256), x(257), at_most(256));
        let serial = r"Member must satisfy regular expression pattern: [\w+=/:,.@-]*";
        row(action, "SerialNumber", "serialNumber", "a:b/c=d+e".into(), "GAHT 1234".into(), serial.into());
        row(action, "TokenCode", "tokenCode", "123456".into(), "12345".into(), at_least(6));
        row(action, "TokenCode", "tokenCode", "123456".into(), "1234567".into(), at_most(6));
        let digits = r"Member must satisfy regular expression pattern: [\d]*";
        row(action, "TokenCode", "tokenCode", "123456".into(), "12345a".into(), digits.into());
    }
    rows
}

fn rows_of_tokens() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |action, parameter, name, good: String, bad: String, rule: String| {
        rows.push((action, parameter, name, good, bad, rule));
    };
    for action in ["GetSessionToken", "GetFederationToken"] {
        row(
            action,
            "DurationSeconds",
            "durationSeconds",
            "900".into(),
            "899".into(),
            seconds(900, "greater"),
        );
        row(
            action,
            "DurationSeconds",
            "durationSeconds",
            "129600".into(),
            "129601".into(),
            seconds(129_600, "less"),
        );
    }
    for action in [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "GetSessionToken",
        "GetFederationToken",
    ] {
        let (size, name) = ("MinimumSessionTokenSize", "minimumSessionTokenSize");
        row(action, size, name, "4096".into(), "4097".into(), seconds(4096, "less"));
        row(action, size, name, "0".into(), "-1".into(), seconds(0, "greater"));
    }
    row("GetFederationToken", "Name", "name", x(2), x(1), at_least(2));
    row("GetFederationToken", "Name", "name", x(32), x(33), at_most(32));
    row("GetFederationToken", "Name", "name", "a.b".into(), "a:b".into(), NAME.into());
    row("GetFederationToken", "Policy", "policy", x(2048), x(2049), at_most(2048));
    row("AssumeRoleWithSAML", "SAMLAssertion", "sAMLAssertion", x(4), x(3), at_least(4));
    row("AssumeRoleWithSAML", "SAMLAssertion", "sAMLAssertion", x(100_000), x(100_001), at_most(100_000));
    row("AssumeRoleWithWebIdentity", "WebIdentityToken", "webIdentityToken", x(4), x(3), at_least(4));
    row(
        "AssumeRoleWithWebIdentity",
        "WebIdentityToken",
        "webIdentityToken",
        x(20_000),
        x(20_001),
        at_most(20_000),
    );
    row("AssumeRoleWithWebIdentity", "ProviderId", "providerId", x(4), x(3), at_least(4));
    row("AssumeRoleWithWebIdentity", "ProviderId", "providerId", x(2048), x(2049), at_most(2048));
    row("AssumeRoot", "TargetPrincipal", "targetPrincipal", x(12), x(11), at_least(12));
    row("AssumeRoot", "DurationSeconds", "durationSeconds", "900".into(), "901".into(), seconds(900, "less"));
    row("AssumeRoot", "TargetPrincipal", "targetPrincipal", x(2048), x(2049), at_most(2048));
    row("AssumeRoot", "DurationSeconds", "durationSeconds", "0".into(), "-1".into(), seconds(0, "greater"));
    row("AssumeRoot", "TaskPolicyArn.arn", "taskPolicyArn.arn", x(20), x(19), at_least(20));
    let a = "GetWebIdentityToken";
    row(a, "DurationSeconds", "durationSeconds", "60".into(), "59".into(), seconds(60, "greater"));
    row(a, "DurationSeconds", "durationSeconds", "3600".into(), "3601".into(), seconds(3600, "less"));
    row(a, "Audience.member.1", "audience.1.member", x(1), String::new(), at_least(1));
    row(a, "Audience.member.1", "audience.1.member", x(1000), x(1001), at_most(1000));
    row(a, "SigningAlgorithm", "signingAlgorithm", "ES384".into(), "ES38".into(), at_least(5));
    row(a, "SigningAlgorithm", "signingAlgorithm", "RS256".into(), "ES3840".into(), at_most(5));
    let set = "Member must satisfy enum value set: [RS256, ES384]";
    row(a, "SigningAlgorithm", "signingAlgorithm", "ES384".into(), "HS256".into(), set.into());
    row("AssumeRoleWithSAML", "PrincipalArn", "principalArn", x(20), x(19), at_least(20));
    row("AssumeRoleWithSAML", "PrincipalArn", "principalArn", x(2048), x(2049), at_most(2048));
    row("GetAccessKeyInfo", "AccessKeyId", "accessKeyId", x(16), x(15), at_least(16));
    row("GetAccessKeyInfo", "AccessKeyId", "accessKeyId", x(128), x(129), at_most(128));
    let word = r"Member must satisfy regular expression pattern: [\w]*";
    row("GetAccessKeyInfo", "AccessKeyId", "accessKeyId", x(16), "AKIA-AAAA-AAAA-AAAA".into(), word.into());
    row("DecodeAuthorizationMessage", "EncodedMessage", "encodedMessage", x(1), String::new(), at_least(1));
    row(
        "DecodeAuthorizationMessage",
        "EncodedMessage",
        "encodedMessage",
        x(10_240),
        x(10_241),
        at_most(10_240),
    );
    rows
}

#[test]
fn a_parameter_is_taken_up_to_its_bound_and_refused_past_it() {
    let sandbox = Sandbox::start();
    for (action, parameter, name, good, bad, rule) in rows_of_roles().into_iter().chain(rows_of_tokens()) {
        let refused = call(&sandbox, action, parameter, &bad);
        refused.refused(400, "ValidationError", &text(&bad, name, &rule));
        let taken = call(&sandbox, action, parameter, &good);
        let message = taken.text("Message");
        assert!(!message.contains("failed to satisfy constraint"), "{action} {parameter}: {message}");
    }
}

#[test]
fn a_parameter_that_must_be_there_is_asked_for() {
    let sandbox = Sandbox::start();
    for (action, parameter, name) in [
        ("AssumeRole", "RoleArn", "roleArn"),
        ("AssumeRole", "RoleSessionName", "roleSessionName"),
        ("AssumeRoleWithSAML", "RoleArn", "roleArn"),
        ("AssumeRoleWithSAML", "PrincipalArn", "principalArn"),
        ("AssumeRoleWithSAML", "SAMLAssertion", "sAMLAssertion"),
        ("AssumeRoleWithWebIdentity", "RoleArn", "roleArn"),
        ("AssumeRoleWithWebIdentity", "RoleSessionName", "roleSessionName"),
        ("AssumeRoleWithWebIdentity", "WebIdentityToken", "webIdentityToken"),
        ("AssumeRoot", "TargetPrincipal", "targetPrincipal"),
        ("AssumeRoot", "TaskPolicyArn.arn", "taskPolicyArn.arn"),
        ("GetFederationToken", "Name", "name"),
        ("GetDelegatedAccessToken", "TradeInToken", "tradeInToken"),
        ("GetWebIdentityToken", "Audience.member.1", "audience"),
        ("GetWebIdentityToken", "SigningAlgorithm", "signingAlgorithm"),
        ("GetAccessKeyInfo", "AccessKeyId", "accessKeyId"),
        ("DecodeAuthorizationMessage", "EncodedMessage", "encodedMessage"),
    ] {
        let params: Vec<_> = base(action).into_iter().filter(|(n, _)| *n != parameter).collect();
        let text = format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        );
        sandbox.sts(&sandbox.jan, action, &params).refused(400, "ValidationError", &text);
        let whole = sandbox.sts(&sandbox.jan, action, &base(action)).text("Message");
        assert!(!whole.contains("failed to satisfy constraint"), "{action}: {whole}");
    }
}

#[test]
fn all_that_is_wrong_is_reported_at_once() {
    let sandbox = Sandbox::start();
    let params = [("RoleArn", AUDITOR), ("RoleSessionName", "x"), ("DurationSeconds", "1")];
    let answer = sandbox.sts(&sandbox.jan, "AssumeRole", &params);
    answer.refused(
        400,
        "ValidationError",
        "2 validation errors detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    );
}

#[test]
fn a_role_arn_that_cannot_be_one_is_named() {
    let sandbox = Sandbox::start();
    for arn in
        ["arn:aws:iam::444455556666:user/alice", "arn:aws:iam::44445555666:role/Ops", "xxxxxxxxxxxxxxxxxxxx"]
    {
        sandbox.assume(&sandbox.jan, arn, &[]).refused(400, "ValidationError", &format!("{arn} is invalid"));
    }
    sandbox.assume(&sandbox.jan, OPEN, &[]).ok();
}

#[test]
fn a_duration_that_is_not_a_number_is_refused() {
    let sandbox = Sandbox::start();
    let answer = call(&sandbox, "GetSessionToken", "DurationSeconds", "1h");
    assert_eq!((answer.status, answer.text("Code").as_str()), (400, "MalformedInput"));
}

#[test]
fn calls_without_a_counterpart_here_are_refused_after_their_parameters() {
    let sandbox = Sandbox::start();
    for (action, status, code) in
        [("AssumeRoleWithSAML", 400, "InvalidIdentityToken"), ("AssumeRoot", 403, "AccessDenied")]
    {
        let answer = sandbox.sts(&sandbox.jan, action, &base(action));
        assert_eq!((answer.status, answer.text("Code").as_str()), (status, code), "{action}");
    }
    let answer = call(&sandbox, "DecodeAuthorizationMessage", "EncodedMessage", "x");
    assert_eq!((answer.status, answer.text("Code").as_str()), (400, "InvalidAuthorizationMessageException"));
}
