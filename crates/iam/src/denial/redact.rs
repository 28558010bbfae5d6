//! Masks ARNs, account ids and the names in them, so that output can be shared publicly.
//!
//! Masks are numbered, so that equal values have equal masks. A word that is also a user's name is masked too: masking
//! too much is safer than too little.

use hatbox_types::arn::Arn;
use serde_json::Value;

/// Masks texts, and remembers the masked values.
#[derive(Debug, Default)]
pub struct Redactor {
    names: Vec<String>,
    seen: Vec<(String, String)>,
}

impl Redactor {
    /// Creates a redactor that also masks `names`: the names of users, roles and devices outside ARNs.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
        // The longest first, as one name may start with another.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.dedup();
        Self { names, seen: Vec::new() }
    }

    /// Returns the names in the ARNs of `text`.
    pub fn names_in(text: &str) -> Vec<String> {
        arns(text)
            .flat_map(|(_, arn)| {
                let resource = Arn::parse(arn).map_or("", |arn| arn.resource);
                resource.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Returns the text with everything masked.
    pub fn redact(&mut self, text: &str) -> String {
        let mut masked = String::new();
        let mut end = 0;
        for (start, arn) in arns(text) {
            masked.push_str(text.get(end..start).unwrap_or_default());
            masked.push_str(&self.mask(arn, kind_of(arn)));
            end = start + arn.len();
        }
        masked.push_str(text.get(end..).unwrap_or_default());
        let masked = self.redact_accounts(&masked);
        self.redact_names(masked)
    }

    /// Masks all strings in the value, except the names of members.
    pub fn redact_json(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.redact_json(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn mask(&mut self, text: &str, kind: &str) -> String {
        if let Some((_, mask)) = self.seen.iter().find(|(seen, _)| seen == text) {
            return mask.clone();
        }
        let prefix = format!("<{kind}-");
        let number = 1 + self.seen.iter().filter(|(_, mask)| mask.starts_with(&prefix)).count();
        let mask = format!("{prefix}{number}>");
        self.seen.push((text.to_owned(), mask.clone()));
        mask
    }

    fn redact_accounts(&mut self, text: &str) -> String {
        let mut masked = String::new();
        let mut digits = String::new();
        for c in text.chars().chain(['\0']) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            if digits.len() == 12 {
                let mask = self.mask(&digits, "account");
                masked.push_str(&mask);
            } else {
                masked.push_str(&digits);
            }
            digits.clear();
            if c != '\0' {
                masked.push(c);
            }
        }
        masked
    }

    fn redact_names(&mut self, mut text: String) -> String {
        for name in self.names.clone() {
            let mut masked = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find(&name) {
                let (before, from) = rest.split_at(at);
                let after = from.get(name.len()..).unwrap_or_default();
                let is_word = !masked_char(before.chars().next_back()) && !masked_char(after.chars().next());
                masked.push_str(before);
                masked.push_str(&if is_word { self.mask(&name, "name") } else { name.clone() });
                rest = after;
            }
            masked.push_str(rest);
            text = masked;
        }
        text
    }
}

/// Whether the character would continue a name, or is part of a mask.
fn masked_char(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || "_-<>".contains(c))
}

/// Returns the ARNs in a text, with their byte offsets.
fn arns(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("arn:").filter_map(move |(start, _)| {
        let rest = text.get(start..)?;
        let is_end = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>".contains(c);
        let arn = rest.get(..rest.find(is_end).unwrap_or(rest.len()))?;
        let arn = arn.trim_end_matches(['.', ':']);
        (arn.matches(':').count() >= 5).then_some((start, arn))
    })
}

fn kind_of(arn: &str) -> &'static str {
    let resource = Arn::parse(arn).map_or("", |arn| arn.resource);
    match resource.split(['/', ':']).next() {
        Some("user") => "user",
        Some("role") => "role",
        Some("assumed-role") => "session",
        Some("mfa") => "device",
        Some("policy") => "policy",
        _ => "arn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_masked_alike_and_nothing_else_is() {
        let text = "User: arn:aws:iam::111122223333:user/alice is not authorized on \
                    arn:aws:iam::444455556666:role/Ops. alice, you are in 111122223333; malice and 1234567890123 stay";
        let mut redactor = Redactor::new(Redactor::names_in(text));
        assert_eq!(
            redactor.redact(text),
            "User: <user-1> is not authorized on <role-1>. <name-1>, you are in <account-1>; \
             malice and 1234567890123 stay"
        );
        assert_eq!(redactor.redact("arn:aws:iam::444455556666:role/Ops"), "<role-1>");
        let mut json = serde_json::json!({ "a": ["444455556666"], "b": 444_455_556_666_u64 });
        redactor.redact_json(&mut json);
        assert_eq!(json["a"][0], "<account-2>");
    }
}
