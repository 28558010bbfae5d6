//! Signs out, at Identity Center and on this machine.

use super::retry::with_retries;
use super::sign_in::SignIn;
use super::token::TokenNeed;
use crate::errors::Failure;

impl SignIn {
    /// Ends the session at Identity Center and deletes the saved files. Returns whether there was anything to end.
    ///
    /// Holds the lock of the sign-in, as a refresh by another process would save a token again.
    pub(crate) fn sign_out(&self) -> Result<bool, Failure> {
        let _held = self.wait_for_lock(None, None)?;
        if let Err(failure) = self.end_session() {
            let causes: String = failure.causes.iter().map(|cause| format!(": {cause}")).collect();
            self.world.output.warn(&format!(
                "Identity Center did not end the session of `{}`; the token is deleted here: {}{causes}",
                self.name(),
                failure.error,
            ));
        }
        self.forget()
    }

    fn end_session(&self) -> Result<(), Failure> {
        let Some(saved) = self.load_token()? else { return Ok(()) };
        let token = if saved.token.expires_at > self.world.clock.now() {
            Some(saved.token)
        } else {
            // Only a valid token can end a session, and the session lives as long as its refresh token: refresh first.
            self.refresh_saved(saved, TokenNeed::Valid)?
        };
        let Some(token) = token else { return Ok(()) };
        let portal = self.portal(&token)?;
        with_retries(&self.world, || portal.log_out(&token.access_token))
            .map_err(|error| self.failure_of(&error, "sign out of"))
    }
}
