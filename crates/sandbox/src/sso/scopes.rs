//! The syntax and the effect of scopes.

use std::collections::BTreeSet;

/// The scope for calls to the portal, which also grants refresh tokens.
const ACCOUNT_ACCESS: &str = "sso:account:access";
/// The older scope for the portal, which does not grant refresh tokens.
const PORTAL: &str = "sso-portal:*";

/// Returns whether a scope can be registered: `service:what` or `service:what:action`.
pub(super) fn is_scope(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-*".contains(&b))
    };
    text.len() <= 80 && (2..=3).contains(&text.split(':').count()) && text.split(':').all(is_part)
}

/// Returns whether refresh tokens are issued: only if a scope other than [`PORTAL`] was requested.
pub(super) fn has_refresh_tokens(scopes: &BTreeSet<String>) -> bool {
    scopes.iter().any(|scope| scope != PORTAL)
}

/// Returns whether the portal accepts the tokens: they have no scope at all, or one of the portal's scopes.
pub(super) fn opens_portal(scopes: &BTreeSet<String>) -> bool {
    scopes.is_empty() || scopes.contains(ACCOUNT_ACCESS) || scopes.contains(PORTAL)
}

/// Splits the scopes of an authorize request.
pub(super) fn split_scopes(text: &str) -> BTreeSet<String> {
    text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_tokens_and_the_portal_follow_from_the_scopes() {
        for (text, refresh, portal) in [
            ("", false, true),
            ("sso-portal:*", false, true),
            ("sso:account:access", true, true),
            ("sso:account:access codewhisperer:completions", true, true),
            ("codewhisperer:completions", true, false),
        ] {
            let scopes = split_scopes(text);
            assert!(scopes.iter().all(|scope| is_scope(scope)));
            assert_eq!((has_refresh_tokens(&scopes), opens_portal(&scopes)), (refresh, portal), "{text}");
        }
        for bad in ["", "sso", "sso:", "sso:account access", "a:b:c:d", "sso:<b>"] {
            assert!(!is_scope(bad), "{bad}");
        }
    }
}
