//! Inspects configured commands: whether one runs hatbox for its own profile, and which program it runs.
//!
//! With a `credential_process` that runs hatbox, other tools get a profile's credentials from hatbox. hatbox itself
//! must not use it as a source for the same profile, which would never end.

use hatbox_types::name::ProfileName;

/// Flags of `exec` and `export`, in hatbox or aws-vault, whose value is the next word. The `hatbox` crate tests this
/// list against its command line.
pub const VALUE_FLAGS: [&str; 36] = [
    "--policy",
    "--policy-arn",
    "--role-arn",
    "--session-tag",
    "--transitive-tag",
    "--source-identity",
    "--external-id",
    "-d",
    "--duration",
    "-t",
    "--mfa-token",
    "--region",
    "--format",
    "--backend",
    "--prompt",
    "--min-ttl",
    "--file-dir",
    "--passphrase-fd",
    "--unlock-for",
    "--reason",
    "--error-json",
    "--keychain",
    "--secret-service-collection",
    "--pass-dir",
    "--pass-cmd",
    "--pass-prefix",
    "--op-timeout",
    "--op-vault-id",
    "--op-item-title-prefix",
    "--op-item-tag",
    "--op-connect-host",
    "--op-desktop-account-id",
    "--proton-pass-share-id",
    "--proton-pass-item-title-prefix",
    "--proton-pass-api-base",
    "--proton-pass-timeout",
];

/// Whether `command` runs `exec` or `export` for `profile` with hatbox, aws-vault or the program named `own_name`.
///
/// Handles plain and quoted words of the shell. Variables, substitutions and command lists are not understood;
/// `HATBOX_RESOLVING` stops such a loop at run time.
pub(super) fn is_own_process(command: &str, profile: &ProfileName, own_name: Option<&str>) -> bool {
    own_process_profile(command, own_name).is_some_and(|name| name == profile.as_str())
}

/// Returns the profile for which `command` runs hatbox, as in [`is_own_process`].
pub(crate) fn own_process_profile(command: &str, own_name: Option<&str>) -> Option<String> {
    let words = split_words(command);
    let mut words = words.iter().map(String::as_str).skip_while(|word| is_prefix(word));
    if !is_hatbox(words.next()?, own_name) {
        return None;
    }
    let mut positional = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        } else if VALUE_FLAGS.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            positional.push(word);
        }
    }
    match positional.as_slice() {
        ["exec" | "export", name, ..] => Some((*name).to_owned()),
        _ => None,
    }
}

/// Whether `command` runs hatbox, aws-vault or the program named `own_name`.
pub(super) fn runs_hatbox(command: &str, own_name: Option<&str>) -> bool {
    split_words(command).iter().find(|word| !is_prefix(word)).is_some_and(|word| is_hatbox(word, own_name))
}

fn is_hatbox(program: &str, own_name: Option<&str>) -> bool {
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    let program = program.strip_suffix(".exe").unwrap_or(program);
    ["hatbox", "aws-vault"].contains(&program) || Some(program) == own_name
}

/// Returns the program of a command as written; `None` if only a shell can tell.
pub fn program_word(command: &str) -> Option<String> {
    let is_plain = !command.contains(['$', '`', '(', '|', ';', '&', '<', '>', '*', '?', '{', '%', '!']);
    let words = split_words(command);
    is_plain.then(|| words.into_iter().find(|word| !is_prefix(word))).flatten()
}

/// Renders the program of a command, with `...` in place of its arguments, which may be secret.
pub(super) fn render_program(command: &str) -> String {
    let words = split_words(command);
    let mut words = words.iter().skip_while(|word| is_prefix(word));
    match (words.next(), words.next()) {
        (Some(program), Some(_)) => format!("{program} ..."),
        (Some(program), None) => program.clone(),
        (None, _) => "an empty command".to_owned(),
    }
}

/// Whether a word comes before the program: `env` or an assignment.
fn is_prefix(word: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word == "env" || word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ours_when_program_verb_and_profile_are() {
        for (command, is_ours, why) in [
            ("hatbox export --format json me", true, "the line that hatbox's docs recommend"),
            ("aws-vault exec me -j", true, "the old line of an aws-vault user"),
            (
                "/usr/local/bin/aws-vault --prompt ykman exec --json --duration=1h me",
                true,
                "flags before the verb",
            ),
            ("env AWS_VAULT_BACKEND=file aws-vault export --format=json me", true, "variables in front"),
            ("'/opt/my tools/hatbox' export \"me\"", true, "quoted words"),
            ("hatbox.exe export me", true, "Windows"),
            ("hat export me", true, "this program under another name"),
            ("hatbox export --format json you", false, "another profile"),
            ("hatbox export --region me you", false, "the name is a flag's value"),
            ("hatbox --passphrase-fd 3 export me", true, "a flag's value in front of the verb"),
            ("hatbox exec --error-json me you", false, "the name is a file"),
            ("hatbox explain me", false, "another verb"),
            ("corp-login export me", false, "another program"),
            ("hatbox export you -- me", false, "what stands after -- is no profile"),
            ("", false, "an empty command"),
        ] {
            let me = ProfileName::parse("me").unwrap();
            assert_eq!(is_own_process(command, &me, Some("hat")), is_ours, "{why}: {command}");
        }
    }

    #[test]
    fn hatbox_is_known_by_the_program_of_a_command() {
        for (command, expected) in [
            ("hatbox export me", true),
            ("/usr/local/bin/hatbox", true),
            ("env AWS_PROFILE=x aws-vault exec me -j", true),
            ("HATBOX_BACKEND=file '/opt/my tools/hatbox.exe' export me", true),
            ("corp-login hatbox", false),
            ("hatbox-login", false),
            ("", false),
        ] {
            assert_eq!(runs_hatbox(command, None), expected, "{command}");
        }
    }

    #[test]
    fn of_a_command_the_program_alone_is_shown() {
        for (command, shown) in [
            ("/opt/corp/login --password canary", "/opt/corp/login ..."),
            ("env TOKEN=canary login", "login"),
            ("TOKEN=canary login canary", "login ..."),
            ("", "an empty command"),
        ] {
            assert_eq!(render_program(command), shown);
        }
    }

    #[test]
    fn a_profile_name_with_a_blank_is_found_in_quotes() {
        let profile = ProfileName::parse("my prof").unwrap();
        assert!(is_own_process("hatbox export 'my prof'", &profile, None));
        assert!(is_own_process(r"hatbox export my\ prof", &profile, None));
        assert!(!is_own_process("hatbox export my prof", &profile, None));
    }
}
