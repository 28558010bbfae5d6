//! What a person should know about a plan although it is not an error.

use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::{MfaSerial, ProfileName};

use super::agent::Agent;
use super::sdk::Sdk;
use super::step::Cap;
use hatbox_types::duration::render_duration;
use hatbox_types::text::phrases::render_role_of_environment;
use hatbox_types::text::shell::quote_word;

/// What a person should know, although it is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The length of what is handed over was capped. Caps on the way there are in their steps.
    Capped {
        /// The profile of the step.
        profile: ProfileName,
        /// The cap.
        cap: Cap,
    },
    /// A length was asked for, and what gives the credentials takes none.
    LengthNotOurs {
        /// The profile that is handed over.
        profile: ProfileName,
        /// Where the length was asked for.
        origin: Origin,
    },
    /// The role is that of a variable of the environment, whatever the profile says.
    RoleOfEnvironment {
        /// The profile that was asked for.
        profile: ProfileName,
        /// The variable.
        variable: &'static str,
        /// The profile's own `role_arn`, where it has one.
        replaced: Option<Sourced<String>>,
    },
    /// Keys in a file differ from the stored key of the same profile, and lose.
    FileKeysDiffer {
        /// The profile.
        profile: ProfileName,
        /// Where the keys stand.
        origin: Origin,
    },
    /// An identity beside another loses: `source_profile` beside a stored key, ...
    Shadowed {
        /// The profile that has both.
        profile: ProfileName,
        /// What loses, by its key in the file.
        what: &'static str,
        /// Where it is set.
        origin: Origin,
        /// What wins, in words.
        by: &'static str,
        /// AWS's own tools that would choose it all the same.
        sdks: Vec<Sdk>,
    },
    /// `role_arn` of a source profile that has keys in a file: the keys are used as they are.
    RoleOfSourceSkipped {
        /// The profile.
        profile: ProfileName,
        /// Where its `role_arn` is set.
        origin: Origin,
    },
    /// `credential_process` of the profile runs hatbox on the profile itself, and is skipped.
    OwnProcessSkipped {
        /// The profile.
        profile: ProfileName,
        /// Where it is set.
        origin: Origin,
    },
    /// A configured MFA device is not presented by any call.
    MfaUnused {
        /// The profile that names the device.
        profile: ProfileName,
        /// The device, and where it was set.
        serial: Sourced<MfaSerial>,
        /// Why.
        why: MfaUnused,
    },
    /// A setting that the call cannot carry.
    NotSent {
        /// The profile.
        profile: ProfileName,
        /// The setting, by its key in the file.
        what: &'static str,
        /// Where it is set.
        origin: Origin,
    },
    /// Keys are in plain text in a file; `hatbox add` keeps them encrypted.
    PlaintextKeys {
        /// The profile.
        profile: ProfileName,
        /// Where they stand.
        origin: Origin,
    },
    /// A coding agent gets a read-only session, because a guard says so.
    ReadOnlyForAgent {
        /// The profile.
        profile: ProfileName,
        /// The agent.
        agent: Agent,
        /// Where the guard is set.
        origin: Origin,
    },
    /// The store is locked, so a stored key that would win may be missing from this plan.
    StoreLocked,
}

/// Why a configured MFA device is not presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaUnused {
    /// The user has a device, the role names none.
    RoleNamesNone,
    /// The user's device and the role's are not the same; the role's is presented.
    RoleNamesOther,
    /// The role is assumed from another role's session, which cannot present a device.
    AfterRole,
    /// The base identity is a role's session, which cannot present a device.
    BaseIsRole,
    /// A session policy for a user's own key needs GetFederationToken, which takes no code.
    Federation,
}

/// How loud a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// To stderr on every use: the outcome differs from what was asked for.
    Warning,
    /// Shown by `explain` and `doctor`.
    Info,
}

impl Note {
    /// How loud it is.
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

    /// Where the cause is.
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

    /// A stable word for it, for `--json`.
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

    /// The note in words, one sentence or two; the place is separate: [`Note::origin`].
    pub fn render_text(&self) -> String {
        match self {
            Self::Capped { profile, cap } => format!(
                "`{profile}` gets {} instead of {}: AWS gives a role assumed from temporary credentials no more",
                render_duration(cap.allowed),
                render_duration(cap.wanted.value)
            ),
            Self::LengthNotOurs { profile, .. } => {
                format!(
                    "the length asked for has no effect on `{profile}`: what gives its credentials sets it"
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
                     which takes no MFA code"
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
