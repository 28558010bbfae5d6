//! Parses single values, and checks AWS's limits before anything is sent.

use super::endpoint::{EndpointError, parse_endpoint};
use super::foreign::render_foreign;
use hatbox_types::duration::DurationError;
use hatbox_types::name::NameError;
use hatbox_types::secret::AccessKeyError;

/// The maximum number of session tags (STS).
pub const MAX_TAGS: usize = 50;

/// Why a value is invalid. The message continues after the value: "`x` has 1 characters, ...".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is not a valid name of its kind.
    #[error("{0}")]
    Name(#[from] NameError),
    /// It is not a valid duration.
    #[error("{0}")]
    Duration(#[from] DurationError),
    /// They are not valid session tags.
    #[error("{0}")]
    Tags(#[from] TagError),
    /// It is not a valid access key. (The caller omits the value.)
    #[error("{0}")]
    AccessKey(#[from] AccessKeyError),
    /// It is none of the possible words.
    #[error("expected one of {0}")]
    Choice(&'static str),
    /// A list of patterns contains an empty one.
    #[error("expected patterns separated by commas, none of them empty")]
    EmptyPattern,
    /// A pattern contains quotes, which would be compared like other characters.
    #[error("expected patterns without quotes; `?` matches one character, also a blank")]
    QuotedPattern,
    /// A pattern begins with a path, which no file name matches.
    #[error("expected the file name of a program at the start of a pattern, without its directory")]
    PatternOfPath,
    /// It is not a valid endpoint URL.
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
}

/// Why a text is not a list of session tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// A part without `=`, or an empty part.
    #[error("expected `KEY=VALUE`, found `{0}`")]
    Form(String),
    /// There are more than [`MAX_TAGS`].
    #[error("expected at most {MAX_TAGS} tags, found {0}")]
    TooMany(usize),
    /// A key is empty or longer than 128 characters, or contains a character that STS rejects.
    #[error("invalid key `{key}`: {reason}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A value is longer than 256 characters, or contains a character that STS rejects.
    #[error("invalid value of `{key}`: {reason}")]
    Value {
        /// The key of the value.
        key: String,
        /// What is wrong with the value.
        reason: NameError,
    },
    /// A key occurs twice. STS ignores the case of keys.
    #[error("the key `{0}` occurs twice")]
    Twice(String),
}

/// Checks a `role_session_name` or a `source_identity`: 2..=64 of `[A-Za-z0-9_+=,.@-]` (STS AssumeRole).
///
/// # Errors
/// If it has another form.
pub fn parse_session_name(text: &str) -> Result<String, ValueError> {
    check(text, 2, 64, |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))?;
    Ok(text.to_owned())
}

/// Checks an `external_id`: 2..=1224 of `[A-Za-z0-9_+=,.@:/-]` (STS AssumeRole).
///
/// # Errors
/// If it has another form.
pub fn parse_external_id(text: &str) -> Result<String, ValueError> {
    check(text, 2, 1224, |c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c))?;
    Ok(text.to_owned())
}

/// Parses `true` or `false`, in any case.
///
/// # Errors
/// If it is neither.
pub fn parse_bool(text: &str) -> Result<bool, ValueError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ValueError::Choice("`true`, `false`")),
    }
}

/// Checks an endpoint URL with [`parse_endpoint`].
///
/// # Errors
/// If programs may parse it differently.
pub fn parse_endpoint_url(text: &str) -> Result<String, ValueError> {
    parse_endpoint(text).map(|_| text.to_owned()).map_err(ValueError::Endpoint)
}

/// Parses `session_tags`: `KEY=VALUE,KEY=VALUE`. Removes blanks around keys and values; further `=` belong to the
/// value.
///
/// # Errors
/// If a part is not a pair, there are more than [`MAX_TAGS`], a key occurs twice (ignoring case), or STS would reject a
/// key or value: 1..=128 and 0..=256 of letters, digits, separators and `_.:/=+-@`.
pub fn parse_session_tags(text: &str) -> Result<Vec<(String, String)>, TagError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(|| TagError::Form(render_foreign(part.trim())))?;
        let (key, value) = (key.trim(), value.trim());
        check_tag_key(key)?;
        if !value.is_empty() {
            check(value, 1, 256, is_tag_character)
                .map_err(|reason| TagError::Value { key: key.to_owned(), reason })?;
        }
        tags.push((key.to_owned(), value.to_owned()));
        check_tag_count(tags.len(), text)?;
    }
    if let Some(key) = first_twice(tags.iter().map(|(key, _)| key)) {
        return Err(TagError::Twice(key.to_owned()));
    }
    Ok(tags)
}

/// Parses `transitive_session_tags`: keys separated by commas. Removes blanks around keys, and drops empty ones.
///
/// # Errors
/// If there are more than [`MAX_TAGS`], or STS would reject a key.
pub fn parse_transitive_tags(text: &str) -> Result<Vec<String>, TagError> {
    let mut keys: Vec<String> = Vec::new();
    for key in text.split(',').map(str::trim).filter(|key| !key.is_empty()) {
        check_tag_key(key)?;
        keys.push(key.to_owned());
        check_tag_count(keys.len(), text)?;
    }
    Ok(keys)
}

fn check_tag_count(count: usize, text: &str) -> Result<(), TagError> {
    if count > MAX_TAGS { Err(TagError::TooMany(text.split(',').count())) } else { Ok(()) }
}

fn check_tag_key(key: &str) -> Result<(), TagError> {
    check(key, 1, 128, is_tag_character).map_err(|reason| TagError::Key { key: render_foreign(key), reason })
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn first_twice<'a>(keys: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let mut seen: Vec<String> = Vec::new();
    for key in keys {
        let folded = key.to_lowercase();
        if seen.contains(&folded) {
            return Some(key);
        }
        seen.push(folded);
    }
    None
}

fn check(text: &str, min: usize, max: usize, is_allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    let actual = text.chars().count();
    if text.is_empty() {
        Err(NameError::Empty)
    } else if let Some(bad) = text.chars().find(|&c| !is_allowed(c)) {
        Err(NameError::Character(bad))
    } else if actual < min || actual > max {
        Err(NameError::Length { actual, min, max })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<(String, String)> {
        parse_session_tags(text).unwrap()
    }

    #[test]
    fn tags_are_trimmed_pairs_and_a_value_may_hold_an_equals_sign() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(
            tags("tag1 = value1 , tag2=value2 ,tag3=value3"),
            [pair("tag1", "value1"), pair("tag2", "value2"), pair("tag3", "value3")]
        );
        assert_eq!(tags("k1=v1,k2=v=2,k3="), [pair("k1", "v1"), pair("k2", "v=2"), pair("k3", "")]);
        assert_eq!(
            parse_transitive_tags("tagOne ,tagTwo,,tagThree, ").unwrap(),
            ["tagOne", "tagTwo", "tagThree"]
        );
    }

    #[test]
    fn a_malformed_tag_is_refused_with_its_reason() {
        let form = |part: &str| TagError::Form(part.to_owned());
        for (text, error) in [
            ("", form("")),
            ("tag1=value1,", form("")),
            ("tagA=valueA,tagB", form("tagB")),
            ("tagOne,tagTwo=v", form("tagOne")),
            ("=v", TagError::Key { key: String::new(), reason: NameError::Empty }),
            ("a=1,A=2", TagError::Twice("A".to_owned())),
            ("a=x!", TagError::Value { key: "a".to_owned(), reason: NameError::Character('!') }),
        ] {
            assert_eq!(parse_session_tags(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn the_limits_of_sts_are_exact() {
        let list = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(tags(&list(50)).len(), 50);
        assert_eq!(parse_session_tags(&list(51)), Err(TagError::TooMany(51)));
        assert!(parse_session_tags(&format!("{}={}", "k".repeat(128), "v".repeat(256))).is_ok());
        assert!(parse_session_tags(&format!("{}=v", "k".repeat(129))).is_err());
        assert!(parse_session_tags(&format!("k={}", "v".repeat(257))).is_err());
        assert!(parse_session_name("ab").is_ok() && parse_session_name(&"a".repeat(64)).is_ok());
        assert!(parse_session_name("a").is_err() && parse_session_name(&"a".repeat(65)).is_err());
        assert!(parse_session_name("a b").is_err() && parse_session_name("a/b").is_err());
        assert!(parse_external_id("a/b:c").is_ok() && parse_external_id(&"a".repeat(1224)).is_ok());
        assert!(parse_external_id("a#b").is_err() && parse_external_id(&"a".repeat(1225)).is_err());
    }
}
