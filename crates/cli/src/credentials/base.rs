//! The identity that a plan starts from, as something that signs.

use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_core::plan::{Base, Plan};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{AccessKey, SecretString};
use hatbox_types::text::shell::quote_word;

use super::run::Fetching;
use crate::aws::client::Signer;
use crate::errors::{Failure, FailureKind};

/// This version knows the source, and cannot use it.
pub(super) fn cannot_yet(base: &Base) -> Failure {
    let (what, profile) = (base.not_supported().unwrap_or("these keys"), base.profile());
    let word = quote_word(profile.as_str());
    Failure::new(
        FailureKind::Failed,
        format!("profile `{profile}` gets its credentials from {what}, and this version cannot do that yet"),
    )
    .hint(format!("store an access key for it, which is then used instead: hatbox add {word}"))
}

impl Fetching<'_> {
    /// Loads what signs the first call.
    pub(super) fn load_base(&mut self, plan: &Plan) -> Result<Signer, Failure> {
        match &plan.base {
            Base::StoredKey { profile, id } => {
                let key = self.secrets.read_key(profile)?;
                // The plan, and with it the name of the cached session, was made for the key of the index.
                if id.as_ref().is_some_and(|id| *id != key.id) {
                    return Err(Failure::new(
                        FailureKind::Failed,
                        format!("the access key of `{profile}` was changed meanwhile"),
                    )
                    .hint("run the command again"));
                }
                Ok(Signer::Key(key))
            }
            Base::FileKeys { profile, .. } => self.load_file_keys(profile),
            Base::Environment { .. } => self.load_environment_keys(),
            other => Err(cannot_yet(other)),
        }
    }

    fn load_file_keys(&self, profile: &ProfileName) -> Result<Signer, Failure> {
        let resolved = resolve_profile(&self.files.config, profile, &self.request.overrides, Which::Source)
            .map_err(|error| self.files.failure_of(&error))?;
        let keys = resolved.static_keys.map(|keys| keys.value).ok_or_else(|| {
            Failure::new(FailureKind::Failed, format!("profile `{profile}` has no access key in the files"))
        })?;
        Ok(signer_of(keys.key, keys.session_token))
    }

    fn load_environment_keys(&self) -> Result<Signer, Failure> {
        let environment = &self.world.environment;
        let text = |name| environment.text(name).unwrap_or_default();
        let key = AccessKey::parse(&text("AWS_ACCESS_KEY_ID"), &text("AWS_SECRET_ACCESS_KEY")).map_err(
            |error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("the environment's AWS_ACCESS_KEY_ID cannot be used: {error}"),
                )
            },
        )?;
        Ok(signer_of(key, environment.text("AWS_SESSION_TOKEN").map(SecretString::new)))
    }
}

fn signer_of(key: AccessKey, session_token: Option<SecretString>) -> Signer {
    match session_token {
        None => Signer::Key(key),
        Some(session_token) => Signer::Found { key, session_token },
    }
}
