//! Renders the change to a shell's own variables as lines that the shell function `hat` reads. The shell expands
//! nothing in them.
//!
//! | line | means |
//! |---|---|
//! | `profile NAME` | the first line: the profile whose credentials these are |
//! | `expires SECONDS`, `renew SECONDS` | when they expire, and when to renew them, in seconds since 1970; empty if they do not expire, or the expiry is unknown |
//! | `unset NAME` | unset the variable |
//! | `set NAME VALUE` | set the variable; the value is the rest of the line, with its blanks |

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::credentials::Handover;
use super::format::{FormatError, check_no_control};
use super::shell_change::{ShellUse, resolve_shell_change};

/// In seconds. Credentials are renewed when a quarter of their lifetime is left, but no earlier than this before they
/// expire.
const LONGEST_REST: i64 = 10 * 60;

/// Decides when credentials are to be renewed.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    now: Timestamp,
}

impl Renewal {
    /// For credentials that are handed over at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now }
    }

    /// Returns when to renew credentials that expire at `end`, in seconds since 1970.
    fn time(self, end: Timestamp) -> i64 {
        let left = end.duration_since(self.now).as_secs().max(0);
        end.as_second() - (left / 4).min(LONGEST_REST)
    }
}

/// Renders the change that hands `handover` to a shell whose variables are `inherited`.
///
/// # Errors
/// If a value contains a control character.
pub fn render_shell_lines<'a>(
    handover: Handover<'_>,
    renewal: Renewal,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Zeroizing<String>, FormatError> {
    let change = resolve_shell_change(handover, ShellUse::Hat, inherited);
    check_no_control(&change.set)?;
    let end = handover.credentials.session().and_then(|(_, end)| end);
    let seconds = |time: Option<i64>| time.map(|time| time.to_string()).unwrap_or_default();
    let head = format!(
        "profile {}\nexpires {}\nrenew {}\n",
        handover.profile,
        seconds(end.map(Timestamp::as_second)),
        seconds(end.map(|end| renewal.time(end))),
    );
    let removed: String = change.remove.iter().map(|name| format!("unset {name}\n")).collect();
    // Security: reserve enough, as a buffer that grows leaves an unwiped copy behind.
    let length: usize = change.set.iter().map(|(name, value)| name.len() + value.expose().len() + 6).sum();
    let mut text = Zeroizing::new(String::with_capacity(head.len() + removed.len() + length));
    text.push_str(&head);
    text.push_str(&removed);
    for (name, value) in &change.set {
        for part in ["set ", name, " ", value.expose(), "\n"] {
            text.push_str(part);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use hatbox_types::name::{AccessKeyId, ProfileName};
    use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};

    use super::super::credentials::Credentials;
    use super::*;

    fn render(credentials: &Credentials, inherited: &[&str]) -> Result<String, FormatError> {
        let profile = ProfileName::parse("my prod").unwrap();
        let handover =
            Handover { profile: &profile, credentials, account: None, region: None, endpoint_url: None };
        let now = Renewal::at("2009-02-05T05:00:00Z".parse().unwrap());
        let inherited = inherited.iter().map(|name| (*name, "old"));
        render_shell_lines(handover, now, inherited).map(|text| text.to_string())
    }

    fn session(token: &str, end: &str) -> Credentials {
        Credentials::Session(SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: SecretString::new("XYZ/+=".to_owned()),
            session_token: SecretString::new(token.to_owned()),
            expires_at: end.parse().unwrap(),
        })
    }

    #[test]
    fn a_line_says_what_becomes_of_a_variable() {
        let text = render(&session("to k$(en)", "2009-02-05T06:00:00Z"), &["AWS_PROFILE", "PATH"]).unwrap();
        let start = "profile my prod\nexpires 1233813600\nrenew 1233813000\n";
        assert!(text.starts_with(start), "{text}");
        for line in
            ["unset AWS_PROFILE", "unset HATBOX_SET", "set AWS_SESSION_TOKEN to k$(en)", "set HATBOX my prod"]
        {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        for name in ["PATH", "HATBOX_FILE_PASSPHRASE"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn short_credentials_are_renewed_when_a_quarter_is_left_and_keys_never() {
        let text = render(&session("t", "2009-02-05T05:20:00Z"), &[]).unwrap();
        assert!(text.contains("expires 1233811200\nrenew 1233810900\n"), "{text}");
        let key = Credentials::AccessKey(AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "XYZ").unwrap());
        assert!(render(&key, &[]).unwrap().contains("expires \nrenew \n"));
    }

    #[test]
    fn a_name_that_a_shell_cannot_have_has_no_line() {
        let names = [
            "AWS_CONTAINER_A\nset PATH /evil",
            "AWS_CONTAINER_A[$(id)]",
            "AWS_CONTAINER_A B",
            "AWS_CONTAINER_A",
        ];
        let text = render(&session("t", "2009-02-05T05:20:00Z"), &names).unwrap();
        let found: Vec<&str> =
            text.lines().filter(|line| line.contains("CONTAINER") || line.contains("PATH")).collect();
        assert_eq!(found, ["unset AWS_CONTAINER_A"]);
    }

    #[test]
    fn a_value_that_could_end_its_line_is_refused() {
        let error = render(&session("a\nset PATH /evil", "2009-02-05T05:20:00Z"), &[]).unwrap_err();
        assert_eq!(error, FormatError::Control("AWS_SESSION_TOKEN"));
    }
}
