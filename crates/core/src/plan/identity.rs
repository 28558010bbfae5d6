//! Chooses the source of one profile's credentials, and notes the sources that it overrides.
//!
//! The first match is used:
//!
//! | | in the profile | outcome |
//! |---|---|---|
//! | 1 | a stored access key | base; overrides everything else, including `source_profile` |
//! | 2 | `role_arn` with `source_profile`, not itself; no `web_identity_token_file` | on to that profile |
//! | 3 | `role_arn` with `credential_source`; no `web_identity_token_file` | base |
//! | 4 | `web_identity_token_file`, `web_identity_token_process` | base, with the profile's `role_arn` |
//! | 5 | `sso_account_id`, `sso_role_name` | base |
//! | 6 | `aws_access_key_id` in the credentials file | base |
//! | 7 | `login_session` | base |
//! | 8 | `credential_process` that is not hatbox on this profile | base |
//! | 9 | `aws_access_key_id` in the config file | base |
//! | 10 | `source_profile` or `credential_source` without a role, as in aws-vault | on to that profile; base |
//! | 11 | `default` without `role_arn`; `AWS_ACCESS_KEY_ID` | base, for the target only |
//! | 12 | no `role_arn`; `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN` | base, for the target only |
//! | 13 | no `role_arn`; `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `_FULL_URI` | base, for the target only |
//! | 14 | no `role_arn`; the machine is an EC2 instance | base, for the target only |
//!
//! Row 11 is only for `default`, as the SDKs use these variables only where no profile is named. Rows 2 to 9 and 12 to 14
//! are botocore's order; the other SDKs differ ([`super::sdk`]). A `role_arn` in addition to a
//! source is assumed with its credentials. A source profile with keys in a file ends the chain, as in all SDKs: its
//! `source_profile` and `role_arn` are ignored. `source_profile` together with `credential_source` was already rejected
//! when the config was read, as AWS's tools do.

use crate::config::Which;
use crate::config::overrides::AmbientWebIdentity;
use crate::config::profile::{
    CredentialSource, FileKind, MetadataMode, Origin, Profile, Sourced, Sso, StaticKeys, WebIdentity,
};
use crate::config::value::{ValueError, parse_session_name};
use hatbox_types::name::{AccessKeyId, ProfileName, RoleArn};

use super::base::{Base, MetadataService};
use super::command::is_own_process;
use super::error::PlanError;
use super::input::PlanOptions;
use super::length::{ROLE_DEFAULT, asked_or};
use super::note::Note;
use super::sdk::{OWN_ORDER, Sdk, SourceKind};

/// What follows a profile in the chain.
pub(super) enum Next {
    /// Its source profile.
    Source(Sourced<ProfileName>),
    /// The base identity, which ends the chain.
    Base(Box<Base>),
}

/// A profile whose source of credentials is being chosen.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) name: &'a ProfileName,
    pub(super) profile: &'a Profile,
    pub(super) which: Which,
    pub(super) options: &'a PlanOptions,
}

/// A setting that could provide the profile's credentials.
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
    /// The key of the setting in the config.
    fn key(self) -> &'static str {
        match self {
            Self::CredentialSource(_) => "credential_source",
            Self::WebIdentity(Sourced { value: WebIdentity::File(_), .. }) => "web_identity_token_file",
            Self::WebIdentity(_) => "web_identity_token_process",
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

    /// Returns the kind of source, which depends on whether the profile has a role.
    fn kind(self, has_role: bool) -> SourceKind {
        match self {
            Self::CredentialSource(_) if has_role => SourceKind::RoleOfEnvironment,
            Self::CredentialSource(_) => SourceKind::EnvironmentAlone,
            Self::SourceProfile(_) if has_role => SourceKind::RoleOfProfile,
            Self::SourceProfile(_) => SourceKind::ProfileAlone,
            Self::WebIdentity(Sourced { value: WebIdentity::File(_), .. }) => SourceKind::TokenFile,
            Self::WebIdentity(_) => SourceKind::TokenProcess,
            Self::Sso(_) => SourceKind::Sso,
            Self::LoginSession(_) => SourceKind::LoginSession,
            Self::CredentialProcess(_) => SourceKind::CredentialProcess,
            Self::FileKeys(keys) => match keys.origin.place().map(|place| place.file) {
                Some(FileKind::Credentials) => SourceKind::CredentialsFileKeys,
                _ => SourceKind::ConfigFileKeys,
            },
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
    /// Applies row 1 of the table.
    pub(super) fn choose_stored_key(self, id: &AccessKeyId, notes: &mut Vec<Note>) -> Base {
        let profile = self.name.clone();
        let claims = self.claims(notes);
        for claim in claims.iter().copied() {
            match claim {
                Claim::FileKeys(keys) if keys.value.key.id == *id => {}
                Claim::FileKeys(keys) => {
                    notes
                        .push(Note::FileKeysDiffer { profile: profile.clone(), origin: keys.origin.clone() });
                }
                claim => notes.push(self.shadowed(claim, &claims, "the stored access key")),
            }
        }
        Base::StoredKey { profile, id: Some(id.clone()) }
    }

    /// Applies rows 2 to 14 of the table.
    pub(super) fn choose(self, is_store_locked: bool, notes: &mut Vec<Note>) -> Result<Next, PlanError> {
        if is_store_locked && !notes.contains(&Note::StoreLocked) {
            notes.push(Note::StoreLocked);
        }
        let claims = self.claims(notes);
        if let Some((winner, losers)) = claims.split_first() {
            notes.extend(losers.iter().map(|loser| self.shadowed(*loser, &claims, winner.words())));
            return self.take(*winner);
        }
        if let Some(sso) = &self.profile.sso {
            // The profile has SSO settings, but incomplete ones: report what is missing.
            return self.take_sso(sso).map(|base| Next::Base(Box::new(base)));
        }
        if let Some(base) = self.choose_ambient()? {
            return Ok(Next::Base(Box::new(base)));
        }
        if is_store_locked {
            return Ok(Next::Base(Box::new(Base::StoredKey { profile: self.name.clone(), id: None })));
        }
        Err(self.nothing_there())
    }

    /// Lists the settings of the profile itself, in the order of the table.
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
        let is_whole_sso =
            |sso: &&Sourced<Sso>| sso.value.account_id.is_some() || sso.value.role_name.is_some();
        let mut claims: Vec<Claim<'a>> = [
            profile.web_identity.as_ref().map(Claim::WebIdentity),
            profile.source_profile.as_ref().map(Claim::SourceProfile),
            profile.credential_source.as_ref().map(Claim::CredentialSource),
            profile.sso.as_ref().filter(is_whole_sso).map(Claim::Sso),
            profile.login_session.as_ref().map(Claim::LoginSession),
            process.map(Claim::CredentialProcess),
            profile.static_keys.as_ref().map(Claim::FileKeys),
        ]
        .into_iter()
        .flatten()
        .collect();
        claims.sort_by_key(|claim| self.rank(*claim));
        claims
    }

    /// Returns the position of a claim in the table.
    fn rank(self, claim: Claim<'_>) -> usize {
        let place = |kind| OWN_ORDER.iter().position(|other| *other == kind).unwrap_or(OWN_ORDER.len());
        let kind = claim.kind(self.profile.role_arn.is_some());
        let token = &self.profile.web_identity;
        match kind {
            SourceKind::RoleOfProfile | SourceKind::RoleOfEnvironment if self.ends_chain() => OWN_ORDER.len(),
            // After the token file: the sort is stable, so equal positions keep their order.
            SourceKind::RoleOfProfile | SourceKind::RoleOfEnvironment
                if matches!(token, Some(Sourced { value: WebIdentity::File(_), .. })) =>
            {
                place(SourceKind::TokenFile)
            }
            kind => place(kind),
        }
    }

    /// Whether the profile is a source with keys in a file, whose role settings are ignored.
    pub(super) fn ends_chain(self) -> bool {
        self.which == Which::Source && self.profile.static_keys.is_some()
    }

    fn shadowed(self, loser: Claim<'_>, claims: &[Claim<'_>], by: &'static str) -> Note {
        let has_role = self.profile.role_arn.is_some();
        let present: Vec<SourceKind> = claims.iter().map(|claim| claim.kind(has_role)).collect();
        let is_of = |sdk: &Sdk| sdk.choose(&present) == Some(loser.kind(has_role));
        Note::Shadowed {
            profile: self.name.clone(),
            what: loser.key(),
            origin: loser.origin().clone(),
            by,
            sdks: Sdk::ALL.into_iter().filter(is_of).collect(),
        }
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
        let origin = source.origin.clone();
        let ambient = &self.options.ambient;
        let (service, at) = match source.value {
            CredentialSource::Environment => return self.take_environment_keys(origin),
            CredentialSource::Ec2InstanceMetadata => {
                (MetadataService::Instance, Some(self.instance_endpoint()?))
            }
            CredentialSource::EcsContainer => (MetadataService::Container, ambient.container_uri.clone()),
        };
        Ok(self.metadata(service, at, origin))
    }

    /// Returns the base with the access key of the environment, which `origin` asks for.
    fn take_environment_keys(self, origin: Origin) -> Result<Base, PlanError> {
        let profile = self.name.clone();
        match &self.options.ambient.keys {
            Some(Ok(keys)) => {
                Ok(Base::Environment { profile, keys: Sourced { value: keys.clone(), origin } })
            }
            Some(Err(reason)) => Err(PlanError::EnvironmentKeys { profile, reason: reason.clone(), origin }),
            None => Err(PlanError::EnvironmentKeysMissing { profile, origin }),
        }
    }

    /// Returns the base for a metadata service at `at`, which `origin` asks for.
    fn metadata(self, service: MetadataService, at: Option<Sourced<String>>, origin: Origin) -> Base {
        let (endpoint, endpoint_origin) = match at {
            Some(at) => (Some(at.value), at.origin),
            None => (None, origin.clone()),
        };
        let profile = self.name.clone();
        Base::Metadata { profile, service, endpoint, endpoint_origin, access_key_id: None, origin }
    }

    /// Resolves the endpoint in the SDKs' order: an address before a mode, and for each the variable before the config
    /// key.
    fn instance_endpoint(self) -> Result<Sourced<String>, PlanError> {
        const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
        const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
        let ambient = &self.options.ambient;
        if let Some(url) = &ambient.metadata_endpoint {
            return Ok(Sourced { value: url.clone(), origin: Origin::Env(ENDPOINT) });
        }
        if let Some(url) = &self.profile.metadata_endpoint {
            return Ok(url.clone());
        }
        let (mode, origin) = match (&ambient.metadata_mode, &self.profile.metadata_mode) {
            (Some(text), _) => {
                let origin = Origin::Env(MODE);
                let mode = MetadataMode::parse(text).map_err(|reason| PlanError::AmbientValue {
                    name: MODE,
                    reason,
                    origin: origin.clone(),
                })?;
                (mode, origin)
            }
            (None, Some(mode)) => (mode.value, mode.origin.clone()),
            (None, None) => (MetadataMode::Ipv4, Origin::Default),
        };
        Ok(Sourced { value: mode.url().to_owned(), origin })
    }

    fn take_web_identity(self, token: &Sourced<WebIdentity>) -> Result<Base, PlanError> {
        let profile = self.name.clone();
        let Some(role) = self.profile.role_arn.clone() else {
            return Err(PlanError::WebIdentityWithoutRole { profile, origin: token.origin.clone() });
        };
        Ok(Base::WebIdentity {
            profile,
            token: token.clone(),
            text: None,
            role,
            session_name: self.profile.role_session_name.clone(),
            duration: asked_or(self.profile.durations.assume_role.as_ref(), ROLE_DEFAULT),
            policies: None,
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

    /// Applies rows 11 to 14, for a profile without a role of its own: the role in the environment belongs to the
    /// token, and AWS's tools use the other sources for a role only with `credential_source`.
    fn choose_ambient(self) -> Result<Option<Base>, PlanError> {
        if self.which == Which::Source || self.profile.role_arn.is_some() {
            return Ok(None);
        }
        let ambient = &self.options.ambient;
        if self.name.is_default() && ambient.keys.is_some() {
            return self.take_environment_keys(Origin::Env("AWS_ACCESS_KEY_ID")).map(Some);
        }
        if let Some(ambient) = &ambient.web_identity {
            return self.take_ambient_web_identity(ambient).map(Some);
        }
        if let Some(at) = ambient.container_uri.clone() {
            let origin = at.origin.clone();
            return Ok(Some(self.metadata(MetadataService::Container, Some(at), origin)));
        }
        if ambient.is_instance {
            let at = self.instance_endpoint()?;
            return Ok(Some(self.metadata(MetadataService::Instance, Some(at), Origin::Default)));
        }
        Ok(None)
    }

    fn take_ambient_web_identity(self, ambient: &AmbientWebIdentity) -> Result<Base, PlanError> {
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
        Ok(Base::WebIdentity {
            profile,
            token: ambient.token_file.clone().map(WebIdentity::File),
            text: None,
            role: Sourced { value: role_arn, origin: role.origin.clone() },
            session_name: ambient.role_session_name.clone(),
            duration: asked_or(self.profile.durations.assume_role.as_ref(), ROLE_DEFAULT),
            policies: None,
        })
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
