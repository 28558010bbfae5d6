//! `hatbox list`: lists profiles, stored keys and cached sessions.

use std::collections::{BTreeMap, HashSet};

use hatbox_core::cache::CachedSession;
use hatbox_core::doctor::moments::age_in_days;
use hatbox_types::name::ProfileName;
use hatbox_types::text::page::Style;
use hatbox_types::text::printable;
use hatbox_types::text::table::Table;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, ListArgs, ListOnly, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::login_states::{LoginStatus, load_login_states};
use crate::credentials::request::resolve_session;
use crate::credentials::sso::{SignInState, SignInTarget, SignInTargets, render_sign_in_json};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::KeyStore;
use crate::output::CalledAs;
use crate::store::index::{Index, StoredKey};
use crate::world::World;

/// What to list. `None` means that the store is locked.
struct Listing {
    /// Profiles of the config, in its order.
    profiles: Vec<ProfileName>,
    index: Option<Index>,
    sessions: Option<BTreeMap<ProfileName, Vec<CachedSession>>>,
    /// The SSO sign-ins of the config.
    sign_ins: Vec<(SignInTarget, SignInState)>,
    /// The sessions of `aws login` in the config.
    login_sessions: Vec<LoginStatus>,
    now: Timestamp,
}

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ListArgs) -> Result<(), Failure> {
    let files = load_config(world)?;
    let mut store = KeyStore::open(world, global)?;
    if args.unlock && !store.is_empty() {
        store.index(Interaction::Allowed)?;
    }
    for warning in files.config.warnings() {
        world.output.warn(&files.render_warning(&warning));
    }
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let targets = SignInTargets { files: &files, overrides: &request.overrides };
    let listing = Listing {
        sign_ins: targets.load_states(world, &mut store)?,
        login_sessions: load_login_states(world, &files),
        profiles: profiles(&files),
        index: store.index_if_known()?,
        sessions: load_sessions(world, &mut store)?,
        now: world.clock.now(),
    };
    let only = args.only();
    let text = if args.json {
        format!("{:#}\n", listing.render_json(&files, only))
    } else {
        match only {
            // Scripts parse aws-vault's output.
            ListOnly::Everything if world.output.called_as() == CalledAs::AwsVault => {
                listing.render_table(CalledAs::AwsVault)
            }
            ListOnly::Everything => listing.render_table(CalledAs::Hatbox) + &listing.render_sign_ins(),
            ListOnly::Profiles => lines(listing.profiles.iter().map(ToString::to_string)),
            ListOnly::Credentials => match &listing.index {
                Some(index) => lines(index.keys.iter().map(|key| key.profile.to_string())),
                None => return Err(locked()),
            },
            ListOnly::Sessions => match &listing.sessions {
                Some(sessions) => listing.render_sessions(sessions, world.output.called_as()),
                None => return Err(locked()),
            },
        }
    };
    world.output.data(&text)?;
    let has_no_key = listing.index.as_ref().is_some_and(|index| index.keys.is_empty());
    if matches!(only, ListOnly::Everything) && has_no_key && listing.profiles.is_empty() && !args.json {
        world.output.hint(
            "nothing is set up yet: `hatbox add NAME` stores an access key, `hatbox import` imports keys",
        );
        if cfg!(all(unix, feature = "sandbox")) {
            world.output.hint("`hatbox sandbox demo` shows how it works, without AWS");
        }
    }
    if matches!(only, ListOnly::Everything) && listing.index.is_none() && !args.json {
        world.output.note("the store is locked; `hatbox list --unlock` asks for its passphrase");
    }
    Ok(())
}

fn locked() -> Failure {
    Failure::new(FailureKind::NeedsPerson, "the store is locked")
        .hint("add --unlock to be asked for its passphrase")
}

/// Lists the profiles except an empty `default`, which some tools create.
fn profiles(files: &ConfigFiles) -> Vec<ProfileName> {
    let mut names = files.config.profile_names();
    names.retain(|name| !(name.is_default() && files.config.is_empty_profile(name)));
    names
}

fn load_sessions(
    world: &World,
    store: &mut KeyStore,
) -> Result<Option<BTreeMap<ProfileName, Vec<CachedSession>>>, Failure> {
    let mut by_profile: BTreeMap<ProfileName, Vec<CachedSession>> = BTreeMap::new();
    if store.is_empty() {
        return Ok(Some(by_profile));
    }
    let Some(sessions) = store.sessions_if_known()? else { return Ok(None) };
    let (sessions, broken) = sessions.list()?;
    for error in broken {
        let hint = error.hint().map(|hint| format!("; run: {hint}")).unwrap_or_default();
        world.output.warn(&format!("a cached session cannot be read: {error}{hint}"));
    }
    for (_, session) in sessions {
        by_profile.entry(session.profile.clone()).or_default().push(session);
    }
    Ok(Some(by_profile))
}

fn lines(names: impl Iterator<Item = String>) -> String {
    names.map(|name| format!("{name}\n")).collect()
}

impl Listing {
    /// Renders labels such as `sts.GetSessionToken:59m59s`, without expired sessions.
    fn labels(&self, sessions: &[CachedSession]) -> Vec<String> {
        sessions
            .iter()
            .filter(|session| session.credentials.expires_at > self.now)
            .map(|session| {
                let left = session.credentials.expires_at.duration_since(self.now).as_secs();
                format!("{}:{}", session.call.label(), render_left(left))
            })
            .collect()
    }

    fn key(&self, profile: &ProfileName) -> Option<&StoredKey> {
        self.index.as_ref()?.find(profile)
    }

    /// Returns the names that are in the store or the cache but not in the config.
    fn orphans(&self) -> Vec<&ProfileName> {
        let stored = self.index.iter().flat_map(|index| index.keys.iter().map(|key| &key.profile));
        let cached = self.sessions.iter().flat_map(BTreeMap::keys);
        let in_config: HashSet<_> = self.profiles.iter().collect();
        let mut names: Vec<_> = stored.chain(cached).filter(|name| !in_config.contains(name)).collect();
        names.sort();
        names.dedup();
        names
    }

    fn render_table(&self, called_as: CalledAs) -> String {
        let header = ["Profile", "Credentials", "Age", "Sessions"].map(str::to_owned);
        let rule = ["=======", "===========", "===", "========"].map(str::to_owned);
        let mut rows = vec![header, rule];
        for (profile, is_orphan) in
            self.profiles.iter().map(|p| (p, false)).chain(self.orphans().into_iter().map(|p| (p, true)))
        {
            let credentials = match (&self.index, self.key(profile)) {
                (None, _) => "locked".to_owned(),
                (Some(_), Some(_)) => profile.to_string(),
                (Some(_), None) => "-".to_owned(),
            };
            let age = match (&self.index, self.key(profile)) {
                (None, _) => "locked".to_owned(),
                (Some(_), Some(key)) => render_days(age_in_days(key.created, self.now)),
                (Some(_), None) => "-".to_owned(),
            };
            let sessions = match &self.sessions {
                None => "locked".to_owned(),
                Some(sessions) => {
                    let labels = sessions.get(profile).map(|s| self.labels(s)).unwrap_or_default();
                    if labels.is_empty() { "-".to_owned() } else { labels.join(", ") }
                }
            };
            let name = if is_orphan { "-".to_owned() } else { profile.to_string() };
            if (name.as_str(), credentials.as_str(), sessions.as_str()) != ("-", "-", "-") {
                rows.push([name, credentials, age, sessions]);
            }
        }
        render_columns(&rows, called_as)
    }

    fn render_sessions(
        &self,
        sessions: &BTreeMap<ProfileName, Vec<CachedSession>>,
        called_as: CalledAs,
    ) -> String {
        let mut text = String::new();
        for (profile, sessions) in sessions {
            for label in self.labels(sessions) {
                match called_as {
                    CalledAs::AwsVault => text.push_str(&format!("{label}\n")),
                    CalledAs::Hatbox => text.push_str(&format!("{profile} {label}\n")),
                }
            }
        }
        text
    }

    fn render_json(&self, files: &ConfigFiles, only: ListOnly) -> Value {
        let in_config = self.profiles.iter().map(|profile| {
            let place = files.config.defined_at(profile).map(|place| files.shown_place(place));
            self.profile_json(profile, place, only)
        });
        let orphans = self.orphans().into_iter().map(|profile| self.profile_json(profile, None, only));
        let mut value = json!({
            "store": if self.index.is_some() { "ready" } else { "locked" },
            "profiles": in_config.chain(orphans).collect::<Vec<_>>(),
        });
        if let (ListOnly::Everything | ListOnly::Sessions, Some(fields)) = (only, value.as_object_mut()) {
            let sign_ins = self.sign_ins.iter().map(|(target, state)| render_sign_in_json(target, state));
            fields.insert("sign_ins".to_owned(), sign_ins.collect());
            let login_sessions = self.login_sessions.iter().map(LoginStatus::render_json);
            fields.insert("login_sessions".to_owned(), login_sessions.collect());
        }
        value
    }

    /// Renders the SSO sign-ins and login sessions below the table, one per line.
    fn render_sign_ins(&self) -> String {
        let sign_ins = self
            .sign_ins
            .iter()
            .map(|(target, state)| format!("SSO {}: {}\n", target.name(), state.render(self.now).0));
        let login_sessions = self.login_sessions.iter().map(|login| {
            format!("aws login {}: {}\n", printable(&login.session), login.state.render(self.now))
        });
        let text: String = sign_ins.chain(login_sessions).collect();
        if text.is_empty() { text } else { format!("\n{text}") }
    }

    fn profile_json<'a>(
        &'a self,
        profile: &'a ProfileName,
        place: Option<String>,
        only: ListOnly,
    ) -> ProfileJson<'a> {
        let key = || self.key(profile).map(|key| KeyJson::of_key(key, self.now));
        let is_valid = |session: &&CachedSession| session.credentials.expires_at > self.now;
        let sessions = || {
            let sessions = self.sessions.as_ref()?.get(profile).into_iter().flatten();
            Some(sessions.filter(is_valid).map(SessionJson::of_session).collect())
        };
        let (has_credentials, has_sessions) = match only {
            ListOnly::Everything => (true, true),
            ListOnly::Credentials => (true, false),
            ListOnly::Sessions => (false, true),
            ListOnly::Profiles => (false, false),
        };
        ProfileJson {
            profile: profile.as_str(),
            place,
            credentials: if has_credentials { Column::Shown(key()) } else { Column::LeftOut },
            sessions: if has_sessions { Column::Shown(sessions()) } else { Column::LeftOut },
        }
    }
}

/// A profile in the JSON output.
#[derive(Serialize)]
struct ProfileJson<'a> {
    profile: &'a str,
    /// Where the config defines it; `null` if it is only in the store or the cache.
    place: Option<String>,
    #[serde(skip_serializing_if = "Column::is_left_out")]
    credentials: Column<KeyJson>,
    #[serde(skip_serializing_if = "Column::is_left_out")]
    sessions: Column<Vec<SessionJson>>,
}

/// A member that may be omitted or `null`.
#[derive(Serialize)]
#[serde(untagged)]
enum Column<T> {
    LeftOut,
    Shown(Option<T>),
}

impl<T> Column<T> {
    fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

/// A stored access key in the JSON output.
#[derive(Serialize)]
struct KeyJson {
    access_key: String,
    created: String,
    age_days: i64,
}

impl KeyJson {
    fn of_key(key: &StoredKey, now: Timestamp) -> Self {
        Self {
            access_key: key.id.masked(),
            created: key.created.to_string(),
            age_days: age_in_days(key.created, now),
        }
    }
}

/// A cached session in the JSON output.
#[derive(Serialize)]
struct SessionJson {
    call: &'static str,
    expires_at: String,
}

impl SessionJson {
    fn of_session(session: &CachedSession) -> Self {
        Self { call: session.call.label(), expires_at: session.credentials.expires_at.to_string() }
    }
}

/// Renders an age: `today`, `12d`.
fn render_days(days: i64) -> String {
    if days == 0 { "today".to_owned() } else { format!("{days}d") }
}

/// Renders a time as aws-vault does: `59m59s`, `1h0m3s`.
fn render_left(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Renders columns separated by two blanks. For aws-vault, columns are at least 25 characters wide and lines are
/// padded.
fn render_columns(rows: &[[String; 4]], called_as: CalledAs) -> String {
    let mut table = match called_as {
        CalledAs::AwsVault => Table::padded(25),
        CalledAs::Hatbox => Table::default(),
    };
    for [profile, credentials, age, sessions] in rows {
        match called_as {
            // aws-vault shows no ages.
            CalledAs::AwsVault => {
                table.row(&[profile, credentials, sessions].map(|cell| (cell.as_str(), Style::Plain)));
            }
            CalledAs::Hatbox => {
                table.row(&[profile, credentials, age, sessions].map(|cell| (cell.as_str(), Style::Plain)));
            }
        }
    }
    table.into_page().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_written_as_aws_vault_does() {
        assert_eq!(
            [3599, 59, 3603, 0].map(render_left),
            ["59m59s", "59s", "1h0m3s", "0s"].map(str::to_owned)
        );
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_as_aws_vault_at_least_25() {
        let row = |a: &str| [a, "b", "9d", "c"].map(str::to_owned);
        let as_vault = |rows: &[_]| render_columns(rows, CalledAs::AwsVault);
        assert_eq!(as_vault(&[row("a")]), format!("{:25}{:25}{:25}\n", "a", "b", "c"));
        let long = "x".repeat(30);
        assert!(as_vault(&[row(&long)]).starts_with(&format!("{long}  b")));
        assert_eq!(
            render_columns(&[row("a"), row("aaa")], CalledAs::Hatbox),
            "a    b  9d  c\naaa  b  9d  c\n"
        );
    }
}
