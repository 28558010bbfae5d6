//! Parses a value and keeps where it was set.

use super::error::ConfigError;
use super::origin::Sourced;
use super::value::ValueError;
use hatbox_types::name::NameError;

/// Parses the value of `key`, and keeps its origin.
pub(super) fn parse_with<T, E: Into<ValueError>>(
    key: &'static str,
    said: Option<Sourced<String>>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<Sourced<T>>, ConfigError> {
    let Some(Sourced { value: text, origin }) = said else { return Ok(None) };
    match parse(&text) {
        Ok(value) => Ok(Some(Sourced { value, origin })),
        Err(reason) => Err(ConfigError::value(key, &text, reason.into(), origin)),
    }
}

/// Parses a text without line ends.
pub(super) fn parse_plain(text: &str) -> Result<String, NameError> {
    match text.chars().find(|c| c.is_control()) {
        Some(bad) => Err(NameError::Character(bad)),
        None => Ok(text.to_owned()),
    }
}
