//! The maximum number of list members in STS, and the size limits of session policies.

use crate::client::{AUDITOR, OPEN, Sandbox};
use crate::parameters::{at_most, base, call};

#[test]
fn lists_have_an_end() {
    let sandbox = Sandbox::start();
    let tags = |count: usize| -> Vec<(String, String)> {
        let tag = |n| {
            [
                (format!("Tags.member.{n}.Key"), format!("k{n}")),
                (format!("Tags.member.{n}.Value"), "v".into()),
            ]
        };
        (1..=count).flat_map(tag).collect()
    };
    let arns = |count: usize| -> Vec<(String, String)> {
        let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
        (1..=count).map(|n| (format!("PolicyArns.member.{n}.arn"), arn.clone())).collect()
    };
    let send = |params: Vec<(String, String)>| {
        let params: Vec<(&str, &str)> = params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        sandbox.assume(&sandbox.jan, OPEN, &params)
    };
    let contexts = |count: usize| -> Vec<(String, String)> {
        (1..=count)
            .map(|n| (format!("ProvidedContexts.member.{n}.ProviderArn"), AUDITOR.to_owned()))
            .collect()
    };
    send(contexts(5)).ok();
    send(tags(50)).ok();
    send(arns(10)).ok();
    for (many, name, max) in
        [(tags(51), "tags", 50), (arns(11), "policyArns", 10), (contexts(6), "providedContexts", 5)]
    {
        let answer = send(many);
        assert_eq!(answer.text("Code"), "ValidationError");
        let end = format!("at '{name}' failed to satisfy constraint: {}", at_most(max));
        assert!(answer.text("Message").ends_with(&end), "{}", answer.body);
    }
    let transitive = |count: usize| -> Vec<(String, String)> {
        let keys = (1..=count).map(|n| (format!("TransitiveTagKeys.member.{n}"), format!("k{n}")));
        tags(50).into_iter().chain(keys).collect()
    };
    send(transitive(50)).ok();
    let end = format!("at 'transitiveTagKeys' failed to satisfy constraint: {}", at_most(50));
    assert!(send(transitive(51)).text("Message").ends_with(&end));
    for (action, many, enough, name, max) in [
        ("GetFederationToken", tags(51), tags(50), "tags", 50),
        ("GetFederationToken", arns(11), arns(10), "policyArns", 10),
        ("GetWebIdentityToken", tags(51), tags(50), "tags", 50),
        ("AssumeRoleWithSAML", arns(11), arns(10), "policyArns", 10),
        ("AssumeRoleWithWebIdentity", arns(11), arns(10), "policyArns", 10),
    ] {
        let told = |list: &[(String, String)]| {
            let mut params = base(action);
            params.extend(list.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            sandbox.sts(&sandbox.jan, action, &params).text("Message")
        };
        let end = format!("at '{name}' failed to satisfy constraint: {}", at_most(max));
        assert!(told(&many).ends_with(&end), "{action}: {}", told(&many));
        assert!(!told(&enough).contains("failed to satisfy constraint"), "{action}: {}", told(&enough));
    }
    let long = |key: usize, value: usize| {
        send(vec![
            ("Tags.member.1.Key".into(), "k".repeat(key)),
            ("Tags.member.1.Value".into(), "v".repeat(value)),
        ])
    };
    long(128, 256).ok();
    assert!(long(129, 1).text("Message").contains("at 'tags.1.member.key'"));
    assert!(long(1, 257).text("Message").contains("at 'tags.1.member.value'"));
}

#[test]
fn a_session_policy_is_parsed_and_weighed() {
    let sandbox = Sandbox::start();
    let answer = call(&sandbox, "AssumeRole", "Policy", "{");
    assert_eq!((answer.status, answer.text("Code").as_str()), (400, "MalformedPolicyDocument"));
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let answer = call(&sandbox, "AssumeRole", "Policy", policy);
    let percent: u32 = answer.ok().text("PackedPolicySize").parse().unwrap();
    assert!((1..=100).contains(&percent), "{percent}");
    // Each is within its own limit, but together they exceed the plain-text limit.
    let long = policy.replace("s3:*", &format!("s3:{}*", "x".repeat(1950 - policy.len())));
    let arns: Vec<String> = (1..=9).map(|n| format!("PolicyArns.member.{n}.arn")).collect();
    let mut params = vec![("Policy", long.as_str())];
    params.extend(arns.iter().map(|name| (name.as_str(), "arn:aws:iam::aws:policy/ReadOnlyAccess")));
    let answer = sandbox.assume(&sandbox.jan, OPEN, &params);
    assert_eq!(
        (answer.status, answer.text("Code").as_str()),
        (400, "PackedPolicyTooLarge"),
        "{}",
        answer.body
    );
    sandbox.assume(&sandbox.jan, OPEN, &params[..1]).ok();
}

#[test]
fn tags_weigh_beside_the_policy() {
    let sandbox = Sandbox::start();
    let send = |length: usize| {
        let value = "v".repeat(length);
        let names: Vec<_> = (1..=50)
            .map(|n| (format!("Tags.member.{n}.Key"), format!("Tags.member.{n}.Value"), format!("k{n}")))
            .collect();
        let params: Vec<_> = names
            .iter()
            .flat_map(|(key, text, name)| [(key.as_str(), name.as_str()), (text.as_str(), value.as_str())])
            .collect();
        sandbox.assume(&sandbox.jan, OPEN, &params)
    };
    let percent: u32 = send(40).ok().text("PackedPolicySize").parse().unwrap();
    assert!((40..=100).contains(&percent), "{percent}");
    let answer = send(256);
    assert_eq!(
        (answer.status, answer.text("Code").as_str()),
        (400, "PackedPolicyTooLarge"),
        "{}",
        answer.body
    );
}

#[test]
fn a_session_token_is_as_long_as_is_asked() {
    let sandbox = Sandbox::start();
    let length = |params: &[(&str, &str)]| {
        let keys = sandbox.assume(&sandbox.jan, OPEN, params).keys();
        sandbox.sts(&keys, "GetCallerIdentity", &[]).ok();
        keys.token.unwrap().len()
    };
    let usual = length(&[]);
    assert_eq!(length(&[("MinimumSessionTokenSize", "0")]), usual);
    for size in [1000, 4096] {
        assert!(length(&[("MinimumSessionTokenSize", &size.to_string())]) >= size);
    }
}
