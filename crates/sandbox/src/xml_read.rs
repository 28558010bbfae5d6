//! A reader for the small XML documents that S3 clients send. It rejects DTDs.

const MAX_DEPTH: usize = 16;

/// An element: its name without prefix, its text with entities resolved, and its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Returns the text of the first child called `name`.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str())
    }

    /// Returns the children called `name`.
    pub(crate) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Parses a document with one root. `None` if it is not well-formed, has a DTD, or is nested too deeply.
pub(crate) fn parse_xml(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = vec![Element::default()];
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(start) = rest.find('<') {
        let (before, tag) = (rest.get(..start)?, rest.get(start + 1..)?);
        open.last_mut()?.text.push_str(&parse_entities(before)?);
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        if let Some(declaration) = tag.strip_prefix('?') {
            rest = declaration.split_once("?>")?.1;
            continue;
        }
        let (inside, after) = tag.split_once('>')?;
        rest = after;
        if inside.starts_with('!') {
            return None;
        }
        if let Some(name) = inside.strip_prefix('/') {
            let closed = open.pop()?;
            if closed.name != local_name(name) {
                return None;
            }
            open.last_mut()?.children.push(closed);
        } else {
            let (head, is_empty) = inside.strip_suffix('/').map_or((inside, false), |head| (head, true));
            let element = Element { name: local_name(head).to_owned(), ..Element::default() };
            if element.name.is_empty() || open.len() > MAX_DEPTH {
                return None;
            }
            if is_empty {
                open.last_mut()?.children.push(element);
            } else {
                open.push(element);
            }
        }
    }
    let mut document = open.pop()?;
    let is_whole = open.is_empty() && rest.trim().is_empty() && document.text.trim().is_empty();
    let root = document.children.pop()?;
    (is_whole && document.children.is_empty()).then_some(root)
}

fn local_name(head: &str) -> &str {
    let name = head.split_ascii_whitespace().next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

fn parse_entities(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (name, after) = part.split_once(';')?;
        let c = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        };
        out.push(c);
        out.push_str(after);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_request_is_read() {
        let root = parse_xml(
            "<?xml version=\"1.0\"?><Delete xmlns=\"x\"><!-- c --><Object><Key>a&amp;b&#x20;c</Key></Object><Quiet/></Delete>",
        )
        .unwrap();
        assert_eq!(root.name, "Delete");
        let object = root.children_named("Object").next().unwrap();
        assert_eq!(object.child_text("Key"), Some("a&b c"));
        assert_eq!(root.child_text("Quiet"), Some(""));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for bad in
            ["", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "<!DOCTYPE x><a/>", "<a>&bomb;</a>", "</a>", &deep]
        {
            assert_eq!(parse_xml(bad), None, "{bad}");
        }
    }
}
