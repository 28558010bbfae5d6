//! Resolves which store the flags and environment request. Pure: reads no file and asks no question.

use std::path::PathBuf;
use std::time::Duration;

use hatbox_types::duration::parse_duration;
use hatbox_types::secret::SecretString;

use crate::args::GlobalArgs;
use crate::ask::passphrase::PassphraseSource;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::store::StoreKind;
use crate::world::environment::Environment;

/// The requested store, and how to unlock it.
#[derive(Debug)]
pub(crate) struct StoreRequest {
    /// With the flag or variable that names it. `None`: the settings decide, or else the first write.
    pub(crate) kind: Option<(StoreKind, &'static str)>,
    pub(crate) file_dir: Option<PathBuf>,
    /// `None`: the settings decide, or else the terminal asks.
    pub(crate) passphrase: Option<PassphraseSource>,
    /// `None`: the settings decide.
    pub(crate) unlock_for: Option<Duration>,
}

/// Resolves the flags and environment about the store.
pub(crate) fn resolve_store(global: &GlobalArgs, environment: &Environment) -> Result<StoreRequest, Failure> {
    let named = match &global.backend {
        Some(name) => Some(("--backend", name.clone())),
        None => environment.first(env_names::BACKEND),
    };
    let kind = match named {
        // aws-vault's variable may name a backend that only aws-vault has.
        None | Some(("AWS_VAULT_BACKEND", _)) => None,
        Some((origin, name)) => Some((parse_kind(&name, origin)?, origin)),
    };
    let descriptor = match global.passphrase_fd {
        Some(number) => Some(number),
        None => match environment.first(env_names::PASSPHRASE_FD) {
            None => None,
            Some((name, text)) => Some(text.parse().map_err(|_| {
                Failure::new(FailureKind::Usage, format!("invalid file descriptor in {name}: `{text}`"))
            })?),
        },
    };
    if let Some(number) = descriptor.filter(|number| *number < 0) {
        return Err(Failure::new(FailureKind::Usage, format!("invalid file descriptor `{number}`")));
    }
    let passphrase = match descriptor {
        Some(number) => Some(PassphraseSource::Descriptor(number)),
        // Set but empty is a mistake to report, not the same as unset: see `store::file`.
        None => match passphrase_of_environment(environment)? {
            Some(passphrase) => Some(passphrase),
            None => passphrase_file_of_environment(environment)?,
        },
    };
    let file_dir = global
        .file_dir
        .clone()
        .or_else(|| environment.text(env_names::FILE_DIR.0).map(PathBuf::from))
        .map(|dir| std::path::absolute(&dir).unwrap_or(dir));
    let unlock_for = match &global.unlock_for {
        None => None,
        Some(text) => Some(parse_duration(text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("invalid `--unlock-for` `{text}`: {error}"))
        })?),
    };
    Ok(StoreRequest { kind, file_dir, passphrase, unlock_for })
}

/// Parses the name of a backend, given in `origin`.
pub(crate) fn parse_kind(name: &str, origin: &str) -> Result<StoreKind, Failure> {
    StoreKind::parse(name).ok_or_else(|| {
        let known: Vec<_> = StoreKind::ALL.into_iter().filter(|kind| kind.is_built()).collect();
        let known: Vec<_> = known.iter().map(|kind| format!("`{kind}`")).collect();
        Failure::new(FailureKind::Usage, format!("unknown backend `{}` (from {origin})", name.escape_debug()))
            .hint(format!("this build has {}", known.join(", ")))
            .hint("`hatbox store status` shows which of them can be used here")
    })
}

fn passphrase_of_environment(environment: &Environment) -> Result<Option<PassphraseSource>, Failure> {
    let (ours, theirs) = env_names::FILE_PASSPHRASE;
    let found =
        [Some(ours), theirs].into_iter().flatten().find_map(|name| Some((name, environment.raw(name)?)));
    let Some((name, value)) = found else { return Ok(None) };
    let text = value
        .to_str()
        .ok_or_else(|| Failure::new(FailureKind::Usage, format!("the passphrase in {name} is not UTF-8")))?;
    Ok(Some(PassphraseSource::Variable(name, SecretString::new(text.to_owned()))))
}

fn passphrase_file_of_environment(environment: &Environment) -> Result<Option<PassphraseSource>, Failure> {
    let origin = env_names::PASSPHRASE_FILE.0;
    let Some(value) = environment.raw(origin) else { return Ok(None) };
    if value.is_empty() {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("{origin} is empty: expected the path of a file"),
        ));
    }
    let path = PathBuf::from(value);
    Ok(Some(PassphraseSource::File { origin, path: std::path::absolute(&path).unwrap_or(path) }))
}
