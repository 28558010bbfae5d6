//! `hatbox serve`: a credential server in the foreground.

#[cfg(unix)]
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;
use serde_json::{Map, Value, json};

use crate::args::{GlobalArgs, ServeArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::obtain_for;
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::handover::guard::check_not_nested;
use crate::server::directory::{ServerDirectory, path_text};
use crate::server::events::Events;
use crate::server::identity::Identity;
use crate::server::listener::Listener;
use crate::server::protocol::Protocol;
use crate::server::renewal::{Renewal, renew_until_signal};
use crate::sys::signals::Held;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ServeArgs) -> Result<ExitCode, Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    let place = args.listen.as_deref().map_or(Ok(Place::Port(0)), parse_place)?;
    let profiles = resolve_profiles(world, args)?;
    // One after the other: each may ask.
    let mut obtained = Vec::with_capacity(profiles.len());
    for profile in &profiles {
        obtained
            .push(obtain_for(world, global, &args.session, Some(profile.as_str()), Exit::Server)?.into_run());
    }
    let directory = ServerDirectory::create(world)?;
    let listener = match &place {
        Place::Port(port) => Listener::bind(*port)?,
        #[cfg(unix)]
        Place::Socket(path) => Listener::bind_socket(path)?,
    };
    let (mut identities, mut renewals, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (run, credentials) in obtained {
        let identity = Arc::new(Identity::new(run.plan().profile.clone(), Protocol::Container)?);
        let mut variables = vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", listener.uri(&identity)),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                path_text(&directory.write_token(&identity)?)?.to_owned(),
            ),
        ];
        if shown.is_empty() {
            let copies = directory.copy_config(world, run.files())?;
            let copies =
                [("AWS_CONFIG_FILE", copies.config), ("AWS_SHARED_CREDENTIALS_FILE", copies.credentials)];
            for (name, path) in copies {
                if let Some(path) = path {
                    variables.push((name, path_text(&path)?.to_owned()));
                }
            }
        }
        if let Some(region) = &run.plan().region {
            for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
                variables.push((name, region.value.as_str().to_owned()));
            }
        }
        shown.push((identity.profile().clone(), variables));
        renewals.push(Renewal::begin(world, run, &credentials, Arc::clone(&identity))?);
        identities.push(identity);
    }
    let events = Events::default();
    // The server's thread holds back what this one waits for.
    let held = Held::new();
    let open = listener.serve(identities, world.clock, &events)?;
    drop(held);
    world.output.data(&if args.json { render_json(&shown) } else { render_lines(&shown) })?;
    #[cfg(unix)]
    if let Place::Socket(_) = place {
        world.output.note("forward a port to the socket, and write its number for PORT");
    }
    world.output.note("serving credentials; stop with Ctrl-C");
    renew_until_signal(world, renewals, &events);
    drop((open, directory));
    Ok(ExitCode::SUCCESS)
}

fn resolve_profiles(world: &World, args: &ServeArgs) -> Result<Vec<ProfileName>, Failure> {
    if args.profiles.is_empty() {
        return Ok(vec![resolve_profile_name(None, &world.environment)?]);
    }
    let mut profiles: Vec<ProfileName> = Vec::new();
    for text in &args.profiles {
        let profile = resolve_profile_name(Some(text), &world.environment)?;
        if profiles.contains(&profile) {
            return Err(Failure::new(FailureKind::Usage, format!("profile `{profile}` is given twice")));
        }
        profiles.push(profile);
    }
    Ok(profiles)
}

/// What `--listen` names.
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

type Shown = (ProfileName, Vec<(&'static str, String)>);

fn render_lines(shown: &[Shown]) -> String {
    let mut text = String::new();
    for (profile, variables) in shown {
        if shown.len() > 1 {
            text.push_str(&format!("# {profile}\n"));
        }
        for (name, value) in variables {
            text.push_str(&format!("export {name}={}\n", quote_word(value)));
        }
    }
    text
}

fn render_json(shown: &[Shown]) -> String {
    let profiles: Map<String, Value> = shown
        .iter()
        .map(|(profile, variables)| {
            let variables: Map<String, Value> =
                variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            (profile.to_string(), Value::Object(variables))
        })
        .collect();
    format!("{:#}\n", Value::Object(profiles))
}
