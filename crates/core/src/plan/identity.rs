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
use crate::config::profile::{CredentialSource, Origin, Profile, Sourced, WebIdentity};
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

/// A setting that would give the profile its credentials: key, words, place, and what it leads to.
struct Claim<'a, E> {
    key: &'static str,
    words: &'static str,
    origin: &'a Origin,
    take: Box<dyn FnOnce() -> Result<Next, PlanError<E>> + 'a>,
}

impl<'a> Question<'a> {
    /// Row 1 of the table.
    pub(super) fn choose_stored_key(self, id: &AccessKeyId, notes: &mut Vec<Note>) -> Base {
        let profile = self.name.clone();
        for claim in self.claims::<std::convert::Infallible>(notes) {
            let origin = claim.origin.clone();
            if claim.key != "aws_access_key_id" {
                notes.push(self.shadowed(&claim, "the stored access key"));
            } else if self.profile.static_keys.as_ref().is_some_and(|keys| keys.value.key.id != *id) {
                notes.push(Note::FileKeysDiffer { profile: profile.clone(), origin });
            }
        }
        Base::StoredKey { profile, id: Some(id.clone()) }
    }

    /// Rows 2 to 9 of the table.
    pub(super) fn choose<E>(
        self,
        is_store_locked: bool,
        notes: &mut Vec<Note>,
    ) -> Result<Next, PlanError<E>> {
        if is_store_locked && !notes.contains(&Note::StoreLocked) {
            notes.push(Note::StoreLocked);
        }
        let mut claims = self.claims(notes).into_iter();
        if let Some(winner) = claims.next() {
            notes.extend(claims.map(|loser| self.shadowed(&loser, winner.words)));
            return (winner.take)();
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
    fn claims<E>(self, notes: &mut Vec<Note>) -> Vec<Claim<'a, E>> {
        let profile = self.profile;
        let mut claims: Vec<Claim<'a, E>> = Vec::new();
        let mut add = |key, words, origin, take| claims.push(Claim { key, words, origin, take });
        if let Some(source) = &profile.credential_source {
            let take = Box::new(move || self.take_credential_source(source));
            add("credential_source", "`credential_source`", &source.origin, take);
        }
        if let Some(token) = &profile.web_identity {
            let take = Box::new(move || self.take_web_identity(token));
            add("web_identity_token_file", "the web identity", &token.origin, take);
        }
        if let Some(source) = &profile.source_profile {
            let take = Box::new(|| Ok(Next::Source(source.clone())));
            add("source_profile", "`source_profile`", &source.origin, take);
        }
        if let Some(sso) = &profile.sso {
            let take = Box::new(move || self.take_sso(sso));
            add("sso_session", "SSO", &sso.origin, take);
        }
        if let Some(session) = &profile.login_session {
            let name = self.name.clone();
            let take = Box::new(|| {
                Ok(Next::Base(Box::new(Base::LoginSession { profile: name, session: session.clone() })))
            });
            add("login_session", "`login_session`", &session.origin, take);
        }
        if let Some(command) = &profile.credential_process {
            let name = self.name.clone();
            if is_own_process(&command.value, self.name, self.options.own_name.as_deref()) {
                notes.push(Note::OwnProcessSkipped { profile: name, origin: command.origin.clone() });
            } else {
                let take = Box::new(|| {
                    Ok(Next::Base(Box::new(Base::CredentialProcess {
                        profile: name,
                        command: command.clone(),
                    })))
                });
                add("credential_process", "`credential_process`", &command.origin, take);
            }
        }
        if let Some(keys) = &profile.static_keys {
            let base = Base::FileKeys {
                profile: self.name.clone(),
                id: keys.value.key.id.clone(),
                origin: keys.origin.clone(),
                is_temporary: keys.value.session_token.is_some(),
            };
            let take = Box::new(|| Ok(Next::Base(Box::new(base))));
            add("aws_access_key_id", "the access key in the file", &keys.origin, take);
        }
        claims
    }

    fn shadowed<E>(self, loser: &Claim<'_, E>, by: &'static str) -> Note {
        Note::Shadowed { profile: self.name.clone(), what: loser.key, origin: loser.origin.clone(), by }
    }

    fn take_credential_source<E>(self, source: &Sourced<CredentialSource>) -> Result<Next, PlanError<E>> {
        let (profile, origin) = (self.name.clone(), source.origin.clone());
        let ambient = &self.options.ambient;
        let (service, endpoint) = match source.value {
            CredentialSource::Environment => {
                return match &ambient.key {
                    Some(key) => Ok(Next::Base(Box::new(Base::Environment {
                        profile,
                        origin,
                        id: key.id.clone(),
                        is_temporary: key.is_temporary,
                    }))),
                    None => Err(PlanError::EnvironmentKeysMissing { profile, origin }),
                };
            }
            CredentialSource::Ec2InstanceMetadata => {
                (MetadataService::Instance, ambient.metadata_endpoint.clone())
            }
            CredentialSource::EcsContainer => (MetadataService::Container, ambient.container_uri.clone()),
        };
        Ok(Next::Base(Box::new(Base::Metadata { profile, service, endpoint, origin })))
    }

    fn take_web_identity<E>(self, token: &Sourced<WebIdentity>) -> Result<Next, PlanError<E>> {
        let profile = self.name.clone();
        let Some(role) = self.profile.role_arn.clone() else {
            return Err(PlanError::WebIdentityWithoutRole { profile, origin: token.origin.clone() });
        };
        Ok(Next::Base(Box::new(Base::WebIdentity {
            profile,
            token: token.clone(),
            role,
            session_name: self.profile.role_session_name.clone(),
            duration: asked_or(self.profile.durations.assume_role.as_ref(), ROLE_DEFAULT),
        })))
    }

    fn take_sso<E>(self, sso: &Sourced<crate::config::profile::Sso>) -> Result<Next, PlanError<E>> {
        let profile = self.name.clone();
        let missing = |missing| PlanError::SsoIncomplete {
            profile: self.name.clone(),
            missing,
            origin: sso.origin.clone(),
        };
        let account_id = sso.value.account_id.clone().ok_or_else(|| missing("sso_account_id"))?;
        let role_name = sso.value.role_name.clone().ok_or_else(|| missing("sso_role_name"))?;
        Ok(Next::Base(Box::new(Base::Sso { profile, sso: sso.clone(), account_id, role_name })))
    }

    /// Row 9: only where the profile names no role of its own, as the role belongs to the token.
    fn choose_ambient_web_identity<E>(self) -> Result<Option<Base>, PlanError<E>> {
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

    fn nothing_there<E>(self) -> PlanError<E> {
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
