//! The files in `~/.aws/sso/cache` shared with the AWS CLI and the SDKs: their names, and the token's eight fields.
//!
//! All programs can read and refresh a file with all eight fields, and times of the form `YYYY-MM-DDTHH:MM:SSZ`.
//! Unknown fields are kept.

use hatbox_types::name::Region;
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

/// A token of Identity Center, with everything needed to refresh it.
#[derive(Debug, Clone)]
pub struct SsoToken {
    /// The start URL of the sign-in.
    pub start_url: String,
    /// The region of Identity Center.
    pub region: Region,
    /// The token for the portal.
    pub access_token: SecretString,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// For obtaining a new access token; `None` if the scopes did not include that.
    pub refresh: Option<Refresh>,
}

/// What a refresh needs: the refresh token, and the client that got it.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The refresh token, which can be used once.
    pub token: SecretString,
    /// The client that it belongs to.
    pub client: Client,
}

/// A client registered with Identity Center.
#[derive(Debug, Clone)]
pub struct Client {
    /// `clientId`.
    pub id: String,
    /// `clientSecret`.
    pub secret: SecretString,
    /// When the registration expires, after which a refresh fails.
    pub expires_at: Timestamp,
}

/// Why a file is not a token's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFileError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    Json,
    /// A field is missing or invalid.
    #[error("`{0}` is missing or invalid")]
    Field(&'static str),
}

/// Returns the file's name: the SHA-1 of the session's name, or of the start URL for a profile without `sso_session`.
pub fn token_file_name(session_or_url: &str) -> String {
    let digest = Sha1::digest(session_or_url.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.json")
}

impl SsoToken {
    /// Parses a token file.
    ///
    /// # Errors
    /// If it is not JSON, or the access token, its expiry, the start URL or the region is missing or invalid. Fields
    /// that only a refresh needs may be missing.
    pub fn parse(text: &str) -> Result<Self, TokenFileError> {
        let fields = parse_fields(text)?;
        let text_of =
            |name: &'static str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let need = |name: &'static str| text_of(name).ok_or(TokenFileError::Field(name));
        let time =
            |name: &'static str| need(name)?.parse::<Timestamp>().map_err(|_| TokenFileError::Field(name));
        let refresh = match (text_of("refreshToken"), text_of("clientId"), text_of("clientSecret")) {
            (Some(token), Some(id), Some(secret)) => Some(Refresh {
                token: SecretString::new(token.to_owned()),
                client: Client {
                    id: id.to_owned(),
                    secret: SecretString::new(secret.to_owned()),
                    expires_at: time("registrationExpiresAt")?,
                },
            }),
            _ => None,
        };
        Ok(Self {
            start_url: need("startUrl")?.to_owned(),
            region: Region::parse(need("region")?).map_err(|_| TokenFileError::Field("region"))?,
            access_token: SecretString::new(need("accessToken")?.to_owned()),
            expires_at: time("expiresAt")?,
            refresh,
        })
    }

    /// Whether both are from the same sign-in: a refresh keeps the client, whose secret no other sign-in has.
    pub fn is_same_sign_in(&self, other: &Self) -> bool {
        let is_same = |one: &SecretString, two: &SecretString| one.expose() == two.expose();
        let clients = self.refresh.as_ref().zip(other.refresh.as_ref());
        is_same(&self.access_token, &other.access_token)
            || clients.is_some_and(|(one, two)| {
                one.client.id == two.client.id && is_same(&one.client.secret, &two.client.secret)
            })
    }

    /// Renders the file's new text: the token's fields, and all other fields of the `old` text.
    pub fn render(&self, old: Option<&str>) -> String {
        let mut fields = old.and_then(|old| parse_fields(old).ok()).unwrap_or_default();
        let mut set = |name: &str, value: Option<String>| match value {
            Some(value) => {
                fields.insert(name.to_owned(), Value::String(value));
            }
            None => {
                fields.remove(name);
            }
        };
        let client = self.refresh.as_ref().map(|refresh| &refresh.client);
        set("startUrl", Some(self.start_url.clone()));
        set("region", Some(self.region.to_string()));
        set("accessToken", Some(self.access_token.expose().to_owned()));
        set("expiresAt", Some(render_time(self.expires_at)));
        set("clientId", client.map(|client| client.id.clone()));
        set("clientSecret", client.map(|client| client.secret.expose().to_owned()));
        set("registrationExpiresAt", client.map(|client| render_time(client.expires_at)));
        set("refreshToken", self.refresh.as_ref().map(|refresh| refresh.token.expose().to_owned()));
        Value::Object(fields).to_string()
    }
}

fn parse_fields(text: &str) -> Result<Map<String, Value>, TokenFileError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(TokenFileError::Json),
    }
}

/// Renders whole seconds, in the form that every SDK can parse.
fn render_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"startUrl": "https://d-abc.awsapps.com/start", "region": "eu-west-1", "accessToken": "at",
        "expiresAt": "2026-11-29T10:00:00Z", "clientId": "id", "clientSecret": "cs",
        "registrationExpiresAt": "2027-02-01T00:00:00Z", "refreshToken": "rt", "madeBy": {"a": [1]}}"#;

    #[test]
    fn names_are_those_of_the_aws_cli() {
        assert_eq!(token_file_name("my-sso"), "0ad374308c5a4e22f723adf10145eafad7c4031c.json");
        assert_eq!(
            token_file_name("https://d-abc.awsapps.com/start"),
            "22f00c6461897f7c3e293d9d99f86e5efed957dd.json"
        );
    }

    #[test]
    fn a_token_is_read_and_written_with_the_fields_of_others() {
        let token = SsoToken::parse(FILE).unwrap();
        assert_eq!(token.access_token.expose(), "at");
        assert_eq!(token.refresh.as_ref().unwrap().client.id, "id");
        let mut text: Value = serde_json::from_str(&token.render(Some(FILE))).unwrap();
        assert_eq!(text, serde_json::from_str::<Value>(FILE).unwrap());
        text = serde_json::from_str(&token.render(None)).unwrap();
        assert_eq!(text.as_object().unwrap().len(), 8);
        assert_eq!(SsoToken::parse(&token.render(None)).unwrap().render(None), token.render(None));
    }

    #[test]
    fn a_token_without_refresh_leaves_none_of_the_old_one() {
        let mut token = SsoToken::parse(FILE).unwrap();
        token.refresh = None;
        let text: Value = serde_json::from_str(&token.render(Some(FILE))).unwrap();
        assert!(text.get("refreshToken").is_none() && text.get("clientSecret").is_none());
        assert!(text.get("madeBy").is_some());
    }

    #[test]
    fn times_have_no_fraction() {
        let mut token = SsoToken::parse(FILE).unwrap();
        token.expires_at = "2026-11-29T10:00:00.75Z".parse().unwrap();
        assert!(token.render(None).contains("\"2026-11-29T10:00:00Z\""));
    }

    #[test]
    fn what_is_not_a_token_says_which_field_is_wrong() {
        for (text, error) in [
            ("", TokenFileError::Json),
            ("[]", TokenFileError::Json),
            ("{}", TokenFileError::Field("startUrl")),
            (&FILE.replace("eu-west-1", "EU_WEST"), TokenFileError::Field("region")),
            (&FILE.replace("\"at\"", "7"), TokenFileError::Field("accessToken")),
            (&FILE.replace("2026-11-29T10:00:00Z", "soon"), TokenFileError::Field("expiresAt")),
            (&FILE.replace("2027-02-01T00:00:00Z", ""), TokenFileError::Field("registrationExpiresAt")),
        ] {
            assert_eq!(SsoToken::parse(text).unwrap_err(), error, "{text}");
        }
    }
}
