//! Checks parameters against rules that are plain data, and reports violations in AWS's wording.
//!
//! Lengths are in characters.

use crate::error_response::ErrorResponse;
use crate::http::Params;

/// Letters, digits and `_+=,.@-`, as in most names.
pub(crate) const NAME: Pattern =
    Pattern { text: r"[\w+=,.@-]*", is_allowed: |c| is_word(c) || "+=,.@-".contains(c) };
/// The characters of MFA serial numbers.
pub(crate) const SERIAL: Pattern =
    Pattern { text: r"[\w+=/:,.@-]*", is_allowed: |c| is_word(c) || "+=/:,.@-".contains(c) };
/// Digits only.
pub(crate) const DIGITS: Pattern = Pattern { text: r"[\d]*", is_allowed: |c| c.is_ascii_digit() };
/// `\w` only.
pub(crate) const WORD: Pattern = Pattern { text: r"[\w]*", is_allowed: is_word };
/// The characters of policies.
pub(crate) const LATIN: Pattern = Pattern {
    text: r"[\u0009\u000A\u000D\u0020-\u00FF]+",
    is_allowed: |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'),
};

/// A pattern: its text in error messages, and the equivalent test of each character.
#[derive(Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    pub(crate) is_allowed: fn(char) -> bool,
}

/// The allowed values of a parameter.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A text of `min..=max` characters.
    Text(usize, usize, Option<Pattern>),
    /// A whole number in `min..=max`.
    Number(i64, i64),
    /// A list with a maximum number of members; each has text fields, or is itself a text if the field's name is empty.
    List(usize, &'static [(&'static str, Kind)]),
}

/// A parameter and its allowed values.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    is_required: bool,
    kind: Kind,
    shown: Shown,
    is_target: bool,
}

/// How the log shows a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The whole value.
    Plain,
    /// Only its last four characters.
    Masked,
    /// Only that it is present. The value is also removed from error messages that quote it.
    Hidden,
}

/// Returns the rule of a required parameter.
pub(crate) const fn required(name: &'static str, kind: Kind) -> Rule {
    Rule { name, is_required: true, kind, shown: Shown::Plain, is_target: false }
}

/// Returns the rule of an optional parameter.
pub(crate) const fn optional(name: &'static str, kind: Kind) -> Rule {
    Rule { name, is_required: false, kind, shown: Shown::Plain, is_target: false }
}

impl Rule {
    /// Marks the parameter as a secret.
    pub(crate) const fn secret(self) -> Self {
        Self { shown: Shown::Hidden, ..self }
    }

    /// Marks the parameter as one whose last four characters the log shows.
    pub(crate) const fn masked(self) -> Self {
        Self { shown: Shown::Masked, ..self }
    }

    /// Marks the parameter as the name of the resource, which the log records even if the parameters are invalid.
    pub(crate) const fn target(self) -> Self {
        Self { is_target: true, ..self }
    }
}

/// Returns how the log shows the parameter `name` of a call with `rules`. Members of a list follow the rule of the
/// list; unknown parameters are hidden.
pub(crate) fn shown_by(rules: &[Rule], name: &str) -> Shown {
    let stem = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
    let rule = rules.iter().find(|rule| stem(rule.name) == stem(name));
    rule.map_or(Shown::Hidden, |rule| rule.shown)
}

/// Returns the resource that the parameters of a call name.
pub(crate) fn find_target<'a>(rules: &[Rule], params: &'a Params) -> Option<&'a str> {
    rules.iter().filter(|rule| rule.is_target).find_map(|rule| params.get(rule.name))
}

/// Returns whether `\w` matches the character.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Checks the parameters of a call, and reports all violations at once.
pub(crate) fn check_params(rules: &[Rule], params: &Params) -> Result<(), ErrorResponse> {
    let mut errors = Vec::new();
    for rule in rules {
        let name = camel(rule.name);
        if let Kind::List(max, fields) = rule.kind {
            let members = params.list(rule.name);
            if members.is_empty() && rule.is_required {
                errors.push(failed("null", &name, "Member must not be null"));
            }
            check_list(&mut errors, &name, &members, max, fields);
            continue;
        }
        match params.get(rule.name) {
            Some(value) => check_value(&mut errors, &name, value, rule.kind)?,
            None if rule.is_required => errors.push(failed("null", &name, "Member must not be null")),
            None => {}
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let noun = if errors.len() == 1 { "error" } else { "errors" };
    Err(ErrorResponse::validation(format!(
        "{} validation {noun} detected: {}",
        errors.len(),
        errors.join("; ")
    )))
}

/// Returns whether `kind` accepts the text `value`.
pub(crate) fn is_text_of(value: &str, kind: Kind) -> bool {
    let Kind::Text(min, max, pattern) = kind else { return false };
    let mut errors = Vec::new();
    check_text(&mut errors, "", value, min, max, pattern);
    errors.is_empty()
}

fn check_list(
    errors: &mut Vec<String>,
    name: &str,
    members: &[Params],
    max: usize,
    fields: &[(&'static str, Kind)],
) {
    if members.len() > max {
        let shown = format!("'[{} members]'", members.len());
        let rule = format!("Member must have length less than or equal to {max}");
        errors.push(failed(&shown, name, &rule));
    }
    for (number, member) in (1..).zip(members) {
        for &(field, kind) in fields {
            let dot = if field.is_empty() { "" } else { "." };
            let path = format!("{name}.{number}.member{dot}{}", camel(field));
            match (member.get(field), kind) {
                (Some(value), Kind::Text(min, max, pattern)) => {
                    check_text(errors, &path, value, min, max, pattern);
                }
                (None, _) => errors.push(failed("null", &path, "Member must not be null")),
                _ => {}
            }
        }
    }
}

fn check_value(errors: &mut Vec<String>, name: &str, value: &str, kind: Kind) -> Result<(), ErrorResponse> {
    match kind {
        Kind::Text(min, max, pattern) => check_text(errors, name, value, min, max, pattern),
        Kind::Number(min, max) => {
            let number: i64 = value.parse().map_err(|_| {
                ErrorResponse::new(
                    400,
                    "MalformedInput",
                    format!("'{value}' at '{name}' is not a whole number"),
                )
            })?;
            if number < min {
                let rule = format!("Member must have value greater than or equal to {min}");
                errors.push(failed(&quoted(value), name, &rule));
            }
            if number > max {
                let rule = format!("Member must have value less than or equal to {max}");
                errors.push(failed(&quoted(value), name, &rule));
            }
        }
        Kind::List(..) => {}
    }
    Ok(())
}

fn check_text(
    errors: &mut Vec<String>,
    name: &str,
    value: &str,
    min: usize,
    max: usize,
    pattern: Option<Pattern>,
) {
    let length = value.chars().count();
    let shown = quoted(value);
    if length < min {
        let rule = format!("Member must have length greater than or equal to {min}");
        errors.push(failed(&shown, name, &rule));
    }
    if length > max {
        let rule = format!("Member must have length less than or equal to {max}");
        errors.push(failed(&shown, name, &rule));
    }
    if let Some(pattern) = pattern.filter(|pattern| !value.chars().all(pattern.is_allowed)) {
        let rule = format!("Member must satisfy regular expression pattern: {}", pattern.text);
        errors.push(failed(&shown, name, &rule));
    }
}

fn quoted(value: &str) -> String {
    format!("'{value}'")
}

fn failed(shown: &str, name: &str, rule: &str) -> String {
    format!("Value {shown} at '{name}' failed to satisfy constraint: {rule}")
}

/// Lower-cases the first letter: `RoleArn` to `roleArn`, `SAMLAssertion` to `sAMLAssertion`.
fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}
