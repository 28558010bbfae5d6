//! Config files and how hatbox reads them: every file of `tests/cases/config/` is one case.
//!
//! A case starts with a sentence that gives its reason. Blocks follow, each under a line `-- BLOCK`. `config`,
//! `credentials`, `env` (`NAME=value` lines) and `flags` (`--region X` lines) are input, which holds until the next
//! block of that name. The others are answers: `target NAME` and `source NAME` (the settings of a profile, or the
//! error), `names`, `sessions`, `warnings`, and `edit KIND NAME: key=value, !removed` (the config file after the edit).
#![expect(clippy::disallowed_methods, reason = "the cases are files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::fmt::{Display, Write as _};

use hatbox_core::config::edit::{Change, edit_section};
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::{FileKind, Origin, Place, Sourced};
use hatbox_core::config::profile::{Profile, Sso, StaticKeys, WebIdentity};
use hatbox_core::config::{Config, ConfigError, Flags, Overrides, Warning, Which, resolve_profile};
use hatbox_types::duration::render_duration;
use hatbox_types::name::ProfileName;

fn render_place(place: Place) -> String {
    let file = match place.file {
        FileKind::Config => "config",
        FileKind::Credentials => "credentials",
    };
    format!("{file}:{}", place.line)
}

fn render_origin(origin: &Origin) -> String {
    match origin {
        Origin::Flag(name) => (*name).to_owned(),
        Origin::Env(name) => format!("${name}"),
        Origin::File { place, section } => format!("{} [{section}]", render_place(*place)),
        Origin::Default => "default".to_owned(),
    }
}

/// Collects `key = value  (origin)` lines.
struct Lines(String);

impl Lines {
    fn add<T>(&mut self, key: &str, said: Option<&Sourced<T>>, render: impl Fn(&T) -> String) {
        if let Some(said) = said {
            writeln!(self.0, "{key} = {}  ({})", render(&said.value), render_origin(&said.origin)).unwrap();
        }
    }

    fn add_text<T: Display>(&mut self, key: &str, said: Option<&Sourced<T>>) {
        self.add(key, said, T::to_string);
    }
}

fn render_profile(profile: &Profile) -> String {
    let defined = |place| format!("at {}", render_place(place));
    let defined = profile.defined_at.map_or_else(|| "nowhere".to_owned(), defined);
    let mut lines = Lines(format!("defined {defined}\n"));
    lines.add_text("region", profile.region.as_ref());
    lines.add_text("output", profile.output.as_ref());
    lines.add_text("role_arn", profile.role_arn.as_ref());
    lines.add_text("source_profile", profile.source_profile.as_ref());
    if profile.is_own_source {
        lines.0.push_str("source_profile is the profile itself\n");
    }
    lines.add("credential_source", profile.credential_source.as_ref(), |source| format!("{source:?}"));
    lines.add_text("role_session_name", profile.role_session_name.as_ref());
    lines.add_text("external_id", profile.external_id.as_ref());
    lines.add("session_tags", profile.session_tags.as_ref(), |tags| {
        tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("|")
    });
    lines.add("transitive_session_tags", profile.transitive_session_tags.as_ref(), |keys| keys.join("|"));
    lines.add_text("source_identity", profile.source_identity.as_ref());
    lines.add_text("mfa_serial", profile.mfa_serial.as_ref());
    lines.add_text("mfa_process", profile.mfa_process.as_ref());
    let durations = &profile.durations;
    for (key, said) in [
        ("assume_role", &durations.assume_role),
        ("session_token", &durations.session_token),
        ("chained_session_token", &durations.chained_session_token),
        ("federation_token", &durations.federation_token),
    ] {
        lines.add(&format!("duration of {key}"), said.as_ref(), |duration| render_duration(*duration));
    }
    lines.add("static keys", profile.static_keys.as_ref(), |StaticKeys { key, session_token, .. }| {
        let token = session_token.as_ref().map_or_else(String::new, |token| format!(" {}", token.expose()));
        format!("{} {}{token}", key.id.as_str(), key.secret.expose())
    });
    lines.add_text("credential_process", profile.credential_process.as_ref());
    lines.add("web identity", profile.web_identity.as_ref(), |token| match token {
        WebIdentity::File(path) => format!("file {path}"),
        WebIdentity::Process(command) => format!("process {command}"),
    });
    lines.add("sso", profile.sso.as_ref(), render_sso);
    lines.add_text("login_session", profile.login_session.as_ref());
    let endpoint = &profile.endpoint;
    lines.add_text("endpoint for sts", endpoint.sts_url.as_ref());
    lines.add_text("endpoint for iam", endpoint.iam_url.as_ref());
    lines.add_text("endpoint", endpoint.url.as_ref());
    lines.add_text("fips", endpoint.use_fips.as_ref());
    lines.add_text("dualstack", endpoint.use_dualstack.as_ref());
    lines.add_text("ca_bundle", endpoint.ca_bundle.as_ref());
    lines.add("sts_regional", endpoint.sts_regional.as_ref(), |regional| format!("{regional:?}"));
    for (key, place) in &profile.unknown {
        writeln!(lines.0, "unknown key {key}  ({})", render_place(*place)).unwrap();
    }
    lines.0.push_str(&render_warnings(&profile.warnings));
    lines.0
}

fn render_sso(sso: &Sso) -> String {
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
    format!(
        "session {}, {} in {}, account {}, role {}, scopes {}",
        or_none(sso.session.as_ref()),
        sso.start_url.value,
        sso.region,
        or_none(sso.account_id.as_ref().map(|said| &said.value)),
        or_none(sso.role_name.as_ref().map(|said| &said.value)),
        sso.registration_scopes.join("|")
    )
}

fn render_names<T: Display>(names: &[T]) -> String {
    names.iter().map(|name| name.to_string() + "\n").collect()
}

fn render_warnings(warnings: &[Warning]) -> String {
    let render = |warning: &Warning| {
        let place = warning.place().map_or_else(String::new, |place| format!("  ({})", render_place(place)));
        format!("warning: {warning}{place}\n")
    };
    warnings.iter().map(render).collect()
}

fn render_error(error: &ConfigError) -> String {
    let place = error.place().map_or_else(String::new, |place| format!("  ({})", render_place(place)));
    let nearest = error.nearest().map_or_else(String::new, |name| format!("nearest: {name}\n"));
    format!("error: {error}{place}\n{nearest}")
}

#[derive(Default)]
struct Input {
    config: String,
    credentials: String,
    env: String,
    flags: String,
}

impl Input {
    fn overrides(&self) -> Overrides {
        let flag = |name: &str| {
            self.flags.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        let flags = Flags { region: flag("--region "), duration: flag("--duration ") };
        Overrides::from_env(flags, |name| {
            let mut pairs = self.env.lines().filter_map(|line| line.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        })
    }

    fn answer(&self, block: &str) -> String {
        let config = Config::parse(self.config.as_str(), self.credentials.as_str()).unwrap();
        let (verb, rest) = block.split_once(' ').unwrap_or((block, ""));
        match verb {
            "target" | "source" => {
                let which = if verb == "target" { Which::Target } else { Which::Source };
                let name = ProfileName::parse(rest).unwrap();
                match resolve_profile(&config, &name, &self.overrides(), which) {
                    Ok(profile) => render_profile(&profile),
                    Err(error) => render_error(&error),
                }
            }
            "unknown" => render_error(&config.unknown_profile(&ProfileName::parse(rest).unwrap(), None)),
            "names" => render_names(&config.profile_names()),
            "sessions" => render_names(&config.sso_session_names()),
            "warnings" => render_warnings(&config.warnings()),
            "edit" => self.edit(rest),
            other => panic!("there is no block `{other}`"),
        }
    }

    fn edit(&self, order: &str) -> String {
        let (section, changes) = order.split_once(':').unwrap();
        let (kind, name) = section.split_once(' ').unwrap();
        let kind = match kind {
            "profile" => SectionKind::Profile,
            "sso-session" => SectionKind::SsoSession,
            other => panic!("there is no section `{other}`"),
        };
        let changes: Vec<_> = changes
            .split(',')
            .map(str::trim)
            .filter(|change| !change.is_empty())
            .map(|change| match change.split_once('=') {
                Some((key, value)) => Change::Set { key: key.to_owned(), value: value.to_owned() },
                None => Change::Remove { key: change.strip_prefix('!').unwrap().to_owned() },
            })
            .collect();
        match edit_section(self.config.as_bytes(), FileKind::Config, kind, name, &changes) {
            Ok(text) => String::from_utf8(text).unwrap(),
            Err(error) => format!("error: {error}\n"),
        }
    }
}

/// The case with its answers replaced by hatbox's.
fn replay(case: &str) -> String {
    let mut replayed = String::new();
    let mut input = Input::default();
    let mut blocks = case.split("\n-- ");
    let why = blocks.next().unwrap();
    assert!(why.trim_end().ends_with('.') && !why.starts_with("-- "), "a case starts with a sentence: {why}");
    replayed.push_str(why);
    for block in blocks {
        let (head, body) = block.split_once('\n').unwrap_or((block, ""));
        // `split` removed the line end before the next block's mark.
        let text =
            if body.is_empty() || body.ends_with('\n') { body.to_owned() } else { format!("{body}\n") };
        let part = match head {
            "config" => Some(&mut input.config),
            "credentials" => Some(&mut input.credentials),
            "env" => Some(&mut input.env),
            "flags" => Some(&mut input.flags),
            _ => None,
        };
        let text = match part {
            Some(part) => {
                part.clone_from(&text);
                text
            }
            None => input.answer(head),
        };
        write!(replayed, "\n-- {head}\n{}", text.strip_suffix('\n').unwrap_or(&text)).unwrap();
    }
    replayed.push('\n');
    replayed
}

#[test]
fn every_case_is_answered_as_its_file_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/config");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 25, "only {} cases were found in {folder}", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let replayed = replay(&text);
        if replayed != text {
            wrong.push(format!("== {}\n{replayed}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these cases differ:\n{}", wrong.join("\n"));
}

/// Each identity key in the table of `config/layers.rs`.
#[test]
fn every_empty_identity_key_is_an_error_with_its_line() {
    let keys = [
        "role_arn",
        "source_profile",
        "include_profile",
        "credential_source",
        "external_id",
        "mfa_serial",
        "aws_access_key_id",
        "aws_secret_access_key",
        "credential_process",
        "web_identity_token_file",
        "web_identity_token_process",
        "sso_session",
        "sso_start_url",
        "sso_region",
        "sso_account_id",
        "sso_role_name",
        "login_session",
    ];
    for key in keys {
        for (before, after) in [("", "\n"), ("  ", "   \n"), ("", " # ${UNSET}\n"), ("", "\n  nested = 1\n")]
        {
            let text = format!("[profile x]\n{before}region = r-1\n{before}{key} ={after}");
            let config = Config::parse(text.clone(), "").unwrap();
            let name = ProfileName::parse("x").unwrap();
            for which in [Which::Target, Which::Source] {
                let error = resolve_profile(&config, &name, &Overrides::default(), which).unwrap_err();
                assert_eq!(error.to_string(), format!("`{key}` is set to an empty value"), "{text}");
                assert_eq!(error.place().map(|place| place.line), Some(3), "{text}");
            }
        }
    }
}
