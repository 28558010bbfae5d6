//! The texts of `export`: for a shell, for `credential_process`, for a credentials file.

use hatbox_types::text::shell::push_word;
use zeroize::Zeroizing;

use super::credentials::{Handover, render_time};
use super::env::credential_variables;

/// A form of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME=value` lines.
    Env,
    /// `export NAME=value` lines, for `eval`.
    ExportEnv,
    /// What `credential_process` prints: version 1.
    Json,
    /// A section of a credentials file.
    Ini,
}

impl Format {
    /// All of them, as help shows them.
    pub const ALL: [Self; 4] = [Self::Env, Self::ExportEnv, Self::Json, Self::Ini];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::ExportEnv => "export-env",
            Self::Json => "json",
            Self::Ini => "ini",
        }
    }

    /// What it is, for help.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Env => "Lines NAME=VALUE",
            Self::ExportEnv => "Lines `export NAME=VALUE`, for a POSIX shell",
            Self::Json => "JSON for `credential_process`",
            Self::Ini => "A section for the credentials file",
        }
    }
}

/// Why credentials cannot be written in a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A value that could end its line, and become another.
    #[error("`{0}` has a control character, which no form of export can carry safely")]
    Control(&'static str),
    /// A value that a reader of ini files would cut or take for a comment.
    #[error("`{0}` has a blank, which readers of ini files do not keep")]
    Blank(&'static str),
}

/// Renders credentials in a form. The text ends in a newline, and is wiped when dropped.
///
/// # Errors
/// When a value holds a control character, or, in an ini file, a blank.
pub fn render_export(handover: Handover<'_>, format: Format) -> Result<Zeroizing<String>, FormatError> {
    let variables = credential_variables(handover);
    for (name, value) in &variables {
        if value.expose().chars().any(char::is_control) {
            return Err(FormatError::Control(name));
        }
    }
    // Security: large enough from the start (quoting a `'` takes four bytes, escaping in JSON six), so that
    // the buffer never grows and leaves an unwiped one behind.
    let length: usize = variables.iter().map(|(name, value)| name.len() + 6 * value.expose().len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(512 + 6 * handover.profile.as_str().len() + length));
    match format {
        Format::Env | Format::ExportEnv => {
            let prefix = if format == Format::ExportEnv { "export " } else { "" };
            for (name, value) in &variables {
                text.push_str(prefix);
                text.push_str(name);
                text.push('=');
                push_word(&mut text, value.expose());
                text.push('\n');
            }
        }
        Format::Json => push_json(&mut text, handover),
        Format::Ini => push_ini(&mut text, handover)?,
    }
    Ok(text)
}

fn push_json(text: &mut String, handover: Handover<'_>) {
    let credentials = handover.credentials;
    text.push_str("{\n  \"Version\": 1");
    let mut push = |name: &str, value: &str| {
        text.push_str(",\n  \"");
        text.push_str(name);
        text.push_str("\": \"");
        for c in value.chars() {
            // No control character gets here, so these two are all that JSON has escaped.
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    };
    push("AccessKeyId", credentials.id().as_str());
    push("SecretAccessKey", credentials.secret().expose());
    if let Some((token, expires_at)) = credentials.session() {
        push("SessionToken", token.expose());
        if let Some(end) = expires_at {
            push("Expiration", &render_time(end));
        }
    }
    if let Some(account) = handover.account {
        push("AccountId", account);
    }
    text.push_str("\n}\n");
}

fn push_ini(text: &mut String, handover: Handover<'_>) -> Result<(), FormatError> {
    let credentials = handover.credentials;
    text.push('[');
    text.push_str(handover.profile.as_str());
    text.push_str("]\n");
    let mut push = |name: &'static str, value: &str| {
        if value.contains(char::is_whitespace) {
            return Err(FormatError::Blank(name));
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
        text.push('\n');
        Ok(())
    };
    push("aws_access_key_id", credentials.id().as_str())?;
    push("aws_secret_access_key", credentials.secret().expose())?;
    if let Some((token, expires_at)) = credentials.session() {
        push("aws_session_token", token.expose())?;
        if let Some(end) = expires_at {
            push("aws_credential_expiration", &render_time(end))?;
        }
    }
    if let Some(region) = handover.region {
        push("region", region.as_str())?;
    }
    text.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::credentials::Credentials;
    use super::*;
    use hatbox_types::name::{AccessKeyId, ProfileName, Region};
    use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};

    fn render(credentials: &Credentials, has_region: bool, format: Format) -> Result<String, FormatError> {
        let profile = ProfileName::parse("llamas").unwrap();
        let region = Region::parse("r-1").unwrap();
        let region = has_region.then_some(&region);
        let account = matches!(credentials, Credentials::Session(_)).then_some("444455556666");
        let endpoint_url = Some("http://127.0.0.1:4");
        let handover = Handover { profile: &profile, credentials, account, region, endpoint_url };
        render_export(handover, format).map(|text| text.to_string())
    }

    fn key() -> Credentials {
        Credentials::AccessKey(AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "XYZ").unwrap())
    }

    fn session(token: &str) -> Credentials {
        Credentials::Session(SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: SecretString::new("XYZ/+=".to_owned()),
            session_token: SecretString::new(token.to_owned()),
            expires_at: "2009-02-04T21:00:57-08:00".parse().unwrap(),
        })
    }

    #[test]
    fn the_forms_are_what_scripts_of_aws_vault_users_read() {
        let lines = "AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE\n\
                     AWS_SECRET_ACCESS_KEY=XYZ/+=\n\
                     AWS_SESSION_TOKEN=tok\n\
                     AWS_CREDENTIAL_EXPIRATION=2009-02-05T05:00:57Z\n\
                     AWS_REGION=r-1\n\
                     AWS_DEFAULT_REGION=r-1\n";
        let exports = lines.replace("AWS_", "export AWS_");
        let short = "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=XYZ\n";
        let json = r#"{
  "Version": 1,
  "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
  "SecretAccessKey": "XYZ/+=",
  "SessionToken": "tok",
  "Expiration": "2009-02-05T05:00:57Z",
  "AccountId": "444455556666"
}
"#;
        let short_json = r#"{
  "Version": 1,
  "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
  "SecretAccessKey": "XYZ"
}
"#;
        let ini = "[llamas]\naws_access_key_id=ASIAIOSFODNN7EXAMPLE\naws_secret_access_key=XYZ/+=\n\
                   aws_session_token=tok\naws_credential_expiration=2009-02-05T05:00:57Z\nregion=r-1\n\n";
        let short_ini = "[llamas]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=XYZ\n\n";
        for (credentials, has_region, format, expected) in [
            (session("tok"), true, Format::Env, lines),
            (session("tok"), true, Format::ExportEnv, &exports),
            (key(), false, Format::Env, short),
            (session("tok"), true, Format::Json, json),
            (key(), true, Format::Json, short_json),
            (session("tok"), true, Format::Ini, ini),
            (key(), false, Format::Ini, short_ini),
        ] {
            assert_eq!(render(&credentials, has_region, format).as_deref(), Ok(expected), "{format:?}");
        }
    }

    #[test]
    fn what_means_something_to_a_shell_is_quoted() {
        for (value, word) in [
            ("plain-_.,:/+=@%", "plain-_.,:/+=@%"),
            ("a$(id)", "'a$(id)'"),
            ("a'b", r"'a'\''b'"),
            ("~root", "'~root'"),
            ("a;b&c|d<e>f*g?h[i]#j!k`l\"m\\n", "'a;b&c|d<e>f*g?h[i]#j!k`l\"m\\n'"),
            ("schlüssel", "'schlüssel'"),
        ] {
            let text = render(&session(value), false, Format::ExportEnv).unwrap();
            assert!(text.contains(&format!("export AWS_SESSION_TOKEN={word}\n")), "{text}");
        }
    }

    #[test]
    fn a_value_that_could_end_its_line_is_refused() {
        for token in ["a\nAWS_REGION=x", "a\rb", "a\0b", "a\u{1b}[2Jb", "a\u{85}b"] {
            for format in Format::ALL {
                let error = render(&session(token), false, format).unwrap_err();
                assert_eq!(error, FormatError::Control("AWS_SESSION_TOKEN"));
            }
        }
        let error = render(&session("a #b"), false, Format::Ini).unwrap_err();
        assert_eq!(error, FormatError::Blank("aws_session_token"));
    }

    proptest! {
        #[test]
        fn json_is_read_back_as_it_was(token in "\\PC{0,40}") {
            let text = render(&session(&token), true, Format::Json).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(value["SessionToken"].as_str(), Some(token.as_str()));
        }

        #[test]
        fn the_buffer_never_grows(token in "\\PC{0,400}", quotes in "['\"\\\\]{0,400}") {
            let profile = ProfileName::parse("llamas").unwrap();
            let credentials = session(&format!("{token}{quotes}"));
            let handover = Handover {
                profile: &profile, credentials: &credentials, account: None, region: None, endpoint_url: None,
            };
            for format in [Format::Env, Format::ExportEnv, Format::Json] {
                let before: usize = credential_variables(handover)
                    .iter().map(|(name, value)| name.len() + 6 * value.expose().len()).sum();
                let text = render_export(handover, format).unwrap();
                prop_assert!(text.len() <= 512 + 6 * profile.as_str().len() + before);
            }
        }
    }

    #[test]
    fn credentials_without_a_known_end_name_none() {
        let key = AccessKey::parse("ASIAIOSFODNN7EXAMPLE", "secret").unwrap();
        let found = Credentials::Found { key, session_token: SecretString::new("token".to_owned()) };
        for format in Format::ALL {
            let text = render(&found, false, format).unwrap();
            assert!(text.contains("token") && !text.to_ascii_lowercase().contains("expiration"), "{text}");
        }
    }
}
