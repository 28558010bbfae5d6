//! The control paths under `/_sandbox/`: the log, the clock, faults, the current MFA code, tokens
//! of identity providers, encoded authorization messages, stop.
//!
//! They are opened by the control token alone, which stands in a 0600 file of the sandbox directory.
//! [`Client`] asks a running sandbox; [`Faults`] is what was asked for and not yet used up.

mod client;
mod faults;
mod paths;
mod tokens;

pub use client::Client;
pub(crate) use client::ServerNote;
pub use faults::{Fault, FaultKind};
pub(crate) use faults::{Faults, Injected};
use paths::Denial;
pub(crate) use paths::{Answered, answer};
pub use paths::{CodeShown, Status};
use tokens::TokenMinted;
pub use tokens::TokenOrder;

/// The header that carries the control token.
pub(crate) const TOKEN_HEADER: &str = "x-sandbox-token";
/// Where the control paths start.
pub(crate) const PREFIX: &str = "/_sandbox/";
