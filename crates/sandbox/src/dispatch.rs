//! Finds the service and action of a request, and runs the checks that all actions share.
//!
//! To add a service, add a variant of [`Service`], a table of actions, and an arm in each function here.

use crate::action::{Action, Effect, Run};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Received, Reply};
use crate::rules::{Rule, check_params, find_target};
use crate::service::{Protocol, Service};
use crate::sigv4::Caller;
use crate::{console, iam, metadata, s3, signin, sso, sts};

/// The target of a request.
pub(crate) struct Route {
    /// The service that handles it.
    pub(crate) service: Service,
    /// The action's name, or the name as sent if the service has no such action.
    pub(crate) name: String,
    /// Parameters from the host and the path.
    pub(crate) bound: Params,
    wanted: Wanted,
}

/// The result of looking up the action.
enum Wanted {
    /// A supported action.
    Action(&'static Action),
    /// An unsupported action. Only callers with a valid signature get this error.
    Unplayed(ErrorResponse),
    /// The request could not be understood.
    Nothing(ErrorResponse),
}

impl Route {
    /// Returns the rules of the parameters; empty if the action is not supported.
    pub(crate) fn rules(&self) -> &'static [Rule] {
        self.action().map(|action| action.rules).unwrap_or_default()
    }

    /// Returns whether the action may change the world.
    pub(crate) fn is_write(&self) -> bool {
        self.action().is_some_and(|action| action.effect == Effect::Write)
    }

    fn action(&self) -> Option<&'static Action> {
        match self.wanted {
            Wanted::Action(action) => Some(action),
            Wanted::Unplayed(_) | Wanted::Nothing(_) => None,
        }
    }
}

/// Returns the actions that the sandbox supports for a service.
fn actions(service: Service) -> &'static [Action] {
    match service {
        Service::Sts => sts::ACTIONS,
        Service::Iam => iam::ACTIONS,
        Service::S3 => s3::ACTIONS,
        Service::SignIn => signin::ACTIONS,
        Service::Console => console::ACTIONS,
        Service::SsoOidc => sso::OIDC_ACTIONS,
        Service::Sso => sso::PORTAL_ACTIONS,
        Service::Metadata => metadata::ACTIONS,
    }
}

/// Checks whether the caller may use the service at all, whatever the policies say.
fn check_caller(context: &RequestContext, caller: &Caller) -> Result<(), ErrorResponse> {
    match context.service {
        Service::Sts => sts::check_caller(context, caller),
        Service::Iam => iam::check_caller(caller),
        // Callers of the other services do not sign.
        Service::S3
        | Service::SignIn
        | Service::Console
        | Service::SsoOidc
        | Service::Sso
        | Service::Metadata => Ok(()),
    }
}

/// Finds the target of a request. `params` are those of its query and form.
pub(crate) fn route(request: &Received, params: &Params) -> Route {
    if let Some(name) = signin::find_action(request) {
        return route_json(Service::SignIn, name);
    }
    if let Some(name) = console::find_action(request) {
        return route_json(Service::Console, name);
    }
    if let Some((service, name)) = sso::parse_target(request) {
        return route_json(service, name);
    }
    if let Some(name) = metadata::find_action(request) {
        return route_json(Service::Metadata, name);
    }
    if request.path != "/" || !(request.is_form() || params.has("Action")) {
        return route_s3(request);
    }
    let name = params.get("Action").unwrap_or_default();
    let version = params.get("Version").unwrap_or_default();
    let is_version = |service: &Service| match service.protocol() {
        Protocol::Query { version: known } => known == version,
        Protocol::S3 | Protocol::Json => false,
    };
    let service = Service::ALL.into_iter().find(is_version);
    let unknown = |name: &str| {
        let message = format!("Could not find operation {name} for version {version}");
        ErrorResponse::new(400, "InvalidAction", message)
    };
    let wanted = match service {
        _ if !params.has("Action") => Wanted::Nothing(ErrorResponse::new(
            400,
            "MissingAction",
            "The request must contain the parameter Action",
        )),
        None => Wanted::Nothing(unknown(name)),
        Some(service) => find(service, name).map_or_else(|| Wanted::Unplayed(unknown(name)), Wanted::Action),
    };
    Route {
        service: service.unwrap_or(Service::Sts),
        name: name.to_owned(),
        bound: Params::default(),
        wanted,
    }
}

fn route_json(service: Service, name: &str) -> Route {
    let wanted = find(service, name).map_or_else(
        || Wanted::Nothing(ErrorResponse::new(404, "UnknownOperation", "The sandbox does not do this.")),
        Wanted::Action,
    );
    Route { service, name: name.to_owned(), bound: Params::default(), wanted }
}

fn route_s3(request: &Received) -> Route {
    let target = s3::Target::parse(request);
    let wanted = match find(Service::S3, target.operation) {
        _ if target.is_key_broken() => {
            Wanted::Unplayed(ErrorResponse::new(400, "InvalidURI", "Couldn't parse the specified URI."))
        }
        Some(action) => Wanted::Action(action),
        None => Wanted::Unplayed(ErrorResponse::new(501, "NotImplemented", "The sandbox does not do this.")),
    };
    Route { service: Service::S3, name: target.operation.to_owned(), bound: target.into_params(), wanted }
}

fn find(service: Service, name: &str) -> Option<&'static Action> {
    actions(service).iter().find(|action| action.name == name)
}

/// Performs a request: checks the signature and the parameters, then runs the action.
pub(crate) fn perform(context: &mut RequestContext, route: &Route) -> Result<Reply, ErrorResponse> {
    match &route.wanted {
        Wanted::Nothing(error_response) => Err(error_response.clone()),
        Wanted::Unplayed(error_response) => {
            let caller = context.verify()?;
            check_caller(context, &caller)?;
            Err(error_response.clone())
        }
        Wanted::Action(Action { rules, run: Run::Unsigned(run), .. }) => {
            check_params_of(context, rules)?;
            run(context)
        }
        Wanted::Action(Action { rules, run: Run::Signed(run), .. }) => {
            let caller = context.verify()?;
            check_caller(context, &caller)?;
            check_params_of(context, rules)?;
            run(context, &caller)
        }
    }
}

fn check_params_of(context: &mut RequestContext, rules: &[Rule]) -> Result<(), ErrorResponse> {
    context.entry.resource = find_target(rules, context.params).map(str::to_owned);
    check_params(rules, context.params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Shown, shown_by};

    #[test]
    fn a_service_has_no_two_actions_of_one_name() {
        for service in Service::ALL {
            let mut names: Vec<&str> = actions(service).iter().map(|action| action.name).collect();
            names.sort_unstable();
            assert!(names.is_sorted_by(|one, other| one < other), "{service:?}: {names:?}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden_from_the_log() {
        for action in Service::ALL.into_iter().flat_map(actions) {
            for rule in action.rules {
                let is_harmless =
                    ["MinimumSessionTokenSize", "continuation-token", "next_token", "code_challenge_method"]
                        .contains(&rule.name);
                let words = ["token", "code", "assertion", "secret", "password", "state"];
                let name = rule.name.to_lowercase();
                let is_whole = ["session", "redirect_uri"].contains(&name.as_str())
                    && ["GetSigninToken", "Logout"].contains(&action.name);
                let is_secret = is_whole || words.iter().any(|word| name.contains(word)) && !is_harmless;
                let is_hidden = shown_by(action.rules, rule.name) == Shown::Hidden;
                assert_eq!(is_hidden, is_secret, "{} of {}", rule.name, action.name);
            }
        }
    }

    #[test]
    fn an_action_of_a_known_version_finds_its_service() {
        let request = |query: &str| Received {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: hyper::body::Bytes::new(),
        };
        for (query, service, is_write) in [
            ("Action=GetSessionToken&Version=2011-06-15", Service::Sts, true),
            ("Action=GetCallerIdentity&Version=2011-06-15", Service::Sts, false),
            ("Action=GetRole&Version=2010-05-08", Service::Iam, false),
            ("Action=GetRole&Version=2011-06-15", Service::Sts, false),
            ("", Service::S3, false),
        ] {
            let request = request(query);
            let route = route(&request, &request.query_params());
            assert_eq!((route.service, route.is_write()), (service, is_write), "{query}");
        }
    }
}
