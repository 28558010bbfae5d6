//! Prints an answer as text, or as JSON together with its sources.

use hatbox_iam::accounts::Accounts;
use hatbox_types::text::page::Page;
use serde_json::{Value, json};

use crate::errors::Failure;
use crate::output::render_page;
use crate::world::World;

/// Prints `json` if JSON was requested, otherwise the text from `page`.
pub(super) fn print(
    world: &World,
    accounts: &Accounts,
    json: Option<Value>,
    page: impl FnOnce() -> Page,
) -> Result<(), Failure> {
    let Some(mut json) = json else { return Ok(world.output.data(&render_page(&page()))?) };
    let sources = accounts.origins.iter().map(|origin| {
        json!({
            "name": origin.name,
            "kind": origin.kind.label(),
            "taken": origin.taken.map(|taken| taken.to_string()),
        })
    });
    let sources = sources.collect::<Vec<_>>();
    let notes: Vec<_> = accounts.notes.iter().map(|note| note.text.as_str()).collect();
    if let Some(answer) = json.as_object_mut() {
        answer.insert("sources".to_owned(), json!(sources));
        answer.insert("notes".to_owned(), json!(notes));
    }
    Ok(world.output.data(&format!("{json:#}\n"))?)
}
