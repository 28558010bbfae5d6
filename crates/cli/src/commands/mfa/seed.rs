//! `hatbox mfa store-seed` and `hatbox mfa remove-seed`.

use std::io::Read;

use hatbox_core::totp::TotpSeed;
use hatbox_types::name::{MfaSerial, ProfileName};
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use super::serial_of;
use crate::args::{GlobalArgs, MfaRemoveSeedArgs, MfaStoreSeedArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::keys::{KeyStore, StoredSeed, warn_of_seed};
use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// In bytes, more than an `otpauth` URL with a seed needs.
const STDIN_LIMIT: u64 = 4096;

pub(super) fn store(world: &World, global: &GlobalArgs, args: &MfaStoreSeedArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let serial = resolve_serial(world, args, &profile)?;
    let mut store = KeyStore::open(world, global)?;
    let is_there = store.read_seed(&profile)?.is_some();
    if is_there && !args.force {
        let stored = format!("`{profile}` already has a TOTP seed");
        let question = Confirmation {
            text: &format!("{stored}. Replace it? (y|N) "),
            because: Some(&stored),
            hint: "run it on a terminal, or add --force",
            timeout: world.settings()?.prompt_timeout(),
        };
        if !ask_yes_or_no(world, &question)? {
            return Err(Failure::new(
                FailureKind::Failed,
                "nothing was stored: the existing seed is unchanged",
            ));
        }
    }
    let seed = if args.stdin { seed_of_stdin()? } else { ask_seed(world, &serial)? };
    let stored = StoredSeed { profile, serial, seed };
    let kind = store.save_seed(&stored)?;
    warn_of_seed(world, kind == store.chosen().map(|(kind, _)| kind));
    let StoredSeed { profile, serial, .. } = stored;
    world.output.note(&format!("stored the TOTP seed of {serial} for profile `{profile}`"));
    Ok(())
}

pub(super) fn remove(world: &World, global: &GlobalArgs, args: &MfaRemoveSeedArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let mut store = KeyStore::open(world, global)?;
    let no_seed =
        || Failure::new(FailureKind::Failed, format!("no TOTP seed is stored for profile `{profile}`"));
    if store.seeds_if_known()?.is_some_and(|seeds| !seeds.contains(&profile)) {
        return Err(no_seed());
    }
    if !args.force {
        let question = Confirmation {
            text: &format!("Delete the TOTP seed of `{profile}`? (y|N) "),
            because: None,
            hint: "run it on a terminal, or add --force",
            timeout: world.settings()?.prompt_timeout(),
        };
        if !ask_yes_or_no(world, &question)? {
            world.output.note("nothing was deleted");
            return Ok(());
        }
    }
    if !store.delete_seed(&profile)? {
        return Err(no_seed());
    }
    world.output.note(&format!("deleted the TOTP seed of `{profile}`"));
    Ok(())
}

fn resolve_serial(
    world: &World,
    args: &MfaStoreSeedArgs,
    profile: &ProfileName,
) -> Result<MfaSerial, Failure> {
    if let Some(text) = &args.mfa_serial {
        return MfaSerial::parse(text).map_err(|error| {
            Failure::new(
                FailureKind::Usage,
                format!("invalid `--mfa-serial` `{}`: {error}", text.escape_debug()),
            )
        });
    }
    let files = load_config(world)?;
    serial_of(&files, profile).ok_or_else(|| {
        let name = quote_word(profile.as_str());
        Failure::new(FailureKind::Usage, format!("profile `{profile}` has no `mfa_serial`"))
            .hint(format!("name the device: hatbox mfa store-seed --mfa-serial SERIAL {name}"))
    })
}

fn seed_of_stdin() -> Result<TotpSeed, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let read = std::io::stdin().lock().take(STDIN_LIMIT).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new(FailureKind::Usage, "could not read the TOTP seed from standard input").caused_by(&error)
    })?;
    TotpSeed::parse(&text).map_err(|error| Failure::of_error(FailureKind::Usage, &error))
}

/// Asks for the seed until it is valid.
fn ask_seed(world: &World, serial: &MfaSerial) -> Result<TotpSeed, Failure> {
    let text = format!("TOTP seed of {serial} (not shown): ");
    let question = Question {
        text: &text,
        echo: Echo::Hidden,
        timeout: world.settings()?.prompt_timeout(),
        is_over: &|| false,
    };
    loop {
        let answer = world.prompter().ask_line(&question).map_err(|error| match error {
            PromptError::Cancelled => Failure::new(FailureKind::Cancelled, "cancelled: nothing was stored"),
            other => Failure::new(FailureKind::NeedsPerson, "could not ask for the TOTP seed")
                .caused_by(&other)
                .hint("pass it on standard input: --stdin"),
        })?;
        match TotpSeed::parse(answer.expose()) {
            Ok(seed) => return Ok(seed),
            Err(error) => world.prompter().reject(&error.to_string()),
        }
    }
}
