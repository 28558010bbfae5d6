//! Policy variables: `${key}` and `${key, 'default'}` in resources and condition values.

use std::borrow::Cow;

use super::matching::{Token, parse_pattern};
use super::node::Place;
use super::request::{Context, Lookup};

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `2008-10-17`, also the default: `${...}` is plain text.
    #[default]
    V2008,
    /// `2012-10-17`: with policy variables.
    V2012,
}

/// A text in a policy that may contain wildcards and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text as written.
    pub text: String,
    /// The position of the text.
    pub place: Place,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Tokens(Vec<Token>),
    Variable { name: String, default: Option<String> },
}

/// A template with its variables replaced.
pub(super) enum Filled<'a> {
    /// The pattern to match.
    Tokens(Cow<'a, [Token]>),
    /// A variable has no value, so that nothing matches.
    NoValue,
    /// The value of this key is unknown.
    Unknown(&'a str),
}

impl Template {
    /// Parses `text` as `version` of the policy language does.
    pub(super) fn parse(text: String, place: Place, version: Version) -> Self {
        let pieces = match version {
            Version::V2008 => vec![Piece::Tokens(parse_pattern(&text).collect())],
            Version::V2012 => parse_pieces(&text),
        };
        Self { text, place, pieces }
    }

    /// Returns the keys that its variables name, as written.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { name, .. } => Some(name.as_str()),
            Piece::Tokens(_) => None,
        })
    }

    /// Replaces the variables with values from `context`. A `*` or `?` in a value is literal.
    pub(super) fn fill<'a>(&'a self, context: &Context) -> Filled<'a> {
        if let [Piece::Tokens(tokens)] = self.pieces.as_slice() {
            return Filled::Tokens(Cow::Borrowed(tokens));
        }
        let mut filled = Vec::new();
        let mut unknown = None;
        for piece in &self.pieces {
            match piece {
                Piece::Tokens(tokens) => filled.extend_from_slice(tokens),
                Piece::Variable { name, default } => match (context.find(name), default) {
                    (Lookup::Values([value]), _) => filled.extend(value.chars().map(Token::Char)),
                    (Lookup::Absent, Some(default)) => filled.extend(default.chars().map(Token::Char)),
                    (Lookup::Absent | Lookup::Values(_), _) => return Filled::NoValue,
                    (Lookup::Unknown, _) => unknown = Some(name.as_str()),
                },
            }
        }
        unknown.map_or(Filled::Tokens(Cow::Owned(filled)), Filled::Unknown)
    }
}

/// `${*}`, `${?}` and `${$}` are escapes for these characters. A variable without `}` is plain text.
fn parse_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = split_at_end(after) else { break };
        tokens.extend(parse_pattern(before));
        rest = after;
        match inside {
            "*" | "?" | "$" => tokens.extend(inside.chars().map(Token::Char)),
            _ => {
                let (name, default) = parse_variable(inside);
                if !tokens.is_empty() {
                    pieces.push(Piece::Tokens(std::mem::take(&mut tokens)));
                }
                pieces.push(Piece::Variable { name, default });
            }
        }
    }
    tokens.extend(parse_pattern(rest));
    if !tokens.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Tokens(tokens));
    }
    pieces
}

/// Splits at the `}` that ends a variable, skipping those in a quoted default.
fn split_at_end(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let end = text.find(|c| {
        is_quoted ^= c == '\'';
        c == '}' && !is_quoted
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn parse_variable(inside: &str) -> (String, Option<String>) {
    let quoted = |text: &str| Some(text.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
    match inside.split_once(',') {
        Some((name, default)) => match quoted(default) {
            Some(default) => (name.trim().to_owned(), Some(default)),
            None => (inside.to_owned(), None),
        },
        None => (inside.trim().to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::matching::{Case, is_match};
    use super::*;

    fn context() -> Context {
        Context::complete([
            ("aws:username", vec!["alice"]),
            ("aws:PrincipalTag/Team", vec!["a*b"]),
            ("aws:TagKeys", vec!["x", "y"]),
        ])
    }

    fn matches(template: &str, text: &str, context: &Context) -> Option<bool> {
        let place = Place { line: 1, column: 1 };
        match Template::parse(template.to_owned(), place, Version::V2012).fill(context) {
            Filled::Tokens(tokens) => Some(is_match(&tokens, text, Case::Sensitive)),
            Filled::NoValue => Some(false),
            Filled::Unknown(_) => None,
        }
    }

    #[test]
    fn variables_are_filled_from_the_request() {
        for (template, text, fits, why) in [
            ("${aws:username}", "alice", true, "the whole text"),
            ("home/${AWS:UserName}/*", "home/alice/x", true, "names in any case, wildcards around"),
            ("${aws:PrincipalTag/team}", "a*b", true, "a tag"),
            ("${aws:PrincipalTag/team}", "axb", false, "a star in a value is literal"),
            ("${aws:userid}", "", false, "without value nothing matches"),
            ("${aws:userid, 'none'}", "none", true, "a default"),
            ("${aws:userid,''}", "", true, "an empty default"),
            ("${aws:userid, 'a}b'}", "a}b", true, "a brace within a default"),
            ("${aws:username, 'none'}", "none", false, "a value goes before the default"),
            ("${aws:TagKeys}", "x", false, "a key of many values has no one value"),
            ("${aws:TagKeys, 'z'}", "z", false, "nor is it absent"),
            ("a${*}${?}${$}", "a*?$", true, "the three signs themselves"),
            ("a${*}", "ab", false, "an escaped star is no wildcard"),
            ("${aws:username", "${aws:username", true, "not closed: plain text"),
        ] {
            assert_eq!(matches(template, text, &context()), Some(fits), "{template}: {why}");
        }
    }

    #[test]
    fn the_old_version_knows_no_variables() {
        let place = Place { line: 1, column: 1 };
        let template = Template::parse("${aws:username}".into(), place, Version::V2008);
        assert_eq!(template.variables().count(), 0);
        let newer = Template::parse("a${aws:username}b${aws:userid, 'x'}".into(), place, Version::V2012);
        assert_eq!(newer.variables().collect::<Vec<_>>(), ["aws:username", "aws:userid"]);
        let Filled::Tokens(tokens) = template.fill(&context()) else { panic!("no text") };
        assert!(is_match(&tokens, "${aws:username}", Case::Sensitive));
    }

    #[test]
    fn a_key_that_may_be_there_makes_the_text_unknown() {
        let partial = Context::partial([("aws:username", vec!["alice"])]);
        assert_eq!(matches("${aws:username}", "alice", &partial), Some(true));
        assert_eq!(matches("${aws:userid, 'none'}", "none", &partial), None);
    }
}
