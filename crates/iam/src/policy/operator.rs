//! The condition operators: their names, and what and how they compare.

/// A condition operator with its set prefix and its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub quantifier: Option<Quantifier>,
    /// What is compared.
    pub test: Test,
    /// `...Not...`: true if no value matches.
    pub is_negated: bool,
    /// `...IfExists`: true if the key is absent.
    pub if_exists: bool,
}

/// How a key with several values is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `ForAllValues:`: every value must match; true without values.
    All,
    /// `ForAnyValue:`: at least one value must match; false without values.
    Any,
}

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Text without wildcards.
    Text,
    /// Text without wildcards, ignoring case.
    TextIgnoreCase,
    /// Text with wildcards.
    TextLike,
    /// ARNs with wildcards, part by part, for both `ArnEquals` and `ArnLike`.
    Arn,
    /// `true` or `false`.
    Bool,
    /// Bytes in base64.
    Binary,
    /// IP addresses and CIDR ranges.
    Ip,
    /// Numbers.
    Number(Order),
    /// Points in time.
    Date(Order),
    /// Whether the key is absent.
    Null,
}

/// How the request's value must compare to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Equal.
    Equal,
    /// Less or earlier.
    Less,
    /// Less or earlier, or equal.
    LessOrEqual,
    /// Greater or later.
    Greater,
    /// Greater or later, or equal.
    GreaterOrEqual,
}

impl Order {
    /// Whether the request's value compares to the policy's in this order.
    pub(super) fn holds<T: PartialOrd>(self, actual: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => actual == wanted,
            Self::Less => actual < wanted,
            Self::LessOrEqual => actual <= wanted,
            Self::Greater => actual > wanted,
            Self::GreaterOrEqual => actual >= wanted,
        }
    }
}

/// The name, what is compared, and whether the operator is negated.
const OPERATORS: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::Text, false),
    ("StringNotEquals", Test::Text, true),
    ("StringEqualsIgnoreCase", Test::TextIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::TextIgnoreCase, true),
    ("StringLike", Test::TextLike, false),
    ("StringNotLike", Test::TextLike, true),
    ("NumericEquals", Test::Number(Order::Equal), false),
    ("NumericNotEquals", Test::Number(Order::Equal), true),
    ("NumericLessThan", Test::Number(Order::Less), false),
    ("NumericLessThanEquals", Test::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Test::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Order::Equal), false),
    ("DateNotEquals", Test::Date(Order::Equal), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::Ip, false),
    ("NotIpAddress", Test::Ip, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Parses an operator's name, ignoring case; `None` if it is unknown.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Some(Quantifier::All), rest),
            Some(("foranyvalue", rest)) => (Some(Quantifier::Any), rest),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (_, test, is_negated) = OPERATORS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(base))?;
        if *test == Test::Null && if_exists {
            return None;
        }
        Some(Self { quantifier, test: *test, is_negated: *is_negated, if_exists })
    }

    /// Whether AWS replaces policy variables in the values of this operator.
    pub(crate) fn takes_variables(self) -> bool {
        matches!(self.test, Test::Text | Test::TextIgnoreCase | Test::TextLike | Test::Arn | Test::Bool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_takes_prefix_and_suffix() {
        for (name, test, is_negated) in OPERATORS {
            let plain = Operator { quantifier: None, test, is_negated, if_exists: false };
            assert_eq!(Operator::parse(name), Some(plain), "{name}");
            assert_eq!(Operator::parse(&name.to_uppercase()), Some(plain), "{name}");
            let all = Operator { quantifier: Some(Quantifier::All), ..plain };
            assert_eq!(Operator::parse(&format!("ForAllValues:{name}")), Some(all), "{name}");
            let any = Operator { quantifier: Some(Quantifier::Any), ..plain };
            assert_eq!(Operator::parse(&format!("ForAnyValue:{name}")), Some(any), "{name}");
            let if_exists = (test != Test::Null).then_some(Operator { if_exists: true, ..plain });
            assert_eq!(Operator::parse(&format!("{name}IfExists")), if_exists, "{name}");
        }
    }

    #[test]
    fn what_is_not_an_operator_is_none() {
        for name in
            ["", "Equals", "StringEqual", "IfExists", "BoolIfExistsIfExists", "ForSomeValues:Bool", "NotBool"]
        {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
