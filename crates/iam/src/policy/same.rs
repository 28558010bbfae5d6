//! Compares two policy texts by meaning, as IAM may return a policy in another form than it was given.
//!
//! IAM may change whitespace, the order of members, a single value into a list of one, or an account id into the ARN of
//! its root. None of these changes the meaning of the policy.

use serde_json::{Map, Value};

use super::arn::Arn;

/// Whether both texts mean the same policy. A text that is not JSON equals only itself.
pub fn is_same_policy(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok().map(|value| normalize(value, None));
    one == other || parse(one).is_some_and(|one| Some(one) == parse(other))
}

/// Returns `value` in a canonical form; `name` is the member that contains it.
fn normalize(value: Value, name: Option<&str>) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| normalize(item, name)).collect();
            // Lists are sets, except for the statements: their numbers appear in messages.
            if name != Some("Statement") {
                items.sort_by_key(Value::to_string);
                items.dedup();
            }
            match <[Value; 1]>::try_from(items) {
                Ok([only]) => only,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .map(|(name, value)| (name.clone(), normalize(value, Some(&name))))
                .collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::String(text) if name == Some("AWS") => match Arn::parse(&text) {
            Some(arn) if (arn.service, arn.resource) == ("iam", "root") => arn.account.into(),
            _ => Value::String(text),
        },
        // IAM treats `true` and `"true"` alike.
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_mean_the_same_are_the_same() {
        let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":true}}}}"#;
        let other = r#"{
            "Statement": [{
                "Principal": { "AWS": ["arn:aws:iam::111122223333:root"] },
                "Effect": "Allow",
                "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
                "Action": ["sts:AssumeRole"]
            }],
            "Version": "2012-10-17"
        }"#;
        assert!(is_same_policy(one, other));
        assert!(is_same_policy(r#"{"Action":["a","b"]}"#, r#"{"Action":["b","a"]}"#));
        assert!(is_same_policy("{", "{") && !is_same_policy("{", "{ "));
    }

    #[test]
    fn another_meaning_is_another_policy() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"a"},{"Effect":"Deny","Action":"b"}]}"#;
        for other in [
            policy.replace("Deny", "Allow"),
            policy.replace("\"b\"", "\"*\""),
            policy.replace(r#""Action":"b""#, r#""Action":["b","c"]"#),
            r#"{"Statement":[{"Effect":"Deny","Action":"b"},{"Effect":"Allow","Action":"a"}]}"#.to_owned(),
            r#"{"Statement":[{"Effect":"Allow","Action":"a"}]}"#.to_owned(),
            r#"{"Statement":[]}"#.to_owned(),
        ] {
            assert!(!is_same_policy(policy, &other), "{other}");
        }
        let root = "arn:aws:iam::111122223333:root";
        let of = |name: &str, value: &str| format!(r#"{{"{name}": "{value}"}}"#);
        assert!(is_same_policy(&of("AWS", root), &of("AWS", "111122223333")));
        assert!(!is_same_policy(&of("aws:PrincipalArn", root), &of("aws:PrincipalArn", "111122223333")));
        let alice = "arn:aws:iam::111122223333:user/alice";
        assert!(!is_same_policy(&of("AWS", alice), &of("AWS", "111122223333")));
    }
}
