//! Renders the text of `export` in each format.

use zeroize::Zeroizing;

use super::credentials::Handover;
use super::dialect::Dialect;
use super::env::{EnvChange, credential_variables};
use super::format::{Format, FormatError, check_no_control};
use super::shell_change::{ShellUse, resolve_shell_change, resolve_shell_reset};
use super::{file, json};

/// Renders credentials in a format. The text ends with a newline and is wiped when dropped. `inherited` is the shell's
/// environment without the variables that hatbox set there earlier.
///
/// # Errors
/// If the format cannot represent a value, or this kind of credentials.
pub fn render_export<'a>(
    handover: Handover<'_>,
    format: Format,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Zeroizing<String>, FormatError> {
    let variables = credential_variables(handover);
    check_no_control(&variables)?;
    if format.is_of_shell() {
        return render_change(&resolve_shell_change(handover, ShellUse::Export, inherited), format);
    }
    // Security: reserve enough for any escaping (a `'` becomes four bytes, a JSON escape six), as a buffer that grows
    // leaves an unwiped copy behind.
    let length: usize = variables.iter().map(|(name, value)| name.len() + 6 * value.expose().len()).sum();
    let places = handover.endpoint_url.map_or(0, str::len) + handover.profile.as_str().len();
    let mut text = Zeroizing::new(String::with_capacity(512 + 6 * places + length));
    let room = text.capacity();
    match format {
        Format::Json => json::push_process(&mut text, handover),
        Format::Sts => json::push_sts(&mut text, handover)?,
        Format::Ini => file::push_ini(&mut text, handover)?,
        Format::Dotenv | Format::Docker | Format::GithubActions => {
            file::push_variables(&mut text, handover, format, inherited)?;
        }
        _ => file::push_words(&mut text, &variables, format),
    }
    debug_assert_eq!(text.capacity(), room, "an unwiped buffer is left behind");
    Ok(text)
}

/// Renders the commands that remove from a shell what `export` set there. `inherited` is as in [`render_export`].
///
/// # Errors
/// If the format is not for a shell, or cannot represent a former value.
pub fn render_unset<'a>(
    format: Format,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Zeroizing<String>, FormatError> {
    let format = if format == Format::ExportEnv { Format::Sh } else { format };
    render_change(&resolve_shell_reset(inherited), format)
}

/// Renders the commands that mask the secrets in the log of a GitHub Actions job.
pub fn render_masks(handover: Handover<'_>) -> Zeroizing<String> {
    file::render_masks(handover)
}

fn render_change(change: &EnvChange, format: Format) -> Result<Zeroizing<String>, FormatError> {
    let dialect = Dialect::of(format).ok_or(FormatError::NoUnset(format))?;
    check_no_control(&change.set)?;
    for (name, value) in &change.set {
        if let Some(character) = dialect.refused(value.expose()) {
            return Err(FormatError::Character { name, character, format });
        }
    }
    let set: usize = change.set.iter().map(|(name, value)| 32 + name.len() + 6 * value.expose().len()).sum();
    let removed: usize = change.remove.iter().map(|name| 64 + name.len()).sum();
    // Security: reserved as in `render_export`.
    let mut text = Zeroizing::new(String::with_capacity(32 + set + removed));
    let room = text.capacity();
    dialect.push_change(&mut text, change);
    debug_assert_eq!(text.capacity(), room, "an unwiped buffer is left behind");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::credentials::Credentials;
    use super::*;
    use hatbox_types::name::{AccessKeyId, ProfileName, Region};
    use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};

    const NOTHING: [(&str, &str); 0] = [];

    fn render_in(
        credentials: &Credentials,
        has_region: bool,
        format: Format,
        inherited: &[(&str, &str)],
    ) -> Result<String, FormatError> {
        let profile = ProfileName::parse("llamas").unwrap();
        let region = Region::parse("r-1").unwrap();
        let region = has_region.then_some(&region);
        let account = matches!(credentials, Credentials::Session(_)).then_some("444455556666");
        let endpoint_url = has_region.then_some("http://127.0.0.1:4");
        let handover = Handover { profile: &profile, credentials, account, region, endpoint_url };
        render_export(handover, format, inherited.iter().copied()).map(|text| text.to_string())
    }

    fn render(credentials: &Credentials, has_region: bool, format: Format) -> Result<String, FormatError> {
        render_in(credentials, has_region, format, &[])
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
    fn what_goes_elsewhere_has_the_account_and_the_endpoint_too() {
        let lines = "AWS_ENDPOINT_URL=http://127.0.0.1:4\n\
                     AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE\n\
                     AWS_SECRET_ACCESS_KEY=XYZ/+=\n\
                     AWS_SESSION_TOKEN=tok\n\
                     AWS_CREDENTIAL_EXPIRATION=2009-02-05T05:00:57Z\n\
                     AWS_REGION=r-1\n\
                     AWS_DEFAULT_REGION=r-1\n\
                     AWS_ACCOUNT_ID=444455556666\n";
        for format in [Format::Dotenv, Format::Docker, Format::GithubActions] {
            assert_eq!(render(&session("tok"), true, format).as_deref(), Ok(lines), "{format:?}");
        }
    }

    #[test]
    fn a_step_after_one_with_a_session_is_not_left_with_its_token() {
        let inherited = [("AWS_SESSION_TOKEN", "old"), ("AWS_SECURITY_TOKEN", ""), ("PATH", "/bin")];
        assert_eq!(
            render_in(&key(), false, Format::GithubActions, &inherited).as_deref(),
            Ok("AWS_SESSION_TOKEN=\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=XYZ\n")
        );
    }

    #[test]
    fn sts_is_what_aws_sts_prints_and_needs_temporary_credentials() {
        let sts = r#"{
  "Credentials": {
    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "XYZ/+=",
    "SessionToken": "tok",
    "Expiration": "2009-02-05T05:00:57Z"
  }
}
"#;
        assert_eq!(render(&session("tok"), true, Format::Sts).as_deref(), Ok(sts));
        assert_eq!(render(&key(), true, Format::Sts), Err(FormatError::LongLived));
    }

    #[test]
    fn a_shell_that_goes_on_loses_what_belongs_to_other_credentials() {
        let inherited =
            [("AWS_BEARER_TOKEN_BEDROCK", "x"), ("AWS_BEARER_TOKEN_$(id)", "x"), ("AWS_REGION", "old")];
        assert_eq!(
            render_in(&key(), true, Format::Sh, &inherited).as_deref(),
            Ok("unset AWS_ACCESS_KEY AWS_ACCOUNT_ID AWS_BEARER_TOKEN_BEDROCK AWS_CREDENTIAL_EXPIRATION \
                AWS_CREDENTIAL_FILE AWS_DEFAULT_PROFILE AWS_PROFILE AWS_SECRET_KEY AWS_SECURITY_TOKEN \
                AWS_SESSION_EXPIRATION AWS_SESSION_TOKEN HATBOX_ORIG_AWS_ACCOUNT_ID \
                HATBOX_ORIG_AWS_DEFAULT_REGION HATBOX_ORIG_AWS_ENDPOINT_URL\n\
                export AWS_ENDPOINT_URL=http://127.0.0.1:4\n\
                export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n\
                export AWS_SECRET_ACCESS_KEY=XYZ\n\
                export AWS_REGION=r-1\n\
                export AWS_DEFAULT_REGION=r-1\n\
                export HATBOX_ORIG_AWS_REGION=old\n\
                export HATBOX_SET='AWS_ENDPOINT_URL=http://127.0.0.1:4 AWS_REGION=r-1 AWS_DEFAULT_REGION=r-1'\n")
        );
    }

    #[test]
    fn each_shell_sets_and_unsets_in_its_words() {
        for (format, set, unset) in [
            (Format::Sh, "export AWS_SESSION_TOKEN='it'\\''s'\n", "unset AWS_ACCESS_KEY "),
            (Format::Fish, "set -gx AWS_SESSION_TOKEN 'it\\'s'\n", "set -e AWS_ACCESS_KEY\n"),
            (Format::Nushell, "  \"AWS_SESSION_TOKEN\": \"it's\",\n", "  \"AWS_ACCESS_KEY\": null,\n"),
            (
                Format::PowerShell,
                "$Env:AWS_SESSION_TOKEN = 'it''s'\n",
                "Remove-Item -ErrorAction Ignore Env:AWS_ACCESS_KEY\n",
            ),
            (Format::Cmd, "set \"AWS_SESSION_TOKEN=it's\"\n", "set \"AWS_ACCESS_KEY=\"\n"),
        ] {
            let text = render(&session("it's"), true, format).unwrap();
            assert!(text.contains(set) && text.contains(unset), "{text}");
        }
    }

    #[test]
    fn unset_removes_what_export_set_and_restores_what_was_there() {
        let inherited = [("AWS_REGION", "old"), ("AWS_DEFAULT_REGION", ""), ("AWS_PROFILE", "own")];
        let text = render_unset(Format::Sh, inherited).unwrap();
        assert_eq!(
            *text,
            "unset AWS_ACCESS_KEY_ID AWS_ACCOUNT_ID AWS_CREDENTIAL_EXPIRATION AWS_DEFAULT_REGION \
             AWS_ENDPOINT_URL AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN HATBOX_ORIG_AWS_ACCOUNT_ID \
             HATBOX_ORIG_AWS_DEFAULT_REGION HATBOX_ORIG_AWS_ENDPOINT_URL HATBOX_ORIG_AWS_REGION HATBOX_SET\n\
             export AWS_REGION=old\n"
        );
        assert_eq!(render_unset(Format::ExportEnv, inherited).as_deref(), Ok(&*text));
        for format in [Format::Env, Format::Dotenv, Format::Json, Format::GithubActions] {
            assert_eq!(render_unset(format, NOTHING), Err(FormatError::NoUnset(format)));
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
            for format in [Format::Sh, Format::ExportEnv] {
                let text = render(&session(value), false, format).unwrap();
                assert!(text.contains(&format!("export AWS_SESSION_TOKEN={word}\n")), "{text}");
            }
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
    }

    #[test]
    fn what_readers_of_a_format_would_change_is_refused() {
        let name = "AWS_SESSION_TOKEN";
        for (format, name, characters) in [
            (Format::Ini, "aws_session_token", " \u{a0}"),
            (Format::Cmd, name, "\"%!é\u{201c}"),
            (Format::PowerShell, name, "é\u{2019}"),
            (Format::Dotenv, name, "'\"\\$`é"),
            (Format::Docker, name, " \u{a0}"),
        ] {
            for character in characters.chars() {
                let error = render(&session(&format!("a{character}")), false, format).unwrap_err();
                assert_eq!(error, FormatError::Character { name, character, format });
            }
        }
        assert!(render(&session("a b"), false, Format::Docker).is_ok(), "a blank within");
        let refused = render_unset(Format::Cmd, [("AWS_REGION", "%PATH%")]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`AWS_REGION` contains '%', which the format `cmd` cannot carry safely"
        );
    }

    #[test]
    fn a_profile_that_ini_readers_would_cut_is_refused() {
        for (name, is_taken) in [("a#b;c", true), ("-a b", true), ("a #b", false), ("a\u{3000};b", false)] {
            let profile = ProfileName::parse(name).unwrap();
            let key = key();
            let handover = Handover {
                profile: &profile,
                credentials: &key,
                account: None,
                region: None,
                endpoint_url: None,
            };
            assert_eq!(render_export(handover, Format::Ini, NOTHING).is_ok(), is_taken, "{name}");
        }
    }

    #[test]
    fn masks_cover_each_secret_in_the_runners_own_escapes() {
        let profile = ProfileName::parse("llamas").unwrap();
        let credentials = session("50%25");
        let handover = Handover {
            profile: &profile,
            credentials: &credentials,
            account: None,
            region: None,
            endpoint_url: None,
        };
        assert_eq!(
            *render_masks(handover),
            "::add-mask::ASIAIOSFODNN7EXAMPLE\n::add-mask::XYZ/+=\n::add-mask::50%2525\n"
        );
    }

    proptest! {
        #[test]
        fn json_is_read_back_as_it_was(token in "\\PC{0,40}") {
            for (format, path) in [
                (Format::Json, "/SessionToken"),
                (Format::Sts, "/Credentials/SessionToken"),
                (Format::Nushell, "/AWS_SESSION_TOKEN"),
            ] {
                let text = render(&session(&token), true, format).unwrap();
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(value.pointer(path).unwrap().as_str(), Some(token.as_str()));
            }
        }

        #[test]
        fn the_buffer_never_grows(token in "\\PC{0,400}", quotes in "['\"\\\\]{0,400}") {
            let profile = ProfileName::parse("llamas").unwrap();
            let credentials = session(&format!("{token}{quotes}"));
            let url = format!("http://{}", "'".repeat(100));
            let handover = Handover {
                profile: &profile, credentials: &credentials, account: Some("444455556666"), region: None,
                endpoint_url: Some(&url),
            };
            let inherited = [("AWS_REGION", "it's'''"), ("AWS_BEARER_TOKEN_X", "")];
            for format in Format::ALL {
                // The two functions assert this themselves.
                drop(render_export(handover, format, inherited));
                drop(render_unset(format, inherited));
            }
        }
    }

    #[test]
    fn credentials_without_a_known_end_name_none() {
        let key = AccessKey::parse("ASIAIOSFODNN7EXAMPLE", "secret").unwrap();
        let found = Credentials::Found { key, session_token: SecretString::new("token".to_owned()) };
        for format in Format::ALL {
            let text = render(&found, false, format).unwrap();
            let set = text.lines().filter(|line| !line.contains("unset ") && !line.contains("-e ")).filter(
                |line| !line.contains("null") && !line.contains("Remove-Item") && !line.ends_with("=\""),
            );
            let set: String = set.collect();
            assert!(set.contains("token") && !set.to_ascii_lowercase().contains("expiration"), "{text}");
        }
    }
}
