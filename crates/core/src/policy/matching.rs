//! Patterns with `*` and `?`: for text, for actions, and part by part for ARNs.

/// One sign of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters, also none.
    Many,
}

/// Whether the case of ASCII letters tells two texts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Insensitive,
}

/// Reads `*` and `?` of `text` as wildcards.
pub(super) fn parse_pattern(text: &str) -> impl Iterator<Item = Token> {
    text.chars().map(|c| match c {
        '*' => Token::Many,
        '?' => Token::One,
        c => Token::Char(c),
    })
}

/// Whether all of `text` fits `pattern`. Goes back to the last `*` only, so at most pattern times text.
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

/// What to do with an ARN pattern of fewer than six parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShortArn {
    /// The missing parts are `*`, as in a `Resource`.
    Completed,
    /// It fits nothing, as with `ArnLike`.
    Nothing,
}

/// Whether the ARN `text` fits `pattern`, each of the six parts apart: a `*` does not reach over a colon,
/// but in the last part.
pub(super) fn is_arn_match(pattern: &[Token], text: &str, short: ShortArn) -> bool {
    let patterns: Vec<_> = pattern.splitn(6, |token| *token == Token::Char(':')).collect();
    let parts: Vec<_> = text.splitn(6, ':').collect();
    if parts.len() < 6 || (patterns.len() < 6 && short == ShortArn::Nothing) {
        return false;
    }
    patterns.iter().zip(parts).all(|(pattern, part)| is_match(pattern, part, Case::Sensitive))
}

/// Whether `pattern`, of a `Resource`, covers the resource `text`.
pub(super) fn is_resource_match(pattern: &[Token], text: &str) -> bool {
    let is_arn =
        pattern.starts_with(&[Token::Char('a'), Token::Char('r'), Token::Char('n'), Token::Char(':')]);
    if is_arn {
        is_arn_match(pattern, text, ShortArn::Completed)
    } else {
        is_match(pattern, text, Case::Sensitive)
    }
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
    fn only_a_star_covers_a_request_without_a_resource() {
        assert!(is_resource_match(&tokens("*"), "*"));
        assert!(!is_resource_match(&tokens("arn:aws:ec2:*:*:*"), "*"));
    }
}
