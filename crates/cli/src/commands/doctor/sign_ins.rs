//! Checks the sign-ins to IAM Identity Center: whether commands would have to ask for one.

use hatbox_core::doctor::{Finding, Level, Topic};
use hatbox_types::text::shell::quote_word;

use super::Checkup;
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
}
