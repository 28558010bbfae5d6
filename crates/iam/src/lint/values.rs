//! Rules about condition values that no request has: operator, key and value must have the same type.

use std::net::IpAddr;

use jiff::Timestamp;

use super::finding::{Finding, Spot};
use super::rule::Rule;
use crate::policy::condition::Condition;
use crate::policy::operator::{Order, Test};
use crate::policy::value::{Number, parse_date, parse_range};
use crate::policy::variable::{Template, Version};

/// The type of a condition key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Account,
    Arn,
    Bool,
    Date,
    Ip,
    Number,
    /// A date as seconds since 1970, so numeric operators work too.
    Seconds,
    Text,
}

/// Keys with a checked value type, in lower case.
const TYPES: [(&str, Type); 38] = [
    ("aws:principalaccount", Type::Account),
    ("aws:sourceaccount", Type::Account),
    ("aws:resourceaccount", Type::Account),
    ("aws:vpceaccount", Type::Account),
    ("aws:principalarn", Type::Arn),
    ("aws:sourcearn", Type::Arn),
    ("aws:sourcevpcarn", Type::Arn),
    ("ec2:sourceinstancearn", Type::Arn),
    ("ssm:sourceinstancearn", Type::Arn),
    ("lambda:sourcefunctionarn", Type::Arn),
    ("aws:multifactorauthpresent", Type::Bool),
    ("aws:securetransport", Type::Bool),
    ("aws:viaawsservice", Type::Bool),
    ("aws:principalisawsservice", Type::Bool),
    ("aws:currenttime", Type::Date),
    ("aws:tokenissuetime", Type::Date),
    ("aws:epochtime", Type::Seconds),
    ("aws:sourceip", Type::Ip),
    ("aws:vpcsourceip", Type::Ip),
    ("aws:ec2instancesourceprivateipv4", Type::Ip),
    ("aws:multifactorauthage", Type::Number),
    ("sts:durationseconds", Type::Number),
    ("aws:principalorgid", Type::Text),
    ("aws:principalorgpaths", Type::Text),
    ("aws:sourceorgid", Type::Text),
    ("aws:sourceorgpaths", Type::Text),
    ("aws:resourceorgid", Type::Text),
    ("aws:principaltype", Type::Text),
    ("aws:principalservicename", Type::Text),
    ("aws:requestedregion", Type::Text),
    ("aws:sourcevpc", Type::Text),
    ("aws:sourcevpce", Type::Text),
    ("aws:userid", Type::Text),
    ("aws:username", Type::Text),
    ("aws:useragent", Type::Text),
    ("sts:rolesessionname", Type::Text),
    ("sts:externalid", Type::Text),
    ("sts:sourceidentity", Type::Text),
];

/// Private and reserved ranges, which AWS never sees as a source address (RFC 1918, 6598, 4193, ...).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// Checks the values of one condition.
pub(super) fn find_values(
    spot: Spot,
    condition: &Condition,
    version: Version,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let lower = condition.key.to_lowercase();
    let key_type = TYPES.iter().find(|(key, _)| *key == lower).map(|(_, of)| *of);
    let unclosed = version == Version::V2012
        && condition.operator.takes_variables()
        && condition.values.iter().any(|value| is_unclosed(&value.text));
    if unclosed {
        let message = "A variable has no closing brace, so it is compared literally.";
        let fix = "close it, as in \"${aws:username}\".";
        found.push(spot.on_condition(Rule::UnclosedVariable, condition, message, fix));
    } else if let Some((why, fix)) = judge_values(condition, key_type, now) {
        let effect = if condition.operator.is_negated { "so it always holds" } else { "so it never matches" };
        let message = format!("{why}, {effect}.");
        found.push(spot.on_condition(Rule::NeverMatches, condition, message, fix));
    }
    let private = condition.values.iter().find(|value| is_private(&value.text));
    if let Some(private) = private.filter(|_| lower == "aws:sourceip" && condition.operator.test == Test::Ip)
    {
        let message = format!(
            "aws:SourceIp is the caller's public address; `{}` is private and never matches.",
            private.text
        );
        let fix = "write the public range; for a VPC, use aws:VpcSourceIp with aws:SourceVpc.";
        found.push(spot.on_condition(Rule::PrivateIp, condition, message, fix));
    }
    found
}

fn judge_values(condition: &Condition, key_type: Option<Type>, now: Timestamp) -> Option<(String, String)> {
    condition.values.iter().find_map(|value| judge_value(condition, key_type, value, now))
}

/// Returns why the value never matches, and what to write instead.
fn judge_value(
    condition: &Condition,
    key_type: Option<Type>,
    value: &Template,
    now: Timestamp,
) -> Option<(String, String)> {
    let (text, name, key) = (value.text.as_str(), condition.operator_name.as_str(), condition.key.as_str());
    let has_pattern = text.contains(['*', '?']) || text.contains("${");
    let instead = |operator: &str| format!("write \"{operator}\".");
    let compares = |what: &str, operator: &str| {
        Some((format!("{name} compares {what}, and {key} is not one"), instead(operator)))
    };
    let is_date = || parse_date(text).is_some();
    match (condition.operator.test, key_type) {
        (Test::Arn, Some(Type::Ip)) => compares("ARNs", "IpAddress"),
        (Test::Arn, Some(Type::Account | Type::Text)) => compares("ARNs", "StringLike"),
        (Test::Arn, Some(Type::Bool)) => compares("ARNs", "Bool"),
        (Test::Arn, Some(Type::Date | Type::Seconds | Type::Number)) => compares("ARNs", "DateLessThan"),
        (Test::Arn, _) => {
            let is_arn = text == "*" || text.contains("${") || text.matches(':').count() >= 5;
            (!is_arn).then(|| {
                let fix = "write all six parts: arn:aws:iam::ACCOUNT:role/NAME.".to_owned();
                (format!("`{text}` has fewer than the six parts of an ARN"), fix)
            })
        }
        (Test::Ip, Some(Type::Ip) | None) => parse_range(text).is_none().then(|| {
            (
                format!("`{text}` is not an IP address or CIDR range"),
                "write a range such as 203.0.113.0/24.".to_owned(),
            )
        }),
        (Test::Ip, Some(_)) => compares("IP addresses", "StringEquals"),
        (Test::Date(_), Some(Type::Account | Type::Arn | Type::Bool | Type::Ip | Type::Text)) => {
            compares("dates", "StringEquals")
        }
        (Test::Date(_), _) if !is_date() => {
            Some((format!("`{text}` is not a date"), "write a date such as 2030-01-31T00:00:00Z.".to_owned()))
        }
        (Test::Date(order), Some(Type::Date | Type::Seconds)) => is_over(order, key, text, now).then(|| {
            (format!("`{text}` is in the past"), "remove the statement, or write a later date.".to_owned())
        }),
        (Test::Number(_), Some(Type::Arn | Type::Bool | Type::Ip | Type::Text)) => {
            compares("numbers", "StringEquals")
        }
        (Test::Number(order), Some(Type::Seconds)) if Number::parse(text).is_some() => {
            is_over(order, key, text, now).then(|| {
                (
                    format!("`{text}` is in the past"),
                    "remove the statement, or write a later time.".to_owned(),
                )
            })
        }
        (Test::Number(_), _) => Number::parse(text)
            .is_none()
            .then(|| (format!("`{text}` is not a number"), "write a number.".to_owned())),
        (
            Test::Bool,
            Some(Type::Account | Type::Arn | Type::Date | Type::Ip | Type::Number | Type::Seconds),
        ) => compares("true and false", "StringEquals"),
        (Test::Bool | Test::Null, _) => {
            let is_bool = ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
            (!is_bool && !text.contains("${"))
                .then(|| (format!("`{text}` is neither true nor false"), "write true or false.".to_owned()))
        }
        (Test::Text | Test::TextIgnoreCase | Test::TextLike, Some(Type::Ip)) if text.contains('/') => {
            let operator = if condition.operator.is_negated { "NotIpAddress" } else { "IpAddress" };
            Some((format!("{name} compares text, and no address is equal to a range"), instead(operator)))
        }
        (Test::Text | Test::TextIgnoreCase, Some(of)) if !has_pattern => judge_text(of, name, text),
        _ => None,
    }
}

/// Checks a value that a text operator compares with a key of another type.
fn judge_text(of: Type, name: &str, text: &str) -> Option<(String, String)> {
    match of {
        Type::Account if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) => Some((
            format!("`{text}` is not an account ID"),
            "write the 12 digits of the account ID.".to_owned(),
        )),
        Type::Arn if text.matches(':').count() < 5 => Some((
            format!("`{text}` has fewer than the six parts of an ARN"),
            "write all six parts: arn:aws:iam::ACCOUNT:role/NAME.".to_owned(),
        )),
        Type::Bool if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") => {
            Some((format!("`{text}` is neither true nor false"), "write true or false.".to_owned()))
        }
        Type::Date => {
            Some((format!("{name} compares text, not dates"), "write \"DateLessThan\".".to_owned()))
        }
        _ => None,
    }
}

/// Whether the condition can no longer hold because its time is over.
fn is_over(order: Order, key: &str, text: &str, now: Timestamp) -> bool {
    let is_clock = ["aws:CurrentTime", "aws:EpochTime"].iter().any(|clock| clock.eq_ignore_ascii_case(key));
    let ends = matches!(order, Order::Equal | Order::Less | Order::LessOrEqual);
    is_clock && ends && parse_date(text).is_some_and(|date| date < now)
}

fn is_private(text: &str) -> bool {
    let Some((address, length)) = parse_range(text) else { return false };
    PRIVATE.iter().filter_map(|range| parse_range(range)).any(|(base, prefix)| {
        prefix <= length
            && match (address, base) {
                (IpAddr::V4(address), IpAddr::V4(base)) => {
                    (u32::from(address) ^ u32::from(base)).leading_zeros() >= prefix
                }
                (IpAddr::V6(address), IpAddr::V6(base)) => {
                    (u128::from(address) ^ u128::from(base)).leading_zeros() >= prefix
                }
                _ => false,
            }
    })
}

fn is_unclosed(text: &str) -> bool {
    text.rsplit_once("${").is_some_and(|(_, rest)| !rest.contains('}'))
}
