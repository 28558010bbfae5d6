//! The actions of instance metadata and of the container endpoint. They have no parameters other than path and headers.

use super::{container, instance};
use crate::action::Action;

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::unsigned("PutToken", &[], instance::put_token),
    Action::unsigned("ListRoles", &[], instance::list_roles),
    Action::unsigned("GetInstanceCredentials", &[], instance::get_credentials),
    Action::unsigned("GetContainerCredentials", &[], container::get_credentials),
];
