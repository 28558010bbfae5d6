//! Calls to objects: put, copy, get, head, delete.

use std::collections::BTreeMap;

use super::call::{
    authorize, authorize_bucket, authorize_object, bucket_of, key_of, malformed_xml, no_such_bucket,
    no_such_key, render,
};
use super::condition::{Reading, check_read, check_write, parse_range, slice};
use crate::authorize::Keys;
use crate::clock::{render_http, render_iso_millis, whole_seconds};
use crate::context::RequestContext;
use crate::encoding::parse_percent;
use crate::error_response::ErrorResponse;
use crate::http::{Received, Reply};
use crate::sigv4::Caller;
use crate::world::Object;
use crate::xml_read::parse_xml;

/// Returns the request headers that are stored and returned with the object.
pub(super) fn kept_headers(request: &Received) -> BTreeMap<String, String> {
    const KEPT: [&str; 5] =
        ["cache-control", "content-disposition", "content-language", "content-type", "expires"];
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with("x-amz-meta-"))
        .cloned()
        .collect();
    // `aws-chunked` describes the framing of the request, not the object.
    let encodings = request.header("content-encoding").unwrap_or_default().split(',').map(str::trim);
    let encodings: Vec<&str> = encodings.filter(|one| !one.is_empty() && *one != "aws-chunked").collect();
    if !encodings.is_empty() {
        headers.insert("content-encoding".to_owned(), encodings.join(","));
    }
    headers
}

/// Stores an object, whose bytes are already stored.
pub(super) fn insert(context: &mut RequestContext, object: Object) -> Result<(), ErrorResponse> {
    let bucket = context.world.buckets.get_mut(bucket_of(context.params)).ok_or_else(no_such_bucket)?;
    check_write(context.request, bucket.objects.get(key_of(context.params)))?;
    bucket.objects.insert(key_of(context.params).to_owned(), object);
    Ok(())
}

pub(super) fn put_object(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:PutObject")?;
    let digest = context.home.save_bytes(&context.payload)?;
    let etag = Object::etag_of(&digest);
    let object = Object {
        size: context.payload.len() as u64,
        modified_at: whole_seconds(context.now),
        etag: etag.clone(),
        headers: kept_headers(context.request),
        digest,
    };
    insert(context, object)?;
    Ok(Reply::empty(200).with("etag", format!("\"{etag}\"")))
}

/// Returns the object that `x-amz-copy-source` names, if the caller may read it.
pub(super) fn find_copy_source(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Object, ErrorResponse> {
    let source = context.request.header("x-amz-copy-source").unwrap_or_default();
    let source = String::from_utf8(parse_percent(source)).unwrap_or_default();
    let (bucket, key) = source.trim_start_matches('/').split_once('/').ok_or_else(|| {
        ErrorResponse::new(
            400,
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    })?;
    authorize(context, caller, "s3:GetObject", &format!("arn:aws:s3:::{bucket}/{key}"), bucket, Keys::new())?;
    let from = context.world.buckets.get(bucket).and_then(|bucket| bucket.objects.get(key));
    from.cloned().ok_or_else(no_such_key)
}

pub(super) fn copy_object(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let mut object = find_copy_source(context, caller)?;
    authorize_object(context, caller, "s3:PutObject")?;
    if context.request.header("x-amz-metadata-directive") == Some("REPLACE") {
        object.headers = kept_headers(context.request);
    }
    object.modified_at = whole_seconds(context.now);
    let (etag, modified) = (object.etag.clone(), render_iso_millis(object.modified_at));
    insert(context, object)?;
    Ok(render("CopyObjectResult", |xml| {
        xml.element("LastModified", &modified).element("ETag", &format!("\"{etag}\""));
    }))
}

/// Finds an object to read. Only callers that may list the bucket learn that a key does not exist.
fn find(context: &mut RequestContext, caller: &Caller) -> Result<Object, ErrorResponse> {
    authorize_object(context, caller, "s3:GetObject")?;
    let bucket = context.world.buckets.get(bucket_of(context.params)).ok_or_else(no_such_bucket)?;
    if let Some(object) = bucket.objects.get(key_of(context.params)) {
        return Ok(object.clone());
    }
    let asked = context.entry.resource.clone();
    let listed = authorize_bucket(context, caller, "s3:ListBucket", Keys::new());
    context.entry.resource = asked;
    listed?;
    Err(no_such_key())
}

fn describe(object: &Object, status: u16) -> Reply {
    let reply = Reply::empty(status)
        .with("etag", format!("\"{}\"", object.etag))
        .with("last-modified", render_http(object.modified_at))
        .with("accept-ranges", "bytes");
    object.headers.iter().fold(reply, |reply, (name, value)| reply.with(name, value))
}

pub(super) fn get_object(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let object = find(context, caller)?;
    if check_read(context.request, &object)? == Reading::NotModified {
        return Ok(describe(&object, 304));
    }
    let bytes = context.home.load_bytes(&object.digest)?;
    let Some((start, end)) = parse_range(context.request, object.size)? else {
        return Ok(Reply { body: bytes.into(), ..describe(&object, 200) });
    };
    let part = slice(&bytes, start, end).to_vec();
    let reply = describe(&object, 206).with("content-range", format!("bytes {start}-{end}/{}", object.size));
    Ok(Reply { body: part.into(), ..reply })
}

pub(super) fn head_object(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let object = find(context, caller)?;
    if check_read(context.request, &object)? == Reading::NotModified {
        return Ok(describe(&object, 304));
    }
    let length = match parse_range(context.request, object.size)? {
        Some((start, end)) => end - start + 1,
        None => object.size,
    };
    Ok(Reply { head_length: Some(length), ..describe(&object, 200) })
}

pub(super) fn delete_object(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:DeleteObject")?;
    remove(context, bucket_of(context.params), key_of(context.params));
    Ok(Reply::empty(204))
}

fn remove(context: &mut RequestContext, bucket: &str, key: &str) {
    if let Some(bucket) = context.world.buckets.get_mut(bucket) {
        bucket.objects.remove(key);
    }
}

pub(super) fn delete_objects(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    if !context.world.buckets.contains_key(bucket_of(context.params)) {
        return Err(no_such_bucket());
    }
    let payload = context.payload.clone();
    let text = std::str::from_utf8(&payload).map_err(|_| malformed_xml())?;
    let root = parse_xml(text).filter(|root| root.name == "Delete").ok_or_else(malformed_xml)?;
    let keys: Vec<&str> =
        root.children_named("Object").filter_map(|object| object.child_text("Key")).collect();
    if keys.is_empty() || keys.len() > 1000 {
        return Err(malformed_xml());
    }
    let is_quiet = root.child_text("Quiet") == Some("true");
    let mut done = Vec::new();
    let mut refused = Vec::new();
    for key in keys {
        let arn = format!("arn:aws:s3:::{}/{key}", bucket_of(context.params));
        match authorize(context, caller, "s3:DeleteObject", &arn, bucket_of(context.params), Keys::new()) {
            Ok(()) => {
                remove(context, bucket_of(context.params), key);
                done.push(key);
            }
            Err(error_response) => refused.push((key, error_response)),
        }
    }
    for (_, error_response) in &refused {
        context.entry.because.extend(error_response.because.iter().cloned());
    }
    Ok(render("DeleteResult", |xml| {
        for key in done.iter().filter(|_| !is_quiet) {
            xml.nest("Deleted", |xml| {
                xml.element("Key", key);
            });
        }
        for (key, error_response) in &refused {
            xml.nest("Error", |xml| {
                xml.element("Key", key)
                    .element("Code", &error_response.code)
                    .element("Message", &error_response.message);
            });
        }
    }))
}
