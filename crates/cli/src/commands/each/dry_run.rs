//! `hatbox each --dry-run`: shows the profiles and what each would ask for, without asking, calling or running
//! anything.

use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use serde_json::json;

use crate::args::EachArgs;
use crate::credentials::several::{Candidate, Need};
use crate::errors::Failure;
use crate::output::render_page;
use crate::world::World;

/// What a profile needs.
struct Row {
    profile: String,
    account: Option<String>,
    needs: Vec<String>,
    failure: Option<String>,
    /// `None` if the store is locked.
    is_ready: Option<bool>,
}

impl Row {
    fn of_candidate(candidate: Candidate) -> Self {
        let profile = candidate.profile.to_string();
        let mut run = match candidate.run {
            Ok(run) => run,
            Err(failure) => {
                return Self {
                    profile,
                    account: None,
                    needs: Vec::new(),
                    failure: Some(failure.error),
                    is_ready: None,
                };
            }
        };
        let account = run.account().map(str::to_owned);
        match run.outlook() {
            Ok(Some(outlook)) => {
                let needs = outlook.needs.iter().map(Need::render).collect();
                Self { profile, account, needs, failure: None, is_ready: Some(outlook.is_ready) }
            }
            Ok(None) => Self { profile, account, needs: Vec::new(), failure: None, is_ready: None },
            Err(failure) => {
                Self { profile, account, needs: Vec::new(), failure: Some(failure.error), is_ready: None }
            }
        }
    }

    fn state(&self) -> (String, Style) {
        match (&self.failure, self.is_ready) {
            (Some(failure), _) => (failure.clone(), Style::Bad),
            (None, Some(true)) => ("ready".to_owned(), Style::Good),
            (None, Some(false)) if self.needs.is_empty() => ("a call to AWS".to_owned(), Style::Plain),
            (None, Some(false)) => (format!("needs {}", self.needs.join(" and ")), Style::Warning),
            (None, None) => ("locked".to_owned(), Style::Quiet),
        }
    }
}

pub(super) fn show(world: &World, args: &EachArgs, candidates: Vec<Candidate>) -> Result<(), Failure> {
    let rows: Vec<_> = candidates.into_iter().map(Row::of_candidate).collect();
    if args.json {
        for row in &rows {
            let value = json!({
                "profile": row.profile,
                "account_id": row.account,
                "ready": row.is_ready,
                "needs": row.needs,
                "error": row.failure,
            });
            world.output.data(&format!("{value}\n"))?;
        }
        return Ok(());
    }
    let mut table = Table::default();
    for row in &rows {
        let (state, style) = row.state();
        let account = row.account.as_deref().unwrap_or("-");
        table.row(&[(row.profile.as_str(), Style::Plain), (account, Style::Quiet), (state.as_str(), style)]);
    }
    Ok(world.output.data(&render_page(&table.into_page()))?)
}
