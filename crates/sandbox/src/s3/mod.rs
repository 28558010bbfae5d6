//! S3, as far as `aws s3` (ls, cp, rm, mb, rb) and terraform's S3 backend with lockfile call it.
//!
//! Buckets live in one flat namespace without versions, ACLs or bucket policies; path style and
//! `bucket.localhost` are understood.

mod bucket;
mod condition;
mod list;
mod multipart;
mod object;
mod target;

use hyper::body::Bytes;

use crate::authorize::{Ask, Keys};
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::sigv4::{Caller, Dialect};
use crate::turn::Turn;
use crate::xml::Xml;

pub(crate) use target::Target;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A signed request to S3.
struct Call<'a> {
    caller: &'a Caller,
    /// The bucket; empty for ListBuckets.
    bucket: &'a str,
    /// The key; empty for calls to a bucket.
    key: &'a str,
    payload: Bytes,
}

/// Carries out a call.
pub(crate) fn perform(turn: &mut Turn, target: &Target) -> Result<Reply, Refusal> {
    let verified = turn.verify(Dialect::S3)?;
    if target.is_key_broken() {
        return Err(Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."));
    }
    let call = Call {
        caller: &verified.caller,
        bucket: target.bucket(),
        key: target.key(),
        payload: verified.payload,
    };
    match target.operation() {
        "ListBuckets" => bucket::list_buckets(turn, &call),
        "CreateBucket" => bucket::create_bucket(turn, &call),
        "DeleteBucket" => bucket::delete_bucket(turn, &call),
        "HeadBucket" => bucket::head_bucket(turn, &call),
        "GetBucketLocation" => bucket::get_bucket_location(turn, &call),
        "GetBucketVersioning" => bucket::get_bucket_versioning(turn, &call),
        "ListObjects" => list::list_objects(turn, &call),
        "ListObjectsV2" => list::list_objects_v2(turn, &call),
        "GetObject" => object::get_object(turn, &call),
        "HeadObject" => object::head_object(turn, &call),
        "PutObject" => object::put_object(turn, &call),
        "CopyObject" => object::copy_object(turn, &call),
        "DeleteObject" => object::delete_object(turn, &call),
        "DeleteObjects" => object::delete_objects(turn, &call),
        "CreateMultipartUpload" => multipart::create_upload(turn, &call),
        "UploadPart" => multipart::upload_part(turn, &call),
        "UploadPartCopy" => multipart::upload_part_copy(turn, &call),
        "CompleteMultipartUpload" => multipart::complete_upload(turn, &call),
        "AbortMultipartUpload" => multipart::abort_upload(turn, &call),
        _ => Err(Refusal::new(501, "NotImplemented", "The sandbox does not do this.")),
    }
}

impl Call<'_> {
    /// Asks whether the caller may do `action` to the bucket.
    fn authorize_bucket(&self, turn: &mut Turn, action: &str, keys: Keys) -> Result<(), Refusal> {
        self.authorize(turn, action, &format!("arn:aws:s3:::{}", self.bucket), self.bucket, keys)
    }

    /// Asks whether the caller may do `action` to the object.
    fn authorize_object(&self, turn: &mut Turn, action: &str) -> Result<(), Refusal> {
        let arn = format!("arn:aws:s3:::{}/{}", self.bucket, self.key);
        self.authorize(turn, action, &arn, self.bucket, Keys::new())
    }

    /// Asks about any resource of `bucket`; then the bucket must be there.
    fn authorize(
        &self,
        turn: &mut Turn,
        action: &str,
        arn: &str,
        bucket: &str,
        keys: Keys,
    ) -> Result<(), Refusal> {
        let owner = turn.world.buckets.get(bucket).map(|bucket| bucket.account.clone());
        // What makes or lists buckets is about the caller's own account, whoever has the name.
        let is_own = matches!(action, "s3:CreateBucket" | "s3:ListAllMyBuckets");
        let account = owner.clone().filter(|_| !is_own);
        let account = account.unwrap_or_else(|| self.caller.principal.account().to_owned());
        let mut ask = Ask::new(action, arn, &account);
        ask.keys = keys;
        turn.authorize(self.caller, &ask, "\"")?;
        if owner.is_none() && !is_own {
            return Err(no_such_bucket());
        }
        Ok(())
    }
}

fn no_such_bucket() -> Refusal {
    Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

fn no_such_key() -> Refusal {
    Refusal::new(404, "NoSuchKey", "The specified key does not exist.")
}

fn malformed_xml() -> Refusal {
    Refusal::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// Renders an answer with the root element `root`.
fn render(root: &str, inner: impl FnOnce(&mut Xml)) -> Reply {
    let mut xml = Xml::document();
    xml.nest_ns(root, NAMESPACE, inner);
    Reply::xml(200, "application/xml", xml.finish())
}
