//! The actions of the console. Their rules only control the log: each action reports bad parameters in its own wording.

use super::{federation, pages, portal};
use crate::action::Action;
use crate::rules::{Kind, Rule, optional};

const TEXT: Kind = Kind::Text(0, usize::MAX, None);
const PORTAL: &[Rule] =
    &[optional("account_id", TEXT), optional("role_name", TEXT), optional("destination", TEXT)];

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::unsigned(
        "GetSigninToken",
        &[optional("Session", TEXT).secret(), optional("SessionDuration", TEXT)],
        federation::get_signin_token,
    ),
    Action::unsigned(
        "ConsoleLogin",
        &[optional("SigninToken", TEXT).secret(), optional("Destination", TEXT), optional("Issuer", TEXT)],
        federation::console_login,
    ),
    Action::unsigned("Logout", &[optional("redirect_uri", TEXT).secret()], federation::logout),
    Action::unsigned_read("ShowConsole", &[], pages::show_console),
    Action::unsigned_read("SetMultiSession", &[optional("mode", TEXT)], pages::set_multi_session),
    Action::unsigned_read("ShowPortal", &[], portal::show_portal),
    Action::unsigned_read("ShowPortalConsole", PORTAL, portal::show_portal_console),
    Action::unsigned("PortalLogin", PORTAL, portal::portal_login),
];
