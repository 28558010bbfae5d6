//! Sign-in with a device code (RFC 8628): the user opens a page in any browser and compares the code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use hatbox_core::sso::token_file::Client;

use super::flow::{Granted, Place};
use super::retry::with_retries;
use super::sign_in::SignIn;
use crate::aws::sso::{DeviceCode, Grant, Registration, SsoError, SsoRefusal, Tokens};
use crate::errors::{Failure, FailureKind};
use crate::sign_in::browser::check_page;
use crate::sign_in::waiting::{Waited, wait_for_person};
use crate::store::sign_ins::SignInFile;

/// Polling intervals in seconds that a service may set.
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=60;
/// How much `slow_down` adds to the interval (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

impl SignIn {
    pub(super) fn sign_in_by_device(
        &self,
        place: &Place<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Granted, Failure> {
        let (client, code) = self.start_device(place)?;
        // The user may have approved this client before, and then no code has to be shown.
        let grant = Grant::Device { code: &code.device_code };
        let first = place.oidc.create_token(&client, grant, self.world.clock.now());
        match first {
            Ok(tokens) => return Ok(Waited::Answer(Ok((tokens, client)))),
            Err(error) if is_to_be_asked_again(&error) => {}
            Err(error) => return Err(self.sign_in_failure(&error)),
        }
        self.show_code(&code)?;
        let (sender, answers) = mpsc::channel();
        // Dropped first, which wakes the polling thread.
        let (_end, ended) = mpsc::channel::<()>();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let oidc = self.oidc(place.region)?.without_wait_line();
        let interval = code.interval.clamp(*INTERVALS.start(), *INTERVALS.end());
        let mut poll =
            Poll { interval: Duration::from_secs(interval), slower: SLOWER, clock: self.world.clock };
        let (asking, stopped) = (client.clone(), is_stopped.clone());
        let device_code = code.device_code.clone();
        std::thread::spawn(move || {
            poll.run(&ended, &stopped, &sender, &|now| {
                oidc.create_token(&asking, Grant::Device { code: &device_code }, now)
            });
        });
        let patience = self.patience().min(Duration::from_secs(code.expires_in));
        let waited = wait_for_person(&self.world, &answers, patience, is_over);
        is_stopped.store(true, Ordering::Relaxed);
        Ok(match waited {
            Waited::Answer(Ok(tokens)) => Waited::Answer(Ok((tokens, client))),
            Waited::Answer(Err(error)) => Waited::Answer(Err(self.sign_in_failure(&error))),
            Waited::TakenOver => Waited::TakenOver,
            Waited::Cancelled => Waited::Cancelled,
            Waited::TimedOut => Waited::TimedOut,
        })
    }

    /// Starts the flow and returns a client with its code. An unknown client is registered again, once.
    fn start_device(&self, place: &Place<'_>) -> Result<(Client, DeviceCode), Failure> {
        let start = |client: &Client| {
            with_retries(&self.world, || place.oidc.start_device(client, place.start_url.as_str()))
        };
        let register = || self.client(place, SignInFile::DeviceClient, Registration::Device);
        let client = register()?;
        match start(&client) {
            Ok(code) => Ok((client, code)),
            Err(error) if error.refusal() == Some(SsoRefusal::ClientUnknown) => {
                self.forget_client(SignInFile::DeviceClient)?;
                let client = register()?;
                let code = start(&client).map_err(|error| self.sign_in_failure(&error))?;
                Ok((client, code))
            }
            Err(error) => Err(self.sign_in_failure(&error)),
        }
    }

    /// Shows the code even if the page's address contains it: the page makes the user confirm it.
    fn show_code(&self, code: &DeviceCode) -> Result<(), Failure> {
        let page = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
        for address in [page, &code.verification_uri] {
            check_page(address).map_err(|error| {
                Failure::new(FailureKind::Failed, format!("could not sign in to `{}`", self.name()))
                    .caused_by(&error)
            })?;
        }
        let how = if self.open_browser(page) {
            "in the browser. If no page opened, open this one:"
        } else {
            "by opening this page in any browser:"
        };
        self.show_address(how, page)?;
        self.show(&[format!("Check that the page shows the code {}", code.user_code)]);
        Ok(())
    }

    fn sign_in_failure(&self, error: &SsoError) -> Failure {
        match error.refusal() {
            Some(SsoRefusal::Denied) => {
                let text = format!("the sign-in to `{}` was denied in the browser", self.name());
                Failure::new(FailureKind::Cancelled, text).shared()
            }
            Some(SsoRefusal::SignInAgain) => {
                let text = format!("no one signed in to `{}` before the code expired", self.name());
                Failure::new(FailureKind::NeedsPerson, text).hint(self.login_command()).shared()
            }
            _ => self.failure_of(error, "sign in to"),
        }
    }
}

/// Whether the user has not answered yet, as far as the error shows.
fn is_to_be_asked_again(error: &SsoError) -> bool {
    match error {
        SsoError::Refused { refusal, .. } => matches!(
            refusal,
            SsoRefusal::Pending | SsoRefusal::SlowDown | SsoRefusal::Throttled | SsoRefusal::Fault
        ),
        // The network may be down for a moment.
        SsoError::Call(_) => true,
    }
}

/// Polls for the token until the user has answered.
struct Poll {
    interval: Duration,
    /// How much the interval grows with each `slow_down`.
    slower: Duration,
    clock: crate::world::clock::Clock,
}

impl Poll {
    fn run(
        &mut self,
        ended: &mpsc::Receiver<()>,
        is_stopped: &AtomicBool,
        answers: &Sender<Result<Tokens, SsoError>>,
        ask: &dyn Fn(jiff::Timestamp) -> Result<Tokens, SsoError>,
    ) {
        while ended.recv_timeout(self.interval) == Err(RecvTimeoutError::Timeout) {
            match ask(self.clock.now()) {
                Err(error) if is_to_be_asked_again(&error) => {
                    if error.refusal() == Some(SsoRefusal::SlowDown) {
                        self.interval += self.slower;
                    }
                }
                result => {
                    // The sign-in may have been given up meanwhile.
                    if !is_stopped.load(Ordering::Relaxed) {
                        answers.send(result).ok();
                    }
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use hatbox_types::secret::SecretString;

    use super::*;
    use crate::world::clock::Clock;
    use crate::world::environment::Environment;

    #[test]
    fn pending_and_slow_down_are_no_end_and_each_slow_down_makes_the_interval_longer_for_good() {
        let refused = |refusal| Err(SsoError::Refused { refusal, text: String::new() });
        let tokens = Tokens {
            access_token: SecretString::new("token".to_owned()),
            expires_at: jiff::Timestamp::UNIX_EPOCH,
            refresh_token: None,
        };
        let script = RefCell::new(vec![
            Ok(tokens),
            refused(SsoRefusal::SlowDown),
            refused(SsoRefusal::Fault),
            refused(SsoRefusal::SlowDown),
            refused(SsoRefusal::Pending),
        ]);
        let (step, clock) = (Duration::from_millis(1), Clock::of_environment(&Environment::of(&[])));
        let mut poll = Poll { interval: step, slower: step, clock };
        let (_end, ended) = mpsc::channel();
        let (sender, answers) = mpsc::channel();
        poll.run(&ended, &AtomicBool::new(false), &sender, &|_| script.borrow_mut().pop().unwrap());
        assert!(answers.try_recv().unwrap().is_ok());
        assert_eq!((poll.interval, SLOWER), (3 * step, Duration::from_secs(5)));
        assert!(script.borrow().is_empty());
        for end in [SsoRefusal::Denied, SsoRefusal::SignInAgain] {
            poll.run(&ended, &AtomicBool::new(false), &sender, &|_| refused(end));
            assert_eq!(answers.try_recv().unwrap().err().unwrap().refusal(), Some(end));
        }
    }
}
