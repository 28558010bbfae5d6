//! Removes the identity of the default profile from a file: if no profile is named, the SDKs use the credentials of
//! `[default]` rather than a credential server.

use zeroize::Zeroizing;

use super::header::SectionKind;
use super::origin::Place;
use super::syntax::Document;

/// The settings that give a profile credentials, or a way to obtain them.
const IDENTITY: [&str; 15] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "role_arn",
    "source_profile",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "login_session",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// The text of a file without the identity of its default profile.
pub struct WithoutIdentity {
    /// The same bytes without the lines of those settings.
    pub text: Zeroizing<Vec<u8>>,
    /// The first setting that was removed.
    pub key: &'static str,
    /// Its line.
    pub place: Place,
}

/// Removes the settings that give the default profile an identity, from both `[default]` and `[profile default]`, as
/// the SDKs disagree on which one counts. Returns `None` if there are none.
pub fn without_default_identity(document: &Document) -> Option<WithoutIdentity> {
    let mut found = None;
    let mut spans = Vec::new();
    for section in document.sections_of(SectionKind::Profile, b"default") {
        for entry in section.scan().entries {
            if let Some(key) = IDENTITY.into_iter().find(|key| entry.has_key(key)) {
                found.get_or_insert((key, Place { file: document.file(), line: entry.line }));
                spans.push(entry.span);
            }
        }
    }
    let (key, place) = found?;
    let all = document.text();
    // Security: reserved in full, as it contains keys of other profiles, and a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(all.len()));
    let mut kept = 0;
    for span in spans {
        text.extend_from_slice(all.get(kept..span.start).unwrap_or_default());
        kept = span.end;
    }
    text.extend_from_slice(all.get(kept..).unwrap_or_default());
    Some(WithoutIdentity { text, key, place })
}

#[cfg(test)]
mod tests {
    use super::super::origin::FileKind;
    use super::*;

    fn without(file: FileKind, text: &str) -> Option<(String, &'static str, u32)> {
        let document = Document::parse(file, text.into()).unwrap();
        let without = without_default_identity(&document)?;
        Some((String::from_utf8(without.text.to_vec()).unwrap(), without.key, without.place.line))
    }

    #[test]
    fn the_default_profile_loses_its_identity_and_nothing_else_changes() {
        let text = "# c\r\n[default]\r\nregion = r-1 # c\r\nAWS_access_key_id: AKIA\r\n; c\r\naws_secret_access_key=x\r\n\r\n[b]\r\naws_access_key_id=AKIB\r\n";
        let expected = "# c\r\n[default]\r\nregion = r-1 # c\r\n; c\r\n\r\n[b]\r\naws_access_key_id=AKIB\r\n";
        let (text, key, line) = without(FileKind::Credentials, text).unwrap();
        assert_eq!((text.as_str(), key, line), (expected, "aws_access_key_id", 4));
    }

    #[test]
    fn both_sections_of_the_config_are_looked_at() {
        let text = "[default]\nsso_session = s\ns3 =\n  max_queue_size = 10\n[profile default]\nrole_arn = a\n  b\nregion = r\nword\n[profile x]\nrole_arn = y\n";
        let expected = "[default]\ns3 =\n  max_queue_size = 10\n[profile default]\nregion = r\nword\n[profile x]\nrole_arn = y\n";
        assert_eq!(without(FileKind::Config, text).unwrap().0, expected);
    }

    #[test]
    fn a_default_profile_without_identity_needs_no_copy() {
        for text in ["", "[default]\nregion = r\n", "[profile a]\nrole_arn = b\n", "role_arn = b\n"] {
            assert!(without(FileKind::Config, text).is_none(), "{text}");
        }
    }
}
