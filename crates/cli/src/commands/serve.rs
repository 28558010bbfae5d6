//! `hatbox serve`: a credential server in the foreground.

#[cfg(unix)]
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use hatbox_core::handover::{EnvChange, ServerAddress, ServerHandover, resolve_server_shell_change};
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;
use serde_json::{Map, Value, json};

use crate::args::{GlobalArgs, ServeArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::handover::guard::check_not_nested;
use crate::output::Output;
use crate::server::client_url::ClientUrl;
use crate::server::directory::{ServerDirectory, path_text};
use crate::server::events::Events;
use crate::server::identity::Identity;
use crate::server::listener::Listener;
use crate::server::protocol::Protocol;
use crate::server::renewal::Renewal;
use crate::server::renewals::Renewals;
use crate::sys::signals::Held;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ServeArgs) -> Result<ExitCode, Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    let place = args.listen.as_deref().map_or(Ok(Place::Port(0)), parse_place)?;
    let url = args.url.as_deref().map(parse_url).transpose()?;
    let profiles = resolve_profiles(world, args)?;
    let requests: Vec<_> = profiles
        .iter()
        .map(|profile| {
            let profile = profile.as_ref().map(ProfileName::as_str);
            ProfileRequest { world, global, session: &args.session, profile }
        })
        .collect();
    // Report a wrong profile before another one asks for an MFA code.
    let runs = requests.iter().map(|request| request.open_checked(Exit::Server));
    let runs: Vec<_> = runs.collect::<Result<_, _>>()?;
    // One after the other, as each may ask a question.
    let mut obtained = Vec::with_capacity(profiles.len());
    for (request, run) in requests.iter().zip(runs) {
        obtained.push(request.obtain_of_run(run, Exit::Server)?.into_run());
    }
    // From here on, what is on disk is removed at the end.
    let held = Held::of_endings_for_good();
    let directory = ServerDirectory::create(world)?;
    let listener = match &place {
        Place::Port(port) => Listener::bind(*port)?,
        #[cfg(unix)]
        Place::Socket(path) => Listener::bind_socket(path)?,
    };
    let listener = match &url {
        Some(url) => listener.reached_by(url),
        None => listener,
    };
    let (mut identities, mut renewals, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (run, credentials) in obtained {
        let identity = Arc::new(Identity::new(run.plan().profile.clone(), Protocol::Container)?);
        let copies = if shown.is_empty() { Some(directory.copy_config(world, run.files())?) } else { None };
        let (config, credentials_file) = copies
            .as_ref()
            .map_or((None, None), |copies| (copies.config.as_deref(), copies.credentials.as_deref()));
        let plan = run.plan();
        let change = resolve_server_shell_change(ServerHandover {
            profile: identity.profile(),
            address: ServerAddress::Container {
                uri: &listener.uri(&identity),
                token_file: path_text(&directory.write_token(&identity)?)?,
            },
            account: None,
            region: plan.region.as_ref().map(|region| &region.value),
            endpoint_url: plan.endpoint.url.as_ref().map(|url| url.value.as_str()),
            config_file: config.map(path_text).transpose()?,
            credentials_file: credentials_file.map(path_text).transpose()?,
        });
        shown.push((identity.profile().clone(), change));
        renewals.push(Renewal::begin(world, run, &credentials, Arc::clone(&identity))?);
        identities.push(identity);
    }
    let events = Events::default();
    let (open, renewals) = {
        // The threads inherit the signal mask, so that Ctrl-Z does not reach a question by way of another one.
        let _stop = Held::new();
        let open = listener.serve(identities, world.clock, &events)?;
        (open, Renewals::start(world, renewals, &events)?)
    };
    world.output.data(&if args.json { render_json(&shown) } else { render_lines(&shown) })?;
    #[cfg(unix)]
    if let (Place::Socket(_), None) = (place, url) {
        world.output.note("forward a port to the socket, and write its number instead of PORT");
    }
    world.output.note(if !args.json && Output::is_stdout_terminal() {
        "serving credentials; paste the lines into a shell; stop with Ctrl-C"
    } else {
        "serving credentials; stop with Ctrl-C"
    });
    renewals.run_until_signal(&held);
    drop((open, directory));
    Ok(ExitCode::SUCCESS)
}

/// Returns the profiles of the command line, or else `None`: AWS_PROFILE, or the user picks one.
fn resolve_profiles(world: &World, args: &ServeArgs) -> Result<Vec<Option<ProfileName>>, Failure> {
    if args.profiles.is_empty() {
        return Ok(vec![None]);
    }
    let mut profiles = Vec::new();
    for text in &args.profiles {
        let profile = resolve_profile_name(Some(text), &world.environment)?;
        if profiles.contains(&Some(profile.clone())) {
            return Err(Failure::new(FailureKind::Usage, format!("profile `{profile}` is given twice")));
        }
        profiles.push(Some(profile));
    }
    Ok(profiles)
}

/// Where `--listen` says to listen.
enum Place {
    Port(u16),
    #[cfg(unix)]
    Socket(PathBuf),
}

fn parse_place(text: &str) -> Result<Place, Failure> {
    #[cfg(unix)]
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Ok(Place::Socket(PathBuf::from(path)));
    }
    let port = text.strip_prefix("127.0.0.1:").and_then(|port| port.parse().ok());
    port.map(Place::Port).ok_or_else(|| {
        let expected = if cfg!(unix) { "`127.0.0.1:PORT` or `unix:PATH`" } else { "`127.0.0.1:PORT`" };
        let error = format!("invalid address `{text}` in --listen: expected {expected}");
        Failure::new(FailureKind::Usage, error)
    })
}

fn parse_url(text: &str) -> Result<ClientUrl, Failure> {
    ClientUrl::parse(text).map_err(|error| (text, error).into())
}

type Shown = (ProfileName, EnvChange);

fn render_lines(shown: &[Shown]) -> String {
    let mut text = String::new();
    for (profile, change) in shown {
        if shown.len() > 1 {
            text.push_str(&format!("# {profile}\n"));
        }
        text.push_str(&format!("unset {}\n", change.remove.join(" ")));
        for (name, value) in &change.set {
            text.push_str(&format!("export {name}={}\n", quote_word(value.expose())));
        }
    }
    text
}

fn render_json(shown: &[Shown]) -> String {
    let profiles: Map<String, Value> = shown
        .iter()
        .map(|(profile, change)| {
            let variables =
                change.set.iter().map(|(name, value)| ((*name).to_owned(), json!(value.expose())));
            let unset = ("unset".to_owned(), json!(change.remove));
            (profile.to_string(), Value::Object(variables.chain([unset]).collect()))
        })
        .collect();
    format!("{:#}\n", Value::Object(profiles))
}
