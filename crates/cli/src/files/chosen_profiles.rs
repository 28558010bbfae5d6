//! Records which profiles were chosen, how often and when, so that lists show frequent and recent choices first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::errors::Failure;
use crate::sys::files::{FileError, make_private_directory, read_private, write_cache};
use crate::sys::format_version::is_newer_json;
use crate::world::World;

/// The version of the file. The file does not state it, as it is the first.
const VERSION: u64 = 1;
/// Limit in bytes, larger than the file ever is.
const LIMIT: u64 = 256 << 10;
/// Limit of the number of profiles.
const MOST: usize = 500;
/// The time in seconds after which a choice counts half.
const HALF_LIFE: f64 = 7.0 * 24.0 * 3600.0;

/// The choices so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ChosenProfiles {
    profiles: BTreeMap<String, Chosen>,
}

/// The choices of one profile: their sum, each weighted by its age at the time of the last choice.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Chosen {
    weight: f64,
    at: Timestamp,
}

impl Chosen {
    fn weight(self, now: Timestamp) -> f64 {
        let age = now.duration_since(self.at).as_secs_f64().max(0.0);
        let weight = self.weight * (-age / HALF_LIFE).exp2();
        if weight.is_finite() { weight.max(0.0) } else { 0.0 }
    }
}

impl ChosenProfiles {
    /// Loads the choices. An unreadable file counts as empty, as it only decides the order of a list.
    ///
    /// # Errors
    /// If a newer version of hatbox wrote the file.
    pub(crate) fn load(world: &World) -> Result<Self, FileError> {
        let path = world.dirs.chosen_profiles();
        let bytes = read_private(&path, LIMIT).unwrap_or_default();
        if is_newer_json(&bytes, VERSION) {
            return Err(FileError::newer(&path));
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Returns the current weight of a profile's choices; 0 if it was never chosen.
    pub(crate) fn weight(&self, profile: &str, now: Timestamp) -> f64 {
        self.profiles.get(profile).map_or(0.0, |chosen| chosen.weight(now))
    }

    /// Adds a choice, and removes the profiles with the lowest weight if there are too many.
    fn add(&mut self, profile: &str, now: Timestamp) {
        let weight = self.weight(profile, now) + 1.0;
        self.profiles.insert(profile.to_owned(), Chosen { weight, at: now });
        while self.profiles.len() > MOST {
            let least = self.profiles.iter().min_by(|a, b| a.1.weight(now).total_cmp(&b.1.weight(now)));
            let Some(name) = least.map(|(name, _)| name.clone()) else { break };
            self.profiles.remove(&name);
        }
    }
}

/// Records that a profile was chosen now.
pub(crate) fn save_choice(world: &World, profile: &str) -> Result<(), Failure> {
    let mut chosen = ChosenProfiles::load(world)?;
    chosen.add(profile, world.clock.now());
    let path = world.dirs.chosen_profiles();
    if let Some(directory) = path.parent() {
        make_private_directory(directory)?;
    }
    let text = serde_json::to_vec(&chosen)
        .map_err(|error| Failure::of_error(crate::errors::FailureKind::Failed, &error))?;
    Ok(write_cache(&path, &text)?)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn often_and_lately_counts_more_than_once_or_long_ago() {
        let start = Timestamp::UNIX_EPOCH;
        let day = |days: i64| start + SignedDuration::from_hours(24 * days);
        let mut chosen = ChosenProfiles::default();
        for _ in 0..3 {
            chosen.add("long ago", day(0));
        }
        chosen.add("lately", day(30));
        assert!(chosen.weight("lately", day(30)) > chosen.weight("long ago", day(30)));
        assert!(chosen.weight("long ago", day(1)) > 2.0);
        assert!(chosen.weight("never", day(30)) == 0.0);
        for nth in 0..2 * MOST {
            chosen.add(&nth.to_string(), day(31));
        }
        assert!(chosen.profiles.len() <= MOST && !chosen.profiles.contains_key("long ago"));
    }
}
