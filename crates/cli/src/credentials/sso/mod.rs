//! Sign-ins to IAM Identity Center: all profiles of a session share one access token, and one process obtains it for
//! all.
//!
//! A [`SignIn`] is a sign-in as the config describes it. Everything that needs a token calls [`SignIn::access_token`]:
//! the base of a plan, and `hatbox sso`. It returns the saved token, or refreshes it, or lets the user sign in.

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
