//! Asks STS and IAM about a denied call, with the credentials that its chain started from. All calls only read.
//!
//! A diagnosis continues without the facts that AWS does not return, so errors are shown only with `--debug`.

use std::time::Duration;

use hatbox_iam::denial::attempt::{Attempt, SignedBy};
use hatbox_iam::denial::known::{Answers, Role, Sourced};
use hatbox_iam::policy::arn::Arn;
use hatbox_iam::policy::document::Policy;
use hatbox_types::name::ProfileName;

use super::live::{LiveIam, open_as};
use super::signer_of;
use crate::args::GlobalArgs;
use crate::aws::iam::{IamError, IamProblem, RoleFacts};
use crate::credentials::caller::{Caller, fetch_caller};
use crate::credentials::obtain::{Obtained, obtain_base};
use crate::errors::Failure;
use crate::world::World;

/// The origin of the facts, as shown in a diagnosis.
const ORIGIN: &str = "IAM, just now";

/// Asks for everything that the caller may read, without a prompt.
pub(crate) fn ask_about_denial(world: &World, global: &GlobalArgs, attempt: &Attempt) -> Answers {
    let mut asking = Asking { world, answers: Answers::default(), is_iam_there: true };
    let base = match obtain_same_base(world, global, attempt) {
        Ok(base) => base,
        Err(why) => {
            world.output.note(&format!("AWS was not asked: {why}"));
            return asking.answers;
        }
    };
    if let Err(failure) = asking.ask(attempt, base) {
        world.output.note(&format!("IAM was not asked: {}", failure.error));
    }
    asking.answers
}

/// Obtains the credentials that the denied chain started from, if they are still the same.
fn obtain_same_base(world: &World, global: &GlobalArgs, attempt: &Attempt) -> Result<Obtained, String> {
    let profile = ProfileName::parse(&attempt.profile).map_err(|error| error.to_string())?;
    let base = obtain_base(world, global, &profile).map_err(|failure| failure.error)?;
    let base = base.ok_or("the store is locked")?;
    let key = base.plan().base.access_key_id().map(hatbox_types::name::AccessKeyId::masked);
    if key != attempt.base.key {
        return Err(format!("`{profile}` has other credentials now"));
    }
    Ok(base)
}

struct Asking<'a> {
    world: &'a World,
    answers: Answers,
    /// After one call without an answer, IAM is not called again.
    is_iam_there: bool,
}

impl Asking<'_> {
    fn ask(&mut self, attempt: &Attempt, base: Obtained) -> Result<(), Failure> {
        let (plan, credentials) = base.into_parts();
        let profile = plan.profile.clone();
        let signer = signer_of(credentials);
        let caller = match fetch_caller(self.world, &plan, &profile, &signer) {
            Caller::Known(arn) => arn,
            Caller::BadKey(why) | Caller::Unknown(why) | Caller::Unreachable(why) => {
                self.world.output.debug(|| format!("sts:GetCallerIdentity: {why}"));
                return Ok(());
            }
        };
        self.answers.answered.push("sts:GetCallerIdentity");
        let Some((account, user)) = account_and_user(&caller) else { return Ok(()) };
        let iam = open_as(self.world, profile, plan, &signer)?;
        // A role session has another caller than the one that the chain starts from.
        if !matches!(attempt.signer, SignedBy::Role { .. }) {
            if let Some(user) = user {
                let devices = self.answer("iam:ListMFADevices", || iam.iam.fetch_mfa_devices(&user));
                self.answers.known.devices = devices.map(fact);
            }
            self.answers.known.caller = Some(fact(caller));
        }
        let role = attempt.role.as_deref().filter(|role| is_in_account(role, &account));
        if let Some(role) = role {
            self.ask_for_role(&iam, role);
        }
        let details = self.answer("iam:GetAccountAuthorizationDetails", || iam.iam.fetch_details());
        self.answers.details = details.map(|details| details.to_string());
        Ok(())
    }

    fn ask_for_role(&mut self, iam: &LiveIam, arn: &str) {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let found = self.answer("iam:GetRole", || match iam.iam.fetch_role(name) {
            Err(error) if error.problem == IamProblem::NoSuchEntity => Ok(None),
            found => found.map(Some),
        });
        match found {
            None => {}
            Some(Some(found)) if found.arn == arn => self.answers.known.role = Some(fact(role_of(&found))),
            // Names are unique, so a role with this name and another path rules the wanted one out.
            Some(other) => {
                self.answers.known.roles = Some(fact(other.into_iter().map(|role| role.arn).collect()));
            }
        }
    }

    fn answer<T>(&mut self, action: &'static str, ask: impl FnOnce() -> Result<T, IamError>) -> Option<T> {
        if !self.is_iam_there {
            return None;
        }
        match ask() {
            Ok(answer) => {
                self.answers.answered.push(action);
                Some(answer)
            }
            Err(error) => {
                self.is_iam_there = error.problem != IamProblem::Unreachable;
                self.world.output.debug(|| format!("{action}: {error}"));
                None
            }
        }
    }
}

fn fact<T>(value: T) -> Sourced<T> {
    Sourced { value, origin: ORIGIN.to_owned() }
}

fn role_of(found: &RoleFacts) -> Role {
    Role {
        trust: Policy::parse(&found.trust).ok(),
        max_session: found
            .max_session_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs),
        created_at: found.created_at,
    }
}

/// Returns the account of a caller, and its name if it is an IAM user.
fn account_and_user(caller: &str) -> Option<(String, Option<String>)> {
    let arn = Arn::parse(caller)?;
    let user = arn.resource.strip_prefix("user/").and_then(|path| path.rsplit('/').next());
    Some((arn.account.to_owned(), user.map(str::to_owned)))
}

fn is_in_account(arn: &str, account: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.account == account)
}
