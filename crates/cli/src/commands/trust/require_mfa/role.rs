//! `hatbox trust require-mfa ROLE`: changes the trust policy of a role in IAM, after reporting who would lose access.

use std::path::Path;
use std::time::Duration;

use hatbox_core::config::{Overrides, Which, resolve_profile};
use hatbox_iam::accounts::Accounts;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::report::impact::{Impact, impact};
use hatbox_iam::require_mfa::{Guard, Layout, Outcome, Patch, render_diff, require_mfa};
use hatbox_types::arn::Arn;
use hatbox_types::name::{ProfileName, RoleArn};
use hatbox_types::text::shell::{quote_path, quote_word};

use super::super::sources::{load_from, load_live};
use super::wanted;
use crate::args::{GlobalArgs, TrustRequireMfaArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::iam::{LiveIam, ReadBack, RoleFacts, load_backup, open_iam, save_backup, verify};
use crate::output::render_page;
use crate::world::World;
use crate::world::dirs::shown_path;

/// How long the user may take to answer.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustRequireMfaArgs) -> Result<(), Failure> {
    let live = open_iam(world, global, args.profile.as_deref(), args.mfa_token.as_deref())?;
    if let Some(path) = &args.restore {
        return restore(world, &live, path, args);
    }
    let named = args.role.as_deref().unwrap_or_default();
    let verified = if args.verify { Some(profile_to_verify(world, named)?) } else { None };
    let role = find_role(world, &live, named)?;
    let outcome = require_mfa(&role.trust, &wanted(world, args, Some(&role.arn))?).map_err(|error| {
        let what = format!("the trust policy of `{}` cannot be read", role.name);
        Failure::new(FailureKind::Failed, what).caused_by(&error)
    })?;
    let account = Arn::parse(&role.arn).map_or("", |arn| arn.account);
    let mut text = format!("Role {}, account {account}, trust policy as of now\n", role.name);
    let patch = match outcome {
        Outcome::Patched(patch) => patch,
        Outcome::Refused(guard) => return Err(failure_of(&role, &guard)),
        Outcome::Unchanged(_) => {
            text.push_str("Nothing to do: it already requires MFA.\n");
            world.output.data(&text)?;
            return verify_by(world, global, verified.as_ref());
        }
    };
    if live.leads_without_mfa_through(&role.arn) {
        let profile = &live.profile;
        let error = format!("`{profile}` itself uses `{}` without MFA, and would lose access", role.name);
        return Err(Failure::new(FailureKind::Refused, error)
            .hint("name another profile with --profile, or set `mfa_serial` in this one"));
    }
    text.push_str(&render_diff(&patch.changes, Layout::ByMember));
    let accounts = load_from(world, global, &args.from, args.mfa_token.as_deref())?;
    text.push_str(&render_impact(find_impact(world, accounts, &live, &role, &patch).as_ref(), &patch));
    if !args.apply {
        world.output.data(&text)?;
        world.output.note("nothing was changed; --apply writes it");
        return Ok(());
    }
    world.output.data(&text)?;
    replace(world, &live, &role, &patch.text, args)?;
    verify_by(world, global, verified.as_ref())
}

/// Returns the profile that assumes the role, to verify the change with.
fn profile_to_verify(world: &World, named: &str) -> Result<ProfileName, Failure> {
    match ProfileName::parse(named) {
        Ok(profile) if role_of_profile(world, named)?.is_some() => Ok(profile),
        _ => {
            let error = format!("`--verify` needs the profile of the role, and `{named}` is not one");
            Err(Failure::new(FailureKind::Usage, error).hint("give the profile instead of the role"))
        }
    }
}

fn verify_by(world: &World, global: &GlobalArgs, profile: Option<&ProfileName>) -> Result<(), Failure> {
    let Some(profile) = profile else { return Ok(()) };
    verify(world, global, profile)?;
    world.output.note("verified: AWS denies the role without an MFA code and allows it with one");
    Ok(())
}

fn failure_of(role: &RoleFacts, guard: &Guard) -> Failure {
    let failure = Failure::new(FailureKind::Refused, format!("`{}` is not changed: {guard}", role.name));
    match guard {
        Guard::NoOneHasMfa => {
            failure.hint("services, providers and roles never have MFA: nothing was changed")
        }
        Guard::TooLong { .. } => {
            failure.hint("shorten the policy, or have the quota \"Role trust policy length\" raised")
        }
        _ => failure,
    }
}

/// Finds the role by ARN, by name in the profile's account, or by a profile that assumes it.
fn find_role(world: &World, live: &LiveIam, text: &str) -> Result<RoleFacts, Failure> {
    if let Ok(arn) = RoleArn::parse(text) {
        return fetch_by_arn(live, &arn);
    }
    let failure = match live.fetch_role(text) {
        Ok(role) => return Ok(role),
        Err(failure) => failure,
    };
    match role_of_profile(world, text)? {
        Some(arn) => fetch_by_arn(live, &arn),
        None => Err(failure),
    }
}

/// A name could be that of a role in another account, so the ARN is compared.
fn fetch_by_arn(live: &LiveIam, arn: &RoleArn) -> Result<RoleFacts, Failure> {
    let role = live.fetch_role(arn.role_name())?;
    if role.arn == arn.as_str() {
        return Ok(role);
    }
    let error = format!("`{}` reaches `{}`, not `{arn}`", live.profile, role.arn);
    Err(Failure::new(FailureKind::Usage, error).hint("name a profile of the role's account with --profile"))
}

fn role_of_profile(world: &World, text: &str) -> Result<Option<RoleArn>, Failure> {
    let Ok(name) = ProfileName::parse(text) else { return Ok(None) };
    let files = load_config(world)?;
    let profile = resolve_profile(&files.config, &name, &Overrides::default(), Which::Source)
        .map_err(|error| files.failure_of(&error))?;
    Ok(profile.role_arn.map(|said| said.value))
}

/// Determines who gains and who loses access; `None` without permission to read the account.
fn find_impact(
    world: &World,
    mut accounts: Accounts,
    live: &LiveIam,
    role: &RoleFacts,
    patch: &Patch,
) -> Option<Impact> {
    if let Err(failure) = load_live(world, live, &mut accounts) {
        let why = failure.causes.first().unwrap_or(&failure.error);
        world.output.note(&format!("cannot find out who keeps and who loses access: {why}"));
        return None;
    }
    let given = Assumptions { context: Vec::new(), now: world.clock.now() };
    impact(&accounts, &role.arn, &role.trust, &patch.text, &given)
}

fn render_impact(impact: Option<&Impact>, patch: &Patch) -> String {
    let mut text = impact.map(|impact| render_page(&impact.render())).unwrap_or_default();
    if !patch.effects.left_alone.is_empty() {
        text.push_str(&format!("{:<18}{}\n", "Left alone", patch.effects.left_alone.join(", ")));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Restores a trust policy from its backup.
fn restore(world: &World, live: &LiveIam, path: &Path, args: &TrustRequireMfaArgs) -> Result<(), Failure> {
    let backup = load_backup(path)?;
    let role = fetch_by_arn(live, &backup.role)?;
    world.output.data(&format!("Role {}: the trust policy kept in {}\n", backup.role, shown_path(path)))?;
    replace(world, live, &role, &backup.trust, args)
}

/// Asks for confirmation, backs the policy up, writes the new one and reads it back.
fn replace(
    world: &World,
    live: &LiveIam,
    role: &RoleFacts,
    policy: &str,
    args: &TrustRequireMfaArgs,
) -> Result<(), Failure> {
    if !args.yes {
        let asked = Confirmation {
            text: &format!("Write it to {}? (y|N) ", role.arn),
            because: None,
            hint: "run it on a terminal, or add --yes",
            timeout: PATIENCE,
        };
        if !ask_yes_or_no(world, &asked)? {
            return Err(Failure::new(FailureKind::Cancelled, "not written"));
        }
    }
    live.check_unchanged(role)?;
    let backup = save_backup(world, role)?;
    let undo_command = undo_command(live, &backup);
    let read_back = live.replace_trust(world, role, policy).map_err(|failure| {
        failure.hint(format!("if it was written, this restores the old policy: {undo_command}"))
    })?;
    let done = match read_back {
        ReadBack::New => "written, and read back",
        ReadBack::OldStill => {
            "written; IAM still returns the old policy, because changes take a few seconds to propagate"
        }
    };
    world.output.note(&format!("{done}; to restore the old policy:"));
    world.output.hint(&undo_command);
    Ok(())
}

fn undo_command(live: &LiveIam, backup: &Path) -> String {
    format!(
        "hatbox trust require-mfa --profile {} --restore {}",
        quote_word(live.profile.as_str()),
        quote_path(&backup.display().to_string())
    )
}
