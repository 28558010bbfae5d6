//! `hatbox sso populate`: writes a profile for each account and role into a block of the AWS config.

use std::collections::BTreeSet;

use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::populate::block::{Block, BlockError, find_block};
use hatbox_core::populate::merge::{Changes, PopulateError, Row, Wanted, populate};
use hatbox_core::populate::template::{DEFAULT_TEMPLATE, NameTemplate};
use hatbox_types::name::Region;
use hatbox_types::text;
use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, SsoPopulateArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::credentials::sso::{AssignedRoles, SignInTargets};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::keys::KeyStore;
use crate::output::render_page;
use crate::world::World;

pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    targets: &SignInTargets<'_>,
    args: &SsoPopulateArgs,
) -> Result<(), Failure> {
    let target = targets.find(world, args.name.as_deref())?;
    let files = targets.files;
    let session = target.sso.session.clone().ok_or_else(no_session)?;
    // Check that the block can be changed before anything is asked or fetched.
    let text = files.config.document(FileKind::Config).text();
    let block = find_block(text, &session).map_err(|error| block_failure(files, &error))?;
    let template = resolve_template(args, block.as_ref())?;
    let region = resolve_region(args, block)?;
    let mut store = KeyStore::open(world, global)?;
    let sessions = store.sessions_or_create()?;
    let assigned = target.sign_in(world, &sessions)?.fetch_assigned_roles()?;
    let taken = names_elsewhere(files, &mut store)?;
    let wanted = Wanted {
        session: &session,
        template: &template,
        region: region.as_ref(),
        roles: &assigned.roles,
        taken: &taken,
    };
    let make = |text: &[u8]| populate(text, &wanted).map_err(|error| populate_failure(files, &error));
    let (new, changes) = make(text)?;
    let is_same = new == text;
    report(world, args, &session, &assigned, &changes)?;
    let shown = files.shown(FileKind::Config);
    if is_same {
        world.output.note(&format!("the profiles of `{session}` in {shown} are up to date"));
        return Ok(());
    }
    if args.dry_run {
        world.output.note("nothing was written, because of --dry-run");
        return Ok(());
    }
    let question = Confirmation {
        text: &format!("Write these changes to {shown}? (y|N) "),
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if !args.yes && !ask_yes_or_no(world, &question)? {
        world.output.note("nothing was written");
        return Ok(());
    }
    files.change(world, |before| Ok(make(before)?.0))?;
    world.output.note(&format!("wrote the profiles of `{session}` to {shown}"));
    Ok(())
}

fn no_session() -> Failure {
    let text = "the profiles need an `[sso-session]`, which they share, and this profile has none";
    Failure::new(FailureKind::Usage, text)
        .hint("move `sso_start_url` and `sso_region` to a section `[sso-session NAME]` of the config")
        .hint("and add `sso_session = NAME` to the profile")
}

/// Returns the template of the options, or else that of the last run.
fn resolve_template(args: &SsoPopulateArgs, block: Option<&Block>) -> Result<NameTemplate, Failure> {
    let has_options = args.template.is_some() || args.prefix.is_some() || args.lower_case;
    if !has_options && let Some(template) = block.and_then(|block| block.template.clone()) {
        return Ok(template);
    }
    let text = args.template.as_deref().unwrap_or(DEFAULT_TEMPLATE);
    let text = format!("{}{text}", args.prefix.as_deref().unwrap_or_default());
    let template = NameTemplate::parse(&text).map_err(|error| {
        Failure::new(FailureKind::Usage, format!("invalid template `{}`", text.escape_debug()))
            .caused_by(&error)
            .hint(format!("the default is '{DEFAULT_TEMPLATE}'"))
    })?;
    Ok(if args.lower_case { template.in_lower_case() } else { template })
}

fn resolve_region(args: &SsoPopulateArgs, block: Option<Block>) -> Result<Option<Region>, Failure> {
    let Some(text) = &args.region else { return Ok(block.and_then(|block| block.region)) };
    let region = Region::parse(text).map_err(|_| {
        let text = text.escape_debug();
        Failure::new(
            FailureKind::Usage,
            format!("invalid `--region` `{text}`: expected one such as `eu-west-1`"),
        )
    })?;
    Ok(Some(region))
}

/// Returns names that would mean something other than the role: those in the credentials file, and those of stored
/// keys.
fn names_elsewhere(files: &ConfigFiles, store: &mut KeyStore) -> Result<BTreeSet<String>, Failure> {
    let sections = files.config.document(FileKind::Credentials).sections();
    let profiles = sections.filter(|section| section.kind() == SectionKind::Profile);
    let mut names: BTreeSet<_> = profiles.map(|section| section.name().into_owned()).collect();
    let index = store.index_if_known()?.unwrap_or_default();
    names.extend(index.keys.iter().map(|key| key.profile.as_str().to_owned()));
    Ok(names)
}

fn report(
    world: &World,
    args: &SsoPopulateArgs,
    session: &str,
    assigned: &AssignedRoles,
    changes: &Changes,
) -> Result<(), Failure> {
    let left_out = changes
        .left_out
        .iter()
        .map(|(role, why)| (role.account_id.as_str(), &role.role_name, why))
        .chain(assigned.invalid.iter().map(|(account, role, why)| (account.as_str(), role, why)));
    for (account, role, why) in left_out.clone() {
        world.output.warn(&format!("no profile for the role `{role}` in account `{account}`: {why}"));
    }
    if args.json {
        let left_out: Vec<_> = left_out
            .map(|(account, role, why)| json!({"account_id": account, "role_name": role, "reason": why.to_string()}))
            .collect();
        let rows = |rows: &[Row]| rows.iter().map(row_json).collect::<Vec<_>>();
        let value = json!({
            "session": session,
            "accounts": assigned.accounts,
            "added": rows(&changes.added),
            "removed": rows(&changes.removed),
            "changed": rows(&changes.changed),
            "unchanged": changes.unchanged,
            "left_out": left_out,
        });
        return Ok(world.output.data(&format!("{value:#}\n"))?);
    }
    let mut table = Table::default();
    let kinds = [
        ("+", Style::Good, &changes.added),
        ("-", Style::Bad, &changes.removed),
        ("~", Style::Warning, &changes.changed),
    ];
    for (sign, style, rows) in kinds {
        for row in rows {
            let before = row.renamed_from.as_ref().map(|name| format!("was {name}")).unwrap_or_default();
            table.row(&[
                (sign, style),
                (row.name.as_str(), Style::Plain),
                (row.account_id.as_str(), Style::Quiet),
                (row.role_name.as_str(), Style::Quiet),
                (before.as_str(), Style::Plain),
            ]);
        }
    }
    let summary = format!(
        "{}: {} added, {} removed, {} changed, {} unchanged\n",
        text::count(assigned.accounts, "account"),
        changes.added.len(),
        changes.removed.len(),
        changes.changed.len(),
        changes.unchanged
    );
    Ok(world.output.data(&format!("{}{summary}", render_page(&table.into_page())))?)
}

fn row_json(row: &Row) -> Value {
    json!({
        "profile": row.name,
        "account_id": row.account_id,
        "role_name": row.role_name,
        "renamed_from": row.renamed_from,
    })
}

fn populate_failure(files: &ConfigFiles, error: &PopulateError) -> Failure {
    match error {
        PopulateError::Block(error) => block_failure(files, error),
        PopulateError::Profile { .. } => Failure::of_error(FailureKind::Usage, error)
            .at(files.shown(FileKind::Config))
            .hint("fix the line by hand, and run it again"),
    }
}

fn block_failure(files: &ConfigFiles, error: &BlockError) -> Failure {
    let failure = Failure::of_error(FailureKind::Usage, error);
    let shown = files.shown(FileKind::Config);
    let failure = match error.line() {
        Some(line) => failure.at(format!("{shown}:{line}")),
        None => failure.at(shown),
    };
    match error {
        BlockError::Marks { .. } => {
            failure.hint("delete the marks and what is left between them, and run it again")
        }
        BlockError::Foreign { .. } => failure.hint("move it out of the block"),
        BlockError::Below { .. } => failure.hint("move it below the header of its profile"),
        BlockError::Remembered { .. } => failure.hint("fix the line, or delete it"),
        BlockError::TooLarge(_) => failure,
    }
}
