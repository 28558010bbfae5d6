//! Chooses what one profile gets its credentials from, and notes what loses.
//!
//! The first that is there wins:
//!
//! | | in the profile | outcome |
//! |---|---|---|
//! | 1 | a stored access key | base; all else loses, `source_profile` too |
//! | 2 | `credential_source` | base |
//! | 3 | `web_identity_token_file`, `web_identity_token_process` | base, with the profile's `role_arn` |
//! | 4 | `source_profile`, not itself | on to that profile |
//! | 5 | `sso_session`, `sso_start_url` | base |
//! | 6 | `login_session` | base |
//! | 7 | `credential_process` that is not hatbox on this profile | base |
//! | 8 | `aws_access_key_id` | base |
//! | 9 | `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN` | base, for the target only |
//!
//! 2, 3 and 5 to 8 are the SDKs' order. A `role_arn` on top of any of them is assumed. `source_profile` beside
//! `credential_source` does not get here: the config's layers refuse it, as AWS's tools do.

use crate::config::Which;
use crate::config::profile::{CredentialSource, Origin, Profile, Sourced, Sso, StaticKeys, WebIdentity};
use crate::config::value::{ValueError, parse_session_name};
use hatbox_types::name::{AccessKeyId, ProfileName, RoleArn};

use super::base::{Base, MetadataService};
use super::command::is_own_process;
use super::error::PlanError;
use super::input::PlanOptions;
use super::length::{ROLE_DEFAULT, asked_or};
use super::note::Note;

/// What comes after a profile.
pub(super) enum Next {
    /// Its source profile.
    Source(Sourced<ProfileName>),
    /// Nothing: here is the identity that the plan starts from.
    Base(Box<Base>),
}

/// A profile whose source of credentials is asked for.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) name: &'a ProfileName,
    pub(super) profile: &'a Profile,
    pub(super) which: Which,
    pub(super) options: &'a PlanOptions,
}

/// A setting that would give the profile its credentials.
#[derive(Clone, Copy)]
enum Claim<'a> {
    CredentialSource(&'a Sourced<CredentialSource>),
    WebIdentity(&'a Sourced<WebIdentity>),
    SourceProfile(&'a Sourced<ProfileName>),
    Sso(&'a Sourced<Sso>),
    LoginSession(&'a Sourced<String>),
    CredentialProcess(&'a Sourced<String>),
    FileKeys(&'a Sourced<StaticKeys>),
}

impl<'a> Claim<'a> {
    /// Its key in the file.
    fn key(self) -> &'static str {
        match self {
            Self::CredentialSource(_) => "credential_source",
            Self::WebIdentity(_) => "web_identity_token_file",
            Self::SourceProfile(_) => "source_profile",
            Self::Sso(_) => "sso_session",
            Self::LoginSession(_) => "login_session",
            Self::CredentialProcess(_) => "credential_process",
            Self::FileKeys(_) => "aws_access_key_id",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::CredentialSource(_) => "`credential_source`",
            Self::WebIdentity(_) => "the web identity",
            Self::SourceProfile(_) => "`source_profile`",
            Self::Sso(_) => "SSO",
            Self::LoginSession(_) => "`login_session`",
            Self::CredentialProcess(_) => "`credential_process`",
            Self::FileKeys(_) => "the access key in the file",
        }
    }

    fn origin(self) -> &'a Origin {
        match self {
            Self::CredentialSource(source) => &source.origin,
            Self::WebIdentity(token) => &token.origin,
            Self::SourceProfile(source) => &source.origin,
            Self::Sso(sso) => &sso.origin,
            Self::LoginSession(session) => &session.origin,
            Self::CredentialProcess(command) => &command.origin,
            Self::FileKeys(keys) => &keys.origin,
        }
    }
}

impl<'a> Question<'a> {
    /// Row 1 of the table.
    pub(super) fn choose_stored_key(self, id: &AccessKeyId, notes: &mut Vec<Note>) -> Base {
        let profile = self.name.clone();
        for claim in self.claims(notes) {
            match claim {
                Claim::FileKeys(keys) if keys.value.key.id == *id => {}
                Claim::FileKeys(keys) => {
                    notes
                        .push(Note::FileKeysDiffer { profile: profile.clone(), origin: keys.origin.clone() });
                }
                claim => notes.push(self.shadowed(claim, "the stored access key")),
            }
        }
        Base::StoredKey { profile, id: Some(id.clone()) }
    }

    /// Rows 2 to 9 of the table.
    pub(super) fn choose(self, is_store_locked: bool, notes: &mut Vec<Note>) -> Result<Next, PlanError> {
        if is_store_locked && !notes.contains(&Note::StoreLocked) {
            notes.push(Note::StoreLocked);
        }
        let mut claims = self.claims(notes).into_iter();
        if let Some(winner) = claims.next() {
            notes.extend(claims.map(|loser| self.shadowed(loser, winner.words())));
            return self.take(winner);
        }
        if let Some(base) = self.choose_ambient_web_identity()? {
            return Ok(Next::Base(Box::new(base)));
        }
        if is_store_locked {
            return Ok(Next::Base(Box::new(Base::StoredKey { profile: self.name.clone(), id: None })));
        }
        Err(self.nothing_there())
    }

    /// What the profile itself names, in the order of the table.
    fn claims(self, notes: &mut Vec<Note>) -> Vec<Claim<'a>> {
        let profile = self.profile;
        let own_name = self.options.own_name.as_deref();
        let mut process = profile.credential_process.as_ref();
        if let Some(command) = process
            && is_own_process(&command.value, self.name, own_name)
        {
            let origin = command.origin.clone();
            notes.push(Note::OwnProcessSkipped { profile: self.name.clone(), origin });
            process = None;
        }
        [
            profile.credential_source.as_ref().map(Claim::CredentialSource),
            profile.web_identity.as_ref().map(Claim::WebIdentity),
            profile.source_profile.as_ref().map(Claim::SourceProfile),
            profile.sso.as_ref().map(Claim::Sso),
            profile.login_session.as_ref().map(Claim::LoginSession),
            process.map(Claim::CredentialProcess),
            profile.static_keys.as_ref().map(Claim::FileKeys),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn shadowed(self, loser: Claim<'_>, by: &'static str) -> Note {
        let origin = loser.origin().clone();
        Note::Shadowed { profile: self.name.clone(), what: loser.key(), origin, by }
    }

    fn take(self, winner: Claim<'_>) -> Result<Next, PlanError> {
        let profile = self.name.clone();
        let base = match winner {
            Claim::SourceProfile(source) => return Ok(Next::Source(source.clone())),
            Claim::CredentialSource(source) => self.take_credential_source(source)?,
            Claim::WebIdentity(token) => self.take_web_identity(token)?,
            Claim::Sso(sso) => self.take_sso(sso)?,
            Claim::LoginSession(session) => Base::LoginSession { profile, session: session.clone() },
            Claim::CredentialProcess(command) => {
                Base::CredentialProcess { profile, command: command.clone() }
            }
            Claim::FileKeys(keys) => Base::FileKeys { profile, keys: keys.clone() },
        };
        Ok(Next::Base(Box::new(base)))
    }

    fn take_credential_source(self, source: &Sourced<CredentialSource>) -> Result<Base, PlanError> {
        let (profile, origin) = (self.name.clone(), source.origin.clone());
        let ambient = &self.options.ambient;
        let (service, endpoint) = match source.value {
            CredentialSource::Environment => {
                return match &ambient.keys {
                    Some(Ok(keys)) => {
                        Ok(Base::Environment { profile, keys: Sourced { value: keys.clone(), origin } })
                    }
                    Some(Err(reason)) => {
                        Err(PlanError::EnvironmentKeys { profile, reason: reason.clone(), origin })
                    }
                    None => Err(PlanError::EnvironmentKeysMissing { profile, origin }),
                };
            }
            CredentialSource::Ec2InstanceMetadata => {
                (MetadataService::Instance, ambient.metadata_endpoint.clone())
            }
            CredentialSource::EcsContainer => (MetadataService::Container, ambient.container_uri.clone()),
        };
        Ok(Base::Metadata { profile, service, endpoint, origin })
    }

    fn take_web_identity(self, token: &Sourced<WebIdentity>) -> Result<Base, PlanError> {
        let profile = self.name.clone();
        let Some(role) = self.profile.role_arn.clone() else {
            return Err(PlanError::WebIdentityWithoutRole { profile, origin: token.origin.clone() });
        };
        Ok(Base::WebIdentity {
            profile,
            token: token.clone(),
            role,
            session_name: self.profile.role_session_name.clone(),
            duration: asked_or(self.profile.durations.assume_role.as_ref(), ROLE_DEFAULT),
        })
    }

    fn take_sso(self, sso: &Sourced<Sso>) -> Result<Base, PlanError> {
        let profile = self.name.clone();
        let missing = |missing| PlanError::SsoIncomplete {
            profile: self.name.clone(),
            missing,
            origin: sso.origin.clone(),
        };
        let account_id = sso.value.account_id.clone().ok_or_else(|| missing("sso_account_id"))?;
        let role_name = sso.value.role_name.clone().ok_or_else(|| missing("sso_role_name"))?;
        Ok(Base::Sso { profile, sso: sso.clone(), account_id, role_name })
    }

    /// Row 9: only where the profile names no role of its own, as the role belongs to the token.
    fn choose_ambient_web_identity(self) -> Result<Option<Base>, PlanError> {
        let Some(ambient) = self.options.ambient.web_identity.as_ref() else { return Ok(None) };
        if self.which == Which::Source || self.profile.role_arn.is_some() {
            return Ok(None);
        }
        let profile = self.name.clone();
        let Some(role) = &ambient.role_arn else {
            return Err(PlanError::WebIdentityWithoutRole {
                profile,
                origin: ambient.token_file.origin.clone(),
            });
        };
        let bad =
            |name, reason, origin: &Origin| PlanError::AmbientValue { name, reason, origin: origin.clone() };
        let role_arn = RoleArn::parse(&role.value)
            .map_err(|reason| bad("AWS_ROLE_ARN", ValueError::Name(reason), &role.origin))?;
        if let Some(name) = &ambient.role_session_name {
            parse_session_name(&name.value)
                .map_err(|reason| bad("AWS_ROLE_SESSION_NAME", reason, &name.origin))?;
        }
        Ok(Some(Base::WebIdentity {
            profile,
            token: ambient.token_file.clone().map(WebIdentity::File),
            role: Sourced { value: role_arn, origin: role.origin.clone() },
            session_name: ambient.role_session_name.clone(),
            duration: asked_or(self.profile.durations.assume_role.as_ref(), ROLE_DEFAULT),
        }))
    }

    fn nothing_there(self) -> PlanError {
        let profile = self.name.clone();
        if let Some(role) = &self.profile.role_arn {
            return PlanError::RoleWithoutSource { profile, origin: role.origin.clone() };
        }
        let section = if profile.is_default() { "default".to_owned() } else { format!("profile {profile}") };
        PlanError::CredentialsMissing {
            profile,
            defined_at: self.profile.defined_at.map(|place| Origin::File { place, section }),
            is_own_process_skipped: self.profile.credential_process.is_some(),
        }
    }
}
