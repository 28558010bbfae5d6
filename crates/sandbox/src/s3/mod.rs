//! The part of S3 that `aws s3` (ls, cp, rm, mb, rb) and terraform's S3 backend with a lock file use.
//!
//! Buckets are in one flat namespace, without versions, ACLs or bucket policies. Both path style and `bucket.localhost`
//! are supported.

mod actions;
mod bucket;
mod call;
mod condition;
mod list;
mod multipart;
mod object;
mod target;

pub(crate) use actions::ACTIONS;
pub(crate) use target::Target;
