//! S3, as far as `aws s3` (ls, cp, rm, mb, rb) and terraform's S3 backend with lockfile call it.
//!
//! Buckets live in one flat namespace without versions, ACLs or bucket policies; path style and
//! `bucket.localhost` are understood.

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
