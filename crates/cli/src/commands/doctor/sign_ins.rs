//! Checks the sign-ins to IAM Identity Center and of `aws login`: whether commands would have to ask for one.

use hatbox_core::doctor::{Finding, Level, Topic};
use hatbox_types::text::printable;
use hatbox_types::text::shell::quote_word;

use super::Checkup;
use crate::credentials::login_states::{LoginState, load_login_states};
use crate::credentials::request::SessionRequest;
use crate::credentials::sso::{SignInState, SignInTargets};
use crate::errors::Failure;
use crate::files::aws_config::ConfigFiles;
use crate::keys::KeyStore;

impl Checkup<'_> {
    /// Checks the sign-ins of the config without asking the user. Problems of the store are reported elsewhere.
    pub(super) fn check_sign_ins(
        &mut self,
        files: &ConfigFiles,
        request: Option<&SessionRequest>,
        store: &mut Result<KeyStore, Failure>,
    ) {
        let (Some(request), Ok(store)) = (request, store) else { return };
        let targets = SignInTargets { files, overrides: &request.overrides };
        let Ok(states) = targets.load_states(self.world, store) else { return };
        for (target, state) in states {
            if matches!(state, SignInState::SignedOut) {
                let name = target.name();
                let text = format!("signed out of `{name}`: the first command that needs it signs in");
                let finding = Finding::new(Topic::Store, "sso-signed-out", Level::Info, text);
                self.findings.push(finding.fixed_by(format!("hatbox sso login {}", quote_word(name))));
            }
        }
    }

    /// Checks the sessions of `aws login` by their files.
    pub(super) fn check_login_sessions(&mut self, files: &ConfigFiles) {
        for login in load_login_states(self.world, files) {
            let Some(profile) = login.profiles.first() else { continue };
            let (id, level, text) = match login.state {
                LoginState::SignedIn(_) | LoginState::Renewable(_) => continue,
                LoginState::SignedOut => {
                    let session = printable(&login.session);
                    let text = format!("signed out of `{session}`: the first command that needs it signs in");
                    ("login-signed-out", Level::Info, text)
                }
                LoginState::Unusable(failure) => {
                    let text: Vec<_> = [failure.error].into_iter().chain(failure.causes).collect();
                    ("login-unusable", Level::Error, text.join(": "))
                }
            };
            let fix = format!("hatbox login --session {}", quote_word(profile.as_str()));
            self.findings.push(Finding::new(Topic::Store, id, level, text).fixed_by(fix));
        }
    }
}
