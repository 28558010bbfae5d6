//! Sign-in through a redirect of the browser (authorization code with PKCE, RFC 7636), as in the AWS CLI.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use hatbox_core::sso::authorize::{
    REGISTERED_REDIRECT, Redirect, render_challenge, render_query, render_verifier,
};
use hatbox_core::sso::sign_in::resolve_scopes;
use hatbox_core::sso::token_file::Client;
use hatbox_types::text::printable;
use zeroize::Zeroizing;

use super::flow::{Granted, Place};
use super::sign_in::SignIn;
use crate::aws::sso::{Grant, Registration, SsoRefusal, Tokens};
use crate::errors::{Failure, FailureKind};
use crate::sign_in::listener::{BindError, Listener, WaitError};
use crate::sign_in::waiting::{Waited, wait_for_person};
use crate::store::sealed::SealError;
use crate::store::sign_ins::SignInFile;

/// The values that only this process knows.
struct Secrets {
    state: String,
    verifier: Zeroizing<String>,
}

impl SignIn {
    pub(super) fn sign_in_by_redirect(
        &self,
        place: &Place<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Granted, Failure> {
        // Listen before the page is opened: a browser that is already signed in returns at once.
        let listener = Listener::bind(self.options.redirect_port).map_err(|error| bind_failure(&error))?;
        let redirect = listener.redirect_uri();
        let how = Registration::Redirect { issuer: place.start_url.as_str(), redirect: REGISTERED_REDIRECT };
        let client = self.client(place, SignInFile::RedirectClient, how)?;
        let secrets = Secrets::generate()?;
        let page = self.authorize_page(place, &client, &redirect, &secrets);
        self.show_page(&page)?;

        let (sender, answers) = mpsc::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (state, patience, stopped) = (secrets.state.clone(), self.patience(), is_stopped.clone());
        std::thread::spawn(move || {
            let came = listener.wait(&state, patience, &|| stopped.load(Ordering::Relaxed));
            sender.send(came).ok();
        });
        let waited = wait_for_person(&self.world, &answers, patience, is_over);
        is_stopped.store(true, Ordering::Relaxed);
        Ok(match waited {
            Waited::Answer(Ok(Redirect::Code(code))) => {
                Waited::Answer(self.trade_code(place, client, &redirect, &secrets, &code))
            }
            Waited::Answer(Ok(Redirect::Denied(error, description))) => {
                Waited::Answer(Err(self.denied(&error, description.as_deref())))
            }
            Waited::Answer(Err(WaitError::Stopped)) | Waited::TakenOver => Waited::TakenOver,
            Waited::Answer(Err(WaitError::Timeout)) | Waited::TimedOut => Waited::TimedOut,
            Waited::Cancelled => Waited::Cancelled,
        })
    }

    fn authorize_page(
        &self,
        place: &Place<'_>,
        client: &Client,
        redirect: &str,
        secrets: &Secrets,
    ) -> String {
        let scopes = resolve_scopes(&self.sso).join(" ");
        let query = render_query(&[
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", redirect),
            ("state", &secrets.state),
            ("code_challenge_method", "S256"),
            ("scopes", &scopes),
            ("code_challenge", &render_challenge(&secrets.verifier)),
        ]);
        format!("{}/authorize?{query}", place.oidc.base())
    }

    fn show_page(&self, page: &str) -> Result<(), Failure> {
        let how = if self.open_browser(page) {
            "in the browser. If no page opened, open this one:"
        } else {
            "by opening this page in a browser on this machine:"
        };
        self.show_address(how, page)
    }

    fn trade_code(
        &self,
        place: &Place<'_>,
        client: Client,
        redirect: &str,
        secrets: &Secrets,
        code: &str,
    ) -> Result<(Tokens, Client), Failure> {
        let grant = Grant::Code { code, redirect, verifier: &secrets.verifier };
        match place.oidc.create_token(&client, grant, self.world.clock.now()) {
            Ok(tokens) => Ok((tokens, client)),
            Err(error) => {
                if error.refusal() == Some(SsoRefusal::ClientUnknown) {
                    self.forget_client(SignInFile::RedirectClient)?;
                }
                Err(self.failure_of(&error, "sign in to"))
            }
        }
    }

    fn denied(&self, error: &str, description: Option<&str>) -> Failure {
        let text = format!("the sign-in to `{}` was denied in the browser", self.name());
        let mut failure = Failure::new(FailureKind::Cancelled, text).shared();
        let said = description.map_or(error.to_owned(), |description| format!("{error}: {description}"));
        failure.causes.push(printable(&said).into_owned());
        failure
    }
}

impl Secrets {
    fn generate() -> Result<Self, SealError> {
        let (mut state, mut verifier) = ([0; 16], Zeroizing::new([0; 48]));
        for bytes in [state.as_mut_slice(), verifier.as_mut_slice()] {
            getrandom::getrandom(bytes).map_err(|_| SealError::Random)?;
        }
        Ok(Self { state: hex::encode(state), verifier: Zeroizing::new(render_verifier(&verifier)) })
    }
}

fn bind_failure(error: &BindError) -> Failure {
    let failure = Failure::of_error(FailureKind::Failed, error);
    match error {
        BindError::InUse { .. } => {
            failure.hint("name another port with --redirect-port, or sign in with a device code: --device")
        }
        BindError::Io(_) => failure.hint("sign in with a device code: --device"),
    }
}
