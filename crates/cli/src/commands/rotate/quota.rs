//! AWS allows two access keys per user: finds the one in the way of a new key, and whether it can be deleted.

use std::time::Duration;

use hatbox_types::name::AccessKeyId;
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::aws::iam::{KeyStatus, LastUse, ListedKey};
use crate::errors::{Failure, FailureKind};
use crate::iam::{IamUser, OwnKeys};
use crate::store::index::Index;
use crate::world::World;

/// How long the user may take to answer.
const PATIENCE: Duration = Duration::from_mins(10);

/// Makes room for a new key beside `old`: deletes an inactive key after the user confirms.
///
/// # Errors
/// If the other key is active, or no one confirmed.
pub(super) fn make_room(
    world: &World,
    keys: &OwnKeys,
    listed: &[ListedKey],
    old: &AccessKeyId,
    index: &Index,
) -> Result<(), Failure> {
    let user = &keys.user.name;
    let mut others = listed.iter().filter(|key| key.id != *old);
    let inactive = others.clone().find(|key| key.status == KeyStatus::Inactive);
    let Some(other) = inactive.or_else(|| others.next()) else { return Ok(()) };
    // Without the permission, only the last use is missing.
    let last_use = keys.fetch_last_use(&other.id).ok();
    let shown = render_key(other, last_use.as_ref(), world.clock.now());
    let in_the_way = format!("`{user}` has two access keys already, and AWS allows no more");
    let stored_for = index.keys.iter().find(|key| key.id == other.id).map(|key| &key.profile);
    if let Some(profile) = stored_for {
        let name = quote_word(profile.as_str());
        return Err(Failure::new(FailureKind::Refused, in_the_way)
            .because(format!("the other one is {shown}, stored for profile `{profile}`"))
            .hint(format!("if it is no longer needed, delete it in IAM and here: hatbox remove {name}")));
    }
    if other.status == KeyStatus::Active {
        return Err(Failure::new(FailureKind::Refused, in_the_way)
            .because(format!("the other one is {shown}"))
            .hint(
                "it may be in use elsewhere; if it is not, deactivate it in IAM and run the command again",
            ));
    }
    let confirmation = Confirmation {
        text: &format!("{in_the_way}. Delete {shown}? (y|N) "),
        because: Some(&format!("{in_the_way}; the other one is {shown}")),
        hint: "run it on a terminal, or delete that key in IAM",
        timeout: PATIENCE,
    };
    if !ask_yes_or_no(world, &confirmation)? {
        return Err(Failure::new(FailureKind::Cancelled, "nothing was changed: both keys stay"));
    }
    match keys.delete(&other.id) {
        Ok(()) => {
            world.output.note(&format!("deleted the inactive access key {}", other.id.masked()));
            Ok(())
        }
        Err(error) => {
            Err(keys.failure("could not delete the inactive access key", "iam:DeleteAccessKey", &error))
        }
    }
}

/// Asks for confirmation to delete a key that either the rotation or the user created.
///
/// # Errors
/// If no one confirmed.
pub(super) fn confirm_lost(world: &World, user: &IamUser, shown: &str) -> Result<(), Failure> {
    let found = format!("`{}` has {shown}, which the rotation may have created", user.name);
    let confirmation = Confirmation {
        text: &format!("{found}; then its secret is lost. Delete it? (y|N) "),
        because: Some(&found),
        hint: "run it on a terminal, or delete that key in IAM if it is not in use",
        timeout: PATIENCE,
    };
    if ask_yes_or_no(world, &confirmation)? {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Cancelled, "nothing was changed: both keys stay")
        .hint("to keep that key, store it with `hatbox add` and delete the old one in IAM"))
}

/// Renders a key: `the inactive access key ****ABCD (created 2024-05-01, last used 3 days ago: s3 in eu-central-1)`.
/// `last_use` is `None` without the permission to get it.
pub(super) fn render_key(key: &ListedKey, last_use: Option<&Option<LastUse>>, now: Timestamp) -> String {
    let status = match key.status {
        KeyStatus::Active => "active",
        KeyStatus::Inactive => "inactive",
    };
    let created = key.created_at.map(|at| format!("created {}", at.strftime("%Y-%m-%d")));
    let used = last_use.map(|used| match used {
        None => "never used".to_owned(),
        Some(used) => {
            format!("last used {}: {} in {}", render_days_ago(used.at, now), used.service, used.region)
        }
    });
    let facts: Vec<String> = created.into_iter().chain(used).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("the {status} access key {}{facts}", key.id.masked())
}

fn render_days_ago(at: Timestamp, now: Timestamp) -> String {
    match (now.as_second() - at.as_second()) / 86400 {
        ..1 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_with_what_is_known_of_it() {
        let day = |day: i64| Timestamp::from_second(1_700_000_000 + day * 86400).unwrap();
        let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        let key = ListedKey { id, status: KeyStatus::Inactive, created_at: Some(day(0)) };
        let used = LastUse { at: day(10), service: "s3".to_owned(), region: "eu-central-1".to_owned() };
        for (last_use, text) in [
            (None, "the inactive access key ****MPLE (created 2023-11-14)"),
            (Some(None), "the inactive access key ****MPLE (created 2023-11-14, never used)"),
            (
                Some(Some(used)),
                "the inactive access key ****MPLE (created 2023-11-14, last used 3 days ago: s3 in eu-central-1)",
            ),
        ] {
            assert_eq!(render_key(&key, last_use.as_ref(), day(13)), text);
        }
        let bare = ListedKey { status: KeyStatus::Active, created_at: None, ..key };
        assert_eq!(render_key(&bare, None, day(13)), "the active access key ****MPLE");
    }
}
