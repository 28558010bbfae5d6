//! Links to the console: with a sign-in token, or through the Identity Center portal.

use std::time::Duration;

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use crate::sso::authorize::render_query;

/// The program that AWS names when the session has expired.
const ISSUER: &str = "hatbox";

/// Renders the path and query that exchange temporary credentials for a sign-in token. Without `duration`, the console
/// session lasts as long as the credentials.
///
/// Security: the query contains the credentials.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html>
pub fn render_token_target(
    key_id: &str,
    secret: &SecretString,
    token: &SecretString,
    duration: Option<Duration>,
) -> Zeroizing<String> {
    let text = |text: &str| Zeroizing::new(serde_json::Value::from(text).to_string());
    let session = Zeroizing::new(format!(
        "{{\"sessionId\":{},\"sessionKey\":{},\"sessionToken\":{}}}",
        *text(key_id),
        *text(secret.expose()),
        *text(token.expose())
    ));
    let mut target = Zeroizing::new("/federation?Action=getSigninToken".to_owned());
    if let Some(duration) = duration {
        target.push_str(&format!("&SessionDuration={}", duration.as_secs()));
    }
    target.push('&');
    target.push_str(&Zeroizing::new(render_query(&[("Session", &session)])));
    target
}

/// Renders the URL that signs the browser in with a sign-in token and shows `destination`. `base` is the sign-in
/// endpoint.
pub fn render_sign_in_link(base: &str, token: &SecretString, destination: &str) -> SecretString {
    let query = Zeroizing::new(render_query(&[
        ("Action", "login"),
        ("Issuer", ISSUER),
        ("Destination", destination),
        ("SigninToken", token.expose()),
    ]));
    SecretString::new(format!("{base}/federation?{}", *query))
}

/// Renders the URL that signs the browser out of the console and shows `next`. In a browser with multi-session support,
/// it returns 400.
pub fn render_sign_out_link(base: &str, next: Option<&SecretString>) -> SecretString {
    let mut pairs = vec![("Action", "logout")];
    pairs.extend(next.map(|next| ("redirect_uri", next.expose())));
    SecretString::new(format!("{base}/oauth?{}", *Zeroizing::new(render_query(&pairs))))
}

/// Renders the URL at which the Identity Center portal signs the browser in with a permission set. It contains no
/// credentials: the browser has to be signed in to the portal.
///
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html>
pub fn render_portal_link(start_url: &str, account: &str, role: &str, destination: &str) -> String {
    let query = render_query(&[("account_id", account), ("role_name", role), ("destination", destination)]);
    let start = start_url.split('#').next().unwrap_or_default().trim_end_matches('/');
    format!("{start}/#/console?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::new(text.to_owned())
    }

    #[test]
    fn the_parts_of_a_link_are_encoded_one_by_one() {
        let target =
            render_token_target("ASIA", &secret("a/b+c"), &secret("t==\"&"), Some(Duration::from_hours(1)));
        assert_eq!(
            *target,
            "/federation?Action=getSigninToken&SessionDuration=3600&Session=%7B%22sessionId%22%3A%22ASIA%22%2C\
             %22sessionKey%22%3A%22a%2Fb%2Bc%22%2C%22sessionToken%22%3A%22t%3D%3D%5C%22%26%22%7D"
        );
        assert!(!render_token_target("A", &secret("s"), &secret("t"), None).contains("SessionDuration"));
        let base = "https://signin.aws.amazon.com";
        let link = render_sign_in_link(base, &secret("a&b"), "https://console.aws.amazon.com/x?region=y#z");
        assert_eq!(
            link.expose(),
            "https://signin.aws.amazon.com/federation?Action=login&Issuer=hatbox\
             &Destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fx%3Fregion%3Dy%23z&SigninToken=a%26b"
        );
        let out = render_sign_out_link(base, Some(&link));
        assert!(out.expose().starts_with(
            "https://signin.aws.amazon.com/oauth?Action=logout&redirect_uri=https%3A%2F%2Fsignin"
        ));
        assert!(out.expose().ends_with("%26SigninToken%3Da%2526b"));
        assert_eq!(
            render_sign_out_link(base, None).expose(),
            "https://signin.aws.amazon.com/oauth?Action=logout"
        );
    }

    #[test]
    fn the_portal_gets_account_role_and_page_behind_its_address() {
        for start in
            ["https://x.awsapps.com/start", "https://x.awsapps.com/start/", "https://x.awsapps.com/start/#/"]
        {
            assert_eq!(
                render_portal_link(start, "111122223333", "Power User", "https://console.aws.amazon.com/a"),
                "https://x.awsapps.com/start/#/console?account_id=111122223333&role_name=Power%20User\
                 &destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fa"
            );
        }
    }
}
