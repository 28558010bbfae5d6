//! Calls to objects: put, copy, get, head, delete.

use std::collections::BTreeMap;

use super::condition::{Reading, check_read, check_write, parse_range, slice};
use super::{Call, malformed_xml, no_such_bucket, no_such_key, render};
use crate::authorize::Keys;
use crate::clock::{render_http, render_iso_millis, whole_seconds};
use crate::encoding::parse_percent;
use crate::http::{Received, Reply};
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::Object;
use crate::xml_read::parse_xml;

/// Headers of a request that are given back with the object.
pub(super) fn kept_headers(request: &Received) -> BTreeMap<String, String> {
    const KEPT: [&str; 5] =
        ["cache-control", "content-disposition", "content-language", "content-type", "expires"];
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with("x-amz-meta-"))
        .cloned()
        .collect();
    // `aws-chunked` is the framing of the request, not of the object.
    let encodings = request.header("content-encoding").unwrap_or_default().split(',').map(str::trim);
    let encodings: Vec<&str> = encodings.filter(|one| !one.is_empty() && *one != "aws-chunked").collect();
    if !encodings.is_empty() {
        headers.insert("content-encoding".to_owned(), encodings.join(","));
    }
    headers
}

/// Puts an object in its place. The bytes are kept already.
pub(super) fn insert(turn: &mut Turn, call: &Call, object: Object) -> Result<(), Refusal> {
    let bucket = turn.world.buckets.get_mut(call.bucket).ok_or_else(no_such_bucket)?;
    check_write(turn.request, bucket.objects.get(call.key))?;
    bucket.objects.insert(call.key.to_owned(), object);
    Ok(())
}

pub(super) fn put_object(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    call.authorize_object(turn, "s3:PutObject")?;
    let digest = turn.home.save_bytes(&call.payload)?;
    let etag = Object::etag_of(&digest);
    let object = Object {
        size: call.payload.len() as u64,
        modified_at: whole_seconds(turn.now),
        etag: etag.clone(),
        headers: kept_headers(turn.request),
        digest,
    };
    insert(turn, call, object)?;
    Ok(Reply::empty(200).with("etag", format!("\"{etag}\"")))
}

/// The object that `x-amz-copy-source` names, if the caller may read it.
pub(super) fn find_copy_source(turn: &mut Turn, call: &Call) -> Result<Object, Refusal> {
    let source = turn.request.header("x-amz-copy-source").unwrap_or_default();
    let source = String::from_utf8(parse_percent(source)).unwrap_or_default();
    let (bucket, key) = source.trim_start_matches('/').split_once('/').ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    })?;
    call.authorize(turn, "s3:GetObject", &format!("arn:aws:s3:::{bucket}/{key}"), bucket, Keys::new())?;
    let from = turn.world.buckets.get(bucket).and_then(|bucket| bucket.objects.get(key));
    from.cloned().ok_or_else(no_such_key)
}

pub(super) fn copy_object(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let mut object = find_copy_source(turn, call)?;
    call.authorize_object(turn, "s3:PutObject")?;
    if turn.request.header("x-amz-metadata-directive") == Some("REPLACE") {
        object.headers = kept_headers(turn.request);
    }
    object.modified_at = whole_seconds(turn.now);
    let (etag, modified) = (object.etag.clone(), render_iso_millis(object.modified_at));
    insert(turn, call, object)?;
    Ok(render("CopyObjectResult", |xml| {
        xml.element("LastModified", &modified).element("ETag", &format!("\"{etag}\""));
    }))
}

/// Finds an object to be read. Who may not list the bucket is not told that a key is missing.
fn find(turn: &mut Turn, call: &Call) -> Result<Object, Refusal> {
    call.authorize_object(turn, "s3:GetObject")?;
    let bucket = turn.world.buckets.get(call.bucket).ok_or_else(no_such_bucket)?;
    if let Some(object) = bucket.objects.get(call.key) {
        return Ok(object.clone());
    }
    let asked = turn.entry.resource.clone();
    let listed = call.authorize_bucket(turn, "s3:ListBucket", Keys::new());
    turn.entry.resource = asked;
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

pub(super) fn get_object(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let object = find(turn, call)?;
    if check_read(turn.request, &object)? == Reading::NotModified {
        return Ok(describe(&object, 304));
    }
    let bytes = turn.home.load_bytes(&object.digest)?;
    let Some((start, end)) = parse_range(turn.request, object.size)? else {
        return Ok(Reply { body: bytes.into(), ..describe(&object, 200) });
    };
    let part = slice(&bytes, start, end).to_vec();
    let reply = describe(&object, 206).with("content-range", format!("bytes {start}-{end}/{}", object.size));
    Ok(Reply { body: part.into(), ..reply })
}

pub(super) fn head_object(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let object = find(turn, call)?;
    if check_read(turn.request, &object)? == Reading::NotModified {
        return Ok(describe(&object, 304));
    }
    let length = match parse_range(turn.request, object.size)? {
        Some((start, end)) => end - start + 1,
        None => object.size,
    };
    Ok(Reply { head_length: Some(length), ..describe(&object, 200) })
}

pub(super) fn delete_object(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    call.authorize_object(turn, "s3:DeleteObject")?;
    remove(turn, call.bucket, call.key);
    Ok(Reply::empty(204))
}

fn remove(turn: &mut Turn, bucket: &str, key: &str) {
    if let Some(bucket) = turn.world.buckets.get_mut(bucket) {
        bucket.objects.remove(key);
    }
}

pub(super) fn delete_objects(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    if !turn.world.buckets.contains_key(call.bucket) {
        return Err(no_such_bucket());
    }
    let text = std::str::from_utf8(&call.payload).map_err(|_| malformed_xml())?;
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
        let arn = format!("arn:aws:s3:::{}/{key}", call.bucket);
        match call.authorize(turn, "s3:DeleteObject", &arn, call.bucket, Keys::new()) {
            Ok(()) => {
                remove(turn, call.bucket, key);
                done.push(key);
            }
            Err(refusal) => refused.push((key, refusal)),
        }
    }
    for (_, refusal) in &refused {
        turn.entry.because.extend(refusal.because.iter().cloned());
    }
    Ok(render("DeleteResult", |xml| {
        for key in done.iter().filter(|_| !is_quiet) {
            xml.nest("Deleted", |xml| {
                xml.element("Key", key);
            });
        }
        for (key, refusal) in &refused {
            xml.nest("Error", |xml| {
                xml.element("Key", key).element("Code", &refusal.code).element("Message", &refusal.message);
            });
        }
    }))
}
