//! Parses the texts of AccessDenied errors:
//!
//! ```text
//! User: A is not authorized to perform: X on resource: R
//!   [ because no T policy allows the X action | with an explicit deny in a T policy [: ARN] ]
//!   [ ... authorization id: ID ]
//! ```
//!
//! The reason is often missing: AWS gives it if caller and resource are in the same organization, and rarely for
//! AssumeRole. A named layer is certain; nothing follows for the other layers. Source: "Troubleshoot access denied
//! error messages" of the IAM User Guide.

/// The parts of `User: A is not authorized to perform: X on resource: R ...` that are present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denial {
    /// The caller: the ARN of a user or a session.
    pub caller: Option<String>,
    /// The denied action: `sts:AssumeRole`, `sts:TagSession`, ...
    pub action: Option<String>,
    /// The ARN of the resource.
    pub resource: Option<String>,
    /// The layer that AWS names.
    pub reason: Option<Reason>,
    /// The id for GetRequestAuthorizationDetails.
    pub authorization_id: Option<String>,
}

/// The layer that AWS names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Whether a statement denies the call; otherwise, no policy allows it. For an SCP, AWS may report a missing Allow
    /// as an explicit deny.
    pub is_explicit: bool,
    /// The type of policy that denies the call.
    pub layer: PolicyType,
    /// The ARN of the policy; only present within the account or the organization.
    pub policy: Option<String>,
}

/// The types of policies that an AccessDenied text can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// `identity-based policy`.
    Identity,
    /// `role trust policy`, `resource-based policy`.
    Trust,
    /// `permissions boundary`.
    Boundary,
    /// `session policy`.
    Session,
    /// `service control policy`.
    ServiceControl,
    /// `resource control policy`.
    ResourceControl,
    /// `VPC endpoint policy`.
    VpcEndpoint,
}

impl PolicyType {
    /// AWS's words for each type, in lower case. Longer ones come first, as several contain "session".
    const WORDS: [(&'static str, Self); 8] = [
        ("service control", Self::ServiceControl),
        ("resource control", Self::ResourceControl),
        ("permissions boundary", Self::Boundary),
        ("vpc endpoint", Self::VpcEndpoint),
        ("identity-based", Self::Identity),
        ("resource-based", Self::Trust),
        ("trust", Self::Trust),
        ("session", Self::Session),
    ];

    fn parse(words: &str) -> Option<Self> {
        let words = words.to_ascii_lowercase();
        Self::WORDS.iter().find(|(name, _)| words.contains(name)).map(|(_, layer)| *layer)
    }
}

/// Parses `User: A is not authorized to perform: X on resource: R ...`; missing parts are `None`.
pub(super) fn parse_denial(message: &str) -> Denial {
    let Some((before, after)) = message.split_once("is not authorized to perform:") else {
        return Denial { authorization_id: parse_authorization_id(message), ..Denial::default() };
    };
    let caller = before.rsplit_once("User:").map_or(before, |(_, caller)| caller).trim();
    let action = after.split_whitespace().next().map(trim_word);
    let resource = after.split_once("on resource:").and_then(|(_, rest)| rest.split_whitespace().next());
    Denial {
        caller: non_empty(caller),
        action: action.and_then(non_empty),
        resource: resource.map(trim_word).and_then(non_empty),
        reason: parse_reason(after),
        authorization_id: parse_authorization_id(after),
    }
}

fn parse_reason(text: &str) -> Option<Reason> {
    let (is_explicit, words) = match text.split_once("with an explicit deny") {
        Some((_, words)) => (true, words),
        None => (false, text.split_once("because no ")?.1),
    };
    // Only the part before the colon or newline is AWS's own text; an ARN or an action could contain any word.
    let end = words.find([':', '\n']).unwrap_or(words.len());
    let (layer, rest) = words.split_at(end);
    let layer = PolicyType::parse(layer.split(" allows ").next().unwrap_or_default())?;
    let policy = rest.trim_start_matches(':').split_whitespace().next().map(trim_word);
    Some(Reason {
        is_explicit,
        layer,
        policy: policy.filter(|policy| is_explicit && policy.starts_with("arn:")).map(str::to_owned),
    })
}

fn parse_authorization_id(text: &str) -> Option<String> {
    const NAME: &str = "authorization id:";
    let at = text.to_ascii_lowercase().find(NAME)?;
    text.get(at + NAME.len()..)?.split_whitespace().next().map(trim_word).and_then(non_empty)
}

fn trim_word(word: &str) -> &str {
    word.trim_matches(['"', '\'', '`', ',', '(', ')']).trim_end_matches('.')
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
    const OPS: &str = "arn:aws:iam::444455556666:role/Ops";

    fn denial(rest: &str) -> Denial {
        let text =
            format!("User: {ALICE} is not authorized to perform: sts:AssumeRole on resource: {OPS}{rest}");
        let denial = parse_denial(&text);
        assert_eq!(denial.caller.as_deref(), Some(ALICE));
        assert_eq!(denial.action.as_deref(), Some("sts:AssumeRole"));
        assert_eq!(denial.resource.as_deref(), Some(OPS));
        denial
    }

    #[test]
    fn a_named_layer_is_read_in_every_wording() {
        use PolicyType::{Boundary, Identity, ResourceControl, ServiceControl, Session, Trust, VpcEndpoint};
        for (rest, is_explicit, layer) in [
            (" because no identity-based policy allows the sts:AssumeRole action", false, Identity),
            (" because no role trust policy allows the sts:AssumeRole action", false, Trust),
            (" because no resource-based policy allows the sts:AssumeRole action", false, Trust),
            (" because no permissions boundary allows the sts:AssumeRole action", false, Boundary),
            (" because no session policy allows the sts:AssumeRole action", false, Session),
            (" because no service control policy allows the sts:AssumeRole action", false, ServiceControl),
            (" because no resource control policy allows the sts:AssumeRole action", false, ResourceControl),
            (" because no VPC endpoint policy allows the sts:AssumeRole action", false, VpcEndpoint),
            (" with an explicit deny in an identity-based policy", true, Identity),
            (" with an explicit deny in the role trust policy", true, Trust),
            (" with an explicit deny in a resource-based policy", true, Trust),
            (" with an explicit deny in a permissions boundary", true, Boundary),
            (" with an explicit deny in a session policy", true, Session),
            (" with an explicit deny in a VPC endpoint policy", true, VpcEndpoint),
        ] {
            assert_eq!(denial(rest).reason, Some(Reason { is_explicit, layer, policy: None }), "{rest}");
        }
        assert_eq!(denial("").reason, None);
        assert_eq!(denial(" with an explicit deny").reason, None, "the layer is not named");
    }

    #[test]
    fn the_policys_arn_names_no_layer_and_the_authorization_id_is_read() {
        let policy = "arn:aws:organizations::999999999999:policy/o-ab/service_control_policy/p-session";
        let found = denial(&format!(
            " with an explicit deny in a service control policy: {policy}. Use authorization ID: abc-123 for more."
        ));
        assert_eq!(
            found.reason,
            Some(Reason {
                is_explicit: true,
                layer: PolicyType::ServiceControl,
                policy: Some(policy.to_owned())
            })
        );
        assert_eq!(found.authorization_id.as_deref(), Some("abc-123"));
    }

    #[test]
    fn other_actions_and_missing_resources_are_read() {
        let text = format!(
            "User: {ALICE} is not authorized to perform: sts:TagSession because no identity-based policy allows the sts:TagSession action"
        );
        let denial = parse_denial(&text);
        assert_eq!(denial.action.as_deref(), Some("sts:TagSession"));
        assert_eq!(denial.resource, None);
        assert_eq!(denial.reason.map(|reason| reason.layer), Some(PolicyType::Identity));
    }
}
