//! Renders a plan for people.

use std::time::Duration;

use crate::config::guard::Guard;
use crate::config::profile::{Origin, Sourced, StaticKeys, WebIdentity};
use hatbox_types::duration::render_duration;
use hatbox_types::text::page::{Page, Style};

use super::super::command::render_program;
use super::super::{
    AssumeRole, Base, MetadataService, Mfa, NoteLevel, Plan, SessionPolicies, Signer, Stage, Step,
};
use super::CacheState;
use super::layout::{push_item, push_row};
use super::place::{Paths, render_origin};

/// Renders a plan as lines of at most 80 columns, except for long names. `cache` returns the state of a stage in the
/// cache.
pub fn render_explanation(plan: &Plan, paths: &Paths, cache: &dyn Fn(Stage) -> CacheState) -> Page {
    let mut writer = Writer { plan, paths, cache, page: Page::default() };
    writer.write_summary();
    writer.write_base();
    for (index, step) in plan.steps.iter().enumerate() {
        writer.write_step(index, step);
    }
    writer.write_end();
    writer.write_notes();
    writer.page
}

struct Writer<'a> {
    plan: &'a Plan,
    paths: &'a Paths,
    cache: &'a dyn Fn(Stage) -> CacheState,
    page: Page,
}

impl Writer<'_> {
    fn origin(&self, origin: &Origin) -> Option<String> {
        render_origin(origin, self.paths)
    }

    fn row<T>(&mut self, label: &str, value: &str, sourced: &Sourced<T>) {
        let origin = self.origin(&sourced.origin);
        push_row(&mut self.page, label, value, Style::Plain, origin.as_deref());
    }

    /// Whether a stage would run now, as neither it nor a later one is cached.
    fn is_due(&self, stage: Stage) -> bool {
        let mut rest = self.plan.stages().filter(|other| *other >= stage);
        !rest.any(|other| matches!((self.cache)(other), CacheState::Cached { .. }))
    }

    fn write_summary(&mut self) {
        let calls = |stages: &dyn Fn(Stage) -> bool| {
            let calls = self.plan.stages().filter(|s| stages(*s) && self.plan.stage_call(*s).is_some());
            // A plan has at most one call with a code, as a second code of the same device would mean waiting.
            let calls: Vec<Stage> = calls.collect();
            (calls.len(), calls.iter().any(|stage| self.plan.stage_mfa(*stage).is_some()))
        };
        let (all, now) = (calls(&|_| true), calls(&|stage| self.is_due(stage)));
        let words = |(calls, has_code)| {
            let calls = match calls {
                0 => "no calls".to_owned(),
                1 => "1 call".to_owned(),
                calls => format!("{calls} calls"),
            };
            format!("{calls}, {}", if has_code { "1 MFA code" } else { "no MFA code" })
        };
        let summary = format!(": {}", words(all));
        self.page.line(&[(self.plan.profile.as_str(), Style::Strong), (&summary, Style::Plain)]);
        if now != all {
            let cached = format!("now, with the cached sessions: {}", words(now));
            self.page.line(&[(&cached, Style::Good)]);
        }
    }

    fn write_base(&mut self) {
        self.page.blank();
        let (title, place) = match &self.plan.base {
            Base::StoredKey { .. } => ("access key", "in the store"),
            Base::FileKeys { keys, .. } => (title_of(&keys.value), "in plain text"),
            Base::Environment { keys, .. } => (title_of(&keys.value), "in the environment"),
            Base::Sso { .. } => ("SSO (Identity Center)", ""),
            Base::WebIdentity { .. } => ("AssumeRoleWithWebIdentity", ""),
            Base::CredentialProcess { .. } => ("credential_process", ""),
            Base::Metadata { service: MetadataService::Instance, .. } => ("instance metadata", ""),
            Base::Metadata { service: MetadataService::Container, .. } => ("container credentials", ""),
            Base::LoginSession { .. } => ("session of `aws login`", ""),
        };
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        let name = self.plan.base.profile().as_str();
        self.page.line(&[
            ("  -  ", Style::Quiet),
            (title, Style::Strong),
            (" of ", Style::Plain),
            (name, Style::Strong),
            (&place, Style::Plain),
        ]);
        self.write_base_rows();
        if let Some(account) = &self.plan.account_id {
            self.row("account", account.value.as_str(), account);
        }
        if self.plan.base.is_saved() {
            self.write_cache(Stage::Base);
        } else if self.plan.base.call().is_some() {
            let text = match &self.plan.base {
                Base::LoginSession { .. } => "no: the session of `aws login` is read each time",
                Base::CredentialProcess { .. } => "no: the program has its own cache, and is run each time",
                _ => "no: the service on this machine is called each time",
            };
            push_row(&mut self.page, "cached", text, Style::Plain, None);
        }
    }

    fn write_base_rows(&mut self) {
        match &self.plan.base {
            Base::StoredKey { id, .. } => match id {
                Some(id) => push_row(&mut self.page, "id", &id.masked(), Style::Plain, None),
                None => {
                    push_row(&mut self.page, "id", "not known: the store is locked", Style::Warning, None);
                }
            },
            Base::FileKeys { keys, .. } | Base::Environment { keys, .. } => {
                let origin = self.origin(&keys.origin);
                push_row(&mut self.page, "id", &keys.value.key.id.masked(), Style::Plain, origin.as_deref());
                if let Some(at) = keys.value.expires_at {
                    push_row(&mut self.page, "expires", &at.to_string(), Style::Plain, None);
                }
            }
            Base::Sso { sso, account_id, role_name, .. } => {
                self.row("start URL", &sso.value.start_url.value, &sso.value.start_url);
                self.row("account", &account_id.value, account_id);
                self.row("role", &role_name.value, role_name);
            }
            Base::WebIdentity { token, role, session_name, duration, policies, .. } => {
                self.row("role", role.value.as_str(), role);
                match &token.value {
                    WebIdentity::File(path) => self.row("token", path, token),
                    WebIdentity::Process(command) => {
                        self.row("token", &format!("printed by {}", render_program(command)), token);
                    }
                }
                if let Some(name) = session_name {
                    self.row("named", &name.value, name);
                }
                self.write_length(duration, "default");
                if let Some(policies) = policies {
                    self.write_policies(policies);
                }
            }
            Base::CredentialProcess { command, .. } => {
                self.row("printed by", &render_program(&command.value), command);
            }
            Base::Metadata { service, endpoint, endpoint_origin, origin, .. } => {
                if origin.place().is_some() {
                    let source = match service {
                        MetadataService::Instance => "Ec2InstanceMetadata",
                        MetadataService::Container => "EcsContainer",
                    };
                    let place = self.origin(origin);
                    push_row(&mut self.page, "source", source, Style::Plain, place.as_deref());
                }
                let origin = endpoint.as_ref().and_then(|_| self.origin(endpoint_origin));
                let (at, style) = match endpoint {
                    Some(url) => (url.as_str(), Style::Plain),
                    None => ("no address: AWS_CONTAINER_CREDENTIALS_FULL_URI is not set", Style::Warning),
                };
                push_row(&mut self.page, "endpoint", at, style, origin.as_deref());
            }
            Base::LoginSession { session, .. } => self.row("session", &session.value, session),
        }
    }

    fn write_step(&mut self, index: usize, step: &Step) {
        self.page.blank();
        let number = format!("  {}  ", index + 1);
        let length = format!(" for {}", render_duration(step.duration().value));
        let mut spans = vec![(number.as_str(), Style::Quiet)];
        match step {
            Step::GetSessionToken(_) => spans.push(("GetSessionToken", Style::Strong)),
            Step::GetFederationToken(_) => spans.push(("GetFederationToken", Style::Strong)),
            Step::AssumeRole(role) => {
                spans.push(("AssumeRole ", Style::Plain));
                spans.push((role.role.value.role_name(), Style::Strong));
                spans.push((" in account ", Style::Plain));
                spans.push((role.role.value.account(), Style::Plain));
            }
        }
        spans.push((&length, Style::Plain));
        self.page.line(&spans);
        if let Step::AssumeRole(role) = step {
            self.row("role", role.role.value.as_str(), &role.role);
        }
        if step.profile() != &self.plan.profile && matches!(step, Step::AssumeRole(_)) {
            push_row(&mut self.page, "profile", step.profile().as_str(), Style::Plain, None);
        }
        let signer = match (index, self.plan.base.signer()) {
            (0, Signer::LongLivedKey) => "the access key".to_owned(),
            (0, _) => "the temporary credentials above".to_owned(),
            (index, _) => format!("the session of step {index}"),
        };
        push_row(&mut self.page, "signed by", &signer, Style::Plain, None);
        match step {
            Step::GetFederationToken(_) => {
                let text = "GetFederationToken accepts no MFA code";
                push_row(&mut self.page, "MFA", text, Style::Plain, None);
            }
            _ => self.write_mfa(index, step.mfa()),
        }
        match step {
            Step::GetSessionToken(session) => {
                let default = match self.plan.steps.len() {
                    1 => "default",
                    _ => "default for a session that assumes roles",
                };
                self.write_length(&session.duration, default);
            }
            Step::GetFederationToken(step) => {
                self.write_length(&step.duration, "default");
                self.write_policies(&step.policies);
            }
            Step::AssumeRole(role) => self.write_role_rows(role),
        }
        self.write_cache(Stage::Step(index));
    }

    fn write_mfa(&mut self, index: usize, mfa: Option<&Mfa>) {
        if let Some(mfa) = mfa {
            self.row("MFA code", mfa.serial.value.as_str(), &mfa.serial);
            if let Some(process) = &mfa.process {
                self.row("", &format!("printed by {}", render_program(&process.value)), process);
            }
            return;
        }
        // Only a session of GetSessionToken passes MFA on, and only to the next call.
        let carried = index.checked_sub(1).and_then(|before| self.plan.steps.get(before));
        if let Some(Step::GetSessionToken(session)) = carried
            && session.mfa.is_some()
        {
            push_row(&mut self.page, "MFA", &format!("from the session of step {index}"), Style::Plain, None);
        }
    }

    fn write_role_rows(&mut self, role: &AssumeRole) {
        match &role.cap {
            Some(cap) => {
                let text = format!(
                    "{}, not {}: AWS's limit for temporary credentials",
                    render_duration(cap.allowed),
                    render_duration(cap.wanted.value)
                );
                let origin = self.origin(&cap.wanted.origin);
                push_row(&mut self.page, "duration", &text, Style::Warning, origin.as_deref());
            }
            None => self.write_length(&role.duration, "default"),
        }
        if let Some(name) = &role.session_name {
            self.row("named", &name.value, name);
        }
        if let Some(id) = &role.external_id {
            self.row("external ID", &id.value, id);
        }
        if let Some(identity) = &role.source_identity {
            self.row("identity", &identity.value, identity);
        }
        if let Some(tags) = &role.tags {
            let list: Vec<_> = tags.value.iter().map(|(key, value)| format!("{key}={value}")).collect();
            self.row("tags", &list.join(", "), tags);
        }
        if let Some(tags) = &role.transitive_tags {
            self.row("transitive", &tags.value.join(", "), tags);
        }
        if let Some(policies) = &role.policies {
            self.write_policies(policies);
        }
    }

    fn write_policies(&mut self, policies: &SessionPolicies) {
        if let Some(document) = &policies.document {
            let count = document.value.chars().count();
            self.row("limited to", &format!("a policy of {count} characters"), document);
        }
        for arn in &policies.arns {
            self.row("limited to", &arn.value, arn);
        }
    }

    fn write_length(&mut self, length: &Sourced<Duration>, default: &str) {
        let origin = self.origin(&length.origin).unwrap_or_else(|| default.to_owned());
        push_row(&mut self.page, "duration", &render_duration(length.value), Style::Plain, Some(&origin));
    }

    fn write_cache(&mut self, stage: Stage) {
        let (text, style) = match (self.cache)(stage) {
            CacheState::Cached { left, .. } => {
                (format!("yes, {} left", render_duration(floor_to_minute(left))), Style::Good)
            }
            _ if !self.is_due(stage) => ("no, and not needed now".to_owned(), Style::Good),
            CacheState::Absent => ("no".to_owned(), Style::Plain),
            CacheState::Unknown if matches!(self.plan.base, Base::Metadata { .. }) => {
                ("not known: it depends on the machine's credentials".to_owned(), Style::Plain)
            }
            CacheState::Unknown => ("not known: the store is locked".to_owned(), Style::Warning),
        };
        push_row(&mut self.page, "cached", &text, style, None);
    }

    fn write_end(&mut self) {
        self.page.blank();
        let what = match self.plan.steps.last() {
            Some(step) => format!("temporary credentials for {}", render_duration(step.duration().value)),
            None => match (&self.plan.base, self.plan.base.signer()) {
                (_, Signer::LongLivedKey) => "the long-lived access key itself".to_owned(),
                (Base::WebIdentity { duration, .. }, _) => {
                    format!("temporary credentials for {}", render_duration(duration.value))
                }
                _ => "the temporary credentials above".to_owned(),
            },
        };
        self.page.line(&[("  => ", Style::Quiet), (&what, Style::Strong)]);
        match &self.plan.region {
            Some(region) => self.row("region", region.value.as_str(), region),
            None => push_row(&mut self.page, "region", "none is set", Style::Warning, None),
        }
        if let Some(url) = &self.plan.endpoint.sts_url {
            self.row("STS at", &url.value, url);
        }
        if let Some(guard) = &self.plan.guard {
            self.write_guard(guard);
        }
    }

    fn write_guard(&mut self, guard: &Guard) {
        if let Some(confirm) = guard.confirm.as_ref().filter(|said| said.value) {
            self.row("confirm", "a person types `yes` before each use", confirm);
        }
        for patterns in &guard.deny_commands {
            let list: Vec<_> = patterns.value.iter().map(|pattern| format!("`{pattern}`")).collect();
            self.row("denied", &list.join(", "), patterns);
        }
        if let Some(said) = &guard.read_only_for_agents {
            let text =
                if said.value { "read-only for coding agents" } else { "not read-only for coding agents" };
            self.row("agents", text, said);
        }
    }

    fn write_notes(&mut self) {
        if !self.plan.notes.is_empty() {
            self.page.blank();
        }
        for note in &self.plan.notes {
            let (mark, style) = match note.level() {
                NoteLevel::Warning => ("!", Style::Warning),
                NoteLevel::Info => ("-", Style::Quiet),
            };
            let origin = note.origin().and_then(|origin| render_origin(origin, self.paths));
            push_item(&mut self.page, mark, &note.render_text(), style, origin.as_deref());
        }
    }
}

/// Rounds down to whole minutes: seconds are noise in this text.
fn floor_to_minute(length: Duration) -> Duration {
    let seconds = length.as_secs();
    if seconds < 60 { Duration::from_secs(seconds) } else { Duration::from_secs(seconds / 60 * 60) }
}

fn title_of(keys: &StaticKeys) -> &'static str {
    if keys.is_temporary() { "temporary credentials" } else { "access key" }
}
