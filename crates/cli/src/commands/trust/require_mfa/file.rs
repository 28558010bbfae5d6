//! `hatbox trust require-mfa --file`: changes the trust policy in a file.

use std::path::Path;

use hatbox_iam::policy::document::decode_json;
use hatbox_iam::require_mfa::{Effects, Layout, Outcome, Patch, render_diff, require_mfa};
use hatbox_types::text::shell::quote_path;

use super::super::lint::{load, unreadable};
use super::wanted;
use crate::args::TrustRequireMfaArgs;
use crate::errors::{Failure, FailureKind};
use crate::sys::files::{Keep, write_if_unchanged};
use crate::world::World;
use crate::world::dirs::shown_path;

pub(super) fn run(world: &World, file: &Path, args: &TrustRequireMfaArgs) -> Result<(), Failure> {
    let name = shown_path(file);
    if args.apply && file == Path::new("-") {
        let failure = Failure::new(FailureKind::Usage, "stdin cannot be written to");
        return Err(failure.hint("hatbox trust require-mfa --file trust.json --apply"));
    }
    let wanted = wanted(world, args, None)?;
    let bytes = load(file)?;
    let outcome = decode_json(&bytes).and_then(|text| require_mfa(text, &wanted));
    match outcome.map_err(|error| unreadable(&name, &error))? {
        Outcome::Refused(guard) => {
            let failure = Failure::new(FailureKind::Refused, format!("`{name}` is not changed: {guard}"));
            Err(failure.hint(format!("hatbox trust lint {}", quote_path(&file.to_string_lossy()))))
        }
        Outcome::Unchanged(effects) => {
            let text = format!("{name} already requires MFA.\n{}", render_effects(&effects));
            world.output.data(&text)?;
            Ok(())
        }
        Outcome::Patched(patch) => {
            world.output.data(&render_patch(&name, &patch))?;
            if args.apply {
                // Only write if the file still contains what was shown.
                write_if_unchanged(file, &bytes, patch.text.as_bytes(), Keep::ModeAndLink)?;
                world.output.note(&format!("written to {name}"));
            } else {
                world.output.note("nothing was changed; --apply writes it");
            }
            Ok(())
        }
    }
}

fn render_patch(name: &str, patch: &Patch) -> String {
    format!(
        "File {name}\n{}\n{}",
        render_diff(&patch.changes, Layout::AsWritten),
        render_effects(&patch.effects)
    )
}

fn render_effects(effects: &Effects) -> String {
    let mut text = String::new();
    let mut add = |label: &str, all: &[String], tail: &str| {
        for one in all {
            text.push_str(&format!("{label:<18}{one}{tail}\n"));
        }
    };
    add("Keeps access", &effects.keeps, " (with MFA)");
    add("Loses access", &effects.loses, "");
    add("Left alone", &effects.left_alone, "");
    text
}
