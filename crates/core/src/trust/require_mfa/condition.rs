//! The conditions of one statement, made to ask for MFA.

use serde_json::{Map, Value, json};

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";
/// Bounds from above on a number. Those with `IfExists` let an absent age pass; with MFA it is there.
const UPPER_BOUNDS: [&str; 4] =
    ["NumericLessThan", "NumericLessThanEquals", "NumericLessThanIfExists", "NumericLessThanEqualsIfExists"];

/// Makes the `Condition` of `statement` ask for MFA, not older than `max_age` seconds where that is given.
pub(super) fn ask_for_mfa(statement: &mut Map<String, Value>, max_age: Option<u64>) {
    let mut conditions = match statement.get("Condition") {
        Some(Value::Object(conditions)) => conditions.clone(),
        _ => Map::new(),
    };
    let is_asked = |operator: &str, value: &Value| is(operator, "Bool") && is_true(value);
    // What stands right already stays as it is written.
    if !entries(&conditions, PRESENT).any(|(operator, value)| is_asked(operator, value)) {
        if let Some(value) = find_mut(&mut conditions, "Bool", PRESENT) {
            *value = json!("true");
        } else {
            insert(&mut conditions, "Bool", PRESENT, json!("true"));
        }
    }
    retain(&mut conditions, |operator, key, value| {
        let is_hole = is(key, PRESENT) && !is_asked(operator, value);
        let is_null = is(key, AGE) && is(operator.rsplit(':').next().unwrap_or(operator), "Null");
        !is_hole && !is_null
    });
    if let Some(seconds) = max_age {
        let wanted = |value: &Value| *value == json!(seconds) || *value == json!(seconds.to_string());
        let is_bounded = entries(&conditions, AGE)
            .any(|(operator, value)| is(operator, "NumericLessThan") && wanted(value));
        retain(&mut conditions, |operator, key, _| {
            let is_kept = is_bounded && is(operator, "NumericLessThan");
            is_kept || !is(key, AGE) || !UPPER_BOUNDS.iter().any(|bound| is(operator, bound))
        });
        if !is_bounded {
            insert(&mut conditions, "NumericLessThan", AGE, json!(seconds.to_string()));
        }
    }
    statement.insert("Condition".to_owned(), Value::Object(conditions));
}

/// Operators and keys are AWS's in any case.
fn is(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => is(text, "true"),
        Value::Array(values) => matches!(values.as_slice(), [only] if is_true(only)),
        _ => false,
    }
}

/// The operators that have `key`, and their values for it.
fn entries<'a>(
    conditions: &'a Map<String, Value>,
    key: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    conditions.iter().flat_map(move |(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten().filter(move |(name, _)| is(name, key));
        keys.map(move |(_, value)| (operator.as_str(), value))
    })
}

fn find_mut<'a>(conditions: &'a mut Map<String, Value>, operator: &str, key: &str) -> Option<&'a mut Value> {
    let keys = conditions.iter_mut().filter(|(name, _)| is(name, operator));
    let mut values = keys.filter_map(|(_, keys)| keys.as_object_mut()).flatten();
    values.find(|(name, _)| is(name, key)).map(|(_, value)| value)
}

fn insert(conditions: &mut Map<String, Value>, operator: &str, key: &str, value: Value) {
    let name =
        conditions.keys().find(|name| is(name, operator)).cloned().unwrap_or_else(|| operator.to_owned());
    let keys = conditions.entry(name).or_insert_with(|| json!({}));
    if let Some(keys) = keys.as_object_mut() {
        keys.insert(key.to_owned(), value);
    }
}

/// Drops the keys that `is_kept` does not want, and operators that are left with none.
fn retain(conditions: &mut Map<String, Value>, is_kept: impl Fn(&str, &str, &Value) -> bool) {
    for (operator, keys) in conditions.iter_mut() {
        if let Some(keys) = keys.as_object_mut() {
            keys.retain(|key, value| is_kept(operator, key, value));
        }
    }
    conditions.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
}
