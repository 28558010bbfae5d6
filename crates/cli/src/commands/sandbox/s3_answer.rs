//! Parses S3's responses: the framing of HTTP/1.1, and the XML that the sandbox produces.

/// Why a response is not the sandbox's.
#[derive(Debug, thiserror::Error)]
#[error("invalid response: {0}")]
pub(super) struct AnswerError(&'static str);

/// Returns the status and body of a response with a Content-Length.
pub(super) fn split_answer(answer: &[u8]) -> Result<(u16, &[u8]), AnswerError> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(AnswerError("its headers do not end"))?;
    let (head, body) = answer.split_at(end);
    let body = body.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| AnswerError("its headers are not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or(AnswerError("it has no status"))?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    let is_whole = match length {
        Some(length) => length == body.len(),
        None => body.is_empty() && status == 204,
    };
    if is_whole { Ok((status, body)) } else { Err(AnswerError("it is truncated")) }
}

/// Returns the text of the first element with this name. Sufficient for the sandbox's XML, which has no comments, CDATA
/// sections or significant attributes.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(unescape)
}

/// Returns the raw content of each element with this name.
pub(super) fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (inside, after) = after.split_once(&close)?;
        rest = after;
        Some(inside)
    })
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        result.push_str(before);
        let known = after.split_once(';').and_then(|(entity, after)| Some((parse_entity(entity)?, after)));
        let (c, after) = known.unwrap_or(('&', after));
        result.push(c);
        rest = after;
    }
    result + rest
}

fn parse_entity(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_cut_off_does_not_count() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(split_answer(whole).unwrap(), (200, b"hello".as_slice()));
        assert!(split_answer(&whole[..whole.len() - 1]).is_err());
        assert!(split_answer(b"HTTP/1.1 200 OK\r\n\r\nhello").is_err(), "a length that is not told");
        assert_eq!(split_answer(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().0, 204);
        assert!(split_answer(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
        assert!(split_answer(b"").is_err());
    }

    #[test]
    fn text_of_elements_is_unescaped_once() {
        let xml = "<a><Key>x &amp;lt; &#65;&#x42; &unknown; &</Key><Key>2</Key></a>";
        assert_eq!(element(xml, "Key").unwrap(), "x &lt; AB &unknown; &");
        assert_eq!(elements(xml, "Key").count(), 2);
        assert_eq!(element(xml, "None"), None);
    }
}
