//! What is not known of a layer, as a phrase that fits "unless ... forbids it".

use std::collections::BTreeSet;

use crate::policy::evaluate::Layer;
use crate::policy::principal::{CANONICAL_ID, SESSION_NAME};

/// What `who`, `reach` and the graph leave out, in the words of all of them.
pub(crate) const INDIRECT: &str =
    "Indirect ways are not counted: who may change policies or create access keys.";

/// A part of a layer that no source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) layer: Layer,
    /// `a policy outside Terraform`.
    pub(crate) what: String,
}

impl Gap {
    pub(crate) fn new(layer: Layer, what: impl Into<String>) -> Self {
        Self { layer, what: what.into() }
    }
}

/// The layers that have a gap.
pub(crate) fn layers_of(gaps: &[Gap]) -> BTreeSet<Layer> {
    gaps.iter().map(|gap| gap.layer).collect()
}

/// The phrases of the gaps in these layers, once each, SCP and RCP drawn together.
pub(crate) fn phrases(gaps: &[Gap], is_meant: impl Fn(Layer) -> bool) -> Vec<String> {
    let meant: Vec<_> = gaps.iter().filter(|gap| is_meant(gap.layer)).collect();
    let has = |layer| meant.iter().any(|gap| gap.layer == layer);
    let mut phrases: Vec<String> = Vec::new();
    match (has(Layer::Scp), has(Layer::Rcp)) {
        (true, true) => phrases.push("an SCP or RCP".to_owned()),
        (true, false) => phrases.push("an SCP".to_owned()),
        (false, true) => phrases.push("an RCP".to_owned()),
        (false, false) => {}
    }
    for gap in meant.iter().filter(|gap| !matches!(gap.layer, Layer::Scp | Layer::Rcp)) {
        if !phrases.contains(&gap.what) {
            phrases.push(gap.what.clone());
        }
    }
    phrases
}

/// Whether what an answer hangs on is a policy that is missing, rather than a fact that must fit: a condition key, the
/// session's name, or how AWS reads what its documents leave open.
pub(crate) fn is_policy(what: &str) -> bool {
    let is_fact =
        what.starts_with("how AWS reads ") || what.starts_with(SESSION_NAME) || what == CANONICAL_ID;
    what.contains(' ') && !is_fact
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn join_or(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_once_each() {
        let gaps = [
            Gap::new(Layer::Identity, "a policy outside Terraform"),
            Gap::new(Layer::Scp, "an SCP"),
            Gap::new(Layer::Rcp, "an RCP"),
            Gap::new(Layer::Identity, "a policy outside Terraform"),
        ];
        let all = phrases(&gaps, |_| true);
        assert_eq!(join_or(&all), "an SCP or RCP or a policy outside Terraform");
        assert_eq!(join_or(&phrases(&gaps, |layer| layer == Layer::Rcp)), "an RCP");
    }
}
