//! What is missing of the layers of a request.

use std::collections::BTreeSet;

use crate::policy::answer::{Fact, Gap, add_facts};
use crate::policy::evaluate::Layer;

/// The layers that have a gap.
pub(crate) fn layers_of(gaps: &[Gap]) -> BTreeSet<Layer> {
    gaps.iter().map(|gap| gap.layer).collect()
}

/// The gaps in these layers as facts, once each, those of the organization first.
pub(crate) fn facts_of(gaps: &[Gap], is_meant: impl Fn(Layer) -> bool) -> Vec<Fact> {
    let meant = || gaps.iter().filter(|gap| is_meant(gap.layer)).cloned().map(Fact::Gap);
    let of_organization = meant().filter(Fact::is_of_organization);
    let mut facts = Vec::new();
    add_facts(&mut facts, of_organization.chain(meant()));
    // An SCP goes before an RCP, whichever was missed first.
    let count = facts.iter().take_while(|fact| fact.is_of_organization()).count();
    if let Some(of_organization) = facts.get_mut(..count) {
        of_organization.sort();
    }
    facts
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
    use crate::policy::answer::names_of;

    #[test]
    fn gaps_are_named_once_each_and_those_of_the_organization_first() {
        let gaps = [
            Gap::new(Layer::Identity, "a policy outside Terraform"),
            Gap::rcp(),
            Gap::scp(),
            Gap::new(Layer::Identity, "a policy outside Terraform"),
        ];
        let all = facts_of(&gaps, |_| true);
        assert_eq!(join_or(&names_of(&all)), "an SCP or RCP or a policy outside Terraform");
        assert_eq!(facts_of(&gaps, |layer| layer == Layer::Rcp), [Fact::Gap(Gap::rcp())]);
    }
}
