//! Lists all accounts and roles that the portal assigns to the user, over several connections that share one pace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hatbox_core::populate::role::{AssignedRole, RoleError};
use hatbox_core::sso::token_file::SsoToken;

use super::pace::Pace;
use super::sign_in::SignIn;
use super::token::TokenNeed;
use crate::aws::sso::{AssignedAccount, PageOf, SsoError, SsoPortal, SsoRefusal};
use crate::errors::{Failure, FailureKind};
use crate::wait_line::{Company, WaitLine};
use crate::world::World;

/// Enough to reach the portal's pace with answers that take a third of a second.
const CONNECTIONS: usize = 6;
/// More than any organization has: a list that never ends must not fill the memory.
const MOST_ACCOUNTS: usize = 50_000;
const MOST_ROLES: usize = 1000;

/// What the portal assigns to the user.
#[derive(Debug, Default)]
pub(crate) struct AssignedRoles {
    pub(crate) roles: Vec<AssignedRole>,
    /// Entries that do not have AWS's form: account, role, reason.
    pub(crate) invalid: Vec<(String, String, RoleError)>,
    /// How many accounts were listed.
    pub(crate) accounts: usize,
}

/// What is left to read and what was read, shared by all connections.
struct Work {
    left: Mutex<VecDeque<AssignedAccount>>,
    found: Mutex<Vec<(AssignedAccount, Vec<String>)>>,
    failed: Mutex<Option<Failed>>,
    done: Arc<AtomicUsize>,
}

/// Why a connection stopped.
enum Failed {
    /// The portal rejects the token although it has not expired.
    Token,
    /// The user has no assignment there.
    NotAssigned(Failure),
    Other(Failure),
}

impl SignIn {
    /// Lists every account and all its roles. Refreshes a rejected token once.
    ///
    /// # Errors
    /// If any list cannot be read: with a part of them, the rest would look deleted.
    pub(crate) fn fetch_assigned_roles(&self) -> Result<AssignedRoles, Failure> {
        let pace = Pace::of(&self.world);
        let token = self.access_token(TokenNeed::Valid)?;
        let (accounts, token) = match self.fetch_accounts(&pace, &token) {
            Err(Failed::Token) => {
                let token = self.access_token(TokenNeed::Refreshed(&token))?;
                (self.fetch_accounts(&pace, &token), token)
            }
            accounts => (accounts, token),
        };
        let accounts = accounts.map_err(|failed| self.failure_of_list(failed))?;
        let work = Work {
            left: Mutex::new(accounts.into()),
            found: Mutex::default(),
            failed: Mutex::default(),
            done: Arc::default(),
        };
        let total = held(&work.left).len();
        let line = progress(&work.done, total);
        self.run(&work, &pace, &token)?;
        if matches!(*held(&work.failed), Some(Failed::Token)) {
            held(&work.failed).take();
            let token = self.access_token(TokenNeed::Refreshed(&token))?;
            self.run(&work, &pace, &token)?;
        }
        drop(line);
        if let Some(failed) = held(&work.failed).take() {
            return Err(self.failure_of_list(failed));
        }
        let mut assigned = AssignedRoles { accounts: total, ..AssignedRoles::default() };
        for (account, roles) in held(&work.found).drain(..) {
            for role in roles {
                match AssignedRole::parse(&account.account_id, &account.account_name, &role) {
                    Ok(role) => assigned.roles.push(role),
                    Err(error) => assigned.invalid.push((account.account_id.clone(), role, error)),
                }
            }
        }
        Ok(assigned)
    }

    fn fetch_accounts(&self, pace: &Pace, token: &SsoToken) -> Result<Vec<AssignedAccount>, Failed> {
        let portal = self.portal(token).map_err(Failed::Other)?;
        fetch_pages("accounts", MOST_ACCOUNTS, |next| {
            call(&self.world, pace, || portal.fetch_accounts(&token.access_token, next))
        })
    }

    /// Reads what is left, until nothing is left or a call fails.
    fn run(&self, work: &Work, pace: &Pace, token: &SsoToken) -> Result<(), Failure> {
        let connections = CONNECTIONS.min(held(&work.left).len());
        // The progress line covers all connections.
        let connect = |_| Ok(self.portal(token)?.without_wait_line());
        let portals = (0..connections).map(connect).collect::<Result<Vec<_>, Failure>>()?;
        let world = &self.world;
        std::thread::scope(|scope| {
            for portal in portals {
                scope.spawn(move || read_roles(world, work, pace, &portal, token));
            }
        });
        Ok(())
    }

    fn failure_of_list(&self, failed: Failed) -> Failure {
        match failed {
            Failed::NotAssigned(failure) | Failed::Other(failure) => failure,
            Failed::Token => {
                let text = format!("the portal does not accept the sign-in to `{}`", self.name());
                Failure::new(FailureKind::Failed, text).hint(self.login_command())
            }
        }
    }
}

fn read_roles(world: &World, work: &Work, pace: &Pace, portal: &SsoPortal, token: &SsoToken) {
    while held(&work.failed).is_none() {
        let Some(account) = held(&work.left).pop_front() else { return };
        let roles = fetch_pages("roles", MOST_ROLES, |next| {
            let page =
                call(world, pace, || portal.fetch_roles(&token.access_token, &account.account_id, next));
            match page {
                // The assignment was removed after the accounts were listed.
                Err(Failed::NotAssigned(_)) => Ok(PageOf { items: Vec::new(), next: None }),
                page => page,
            }
        });
        match roles {
            Ok(roles) => {
                held(&work.found).push((account, roles));
                work.done.fetch_add(1, Ordering::Relaxed);
            }
            Err(failed) => {
                held(&work.left).push_front(account);
                held(&work.failed).get_or_insert(failed);
            }
        }
    }
}

/// Makes one call at the common pace, and repeats it if the portal is busy.
fn call<T>(world: &World, pace: &Pace, call: impl FnMut() -> Result<T, SsoError>) -> Result<T, Failed> {
    let error = match pace.call(world, call) {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(error) => return Err(Failed::Other(error.into())),
    };
    let failure = || {
        let text = "could not read the accounts and roles from the Identity Center portal";
        Failure::new(FailureKind::Failed, text).caused_by(&error)
    };
    Err(match error.refusal() {
        Some(SsoRefusal::TokenRefused) => Failed::Token,
        Some(SsoRefusal::NotAssigned) => Failed::NotAssigned(failure()),
        Some(SsoRefusal::Throttled | SsoRefusal::Fault) => {
            Failed::Other(failure().hint("the portal is busy: try again in a minute"))
        }
        _ => Failed::Other(failure().hints(error.network_hint())),
    })
}

/// Reads all pages of a list.
fn fetch_pages<T>(
    what: &str,
    most: usize,
    mut fetch: impl FnMut(Option<&str>) -> Result<PageOf<T>, Failed>,
) -> Result<Vec<T>, Failed> {
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    for pages in 1.. {
        let page = fetch(next.as_deref())?;
        items.extend(page.items);
        // Pages may be empty, and tokens may repeat.
        let is_endless = items.len() > most || pages > most || next.is_some() && page.next == next;
        match page.next {
            None => return Ok(items),
            Some(_) if is_endless => {
                let text = format!("the portal returned a list of {what} that does not end");
                return Err(Failed::Other(Failure::new(FailureKind::Failed, text)));
            }
            more => next = more,
        }
    }
    Ok(items)
}

/// Shows a bar on a terminal while the roles are read.
fn progress(done: &Arc<AtomicUsize>, total: usize) -> WaitLine {
    let done = done.clone();
    WaitLine::start(None, Company::None, move || render_progress(done.load(Ordering::Relaxed), total))
}

/// `reading roles [######----------] 340 of 800 accounts`
fn render_progress(done: usize, total: usize) -> String {
    const WIDTH: usize = 24;
    let filled = done * WIDTH / total.max(1);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '-' }).collect();
    format!("reading roles [{bar}] {done} of {total} accounts")
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_full_as_the_work_is_done() {
        for (done, total, bar) in [
            (0, 800, "[------------------------] 0 of 800"),
            (340, 800, "[##########--------------] 340 of 800"),
            (800, 800, "[########################] 800 of 800"),
            (0, 0, "[------------------------] 0 of 0"),
        ] {
            assert_eq!(render_progress(done, total), format!("reading roles {bar} accounts"));
        }
    }

    fn fetch(pages: &[(usize, Option<&str>)]) -> Result<usize, Failed> {
        let mut pages = pages.iter().cycle();
        let fetch = |_: Option<&str>| {
            let (count, next) = pages.next().copied().unwrap_or_default();
            Ok(PageOf { items: vec![(); count], next: next.map(str::to_owned) })
        };
        fetch_pages("roles", 100, fetch).map(|items| items.len())
    }

    #[test]
    fn a_list_is_read_to_its_end_and_one_without_an_end_is_refused() {
        assert!(matches!(fetch(&[(3, None)]), Ok(3)));
        assert!(matches!(fetch(&[(50, Some("a")), (0, Some("b")), (50, None)]), Ok(100)));
        for endless in [&[(1, Some("a"))][..], &[(30, Some("a")), (30, Some("b"))], &[(101, Some("a"))]] {
            assert!(matches!(fetch(endless), Err(Failed::Other(_))), "{endless:?}");
        }
        // Empty pages whose tokens keep changing must end too.
        let mut count = 0;
        let empty = |_: Option<&str>| {
            count += 1;
            Ok(PageOf::<()> { items: Vec::new(), next: Some(count.to_string()) })
        };
        assert!(fetch_pages("roles", 100, empty).is_err());
    }
}
