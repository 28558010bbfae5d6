//! What a service can do: one row for each action.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::rules::Rule;
use crate::sigv4::Caller;

/// One row of a service's table.
#[derive(Clone, Copy)]
pub(crate) struct Action {
    /// AWS's name of it.
    pub(crate) name: &'static str,
    /// Whether the world is saved afterwards.
    pub(crate) effect: Effect,
    /// What its parameters may be, and which of them the log hides.
    pub(crate) rules: &'static [Rule],
    /// Carries it out.
    pub(crate) run: Run,
}

/// What an action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It changes the world, perhaps also when it is refused: an MFA code may have been used up.
    Write,
}

/// Carries out an action whose parameters keep its rules.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// The request must be signed; the signature was verified.
    Signed(fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>),
    /// The request brings another proof, which the action verifies.
    Unsigned(fn(&mut RequestContext) -> Result<Reply, ErrorResponse>),
}

impl Action {
    /// A signed action that changes nothing.
    pub(crate) const fn read(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Read, rules, run: Run::Signed(run) }
    }

    /// A signed action that changes the world.
    pub(crate) const fn write(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext, &Caller) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Write, rules, run: Run::Signed(run) }
    }

    /// An action that changes the world, of callers that do not sign.
    pub(crate) const fn unsigned(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Write, rules, run: Run::Unsigned(run) }
    }

    /// An action that changes nothing, of callers that do not sign.
    pub(crate) const fn unsigned_read(
        name: &'static str,
        rules: &'static [Rule],
        run: fn(&mut RequestContext) -> Result<Reply, ErrorResponse>,
    ) -> Self {
        Self { name, effect: Effect::Read, rules, run: Run::Unsigned(run) }
    }
}
