//! What all S3 calls share: bucket and key, authorization, and rendering responses.

use crate::authorize::{Ask, Keys};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::service::Service;
use crate::sigv4::Caller;
use crate::xml::Xml;

/// Returns the bucket; empty for ListBuckets.
pub(super) fn bucket_of(params: &Params) -> &str {
    params.get("Bucket").unwrap_or_default()
}

/// Returns the key; empty for calls about a bucket.
pub(super) fn key_of(params: &Params) -> &str {
    params.get("Key").unwrap_or_default()
}

/// Checks that the caller may perform `action` on the bucket.
pub(super) fn authorize_bucket(
    context: &mut RequestContext,
    caller: &Caller,
    action: &str,
    keys: Keys,
) -> Result<(), ErrorResponse> {
    authorize(
        context,
        caller,
        action,
        &format!("arn:aws:s3:::{}", bucket_of(context.params)),
        bucket_of(context.params),
        keys,
    )
}

/// Checks that the caller may perform `action` on the object.
pub(super) fn authorize_object(
    context: &mut RequestContext,
    caller: &Caller,
    action: &str,
) -> Result<(), ErrorResponse> {
    let arn = format!("arn:aws:s3:::{}/{}", bucket_of(context.params), key_of(context.params));
    authorize(context, caller, action, &arn, bucket_of(context.params), Keys::new())
}

/// Authorizes a call on any resource of `bucket`, then checks that the bucket exists.
pub(super) fn authorize(
    context: &mut RequestContext,
    caller: &Caller,
    action: &str,
    arn: &str,
    bucket: &str,
    keys: Keys,
) -> Result<(), ErrorResponse> {
    let owner = context.world.buckets.get(bucket).map(|bucket| bucket.account.clone());
    // Creating and listing buckets concern the caller's own account, whoever owns a bucket of that name.
    let is_own = matches!(action, "s3:CreateBucket" | "s3:ListAllMyBuckets");
    let account = owner.clone().filter(|_| !is_own);
    let account = account.unwrap_or_else(|| caller.account().to_owned());
    let mut ask = Ask::new(action, arn, &account);
    ask.keys = keys;
    context.authorize(caller, &ask, "\"")?;
    if owner.is_none() && !is_own {
        return Err(no_such_bucket());
    }
    Ok(())
}

pub(super) fn no_such_bucket() -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(super) fn no_such_key() -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchKey", "The specified key does not exist.")
}

pub(super) fn malformed_xml() -> ErrorResponse {
    ErrorResponse::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// Renders a response with the root element `root`.
pub(super) fn render(root: &str, inner: impl FnOnce(&mut Xml)) -> Reply {
    let mut xml = Xml::document();
    xml.nest_ns(root, Service::S3.namespace(), inner);
    Reply::xml(200, "application/xml", xml.finish())
}
