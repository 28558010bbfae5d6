//! The files in `~/.aws/login/cache` shared with the AWS CLI and the SDKs.
//!
//! Unknown fields are kept: a refresh must not lose a field that one SDK wrote and another needs.

use hatbox_types::name::{AccessKeyId, AccountId, Region};
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::dpop::DpopKey;

/// The sign-in service's client for a browser on the same machine.
pub const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
/// The sign-in service's client for a browser on another machine.
pub const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";

/// A session of `aws login`.
#[derive(Debug, Clone)]
pub struct LoginSession {
    /// The current credentials, which last 15 minutes.
    pub credentials: SessionCredentials,
    /// The account, if the file contains it.
    pub account: Option<AccountId>,
    /// One of [`SAME_DEVICE`] and [`CROSS_DEVICE`].
    pub client_id: String,
    /// The token for obtaining new credentials, which changes with each use.
    pub refresh_token: SecretString,
    /// The key that the session is bound to.
    pub key: DpopKey,
    /// The region of the session. The service rejects a refresh in another region.
    pub region: Option<Region>,
}

/// Why a file is not a session's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginFileError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    Json,
    /// A field is missing or invalid.
    #[error("`{0}` is missing or invalid")]
    Field(&'static str),
}

/// Returns the file's name: the SHA-256 of the session's name without surrounding blanks.
pub fn cache_file_name(session: &str) -> String {
    let digest = Sha256::digest(session.trim().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.json")
}

impl LoginSession {
    /// Parses a cache file.
    ///
    /// # Errors
    /// If it is not JSON, or a required field is missing or invalid.
    pub fn parse(text: &str) -> Result<Self, LoginFileError> {
        let fields = parse_fields(text)?;
        let token = fields.get("accessToken").and_then(Value::as_object);
        let inner = |name: &'static str| {
            token.and_then(|token| token.get(name)).and_then(Value::as_str).ok_or(LoginFileError::Field(name))
        };
        let outer = |name: &'static str| {
            let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or(LoginFileError::Field(name))
        };
        let secret = |name: &'static str, text: &str| {
            let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
            is_word.then(|| SecretString::new(text.to_owned())).ok_or(LoginFileError::Field(name))
        };
        let credentials = SessionCredentials {
            access_key_id: AccessKeyId::parse(inner("accessKeyId")?)
                .map_err(|_| LoginFileError::Field("accessKeyId"))?,
            secret_access_key: secret("secretAccessKey", inner("secretAccessKey")?)?,
            session_token: secret("sessionToken", inner("sessionToken")?)?,
            expires_at: inner("expiresAt")?.parse().map_err(|_| LoginFileError::Field("expiresAt"))?,
        };
        let region = match fields.get("signInRegion") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let text = value.as_str().ok_or(LoginFileError::Field("signInRegion"))?;
                Some(Region::parse(text).map_err(|_| LoginFileError::Field("signInRegion"))?)
            }
        };
        Ok(Self {
            credentials,
            account: inner("accountId").ok().and_then(|account| AccountId::parse(account).ok()),
            client_id: outer("clientId")?.to_owned(),
            refresh_token: secret("refreshToken", outer("refreshToken")?)?,
            key: DpopKey::parse_pem(outer("dpopKey")?).map_err(|_| LoginFileError::Field("dpopKey"))?,
            region,
        })
    }

    /// Renders the file's new text: the session's fields, and all other fields of the `old` text. `id_token` is that of
    /// the first exchange; later ones return none, and the old one is kept.
    ///
    /// # Errors
    /// Never for a session that was parsed.
    pub fn render(&self, old: Option<&str>, id_token: Option<&str>) -> Result<SecretString, LoginFileError> {
        let mut fields = old.and_then(|old| parse_fields(old).ok()).unwrap_or_default();
        let mut token = match fields.get("accessToken") {
            Some(Value::Object(token)) => token.clone(),
            _ => Map::new(),
        };
        let text = |text: &str| Value::String(text.to_owned());
        token.insert("accessKeyId".to_owned(), text(self.credentials.access_key_id.as_str()));
        token.insert("secretAccessKey".to_owned(), text(self.credentials.secret_access_key.expose()));
        token.insert("sessionToken".to_owned(), text(self.credentials.session_token.expose()));
        if let Some(account) = &self.account {
            token.insert("accountId".to_owned(), text(account.as_str()));
        }
        token.insert("expiresAt".to_owned(), text(&render_time(self.credentials.expires_at)));
        fields.insert("accessToken".to_owned(), Value::Object(token));
        fields.insert("tokenType".to_owned(), text("aws_sigv4"));
        fields.insert("clientId".to_owned(), text(&self.client_id));
        fields.insert("refreshToken".to_owned(), text(self.refresh_token.expose()));
        if let Some(id_token) = id_token {
            fields.insert("idToken".to_owned(), text(id_token));
        }
        let pem = self.key.render_pem().map_err(|_| LoginFileError::Field("dpopKey"))?;
        fields.insert("dpopKey".to_owned(), text(pem.expose()));
        if let Some(region) = &self.region {
            fields.insert("signInRegion".to_owned(), text(region.as_str()));
        }
        Ok(SecretString::new(Value::Object(fields).to_string()))
    }
}

fn parse_fields(text: &str) -> Result<Map<String, Value>, LoginFileError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(LoginFileError::Json),
    }
}

fn render_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> String {
        let key = DpopKey::of_random(&[9; 32]).unwrap().render_pem().unwrap();
        serde_json::json!({
            "accessToken": {
                "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": "s", "sessionToken": "t",
                "accountId": "111122223333", "expiresAt": "2026-11-29T10:00:00Z", "inner": 1,
            },
            "tokenType": "aws_sigv4", "clientId": SAME_DEVICE, "refreshToken": "r", "idToken": "i",
            "dpopKey": key.expose(), "signInRegion": "eu-central-1", "madeBy": ["x"],
        })
        .to_string()
    }

    #[test]
    fn the_name_is_that_of_the_aws_cli() {
        let name = "97287988db9a4916d69951a995e950d63e745a776ba121da6888d310a8763f6d.json";
        assert_eq!(cache_file_name("arn:aws:iam::111122223333:user/jan"), name);
        assert_eq!(cache_file_name(" arn:aws:iam::111122223333:user/jan\n"), name);
    }

    #[test]
    fn every_field_is_kept() {
        let file = file();
        let session = LoginSession::parse(&file).unwrap();
        assert_eq!(session.region.as_ref().map(Region::as_str), Some("eu-central-1"));
        let again = session.render(Some(&file), None).unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(again.expose()), read(&file));
        assert_eq!(read(session.render(None, Some("j")).unwrap().expose())["idToken"], "j");
    }

    #[test]
    fn what_is_not_a_session_says_which_field_is_wrong() {
        use LoginFileError::{Field, Json};
        let mut cases =
            vec![(String::new(), Json), ("[1]".to_owned(), Json), ("{}".to_owned(), Field("accessKeyId"))];
        for (path, error) in [
            ("/accessToken/sessionToken", Field("sessionToken")),
            ("/accessToken/expiresAt", Field("expiresAt")),
            ("/refreshToken", Field("refreshToken")),
            ("/clientId", Field("clientId")),
            ("/dpopKey", Field("dpopKey")),
            ("/signInRegion", Field("signInRegion")),
        ] {
            let mut value: Value = serde_json::from_str(&file()).unwrap();
            *value.pointer_mut(path).unwrap() = 7.into();
            cases.push((value.to_string(), error));
        }
        for (path, name) in [
            ("/accessToken/secretAccessKey", "secretAccessKey"),
            ("/accessToken/sessionToken", "sessionToken"),
            ("/refreshToken", "refreshToken"),
        ] {
            for bad in ["", "a b", "a\u{202e}b", "a\u{200b}", "a\u{1b}[2J"] {
                let mut value: Value = serde_json::from_str(&file()).unwrap();
                *value.pointer_mut(path).unwrap() = bad.into();
                cases.push((value.to_string(), Field(name)));
            }
        }
        for (text, error) in cases {
            assert_eq!(LoginSession::parse(&text).unwrap_err(), error, "{text}");
        }
    }
}
