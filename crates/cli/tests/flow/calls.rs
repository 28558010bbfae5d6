//! The calls of a run in the sandbox's log, in the words of the case files.

use std::collections::BTreeSet;

use hatbox_sandbox::log::{LogEntry, SignedWith};
use hatbox_sandbox::world::{Principal, SessionKind, World};

use crate::fixture::Fixture;

/// A point in time, to separate the calls and sessions of a run from earlier ones.
pub(crate) struct Before {
    calls: u64,
    sessions: BTreeSet<String>,
}

impl Before {
    pub(crate) fn now(fixture: &Fixture) -> Self {
        let calls = fixture.log().len() as u64;
        Self { calls, sessions: fixture.world().sessions.into_keys().collect() }
    }

    /// Returns the calls since then, one line each, and the words for keys that sign or are handed over.
    pub(crate) fn calls(&self, fixture: &Fixture, name_of: &dyn Fn(&str) -> Option<String>) -> Calls {
        let mut entries = fixture.client().log(self.calls).unwrap();
        // The calls before a machine's credentials are not part of the plan.
        entries.retain(|entry| !["PutToken", "ListRoles"].contains(&entry.action.as_str()));
        let world = fixture.world();
        let made: Vec<Option<String>> = entries.iter().map(|entry| self.made_by(&world, entry)).collect();
        let word = |id: &str| {
            let made_here =
                made.iter().position(|made| made.as_deref().is_some_and(|made| made.ends_with(id)));
            match made_here {
                Some(call) => format!("call:{}", call + 1),
                None => name_of(id).unwrap_or_else(|| "cached".to_owned()),
            }
        };
        let lines = entries.iter().map(|entry| render_call(entry, &word)).collect();
        let words = made.iter().enumerate();
        let words = words.filter_map(|(i, id)| Some((id.clone()?, format!("call:{}", i + 1)))).collect();
        Calls { entries, lines, words }
    }

    /// Returns the access key id that a call returned.
    fn made_by(&self, world: &World, entry: &LogEntry) -> Option<String> {
        // The portal of Identity Center names the role by its permission set.
        let arn = entry.parameters.get("RoleArn").or(entry.resource.as_ref());
        let role = arn.and_then(|arn| arn.rsplit('/').next());
        let is_of = |principal: &Principal, kind: &SessionKind| match (principal, kind) {
            (Principal::RoleSession { role: made, session, .. }, _) if entry.service == "metadata" => {
                made == "worker" && (entry.action == "GetInstanceCredentials") == session.starts_with("i-")
            }
            (Principal::RoleSession { role: made, .. }, SessionKind::AssumeRole) => {
                role == Some(made.as_str())
            }
            (_, SessionKind::GetSessionToken { .. }) => entry.action == "GetSessionToken",
            _ => false,
        };
        // A machine's credentials stay the same until they are replaced.
        let is_new = |id: &String| entry.service == "metadata" || !self.sessions.contains(id);
        let mut new = world.sessions.iter().filter(|(id, _)| is_new(id));
        let found = new.find(|(_, session)| is_of(&session.principal, &session.kind));
        found.filter(|_| entry.is_allowed()).map(|(id, _)| id.clone())
    }
}

/// The calls of a run.
pub(crate) struct Calls {
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) lines: Vec<String>,
    words: Vec<(String, String)>,
}

impl Calls {
    /// Returns `call:N` for an access key id that this run obtained.
    pub(crate) fn word_of(&self, id: &str) -> Option<String> {
        self.words.iter().find(|(made, _)| made == id).map(|(_, word)| word.clone())
    }
}

fn render_call(entry: &LogEntry, word: &dyn Fn(&str) -> String) -> String {
    match entry.action.as_str() {
        "GetInstanceCredentials" => return "metadata.instance by=machine".to_owned(),
        "GetContainerCredentials" => return "metadata.container by=machine".to_owned(),
        _ => {}
    }
    let parameter = |name: &str| entry.parameters.get(name).cloned();
    if entry.action == "GetRoleCredentials" {
        let word = |name: &str| parameter(name).unwrap_or_default();
        let (account, set) = (word("account_id"), word("role_name"));
        return format!("GetRoleCredentials by=sso account={account} permission_set={set}");
    }
    let signer = entry.key.as_deref().map_or("nobody".to_owned(), |key| word(key.trim_matches('*')));
    let mut line = format!("{} by={signer}", entry.action);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line.extend([" ", name, "=", &value]);
        }
    };
    add("role", parameter("RoleArn"));
    add("duration", parameter("DurationSeconds"));
    add("mfa", parameter("SerialNumber"));
    assert_eq!(parameter("SerialNumber").is_some(), parameter("TokenCode").is_some(), "both or none");
    if let Some(name) = parameter("RoleSessionName") {
        // hatbox's default if the profile has no session name.
        add("session_name", Some(name).filter(|name| !name.starts_with("hatbox-")));
    }
    add("external_id", parameter("ExternalId"));
    let list = |stem: &str| (1..).map_while(|n| parameter(&format!("{stem}.member.{n}"))).collect::<Vec<_>>();
    let tags: Vec<_> = (1..)
        .map_while(|n| {
            let part = |part| parameter(&format!("Tags.member.{n}.{part}"));
            Some(format!("{}={}", part("Key")?, part("Value")?))
        })
        .collect();
    add("tags", (!tags.is_empty()).then(|| tags.join(",")));
    let transitive = list("TransitiveTagKeys");
    add("transitive", (!transitive.is_empty()).then(|| transitive.join(",")));
    add("source_identity", parameter("SourceIdentity"));
    let is_role = entry.action == "AssumeRole";
    let is_of_key = matches!(entry.signed_with, SignedWith::AccessKey | SignedWith::WebIdentity);
    assert!(is_role || is_of_key, "a session cannot ask for a session");
    line
}
