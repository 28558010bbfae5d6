//! Looks up names for completion: profiles, SSO sessions, regions, backends, and so on.

use std::collections::BTreeSet;

use hatbox_core::config::outline::ProfileOutline;
use hatbox_types::text::printable;

use crate::credentials::request::PromptDriver;
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::store::StoreKind;
use crate::world::World;

/// A word that can be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) value: String,
    /// A description in one line, or empty.
    pub(super) about: String,
}

impl Candidate {
    pub(super) fn new(value: &str, about: &str) -> Self {
        Self { value: value.to_owned(), about: about.to_owned() }
    }
}

/// The source of an argument's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Profiles,
    SsoSessions,
    Backends,
    Prompts,
    /// The regions in the config.
    Regions,
    /// The accounts of the profiles.
    Accounts,
    /// The words of `hatbox_tags`.
    Tags,
}

/// Where to look names up, when they are needed.
pub(super) enum Names {
    OfConfig(World),
    #[cfg(test)]
    Given {
        profiles: Vec<String>,
        sso_sessions: Vec<String>,
    },
}

impl Names {
    pub(super) fn of(world: &World) -> Self {
        Self::OfConfig(world.clone())
    }

    #[cfg(test)]
    pub(super) fn for_tests(profiles: &[&str], sso_sessions: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self::Given { profiles: owned(profiles), sso_sessions: owned(sso_sessions) }
    }

    /// Loads all names of a kind. Leaves out names with unprintable characters, which a terminal could not show, and
    /// names that the command would parse as an option.
    pub(super) fn load(&self, source: Source) -> Vec<Candidate> {
        let plain = |name: &str| Candidate::new(name, "");
        let mut found: Vec<Candidate> = match source {
            Source::Backends => {
                let built = StoreKind::ALL.iter().filter(|kind| kind.is_built());
                built.map(|kind| plain(kind.as_str())).collect()
            }
            Source::Prompts => PromptDriver::ALL.iter().map(|driver| plain(driver.as_str())).collect(),
            Source::Profiles | Source::SsoSessions | Source::Regions | Source::Accounts | Source::Tags => {
                self.of_config(source)
            }
        };
        found.retain(|Candidate { value, .. }| printable(value) == *value && !value.starts_with('-'));
        found
    }

    fn of_config(&self, source: Source) -> Vec<Candidate> {
        let files = match self {
            Self::OfConfig(world) => load_config(world),
            #[cfg(test)]
            Self::Given { profiles, sso_sessions } => {
                let names = match source {
                    Source::Profiles => profiles.clone(),
                    Source::SsoSessions => sso_sessions.clone(),
                    Source::Accounts => vec!["444455556666".to_owned()],
                    Source::Tags => vec!["env=dev".to_owned()],
                    _ => vec!["eu-west-1".to_owned()],
                };
                return names.iter().map(|name| Candidate::new(name, "")).collect();
            }
        };
        let Ok(ConfigFiles { config, .. }) = files else { return Vec::new() };
        let plain = |name: &String| Candidate::new(name, "");
        match source {
            Source::Profiles => config.profile_outlines().iter().map(candidate_of).collect(),
            Source::SsoSessions => {
                config.sso_session_names().iter().map(|name| Candidate::new(name, "")).collect()
            }
            Source::Accounts => {
                let accounts = config.profile_outlines().into_iter().filter_map(|outline| outline.account);
                accounts.collect::<BTreeSet<_>>().iter().map(plain).collect()
            }
            Source::Tags => config.tags_in_use().iter().map(plain).collect(),
            _ => config.regions_in_use().iter().map(plain).collect(),
        }
    }
}

/// A profile, with its account and role as the description.
fn candidate_of(outline: &ProfileOutline) -> Candidate {
    let about =
        [outline.account.as_deref(), outline.role.as_deref()].map(Option::unwrap_or_default).join(" ");
    Candidate::new(outline.name.as_str(), &printable(about.trim()))
}
