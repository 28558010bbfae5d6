//! `hatbox sandbox log`: shows who called what, whether it was allowed, and why, in 80 columns.

use std::time::Duration;

use hatbox_sandbox::log::{LogEntry, SignedWith};
use hatbox_types::duration::render_duration;

use crate::args::SandboxLogArgs;
use crate::errors::{Failure, FailureKind};
use crate::output::{BOLD, DIM, ERROR, GOOD};
use crate::world::World;

const WIDTH: usize = 80;
/// The column of the first line's text, after time and verdict.
const INDENT: usize = 19;

pub(super) fn run(world: &World, directory: &std::path::Path, args: &SandboxLogArgs) -> Result<(), Failure> {
    let client = super::open_client(directory)?;
    let mut entries = client.log(0)?;
    entries.retain(|entry| args.service.as_ref().is_none_or(|service| entry.service == *service));
    if args.json {
        let mut text = String::new();
        for entry in &entries {
            let line = serde_json::to_string(entry).map_err(|error| {
                Failure::new(FailureKind::Failed, "a call cannot be written as JSON").caused_by(&error)
            })?;
            text.push_str(&line);
            text.push('\n');
        }
        return Ok(world.output.data(&text)?);
    }
    if entries.is_empty() {
        world.output.note("no calls yet");
        return Ok(());
    }
    Ok(world.output.data(&render(&entries))?)
}

/// Renders a line with the date, then two or more lines per call.
fn render(entries: &[LogEntry]) -> String {
    let mut text = String::new();
    let mut day = String::new();
    for entry in entries {
        let this_day = entry.at.strftime("%Y-%m-%d").to_string();
        if day != this_day {
            text.extend([format!("{BOLD}{this_day} (UTC){BOLD:#}\n")]);
            day = this_day;
        }
        text.push_str(&render_entry(entry));
    }
    text
}

pub(super) fn render_entry(entry: &LogEntry) -> String {
    let (verdict, style) = match entry.status {
        0 => ("dropped", ERROR),
        _ if entry.is_allowed() => ("allowed", GOOD),
        _ => ("REFUSED", ERROR),
    };
    let mut line = format!("{}: {}:{}", shown_caller(entry), entry.service, entry.action);
    if let Some(resource) = shown_resource(entry) {
        line.push_str(" on ");
        line.push_str(&resource);
    }
    if let (true, Some(seconds)) = (entry.is_allowed(), entry.granted_seconds) {
        line.push_str(", for ");
        line.push_str(&render_duration(Duration::from_secs(seconds.unsigned_abs())));
    }
    let mut text = format!("{}  {style}{verdict}{style:#}  ", entry.at.strftime("%H:%M:%S"));
    push_wrapped(&mut text, &line, "", "");
    for reason in reasons(entry) {
        text.push_str(&" ".repeat(INDENT));
        push_wrapped(&mut text, &reason, &DIM.to_string(), &format!("{DIM:#}"));
    }
    text
}

/// Renders the caller: `jan`, `jan with MFA`, `role dev-infra-admin`, `SUBJECT of https://ISSUER`. Names suffice, as
/// they are unique in the sandbox.
fn shown_caller(entry: &LogEntry) -> String {
    let Some(arn) = &entry.caller else {
        let is_on_machine = entry.service == "metadata";
        return if is_on_machine { "this machine" } else { "unknown caller" }.to_owned();
    };
    match entry.signed_with {
        // The subject of a token, in the form of its issuer.
        SignedWith::WebIdentity => return arn.clone(),
        SignedWith::SsoToken => return format!("{arn} by SSO"),
        _ => {}
    }
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let name = match resource.split('/').collect::<Vec<_>>().as_slice() {
        ["assumed-role", role, ..] => format!("role {role}"),
        [.., name] => (*name).to_owned(),
        [] => arn.clone(),
    };
    match (entry.signed_with, entry.mfa_present) {
        // For a role session, the MFA keys are always false, which explains nothing.
        (SignedWith::Role, _) => name,
        (_, Some(true)) => format!("{name} with MFA"),
        _ if entry.parameters.contains_key("TokenCode") => format!("{name} with an MFA code"),
        (SignedWith::AccessKey | SignedWith::Nothing, None) => name,
        _ => format!("{name} without MFA"),
    }
}

/// Renders the resource: `role security-auditor`, `work-logs/x`. Omits one that covers everything.
fn shown_resource(entry: &LogEntry) -> Option<String> {
    let arn = entry.resource.as_deref()?;
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match resource {
        "" | "*" => None,
        resource => Some(resource.replacen("role/", "role ", 1)),
    }
}

/// Renders the policy statements that decided. If no policy was evaluated, renders the error that the caller got.
fn reasons(entry: &LogEntry) -> Vec<String> {
    let mut reasons = entry.because.clone();
    if reasons.is_empty() {
        reasons.extend(entry.error.as_ref().map(|code| match &entry.message {
            Some(message) => format!("{code}: {message}"),
            None => code.clone(),
        }));
    }
    reasons
}

/// Appends words up to [`WIDTH`], with further lines indented, each line within its own style codes.
fn push_wrapped(text: &mut String, words: &str, on: &str, off: &str) {
    let mut column = INDENT;
    text.push_str(on);
    for (number, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 {
            if column + 1 + length > WIDTH {
                text.push_str(off);
                text.push('\n');
                text.push_str(&" ".repeat(INDENT));
                text.push_str(on);
                column = INDENT;
            } else {
                text.push(' ');
                column += 1;
            }
        }
        text.push_str(word);
        column += length;
    }
    text.push_str(off);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        serde_json::from_value(serde_json::json!({
            "number": 1, "at": "2026-11-23T00:41:47.7Z", "service": "sts", "action": "AssumeRole",
            "caller": "arn:aws:iam::111122223333:user/jan", "key": "****VTGC", "signed_with": "access-key",
            "resource": "arn:aws:iam::444455556666:role/dev-infra-admin", "mfa_present": null,
            "status": 403, "error": "AccessDenied", "message": "User: is not authorized",
            "because": ["trust policy, statement 1: does not allow: Bool on `aws:MultiFactorAuthPresent` fails, the key is absent"],
            "granted_seconds": null, "parameters": {}
        }))
        .unwrap()
    }

    fn shown(entry: LogEntry) -> String {
        anstream::adapter::strip_str(&render(&[entry])).to_string()
    }

    #[test]
    fn a_refused_call_says_who_what_and_why_in_80_columns() {
        let expected = "\
2026-11-23 (UTC)
00:41:47  REFUSED  jan: sts:AssumeRole on role dev-infra-admin
                   trust policy, statement 1: does not allow: Bool on
                   `aws:MultiFactorAuthPresent` fails, the key is absent
";
        assert_eq!(shown(entry()), expected);
    }

    #[test]
    fn a_role_and_a_user_look_different_and_an_object_is_named_by_its_path() {
        let mut entry = entry();
        entry.caller = Some("arn:aws:sts::444455556666:assumed-role/security-auditor/hatbox-1".into());
        entry.signed_with = SignedWith::Role;
        entry.mfa_present = Some(false);
        (entry.service, entry.action) = ("s3".into(), "PutObject".into());
        entry.resource = Some("arn:aws:s3:::work-logs/a/b".into());
        assert!(shown(entry).contains("role security-auditor: s3:PutObject on work-logs/a/b\n"));
    }

    #[test]
    fn without_a_policy_the_reason_is_what_the_caller_was_shown() {
        let mut entry = entry();
        entry.because.clear();
        assert!(shown(entry.clone()).contains("AccessDenied: User: is not authorized\n"));
        entry.caller = None;
        assert!(shown(entry).contains("unknown caller: sts:AssumeRole"));
    }

    #[test]
    fn what_was_granted_is_shown_with_its_length() {
        let mut entry = entry();
        (entry.status, entry.error, entry.granted_seconds) = (200, None, Some(3600));
        let text = shown(entry);
        assert!(text.contains("allowed  jan: sts:AssumeRole on role dev-infra-admin, for 1h\n"), "{text}");
    }
}
