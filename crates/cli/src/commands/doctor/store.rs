//! Checks the store: its backend, whether it works, how it is unlocked, and the cached sessions.

use hatbox_core::doctor::moments::{check_ending, check_key_age, check_obtained};
use hatbox_core::doctor::{Finding, Level, Topic};

#[cfg(feature = "iam")]
use hatbox_types::text::shell::quote_word;

use super::{Checkup, finding_of};
#[cfg(feature = "iam")]
use crate::ask::passphrase::Interaction;
use crate::errors::Failure;
use crate::files::modes::files_in;
#[cfg(feature = "file")]
use crate::files::programs::find_in_path;
use crate::keys::{BackendOrigin, KeyStore};
use crate::store::index::Index;
use crate::store::{Status, StoreKind};

impl Checkup<'_> {
    /// Checks the store without asking the user. Returns its index; `None` if that cannot be read.
    pub(super) fn check_store(&mut self, store: &mut Result<KeyStore, Failure>) -> Option<Index> {
        let store = match store {
            Ok(store) => store,
            Err(failure) => {
                self.findings.push(finding_of(Topic::Store, "store-settings", failure));
                self.sum_up(Topic::Store, "not known");
                return None;
            }
        };
        let Some((kind, origin)) = store.chosen() else {
            self.check_keys_of_aws_vault();
            self.sum_up(Topic::Store, "none yet: adding the first key chooses a backend");
            return Some(Index::default());
        };
        let origin = self.render_origin(origin);
        if let Status::Unavailable(why) = store.status() {
            let text = format!("the backend `{kind}` cannot be used: {why}");
            let finding = Finding::new(Topic::Store, "store-unavailable", Level::Error, text);
            self.findings.push(finding.fixed_by("hatbox store status"));
            self.sum_up(Topic::Store, format!("`{kind}` ({origin})"));
            return None;
        }
        if store.is_empty() {
            self.check_keys_of_aws_vault();
            self.sum_up(Topic::Store, format!("`{kind}`, empty ({origin})"));
            return Some(Index::default());
        }
        let index = match store.index_if_known() {
            Ok(Some(index)) => {
                let count = index.keys.len();
                let keys =
                    if count == 1 { "1 access key".to_owned() } else { format!("{count} access keys") };
                self.sum_up(Topic::Store, format!("`{kind}` is unlocked ({origin}), with {keys}"));
                Some(index)
            }
            Ok(None) => {
                let text = "it is locked: its keys and the cached sessions were not checked";
                let finding = Finding::new(Topic::Store, "store-locked", Level::Info, text);
                self.findings.push(finding.fixed_by("hatbox list --unlock"));
                self.sum_up(Topic::Store, format!("`{kind}` is locked ({origin})"));
                None
            }
            Err(failure) => {
                self.findings.push(finding_of(Topic::Store, "store-broken", &failure));
                self.sum_up(Topic::Store, format!("`{kind}` ({origin})"));
                return None;
            }
        };
        if kind == StoreKind::File {
            self.check_keyring(store);
            #[cfg(feature = "file")]
            self.check_wraps(store);
        }
        self.check_sessions(store);
        if let Some(index) = &index {
            let now = self.world.clock.now();
            let old = index.keys.iter().filter_map(|key| check_key_age(now, key.created, &key.profile));
            self.findings.extend(old);
        }
        #[cfg(feature = "iam")]
        self.check_rotations(store);
        index
    }

    fn render_origin(&self, origin: BackendOrigin) -> String {
        match origin {
            BackendOrigin::Named(origin) => format!("set by {origin}"),
            BackendOrigin::Settings => {
                format!("set by {}", self.world.dirs.shown(&self.world.dirs.settings_file()))
            }
            BackendOrigin::Found | BackendOrigin::FirstWrite => "the default".to_owned(),
        }
    }

    /// Looks for keys of aws-vault that could be imported.
    fn check_keys_of_aws_vault(&mut self) {
        let directory = self.world.dirs.vault_files();
        if files_in(&directory, 1).is_empty() {
            return;
        }
        let text = "aws-vault keeps keys here, and hatbox has none yet";
        let finding = Finding::new(Topic::Store, "keys-of-aws-vault", Level::Info, text);
        self.findings
            .push(finding.in_file(self.world.dirs.shown(&directory)).fixed_by("hatbox import aws-vault"));
    }

    /// Checks the kernel keyring, which only matters for the `file` backend: no other has a passphrase to remember.
    fn check_keyring(&mut self, store: &KeyStore) {
        use crate::sys::keyring::KeyringError;
        let why = match store.why_nothing_is_held() {
            Some(KeyringError::Denied) => "the kernel keyring cannot be used here",
            Some(KeyringError::Full) => "your kernel keyring is full",
            Some(KeyringError::Absent | KeyringError::Unknown) | None => return,
        };
        let is_asking = !store.is_passphrase_at_hand();
        let (level, so) = if is_asking {
            (Level::Warning, "each command asks for the passphrase again")
        } else {
            (Level::Info, "the cache key is kept in memory instead, sealed under the passphrase")
        };
        let finding = Finding::new(Topic::Store, "no-keyring", level, format!("{why}: {so}"));
        let settings = self.world.dirs.shown(&self.world.dirs.settings_file());
        self.findings.push(match self.world.dirs.runtime() {
            Some(_) if is_asking => {
                finding.fixed_by(format!("echo 'unlock_cache = \"runtime-dir\"' >> {settings}"))
            }
            _ => finding,
        });
    }

    #[cfg(feature = "file")]
    fn check_wraps(&mut self, store: &mut KeyStore) {
        let wraps = match store.wraps_if_known() {
            Ok(wraps) => wraps,
            Err(failure) => {
                self.findings.push(finding_of(Topic::Store, "store-broken", &failure));
                return;
            }
        };
        let names: Vec<_> = wraps.iter().map(|wrap| wrap.name.as_str()).collect();
        if let Some(summary) = self.summaries.iter_mut().find(|summary| summary.topic == Topic::Store) {
            summary.text.push_str(&format!(", opened by {}", names.join(", ")));
        }
        for wrap in &wraps {
            let name = wrap.name.as_str();
            if wrap.is_ours == Some(false) {
                let path = store.directory().map(|directory| directory.join(&wrap.file)).unwrap_or_default();
                let text = format!(
                    "`{}` is not part of the store: hatbox did not make it, and does not use it",
                    wrap.file
                );
                let finding = Finding::new(Topic::Store, "foreign-wrap", Level::Error, text);
                self.findings.push(finding.fixed_by(format!("rm {}", self.world.dirs.shown(&path))));
                continue;
            }
            let program = wrap.plugin.as_ref().map(|plugin| format!("age-plugin-{plugin}"));
            let Some(program) = program else { continue };
            if let Some(file) = find_in_path(self.world, &program).first() {
                self.check_writers(&program, file);
            } else {
                let text =
                    format!("the store's wrap `{name}` is opened by `{program}`, which is not in PATH");
                self.findings.push(Finding::new(Topic::Store, "no-plugin", Level::Warning, text));
            }
        }
    }

    #[cfg(feature = "iam")]
    fn check_rotations(&mut self, store: &mut KeyStore) {
        let Ok(rotations) = store.rotations(Interaction::Never) else { return };
        for rotation in rotations.list().unwrap_or_default() {
            let profile = &rotation.profile;
            let text = format!("the rotation of the access key of `{profile}` is not finished");
            let finding =
                Finding::new(Topic::Store, "rotation-unfinished", Level::Warning, text).about(profile);
            self.findings.push(finding.fixed_by(format!("hatbox rotate {}", quote_word(profile.as_str()))));
        }
    }

    fn check_sessions(&mut self, store: &mut KeyStore) {
        let Ok(Some(sessions)) = store.sessions_if_known() else { return };
        let (sessions, broken) = match sessions.list() {
            Ok(listed) => listed,
            Err(error) => {
                let finding =
                    Finding::new(Topic::Store, "sessions-unreadable", Level::Error, error.to_string());
                self.findings.push(finding.fixed_by("hatbox clear"));
                return;
            }
        };
        let now = self.world.clock.now();
        for (_, session) in sessions {
            let left = session.credentials.expires_at.as_second() - now.as_second();
            let call = session.call.label().trim_start_matches("sts.");
            self.findings.extend(check_ending(left, call, &session.profile));
            self.findings.extend(check_obtained(now, session.obtained_at, &session.profile));
        }
        // Permissions and symlinks are reported with the files.
        for error in broken.into_iter().filter(|error| error.hint().is_none()) {
            let finding = Finding::new(Topic::Store, "sessions-unreadable", Level::Error, error.to_string());
            self.findings.push(finding.fixed_by("hatbox clear"));
        }
    }
}
