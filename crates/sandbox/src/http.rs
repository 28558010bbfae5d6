//! A complete request or response, as all code behind the server sees it.

use hyper::body::Bytes;
use serde_json::{Map, Value};

use crate::encoding::parse_percent;

/// A request that was read completely.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// As sent, not decoded.
    pub(crate) path: String,
    /// As sent, without the `?`.
    pub(crate) query: String,
    /// Names in lower case, in the order sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    /// Returns the first header with this name, which must be in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the decoded parameters of the query.
    pub(crate) fn query_params(&self) -> Params {
        Params::parse(&self.query)
    }

    /// Returns whether the body is a form.
    pub(crate) fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }
}

/// Names and values, in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `a=b&c=d` with percent-encoding and `+` for a space. Invalid UTF-8 is replaced.
    pub(crate) fn parse(text: &str) -> Self {
        let decode =
            |part: &str| String::from_utf8_lossy(&parse_percent(&part.replace('+', " "))).into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    /// Parses the members of a JSON object. The texts of a list `a` become `a.member.1` and so on. Null members are
    /// left out; a value that is not an object has no parameters.
    pub(crate) fn parse_json(body: &[u8]) -> Self {
        let text_of = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut pairs = Vec::new();
        let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        for (name, value) in &members {
            match value {
                Value::Null => {}
                Value::Array(list) => {
                    let member = |(number, value)| (format!("{name}.member.{number}"), text_of(value));
                    pairs.extend((1..).zip(list).map(member));
                }
                value => pairs.push((name.clone(), text_of(value))),
            }
        }
        Self(pairs)
    }

    /// Creates parameters from these pairs.
    pub(crate) fn of<const N: usize>(pairs: [(&str, String); N]) -> Self {
        Self(pairs.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Appends the parameters of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns the first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the name occurs.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Iterates over all names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the members of a list, each as the parameters below it: for `Tags.member.1.Key`, the first member has
    /// `Key`. A plain value gets an empty name. Numbers start at 1; the list ends at the first gap.
    pub(crate) fn list(&self, name: &str) -> Vec<Params> {
        let mut members = Vec::new();
        loop {
            let prefix = format!("{name}.member.{}", members.len() + 1);
            let member: Vec<(String, String)> = self
                .iter()
                .filter_map(|(key, value)| {
                    let rest = key.strip_prefix(&prefix)?;
                    let field = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
                    Some((field.to_owned(), value.to_owned()))
                })
                .collect();
            if member.is_empty() {
                return members;
            }
            members.push(Self(member));
        }
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The `Content-Length` of a response to HEAD, which has no body.
    pub(crate) head_length: Option<u64>,
}

impl Reply {
    /// Returns a response without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), head_length: None }
    }

    /// Returns an XML response.
    pub(crate) fn xml(status: u16, content_type: &str, text: String) -> Self {
        Self { body: text.into(), ..Self::empty(status) }.with("content-type", content_type)
    }

    /// Returns a plain-text response.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self { body: text.to_owned().into(), ..Self::empty(status) }.with("content-type", "text/plain")
    }

    /// Returns a JSON response.
    pub(crate) fn json(value: &Value) -> Self {
        Self { body: value.to_string().into(), ..Self::empty(200) }.with("content-type", "application/json")
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_structures_is_read_up_to_its_first_gap() {
        let params = Params::parse(
            "Tags.member.1.Key=a&Tags.member.1.Value=1%2B1&Tags.member.10.Key=z&T.member.1=x+y",
        );
        let tags = params.list("Tags");
        assert_eq!(tags.len(), 1);
        assert_eq!((tags[0].get("Key"), tags[0].get("Value")), (Some("a"), Some("1+1")));
        assert_eq!(params.list("T")[0].get(""), Some("x y"));
    }

    #[test]
    fn the_members_of_an_object_are_parameters() {
        let params =
            Params::parse_json(br#"{"a":"x y","n":null,"list":["p","q"],"number":5,"deep":{"b":1}}"#);
        assert_eq!((params.get("a"), params.get("number"), params.has("n")), (Some("x y"), Some("5"), false));
        let list: Vec<_> =
            params.list("list").iter().map(|member| member.get("").map(str::to_owned)).collect();
        assert_eq!(list, [Some("p".to_owned()), Some("q".to_owned())]);
        for bad in [&b""[..], b"[]", b"{", b"\xff", b"\"a\""] {
            assert_eq!(Params::parse_json(bad), Params::default());
        }
    }
}
