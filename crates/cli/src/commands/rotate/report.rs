//! The output of `rotate`: hatbox's lines, aws-vault's if called by that name, or JSON.

use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::text;
use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use serde_json::{Value, json};

use crate::errors::Failure;
use crate::output::CalledAs;
use crate::store::rotations::{Rotation, RotationStep};
use crate::world::World;

/// A completed rotation.
pub(super) struct Rotated {
    pub(super) rotation: Rotation,
    pub(super) new: AccessKeyId,
    /// Whether an earlier run had started it.
    pub(super) is_resumed: bool,
    /// The number of cached sessions of the old key that were deleted.
    pub(super) sessions: usize,
}

/// The progress of a rotation.
pub(super) enum Progress<'a> {
    Begun {
        profile: &'a ProfileName,
        /// The profile that the user named.
        asked: &'a ProfileName,
        /// Whether a session signs the call, instead of the key.
        session: bool,
    },
    Creating,
    Created(&'a AccessKeyId),
    Removing(&'a AccessKeyId),
    Removed(&'a AccessKeyId),
}

/// Prints a step if aws-vault prints it.
pub(super) fn print_progress(world: &World, progress: &Progress<'_>) {
    if world.output.called_as() == CalledAs::Hatbox {
        return;
    }
    let shown = |id: &AccessKeyId| {
        let masked = id.masked();
        format!("{}{}", "*".repeat(16), masked.trim_start_matches('*'))
    };
    let text = match progress {
        Progress::Begun { profile, asked, session: true } => format!(
            "Rotating credentials stored for profile '{profile}' using a session from profile '{asked}' (takes 10-20 \
             seconds)"
        ),
        Progress::Begun { profile, session: false, .. } => {
            format!(
                "Rotating credentials stored for profile '{profile}' using master credentials (takes 10-20 seconds)"
            )
        }
        Progress::Creating => "Creating a new access key".to_owned(),
        Progress::Created(id) => format!("Created new access key {}", shown(id)),
        Progress::Removing(id) => format!("Deleting old access key {}", shown(id)),
        Progress::Removed(id) => format!("Deleted old access key {}", shown(id)),
    };
    // A closed stdout must not stop the rotation.
    world.output.data(&format!("{text}\n")).ok();
}

impl Rotated {
    pub(super) fn print(&self, world: &World) -> Result<(), Failure> {
        if world.output.called_as() == CalledAs::AwsVault {
            return Ok(world.output.data("Finished rotating access key\n")?);
        }
        let Self { rotation, new, sessions, .. } = self;
        world.output.note(&format!(
            "rotated the access key of `{}`: {} is stored, {} is deleted",
            rotation.profile,
            new.masked(),
            rotation.old.masked()
        ));
        if !rotation.others.is_empty() {
            let names: Vec<_> = rotation.others.iter().map(|name| format!("`{name}`")).collect();
            world.output.note(&format!(
                "the same key was stored for {}: the new one is stored there too",
                names.join(", ")
            ));
        }
        if *sessions > 0 {
            world
                .output
                .note(&format!("deleted {} of the old key", text::count(*sessions, "cached session")));
        }
        Ok(())
    }

    pub(super) fn render_json(&self) -> Value {
        let Self { rotation, new, is_resumed, sessions } = self;
        json!({
            "profile": rotation.profile.as_str(),
            "other_profiles": rotation.others.iter().map(ProfileName::as_str).collect::<Vec<_>>(),
            "user": rotation.user,
            "old_access_key": rotation.old.masked(),
            "new_access_key": new.masked(),
            "resumed": is_resumed,
            "sessions_deleted": sessions,
        })
    }
}

/// Renders a table of the unfinished rotations.
pub(super) fn render_status(rotations: &[Rotation]) -> String {
    if rotations.is_empty() {
        return "No unfinished rotations.\n".to_owned();
    }
    let mut table = Table::default();
    table.row(&["Profile", "Old key", "New key", "Begun", "State"].map(|cell| (cell, Style::Strong)));
    for rotation in rotations {
        let new = rotation.step.new_id().map_or("-".to_owned(), AccessKeyId::masked);
        let state = match &rotation.step {
            RotationStep::Creating { .. } => "the new key is being created",
            RotationStep::Created(_) => "the new key is created, and not in use yet",
            RotationStep::Stored(_) => "the new key is in use, the old one still active",
            RotationStep::Deactivated(_) => "the old key is inactive, and not deleted yet",
        };
        let begun = rotation.begun_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let cells = [rotation.profile.as_str(), &rotation.old.masked(), &new, &begun, state];
        table.row(&cells.map(|cell| (cell, Style::Plain)));
    }
    table.into_page().to_string()
}

pub(super) fn render_status_json(rotations: &[Rotation]) -> Value {
    let rotations = rotations.iter().map(|rotation| {
        json!({
            "profile": rotation.profile.as_str(),
            "other_profiles": rotation.others.iter().map(ProfileName::as_str).collect::<Vec<_>>(),
            "user": rotation.user,
            "old_access_key": rotation.old.masked(),
            "new_access_key": rotation.step.new_id().map(AccessKeyId::masked),
            "begun": rotation.begun_at.to_string(),
            "step": rotation.step.as_str(),
        })
    });
    json!({ "rotations": rotations.collect::<Vec<_>>() })
}
