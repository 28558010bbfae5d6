//! What a cached session is filed under: a digest of everything that changes the answer.
//!
//! | part of the key | not part of it, and why |
//! |---|---|
//! | the base identity: an access key's id, also of a metadata service's key; the SSO sign-in, account and permission set; a token of a file, with the session policies of its role; a command with all its settings, and whether it runs for a coding agent | the profile's name where the identity is known: two profiles of one identity share their sessions |
//! | of every step up to this one: role, session name where the user fixed it, external ID, MFA device, tags, transitive tags, source identity, session policies | a session name that is not fixed: it is new for each call |
//! | the STS endpoint, where one is configured | FIPS and dual-stack: other doors to the same service |
//! | the partition, told from the region | the region otherwise: sessions of regional endpoints hold in all |
//! | with `sts_regional_endpoints = legacy` the region too: sessions of the global endpoint do not hold in the regions that are off by default | the length: it is compared when a session is to be used |
//!
//! The digest is SHA-256 over a version, then each part as its name and its value, each with its length in
//! front, so that no two inputs give the same bytes.

use hatbox_types::name::Region;
use hatbox_types::partition::Partition;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::config::profile::{StsRegional, WebIdentity};
use crate::plan::{AssumeRole, Base, Plan, SessionPolicies, Stage, Step};
use crate::sso::sign_in::resolve_sign_in_key;

/// The digest that a session is filed under. Says nothing about what it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The digest: for the associated data of a sealed session.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Renders the name of the session's file: 32 hexadecimal digits, keyed by the cache key.
    ///
    /// Security: keyed, because key ids and role ARNs can be guessed, and a plain digest would let anyone
    /// who may list the directory test the guess.
    pub fn render_file_name(&self, cache_key: &[u8; 32]) -> String {
        // HMAC takes keys of every length, so there is no error to meet.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(cache_key) else { return String::new() };
        mac.update(b"hatbox session file\0");
        mac.update(&self.0);
        let tag = mac.finalize().into_bytes();
        hex::encode(tag.get(..16).unwrap_or_default())
    }
}

/// The key of what `stage` of `plan` gives.
///
/// `None` when nothing of it is ever saved: a key that is simply there, what a metadata service gives, or hatbox run by a command, a key whose id is not known because
/// the store is locked or the metadata service was not asked, a token that was not read, and a stage that the plan does not have.
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
    // Nothing is added for a person: the keys of those sessions stay what they were.
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
        // The id alone is the identity, wherever the key lies.
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
                // Not the path, where another job may have left another token.
                WebIdentity::File(_) => digest.text("token", text.as_ref()?.expose()),
                WebIdentity::Process(command) => digest.text("process", command),
            }
            digest.text("role", role.value.as_str());
            digest.option("session name", session_name.as_ref().map(|name| name.value.as_str()));
            if let Some(policies) = policies {
                encode_policies(digest, policies);
            }
        }
        // The command may look at the profile's name, so the name is a setting of it.
        Base::CredentialProcess { profile, command } => {
            digest.text("base", "credential process");
            digest.text("profile", profile.as_str());
            digest.text("command", &command.value);
        }
        // Not the address, which many pods and instances share.
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
    // Tags are a set: their order in the file does not change the session.
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

/// Nothing is added where there are none: the keys of such sessions stay what they were.
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
