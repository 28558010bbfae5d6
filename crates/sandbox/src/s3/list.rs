//! ListObjectsV2 and ListObjects: prefix, delimiter and pages.

use super::call::{authorize_bucket, bucket_of, no_such_bucket, render};
use crate::authorize::Keys;
use crate::clock::render_iso_millis;
use crate::context::RequestContext;
use crate::encoding::{parse_percent, render_percent, render_percent_path};
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::sigv4::Caller;
use crate::world::{Bucket, Object};
use crate::xml::Xml;

const PAGE: usize = 1000;

/// The parameters of a listing.
struct Asked<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    max_keys: usize,
    /// The last key or common prefix of the previous page.
    after: String,
    is_url_encoded: bool,
}

/// One page of a listing.
struct Page<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    prefixes: Vec<&'a str>,
    /// The last key or common prefix of this page, if there are more.
    next: Option<&'a str>,
}

fn parse_asked(params: &Params, after: String) -> Result<Asked<'_>, ErrorResponse> {
    let max_keys = match params.get("max-keys").map(str::parse) {
        None => PAGE,
        Some(Ok(max)) => PAGE.min(max),
        Some(Err(_)) => {
            return Err(ErrorResponse::new(
                400,
                "InvalidArgument",
                "Provided max-keys not an integer or within integer range",
            ));
        }
    };
    Ok(Asked {
        prefix: params.get("prefix").unwrap_or_default(),
        delimiter: params.get("delimiter").unwrap_or_default(),
        max_keys,
        after,
        is_url_encoded: params.get("encoding-type") == Some("url"),
    })
}

fn authorize(context: &mut RequestContext, caller: &Caller) -> Result<(), ErrorResponse> {
    let mut keys = Keys::new();
    for name in ["prefix", "delimiter", "max-keys"] {
        if let Some(value) = context.params.get(name) {
            keys.insert(format!("s3:{name}"), vec![value.to_owned()]);
        }
    }
    authorize_bucket(context, caller, "s3:ListBucket", keys)
}

fn page<'a>(bucket: &'a Bucket, asked: &Asked) -> Page<'a> {
    let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
    let mut last = None;
    for (key, object) in &bucket.objects {
        let Some(rest) = key.strip_prefix(asked.prefix) else { continue };
        let end = if asked.delimiter.is_empty() { None } else { rest.find(asked.delimiter) };
        let shown = match end {
            Some(end) => key.get(..asked.prefix.len() + end + asked.delimiter.len()).unwrap_or(key),
            None => key,
        };
        if shown <= asked.after.as_str() || page.prefixes.last() == Some(&shown) {
            continue;
        }
        if page.objects.len() + page.prefixes.len() >= asked.max_keys {
            page.next = last;
            break;
        }
        if end.is_some() {
            page.prefixes.push(shown);
        } else {
            page.objects.push((shown, object));
        }
        last = Some(shown);
    }
    page
}

fn write_page(xml: &mut Xml, bucket: &str, asked: &Asked, page: &Page) {
    let text = |text: &str| {
        if asked.is_url_encoded { render_percent_path(text.as_bytes()) } else { text.to_owned() }
    };
    xml.element("Name", bucket).element("Prefix", &text(asked.prefix));
    xml.element("MaxKeys", &asked.max_keys.to_string());
    if !asked.delimiter.is_empty() {
        xml.element("Delimiter", &text(asked.delimiter));
    }
    xml.element_if("EncodingType", asked.is_url_encoded.then_some("url"));
    xml.element("IsTruncated", &page.next.is_some().to_string());
    for (key, object) in &page.objects {
        xml.nest("Contents", |xml| {
            xml.element("Key", &text(key))
                .element("LastModified", &render_iso_millis(object.modified_at))
                .element("ETag", &format!("\"{}\"", object.etag))
                .element("Size", &object.size.to_string())
                .element("StorageClass", "STANDARD");
        });
    }
    for prefix in &page.prefixes {
        xml.nest("CommonPrefixes", |xml| {
            xml.element("Prefix", &text(prefix));
        });
    }
}

pub(super) fn list_objects_v2(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller)?;
    let token = context.params.get("continuation-token");
    // The token is the last entry of the page, encoded so that clients treat it as opaque.
    let after = match token {
        Some(token) => String::from_utf8(parse_percent(token)).map_err(|_| {
            ErrorResponse::new(400, "InvalidArgument", "The continuation token provided is incorrect")
        })?,
        None => context.params.get("start-after").unwrap_or_default().to_owned(),
    };
    let asked = parse_asked(context.params, after)?;
    let bucket = context.world.buckets.get(bucket_of(context.params)).ok_or_else(no_such_bucket)?;
    let page = page(bucket, &asked);
    Ok(render("ListBucketResult", |xml| {
        write_page(xml, bucket_of(context.params), &asked, &page);
        xml.element("KeyCount", &(page.objects.len() + page.prefixes.len()).to_string());
        xml.element_if("ContinuationToken", token);
        xml.element_if("StartAfter", context.params.get("start-after"));
        let next = page.next.map(|next| render_percent(next.as_bytes()));
        xml.element_if("NextContinuationToken", next.as_deref());
    }))
}

pub(super) fn list_objects(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller)?;
    let marker = context.params.get("marker").unwrap_or_default();
    let asked = parse_asked(context.params, marker.to_owned())?;
    let bucket = context.world.buckets.get(bucket_of(context.params)).ok_or_else(no_such_bucket)?;
    let page = page(bucket, &asked);
    Ok(render("ListBucketResult", |xml| {
        write_page(xml, bucket_of(context.params), &asked, &page);
        xml.element("Marker", marker);
        let next = page.next.filter(|_| !asked.delimiter.is_empty());
        let next = next.map(|next| {
            if asked.is_url_encoded { render_percent_path(next.as_bytes()) } else { next.to_owned() }
        });
        xml.element_if("NextMarker", next.as_deref());
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(keys: &[&str]) -> Bucket {
        let object = Object {
            digest: String::new(),
            size: 0,
            modified_at: jiff::Timestamp::UNIX_EPOCH,
            etag: String::new(),
            headers: std::collections::BTreeMap::new(),
        };
        Bucket {
            account: String::new(),
            region: String::new(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            objects: keys.iter().map(|key| ((*key).to_owned(), object.clone())).collect(),
        }
    }

    #[test]
    fn pages_together_list_everything_once() {
        let bucket = bucket(&["a", "b/1", "b/2", "c", "d/1", "e"]);
        for max_keys in 1..=6 {
            let mut seen: Vec<String> = Vec::new();
            let mut after = String::new();
            loop {
                let asked = Asked { prefix: "", delimiter: "/", max_keys, after, is_url_encoded: false };
                let page = page(&bucket, &asked);
                seen.extend(page.objects.iter().map(|(key, _)| (*key).to_owned()));
                seen.extend(page.prefixes.iter().map(|prefix| (*prefix).to_owned()));
                match page.next {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            seen.sort();
            assert_eq!(seen, ["a", "b/", "c", "d/", "e"], "{max_keys} a page");
        }
    }

    #[test]
    fn a_prefix_ends_where_the_delimiter_comes_next() {
        let bucket = bucket(&["x/a", "x/b/c", "y"]);
        let asked =
            Asked { prefix: "x/", delimiter: "/", max_keys: 9, after: String::new(), is_url_encoded: false };
        let page = page(&bucket, &asked);
        assert_eq!((page.objects.len(), page.objects[0].0), (1, "x/a"));
        assert_eq!(page.prefixes, ["x/b/"]);
    }
}
