//! Session policies of a call: parsed, resolved and measured.

use hatbox_iam::policy::document::Policy;

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;

/// The maximum number of characters of the policies and ARNs together, in plain text.
const PLAIN_LIMIT: usize = 2048;
/// AWS does not publish its packed format or the limit. With this value, the plain-text limits are reached first unless
/// there are tags too.
const PACKED_LIMIT: usize = 4096;

/// The session policies of a call.
pub(super) struct Limits {
    /// The policy documents; `None` if there are none, which does not limit the session.
    pub(super) policies: Option<Vec<String>>,
    /// How much of the packed limit the policies and tags use, in percent, rounded up.
    pub(super) packed_percent: usize,
}

/// Parses `Policy` and `PolicyArns`, and measures them together with `Tags`.
pub(super) fn parse_session_policy(context: &RequestContext) -> Result<Limits, ErrorResponse> {
    let inline = context.params.get("Policy");
    let arns: Vec<String> = context
        .params
        .list("PolicyArns")
        .iter()
        .filter_map(|member| member.get("arn").map(str::to_owned))
        .collect();
    let mut policies = Vec::new();
    if let Some(text) = inline {
        Policy::parse(text).map_err(|error| {
            ErrorResponse::new(400, "MalformedPolicyDocument", "The policy is not in the valid JSON format.")
                .because(error.to_string())
        })?;
        policies.push(text.to_owned());
    }
    for arn in &arns {
        let document = context.world.managed_policies.get(arn).ok_or_else(|| {
            ErrorResponse::validation(format!("Policy {arn} does not exist or is not attachable."))
        })?;
        policies.push(document.clone());
    }
    let plain = inline.map_or(0, str::len) + arns.iter().map(String::len).sum::<usize>();
    if plain > PLAIN_LIMIT {
        return Err(ErrorResponse::new(
            400,
            "PackedPolicyTooLarge",
            format!(
                "The plain text of the session policies has {plain} characters, and may have {PLAIN_LIMIT}."
            ),
        ));
    }
    let tags: usize = context
        .params
        .list("Tags")
        .iter()
        .map(|tag| tag.get("Key").map_or(0, str::len) + tag.get("Value").map_or(0, str::len))
        .sum();
    let packed_percent = ((plain + tags) * 100).div_ceil(PACKED_LIMIT);
    if packed_percent > 100 {
        return Err(ErrorResponse::new(
            400,
            "PackedPolicyTooLarge",
            format!("Packed size of session tags consumes {packed_percent}% of allotted space."),
        ));
    }
    Ok(Limits { policies: (!policies.is_empty()).then_some(policies), packed_percent })
}
