//! The control paths under `/_sandbox/`: the log, the clock, faults, the current MFA code, tokens of identity
//! providers, sign-ins without a browser, encoded authorization messages, and stopping the server.
//!
//! Only the control token grants access to them. It is in a file with mode 0600 in the sandbox directory. [`Client`]
//! sends the requests.

mod client;
mod paths;
mod sign_in;
mod tokens;
mod wire;

pub use crate::faults::{Fault, FaultKind};
pub use crate::sso::Consent;
pub use client::Client;
pub(crate) use paths::{ControlReply, answer};
pub use wire::{CodeShown, Revoked, SignInDone, Status, TokenOrder};
pub(crate) use wire::{PREFIX, ServerNote};
