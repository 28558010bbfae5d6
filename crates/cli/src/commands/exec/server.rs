//! The server of `hatbox exec --server` and `--imds`, whose address the command gets instead of credentials.

use std::path::PathBuf;
use std::sync::Arc;

use hatbox_core::handover::{Credentials, ServerAddress, ServerHandover};

use crate::args::{ExecArgs, GlobalArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::run::PlanRun;
use crate::errors::{Failure, FailureKind};
use crate::server::directory::{Copies, ServerDirectory, path_text};
use crate::server::events::Events;
use crate::server::identity::Identity;
use crate::server::listener::{Listener, Open};
use crate::server::protocol::Protocol;
use crate::server::renewal::{Renewal, check_duration};
use crate::server::renewals::Renewals;
use crate::world::World;

/// What a server is about to serve.
pub(super) struct Obtained {
    run: PlanRun,
    protocol: Protocol,
    /// `None` if `--lazy` delays them.
    credentials: Option<Credentials>,
}

/// A running server for one profile.
pub(super) struct Serving {
    directory: ServerDirectory,
    identity: Arc<Identity>,
    renewal: Renewal,
    events: Events,
    open: Open,
    uri: String,
    /// The file with the token, if the clients need one.
    token_file: Option<PathBuf>,
    copies: Copies,
}

impl Obtained {
    /// Obtains the credentials, unless `--lazy` delays that. Asks on the terminal.
    pub(super) fn obtain(
        world: &World,
        global: &GlobalArgs,
        args: &ExecArgs,
        profile: Option<&str>,
    ) -> Result<Self, Failure> {
        let exit = Exit::Command(&args.command);
        let request = ProfileRequest { world, global, session: &args.session, profile };
        let (run, protocol, credentials) = if args.is_with_metadata() {
            let mut run = request.open_checked(exit)?;
            let region = run.plan().region.as_ref().map(|region| region.value.clone());
            let protocol = Protocol::Metadata { region };
            check_duration(run.plan(), &protocol)?;
            run.require_left(protocol.min_ttl());
            let (run, credentials) = request.obtain_of_run(run, exit)?.into_run();
            (run, protocol, Some(credentials))
        } else if args.lazy {
            (request.open_for(exit)?, Protocol::Container, None)
        } else {
            let (run, credentials) = request.obtain_for(exit)?.into_run();
            (run, Protocol::Container, Some(credentials))
        };
        Ok(Self { run, protocol, credentials })
    }
}

impl Serving {
    /// Starts to serve what was obtained.
    pub(super) fn start(world: &World, obtained: Obtained) -> Result<Self, Failure> {
        let Obtained { run, protocol, credentials } = obtained;
        let directory = ServerDirectory::create(world)?;
        let copies = directory.copy_config(world, run.files())?;
        let identity = Arc::new(Identity::new(run.plan().profile.clone(), protocol)?);
        let listener = Listener::bind(0)?;
        let (uri, token_file) = match identity.protocol() {
            Protocol::Container => (listener.uri(&identity), Some(directory.write_token(&identity)?)),
            Protocol::Metadata { .. } => (listener.endpoint(), None),
        };
        let renewal = match &credentials {
            Some(credentials) => Renewal::begin(world, run, credentials, Arc::clone(&identity))?,
            None => Renewal::later(run, Arc::clone(&identity)),
        };
        let events = Events::default();
        let open = listener.serve(vec![Arc::clone(&identity)], world.clock, &events)?;
        Ok(Self { directory, identity, renewal, events, open, uri, token_file, copies })
    }

    /// Calls `with` with the values for the command's environment.
    pub(super) fn with_handover<T>(&self, with: impl FnOnce(ServerHandover<'_>) -> T) -> Result<T, Failure> {
        let config_file = self.copies.config.as_deref().map(path_text).transpose()?;
        let credentials_file = self.copies.credentials.as_deref().map(path_text).transpose()?;
        let run = self.renewal.run();
        let plan = run.plan();
        Ok(with(ServerHandover {
            profile: self.identity.profile(),
            address: match &self.token_file {
                Some(path) => ServerAddress::Container { uri: &self.uri, token_file: path_text(path)? },
                None => ServerAddress::Metadata { endpoint: &self.uri },
            },
            account: run.account(),
            region: plan.region.as_ref().map(|region| &region.value),
            endpoint_url: plan.endpoint.url.as_ref().map(|url| url.value.as_str()),
            config_file,
            credentials_file,
        }))
    }

    /// Moves renewal to another thread, which must not use the terminal: it belongs to the command.
    pub(super) fn renew_apart(self, world: &World) -> Result<(ServerDirectory, Open), Failure> {
        world.leave_terminal();
        let renewals = Renewals::start(world, vec![self.renewal], &self.events)?;
        let renew = move || renewals.run_forever();
        std::thread::Builder::new().name("renewal".to_owned()).spawn(renew).map_err(|error| {
            Failure::new(FailureKind::Failed, "could not start the credential server").caused_by(&error)
        })?;
        Ok((self.directory, self.open))
    }
}

/// Serves in this process, which waits for the command.
#[cfg(not(unix))]
pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    args: &ExecArgs,
    profile: Option<&str>,
    keyring: crate::handover::exec::Keyring,
) -> Result<std::process::ExitCode, Failure> {
    let serving = Serving::start(world, Obtained::obtain(world, global, args, profile)?)?;
    let message = serving.with_handover(crate::server::sidecar::Ready::new)?;
    let _open = serving.renew_apart(world)?;
    let command = super::resolve_command(world, args, message.profile());
    message
        .with_handover(|handover| {
            crate::handover::exec::exec_command_with_server(world, handover, keyring, &command)
        })?
        .map(|never| match never {})
}
