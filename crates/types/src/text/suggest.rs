//! Finds the name that is most similar to a mistyped one.

/// Longer names are not compared. In characters.
const MAX_CHARS: usize = 64;

/// Returns the candidate with the fewest typing errors (a character added, omitted or changed, or two swapped); `None`
/// if all have more than three, or more than a third of the name's length.
///
/// Returns the first of several equally similar candidates. One that differs only in case is preferred to all others.
pub fn nearest_name<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().take(MAX_CHARS + 1).count();
    if length > MAX_CHARS {
        return None;
    }
    let folded = name.to_lowercase();
    let mut limit = (length / 3).clamp(1, 3);
    let mut nearest = None;
    for candidate in candidates {
        if candidate.to_lowercase() == folded {
            return Some(candidate);
        }
        if candidate.chars().count().abs_diff(length) > limit {
            continue;
        }
        // "Optimal string alignment": two swapped letters count as one error.
        let slips = strsim::osa_distance(name, candidate);
        if slips < limit || (slips == limit && nearest.is_none()) {
            (limit, nearest) = (slips, Some(candidate));
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_the_name_that_was_meant() {
        let names = ["prod-admin", "prod-audit", "dev", "Base"];
        for (typed, found, why) in [
            ("prod-admim", Some("prod-admin"), "one changed"),
            ("prodadmin", Some("prod-admin"), "one left out"),
            ("prod-amdin", Some("prod-admin"), "two swapped are one slip"),
            ("base", Some("Base"), "case alone"),
            ("dve", Some("dev"), "a short name allows one slip"),
            ("dxx", None, "but not two"),
            ("staging", None, "nothing is near"),
            ("", None, "nothing was typed"),
        ] {
            assert_eq!(nearest_name(typed, names), found, "{typed}: {why}");
        }
        assert_eq!(nearest_name(&"x".repeat(100), [&*"x".repeat(100)]), None, "too long to compare");
    }
}
