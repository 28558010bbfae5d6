//! Renders a plan for programs. Keys and their types stay stable; new keys may be added.

use serde_json::{Value, json};

use crate::config::guard::Guard;
use crate::config::profile::{FileKind, Origin, Sourced, StaticKeys, WebIdentity};
use hatbox_types::name::AccessKeyId;

use super::super::command::render_program;
use super::super::{
    AssumeRole, Base, MetadataService, Mfa, Note, NoteLevel, Plan, SessionPolicies, Signer, Stage, Step,
};
use super::CacheState;
use super::place::Paths;

/// Renders a plan as JSON: `profile`, `base`, `steps`, `account_id`, `region`, `endpoint`, `hands_over`, `guard`, `notes`.
pub fn render_explanation_json(plan: &Plan, paths: &Paths, cache: &dyn Fn(Stage) -> CacheState) -> Value {
    let writer = Writer { paths, cache };
    let steps = plan.steps.iter().enumerate().map(|(index, step)| writer.step(index, step));
    let notes = plan.notes.iter().map(|note| {
        json!({
            "kind": note.kind(),
            "level": match note.level() {
                NoteLevel::Warning => "warning",
                NoteLevel::Info => "info",
            },
            "text": note.render_text(),
            "sdks": match note {
                Note::Shadowed { sdks, .. } => json!(sdks.iter().map(|sdk| sdk.as_str()).collect::<Vec<_>>()),
                _ => Value::Null,
            },
            "from": note.origin().map(|origin| writer.origin(origin)),
        })
    });
    json!({
        "profile": plan.profile.as_str(),
        "base": writer.base(&plan.base),
        // Kept for older readers: all sources are supported now.
        "is_supported": true,
        "steps": steps.collect::<Vec<_>>(),
        "account_id": plan.account_id.as_ref().map(|id| writer.sourced(id, id.value.as_str())),
        "region": plan.region.as_ref().map(|region| writer.sourced(region, region.value.as_str())),
        "endpoint": plan.endpoint.sts_url.as_ref().map(|url| writer.sourced(url, url.value.as_str())),
        "hands_over": if plan.hands_over_long_lived_key() { "access-key" } else { "temporary-credentials" },
        "guard": plan.guard.as_deref().map(|guard| writer.guard(guard)),
        "notes": notes.collect::<Vec<_>>(),
    })
}

struct Writer<'a> {
    paths: &'a Paths,
    cache: &'a dyn Fn(Stage) -> CacheState,
}

impl Writer<'_> {
    fn origin(&self, origin: &Origin) -> Value {
        match origin {
            Origin::Flag(name) => json!({ "kind": "flag", "name": name }),
            Origin::Env(name) => json!({ "kind": "env", "name": name }),
            Origin::File { place, section } => json!({
                "kind": match place.file {
                    FileKind::Config => "config",
                    FileKind::Credentials => "credentials",
                },
                "path": self.paths.path(place.file),
                "line": place.line,
                "section": section,
            }),
            Origin::Default => json!({ "kind": "default" }),
        }
    }

    fn sourced<T>(&self, sourced: &Sourced<T>, value: impl Into<Value>) -> Value {
        json!({ "value": value.into(), "from": self.origin(&sourced.origin) })
    }

    fn text(&self, text: Option<&Sourced<String>>) -> Value {
        text.map_or(Value::Null, |text| self.sourced(text, text.value.as_str()))
    }

    fn guard(&self, guard: &Guard) -> Value {
        // Patterns from all guards; `from` is the place of the first.
        let patterns = guard.deny_commands.first().map(|said| {
            let all = guard.deny_commands.iter().flat_map(|said| &said.value);
            self.sourced(said, all.map(ToString::to_string).collect::<Vec<_>>())
        });
        json!({
            "confirm": guard.confirm.as_ref().map(|said| self.sourced(said, said.value)),
            "deny_commands": patterns,
            "read_only_for_agents": guard.read_only_for_agents.as_ref().map(|said| self.sourced(said, said.value)),
            "read_only_role_arn": guard.read_only_role.as_ref().map(|said| self.sourced(said, said.value.as_str())),
        })
    }

    fn cache(&self, stage: Stage) -> Value {
        match (self.cache)(stage) {
            CacheState::Cached { left, expires_at } => json!({
                "state": "cached", "seconds_left": left.as_secs(), "expires_at": expires_at.to_string(),
            }),
            CacheState::Absent => json!({ "state": "absent" }),
            CacheState::Unknown => Value::Null,
        }
    }

    fn keys(&self, keys: &Sourced<StaticKeys>) -> Value {
        json!({ "access_key_id": keys.value.key.id.masked(), "from": self.origin(&keys.origin) })
    }

    fn base(&self, base: &Base) -> Value {
        let (kind, settings) = match base {
            Base::StoredKey { id, .. } => {
                ("stored-key", json!({ "access_key_id": id.as_ref().map(AccessKeyId::masked) }))
            }
            Base::FileKeys { keys, .. } => ("file-keys", self.keys(keys)),
            Base::Environment { keys, .. } => ("environment", self.keys(keys)),
            Base::Sso { sso, account_id, role_name, .. } => (
                "sso",
                json!({
                    "session": sso.value.session,
                    "start_url": self.text(Some(&sso.value.start_url)),
                    "region": sso.value.region.as_str(),
                    "account_id": self.text(Some(account_id)),
                    "role_name": self.text(Some(role_name)),
                    "from": self.origin(&sso.origin),
                }),
            ),
            Base::WebIdentity { token, role, session_name, duration, policies, .. } => {
                let source = match &token.value {
                    WebIdentity::File(path) => json!({ "file": path }),
                    WebIdentity::Process(command) => json!({ "program": render_program(command) }),
                };
                let mut settings = json!({
                    "token": self.sourced(token, source),
                    "role": self.sourced(role, role.value.as_str()),
                    "session_name": self.text(session_name.as_ref()),
                    "duration_seconds": self.sourced(duration, duration.value.as_secs()),
                });
                self.add_policies(&mut settings, policies.as_deref());
                ("web-identity", settings)
            }
            Base::CredentialProcess { command, .. } => (
                "credential-process",
                json!({ "program": self.sourced(command, render_program(&command.value)) }),
            ),
            Base::Metadata { service, endpoint, origin, .. } => (
                match service {
                    MetadataService::Instance => "instance-metadata",
                    MetadataService::Container => "container-credentials",
                },
                json!({ "endpoint": endpoint, "from": self.origin(origin) }),
            ),
            Base::LoginSession { session, .. } => {
                ("login-session", json!({ "session": self.text(Some(session)) }))
            }
        };
        json!({
            "kind": kind,
            "profile": base.profile().as_str(),
            "is_long_lived": base.signer() == Signer::LongLivedKey,
            "settings": settings,
            "cache": base.is_saved().then(|| self.cache(Stage::Base)),
        })
    }

    fn step(&self, index: usize, step: &Step) -> Value {
        let mut value = json!({
            "call": match step {
                Step::GetSessionToken(_) => "GetSessionToken",
                Step::GetFederationToken(_) => "GetFederationToken",
                Step::AssumeRole(_) => "AssumeRole",
            },
            "profile": step.profile().as_str(),
            "signed_by": match index {
                0 => "base".to_owned(),
                index => format!("step {index}"),
            },
            "duration_seconds": self.sourced(step.duration(), step.duration().value.as_secs()),
            "mfa": step.mfa().map(|mfa| self.mfa(mfa)),
            "cache": self.cache(Stage::Step(index)),
        });
        let policies = match step {
            Step::GetSessionToken(_) => None,
            Step::GetFederationToken(step) => Some(&step.policies),
            Step::AssumeRole(role) => role.policies.as_ref(),
        };
        self.add_policies(&mut value, policies);
        if let (Step::AssumeRole(role), Some(fields)) = (step, value.as_object_mut())
            && let Value::Object(more) = self.role(role)
        {
            fields.extend(more);
        }
        value
    }

    fn add_policies(&self, value: &mut Value, policies: Option<&SessionPolicies>) {
        if let (Some(policies), Some(fields)) = (policies, value.as_object_mut()) {
            let arns = policies.arns.iter().map(|arn| self.sourced(arn, arn.value.as_str()));
            fields.insert("policy".to_owned(), self.text(policies.document.as_ref()));
            fields.insert("policy_arns".to_owned(), arns.collect());
        }
    }

    fn mfa(&self, mfa: &Mfa) -> Value {
        json!({
            "serial": self.sourced(&mfa.serial, mfa.serial.value.as_str()),
            "program": mfa.process.as_ref().map(|p| self.sourced(p, render_program(&p.value))),
        })
    }

    fn role(&self, role: &AssumeRole) -> Value {
        let tags = role.tags.as_ref().map(|tags| {
            let pairs = tags.value.iter().map(|(key, value)| json!({ "key": key, "value": value }));
            self.sourced(tags, pairs.collect::<Vec<_>>())
        });
        json!({
            "role": self.sourced(&role.role, role.role.value.as_str()),
            "cap": role.cap.as_ref().map(|cap| json!({
                "reason": "chaining",
                "wanted_seconds": self.sourced(&cap.wanted, cap.wanted.value.as_secs()),
            })),
            "session_name": self.text(role.session_name.as_ref()),
            "external_id": self.text(role.external_id.as_ref()),
            "source_identity": self.text(role.source_identity.as_ref()),
            "tags": tags,
            "transitive_tags": role.transitive_tags.as_ref().map(|t| self.sourced(t, t.value.clone())),
        })
    }
}
