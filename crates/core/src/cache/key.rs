//! The key of a cached session: a digest of everything that affects which credentials AWS returns.
//!
//! | part of the key | not part of it, and why |
//! |---|---|
//! | the base identity: the id of an access key, also of one from a metadata service; the sign-in, account and permission set of SSO; the token in a file, with the session policies of its role; a command with all its settings, and whether it runs for a coding agent | the profile's name if the identity is known: profiles with the same identity share their sessions |
//! | of every step up to this one: role, session name if the user set it, external ID, MFA device, tags, transitive tags, source identity, session policies | a generated session name: it differs in each call |
//! | the STS endpoint, if one is configured | FIPS and dual-stack: other endpoints of the same service |
//! | the partition, derived from the region | the region otherwise: sessions from regional endpoints are valid everywhere |
//! | with `sts_regional_endpoints = legacy`, also the region: sessions from the global endpoint are not valid in opt-in regions | the duration: it is compared before a session is used |
//!
//! The digest is SHA-256 over a version and then each part as name and value, each preceded by its length, so different
//! inputs never give the same bytes.

use hatbox_types::name::Region;
use hatbox_types::partition::Partition;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::config::profile::{StsRegional, WebIdentity};
use crate::plan::{AssumeRole, Base, Plan, SessionPolicies, Stage, Step};
use crate::sso::sign_in::resolve_sign_in_key;

/// The digest that identifies a cached session. It reveals nothing about its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Returns the digest, which is also associated data of the sealed session.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Renders the name of the session's file: 32 hexadecimal digits, keyed with the cache key.
    ///
    /// Security: keyed because key ids and role ARNs can be guessed: with a plain digest, anyone who can list the
    /// directory could test a guess.
    pub fn render_file_name(&self, cache_key: &[u8; 32]) -> String {
        // HMAC accepts keys of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(cache_key) else { return String::new() };
        mac.update(b"hatbox session file\0");
        mac.update(&self.0);
        let tag = mac.finalize().into_bytes();
        hex::encode(tag.get(..16).unwrap_or_default())
    }
}

/// Returns the key of the session that `stage` of `plan` obtains.
///
/// Returns `None` for what is never saved (a key that needs no call, the output of a metadata service or of hatbox run
/// by a command), for an identity that is still unknown (a locked store, a metadata service that was not called, a
/// token that was not read), and for a stage that is not in the plan.
pub fn resolve_session_key(plan: &Plan, stage: Stage) -> Option<SessionKey> {
    let steps = match stage {
        Stage::Base if plan.base.is_saved() => 0,
        Stage::Base => return None,
        Stage::Step(index) => index.checked_add(1)?,
    };
    let steps = plan.steps.get(..steps)?;
    let mut digest = Encoder(Sha256::new());
    digest.text("version", "hatbox session key 1");
    encode_base(&mut digest, &plan.base)?;
    // Nothing is added if a person runs hatbox: keys written before agents were considered stay valid.
    if plan.base.is_command() && plan.agent.is_some() {
        digest.text("runs for", "agent");
    }
    encode_endpoint(&mut digest, plan);
    for step in steps {
        match step {
            Step::GetSessionToken(step) => {
                digest.text("step", "GetSessionToken");
                digest.option("mfa", step.mfa.as_ref().map(|mfa| mfa.serial.value.as_str()));
            }
            Step::GetFederationToken(step) => {
                digest.text("step", "GetFederationToken");
                encode_policies(&mut digest, &step.policies);
            }
            Step::AssumeRole(step) => encode_role(&mut digest, step),
        }
    }
    Some(SessionKey(digest.0.finalize().into()))
}

fn encode_base(digest: &mut Encoder, base: &Base) -> Option<()> {
    match base {
        // The id alone is the identity, wherever the key is stored.
        Base::StoredKey { id, .. } => {
            digest.text("base", "access key");
            digest.text("id", id.as_ref()?.as_str());
        }
        Base::FileKeys { keys, .. } | Base::Environment { keys, .. } => {
            digest.text("base", "access key");
            digest.text("id", keys.value.key.id.as_str());
        }
        Base::Sso { sso, account_id, role_name, .. } => {
            digest.text("base", "sso");
            digest.bytes(b"sign-in");
            digest.bytes(resolve_sign_in_key(&sso.value).as_bytes());
            digest.text("account", &account_id.value);
            digest.text("permission set", &role_name.value);
        }
        Base::WebIdentity { token, text, role, session_name, policies, .. } => {
            digest.text("base", "web identity");
            match &token.value {
                // The content rather than the path, whose token another job may replace.
                WebIdentity::File(_) => digest.text("token", text.as_ref()?.expose()),
                WebIdentity::Process(command) => digest.text("process", command),
            }
            digest.text("role", role.value.as_str());
            digest.option("session name", session_name.as_ref().map(|name| name.value.as_str()));
            if let Some(policies) = policies {
                encode_policies(digest, policies);
            }
        }
        // The command can read the profile's name, so the name affects its output.
        Base::CredentialProcess { profile, command } => {
            digest.text("base", "credential process");
            digest.text("profile", profile.as_str());
            digest.text("command", &command.value);
        }
        // The address is left out, as many pods and instances share it.
        Base::Metadata { access_key_id, .. } => {
            digest.text("base", "access key");
            digest.text("id", access_key_id.as_ref()?.as_str());
        }
        Base::LoginSession { session, .. } => {
            digest.text("base", "login session");
            digest.text("session", &session.value);
        }
    }
    Some(())
}

fn encode_endpoint(digest: &mut Encoder, plan: &Plan) {
    let endpoint = &plan.endpoint;
    let region = plan.region.as_ref().map(|region| &region.value);
    digest.option("endpoint", endpoint.sts_url.as_ref().map(|url| url.value.as_str()));
    digest.text("partition", region.map_or(Partition::Aws, Region::partition).as_str());
    let is_legacy = endpoint.sts_regional.as_ref().is_some_and(|s| s.value == StsRegional::Legacy);
    digest.option("legacy region", is_legacy.then_some(region.map_or("", Region::as_str)));
}

fn encode_role(digest: &mut Encoder, step: &AssumeRole) {
    digest.text("step", "AssumeRole");
    digest.text("role", step.role.value.as_str());
    digest.option("session name", step.session_name.as_ref().map(|s| s.value.as_str()));
    digest.option("external id", step.external_id.as_ref().map(|s| s.value.as_str()));
    digest.option("mfa", step.mfa.as_ref().map(|mfa| mfa.serial.value.as_str()));
    digest.option("source identity", step.source_identity.as_ref().map(|s| s.value.as_str()));
    // Tags are a set: their order in the config does not matter.
    let mut tags: Vec<_> = step.tags.iter().flat_map(|tags| &tags.value).collect();
    tags.sort();
    digest.count("tags", tags.len());
    for (key, value) in tags {
        digest.text(key, value);
    }
    let mut keys: Vec<_> = step.transitive_tags.iter().flat_map(|tags| &tags.value).collect();
    keys.sort();
    keys.dedup();
    digest.count("transitive tags", keys.len());
    for key in keys {
        digest.text("key", key);
    }
    if let Some(policies) = &step.policies {
        encode_policies(digest, policies);
    }
}

/// Nothing is added without policies: keys written before policies were supported stay valid.
fn encode_policies(digest: &mut Encoder, policies: &SessionPolicies) {
    digest.option("policy", policies.document.as_ref().map(|document| document.value.as_str()));
    let mut arns: Vec<_> = policies.arns.iter().map(|arn| arn.value.as_str()).collect();
    arns.sort_unstable();
    arns.dedup();
    digest.count("policy arns", arns.len());
    for arn in arns {
        digest.text("arn", arn);
    }
}

/// Feeds named, length-prefixed parts to a digest.
struct Encoder(Sha256);

impl Encoder {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.bytes(name.as_bytes());
        self.bytes(value.as_bytes());
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        self.count(name, usize::from(value.is_some()));
        if let Some(value) = value {
            self.bytes(value.as_bytes());
        }
    }

    fn count(&mut self, name: &str, count: usize) {
        self.bytes(name.as_bytes());
        self.0.update((count as u64).to_be_bytes());
    }
}
