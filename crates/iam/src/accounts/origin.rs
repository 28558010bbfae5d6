//! The source of a fact, and how old it is.

use jiff::Timestamp;

/// One source of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as given by the user, or `live`.
    pub name: String,
    /// The kind of source.
    pub kind: SourceKind,
    /// The time of its data: when a snapshot was taken, or when any other file was last modified.
    pub taken: Option<Timestamp>,
}

/// The index in [`super::Accounts::origins`] of the source of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(pub(super) usize);

/// The kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A snapshot written by hatbox.
    Snapshot,
    /// The output of GetAccountAuthorizationDetails.
    AccountDetails,
    /// A state file of Terraform.
    TerraformState,
    /// `terraform show -json` of a plan.
    TerraformPlan,
    /// A file with a single policy.
    PolicyFile,
    /// Fetched from AWS in this run.
    Live,
}

impl SourceKind {
    /// Returns the description used in text output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::AccountDetails => "account details",
            Self::TerraformState => "tfstate",
            Self::TerraformPlan => "plan",
            Self::PolicyFile => "policy file",
            Self::Live => "live",
        }
    }

    /// Returns what this kind of source may lack, as a phrase; `None` if it contains all of an account.
    pub fn outside(self) -> Option<&'static str> {
        match self {
            Self::TerraformState | Self::TerraformPlan => Some("outside Terraform"),
            Self::PolicyFile => Some("outside the policy file"),
            Self::Snapshot | Self::AccountDetails | Self::Live => None,
        }
    }
}

impl Origin {
    /// Renders its name, kind and age: `iam.json (snapshot, 2 days old)`.
    pub fn render(&self, now: Timestamp) -> String {
        let kind = self.kind.label();
        match self.taken {
            Some(taken) => format!("{} ({kind}, {})", self.name, render_age(taken, now)),
            None => format!("{} ({kind})", self.name),
        }
    }

    /// Renders its name and age: `iam.json, 2 days old`.
    pub fn render_short(&self, now: Timestamp) -> String {
        match self.taken {
            Some(taken) => format!("{}, {}", self.name, render_age(taken, now)),
            None => self.name.clone(),
        }
    }
}

/// Renders how long ago `taken` was, in the largest whole unit.
fn render_age(taken: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(taken.as_second());
    let of = |count: i64, unit: &str| format!("{count} {unit}{} old", if count == 1 { "" } else { "s" });
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => of(seconds / 60, "minute"),
        3600..86_400 => of(seconds / 3600, "hour"),
        _ => of(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_shows_its_age_in_the_largest_whole_unit() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (taken, age) in [
            ("2026-03-10T11:59:30Z", "just now"),
            ("2026-03-10T13:00:00Z", "just now"),
            ("2026-03-10T11:58:30Z", "1 minute old"),
            ("2026-03-10T09:00:00Z", "3 hours old"),
            ("2026-03-08T11:00:00Z", "2 days old"),
        ] {
            let taken = Some(taken.parse().unwrap());
            let origin = Origin { name: "a.tfstate".into(), kind: SourceKind::TerraformState, taken };
            assert_eq!(origin.render(now), format!("a.tfstate (tfstate, {age})"));
            assert_eq!(origin.render_short(now), format!("a.tfstate, {age}"));
        }
    }
}
