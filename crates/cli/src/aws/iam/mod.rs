//! IAM: reads the authorization details of an account, writes a role's trust policy, and manages a user's access keys.

mod access_keys;
#[cfg(feature = "trust")]
mod details;
mod error;
mod mfa;
#[cfg(feature = "trust")]
mod role;

#[cfg(feature = "trust")]
use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_async::time::SharedTimeSource;
#[cfg(feature = "trust")]
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::Timestamp;
#[cfg(feature = "trust")]
use serde_json::Value;

use super::client::{ClientError, Runner, Sending, ServiceSettings, Signer, sdk_config};
#[cfg(feature = "trust")]
use super::transport::AnswerLimit;

pub(crate) use access_keys::{KeyStatus, LastUse, ListedKey};
pub(crate) use error::{IamError, IamProblem};
pub(crate) use mfa::{MfaDevice, NewDevice};
#[cfg(feature = "trust")]
pub(crate) use role::RoleFacts;

/// The maximum number of pages of a list: an account has at most 5,000 users and 5,000 roles.
const MAX_PAGES: usize = 1000;
/// The maximum size of all pages of a list in bytes, which an endless list must not exceed.
#[cfg(feature = "trust")]
const MAX_LIST: usize = 512_000_000;

/// A client for one signer.
pub(crate) struct Iam {
    client: aws_sdk_iam::Client,
    /// For the large pages of an account's lists.
    #[cfg(feature = "trust")]
    pages: SharedHttpClient,
    runner: Runner,
}

impl Iam {
    /// Creates the client. Calls that must not be repeated need [`Sending::Once`].
    pub(crate) fn new(
        settings: &ServiceSettings,
        signer: &Signer,
        clock: SharedTimeSource,
        sending: Sending,
    ) -> Result<Self, ClientError> {
        let (config, runner) = sdk_config(settings, Some(signer), clock, sending)?;
        Ok(Self {
            client: aws_sdk_iam::Client::new(&config),
            #[cfg(feature = "trust")]
            pages: runner.http_client(AnswerLimit::Page),
            runner,
        })
    }

    /// ListMFADevices: returns the serial numbers of a user's devices.
    #[cfg_attr(not(feature = "trust"), expect(dead_code, reason = "for what `why` and snapshots ask"))]
    pub(crate) fn fetch_mfa_devices(&self, user: &str) -> Result<Vec<String>, IamError> {
        let mut serials = Vec::new();
        for_each_page(|marker| {
            let call = self.client.list_mfa_devices().user_name(user).set_marker(marker);
            let answer = self.run(call.send())?;
            serials.extend(answer.mfa_devices.into_iter().map(|device| device.serial_number));
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(serials)
    }

    /// The endpoint's time when it last answered.
    pub(crate) fn answered_at(&self) -> Option<Timestamp> {
        self.runner.trace().date()
    }

    /// Whether the last request may have left this machine.
    pub(crate) fn may_have_sent(&self) -> bool {
        self.runner.trace().may_have_sent()
    }

    fn run<T, E>(
        &self,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, IamError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.runner.run(call).map_err(IamError::from)
    }
}

/// Calls that read an account.
#[cfg(feature = "trust")]
impl Iam {
    /// GetAccountAuthorizationDetails: returns all pages as one, in the format of the AWS CLI, with only the default
    /// version of each policy.
    pub(crate) fn fetch_details(&self) -> Result<Value, IamError> {
        let mut lists = details::Lists::default();
        for_each_page(|marker| {
            let call = self.client.get_account_authorization_details().max_items(1000).set_marker(marker);
            let answer = self.run(call.customize().config_override(self.long_answers()).send())?;
            self.check_size()?;
            let next = answer.is_truncated.then(|| answer.marker.clone());
            lists.add(answer);
            Ok(next)
        })?;
        Ok(lists.render())
    }

    /// ListRoles: returns the maximum session duration of each role by name, in seconds.
    pub(crate) fn fetch_longest_sessions(&self) -> Result<BTreeMap<String, i32>, IamError> {
        let mut longest = BTreeMap::new();
        for_each_page(|marker| {
            let call = self.client.list_roles().max_items(1000).set_marker(marker);
            let answer = self.run(call.customize().config_override(self.long_answers()).send())?;
            longest.extend(
                answer
                    .roles
                    .into_iter()
                    .filter_map(|role| Some((role.role_name, role.max_session_duration?))),
            );
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(longest)
    }

    /// ListAccountAliases: returns the account's alias, if it has one.
    pub(crate) fn fetch_alias(&self) -> Result<Option<String>, IamError> {
        let answer = self.run(self.client.list_account_aliases().send())?;
        Ok(answer.account_aliases.into_iter().next())
    }

    fn long_answers(&self) -> aws_sdk_iam::config::Builder {
        aws_sdk_iam::config::Builder::new().http_client(self.pages.clone())
    }

    /// Checks whether the data so far can be a list of one account.
    fn check_size(&self) -> Result<(), IamError> {
        let is_within = self.runner.trace().received() <= MAX_LIST;
        if is_within { Ok(()) } else { Err(IamError::unusable("a list is longer than 512 MB")) }
    }
}

/// Fetches all pages of a list. `fetch` returns the marker of the next page, if there is one.
fn for_each_page(
    mut fetch: impl FnMut(Option<String>) -> Result<Option<Option<String>>, IamError>,
) -> Result<(), IamError> {
    let mut marker = None;
    for _ in 0..MAX_PAGES {
        match fetch(marker)? {
            None => return Ok(()),
            Some(Some(next)) => marker = Some(next),
            Some(None) => {
                return Err(IamError::unusable(
                    "a list is incomplete, and the response does not say where it continues",
                ));
            }
        }
    }
    Err(IamError::unusable("a list does not end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_fetched_page_by_page_to_its_end() {
        let mut asked = Vec::new();
        for_each_page(|marker| {
            asked.push(marker.clone());
            Ok(marker.is_none().then(|| Some("next".to_owned())))
        })
        .unwrap();
        assert_eq!(asked, [None, Some("next".to_owned())]);
    }

    #[test]
    fn a_list_without_an_end_or_a_way_on_is_an_error() {
        assert!(for_each_page(|_| Ok(Some(Some("again".to_owned())))).is_err());
        assert!(for_each_page(|_| Ok(Some(None))).is_err());
    }
}
