//! The services that provide role credentials to a machine or a container: instance metadata (version 2 only) and the
//! credential endpoint of ECS and EKS.
//!
//! | request | action | needs |
//! |---|---|---|
//! | `PUT /latest/api/token` | PutToken | `x-aws-ec2-metadata-token-ttl-seconds`, 1 to 21600; no `X-Forwarded-For` |
//! | `GET /latest/meta-data/iam/security-credentials/` | ListRoles | a token that has not expired |
//! | `GET /latest/meta-data/iam/security-credentials/NAME` | GetInstanceCredentials | the same |
//! | `GET /container/credentials` | GetContainerCredentials | the token of containers as `Authorization` |

mod actions;
mod container;
mod credentials;
mod instance;

use crate::http::Received;

pub(crate) use actions::ACTIONS;

/// The path of a container's credentials.
pub const CONTAINER_PATH: &str = "/container/credentials";
/// The prefix of all paths of instance metadata.
const INSTANCE: &str = "/latest/";
const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// Returns the action of a request, or `None` if it is for another service. A signed request is for a bucket whose name
/// happens to match a path here.
pub(crate) fn find_action(request: &Received) -> Option<&'static str> {
    if request.header("authorization").is_some_and(|value| value.starts_with("AWS4-")) {
        return None;
    }
    let path = request.path.as_str();
    match (request.method.as_str(), path) {
        ("PUT", TOKEN) => Some("PutToken"),
        ("GET", path) if path == ROLES || path == ROLES.trim_end_matches('/') => Some("ListRoles"),
        ("GET", path) if path.starts_with(ROLES) => Some("GetInstanceCredentials"),
        ("GET", CONTAINER_PATH) => Some("GetContainerCredentials"),
        _ => (path.starts_with(INSTANCE) || path == CONTAINER_PATH).then_some("Unknown"),
    }
}
