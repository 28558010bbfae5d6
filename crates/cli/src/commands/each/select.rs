//! Selects profiles: by name, pattern, list, tag and account.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use hatbox_types::name::{AccountId, ProfileName};
use hatbox_types::text;
use hatbox_types::text::glob::matches_glob;

use crate::args::EachArgs;
use crate::credentials::several::{Candidate, Several};
use crate::errors::{Failure, FailureKind};
use crate::world::World;

/// In bytes, more than any list of profiles needs.
const LIST_LIMIT: u64 = 4 << 20;

/// Checks what can be checked without the profiles, before the store has to be unlocked.
pub(super) fn check_selection(args: &EachArgs) -> Result<(), Failure> {
    let is_named = is_named(args);
    let is_filtered = !args.tag.is_empty() || !args.account.is_empty();
    if args.all && is_named {
        return Err(usage("`--all` cannot be used with profile names"));
    }
    if !args.all && !is_named && !is_filtered {
        return Err(usage("no profiles given").hint(
            "name profiles or a pattern such as 'prod-*', or select them by --tag, --account or --from; --all uses all",
        ));
    }
    for account in &args.account {
        AccountId::parse(account).map_err(|_| {
            usage(format!("invalid account `{}`: expected 12 digits", account.escape_debug()))
        })?;
    }
    Ok(())
}

fn is_named(args: &EachArgs) -> bool {
    !args.profiles.is_empty() || !args.from.is_empty()
}

/// Returns the selected profiles with their plans, each once: in the order of the words, and for a pattern in config
/// order.
pub(super) fn select(world: &World, several: &Several, args: &EachArgs) -> Result<Vec<Candidate>, Failure> {
    let mut found = Found { all: several.names(), chosen: Vec::new(), by_name: BTreeSet::new() };
    for word in &args.profiles {
        found.add(several, word, "")?;
    }
    for path in &args.from {
        for (number, line) in load_list(world, path)?.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                found.add(several, line, &format!("{}:{}", world.dirs.shown(path), number + 1))?;
            }
        }
    }
    if !is_named(args) {
        found.chosen.clone_from(&found.all);
    }
    let mut seen = BTreeSet::new();
    let Found { mut chosen, by_name, .. } = found;
    chosen.retain(|name| {
        let is_left_out = args.exclude.iter().any(|pattern| matches_glob(pattern, name.as_str()));
        !is_left_out && seen.insert(name.clone()) && has_tags(several, name, &args.tag)
    });
    let mut candidates = several.resolve(chosen)?;
    if !args.account.is_empty() {
        candidates.retain(|candidate| is_of_account(candidate, &args.account));
    }
    leave_out_without_identity(world, &mut candidates, &by_name);
    if candidates.is_empty() {
        return Err(usage("no profile matches").hint("`hatbox list --profiles` shows the names"));
    }
    Ok(candidates)
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, text)
}

struct Found {
    all: Vec<ProfileName>,
    chosen: Vec<ProfileName>,
    /// Profiles that were given by name instead of by a pattern.
    by_name: BTreeSet<ProfileName>,
}

impl Found {
    /// Adds the profile called `word`, or else all profiles that match it as a pattern.
    fn add(&mut self, several: &Several, word: &str, place: &str) -> Result<(), Failure> {
        let placed = |failure: Failure| if place.is_empty() { failure } else { failure.at(place) };
        if let Some(name) = self.all.iter().find(|name| name.as_str() == word) {
            self.chosen.push(name.clone());
            self.by_name.insert(name.clone());
            return Ok(());
        }
        let shown = word.escape_debug();
        if !word.contains(['*', '?']) {
            let failure = usage(format!("profile `{shown}` is neither in the config nor in the store"));
            return Err(placed(match several.nearest(word) {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None => failure.hint("`hatbox list --profiles` shows the names"),
            }));
        }
        let before = self.chosen.len();
        self.chosen.extend(self.all.iter().filter(|name| matches_glob(word, name.as_str())).cloned());
        if self.chosen.len() == before {
            let failure = usage(format!("no profile matches `{shown}`"));
            return Err(placed(failure.hint("`hatbox list --profiles` shows the names")));
        }
        Ok(())
    }
}

fn has_tags(several: &Several, name: &ProfileName, wanted: &[String]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let tags = several.tags(name);
    wanted.iter().all(|tag| tags.contains(tag))
}

/// The account of a profile with errors is unknown.
fn is_of_account(candidate: &Candidate, accounts: &[String]) -> bool {
    let account = candidate.run.as_ref().ok().and_then(|run| run.account());
    account.is_some_and(|account| accounts.iter().any(|wanted| wanted == account))
}

/// Drops profiles that a pattern matched but that have no credentials, as they only exist for `include_profile` or
/// region.
fn leave_out_without_identity(
    world: &World,
    candidates: &mut Vec<Candidate>,
    by_name: &BTreeSet<ProfileName>,
) {
    let mut left_out = Vec::new();
    candidates.retain(|candidate| {
        let has_none = matches!(&candidate.run, Err(failure) if failure.has_no_identity);
        let is_kept = !has_none || by_name.contains(&candidate.profile);
        if !is_kept {
            left_out.push(format!("`{}`", candidate.profile));
        }
        is_kept
    });
    if !left_out.is_empty() {
        let count = text::count(left_out.len(), "profile");
        left_out.truncate(5);
        world.output.note(&format!("skipped {count} without credentials: {}", left_out.join(", ")));
    }
}

/// Loads a list, up to the size limit.
fn load_list(world: &World, path: &Path) -> Result<String, Failure> {
    let shown = world.dirs.shown(path);
    let failed = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, format!("could not read `{shown}`")).caused_by(&error)
    };
    let mut text = Vec::new();
    let mut read = |source: &mut dyn Read| source.take(LIST_LIMIT + 1).read_to_end(&mut text);
    if path == Path::new("-") {
        read(&mut std::io::stdin().lock()).map_err(failed)?;
    } else {
        read(&mut std::fs::File::open(path).map_err(failed)?).map_err(failed)?;
    }
    if text.len() as u64 > LIST_LIMIT {
        return Err(usage(format!("`{shown}` is larger than {} MB", LIST_LIMIT >> 20)));
    }
    String::from_utf8(text).map_err(|_| usage(format!("`{shown}` is not UTF-8")))
}
