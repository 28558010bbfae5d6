//! Multipart uploads, which `aws s3 cp` uses for files above 8 MB.

use std::collections::BTreeMap;

use super::call::{authorize_object, bucket_of, key_of, malformed_xml, render};
use super::condition::{parse_byte_range, slice};
use super::object::{find_copy_source, insert, kept_headers};
use crate::clock::{render_iso_millis, whole_seconds};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::mint::mint_bytes;
use crate::sigv4::Caller;
use crate::world::{Object, Part, Upload};
use crate::xml_read::parse_xml;

/// The minimum size in bytes of every part except the last.
const MIN_PART: u64 = 5 << 20;

pub(super) fn create_upload(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:PutObject")?;
    let id = hex::encode(mint_bytes::<24>()?);
    let upload = Upload {
        bucket: bucket_of(context.params).to_owned(),
        key: key_of(context.params).to_owned(),
        headers: kept_headers(context.request),
        parts: BTreeMap::new(),
    };
    context.world.uploads.insert(id.clone(), upload);
    Ok(render("InitiateMultipartUploadResult", |xml| {
        xml.element("Bucket", bucket_of(context.params))
            .element("Key", key_of(context.params))
            .element("UploadId", &id);
    }))
}

fn find<'a>(context: &'a mut RequestContext) -> Result<&'a mut Upload, ErrorResponse> {
    let id = context.params.get("uploadId").unwrap_or_default();
    let upload = context.world.uploads.get_mut(id);
    upload.filter(|upload| upload.bucket == bucket_of(context.params) && upload.key == key_of(context.params)).ok_or_else(|| {
        ErrorResponse::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        )
    })
}

pub(super) fn upload_part(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:PutObject")?;
    let etag = save_part(context, &context.payload.clone())?;
    Ok(Reply::empty(200).with("etag", format!("\"{etag}\"")))
}

pub(super) fn upload_part_copy(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let source = find_copy_source(context, caller)?;
    authorize_object(context, caller, "s3:PutObject")?;
    let bytes = context.home.load_bytes(&source.digest)?;
    let range = context.request.header("x-amz-copy-source-range").unwrap_or_default();
    let part = match parse_byte_range(range, source.size)? {
        Some((start, end)) => slice(&bytes, start, end),
        None => &bytes,
    };
    let etag = save_part(context, part)?;
    let now = render_iso_millis(context.now);
    Ok(render("CopyPartResult", |xml| {
        xml.element("LastModified", &now).element("ETag", &format!("\"{etag}\""));
    }))
}

/// Stores the bytes of a part, and returns its etag.
fn save_part(context: &mut RequestContext, bytes: &[u8]) -> Result<String, ErrorResponse> {
    let number = context.params.get("partNumber").and_then(|text| text.parse().ok());
    let number: u32 = number.filter(|number| (1..=10_000).contains(number)).ok_or_else(|| {
        ErrorResponse::new(
            400,
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
        )
    })?;
    find(context)?;
    let digest = context.home.save_bytes(bytes)?;
    let etag = Object::etag_of(&digest);
    let part = Part { digest, size: bytes.len() as u64, etag: etag.clone() };
    find(context)?.parts.insert(number, part);
    Ok(etag)
}

pub(super) fn complete_upload(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:PutObject")?;
    let payload = context.payload.clone();
    let text = std::str::from_utf8(&payload).map_err(|_| malformed_xml())?;
    let root =
        parse_xml(text).filter(|root| root.name == "CompleteMultipartUpload").ok_or_else(malformed_xml)?;
    let mut named: Vec<(u32, &str)> = Vec::new();
    for part in root.children_named("Part") {
        let number = part.child_text("PartNumber").and_then(|text| text.trim().parse().ok());
        let etag = part.child_text("ETag").map(|text| text.trim().trim_matches('"'));
        let (Some(number), Some(etag)) = (number, etag) else { return Err(malformed_xml()) };
        if named.last().is_some_and(|(last, _)| *last >= number) {
            return Err(ErrorResponse::new(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        named.push((number, etag));
    }
    let upload = find(context)?.clone();
    let mut parts = Vec::new();
    for (number, etag) in &named {
        let part = upload.parts.get(number).filter(|part| part.etag == *etag);
        parts.push(part.ok_or_else(|| {
            ErrorResponse::new(400, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
        })?);
    }
    let Some((_, all_but_last)) = parts.split_last() else { return Err(malformed_xml()) };
    if all_but_last.iter().any(|part| part.size < MIN_PART) {
        return Err(ErrorResponse::new(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    let mut bytes = Vec::new();
    for part in &parts {
        bytes.extend(context.home.load_bytes(&part.digest)?);
    }
    let digest = context.home.save_bytes(&bytes)?;
    let etag = Object::etag_of(&digest);
    let object = Object {
        digest,
        size: bytes.len() as u64,
        modified_at: whole_seconds(context.now),
        etag: etag.clone(),
        headers: upload.headers.clone(),
    };
    insert(context, object)?;
    forget(context);
    Ok(render("CompleteMultipartUploadResult", |xml| {
        xml.element("Location", &format!("/{}/{}", bucket_of(context.params), key_of(context.params)))
            .element("Bucket", bucket_of(context.params))
            .element("Key", key_of(context.params))
            .element("ETag", &format!("\"{etag}\""));
    }))
}

pub(super) fn abort_upload(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_object(context, caller, "s3:AbortMultipartUpload")?;
    find(context)?;
    forget(context);
    Ok(Reply::empty(204))
}

/// Removes the upload of this call.
fn forget(context: &mut RequestContext) {
    context.world.uploads.remove(context.params.get("uploadId").unwrap_or_default());
}
