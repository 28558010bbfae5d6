//! `hatbox_tags`: words by which `hatbox each` selects profiles. Plans do not need them, so they are read separately.

use super::checked::{parse_plain, parse_with};
use super::error::ConfigError;
use super::files::Config;
use super::layers::collect_layers;
use hatbox_types::name::{NameError, ProfileName};

/// The key in a profile. AWS's tools ignore it, and its value is never sent to AWS.
pub(super) const TAGS_KEY: &str = "hatbox_tags";

/// Reads the tags of a profile, or those it includes: `hatbox_tags = env=prod, team-a`.
///
/// # Errors
/// If a line of the profile is invalid, or the value contains control characters.
pub fn resolve_tags(config: &Config, name: &ProfileName) -> Result<Vec<String>, ConfigError> {
    let layers = collect_layers(config, name)?;
    let tags = parse_with(TAGS_KEY, layers.find(TAGS_KEY), parse_tags)?;
    Ok(tags.map(|tags| tags.value).unwrap_or_default())
}

fn parse_tags(text: &str) -> Result<Vec<String>, NameError> {
    let text = parse_plain(text)?;
    Ok(split_tags(&text).collect())
}

/// Splits a value into its tags.
pub(super) fn split_tags(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words_between_commas_also_of_an_included_profile() {
        let text = "[profile a]\nhatbox_tags = env=prod , team-a,,\n[profile b]\ninclude_profile = a\n\
                    [profile c]\ninclude_profile = a\nhatbox_tags = own\n[default]\nhatbox_tags = x\n[profile d]\n";
        let config = Config::parse(text, "").unwrap();
        let tags = |name| resolve_tags(&config, &ProfileName::parse(name).unwrap()).unwrap();
        assert_eq!(tags("a"), ["env=prod", "team-a"]);
        assert_eq!(tags("b"), ["env=prod", "team-a"]);
        assert_eq!(tags("c"), ["own"]);
        assert_eq!(tags("d"), Vec::<String>::new(), "nothing but the region comes from [default]");
    }
}
