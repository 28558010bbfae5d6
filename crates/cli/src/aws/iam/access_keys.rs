//! A user's access keys: listed, created, deactivated, deleted.

use aws_sdk_iam::types::StatusType;
use aws_smithy_types::DateTime;
use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::{AccessKey, SecretString};
use jiff::Timestamp;

use super::{Iam, IamError, for_each_page};

/// Whether a key can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Active,
    Inactive,
}

/// An access key as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedKey {
    pub(crate) id: AccessKeyId,
    pub(crate) status: KeyStatus,
    pub(crate) created_at: Option<Timestamp>,
}

/// The last use of an access key, as far as IAM knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    /// Such as `s3`.
    pub(crate) service: String,
    pub(crate) region: String,
}

impl Iam {
    /// ListAccessKeys: returns all keys of a user.
    pub(crate) fn fetch_access_keys(&self, user: &str) -> Result<Vec<ListedKey>, IamError> {
        let mut keys = Vec::new();
        for_each_page(|marker| {
            let call = self.client.list_access_keys().user_name(user).set_marker(marker);
            let answer = self.run(call.send())?;
            for listed in answer.access_key_metadata {
                keys.push(ListedKey {
                    id: parse_id(listed.access_key_id.as_deref().unwrap_or_default())?,
                    status: match listed.status {
                        Some(StatusType::Active) => KeyStatus::Active,
                        _ => KeyStatus::Inactive,
                    },
                    created_at: listed.create_date.as_ref().and_then(timestamp),
                });
            }
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(keys)
    }

    /// CreateAccessKey. Needs a client that sends once (`Sending::Once`): a second request would create a second key.
    pub(crate) fn create_access_key(&self, user: &str) -> Result<AccessKey, IamError> {
        let answer = self.run(self.client.create_access_key().user_name(user).send())?;
        let key = answer.access_key.ok_or_else(|| IamError::unusable("the response has no access key"))?;
        if key.user_name != user {
            return Err(IamError::unusable("the response has an access key of another user"));
        }
        let id = parse_id(&key.access_key_id)?;
        let secret = SecretString::new(key.secret_access_key);
        let is_secret = !secret.expose().is_empty() && secret.expose().chars().all(|c| c.is_ascii_graphic());
        if is_secret {
            Ok(AccessKey { id, secret })
        } else {
            Err(IamError::unusable("the response has no secret access key"))
        }
    }

    /// UpdateAccessKey: activates or deactivates a key.
    pub(crate) fn save_key_status(
        &self,
        user: &str,
        id: &AccessKeyId,
        status: KeyStatus,
    ) -> Result<(), IamError> {
        let status = match status {
            KeyStatus::Active => StatusType::Active,
            KeyStatus::Inactive => StatusType::Inactive,
        };
        let call = self.client.update_access_key().user_name(user).access_key_id(id.as_str()).status(status);
        self.run(call.send()).map(|_| ())
    }

    /// DeleteAccessKey.
    pub(crate) fn delete_access_key(&self, user: &str, id: &AccessKeyId) -> Result<(), IamError> {
        let call = self.client.delete_access_key().user_name(user).access_key_id(id.as_str());
        self.run(call.send()).map(|_| ())
    }

    /// GetAccessKeyLastUsed. Returns `None` for a key that was never used.
    pub(crate) fn fetch_last_use(&self, id: &AccessKeyId) -> Result<Option<LastUse>, IamError> {
        let answer = self.run(self.client.get_access_key_last_used().access_key_id(id.as_str()).send())?;
        let Some(used) = answer.access_key_last_used else { return Ok(None) };
        let at = used.last_used_date.as_ref().and_then(timestamp);
        Ok(at.map(|at| LastUse { at, service: used.service_name, region: used.region }))
    }
}

fn parse_id(text: &str) -> Result<AccessKeyId, IamError> {
    AccessKeyId::parse(text)
        .map_err(|error| IamError::unusable(&format!("the access key id in the response {error}")))
}

fn timestamp(date: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(date.secs()).ok()
}
