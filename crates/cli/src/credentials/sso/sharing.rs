//! Where a token is kept: sealed and, if the user wants that, also in the cache that the AWS CLI and the SDKs use.

use hatbox_core::sso::start_url::StartUrl;
use hatbox_core::sso::token_file::SsoToken;
use hatbox_types::name::Region;
use jiff::Timestamp;

use super::saved::{SavedToken, Sharing};
use super::sign_in::SignIn;
use crate::env_names;
use crate::errors::Failure;
use crate::files::sso_cache::{Known, SharedTokenFile};
use crate::store::sign_ins::SignInFile;
use crate::sys::files::FileError;

impl SignIn {
    /// Loads the saved token, valid or not. A damaged one counts as absent. For a shared token, returns the newer of
    /// both copies, as another program may have refreshed it or signed in.
    pub(crate) fn load_token(&self) -> Result<Option<SavedToken>, Failure> {
        let sealed = self.load_sealed()?;
        let shared = self.shared_file(sealed.as_ref(), None);
        let shared = shared.and_then(|file| file.load(&self.world));
        let own = sealed.as_ref().map(|(saved, _)| &saved.token);
        let shared = shared.filter(|token| self.is_token_of_it(token, own));
        Ok(newer(sealed.map(|(saved, _)| saved), shared))
    }

    /// Saves a token. If that fails, the token is used once and the next command signs in again.
    pub(super) fn save(&self, saved: &SavedToken) {
        // A token that was shared stays shared: spending its refresh token here would break the shared copy.
        let before = self.load_sealed().ok().flatten();
        let shared = self.shared_file(before.as_ref(), Some(&saved.token));
        let sharing = if shared.is_some() { Sharing::Shared } else { Sharing::Private };
        let text = saved.render(sharing);
        if let Err(error) = self.files.save(SignInFile::Token, &self.key, text.as_bytes()) {
            self.world.output.warn(&format!("the sign-in is not saved: {error}"));
        }
        self.remember();
        if let Some(Err(error)) = shared.map(|file| file.save(&saved.token)) {
            self.world.output.warn(&format!("the token is not shared with other programs: {error}"));
        }
    }

    /// Deletes what is saved of the sign-in. Returns whether there was a token.
    pub(super) fn forget(&self) -> Result<bool, Failure> {
        let sealed = self.load_sealed()?;
        let is_shared = self.shared_file(sealed.as_ref(), None).map_or(Ok(false), |file| file.delete())?;
        self.unremember()?;
        self.files.delete(SignInFile::RedirectClient, &self.key)?;
        self.files.delete(SignInFile::DeviceClient, &self.key)?;
        Ok(self.files.delete(SignInFile::Token, &self.key)? || is_shared)
    }

    fn load_sealed(&self) -> Result<Option<(SavedToken, Sharing)>, FileError> {
        let text = self.files.load(SignInFile::Token, &self.key)?;
        Ok(text.and_then(|text| SavedToken::parse(&text)))
    }

    /// Returns the path of the shared file, if the settings or `--share-sso-cache` ask for one now or did when the
    /// token was saved. `new` is what is about to be saved.
    ///
    /// Security: the file does not name an endpoint. A token for AWS must only go to AWS, so with any other endpoint,
    /// such as that of a forgotten sandbox, the file is used only if it comes from a sign-in at that endpoint.
    fn shared_file(
        &self,
        saved: Option<&(SavedToken, Sharing)>,
        new: Option<&SsoToken>,
    ) -> Option<SharedTokenFile> {
        let was_shared = saved.is_some_and(|(_, sharing)| *sharing == Sharing::Shared);
        if !(self.settings.share_sso_cache || self.options.is_shared || was_shared) {
            return None;
        }
        let urls = &self.sso.urls;
        let is_elsewhere = urls.oidc.is_some() || urls.portal.is_some();
        let known = if is_elsewhere || self.world.environment.text(env_names::SANDBOX).is_some() {
            let own = saved.map(|(saved, _)| &saved.token).into_iter().chain(new);
            Known::Of(own.cloned().collect())
        } else {
            Known::All
        };
        Some(SharedTokenFile::of(&self.world, self.name(), known))
    }

    /// Security: files are found by the session's name alone, so this checks that the token is for the same portal. The
    /// portal behind a vanity address is known from `own`, the token of the sign-in there.
    fn is_token_of_it(&self, token: &SsoToken, own: Option<&SsoToken>) -> bool {
        let is_at = |url: &StartUrl, region: &Region| {
            StartUrl::parse(&token.start_url).is_ok_and(|other| other == *url) && token.region == *region
        };
        let is_configured = self.start_url().is_ok_and(|url| is_at(&url, &self.sso.region));
        let is_own = || {
            own.is_some_and(|own| StartUrl::parse(&own.start_url).is_ok_and(|url| is_at(&url, &own.region)))
        };
        let is_of_it = is_configured || is_own();
        if !is_of_it {
            let why = "the shared token has another start URL or region, and is not used";
            self.world.output.debug(|| why.to_owned());
        }
        is_of_it
    }
}

/// Returns the token that expires later. A shared file does not say when its token was obtained, so that counts as long
/// ago.
fn newer(sealed: Option<SavedToken>, shared: Option<SsoToken>) -> Option<SavedToken> {
    let Some(token) = shared else { return sealed };
    match sealed {
        Some(sealed) if sealed.token.expires_at >= token.expires_at => Some(sealed),
        _ => Some(SavedToken { token, obtained_at: Timestamp::UNIX_EPOCH }),
    }
}
