//! The base that uses a permission set of IAM Identity Center: calls GetRoleCredentials with the access token that all
//! profiles of a session share.

use hatbox_core::config::profile::{Sourced, Sso};
use hatbox_core::sso::token_file::SsoToken;
use hatbox_types::name::AccountId;
use hatbox_types::secret::SessionCredentials;

use super::super::call_lock::CallLock;
use super::super::plan::Planned;
use super::super::sso::{Pace, SignIn, TokenNeed};
use crate::aws::sso::{SsoError, SsoRefusal};
use crate::errors::{Failure, FailureKind};
use crate::store::sessions::Sessions;

/// The role to get credentials for.
pub(super) struct SsoRole<'a> {
    pub(super) sso: &'a Sourced<Sso>,
    pub(super) account: &'a Sourced<String>,
    pub(super) name: &'a Sourced<String>,
}

/// Fetches the credentials of the role. Returns `None` if another process took the sign-in over. `lock` is the
/// session's.
pub(super) fn fetch(
    planned: &Planned,
    role: &SsoRole<'_>,
    sessions: &Sessions,
    lock: &CallLock,
) -> Result<Option<SessionCredentials>, Failure> {
    let world = &planned.world;
    let account = AccountId::parse(&role.account.value).map_err(|error| {
        at(
            planned,
            role.account,
            Failure::new(FailureKind::Usage, format!("invalid `sso_account_id` `{}`", role.account.value)),
        )
        .caused_by(&error)
    })?;
    let files = sessions.sign_ins(&world.dirs.sign_ins());
    let sign_in = SignIn::new(world, &planned.settings, &role.sso.value, &planned.plan.endpoint, files);
    let mut refused: Vec<SsoToken> = Vec::new();
    loop {
        // A token may be revoked before it expires: refresh it once, then ask the user to sign in.
        let need = match refused.as_slice() {
            [] => TokenNeed::Valid,
            [one] => TokenNeed::Refreshed(one),
            [.., last] => TokenNeed::SignedIn(Some(last)),
        };
        let Some(token) = sign_in.access_token_under(need, Some(lock.lock()))? else { return Ok(None) };
        let portal = sign_in.portal(&token)?;
        world.output.debug(|| format!("calling GetRoleCredentials for `{}`", role.name.value));
        let fetch = || portal.fetch_role(&token.access_token, &account, &role.name.value, world.clock.now());
        let result = Pace::of(world).call(world, fetch)?;
        match result {
            Ok(credentials) => return Ok(Some(credentials)),
            Err(error) if error.refusal() == Some(SsoRefusal::TokenRefused) && refused.len() < 2 => {
                world.output.debug(|| format!("the portal refused the token: {error}"));
                refused.push(token);
            }
            Err(error) => return Err(failure_of(planned, role, &sign_in, &error)),
        }
    }
}

fn failure_of(planned: &Planned, role: &SsoRole<'_>, sign_in: &SignIn, error: &SsoError) -> Failure {
    let (name, account) = (&role.name.value, &role.account.value);
    match error.refusal() {
        Some(SsoRefusal::NotAssigned) => {
            let text = format!("the role `{name}` in account {account} is no longer assigned to you");
            at(planned, role.name, Failure::new(FailureKind::Failed, text))
                .caused_by(error)
                .hint("ask the administrator of Identity Center for the permission set")
                .hint(format!("or sign in as another user: {}", sign_in.login_command()))
        }
        Some(SsoRefusal::TokenRefused) => {
            let text = format!("Identity Center refuses the tokens of `{}`", sign_in.name());
            Failure::new(FailureKind::Failed, text).caused_by(error).hint(sign_in.login_command())
        }
        _ => {
            let text = format!("could not get credentials of the role `{name}` in account {account}");
            let failure = Failure::new(FailureKind::Failed, text).caused_by(error);
            match error.refusal() {
                Some(SsoRefusal::Throttled | SsoRefusal::Fault) => {
                    failure.hint("Identity Center is busy: try again in a minute")
                }
                None => failure.hints(error.network_hint()),
                Some(_) => at(planned, role.name, failure),
            }
        }
    }
}

/// Adds the config line that the failure is about.
fn at<T>(planned: &Planned, said: &Sourced<T>, failure: Failure) -> Failure {
    match said.origin.place() {
        Some(place) => failure.at(planned.files.shown_place(place)),
        None => failure,
    }
}
