//! Pagination of lists: `MaxItems`, `Marker`, `IsTruncated`.
//!
//! A marker is the last item of the previous page, so creating or deleting items between two calls does not shift the
//! pages.

use crate::context::RequestContext;
use crate::encoding::{parse_base64_url, render_base64_url};
use crate::error_response::ErrorResponse;
use crate::xml::Xml;

/// The default number of items in a page.
const USUAL: usize = 100;

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The marker of the next page, if there is one.
    next: Option<String>,
}

impl<T> Page<T> {
    /// Returns the page of `all` that the call asks for. Each item comes with its sort key.
    pub(super) fn of(context: &RequestContext, mut all: Vec<(String, T)>) -> Result<Self, ErrorResponse> {
        let size = context.params.get("MaxItems").and_then(|text| text.parse().ok()).unwrap_or(USUAL);
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(marker) = context.params.get("Marker") {
            let last = parse_base64_url(marker).and_then(|bytes| String::from_utf8(bytes).ok());
            let last = last.ok_or_else(|| ErrorResponse::validation("Invalid Marker."))?;
            all.retain(|(key, _)| *key > last);
        }
        let next = (all.len() > size).then(|| all.get(size.saturating_sub(1))).flatten();
        let next = next.map(|(key, _)| render_base64_url(key.as_bytes()));
        Ok(Self { items: all.into_iter().take(size).map(|(_, item)| item).collect(), next })
    }

    /// Writes whether the list is truncated, and the marker of the next page.
    pub(super) fn write_end(&self, xml: &mut Xml) {
        xml.element("IsTruncated", if self.next.is_some() { "true" } else { "false" });
        xml.element_if("Marker", self.next.as_deref());
    }
}
