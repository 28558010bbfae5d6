//! Checks the flags for the last role of a chain and for session policies against STS's limits, before anything is
//! sent.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hatbox_core::config::profile::{Origin, Sourced};
use hatbox_core::config::value::{
    ValueError, parse_external_id, parse_session_name, parse_session_tags, parse_transitive_tags,
};
use hatbox_core::plan::{LastRole, SessionPolicies};
use hatbox_iam::policy::document::Policy;
use hatbox_types::arn::Arn;
use hatbox_types::name::RoleArn;
use hatbox_types::text::printable;

use crate::args::SessionArgs;
use crate::errors::{Failure, FailureKind};
use crate::world::dirs::shown_path;

/// Maximum length of all session policies together, in characters (STS AssumeRole, `Policy`).
const MAX_POLICY: usize = 2048;
/// Maximum number of managed session policies (STS AssumeRole, `PolicyArns`).
const MAX_ARNS: usize = 10;
/// In bytes, more than any policy that STS accepts.
const MAX_FILE: u64 = 64 << 10;

/// Reads the flags, and the policy file that one of them names.
pub(crate) fn load_last_role(args: &SessionArgs) -> Result<LastRole, Failure> {
    let mut tags = args.session_tag.iter();
    if let Some(tag) = tags.find(|tag| tag.contains(',')) {
        // Lists in the config are split at commas; a flag takes one tag.
        return Err(wrong("--session-tag", tag, "expected one `KEY=VALUE`; repeat the flag for each tag"));
    }
    let tag_list = (!args.session_tag.is_empty()).then(|| args.session_tag.join(","));
    let key_list = (!args.transitive_tag.is_empty()).then(|| args.transitive_tag.join(","));
    let tags = |text: &str| parse_session_tags(text).map_err(ValueError::from);
    let keys = |text: &str| parse_transitive_tags(text).map_err(ValueError::from);
    let role = |text: &str| RoleArn::parse(text).map_err(ValueError::from);
    Ok(LastRole {
        role: parse("--role-arn", args.role_arn.as_deref(), role)?,
        external_id: parse("--external-id", args.external_id.as_deref(), parse_external_id)?,
        tags: parse("--session-tag", tag_list.as_deref(), tags)?,
        transitive_tags: parse("--transitive-tag", key_list.as_deref(), keys)?,
        source_identity: parse("--source-identity", args.source_identity.as_deref(), parse_session_name)?,
        policies: load_policies(args)?,
        read_only: args.read_only.then_some(Origin::Flag("--read-only")),
    })
}

fn parse<T>(
    flag: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, ValueError>,
) -> Result<Option<Sourced<T>>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let value = parse(text).map_err(|error| wrong(flag, text, &error.to_string()))?;
    Ok(Some(Sourced { value, origin: Origin::Flag(flag) }))
}

fn wrong(flag: &str, text: &str, why: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("invalid `{flag}` `{}`: {why}", printable(text)))
}

fn load_policies(args: &SessionArgs) -> Result<SessionPolicies, Failure> {
    let document = args.policy.as_deref().map(load_document).transpose()?;
    let mut arns = Vec::new();
    for arn in &args.policy_arn {
        let is_policy =
            Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"));
        if !is_policy {
            return Err(wrong("--policy-arn", arn, "expected `arn:aws:iam::ACCOUNT:policy/NAME`"));
        }
        arns.push(Sourced { value: arn.clone(), origin: Origin::Flag("--policy-arn") });
    }
    let count = arns.len() + usize::from(args.read_only);
    if count > MAX_ARNS {
        let error =
            format!("AWS accepts at most {MAX_ARNS} managed policies for a session: {count} are given");
        return Err(Failure::new(FailureKind::Usage, error));
    }
    let texts = document.iter().chain(&arns).map(|text| text.value.chars().count());
    let length: usize = texts.sum();
    if length > MAX_POLICY {
        let error =
            format!("AWS accepts at most {MAX_POLICY} characters of session policies: these have {length}");
        return Err(Failure::new(FailureKind::Usage, error)
            .hint("shorten the policy, or create a managed policy and name it by --policy-arn"));
    }
    Ok(SessionPolicies { document, arns })
}

/// Loads a policy and checks that STS would accept it.
fn load_document(path: &Path) -> Result<Sourced<String>, Failure> {
    let shown = shown_path(path);
    let usage = |text: String| Failure::new(FailureKind::Usage, text);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    read.map_err(|error| usage(format!("could not read the policy `{shown}`")).caused_by(&error))?;
    let text =
        String::from_utf8(bytes).map_err(|_| usage(format!("the policy `{shown}` is not text (UTF-8)")))?;
    Policy::parse(&text).map_err(|error| usage(format!("invalid policy `{shown}`")).caused_by(&error))?;
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(bad) = text.chars().find(|c| !is_allowed(*c)) {
        let bad = bad.escape_unicode();
        return Err(usage(format!(
            "the policy `{shown}` has the character `{bad}`, which STS does not accept"
        )));
    }
    let text = text.trim().to_owned();
    Ok(Sourced { value: text, origin: Origin::Flag("--policy") })
}
