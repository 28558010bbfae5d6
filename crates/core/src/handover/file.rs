//! The formats of `export` for files: files of variables, a credentials file, and the file of GitHub Actions.

use hatbox_types::secret::SecretString;
use hatbox_types::text::shell::push_word;
use zeroize::Zeroizing;

use super::credentials::{Handover, render_time};
use super::env::{credential_variables, place_variables};
use super::format::{Format, FormatError};

/// Appends lines as aws-vault prints them.
pub(super) fn push_words(text: &mut String, variables: &[(&'static str, SecretString)], format: Format) {
    let prefix = if format == Format::ExportEnv { "export " } else { "" };
    for (name, value) in variables {
        text.push_str(prefix);
        text.push_str(name);
        text.push('=');
        push_word(text, value.expose());
        text.push('\n');
    }
}

/// Appends `NAME=VALUE` lines, with as few quotes as possible because the programs that read them disagree about
/// quotes.
///
/// | format | what reads it |
/// |---|---|
/// | `dotenv` | some expand `$` within single quotes, some read `\` there as an escape: neither is written |
/// | `docker` | take the line as it is, some without blanks at its ends |
/// | `github-actions` | take the line as it is; cannot unset variables of an earlier step, so those are set to nothing |
pub(super) fn push_variables<'a>(
    text: &mut String,
    handover: Handover<'_>,
    format: Format,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), FormatError> {
    if format == Format::GithubActions {
        let is_left = |(name, value): &(&str, &str)| {
            let is_of_session =
                ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION"].contains(name);
            is_of_session && !value.is_empty()
        };
        // Variables set below are not removed here.
        for (name, _) in inherited.into_iter().filter(is_left) {
            text.push_str(name);
            text.push_str("=\n");
        }
    }
    for (name, value) in file_variables(handover) {
        let value = value.expose();
        let refused = match format {
            Format::Dotenv => value.chars().find(|c| !c.is_ascii() || "'\"\\$`".contains(*c)),
            Format::Docker => {
                value.chars().next().into_iter().chain(value.chars().next_back()).find(|c| c.is_whitespace())
            }
            _ => None,
        };
        if let Some(character) = refused {
            return Err(FormatError::Character { name, character, format });
        }
        text.push_str(name);
        text.push('=');
        if format == Format::Dotenv {
            push_word(text, value);
        } else {
            text.push_str(value);
        }
        text.push('\n');
    }
    Ok(())
}

/// Returns everything that `exec` sets except its marks, for a file that another program reads.
fn file_variables(handover: Handover<'_>) -> Vec<(&'static str, SecretString)> {
    let [endpoint, account] = place_variables(handover);
    endpoint.into_iter().chain(credential_variables(handover)).chain(account).collect()
}

/// Appends a section of a credentials file, as aws-vault prints it.
pub(super) fn push_ini(text: &mut String, handover: Handover<'_>) -> Result<(), FormatError> {
    let credentials = handover.credentials;
    let name = handover.profile.as_str();
    let mut is_after_blank = false;
    for c in name.chars() {
        if is_after_blank && matches!(c, '#' | ';') {
            return Err(FormatError::Name(c));
        }
        is_after_blank = c.is_whitespace();
    }
    text.push('[');
    text.push_str(name);
    text.push_str("]\n");
    let mut push = |name: &'static str, value: &str| {
        // Some programs drop a blank, or read what follows it as a comment.
        if let Some(character) = value.chars().find(|c| c.is_whitespace()) {
            return Err(FormatError::Character { name, character, format: Format::Ini });
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

/// Renders the commands that mask the secrets in the log of a GitHub Actions job. Their data has `%` escaped.
pub(super) fn render_masks(handover: Handover<'_>) -> Zeroizing<String> {
    let credentials = handover.credentials;
    let token = credentials.session().map(|(token, _)| token.expose());
    let secrets = [Some(credentials.id().as_str()), Some(credentials.secret().expose()), token];
    let length: usize = secrets.iter().flatten().map(|secret| 16 + 3 * secret.len()).sum();
    // Security: the buffer never grows, which would leave an unwiped copy behind.
    let mut text = Zeroizing::new(String::with_capacity(length));
    for secret in secrets.into_iter().flatten() {
        text.push_str("::add-mask::");
        for c in secret.chars() {
            if c == '%' { text.push_str("%25") } else { text.push(c) }
        }
        text.push('\n');
    }
    debug_assert!(text.len() <= length, "an unwiped buffer is left behind");
    text
}
