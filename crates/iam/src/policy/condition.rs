//! Conditions: one operator on one key, evaluated to yes, no or unknown for a request.

use super::answer::{Answer, Fact};
use super::arn::Arn;
use super::matching::{Case, ShortArn, Token, is_arn_match, is_match};
use super::node::Place;
use super::operator::{Operator, Quantifier, Test};
use super::request::{Context, Lookup};
use super::value::{Number, is_in_range, is_same_binary, parse_date};
use super::variable::{Filled, Template};

/// One condition key under one operator, with the values to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The operator's name, as written in the policy.
    pub operator_name: String,
    /// The key, as written in the policy.
    pub key: String,
    /// The key in lower case, as [`Context`] stores it.
    pub(super) lower_key: String,
    /// The position of the key in the text.
    pub place: Place,
    /// The values, at least one of which must match (none of them, for a negated operator).
    pub values: Vec<Template>,
}

impl Condition {
    /// Whether the condition holds. If the key is absent, AWS evaluates operators as follows:
    ///
    /// | operator | absent key |
    /// |---|---|
    /// | plain | false |
    /// | negated | true |
    /// | `...IfExists` | true |
    /// | `ForAllValues:` | true |
    /// | `ForAnyValue:` | false |
    /// | `ForAnyValue:...IfExists` | unknown: AWS documents both |
    /// | `Null` | true if `true` is among its values |
    ///
    /// Set operators and `Null` ignore empty strings: a key with only empty values is a null data set, which
    /// `ForAllValues:` passes and `Null` is meant to detect.
    pub(super) fn holds(&self, context: &Context) -> Answer {
        let lookup = context.find_lower(&self.lower_key);
        if matches!(lookup, Lookup::Unknown) {
            return Answer::unknown(Fact::key(&self.key));
        }
        let values = if let Lookup::Values(values) = lookup { values } else { &[] };
        let given = || values.iter().filter(|value| !value.is_empty());
        if self.operator.test == Test::Null {
            let is_absent = if given().next().is_none() { "true" } else { "false" };
            return self.values.iter().any(|value| value.text.eq_ignore_ascii_case(is_absent)).into();
        }
        if matches!(lookup, Lookup::Absent) {
            return self.holds_without_key();
        }
        match self.operator.quantifier {
            Some(Quantifier::All) => Answer::all(given().map(|value| self.passes(value, context))),
            Some(Quantifier::Any) => Answer::any(given().map(|value| self.passes(value, context))),
            None => {
                let fits = Answer::any(values.iter().map(|value| self.fits(value, context)));
                if self.operator.is_negated { fits.not() } else { fits }
            }
        }
    }

    fn holds_without_key(&self) -> Answer {
        match self.operator {
            // The User Guide says that IfExists is true without the key, and that ForAnyValue is false.
            Operator { quantifier: Some(Quantifier::Any), if_exists: true, .. } => {
                Answer::unknown(Fact::Reading(format!("{} without {}", self.operator_name, self.key)))
            }
            Operator { if_exists: true, .. } => Answer::Yes,
            Operator { quantifier: Some(quantifier), .. } => (quantifier == Quantifier::All).into(),
            Operator { is_negated, .. } => is_negated.into(),
        }
    }

    fn passes(&self, actual: &str, context: &Context) -> Answer {
        let fits = self.fits(actual, context);
        if self.operator.is_negated { fits.not() } else { fits }
    }

    /// Whether at least one of the condition's values matches `actual`.
    fn fits(&self, actual: &str, context: &Context) -> Answer {
        Answer::any(self.values.iter().map(|wanted| {
            if !self.operator.takes_variables() {
                return self
                    .is_typed_match(actual, &wanted.text)
                    .map_or_else(|| self.mismatch(), Answer::from);
            }
            match wanted.fill(context) {
                Filled::Tokens(tokens)
                    if self.operator.test == Test::Arn
                        && self.operator.is_negated
                        && !are_arns(&tokens, actual) =>
                {
                    self.mismatch()
                }
                Filled::Tokens(tokens) => self.is_text_match(actual, &tokens).into(),
                Filled::NoValue => Answer::No,
                Filled::Unknown(name) => Answer::unknown(Fact::key(name)),
            }
        }))
    }

    fn is_text_match(&self, actual: &str, wanted: &[Token]) -> bool {
        match self.operator.test {
            Test::TextLike => is_match(wanted, actual, Case::Sensitive),
            Test::Arn => is_arn_match(wanted, actual, ShortArn::Nothing),
            Test::Text => is_text(wanted, actual),
            Test::TextIgnoreCase => is_text_ignoring_case(wanted, actual),
            _ => {
                let is_bool = actual.eq_ignore_ascii_case("true") || actual.eq_ignore_ascii_case("false");
                is_bool && is_text_ignoring_case(wanted, actual)
            }
        }
    }

    /// The answer for a value that is not of the operator's type. It matches nothing; the AWS documentation does not
    /// say whether a negated operator is then true.
    fn mismatch(&self) -> Answer {
        if !self.operator.is_negated {
            return Answer::No;
        }
        let kind = match self.operator.test {
            Test::Arn => "an ARN",
            Test::Number(_) => "a number",
            Test::Date(_) => "a date",
            _ => "an IP address",
        };
        Answer::unknown(Fact::Reading(format!(
            "{} of {} where a value is not {kind}",
            self.operator_name, self.key
        )))
    }

    /// Compares two values of the operator's type; `None` if one of them is not of that type.
    fn is_typed_match(&self, actual: &str, wanted: &str) -> Option<bool> {
        match self.operator.test {
            Test::Number(order) => Some(order.holds(&Number::parse(actual)?, &Number::parse(wanted)?)),
            Test::Date(order) => Some(order.holds(&parse_date(actual)?, &parse_date(wanted)?)),
            Test::Ip => is_in_range(actual, wanted),
            Test::Binary => Some(is_same_binary(actual, wanted)),
            _ => Some(false),
        }
    }
}

/// Whether both the pattern and the value have the six parts of an ARN.
fn are_arns(pattern: &[Token], actual: &str) -> bool {
    let colons = pattern.iter().filter(|token| **token == Token::Char(':')).count();
    colons >= 5 && Arn::parse(actual).is_some()
}

/// Returns the text of a pattern, with wildcards as literal characters.
fn literal(tokens: &[Token]) -> impl Iterator<Item = char> {
    tokens.iter().map(|token| match token {
        Token::Char(c) => *c,
        Token::One => '?',
        Token::Many => '*',
    })
}

fn is_text(wanted: &[Token], actual: &str) -> bool {
    literal(wanted).eq(actual.chars())
}

fn is_text_ignoring_case(wanted: &[Token], actual: &str) -> bool {
    literal(wanted).flat_map(char::to_lowercase).eq(actual.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::super::document::Policy;
    use super::*;

    fn holds(operator: &str, wanted: &str, context: &Context) -> Answer {
        let json = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*",
                "Condition": {{"{operator}": {{"k": {wanted}}}}}}}}}"#
        );
        let policy = Policy::parse(&json).unwrap();
        policy.statements[0].conditions[0].holds(context)
    }

    #[test]
    fn each_operator_compares_in_its_own_way() {
        for (operator, wanted, actual, expected) in [
            ("StringEquals", r#""a""#, "a", true),
            ("StringEquals", r#""a""#, "A", false),
            ("StringNotEquals", r#""a""#, "b", true),
            ("StringNotEquals", r#""a""#, "a", false),
            ("StringEqualsIgnoreCase", r#""É?""#, "é?", true),
            ("StringEqualsIgnoreCase", r#""a?""#, "ab", false),
            ("StringNotEqualsIgnoreCase", r#""a""#, "A", false),
            ("StringLike", r#""a?c*""#, "abcd", true),
            ("StringNotLike", r#""a*""#, "abc", false),
            ("NumericEquals", r#""5.0""#, "5", true),
            ("NumericNotEquals", r#""5""#, "5", false),
            ("NumericNotEquals", r#""5""#, "6", true),
            ("NumericLessThan", r#""5""#, "4", true),
            ("NumericLessThan", r#""5""#, "5", false),
            ("NumericLessThanEquals", r#""5""#, "5", true),
            ("NumericLessThanEquals", r#""5""#, "6", false),
            ("NumericGreaterThan", r#""5""#, "6", true),
            ("NumericGreaterThan", r#""5""#, "5", false),
            ("NumericGreaterThanEquals", r#""5""#, "5", true),
            ("NumericGreaterThanEquals", r#""5""#, "4", false),
            ("DateEquals", r#""2026-01-01""#, "2026-01-01T00:00:00Z", true),
            ("DateNotEquals", r#""2026-01-01""#, "2026-01-01T00:00:00Z", false),
            ("DateNotEquals", r#""2026-01-01""#, "2026-01-01T00:00:01Z", true),
            ("DateLessThan", r#""2026-01-01""#, "2025-12-31T23:59:59Z", true),
            ("DateLessThan", r#""2026-01-01""#, "2026-01-01", false),
            ("DateLessThanEquals", r#""2026-01-01""#, "2026-01-01", true),
            ("DateLessThanEquals", r#""2026-01-01""#, "2026-01-02", false),
            ("DateLessThan", r#""2026-01-01""#, "yesterday", false),
            ("DateGreaterThan", r#""2026-01-01""#, "2026-01-02", true),
            ("DateGreaterThan", r#""2026-01-01""#, "2026-01-01", false),
            ("DateGreaterThanEquals", r#""2026-01-01""#, "2026-01-01", true),
            ("DateGreaterThanEquals", r#""2026-01-01""#, "2025-12-31", false),
            ("Bool", r#""true""#, "True", true),
            ("Bool", "false", "false", true),
            ("Bool", r#""true""#, "false", false),
            ("Bool", r#""yes""#, "yes", false),
            ("BinaryEquals", r#""aGF0""#, "aGF0", true),
            ("BinaryEquals", r#""aGF0""#, "aGF1", false),
            ("IpAddress", r#""10.0.0.0/8""#, "10.1.2.3", true),
            ("IpAddress", r#""10.0.0.0/8""#, "11.1.2.3", false),
            ("NotIpAddress", r#""10.0.0.0/8""#, "10.1.2.3", false),
            ("NotIpAddress", r#"["10.0.0.0/8", "::/0"]"#, "11.1.2.3", true),
            ("ArnEquals", r#""arn:aws:sns:*:*:t?""#, "arn:aws:sns:r:1:t1", true),
            ("ArnLike", r#""arn:aws:sns:*""#, "arn:aws:sns:r:1:t1", false),
            ("ArnNotEquals", r#""arn:aws:sns:*:*:*""#, "arn:aws:sns:r:1:t1", false),
            ("ArnNotLike", r#""arn:aws:sqs:*:*:*""#, "arn:aws:sns:r:1:t1", true),
            ("Null", r#""false""#, "x", true),
            ("Null", r#""true""#, "x", false),
            ("Null", r#"["true", "false"]"#, "x", true),
            ("Null", r#""true""#, "", true),
            ("Null", r#""false""#, "", false),
        ] {
            let context = Context::complete([("k", vec![actual])]);
            assert_eq!(holds(operator, wanted, &context), expected.into(), "{operator} {wanted} {actual}");
        }
    }

    #[test]
    fn a_key_without_a_value_that_counts_has_no_value_for_a_set_operator() {
        let empty = Context::complete([("k", vec![""])]);
        assert_eq!(holds("ForAllValues:StringEquals", r#""a""#, &empty), Answer::Yes);
        assert_eq!(holds("ForAnyValue:StringNotEquals", r#""a""#, &empty), Answer::No);
        let none = Context::partial([("k", Vec::<&str>::new())]);
        assert_eq!(holds("Null", r#""true""#, &none), Answer::Yes);
        assert_eq!(holds("StringEquals", r#""a""#, &none), Answer::No);
    }

    /// The example in "Multivalued context keys" of the User Guide, which guards `ForAllValues:` with `Null`.
    #[test]
    fn null_catches_every_data_set_that_for_all_values_passes() {
        for (values, is_null) in [
            (vec![], true),
            (vec![""], true),
            (vec!["", ""], true),
            (vec!["a"], false),
            (vec!["", "a"], false),
        ] {
            let context = Context::complete([("k", values.clone())]);
            assert_eq!(holds("Null", r#""true""#, &context), is_null.into(), "{values:?}");
            assert_eq!(holds("Null", r#""false""#, &context), (!is_null).into(), "{values:?}");
            let is_vacuous = holds("ForAllValues:StringEquals", r#""no such""#, &context).is_yes();
            assert_eq!(is_vacuous, is_null, "{values:?}");
        }
    }

    #[test]
    fn what_awss_documents_leave_open_is_not_known_and_says_why() {
        let of = |values: &[&str]| Context::complete([("k", values.to_vec())]);
        let arns = r#"["arn:aws:sns:*:*:t", "x"]"#;
        for (operator, wanted, values, reason) in [
            (
                "ForAnyValue:StringEqualsIfExists",
                r#""a""#,
                &[][..],
                "ForAnyValue:StringEqualsIfExists without k",
            ),
            (
                "ForAnyValue:StringNotLikeIfExists",
                r#""a""#,
                &[],
                "ForAnyValue:StringNotLikeIfExists without k",
            ),
            ("ArnNotLike", r#""arn:aws:sns:*:*:t""#, &["t"], "ArnNotLike of k where a value is not an ARN"),
            (
                "ArnNotEquals",
                r#""t""#,
                &["arn:aws:sns:r:1:t"],
                "ArnNotEquals of k where a value is not an ARN",
            ),
            (
                "ArnNotEqualsIfExists",
                r#""t""#,
                &["x"],
                "ArnNotEqualsIfExists of k where a value is not an ARN",
            ),
            ("ArnNotLike", arns, &["arn:aws:sns:r:1:u"], "ArnNotLike of k where a value is not an ARN"),
            ("NumericNotEquals", r#""5""#, &["five"], "NumericNotEquals of k where a value is not a number"),
            ("NumericNotEquals", r#""five""#, &["5"], "NumericNotEquals of k where a value is not a number"),
            ("DateNotEquals", r#""2026-01-01""#, &["soon"], "DateNotEquals of k where a value is not a date"),
            (
                "NotIpAddress",
                r#""10.0.0.0/33""#,
                &["10.0.0.1"],
                "NotIpAddress of k where a value is not an IP address",
            ),
            (
                "NotIpAddress",
                r#""10.0.0.0/8""#,
                &["AWS Internal"],
                "NotIpAddress of k where a value is not an IP address",
            ),
            (
                "ForAllValues:ArnNotLike",
                r#""arn:aws:sns:*:*:t""#,
                &["t"],
                "ForAllValues:ArnNotLike of k where a value is not an ARN",
            ),
        ] {
            assert_eq!(
                holds(operator, wanted, &of(values)),
                Answer::unknown(Fact::Reading(reason.to_owned())),
                "{operator} {wanted}"
            );
        }
        for (operator, wanted, values, expected, why) in [
            (
                "ArnNotLike",
                arns,
                &["arn:aws:sns:r:1:t"][..],
                Answer::No,
                "another value fits, which settles it",
            ),
            ("ArnLike", r#""t""#, &["t"], Answer::No, "what is no ARN fits no ARN"),
            ("NumericEquals", r#""five""#, &["five"], Answer::No, "what is no number equals none"),
            (
                "NotIpAddress",
                r#""10.0.0.0/8""#,
                &["2001:db8::1"],
                Answer::Yes,
                "an address of the other kind",
            ),
            ("ForAllValues:ArnNotLike", r#""t""#, &[""], Answer::Yes, "no value at all"),
            ("ForAnyValue:StringEqualsIfExists", r#""a""#, &["a"], Answer::Yes, "the key is there"),
            ("ForAllValues:StringEqualsIfExists", r#""a""#, &[], Answer::Yes, "both say the same"),
        ] {
            assert_eq!(holds(operator, wanted, &of(values)), expected, "{operator} {wanted}: {why}");
        }
    }

    #[test]
    fn without_a_set_operator_one_of_many_values_must_fit() {
        let many = Context::complete([("k", vec!["a", "b"])]);
        assert_eq!(holds("StringEquals", r#""a""#, &many), Answer::Yes);
        assert_eq!(holds("StringEquals", r#""c""#, &many), Answer::No);
        assert_eq!(holds("StringNotEquals", r#""a""#, &many), Answer::No);
    }

    #[test]
    fn every_operator_is_unknown_for_a_key_that_may_be_there() {
        let nothing = Context::default();
        for operator in
            ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null", "ForAllValues:Bool"]
        {
            assert_eq!(holds(operator, r#""true""#, &nothing), Answer::unknown(Fact::key("k")), "{operator}");
        }
    }

    #[test]
    fn variables_are_not_filled_in_where_the_type_is_not_text() {
        let context = Context::complete([("k", vec!["5"]), ("n", vec!["5"])]);
        assert_eq!(holds("NumericEquals", r#""${n}""#, &context), Answer::No);
        assert_eq!(holds("StringEquals", r#""${n}""#, &context), Answer::Yes);
        let context = Context::complete([("k", vec!["true"]), ("n", vec!["true"])]);
        assert_eq!(holds("Bool", r#""${n}""#, &context), Answer::Yes);
        assert_eq!(holds("Null", r#""${n}""#, &context), Answer::No);
    }
}
