//! The link for a profile, or for the credentials in the environment if no profile is named.

use std::time::Duration;

use hatbox_core::config::console_keys::resolve_console_keys;
use hatbox_core::config::profile::{Origin, Sourced, Sso};
use hatbox_core::console::link::render_portal_link;
use hatbox_core::console::place::ConsolePlace;
use hatbox_core::console::target::ConsoleTarget;
use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Base, Plan, Purpose, Signer, Step};
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::partition::Partition;
use hatbox_types::text::shell::quote_word;

use super::environment::EnvironmentKeys;
use super::exchange::{Exchange, open_federation};
use super::{ConsoleLink, LinkUrl};
use crate::args::SessionArgs;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::federation::TemporaryKeys;
use crate::credentials::audit::{HandedOver, check_reason, record_use};
use crate::credentials::choose::{ChosenFor, choose_profile};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::service::{SsoService, resolve_federation_settings, resolve_sso_settings};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::world::World;

/// Obtains the link for the profile that the request or `AWS_PROFILE` names; if neither does, for the temporary
/// credentials in the environment.
pub(crate) fn obtain_console_link(
    request: ProfileRequest<'_>,
    target: &ConsoleTarget,
) -> Result<ConsoleLink, Failure> {
    let ProfileRequest { world, session, .. } = request;
    let is_named = request.is_named();
    check_reason(session)?;
    let keys = if is_named { None } else { EnvironmentKeys::find(world)? };
    if let Some(keys) = keys {
        return keys.obtain_link(request, target);
    }
    let chosen = if is_named { None } else { Some(choose_or_hint(world)?) };
    let profile = request.profile.or(chosen.as_ref().map(ProfileName::as_str));
    let request = ProfileRequest { profile, ..request };
    let mut run = request.open_run(Purpose::Use)?;
    if is_user_without_policy(run.plan())
        && let Some(arn) = find_policy(world, &run.plan().profile)?
    {
        world
            .output
            .note(&format!("the session is restricted to {arn}, as `hatbox_console_policy_arn` says"));
        let restricted = SessionArgs { policy_arn: vec![arn], ..session.clone() };
        run = ProfileRequest { session: &restricted, ..request }.open_run(Purpose::Use)?;
    }
    let plan = run.plan();
    let place = place_of(plan);
    warn_if_region_is_elsewhere(world, plan, &place);
    check_has_role_or_policy(plan, &place)?;
    run.check_guard(Exit::Console)?;
    if let (Base::Sso { sso, account_id, role_name, .. }, true) = (&plan.base, plan.steps.is_empty()) {
        record_use(
            world,
            session.reason.as_deref(),
            plan,
            HandedOver { account: run.account(), ..HandedOver::default() },
            Exit::Console,
        )?;
        return portal_link(world, plan, (&sso.value, account_id, role_name), &place, target);
    }
    let federation = open_federation(world, &plan.endpoint, &place)?;
    let duration = duration_of_console(plan);
    let obtained = request.obtain_of_run(run, Exit::Console)?;
    let (keys, expires_at) = match &obtained.credentials {
        Credentials::Session(session) => (
            TemporaryKeys {
                key_id: session.access_key_id.as_str(),
                secret: &session.secret_access_key,
                token: &session.session_token,
            },
            Some(session.expires_at),
        ),
        Credentials::Found { key, session_token } => {
            (TemporaryKeys { key_id: key.id.as_str(), secret: &key.secret, token: session_token }, None)
        }
        Credentials::AccessKey(_) => return Err(needs_temporary(obtained.profile())),
    };
    let exchange = Exchange { profile: obtained.profile(), keys, expires_at, duration };
    exchange.obtain_link(world, &federation, &target.render_url(&place))
}

/// Returns the partition of the role that the plan ends with, and the region if it is in that partition.
fn place_of(plan: &Plan) -> ConsolePlace {
    let of_role = match (plan.steps.last(), &plan.base) {
        (Some(Step::AssumeRole(step)), _) => Some(step.role.value.partition()),
        (None, Base::WebIdentity { role, .. }) => Some(role.value.partition()),
        _ => None,
    };
    let region = plan.region.as_ref().map(|region| &region.value);
    let of_sso = || match &plan.base {
        Base::Sso { sso, .. } => Some(sso.value.region.partition()),
        _ => None,
    };
    let partition =
        of_role.and_then(Partition::parse).or_else(|| region.map(Region::partition)).or_else(of_sso);
    ConsolePlace::new(partition.unwrap_or(Partition::Aws), region)
}

fn warn_if_region_is_elsewhere(world: &World, plan: &Plan, place: &ConsolePlace) {
    if let (Some(region), None) = (&plan.region, place.region()) {
        world.output.warn(&format!(
            "the region {} is not in the partition of the role of `{}`: the console chooses one",
            region.value, plan.profile
        ));
    }
}

fn portal_link(
    world: &World,
    plan: &Plan,
    (sso, account, role): (&Sso, &Sourced<String>, &Sourced<String>),
    place: &ConsolePlace,
    target: &ConsoleTarget,
) -> Result<ConsoleLink, Failure> {
    let (_, settings) =
        resolve_sso_settings(SsoService::Portal, sso, &plan.endpoint, &sso.region, &world.environment)?;
    // With a custom endpoint for the portal's API, the portal's page is at that endpoint too.
    let start = match &settings.endpoint {
        Some(endpoint) => {
            world.announce_endpoint("SSO", Some(endpoint));
            format!("{}/start", endpoint.as_str().trim_end_matches('/'))
        }
        None => sso.start_url.value.clone(),
    };
    check_start_url(&start, &sso.start_url.origin)?;
    let link = render_portal_link(&start, &account.value, &role.value, &target.render_url(place));
    let (endpoint, _) = resolve_federation_settings(&plan.endpoint, place, &world.environment)?;
    Ok(ConsoleLink {
        profile: plan.profile.clone(),
        url: LinkUrl::Portal(link),
        sign_in_base: endpoint.as_str().trim_end_matches('/').to_owned(),
        lasts: None,
    })
}

/// Checks that the start URL is a web address, because a browser is opened with it.
fn check_start_url(start: &str, origin: &Origin) -> Result<(), Failure> {
    let without_fragment = start.split(['#', '?']).next().unwrap_or_default();
    EndpointUrl::parse(without_fragment).map(|_| ()).map_err(|error| {
        let failure = Failure::new(FailureKind::Usage, "`sso_start_url` cannot be opened").caused_by(&error);
        match origin {
            Origin::Flag(name) | Origin::Env(name) => failure.at(*name),
            _ => failure,
        }
    })
}

fn is_user_without_policy(plan: &Plan) -> bool {
    match plan.steps.last() {
        Some(Step::GetSessionToken(_)) => true,
        None => plan.base.signer() == Signer::LongLivedKey,
        Some(Step::AssumeRole(_) | Step::GetFederationToken(_)) => false,
    }
}

/// Finds the policy that the profile sets for a user without a role.
fn find_policy(world: &World, profile: &ProfileName) -> Result<Option<String>, Failure> {
    let files = load_config(world)?;
    let keys = resolve_console_keys(&files.config, profile).map_err(|error| files.failure_of(&error))?;
    Ok(keys.policy_arn.map(|said| said.value))
}

/// Checks that the console can be opened. An access key or a GetSessionToken session cannot open it; GetFederationToken
/// can, with a policy.
fn check_has_role_or_policy(plan: &Plan, place: &ConsolePlace) -> Result<(), Failure> {
    if !is_user_without_policy(plan) {
        return Ok(());
    }
    let name = quote_word(plan.profile.as_str());
    let partition = place.partition().as_str();
    Err(Failure::new(
        FailureKind::Usage,
        format!(
            "profile `{}` has no role, and AWS opens the console for an access key only with a policy",
            plan.profile
        ),
    )
    .hint(format!("to look around: hatbox login --read-only {name}"))
    .hint(format!(
        "with all permissions of the user: hatbox login --policy-arn arn:{partition}:iam::aws:policy/AdministratorAccess {name}"
    ))
    .hint("or set it for the profile: `hatbox_console_policy_arn = ARN`")
    .hint("or name a profile with a role"))
}

/// The session length to request together with the sign-in token. AWS accepts one only if a user's access key assumed
/// the role; it rejects it for role chaining and GetFederationToken.
fn duration_of_console(plan: &Plan) -> Option<Duration> {
    match plan.steps.as_slice() {
        [Step::AssumeRole(step)]
            if plan.base.signer() == Signer::LongLivedKey && step.duration.origin != Origin::Default =>
        {
            Some(step.duration.value)
        }
        _ => None,
    }
}

/// Lets the user pick a profile, with a hint for those who meant `aws login`.
fn choose_or_hint(world: &World) -> Result<ProfileName, Failure> {
    choose_profile(world, &SessionArgs::default(), ChosenFor::Handover(Exit::Console)).map_err(|failure| {
        match failure.kind {
            FailureKind::Usage => failure.hint("to sign in as `aws login` does: hatbox login --session"),
            _ => failure,
        }
    })
}

fn needs_temporary(profile: &ProfileName) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!(
            "the credentials of `{profile}` are an access key, and the console takes temporary credentials"
        ),
    )
    .hint("name a profile with a role, or add one: --role-arn ARN")
}
