//! Matches patterns with `*` and `?` against text, actions and the parts of ARNs.

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Exactly this character.
    Char(char),
    /// `?`: any single character.
    One,
    /// `*`: any number of characters, including none.
    Many,
}

/// Whether matching distinguishes upper and lower case of ASCII letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Insensitive,
}

/// Parses `text`, with `*` and `?` as wildcards.
pub(super) fn parse_pattern(text: &str) -> impl Iterator<Item = Token> {
    text.chars().map(|c| match c {
        '*' => Token::Many,
        '?' => Token::One,
        c => Token::Char(c),
    })
}

/// Whether `pattern` matches all of `text`. Backtracks only to the last `*`, so the time is at most pattern × text.
pub(super) fn is_match(pattern: &[Token], text: &str, case: Case) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    let mut last_run = None;
    loop {
        let mut ahead = rest.clone();
        let fits = match pattern.get(at) {
            Some(Token::Many) => {
                at += 1;
                last_run = Some((at, rest.clone()));
                continue;
            }
            Some(Token::One) => ahead.next().is_some(),
            Some(Token::Char(wanted)) => ahead.next().is_some_and(|c| is_same(*wanted, c, case)),
            None if rest.as_str().is_empty() => return true,
            None => false,
        };
        if fits {
            at += 1;
            rest = ahead;
            continue;
        }
        let Some((after, run)) = &mut last_run else { return false };
        if run.next().is_none() {
            return false;
        }
        at = *after;
        rest = run.clone();
    }
}

fn is_same(a: char, b: char, case: Case) -> bool {
    match case {
        Case::Sensitive => a == b,
        Case::Insensitive => a.eq_ignore_ascii_case(&b),
    }
}

/// The number of colons between the six parts of an ARN.
const ARN_COLONS: usize = 5;

/// How to match an ARN pattern with fewer than six parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShortArn {
    /// Missing parts match anything, as in a `Resource`.
    Completed,
    /// The pattern matches nothing, as with `ArnLike`.
    Nothing,
}

/// Whether `pattern` matches the ARN `text`, comparing each of the six parts separately: only in the last part can a
/// `*` match a colon.
pub(super) fn is_arn_match(pattern: &[Token], text: &str, short: ShortArn) -> bool {
    let patterns: Vec<_> = pattern.splitn(6, |token| *token == Token::Char(':')).collect();
    let parts: Vec<_> = text.splitn(6, ':').collect();
    if parts.len() < 6 || (patterns.len() < 6 && short == ShortArn::Nothing) {
        return false;
    }
    patterns.iter().zip(parts).all(|(pattern, part)| is_match(pattern, part, Case::Sensitive))
}

/// Whether the pattern of a `Resource` matches the resource `text`.
///
/// A `*` that is the last character of a part also matches the colons after it (IAM User Guide, "Resource"):
/// `arn:aws:iam:*:role/Ops` matches that role in every account. Any other `*` or `?` stays within its part.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub(super) fn is_resource_match(pattern: &[Token], text: &str) -> bool {
    let is_arn =
        pattern.starts_with(&[Token::Char('a'), Token::Char('r'), Token::Char('n'), Token::Char(':')]);
    if !is_arn {
        return is_match(pattern, text, Case::Sensitive);
    }
    if is_arn_match(pattern, text, ShortArn::Completed) {
        return true;
    }
    let reaches_on = |pair: &[Token]| pair == [Token::Many, Token::Char(':')];
    text.bytes().filter(|byte| *byte == b':').count() >= ARN_COLONS
        && pattern.windows(2).any(reaches_on)
        && is_match_over_colons(pattern, text)
}

/// Follows all possible matches in parallel. Some stars match across colons and others do not, so backtracking to the
/// last star is not enough. The time is at most pattern × text.
fn is_match_over_colons(pattern: &[Token], text: &str) -> bool {
    // For each token, whether the text so far can match all tokens before it. A star can match nothing.
    let mut open = vec![false; pattern.len() + 1];
    let pass_stars = |open: &mut Vec<bool>| {
        for (at, token) in pattern.iter().enumerate() {
            if *token == Token::Many
                && open.get(at) == Some(&true)
                && let Some(next) = open.get_mut(at + 1)
            {
                *next = true;
            }
        }
    };
    if let Some(first) = open.first_mut() {
        *first = true;
    }
    pass_stars(&mut open);
    let mut colons = 0;
    for c in text.chars() {
        // Colons after the fifth are part of the resource.
        let is_boundary = c == ':' && colons < ARN_COLONS;
        colons += usize::from(c == ':');
        let mut next = vec![false; open.len()];
        for (at, token) in pattern.iter().enumerate().filter(|(at, _)| open.get(*at) == Some(&true)) {
            let to = match token {
                Token::Char(wanted) if *wanted == c => at + 1,
                Token::One if !is_boundary => at + 1,
                Token::Many
                    if !is_boundary || matches!(pattern.get(at + 1), None | Some(Token::Char(':'))) =>
                {
                    at
                }
                _ => continue,
            };
            if let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        pass_stars(&mut next);
        open = next;
    }
    open.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        parse_pattern(text).collect()
    }

    #[test]
    fn a_star_is_any_run_and_a_question_mark_one_character() {
        for (pattern, text, fits, why) in [
            ("*", "", true, "a star may be nothing"),
            ("", "", true, "nothing fits nothing"),
            ("", "a", false, "nothing fits nothing else"),
            ("a*c", "abbbc", true, "a run in the middle"),
            ("a*c", "ac", true, "an empty run"),
            ("a*bc", "abcbc", true, "the run must grow past a first try"),
            ("a*bc", "abcb", false, "no run helps"),
            ("*a*b*", "xxaxxbxx", true, "several runs"),
            ("a**b", "ab", true, "two stars are one"),
            ("?", "é", true, "a character, not a byte"),
            ("?", "", false, "one, not none"),
            ("?*?", "a", false, "two at least"),
            ("Ab", "ab", false, "case tells"),
        ] {
            assert_eq!(is_match(&tokens(pattern), text, Case::Sensitive), fits, "{pattern} {text}: {why}");
        }
    }

    #[test]
    fn case_can_be_left_aside() {
        assert!(is_match(&tokens("STS:assume*"), "sts:AssumeRole", Case::Insensitive));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = tokens(&"*a".repeat(200));
        assert!(!is_match(&pattern, &format!("{}b", "a".repeat(2000)), Case::Sensitive));
    }

    #[test]
    fn a_star_in_an_arn_stays_within_its_part() {
        let arn = "arn:aws:iam::111122223333:role/team/Ops:x";
        for (pattern, fits, why) in [
            ("arn:aws:iam::*:role/*", true, "the last part holds slashes and colons"),
            ("arn:aws:*:role/team/Ops:x", false, "a star must not eat colons"),
            ("arn:*:iam:*:*:*", true, "every part may be a star"),
            ("arn:aws:iam::111122223333:role/Ops*", false, "the path counts"),
            ("arn:aws:iam::111122223333:role/team/ops*", false, "case tells"),
        ] {
            assert_eq!(is_arn_match(&tokens(pattern), arn, ShortArn::Nothing), fits, "{pattern}: {why}");
        }
        assert!(!is_arn_match(&tokens("arn:*:*:*:*:*"), "arn:aws:iam", ShortArn::Nothing), "no ARN");
    }

    #[test]
    fn a_short_arn_is_completed_in_a_resource_only() {
        let arn = "arn:aws:iam::111122223333:role/Ops";
        assert!(is_resource_match(&tokens("arn:aws:iam::*"), arn));
        assert!(is_resource_match(&tokens("*"), arn));
        assert!(!is_resource_match(&tokens("arn:aws:s3"), arn));
        assert!(!is_arn_match(&tokens("arn:aws:iam::*"), arn, ShortArn::Nothing));
    }

    #[test]
    fn a_star_that_ends_a_segment_of_a_resource_reaches_over_colons() {
        let arn = "arn:aws:iam::111122223333:role/team/Ops";
        for (pattern, fits, why) in [
            ("arn:aws:iam:*:role/team/Ops", true, "region and account in one"),
            ("arn:aws:*:role/team/Ops", true, "service, region and account"),
            ("arn:*:role/team/Ops", true, "all but the resource"),
            ("arn:a*:role/team/Ops", true, "letters before the star"),
            ("arn:aws:iam:*:role/*/Ops", true, "a star within the resource"),
            ("arn:aws:iam:*:*:role/team/Ops", true, "none of the stars has to reach on"),
            ("arn:*:iam:*:role/t*", true, "two that reach on"),
            ("arn:aws:iam:*:role/Ops", false, "the path counts"),
            ("arn:aws:iam:*:user/team/Ops", false, "another kind"),
            ("arn:a*s:role/team/Ops", false, "a star within a segment stays there"),
            ("arn:aws:iam:*3:role/team/Ops", false, "no star at the end"),
            ("arn:aws:i?m*role/team/Ops", false, "a star before other characters"),
            ("arn:aws:iam?:*:role/team/Ops", false, "a question mark is no colon"),
            ("arn:aws:iam:*:role/team/Ops:*", false, "there is no such colon"),
        ] {
            assert_eq!(is_resource_match(&tokens(pattern), arn), fits, "{pattern}: {why}");
            assert!(!is_arn_match(&tokens(pattern), arn, ShortArn::Nothing) || fits, "{pattern}");
        }
        let log = "arn:aws:logs:eu-central-1:111122223333:log-group:a:log-stream:b";
        assert!(
            is_resource_match(&tokens("arn:aws:logs:*:log-group:?*g-stream:b"), log),
            "colons of the resource"
        );
        assert!(!is_resource_match(&tokens("arn:aws:logs:*:*"), "arn:aws:logs"), "no ARN");
        assert!(
            !is_arn_match(&tokens("arn:aws:iam:*:role/team/Ops"), arn, ShortArn::Nothing),
            "as of ArnLike"
        );
    }

    #[test]
    fn stars_that_reach_on_take_no_exponential_time() {
        let pattern = tokens(&format!("arn:{}x", "*:a".repeat(200)));
        assert!(!is_resource_match(&pattern, &format!("arn:{}y", ":a".repeat(2000))));
    }

    #[test]
    fn only_a_star_covers_a_request_without_a_resource() {
        assert!(is_resource_match(&tokens("*"), "*"));
        assert!(!is_resource_match(&tokens("arn:aws:ec2:*:*:*"), "*"));
    }
}
