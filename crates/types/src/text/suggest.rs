//! The nearest name to one that was mistyped.

/// Names longer than this are not compared.
const MAX_CHARS: usize = 64;

/// The candidate that is fewest typing slips (a character added, left out, changed, or two swapped) away
/// from `name`; `None` when all are too far: more than a third of the name, or more than three.
///
/// The first of several equally near ones is taken; one that differs in case only is nearest of all.
pub fn nearest_name<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(MAX_CHARS + 1).collect();
    if wanted.len() > MAX_CHARS {
        return None;
    }
    let folded = name.to_lowercase();
    let mut limit = (wanted.len() / 3).clamp(1, 3);
    let mut nearest = None;
    for candidate in candidates {
        if candidate.to_lowercase() == folded {
            return Some(candidate);
        }
        let letters: Vec<char> = candidate.chars().take(MAX_CHARS + 1).collect();
        if letters.len().abs_diff(wanted.len()) > limit {
            continue;
        }
        let slips = distance(&wanted, &letters, limit);
        if slips < limit || (slips == limit && nearest.is_none()) {
            (limit, nearest) = (slips, Some(candidate));
        }
    }
    nearest
}

/// The slips between `a` and `b` (optimal string alignment), or more than `limit` when there are more.
fn distance(a: &[char], b: &[char], limit: usize) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut slips =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if x != y && i > 0 && j > 0 && a.get(i - 1) == Some(&y) && b.get(j - 1) == Some(&x) {
                slips = slips.min(at(&before, j - 1) + 1);
            }
            row.push(slips);
        }
        if row.iter().all(|&slips| slips > limit) {
            return limit + 1;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
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
