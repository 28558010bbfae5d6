//! The columns of a list of many profiles: the account and role that each profile's own section names.

use std::collections::{BTreeSet, HashMap};

use hatbox_types::arn::Arn;
use hatbox_types::name::ProfileName;

use super::files::Config;
use super::header::SectionKind;
use super::origin::FileKind;
use super::syntax::Section;
use super::tags::{TAGS_KEY, split_tags};

/// An overview of a profile. Ignores values from elsewhere, such as `include_profile`, to list thousands of profiles
/// quickly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileOutline {
    /// Its name.
    pub name: ProfileName,
    /// The account of its role, as written.
    pub account: Option<String>,
    /// The name of its role, from `role_arn` or `sso_role_name`.
    pub role: Option<String>,
}

impl Config {
    /// Returns all profiles, in the order of [`Config::profile_names`].
    pub fn profile_outlines(&self) -> Vec<ProfileOutline> {
        let names = self.profile_names();
        let places: HashMap<String, usize> =
            names.iter().enumerate().map(|(at, name)| (name.as_str().to_owned(), at)).collect();
        let mut outlines: Vec<_> =
            names.into_iter().map(|name| ProfileOutline { name, account: None, role: None }).collect();
        for section in self.config_profiles() {
            if let Some(outline) = places.get(&*section.name()).and_then(|at| outlines.get_mut(*at)) {
                add_role(outline, &section);
            }
        }
        outlines
    }

    /// Returns the regions of the profiles in the config file, each once, sorted.
    pub fn regions_in_use(&self) -> BTreeSet<String> {
        self.values_of("region").filter(|region| !region.is_empty()).collect()
    }

    /// Returns the tags of the profiles in the config file, each once, sorted.
    pub fn tags_in_use(&self) -> BTreeSet<String> {
        self.values_of(TAGS_KEY).flat_map(|text| split_tags(&text).collect::<Vec<_>>()).collect()
    }

    /// Returns the values of a key in the profiles of the config file.
    fn values_of(&self, key: &str) -> impl Iterator<Item = String> {
        self.config_profiles().filter_map(move |section| {
            let entries = section.scan().entries;
            entries.into_iter().find(|entry| entry.has_key(key)).map(|entry| entry.value.into_owned())
        })
    }

    fn config_profiles(&self) -> impl Iterator<Item = Section<'_>> {
        let sections = self.document(FileKind::Config).sections();
        sections.filter(|section| section.kind() == SectionKind::Profile)
    }
}

fn add_role(outline: &mut ProfileOutline, section: &Section<'_>) {
    let entries = section.scan().entries;
    let value = |key: &str| entries.iter().find(|entry| entry.has_key(key)).map(|entry| &*entry.value);
    if let Some(arn) = value("role_arn").and_then(Arn::parse) {
        outline.account = Some(arn.account.to_owned());
        outline.role = Some(arn.resource.strip_prefix("role/").unwrap_or(arn.resource).to_owned());
        return;
    }
    // A section in several parts may have one key in each; `role_arn` takes precedence over the SSO role.
    for (field, key) in [(&mut outline.account, "sso_account_id"), (&mut outline.role, "sso_role_name")] {
        if field.is_none() {
            *field = value(key).map(str::to_owned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_shows_the_account_and_role_that_its_section_names() {
        let text = "[profile a]\nrole_arn = arn:aws:iam::444455556666:role/team/admin\nregion = eu-west-1\n\
                    [profile sso]\nsso_account_id = 111122223333\nsso_role_name = Reader\nregion = us-east-1\n\
                    [profile both]\nsso_account_id = 1\nsso_role_name = x\nrole_arn = arn:aws:iam::2:role/y\n\
                    [profile bad]\nrole_arn = nonsense\nregion = eu-west-1\n[profile empty]\n";
        let config = Config::parse(text, "[keys]\naws_access_key_id = x\n").unwrap();
        let shown: Vec<_> = config
            .profile_outlines()
            .into_iter()
            .map(|outline| {
                let [account, role] = [outline.account, outline.role].map(Option::unwrap_or_default);
                format!("{}:{account}:{role}", outline.name)
            })
            .collect();
        let expected = [
            "a:444455556666:team/admin",
            "sso:111122223333:Reader",
            "both:2:y",
            "bad::",
            "empty::",
            "keys::",
        ];
        assert_eq!(shown, expected);
        assert_eq!(config.regions_in_use().into_iter().collect::<Vec<_>>(), ["eu-west-1", "us-east-1"]);
    }

    #[test]
    fn tags_are_found_in_all_profiles() {
        let text = "[profile a]\nhatbox_tags = web, env=dev\n[profile b]\nhatbox_tags = web,,\n[profile c]\n";
        let config = Config::parse(text, "").unwrap();
        assert_eq!(config.tags_in_use().into_iter().collect::<Vec<_>>(), ["env=dev", "web"]);
    }
}
