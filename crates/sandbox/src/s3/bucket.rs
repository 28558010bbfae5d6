//! Calls about whole buckets.

use std::collections::BTreeMap;

use super::call::{authorize, authorize_bucket, bucket_of, malformed_xml, render};
use crate::authorize::Keys;
use crate::clock::render_iso_millis;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::Bucket;
use crate::xml_read::parse_xml;

/// The region of buckets that are created without one.
const DEFAULT_REGION: &str = "us-east-1";

pub(super) fn list_buckets(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, "s3:ListAllMyBuckets", "arn:aws:s3:::*", "", Keys::new())?;
    let account = caller.account();
    let prefix = context.params.get("prefix").unwrap_or_default();
    let buckets = context.world.buckets.iter();
    let own = buckets.filter(|(name, bucket)| bucket.account == account && name.starts_with(prefix));
    Ok(render("ListAllMyBucketsResult", |xml| {
        xml.nest("Owner", |xml| {
            xml.element("ID", account);
        });
        xml.nest("Buckets", |xml| {
            for (name, bucket) in own {
                xml.nest("Bucket", |xml| {
                    xml.element("Name", name).element("CreationDate", &render_iso_millis(bucket.created_at));
                });
            }
        });
    }))
}

pub(super) fn create_bucket(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_bucket(context, caller, "s3:CreateBucket", Keys::new())?;
    if !is_bucket_name(bucket_of(context.params)) {
        return Err(ErrorResponse::new(400, "InvalidBucketName", "The specified bucket is not valid."));
    }
    let region = if context.payload.is_empty() {
        DEFAULT_REGION.to_owned()
    } else {
        let text = std::str::from_utf8(&context.payload).map_err(|_| malformed_xml())?;
        let root = parse_xml(text).ok_or_else(malformed_xml)?;
        root.child_text("LocationConstraint").unwrap_or(DEFAULT_REGION).to_owned()
    };
    let account = caller.account().to_owned();
    if let Some(bucket) = context.world.buckets.get(bucket_of(context.params)) {
        return Err(if bucket.account == account {
            ErrorResponse::new(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        } else {
            ErrorResponse::new(409, "BucketAlreadyExists", "The requested bucket name is not available.")
        });
    }
    let bucket = Bucket { account, region, created_at: context.now, objects: BTreeMap::new() };
    context.world.buckets.insert(bucket_of(context.params).to_owned(), bucket);
    Ok(Reply::empty(200).with("location", format!("/{}", bucket_of(context.params))))
}

/// Returns whether the name has 3 to 63 of `[a-z0-9.-]`, with a letter or digit at both ends.
fn is_bucket_name(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    let is_end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| is_inner(b))
        && is_end(bytes.first())
        && is_end(bytes.last())
        && !name.contains("..")
}

pub(super) fn delete_bucket(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_bucket(context, caller, "s3:DeleteBucket", Keys::new())?;
    if context.world.buckets.get(bucket_of(context.params)).is_some_and(|bucket| !bucket.objects.is_empty()) {
        return Err(ErrorResponse::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
    }
    context.world.buckets.remove(bucket_of(context.params));
    context.world.uploads.retain(|_, upload| upload.bucket != bucket_of(context.params));
    Ok(Reply::empty(204))
}

pub(super) fn head_bucket(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize_bucket(context, caller, "s3:ListBucket", Keys::new())?;
    let region = context.world.buckets.get(bucket_of(context.params)).map(|bucket| bucket.region.clone());
    Ok(Reply::empty(200).with("x-amz-bucket-region", region.unwrap_or_default()))
}

pub(super) fn get_bucket_location(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    authorize_bucket(context, caller, "s3:GetBucketLocation", Keys::new())?;
    let region = context.world.buckets.get(bucket_of(context.params)).map(|bucket| bucket.region.as_str());
    // S3 returns an empty location for us-east-1.
    let shown = region.filter(|region| *region != DEFAULT_REGION).unwrap_or_default();
    Ok(render("LocationConstraint", |xml| xml.text(shown)))
}

pub(super) fn get_bucket_versioning(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    authorize_bucket(context, caller, "s3:GetBucketVersioning", Keys::new())?;
    Ok(render("VersioningConfiguration", |_| {}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_are_those_of_s3() {
        for (name, is_name) in
            [("abc", true), ("a.b-1", true), ("ab", false), ("Abc", false), ("-ab", false), ("a..b", false)]
        {
            assert_eq!(is_bucket_name(name), is_name, "{name}");
        }
    }
}
