//! The actions of S3. Their rules only control the log: each action reports bad parameters in its own wording.

use super::{bucket, list, multipart, object};
use crate::action::Action;
use crate::rules::{Kind, Rule, optional};

const TEXT: Kind = Kind::Text(0, usize::MAX, None);
const LISTING: &[Rule] = &[
    optional("continuation-token", TEXT),
    optional("delimiter", TEXT),
    optional("encoding-type", TEXT),
    optional("list-type", TEXT),
    optional("max-keys", TEXT),
    optional("prefix", TEXT),
];
const PART: &[Rule] = &[optional("partNumber", TEXT)];

/// One row for each action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("ListBuckets", LISTING, bucket::list_buckets),
    Action::write("CreateBucket", &[], bucket::create_bucket),
    Action::write("DeleteBucket", &[], bucket::delete_bucket),
    Action::read("HeadBucket", &[], bucket::head_bucket),
    Action::read("GetBucketLocation", &[], bucket::get_bucket_location),
    Action::read("GetBucketVersioning", &[], bucket::get_bucket_versioning),
    Action::read("ListObjects", LISTING, list::list_objects),
    Action::read("ListObjectsV2", LISTING, list::list_objects_v2),
    Action::read("GetObject", &[], object::get_object),
    Action::read("HeadObject", &[], object::head_object),
    Action::write("PutObject", &[], object::put_object),
    Action::write("CopyObject", &[], object::copy_object),
    Action::write("DeleteObject", &[], object::delete_object),
    Action::write("DeleteObjects", &[], object::delete_objects),
    Action::write("CreateMultipartUpload", &[], multipart::create_upload),
    Action::write("UploadPart", PART, multipart::upload_part),
    Action::write("UploadPartCopy", PART, multipart::upload_part_copy),
    Action::write("CompleteMultipartUpload", &[], multipart::complete_upload),
    Action::write("AbortMultipartUpload", &[], multipart::abort_upload),
];
