//! Selects which of aws-vault's stores to read: the named one, or else the only one with keys.

use std::path::PathBuf;

use hatbox_types::name::ProfileName;

use crate::args::{ImportAwsVaultArgs, VaultKind};
use crate::aws_vault::{FileVault, Vault, VaultError};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::keys::KeyStore;
use crate::world::World;

/// One of aws-vault's stores, with the names of its long-lived keys.
pub(super) struct Source {
    pub(super) kind: VaultKind,
    pub(super) vault: Vault,
    pub(super) profiles: Vec<ProfileName>,
    /// Describes where the store is.
    pub(super) shown: String,
}

const BY_HAND: &str =
    "export each key from aws-vault: `aws-vault exec --no-session PROFILE -- hatbox add --env PROFILE`";

/// Finds the store, opens it and lists its entries. Asks no question and reads no secret.
///
/// # Errors
/// If there is no store, more than one, or the named one cannot be read on this machine.
pub(super) fn find(world: &World, store: &KeyStore, args: &ImportAwsVaultArgs) -> Result<Source, Failure> {
    if let Some(kind) = named(world, args)? {
        return load(world, store, args, kind).map_err(|error| failure_of(kind, &error));
    }
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for kind in VaultKind::BY_THEMSELVES.into_iter().filter(|kind| kind.is_built()) {
        match load(world, store, args, kind) {
            Ok(source) if source.profiles.is_empty() => {
                reasons.push(format!("`{kind}`: {} holds no long-lived key", source.shown));
            }
            Ok(source) => found.push(source),
            Err(error) => reasons.push(format!("`{kind}`: {error}")),
        }
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|source| format!("`{}`", source.kind)).collect();
        let hints = found.iter().map(|source| format!("hatbox import aws-vault --from {}", source.kind));
        let error = format!("aws-vault has keys in more than one store: {}", names.join(", "));
        return Err(hints.fold(Failure::new(FailureKind::Usage, error), Failure::hint));
    }
    found.pop().ok_or_else(|| {
        let mut failure = Failure::new(FailureKind::Failed, "no aws-vault store with keys found");
        failure.causes = reasons;
        failure.hint("name it: hatbox import aws-vault --from pass (or --dir DIRECTORY)").hint(BY_HAND)
    })
}

/// Returns the store that a flag or aws-vault's own variable names.
fn named(world: &World, args: &ImportAwsVaultArgs) -> Result<Option<VaultKind>, Failure> {
    if args.from.is_some() || args.dir.is_some() {
        return Ok(Some(args.from.unwrap_or(VaultKind::File)));
    }
    let Some(name) = world.environment.text(env_names::VAULT_BACKEND) else { return Ok(None) };
    match VaultKind::parse(&name) {
        Some(kind) => Ok(Some(kind)),
        None => Err(Failure::new(
            FailureKind::Usage,
            format!("hatbox cannot read aws-vault's backend `{name}`, which AWS_VAULT_BACKEND names"),
        )
        .hint(BY_HAND)),
    }
}

fn load(
    world: &World,
    store: &KeyStore,
    args: &ImportAwsVaultArgs,
    kind: VaultKind,
) -> Result<Source, VaultError> {
    let (vault, shown) = open(world, store, args, kind)?;
    let profiles = vault.profiles()?;
    let profiles = match &vault {
        Vault::Pass(pass) if pass.is_shared() => leave_other_passwords(world, args, profiles),
        _ => profiles,
    };
    Ok(Source { kind, vault, profiles, shown })
}

/// Keeps only entries named like a profile or on the command line, if the others could be any password of the user.
fn leave_other_passwords(
    world: &World,
    args: &ImportAwsVaultArgs,
    profiles: Vec<ProfileName>,
) -> Vec<ProfileName> {
    // Without a readable config, only the command line names profiles.
    let in_config = load_config(world).map_or_else(|_| Vec::new(), |files| files.config.profile_names());
    let is_named = |profile: &ProfileName| args.profiles.iter().any(|named| named == profile.as_str());
    profiles.into_iter().filter(|profile| is_named(profile) || in_config.contains(profile)).collect()
}

fn open(
    world: &World,
    store: &KeyStore,
    args: &ImportAwsVaultArgs,
    kind: VaultKind,
) -> Result<(Vault, String), VaultError> {
    let text = |name: &str| world.environment.text(name);
    match kind {
        VaultKind::File => {
            let named = args.dir.clone().or_else(|| text(env_names::VAULT_DIR).map(PathBuf::from));
            let directory = match named {
                Some(directory) => world.dirs.expand(&directory).unwrap_or(directory),
                None => world.dirs.vault_files(),
            };
            let shown = world.dirs.shown(&directory);
            Ok((Vault::File(FileVault::open(directory)), shown))
        }
        #[cfg(all(target_os = "linux", feature = "secret-service"))]
        VaultKind::SecretService => {
            let name = text(env_names::VAULT_COLLECTION).unwrap_or_else(|| "awsvault".to_owned());
            let vault = crate::aws_vault::SecretServiceVault::connect(&name)?;
            Ok((Vault::SecretService(vault), format!("the keyring's collection `{name}`")))
        }
        VaultKind::Pass | VaultKind::Passage => {
            let prefix = text(env_names::VAULT_PASS_PREFIX).unwrap_or_default();
            let mut programs = store.programs();
            let settings = crate::store::programs::PassSettings {
                directory: text(env_names::VAULT_PASS_DIR)
                    .map(PathBuf::from)
                    .and_then(|path| world.dirs.expand(&path)),
                program: text(env_names::VAULT_PASS_CMD).and_then(|name| {
                    if name.contains('/') {
                        world.dirs.expand(&PathBuf::from(&name))
                    } else {
                        programs.find(&name)
                    }
                }),
            };
            let vault = if kind == VaultKind::Pass {
                programs.pass = settings;
                crate::aws_vault::PassVault::pass(&programs, &prefix)
            } else {
                programs.passage = settings;
                crate::aws_vault::PassVault::passage(&programs, &prefix)
            };
            let shown = world.dirs.shown(vault.directory());
            Ok((Vault::Pass(Box::new(vault)), shown))
        }
        #[cfg(all(target_os = "macos", feature = "keychain"))]
        VaultKind::Keychain => {
            let name = text(env_names::VAULT_KEYCHAIN).unwrap_or_else(|| "aws-vault".to_owned());
            let path = world.dirs.home().join(format!("Library/Keychains/{name}.keychain-db"));
            let shown = world.dirs.shown(&path);
            Ok((Vault::Keychain(crate::aws_vault::KeychainVault::open(path)), shown))
        }
        #[cfg(windows)]
        VaultKind::Wincred => {
            let shown = "Windows's Credential Manager".to_owned();
            Ok((Vault::Wincred(crate::aws_vault::WincredVault), shown))
        }
        VaultKind::Kwallet => Err(VaultError::Failed(
            "hatbox cannot read KWallet's own interface; if aws-vault used KWallet 6 as a Secret Service: \
             --from secret-service"
                .to_owned(),
        )),
        _ => Err(VaultError::Failed(format!("`{kind}` is not available in this build or on this system"))),
    }
}

pub(super) fn failure_of(kind: VaultKind, error: &VaultError) -> Failure {
    let what = format!("aws-vault's store `{kind}` could not be read: {error}");
    let failure = Failure::new(
        match error {
            #[cfg(all(target_os = "linux", feature = "secret-service"))]
            VaultError::Refused(_) => FailureKind::Refused,
            VaultError::Absent(_) | VaultError::Failed(_) => FailureKind::Failed,
        },
        what,
    );
    let failure = match kind {
        VaultKind::File => failure.hint("name its directory with --dir or AWS_VAULT_FILE_DIR"),
        _ => failure,
    };
    failure.hint(BY_HAND)
}
