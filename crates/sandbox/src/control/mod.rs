//! The control paths under `/_sandbox/`: the log, the clock, faults, the current MFA code, tokens
//! of identity providers, sign-ins without a browser, encoded authorization messages, stop.
//!
//! They are opened by the control token alone, which is in a 0600 file of the sandbox directory.
//! [`Client`] asks a running sandbox.

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
