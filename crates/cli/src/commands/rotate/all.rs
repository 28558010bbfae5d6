//! `hatbox rotate --all`: rotates every stored key that is old enough, one after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use hatbox_types::duration::{DurationError, parse_duration};
use hatbox_types::name::ProfileName;
use hatbox_types::text;
use serde_json::json;

use super::{render_json, rotate_key_of};
use crate::args::{GlobalArgs, RotateArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;
use crate::world::World;

const DAY: u64 = 24 * 3600;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &RotateArgs) -> Result<(), Failure> {
    let older_than = args.older_than.as_deref().map(parse_age).transpose()?;
    let due = find_due(world, global, older_than)?;
    if due.is_empty() {
        if args.json {
            return Ok(world.output.data(&render_json(&json!({ "rotated": [], "failed": [] })))?);
        }
        world.output.note("no access key is due");
        return Ok(());
    }
    if !args.yes {
        let names: Vec<_> = due.iter().map(|name| format!("`{name}`")).collect();
        let keys = text::count(due.len(), "access key");
        let asked = Confirmation {
            text: &format!("Rotate {keys} ({})? (y|N) ", names.join(", ")),
            because: None,
            hint: "run it on a terminal, or add --yes",
            timeout: world.settings()?.prompt_timeout(),
        };
        if !ask_yes_or_no(world, &asked)? {
            return Err(Failure::new(FailureKind::Cancelled, "nothing was rotated"));
        }
    }
    let (mut rotated, mut failed) = (Vec::new(), Vec::new());
    for profile in &due {
        match rotate_key_of(world, global, args, profile) {
            Ok(done) => {
                if !args.json {
                    done.print(world)?;
                }
                rotated.push(done.render_json());
            }
            // A user who cancels one question does not want the next ones.
            Err(failure) if failure.kind == FailureKind::Cancelled => return Err(failure),
            Err(failure) => {
                failure.print(&world.output);
                failed.push(json!({ "profile": profile.as_str(), "error": failure.error }));
            }
        }
    }
    let count = failed.len();
    if args.json {
        world.output.data(&render_json(&json!({ "rotated": rotated, "failed": failed })))?;
    }
    if count == 0 {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Failed,
        format!("{count} of {} were not rotated", text::count(due.len(), "access key")),
    ))
}

/// Finds the profiles whose key is old enough, or whose rotation is unfinished. A key stored for several profiles is
/// returned once.
fn find_due(
    world: &World,
    global: &GlobalArgs,
    older_than: Option<Duration>,
) -> Result<Vec<ProfileName>, Failure> {
    let mut store = KeyStore::open(world, global)?;
    let index = store.index(Interaction::Allowed)?;
    if index.keys.is_empty() {
        return Ok(Vec::new());
    }
    let under_way: Vec<_> = store.rotations(Interaction::Allowed)?.list()?;
    let under_way: BTreeSet<_> = under_way.into_iter().map(|rotation| rotation.profile).collect();
    let now = world.clock.now().as_second();
    let is_old = |stored_at: i64| {
        older_than.is_none_or(|age| u64::try_from(now - stored_at).is_ok_and(|is| is >= age.as_secs()))
    };
    let mut ids = BTreeSet::new();
    let (first, rest): (Vec<_>, Vec<_>) = index.keys.iter().partition(|key| under_way.contains(&key.profile));
    let rest = rest.into_iter().filter(|key| is_old(key.created.as_second()));
    let due = first.into_iter().chain(rest).filter(|key| ids.insert(key.id.as_str().to_owned()));
    Ok(due.map(|key| key.profile.clone()).collect())
}

/// Parses `90d`, or a duration in the usual form.
fn parse_age(text: &str) -> Result<Duration, Failure> {
    let days =
        text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok()).filter(|days| *days <= 36_500);
    match days {
        Some(days) if days > 0 => Ok(Duration::from_secs(days * DAY)),
        _ => parse_duration(text).map_err(|error| {
            let why = match error {
                DurationError::Form => "expected `90d` or `12h`".to_owned(),
                other => other.to_string(),
            };
            Failure::new(
                FailureKind::Usage,
                format!("invalid `--older-than` `{}`: {why}", text.escape_debug()),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_days_or_a_length_as_everywhere() {
        for (text, seconds) in [("90d", 90 * 86400), ("1d", 86400), ("12h", 43200), ("3600", 3600)] {
            assert_eq!(parse_age(text).unwrap().as_secs(), seconds, "{text}");
        }
        for bad in ["", "d", "0d", "-1d", "1w", "99999999999999999999d", "90 d"] {
            assert!(parse_age(bad).is_err(), "{bad}");
        }
    }
}
