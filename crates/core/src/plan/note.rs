//! Notes about a plan: facts that the user should know although they are not errors.

use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::{MfaSerial, ProfileName};

use super::agent::Agent;
use super::sdk::Sdk;
use super::step::Cap;
use hatbox_types::duration::render_duration;
use hatbox_types::text::phrases::render_role_of_environment;
use hatbox_types::text::shell::quote_word;

/// A fact that the user should know although it is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The duration of the credentials that are handed over was capped. Caps on earlier steps are in those steps.
    Capped {
        /// The profile of the step.
        profile: ProfileName,
        /// The cap.
        cap: Cap,
    },
    /// A duration was requested, but the source of the credentials decides it.
    LengthNotOurs {
        /// The profile whose credentials are handed over.
        profile: ProfileName,
        /// Where the duration was set.
        origin: Origin,
    },
    /// The environment determines the role, whatever the profile says.
    RoleOfEnvironment {
        /// The profile that the user named.
        profile: ProfileName,
        /// The variable.
        variable: &'static str,
        /// The profile's own `role_arn`, which is ignored.
        replaced: Option<Sourced<String>>,
    },
    /// Keys in a file are ignored, and differ from the stored key of the same profile.
    FileKeysDiffer {
        /// The profile.
        profile: ProfileName,
        /// Where the keys are.
        origin: Origin,
    },
    /// A source of credentials is ignored because of another, such as `source_profile` beside a stored key.
    Shadowed {
        /// The profile with both sources.
        profile: ProfileName,
        /// The key of the ignored source.
        what: &'static str,
        /// Where the ignored source is set.
        origin: Origin,
        /// The source that is used, in words.
        by: &'static str,
        /// AWS's tools that would use the ignored source.
        sdks: Vec<Sdk>,
    },
    /// The `role_arn` of a source profile is ignored, as the profile has keys in a file.
    RoleOfSourceSkipped {
        /// The profile.
        profile: ProfileName,
        /// Where its `role_arn` is set.
        origin: Origin,
    },
    /// The `credential_process` of the profile runs hatbox for the same profile, and is ignored.
    OwnProcessSkipped {
        /// The profile.
        profile: ProfileName,
        /// Where it is set.
        origin: Origin,
    },
    /// No call uses a configured MFA device.
    MfaUnused {
        /// The profile that names the device.
        profile: ProfileName,
        /// The device, and where it is set.
        serial: Sourced<MfaSerial>,
        /// The reason.
        why: MfaUnused,
    },
    /// A setting that the call has no parameter for.
    NotSent {
        /// The profile.
        profile: ProfileName,
        /// The key of the setting.
        what: &'static str,
        /// Where it is set.
        origin: Origin,
    },
    /// A file contains plain-text keys; `hatbox add` would encrypt them.
    PlaintextKeys {
        /// The profile.
        profile: ProfileName,
        /// Where the keys are.
        origin: Origin,
    },
    /// A coding agent gets a read-only session, as a guard requires it.
    ReadOnlyForAgent {
        /// The profile.
        profile: ProfileName,
        /// The agent.
        agent: Agent,
        /// Where the guard is set.
        origin: Origin,
    },
    /// The store is locked, so the plan may lack a stored key.
    StoreLocked,
}

/// Why no call uses a configured MFA device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaUnused {
    /// The user's profile names a device, the role's profile does not.
    RoleNamesNone,
    /// The user's device and the role's differ, and the role's is used.
    RoleNamesOther,
    /// The role is assumed with a role session, which has no device.
    AfterRole,
    /// The base identity is a role session, which has no device.
    BaseIsRole,
    /// Session policies for a user's own key need GetFederationToken, which takes no code.
    Federation,
}

/// How important a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// Printed to stderr on every use: the result differs from the request.
    Warning,
    /// Shown by `explain` and `doctor`.
    Info,
}

impl Note {
    /// Returns how important the note is.
    pub fn level(&self) -> NoteLevel {
        match self {
            Self::Capped { .. }
            | Self::LengthNotOurs { .. }
            | Self::FileKeysDiffer { .. }
            | Self::RoleOfSourceSkipped { .. }
            | Self::ReadOnlyForAgent { .. }
            | Self::MfaUnused { why: MfaUnused::Federation, .. } => NoteLevel::Warning,
            _ => NoteLevel::Info,
        }
    }

    /// Returns where the cause is.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Capped { cap, .. } => Some(&cap.wanted.origin),
            Self::MfaUnused { serial, .. } => Some(&serial.origin),
            Self::LengthNotOurs { origin, .. }
            | Self::FileKeysDiffer { origin, .. }
            | Self::Shadowed { origin, .. }
            | Self::RoleOfSourceSkipped { origin, .. }
            | Self::OwnProcessSkipped { origin, .. }
            | Self::NotSent { origin, .. }
            | Self::ReadOnlyForAgent { origin, .. }
            | Self::PlaintextKeys { origin, .. } => Some(origin),
            Self::RoleOfEnvironment { replaced, .. } => replaced.as_ref().map(|own| &own.origin),
            Self::StoreLocked => None,
        }
    }

    /// Returns a stable identifier for `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Capped { .. } => "capped",
            Self::LengthNotOurs { .. } => "length-not-ours",
            Self::RoleOfEnvironment { .. } => "role-of-environment",
            Self::FileKeysDiffer { .. } => "file-keys-differ",
            Self::Shadowed { .. } => "shadowed",
            Self::RoleOfSourceSkipped { .. } => "role-of-source-skipped",
            Self::OwnProcessSkipped { .. } => "own-process-skipped",
            Self::MfaUnused { .. } => "mfa-unused",
            Self::NotSent { .. } => "not-sent",
            Self::PlaintextKeys { .. } => "plaintext-keys",
            Self::ReadOnlyForAgent { .. } => "read-only-for-agent",
            Self::StoreLocked => "store-locked",
        }
    }

    /// Renders the note in one or two sentences. The place is separate: [`Note::origin`].
    pub fn render_text(&self) -> String {
        match self {
            Self::Capped { profile, cap } => format!(
                "`{profile}` gets {} instead of {}: AWS limits roles assumed from temporary credentials to \
                 1 hour",
                render_duration(cap.allowed),
                render_duration(cap.wanted.value)
            ),
            Self::LengthNotOurs { profile, .. } => {
                format!(
                    "the requested duration has no effect on `{profile}`: the source of its credentials \
                     sets it"
                )
            }
            Self::RoleOfEnvironment { profile, variable, replaced } => {
                let text = render_role_of_environment(
                    variable,
                    profile.as_str(),
                    replaced.as_ref().map(|own| own.value.as_str()),
                );
                format!("{text}; `unset {variable}` undoes that")
            }
            Self::FileKeysDiffer { profile, .. } => {
                format!(
                    "`{profile}` has another access key in a file than in the store; the stored one is used"
                )
            }
            Self::Shadowed { profile, what, by, sdks, .. } => {
                let also = render_sdks(sdks).map(|sdks| format!("; {sdks}")).unwrap_or_default();
                format!("`{what}` of `{profile}` has no effect: {by} comes first{also}")
            }
            Self::RoleOfSourceSkipped { profile, .. } => format!(
                "`role_arn` of `{profile}` is not assumed on the way: as a source profile, it gives its access key, as \
                 in AWS's own tools"
            ),
            Self::OwnProcessSkipped { profile, .. } => {
                format!(
                    "`credential_process` of `{profile}` runs hatbox on the profile itself, so it is skipped"
                )
            }
            Self::MfaUnused { profile, why, .. } => match why {
                MfaUnused::RoleNamesNone => format!(
                    "no MFA code is asked for: `{profile}` has an `mfa_serial`, the role's profile has none"
                ),
                MfaUnused::RoleNamesOther => format!(
                    "the MFA device of `{profile}` is not used: the role's profile names another, which is"
                ),
                MfaUnused::AfterRole => {
                    format!("the MFA device of `{profile}` is not used: a role's session cannot present one")
                }
                MfaUnused::BaseIsRole => format!(
                    "the MFA device of `{profile}` is not used: the base identity is a role's session, which \
                     cannot present one"
                ),
                MfaUnused::Federation => format!(
                    "the MFA device of `{profile}` is not used: a user's session is restricted by GetFederationToken, \
                     which accepts no MFA code"
                ),
            },
            Self::NotSent { profile, what, .. } => {
                format!("`{what}` of `{profile}` is not sent: AssumeRoleWithWebIdentity takes none")
            }
            Self::PlaintextKeys { profile, .. } => format!(
                "the access key of `{profile}` is stored in plain text in a file; \
                 `hatbox add {}` keeps it encrypted instead",
                quote_word(profile.as_str())
            ),
            Self::ReadOnlyForAgent { profile, agent, .. } => format!(
                "`{profile}` is read-only for coding agents, and {} is set: the session is restricted to AWS's \
                 ReadOnlyAccess policy",
                agent.marker
            ),
            Self::StoreLocked => {
                "the store is locked: a stored access key, which would come first, is not known".to_owned()
            }
        }
    }
}

/// `the SDKs for Go and Java use it`.
fn render_sdks(sdks: &[Sdk]) -> Option<String> {
    let names: Vec<&str> = sdks.iter().map(|sdk| sdk.as_str()).collect();
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => format!("the SDK for {last} uses it"),
        others => format!("the SDKs for {} and {last} use it", others.join(", ")),
    })
}
