//! A writer for XML responses in AWS's style.

/// An XML document being written.
#[derive(Debug)]
pub(crate) struct Xml(String);

impl Xml {
    /// Starts a document with the XML declaration.
    pub(crate) fn document() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// Writes an element with text. `name` must be a valid element name; `text` may be untrusted and is escaped.
    pub(crate) fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.nest(name, |xml| xml.text(text))
    }

    /// Writes an element if there is a text for it.
    pub(crate) fn element_if(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.element(name, text);
        }
        self
    }

    /// Writes an element whose content `inner` writes.
    pub(crate) fn nest(&mut self, name: &str, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.nest_with(name, "", inner)
    }

    /// Writes an element with the default namespace `namespace`.
    pub(crate) fn nest_ns(
        &mut self,
        name: &str,
        namespace: &str,
        inner: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.nest_with(name, &format!(" xmlns=\"{namespace}\""), inner)
    }

    fn nest_with(&mut self, name: &str, attributes: &str, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.extend(["<", name, attributes, ">"]);
        inner(self);
        self.0.extend(["</", name, ">"]);
        self
    }

    /// Writes text, escaped.
    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#xD;"),
                // XML 1.0 cannot represent other control characters, not even escaped.
                c if c.is_control() && c != '\n' && c != '\t' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    /// Returns the finished document.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_its_element() {
        let mut xml = Xml::document();
        xml.nest_ns("A", "urn:x", |xml| {
            xml.element("B", "<&>\"\r\u{1}").element_if("C", None);
        });
        assert!(xml.finish().ends_with("<A xmlns=\"urn:x\"><B>&lt;&amp;&gt;&quot;&#xD;\u{fffd}</B></A>"));
    }
}
