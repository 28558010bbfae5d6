//! Finds out why AWS denied a call: from the error message, what was sent, and other known facts to ranked causes.
//!
//! [`aws_error`] and [`access_denied`] parse AWS's message, [`attempt`] holds what was sent, [`known`] the facts from
//! IAM or saved policies; [`diagnose`] ranks each [`Cause`]; [`report`] and [`json`] render the result. Nothing here
//! makes calls, and no text contains a secret, an MFA code or an expected external ID.

pub mod access_denied;
pub mod attempt;
pub mod aws_error;
pub mod known;

mod cause;
mod view;
mod what_if;

mod causes;

mod diagnosis;

pub mod json;
pub mod redact;
pub mod report;

pub use cause::Cause;
pub use cause::{Assessment, Evidence, Fix, WeighedCause};
pub use diagnosis::{Diagnosis, diagnose};

#[cfg(test)]
mod tests;
