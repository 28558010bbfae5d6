//! Parses SVG as strictly as an XML parser, and returns its rectangles.

/// A rectangle with its class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) class: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Drawn {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }
}

/// Returns the rectangles of a picture, starting with its view box.
///
/// # Errors
/// If the text is not well-formed: tags that do not match, unescaped `<` or `&`, unquoted attributes, or characters
/// that XML does not allow.
pub(crate) fn read(svg: &str) -> Result<Vec<Drawn>, String> {
    if let Some(c) =
        svg.chars().find(|c| c.is_control() && *c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        return Err(format!("{c:?}"));
    }
    let mut open: Vec<String> = Vec::new();
    let mut drawn = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        text(&rest[..at])?;
        rest = &rest[at + 1..];
        let end = rest.find('>').ok_or("a tag is not closed")?;
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let attributes = read_attributes(attributes)?;
        let value =
            |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        if name == "svg" {
            let view: Vec<f64> =
                value("viewBox").unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
            let [x, y, width, height] = view[..] else { return Err("the view box".to_owned()) };
            drawn.push(Drawn { class: "view".to_owned(), x, y, width, height });
        }
        if name == "rect" {
            let number = |key| value(key).unwrap().parse().unwrap();
            drawn.push(Drawn {
                class: value("class").unwrap().to_owned(),
                x: number("x"),
                y: number("y"),
                width: number("width"),
                height: number("height"),
            });
        }
        if !is_empty {
            open.push(name.to_owned());
        }
    }
    text(rest)?;
    if open.is_empty() { Ok(drawn) } else { Err(format!("never closed: {open:?}")) }
}

fn read_attributes(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("no attribute: {rest}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("not closed: {rest}"))?;
        text(value)?;
        attributes.push((name.trim().to_owned(), value.to_owned()));
        rest = after;
    }
    Ok(attributes)
}

/// Checks the text between tags or in quotes.
fn text(text: &str) -> Result<(), String> {
    if text.contains(['<', '>']) {
        return Err(format!("bare markup in {text}"));
    }
    for after in text.split('&').skip(1) {
        let name = after.split_once(';').map(|(name, _)| name);
        if !matches!(name, Some("amp" | "lt" | "gt" | "quot" | "#39")) {
            return Err(format!("a bare & in {text}"));
        }
    }
    Ok(())
}

#[test]
fn what_is_not_well_formed_is_found() {
    for bad in ["<a>", "<a></b>", "<a>&</a>", "<a>\"&x;\"</a>", "<a b=c/>", "<a>\u{1}</a>", "a > b"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert_eq!(read("<a b=\"&lt;\">&amp;</a>\n"), Ok(Vec::new()));
}
