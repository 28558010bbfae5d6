//! Scopes: what they look like, and what follows from them.

use std::collections::BTreeSet;

/// The scope of the portal's calls, which comes with refresh tokens.
const ACCOUNT_ACCESS: &str = "sso:account:access";
/// The older one, which comes without.
const PORTAL: &str = "sso-portal:*";

/// Whether a scope is one that can be registered: `service:what` or `service:what:action`.
pub(super) fn is_scope(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-*".contains(&b))
    };
    text.len() <= 80 && (2..=3).contains(&text.split(':').count()) && text.split(':').all(is_part)
}

/// Whether refresh tokens are given: only with a scope that was asked for by name.
pub(super) fn has_refresh_tokens(scopes: &BTreeSet<String>) -> bool {
    scopes.iter().any(|scope| scope != PORTAL)
}

/// Whether the portal takes the tokens: those without any scope, and those with one that is its own.
pub(super) fn opens_portal(scopes: &BTreeSet<String>) -> bool {
    scopes.is_empty() || scopes.contains(ACCOUNT_ACCESS) || scopes.contains(PORTAL)
}

/// Splits what an authorize request asks for.
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
