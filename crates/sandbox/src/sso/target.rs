//! Determines the service and operation of a request.

use crate::http::Received;
use crate::service::Service;

/// Returns the service and operation for the method and path; `None` if they belong to another service.
///
/// A signed request is for a bucket whose name happens to match a path here.
pub(crate) fn parse_target(request: &Received) -> Option<(Service, &'static str)> {
    let is_signed = request.header("authorization").is_some_and(|value| value.starts_with("AWS4-"))
        || request.query_params().has("X-Amz-Signature");
    let target = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/client/register") => (Service::SsoOidc, "RegisterClient"),
        ("POST", "/device_authorization") => (Service::SsoOidc, "StartDeviceAuthorization"),
        ("POST", "/token") => (Service::SsoOidc, "CreateToken"),
        ("GET", "/authorize") => (Service::SsoOidc, "Authorize"),
        ("POST", "/authorize") => (Service::SsoOidc, "AnswerAuthorize"),
        ("GET", "/device") => (Service::SsoOidc, "VerifyDevice"),
        ("POST", "/device") => (Service::SsoOidc, "AnswerVerifyDevice"),
        ("GET", "/federation/credentials") => (Service::Sso, "GetRoleCredentials"),
        ("GET", "/assignment/accounts") => (Service::Sso, "ListAccounts"),
        ("GET", "/assignment/roles") => (Service::Sso, "ListAccountRoles"),
        ("POST", "/logout") => (Service::Sso, "Logout"),
        _ => return None,
    };
    Some(target).filter(|_| !is_signed)
}
