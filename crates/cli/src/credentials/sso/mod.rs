//! Sign-ins to IAM Identity Center: one access token for all profiles of a session, obtained once for all processes.
//!
//! [`SignIn`] is a sign-in as the config describes it. [`SignIn::access_token`] is what everything calls that needs a
//! token: `exec` by its base, `hatbox sso`. The token is the saved one, else it is refreshed, else a person signs in.

mod device;
mod flow;
mod pace;
mod redirect;
mod remembered;
mod retry;
mod roles;
mod saved;
mod sharing;
mod sign_in;
mod sign_out;
mod state;
mod targets;
mod token;
mod vanity;

pub(crate) use pace::Pace;
pub(crate) use roles::AssignedRoles;
pub(crate) use sign_in::{Asking, Flow, SignIn, SignInOptions};
pub(crate) use state::SignInState;
pub(crate) use targets::{SignInTarget, SignInTargets, load_states, render_sign_in_json};
pub(crate) use token::{TokenNeed, needs_person};
