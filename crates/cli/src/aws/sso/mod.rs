//! IAM Identity Center: registering a client, tokens, the portal.
//!
//! Source: the API references of *IAM Identity Center OIDC* and of the *IAM Identity Center Portal*.

mod oidc;
mod portal;
mod refusal;

use std::time::Duration;

pub(crate) use self::oidc::{DeviceCode, Grant, Registration, SsoOidc, Tokens};
pub(crate) use self::portal::{AssignedAccount, PageOf, SsoPortal};
pub(crate) use self::refusal::{SsoError, SsoRefusal};

/// Identity Center answers in well under a second; a busy portal takes longer.
const TIMEOUT: Duration = Duration::from_secs(20);
