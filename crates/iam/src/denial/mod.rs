//! Why AWS denied a call: from the text of its error, what was sent, and what else is known, to ranked causes.
//!
//! [`aws_error`] and [`access_denied`] read AWS's text, [`attempt`] holds what was sent, [`known`] what IAM or saved policies say;
//! [`diagnose`] weighs each [`Cause`]; [`report`] and [`json`] put the result into words. Nothing here calls anything,
//! and no secret, code or expected external ID is in any text.

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
