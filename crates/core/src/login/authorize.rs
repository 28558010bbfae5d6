//! The URL of the sign-in page, the text that the user pastes from another device, and the identity that signed in.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hatbox_types::name::AccountId;
use serde_json::Value;

use super::cache_file::{CROSS_DEVICE, SAME_DEVICE};
use crate::sso::authorize::{Redirect, RedirectError, parse_answer, render_challenge, render_query};

/// The device of the browser that the user signs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// This machine: the page redirects to a loopback address.
    Same,
    /// Another machine: the page shows a text to paste here.
    Other,
}

impl Device {
    /// Returns the client to sign in with.
    pub fn client_id(self) -> &'static str {
        match self {
            Self::Same => SAME_DEVICE,
            Self::Other => CROSS_DEVICE,
        }
    }
}

/// Renders the URL of the page. `base` is the service's URL; `redirect` receives the answer.
pub fn render_authorize_url(
    base: &str,
    device: Device,
    redirect: &str,
    state: &str,
    verifier: &str,
) -> String {
    let challenge = render_challenge(verifier);
    let query = render_query(&[
        ("response_type", "code"),
        ("client_id", device.client_id()),
        ("state", state),
        // RFC 7636 calls this `S256`, a name that the service does not accept.
        ("code_challenge_method", "SHA-256"),
        ("code_challenge", &challenge),
        ("scope", "openid"),
        ("redirect_uri", redirect),
    ]);
    format!("{base}/v1/authorize?{query}")
}

/// Returns the page that shows the text to paste.
pub fn render_confirmation_url(base: &str) -> String {
    format!("{base}/v1/sessions/confirmation")
}

/// Parses the text that the user pasted: base64 of `state=...&code=...`, perhaps with line breaks.
///
/// # Errors
/// If it is not such a text, or answers another sign-in.
pub fn parse_pasted(text: &str, state: &str) -> Result<Redirect, RedirectError> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(&text).or_else(|_| STANDARD_NO_PAD.decode(&text));
    let answer = String::from_utf8(bytes.map_err(|_| RedirectError::Form)?);
    parse_answer(&answer.map_err(|_| RedirectError::Form)?, state)
}

/// The identity that signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginIdentity {
    /// The ARN of the user, the role session or the root user, which is also the session's name.
    pub arn: String,
    /// The account in the ARN.
    pub account: AccountId,
}

/// Reads the identity from an id token, whose `sub` is the ARN. The token comes from the service over TLS, so its
/// signature is not verified, as in the AWS CLI.
pub fn parse_identity(id_token: &str) -> Option<LoginIdentity> {
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    parse_arn(claims.get("sub")?.as_str()?)
}

/// Parses `arn:PARTITION:iam|sts::ACCOUNT:RESOURCE`. It is written to the config, so it must be a single word.
fn parse_arn(arn: &str) -> Option<LoginIdentity> {
    let is_plain = arn.len() <= 2048 && arn.bytes().all(|b| b.is_ascii_graphic() && !b"#;\"\\`".contains(&b));
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next();
    let (Some("arn"), Some(partition), Some("iam" | "sts"), Some("")) = (part(), part(), part(), part())
    else {
        return None;
    };
    let (account, resource) = (part()?, part()?);
    let account = AccountId::parse(account).ok()?;
    let is_whole = is_plain && partition.starts_with("aws") && !resource.is_empty();
    is_whole.then(|| LoginIdentity { arn: arn.to_owned(), account })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_asked_as_the_aws_cli_asks_it() {
        let url = render_authorize_url(
            "https://eu-west-1.signin.aws.amazon.com",
            Device::Same,
            "http://127.0.0.1:4567/oauth/callback",
            "s1",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        );
        assert_eq!(
            url,
            "https://eu-west-1.signin.aws.amazon.com/v1/authorize?response_type=code\
             &client_id=arn%3Aaws%3Asignin%3A%3A%3Adevtools%2Fsame-device&state=s1&code_challenge_method=SHA-256\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&scope=openid\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A4567%2Foauth%2Fcallback"
        );
        assert!(
            render_authorize_url("x", Device::Other, "y", "s", "v")
                .contains("%3A%3A%3Adevtools%2Fcross-device")
        );
    }

    #[test]
    fn a_pasted_text_is_read_with_the_blanks_of_a_terminal() {
        let text = STANDARD.encode("state=s1&code=abc");
        for pasted in
            [text.clone(), format!(" {text}\n"), text.replace('=', ""), text.replacen('Z', "Z\n ", 1)]
        {
            assert_eq!(parse_pasted(&pasted, "s1"), Ok(Redirect::Code("abc".to_owned())), "{pasted}");
        }
        for (pasted, error) in [
            (text.as_str(), RedirectError::State),
            ("", RedirectError::State),
            ("abc def!", RedirectError::Form),
            ("/////w==", RedirectError::Form),
        ] {
            assert_eq!(parse_pasted(pasted, "s2"), Err(error), "{pasted}");
        }
    }

    #[test]
    fn who_signed_in_is_in_the_id_token() {
        let token = |sub: &str| {
            let claims = serde_json::json!({ "sub": sub }).to_string();
            format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
        };
        let found = parse_identity(&token("arn:aws:iam::111122223333:user/team/jan")).unwrap();
        assert_eq!(found.arn, "arn:aws:iam::111122223333:user/team/jan");
        assert_eq!(found.account.as_str(), "111122223333");
        assert!(
            parse_identity(&token("arn:aws:sts::111122223333:assumed-role/ops/jan@example.com")).is_some()
        );
        assert!(parse_identity(&token("arn:aws-cn:iam::111122223333:root")).is_some());
        for bad in [
            "",
            "jan",
            "arn:aws:iam::1111:user/jan",
            "arn:aws:iam::111122223333:",
            "arn:aws:s3::111122223333:user/jan",
            "arn:aws:iam:eu-west-1:111122223333:user/jan",
            "arn:aws:iam::111122223333:user/jan #x",
            "arn:aws:iam::111122223333:user/jan\ncredential_process = evil",
        ] {
            assert_eq!(parse_identity(&token(bad)), None, "{bad}");
        }
        for bad in ["", "a", "a.b", "e30.e30.x", "e30.!!.x"] {
            assert_eq!(parse_identity(bad), None, "{bad}");
        }
    }
}
