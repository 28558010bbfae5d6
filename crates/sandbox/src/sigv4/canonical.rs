//! The canonical request, whose hash both client and server compute.

use super::claim::Claim;
use super::dialect::Dialect;
use crate::encoding::{parse_percent, render_percent, render_percent_path};
use crate::http::Received;

/// Renders the canonical request with `hash` as the hash of the payload.
pub(super) fn render_canonical(request: &Received, claim: &Claim, dialect: Dialect, hash: &str) -> String {
    let path = match dialect {
        Dialect::S3 => render_percent_path(&parse_percent(&request.path)),
        Dialect::Query(_) => render_percent_path(normalise(&request.path).as_bytes()),
    };
    let headers = claim.signed_headers.iter().fold(String::new(), |mut headers, name| {
        headers.extend([name, ":", &canonical_value(request, name), "\n"]);
        headers
    });
    [
        request.method.as_str(),
        &path,
        &canonical_query(&request.query),
        &headers,
        &claim.signed_headers.join(";"),
        hash,
    ]
    .join("\n")
}

/// Joins the values of a header with commas, trimmed and with runs of spaces collapsed.
fn canonical_value(request: &Received, name: &str) -> String {
    let values = request.headers.iter().filter(|(n, _)| n == name);
    let values: Vec<String> = values
        .map(|(_, value)| value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        .collect();
    values.join(",")
}

fn canonical_query(query: &str) -> String {
    let decode = |part: &str| parse_percent(&part.replace('+', " "));
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (render_percent(&decode(name)), render_percent(&decode(value))))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Resolves `.`, `..` and empty segments (RFC 3986, section 5.2.4).
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let is_directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    let end = if is_directory && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sorted_by_its_encoded_names_and_values() {
        assert_eq!(canonical_query("b=2&a=z&a=%7E&A&X-Amz-Signature=1&c=x%2fy"), "A=&a=z&a=~&b=2&c=x%2Fy");
        assert_eq!(canonical_query("a=1+2"), "a=1%202");
    }

    #[test]
    fn a_path_is_normalised_as_rfc_3986_says() {
        for (path, normal) in [("/", "/"), ("//a/./b/../c/", "/a/c/"), ("/a/..", "/"), ("/a/b", "/a/b")] {
            assert_eq!(normalise(path), normal, "{path}");
        }
    }
}
