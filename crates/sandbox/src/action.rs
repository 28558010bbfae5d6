//! Describes the actions of a service: one table row per action.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::rules::Rule;
use crate::sigv4::Caller;

/// One row of a service's table.
#[derive(Clone, Copy)]
pub(crate) struct Action {
    /// AWS's name for the action.
    pub(crate) name: &'static str,
    /// Whether to save the world afterwards.
    pub(crate) effect: Effect,
    /// The rules for the parameters, and which of them the log hides.
    pub(crate) rules: &'static [Rule],
    /// The function that performs the action.
    pub(crate) run: Run,
}

/// How an action affects the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Read,
    /// It changes the world, possibly even when it is refused: an MFA code may have been used up.
    Write,
}

/// Performs an action whose parameters have passed its rules.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// The request must be signed; the signature was verified.
    Signed(fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>),
    /// The request is not signed; the action verifies another proof.
    Unsigned(fn(&mut RequestContext) -> Result<Reply, ErrorResponse>),
}

impl Action {
    /// Returns a row for a signed action that changes nothing.
    pub(crate) const fn read(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Read, rules, run: Run::Signed(run) }
    }

    /// Returns a row for a signed action that changes the world.
    pub(crate) const fn write(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Write, rules, run: Run::Signed(run) }
    }

    /// Returns a row for an unsigned action that changes the world.
    pub(crate) const fn unsigned(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Write, rules, run: Run::Unsigned(run) }
    }

    /// Returns a row for an unsigned action that changes nothing.
    pub(crate) const fn unsigned_read(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Read, rules, run: Run::Unsigned(run) }
    }
}
