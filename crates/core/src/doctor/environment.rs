//! Checks variables that override a profile, apply to another one, or are left over.

use jiff::Timestamp;

use super::finding::{Finding, Findings, Topic, shown};
use super::moments::render_length;
use crate::config::overrides::{Flags, Overrides};
use crate::config::{Config, Which, resolve_profile};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;

/// In seconds. Credentials of a shell with less time left are reported.
const ENDING: i64 = 15 * 60;

const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";
const OLD_TOKEN: &str = "AWS_SECURITY_TOKEN";
const PROFILE: &str = "AWS_PROFILE";
const OLD_PROFILE: &str = "AWS_DEFAULT_PROFILE";

/// Passphrases of the store: hatbox's and aws-vault's.
const PASSPHRASES: [&str; 2] = ["HATBOX_FILE_PASSPHRASE", "AWS_VAULT_FILE_PASSPHRASE"];

/// Variables about aws-vault's own store, from which hatbox only imports.
const OF_VAULTS_STORE: [&str; 7] = [
    "AWS_VAULT_BACKEND",
    "AWS_VAULT_FILE_DIR",
    "AWS_VAULT_KEYCHAIN_NAME",
    "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME",
    "AWS_VAULT_PASS_PASSWORD_STORE_DIR",
    "AWS_VAULT_PASS_CMD",
    "AWS_VAULT_PASS_PREFIX",
];

/// Variables that apply to whichever profile is requested, with the keys that they replace.
const REPLACES: [(&str, &str); 5] = [
    ("AWS_ROLE_ARN", "role_arn"),
    ("AWS_ROLE_SESSION_NAME", "role_session_name"),
    ("AWS_SESSION_TAGS", "session_tags"),
    ("AWS_TRANSITIVE_TAGS", "transitive_session_tags"),
    ("AWS_SOURCE_IDENTITY", "source_identity"),
];

/// The variables to check.
pub struct Variables<'a> {
    /// Returns the value of a variable, even if it is empty.
    pub value: &'a dyn Fn(&str) -> Option<String>,
    /// The existing profiles.
    pub config: &'a Config,
    /// Whether a key is stored under this name; `None` if the store is locked.
    pub is_stored: &'a dyn Fn(&ProfileName) -> Option<bool>,
    /// The current time.
    pub now: Timestamp,
}

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.value)(name).filter(|value| !value.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Checks the variables.
pub fn check_environment(variables: &Variables<'_>, findings: &mut Findings) {
    let nested = variables.get("HATBOX").or_else(|| variables.get("AWS_VAULT"));
    let inside = if nested.is_some() { Inside::Exec } else { Inside::AnyShell };
    match nested {
        Some(profile) => check_nested(variables, &profile, findings),
        None => check_keys(variables, findings),
    }
    if variables.has(KEY) {
        check_end(variables, inside, findings);
    }
    check_profile(variables, findings);
    check_web_identity(variables, findings);
    check_container(variables, findings);
    check_replacing(variables, findings);
    check_values(variables, findings);
    check_store(variables, findings);
}

fn found(id: &'static str, level: Level, text: impl Into<String>, names: &[&'static str]) -> Finding {
    Finding::new(Topic::Environment, id, level, text).in_variables(names)
}

/// Checks a shell of `exec`, which has credentials on purpose.
fn check_nested(variables: &Variables<'_>, profile: &str, findings: &mut Findings) {
    let profile = shown(profile);
    let names = ["HATBOX", "AWS_VAULT"];
    if !variables.has(KEY) && !variables.has("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let text = format!(
            "this shell is marked as having the credentials of `{profile}`, but has none: `exec` refuses to \
             run"
        );
        findings.push(found("env-nested-leftover", Level::Warning, text, &names));
        return;
    }
    let text = format!(
        "this shell has the credentials of `{profile}`: `exec` and `export` refuse here without --nested"
    );
    findings.push(found("env-nested", Level::Info, text, &names).fixed_by("exit"));
    let both = (variables.get("HATBOX"), variables.get("AWS_VAULT"));
    if let (Some(ours), Some(theirs)) = both
        && ours != theirs
    {
        let text = format!(
            "HATBOX names `{}` and AWS_VAULT `{}`: one program was started inside the other",
            shown(&ours),
            shown(&theirs)
        );
        findings.push(found("env-nested-differ", Level::Warning, text, &names).fixed_by("exit"));
    }
}

/// The origin of the credentials in the variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Set by `exec`, for as long as its shell runs.
    Exec,
    /// Set by something else.
    AnyShell,
}

/// Checks when the credentials in the variables expire, if that is set.
fn check_end(variables: &Variables<'_>, place: Inside, findings: &mut Findings) {
    const END: &str = "AWS_CREDENTIAL_EXPIRATION";
    let end = variables.get(END).and_then(|text| text.parse::<Timestamp>().ok());
    let Some(left) = end.map(|end| end.as_second() - variables.now.as_second()) else { return };
    let length = render_length(left);
    let found = match left {
        ..=0 => found(
            "env-ended",
            Level::Error,
            format!("the credentials of this shell expired {length} ago"),
            &[KEY],
        ),
        left if left < ENDING => found(
            "env-ending",
            Level::Info,
            format!("the credentials of this shell expire in {length}"),
            &[KEY],
        ),
        _ => return,
    };
    findings.push(if place == Inside::Exec {
        found.fixed_by("exit")
    } else {
        found.in_variables(&[KEY, SECRET, TOKEN, END])
    });
}

fn check_keys(variables: &Variables<'_>, findings: &mut Findings) {
    let names = [KEY, SECRET, TOKEN, OLD_TOKEN];
    match (variables.has(KEY), variables.has(SECRET)) {
        (true, true) => {
            let also = if variables.has(PROFILE) { ", AWS_PROFILE included" } else { "" };
            let text = format!(
                "an access key is set: the AWS CLI and the SDKs use it before every profile{also}; `hatbox exec` \
                 replaces it"
            );
            findings.push(found("env-keys", Level::Warning, text, &names));
        }
        (false, false) => {}
        (has_id, _) => {
            let (has, lacks) = if has_id { (KEY, SECRET) } else { (SECRET, KEY) };
            let text = format!("{has} is set without {lacks}: most AWS tools report an error");
            let text_names = if has_id { names } else { [SECRET, KEY, TOKEN, OLD_TOKEN] };
            findings.push(found("env-half-key", Level::Warning, text, &text_names));
        }
    }
    if let Some(name) = [TOKEN, OLD_TOKEN].into_iter().find(|name| variables.has(name))
        && !variables.has(KEY)
    {
        let text = format!("{name} is left over: the access key that it belongs to is not set");
        findings.push(found("env-stale-token", Level::Warning, text, &[name]));
    }
    let tokens = (variables.get(TOKEN), variables.get(OLD_TOKEN));
    if let (Some(token), Some(old)) = tokens
        && token != old
    {
        let text =
            format!("{OLD_TOKEN} and {TOKEN} differ: older tools use the first, newer ones the second");
        findings.push(found("env-two-tokens", Level::Warning, text, &[OLD_TOKEN]));
    }
}

fn check_profile(variables: &Variables<'_>, findings: &mut Findings) {
    for name in [PROFILE, OLD_PROFILE] {
        let Some(value) = variables.get(name) else { continue };
        let said = shown(&value);
        let found = |text| found("env-profile", Level::Error, text, &[name]);
        let Ok(profile) = ProfileName::parse(&value) else {
            findings.push(found(format!("{name} is `{said}`, which is not a valid profile name")));
            continue;
        };
        let is_known =
            variables.config.defined_at(&profile).is_some() || (variables.is_stored)(&profile) == Some(true);
        if is_known || profile.is_default() {
            continue;
        }
        let meant = match variables.config.nearest_profile(&value) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        let text = match (variables.is_stored)(&profile) {
            None => format!("{name} is `{said}`, a profile that the files do not have{meant}"),
            Some(_) => format!("{name} is `{said}`, a profile that does not exist{meant}"),
        };
        findings.push(found(text));
    }
    match (variables.get(PROFILE), variables.get(OLD_PROFILE)) {
        (Some(one), Some(other)) if one != other => {
            let text =
                format!("{OLD_PROFILE} and {PROFILE} differ: AWS's tools disagree on which one counts");
            findings.push(found("env-two-profiles", Level::Warning, text, &[OLD_PROFILE]));
        }
        (None, Some(_)) => {
            let text = format!("{OLD_PROFILE} is set, which hatbox does not read; it reads {PROFILE}");
            findings.push(found("env-default-profile", Level::Info, text, &[OLD_PROFILE]));
        }
        _ => {}
    }
}

fn check_web_identity(variables: &Variables<'_>, findings: &mut Findings) {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    if !variables.has(FILE) {
        return;
    }
    let names = [FILE, "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];
    findings.push(if variables.has("AWS_ROLE_ARN") {
        let text = "a web identity is set: outside `hatbox exec` it is used where no profile is named, and hatbox uses \
                    it for `default`";
        found("env-web-identity", Level::Info, text, &names)
    } else {
        found("env-web-identity", Level::Warning, "a web identity token is set without AWS_ROLE_ARN", &names)
    });
}

fn check_container(variables: &Variables<'_>, findings: &mut Findings) {
    let names = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    match names.map(|name| variables.has(name)) {
        [true, true] => {
            let text =
                "two container credential endpoints are set: the relative one is used, the full one never";
            findings.push(found("env-container", Level::Warning, text, &names));
        }
        [false, false] => {}
        [is_relative, _] => {
            let name = if is_relative { names[0] } else { names[1] };
            let text = "container credentials are set: programs that find no other credentials use them";
            findings.push(found("env-container", Level::Info, text, &[name]));
        }
    }
}

fn check_replacing(variables: &Variables<'_>, findings: &mut Findings) {
    let is_pod = variables.has("AWS_WEB_IDENTITY_TOKEN_FILE");
    for (name, key) in REPLACES {
        if !variables.has(name) || (is_pod && matches!(key, "role_arn" | "role_session_name")) {
            continue;
        }
        let level = if key == "role_arn" { Level::Warning } else { Level::Info };
        let text = format!("{name} overrides `{key}` of every profile");
        findings.push(found("env-replaces", level, text, &[name]));
    }
    if variables.has("AWS_MFA_SERIAL") {
        let text = "AWS_MFA_SERIAL overrides `mfa_serial` of every profile";
        findings.push(found("env-replaces", Level::Info, text, &["AWS_MFA_SERIAL"]));
    }
}

/// Checks for values that no command could use.
fn check_values(variables: &Variables<'_>, findings: &mut Findings) {
    let overrides = Overrides::from_env(Flags::default(), |name| variables.get(name));
    let Ok(nothing) = Config::parse(Vec::new(), Vec::new()) else { return };
    match resolve_profile(&nothing, &ProfileName::default_profile(), &overrides, Which::Target) {
        Ok(profile) => {
            for warning in profile.warnings {
                let finding =
                    Finding::new(Topic::Environment, warning.kind(), Level::Warning, warning.to_string());
                findings.push(match warning.origin() {
                    Some(origin) => finding.from_origin(origin),
                    None => finding,
                });
            }
        }
        Err(error) => {
            let text = format!("{error}: no command can be run");
            let finding = Finding::new(Topic::Environment, "env-value", Level::Error, text);
            findings.push(match error.origin() {
                Some(origin) => finding.from_origin(origin),
                None => finding,
            });
        }
    }
}

fn check_store(variables: &Variables<'_>, findings: &mut Findings) {
    for name in PASSPHRASES {
        match (variables.value)(name) {
            None => {}
            Some(value) if value.is_empty() => {
                let text = format!("{name} is empty: no store has an empty passphrase");
                findings.push(found("env-empty-passphrase", Level::Error, text, &[name]));
            }
            Some(_) => {
                let text =
                    format!("{name} contains the store's passphrase, where any program you run can read it");
                findings.push(found("env-passphrase", Level::Info, text, &[name]).without_fix());
            }
        }
    }
    let of_vault: Vec<_> = OF_VAULTS_STORE.into_iter().filter(|name| variables.has(name)).collect();
    // The only value of aws-vault's that hatbox has too.
    let is_ours = |name: &str| name == "AWS_VAULT_BACKEND" && variables.get(name).as_deref() == Some("file");
    let of_vault: Vec<_> = of_vault.into_iter().filter(|name| !is_ours(name)).collect();
    if !of_vault.is_empty() {
        let text = format!(
            "{} configures aws-vault's own store, and has no effect on hatbox's",
            of_vault.join(", ")
        );
        findings.push(found("env-of-aws-vault", Level::Info, text, &of_vault));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Spot;
    use super::*;

    const CONFIG: &str = "[profile dev]\nregion = x\n";
    const NOW: &str = "2026-01-15T10:00:00Z";

    fn found_in(variables: &[(&str, &str)]) -> Vec<Finding> {
        let config = Config::parse(CONFIG, "").unwrap();
        let value =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut findings = Findings::default();
        let is_stored = |name: &ProfileName| Some(name.as_str() == "stored");
        let now = NOW.parse().unwrap();
        let variables = Variables { value: &value, config: &config, is_stored: &is_stored, now };
        check_environment(&variables, &mut findings);
        findings.into_sorted()
    }

    #[test]
    fn each_check_of_variables_fires_where_it_should_and_not_beside_it() {
        use Level::{Error, Info, Warning};
        const ROLE: &str = "arn:aws:iam::444455556666:role/Ops";
        let key = [(KEY, "AKIAIOSFODNN7EXAMPLE"), (SECRET, "canary")];
        let nested = [key[0], key[1], ("HATBOX", "dev"), ("AWS_VAULT", "dev")];
        let with = |base: &[(&'static str, &'static str)], more: &[(&'static str, &'static str)]| {
            [base, more].concat()
        };
        for (variables, expected) in [
            (vec![("PATH", "/bin"), (KEY, ""), (PROFILE, "")], vec![]),
            (key.to_vec(), vec![("env-keys", Warning)]),
            (vec![key[0]], vec![("env-half-key", Warning)]),
            (vec![key[1]], vec![("env-half-key", Warning)]),
            (vec![(TOKEN, "t")], vec![("env-stale-token", Warning)]),
            (with(&key, &[(TOKEN, "t"), (OLD_TOKEN, "t")]), vec![("env-keys", Warning)]),
            (
                with(&key, &[(TOKEN, "t"), (OLD_TOKEN, "u")]),
                vec![("env-keys", Warning), ("env-two-tokens", Warning)],
            ),
            (nested.to_vec(), vec![("env-nested", Info)]),
            (vec![("AWS_VAULT", "dev")], vec![("env-nested-leftover", Warning)]),
            (
                with(&nested[..3], &[("AWS_VAULT", "other")]),
                vec![("env-nested-differ", Warning), ("env-nested", Info)],
            ),
            (
                with(&nested, &[("AWS_CREDENTIAL_EXPIRATION", "2026-01-15T11:00:00Z")]),
                vec![("env-nested", Info)],
            ),
            (
                with(&nested, &[("AWS_CREDENTIAL_EXPIRATION", "2026-01-15T10:05:00Z")]),
                vec![("env-nested", Info), ("env-ending", Info)],
            ),
            (
                with(&nested, &[("AWS_CREDENTIAL_EXPIRATION", "2026-01-15T09:55:00Z")]),
                vec![("env-ended", Error), ("env-nested", Info)],
            ),
            (
                with(&key, &[("AWS_CREDENTIAL_EXPIRATION", "2026-01-15T09:55:00Z")]),
                vec![("env-ended", Error), ("env-keys", Warning)],
            ),
            (vec![("AWS_CREDENTIAL_EXPIRATION", "2026-01-15T09:55:00Z")], vec![]),
            (vec![(PROFILE, "dev")], vec![]),
            (vec![(PROFILE, "stored")], vec![]),
            (vec![(PROFILE, "default")], vec![]),
            (vec![(PROFILE, "dve")], vec![("env-profile", Error)]),
            (vec![(PROFILE, "a\nb")], vec![("env-profile", Error)]),
            (vec![(PROFILE, "dev"), (OLD_PROFILE, "dev")], vec![]),
            (vec![(PROFILE, "dev"), (OLD_PROFILE, "default")], vec![("env-two-profiles", Warning)]),
            (vec![(OLD_PROFILE, "dev")], vec![("env-default-profile", Info)]),
            (vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")], vec![("env-web-identity", Warning)]),
            (
                vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", ROLE)],
                vec![("env-web-identity", Info)],
            ),
            (vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://x")], vec![("env-container", Info)]),
            (
                vec![
                    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://x"),
                    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"),
                ],
                vec![("env-container", Warning)],
            ),
            (vec![("AWS_ROLE_ARN", ROLE)], vec![("env-replaces", Warning)]),
            (vec![("AWS_SESSION_TAGS", "a=b")], vec![("env-replaces", Info)]),
            (vec![("AWS_MFA_SERIAL", "GAHT12345678")], vec![("env-replaces", Info)]),
            (
                vec![("AWS_MFA_SERIAL", "arn:aws:iam::111122223333:user/alice")],
                vec![("mfa-serial-is-user", Warning), ("env-replaces", Info)],
            ),
            (vec![("AWS_SESSION_TOKEN_TTL", "4h")], vec![]),
            (vec![("AWS_SESSION_TOKEN_TTL", "soon")], vec![("env-value", Error)]),
            (vec![("HATBOX_FILE_PASSPHRASE", "canary")], vec![("env-passphrase", Info)]),
            (vec![("HATBOX_FILE_PASSPHRASE", "")], vec![("env-empty-passphrase", Error)]),
            (vec![("AWS_VAULT_BACKEND", "file")], vec![]),
            (vec![("AWS_VAULT_BACKEND", "keychain")], vec![("env-of-aws-vault", Info)]),
            (vec![("AWS_VAULT_PASS_CMD", "pass")], vec![("env-of-aws-vault", Info)]),
        ] {
            let found = found_in(&variables);
            let got: Vec<_> = found.iter().map(|finding| (finding.id, finding.level)).collect();
            assert_eq!(got, expected, "{variables:?}");
            for finding in found {
                assert!(matches!(finding.spot, Some(Spot::Variable(_))), "{finding:?}");
                assert!(!finding.text.contains("canary"), "{finding:?}");
            }
        }
    }

    #[test]
    fn a_mistyped_profile_is_suggested() {
        let found = found_in(&[(PROFILE, "dve")]);
        assert_eq!(found[0].text, "AWS_PROFILE is `dve`, a profile that does not exist; did you mean `dev`?");
        assert_eq!(found[0].fix, Some(super::super::Fix::Unset(vec![PROFILE])));
    }
}
