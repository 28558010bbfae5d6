//! Errors of the resolution of credential plans, with hints.

use std::time::Duration;

use crate::config::ConfigError;
use crate::config::profile::{Origin, Sourced};
use crate::config::value::ValueError;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::AccessKeyError;

use super::agent::Agent;
use super::input::CHAIN_LIMIT;
use super::step::Call;
use hatbox_types::duration::render_duration;
use hatbox_types::text::shell::quote_word;

/// Why a profile has no credential plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A profile of the chain has an invalid setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is neither a section nor a stored key with this name.
    #[error("profile `{profile}` is {}{}", absence(*is_store_locked), named_words(named_by.as_ref()))]
    UnknownProfile {
        /// The name.
        profile: ProfileName,
        /// The profile whose `source_profile` names it, and where; `None` if the user named it.
        named_by: Option<Sourced<ProfileName>>,
        /// The most similar existing name.
        nearest: Option<ProfileName>,
        /// Whether the store was locked, so there may be a stored key.
        is_store_locked: bool,
    },
    /// A source profile occurs twice in the chain.
    #[error("profile `{}` and its source profiles form a loop: {}", path.first().map_or("", ProfileName::as_str), render_path(path))]
    SourceLoop {
        /// The profiles of the chain, ending with the one that occurs twice.
        path: Vec<ProfileName>,
        /// The `source_profile` setting that closes the loop.
        origin: Origin,
    },
    /// The chain has too many source profiles.
    #[error("profile `{profile}` has more than {CHAIN_LIMIT} source profiles in a row")]
    ChainTooLong {
        /// The profile that the user named.
        profile: ProfileName,
    },
    /// A flag that needs a role, with a profile that has none.
    #[error("`{flag}` is for a role, and profile `{profile}` has none")]
    FlagNeedsRole {
        /// The profile that the user named.
        profile: ProfileName,
        /// The flag.
        flag: &'static str,
    },
    /// A flag for AssumeRole, with a profile whose role is assumed with a web identity token.
    #[error(
        "`{flag}` is for AssumeRole, and the role of profile `{profile}` is assumed with a web identity token"
    )]
    FlagNotForToken {
        /// The profile that the user named.
        profile: ProfileName,
        /// The flag.
        flag: &'static str,
    },
    /// Session policies for credentials that cannot be restricted.
    #[error(
        "the credentials of profile `{profile}` come from {from}, and cannot be restricted by a session policy"
    )]
    CannotNarrow {
        /// The profile that the user named.
        profile: ProfileName,
        /// The kind of source of the credentials.
        from: &'static str,
    },
    /// A guard requires a read-only session, but the credentials cannot be restricted.
    #[error(
        "profile `{profile}` is read-only for coding agents ({} is set), and its credentials come from {from}, \
         which cannot be restricted by a session policy", agent.marker
    )]
    CannotNarrowForAgent {
        /// The profile that the user named.
        profile: ProfileName,
        /// The kind of source of the credentials.
        from: &'static str,
        /// The coding agent that runs hatbox.
        agent: Agent,
        /// Where the guard is set.
        origin: Origin,
    },
    /// A guard requires a read-only session, but a flag adds another session policy, which would permit more.
    #[error(
        "profile `{profile}` is read-only for coding agents ({} is set), and `{flag}` could allow more",
        agent.marker
    )]
    FlagWidens {
        /// The profile that the user named.
        profile: ProfileName,
        /// `--policy` or `--policy-arn`.
        flag: &'static str,
        /// The coding agent that runs hatbox.
        agent: Agent,
        /// Where the guard is set.
        origin: Origin,
    },
    /// A role, but no credentials to assume it.
    #[error("profile `{profile}` has `role_arn` but no source credentials")]
    RoleWithoutSource {
        /// The profile.
        profile: ProfileName,
        /// Where `role_arn` is set.
        origin: Origin,
    },
    /// A profile without a source of credentials.
    #[error("profile `{profile}` has no credentials: it names no source, and no access key is stored for it")]
    CredentialsMissing {
        /// The profile.
        profile: ProfileName,
        /// The start of the profile's section.
        defined_at: Option<Origin>,
        /// Whether it had a `credential_process` that runs hatbox for the same profile.
        is_own_process_skipped: bool,
    },
    /// A web identity token, but no role.
    #[error("profile `{profile}` has a web identity token but no `role_arn`")]
    WebIdentityWithoutRole {
        /// The profile.
        profile: ProfileName,
        /// The setting for the token.
        origin: Origin,
    },
    /// An invalid variable beside `AWS_WEB_IDENTITY_TOKEN_FILE`.
    #[error("invalid `{name}`: {reason}")]
    AmbientValue {
        /// The name of the variable.
        name: &'static str,
        /// Why it is invalid.
        reason: ValueError,
        /// The variable, as a place.
        origin: Origin,
    },
    /// SSO settings without an account or permission set.
    #[error("profile `{profile}` has SSO settings but no `{missing}`")]
    SsoIncomplete {
        /// The profile.
        profile: ProfileName,
        /// The missing key.
        missing: &'static str,
        /// Where the settings are.
        origin: Origin,
    },
    /// `credential_source = Environment`, but the environment has no access key, or only half of one.
    #[error(
        "profile `{profile}` has `credential_source = Environment`, but `AWS_ACCESS_KEY_ID` and \
         `AWS_SECRET_ACCESS_KEY` are not both set"
    )]
    EnvironmentKeysMissing {
        /// The profile.
        profile: ProfileName,
        /// Where `credential_source` is set.
        origin: Origin,
    },
    /// `credential_source = Environment`, but the access key in the environment is malformed.
    #[error("the access key in the environment cannot be used: {reason}")]
    EnvironmentKeys {
        /// The profile.
        profile: ProfileName,
        /// Why it is malformed.
        reason: AccessKeyError,
        /// Where `credential_source` is set.
        origin: Origin,
    },
    /// A duration that AWS does not accept.
    #[error("{} of profile `{profile}` cannot last {}: AWS allows {} to {}", call_words(*call), render_duration(wanted.value), render_duration(*min), render_duration(*max))]
    Length {
        /// The profile of the call.
        profile: ProfileName,
        /// The call.
        call: Call,
        /// The requested duration, and the flag, variable or line that set it.
        wanted: Sourced<Duration>,
        /// The shortest duration that AWS accepts.
        min: Duration,
        /// The longest duration that AWS accepts.
        max: Duration,
    },
}

impl PlanError {
    /// Returns a stable identifier for `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config(_) => "unreadable-profile",
            Self::UnknownProfile { named_by: Some(_), .. } => "missing-source",
            Self::UnknownProfile { named_by: None, .. } => "missing-profile",
            Self::SourceLoop { .. } => "source-loop",
            Self::ChainTooLong { .. } => "chain-too-long",
            Self::RoleWithoutSource { .. } => "role-without-source",
            Self::CredentialsMissing { .. } => "no-credentials",
            Self::WebIdentityWithoutRole { .. } => "web-identity-without-role",
            Self::AmbientValue { .. } => "bad-value",
            Self::SsoIncomplete { .. } => "incomplete-sso",
            Self::EnvironmentKeysMissing { .. } => "no-environment-key",
            Self::EnvironmentKeys { .. } => "bad-environment-key",
            Self::Length { .. } => "bad-length",
            Self::FlagNeedsRole { .. } | Self::FlagNotForToken { .. } => "flag-needs-role",
            Self::CannotNarrow { .. } | Self::CannotNarrowForAgent { .. } => "cannot-narrow",
            Self::FlagWidens { .. } => "flag-widens",
        }
    }

    /// Returns where the cause is, for the `-->` line.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Config(_)
            | Self::ChainTooLong { .. }
            | Self::FlagNeedsRole { .. }
            | Self::FlagNotForToken { .. }
            | Self::CannotNarrow { .. } => None,
            Self::UnknownProfile { named_by, .. } => named_by.as_ref().map(|by| &by.origin),
            Self::CredentialsMissing { defined_at, .. } => defined_at.as_ref(),
            Self::Length { wanted, .. } => Some(&wanted.origin),
            Self::SourceLoop { origin, .. }
            | Self::RoleWithoutSource { origin, .. }
            | Self::WebIdentityWithoutRole { origin, .. }
            | Self::AmbientValue { origin, .. }
            | Self::SsoIncomplete { origin, .. }
            | Self::EnvironmentKeys { origin, .. }
            | Self::CannotNarrowForAgent { origin, .. }
            | Self::FlagWidens { origin, .. }
            | Self::EnvironmentKeysMissing { origin, .. } => Some(origin),
        }
    }

    /// Returns hints for the user, the best first: commands, or lines to write.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Config(_) => Vec::new(),
            Self::UnknownProfile { profile, named_by, nearest, is_store_locked } => {
                let mut hints = Vec::new();
                match (nearest, named_by) {
                    (Some(nearest), None) => hints.push(format!("did you mean `{nearest}`?")),
                    (Some(nearest), Some(_)) => {
                        hints.push(format!("did you mean `source_profile = {nearest}`?"));
                    }
                    (None, _) => {}
                }
                if *is_store_locked {
                    hints.push("the store is locked; `hatbox list --unlock` shows its keys".to_owned());
                }
                // Suggest adding a key only if the name was not mistyped.
                if nearest.is_none() {
                    let name = quote_word(profile.as_str());
                    hints.push(format!("store an access key for it: `hatbox add {name}`"));
                }
                hints
            }
            Self::SourceLoop { path, .. } => {
                let closing = path.len().checked_sub(2).and_then(|i| path.get(i));
                closing.map(|name| format!("remove `source_profile` from `{name}`")).into_iter().collect()
            }
            Self::ChainTooLong { .. } => vec!["assume the last role from a nearer profile".to_owned()],
            Self::FlagNeedsRole { .. } | Self::FlagNotForToken { .. } => {
                vec!["add --role-arn ARN to assume a role with its credentials".to_owned()]
            }
            Self::CannotNarrow { .. } => {
                vec!["assume a role that can be restricted, with its credentials: --role-arn ARN".to_owned()]
            }
            Self::CannotNarrowForAgent { .. } => vec![
                "name a role that hatbox can assume with them: `hatbox_read_only_role_arn = ARN` in the profile"
                    .to_owned(),
                "or assume one now: --role-arn ARN".to_owned(),
            ],
            Self::FlagWidens { flag, .. } => vec![format!("leave out {flag}")],
            Self::RoleWithoutSource { profile, .. } => vec![
                "add `source_profile = NAME`, the profile whose access key may assume the role".to_owned(),
                format!("or store an access key for it: `hatbox add {}`", quote_word(profile.as_str())),
                "or add `credential_source = Environment`, to use the environment's access key".to_owned(),
            ],
            Self::CredentialsMissing { profile, is_own_process_skipped, .. } => {
                let mut hints = Vec::new();
                if *is_own_process_skipped {
                    hints.push(
                        "its `credential_process` runs hatbox on the profile itself, and was skipped"
                            .to_owned(),
                    );
                }
                hints.push(format!(
                    "store an access key for it: `hatbox add {}`",
                    quote_word(profile.as_str())
                ));
                hints.push("or add `role_arn` and `source_profile` to the profile".to_owned());
                hints
            }
            Self::WebIdentityWithoutRole { origin: Origin::Env(_), .. } => {
                vec!["set `AWS_ROLE_ARN`".to_owned()]
            }
            Self::WebIdentityWithoutRole { .. } => vec!["add `role_arn` to the profile".to_owned()],
            Self::AmbientValue { name, .. } => vec![format!("correct `{name}`, or unset it")],
            Self::SsoIncomplete { missing, .. } => vec![format!("add `{missing}` to the profile")],
            Self::EnvironmentKeys { .. } => {
                vec!["set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`".to_owned()]
            }
            Self::EnvironmentKeysMissing { profile, .. } => vec![
                "set both, and `AWS_SESSION_TOKEN` if the credentials are temporary".to_owned(),
                "or replace `credential_source` by `source_profile = NAME`, to use the credentials of that profile"
                    .to_owned(),
                format!("or store an access key for it: `hatbox add {}`", quote_word(profile.as_str())),
            ],
            Self::Length { wanted, min, max, .. } => {
                let nearest = if wanted.value < *min { min } else { max };
                let setting = match &wanted.origin {
                    Origin::Flag(flag) => format!("`{flag} {}`", render_duration(*nearest)),
                    Origin::Env(name) => format!("`{name}={}`", render_duration(*nearest)),
                    Origin::File { .. } | Origin::Default => {
                        format!("`duration_seconds = {}`", nearest.as_secs())
                    }
                };
                vec![format!("the nearest valid duration: {setting}")]
            }
        }
    }
}

fn absence(is_store_locked: bool) -> &'static str {
    if is_store_locked { "not in the config" } else { "neither in the config nor in the store" }
}

fn named_words(named_by: Option<&Sourced<ProfileName>>) -> String {
    named_by.map(|by| format!(", and is the source profile of `{}`", by.value)).unwrap_or_default()
}

fn render_path(path: &[ProfileName]) -> String {
    path.iter().map(ProfileName::as_str).collect::<Vec<_>>().join(" -> ")
}

fn call_words(call: Call) -> &'static str {
    match call {
        Call::GetSessionToken => "the GetSessionToken session",
        _ => "the role session",
    }
}
