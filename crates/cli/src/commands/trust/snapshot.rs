//! `hatbox trust snapshot`: saves all IAM data of one or more accounts to a file.

use std::path::Path;

use crate::args::{GlobalArgs, TrustSnapshotArgs};
use crate::credentials::request::resolve_profile_name;
use crate::errors::Failure;
use crate::iam::{AccountSnapshot, READ_ACTIONS, fetch_account, open_iam, render_snapshot};
use crate::sys::output_file::write_output;
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustSnapshotArgs) -> Result<(), Failure> {
    let profiles: Vec<Option<&str>> = match args.profiles.as_slice() {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str())).collect(),
    };
    if args.dry_run {
        return show_actions(world, &profiles);
    }
    let Some(output) = &args.output else { return Ok(()) };
    let mut accounts: Vec<AccountSnapshot> = Vec::new();
    for profile in profiles {
        let live = open_iam(world, global, profile, args.mfa_token.as_deref())?;
        world.output.debug(|| format!("reading the account of `{}`", live.profile));
        let account = fetch_account(&live, world.clock.now())?;
        for note in &account.notes {
            world.output.note(&format!("account {}: {note}", account.account));
        }
        if accounts.iter().any(|there| there.account == account.account) {
            let why = "was read by an earlier profile already";
            world.output.warn(&format!("account {} of `{}` {why}", account.account, live.profile));
        } else {
            accounts.push(account);
        }
    }
    let text = render_snapshot(&accounts);
    if output == Path::new("-") {
        return Ok(world.output.data(&text)?);
    }
    let path = std::path::absolute(output).unwrap_or_else(|_| output.clone());
    write_output(&path, text.as_bytes())?;
    let sum = |count: fn(&AccountSnapshot) -> usize| accounts.iter().map(count).sum::<usize>();
    world.output.note(&format!(
        "saved {}, {} and {} in `{}`",
        counted(accounts.len(), "account"),
        counted(sum(|account| account.user_count), "user"),
        counted(sum(|account| account.role_count), "role"),
        output.display(),
    ));
    Ok(())
}

fn show_actions(world: &World, profiles: &[Option<&str>]) -> Result<(), Failure> {
    let mut text = String::new();
    for profile in profiles {
        let profile = resolve_profile_name(*profile, &world.environment)?;
        text.push_str(&format!("Would ask IAM, with the credentials of `{profile}`:\n"));
        for (action, what) in READ_ACTIONS {
            text.push_str(&format!("  {action:<36}{what}\n"));
        }
    }
    Ok(world.output.data(&text)?)
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
