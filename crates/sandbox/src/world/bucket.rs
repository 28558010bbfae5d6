//! Buckets, objects, and multipart uploads in progress. Their bytes are in separate files, named by digest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The account that owns the bucket.
    pub account: String,
    /// The region of the bucket.
    pub region: String,
    /// When the bucket was created.
    pub created_at: Timestamp,
    /// Objects by key.
    pub objects: BTreeMap<String, Object>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// SHA-256 of the bytes, in hex; also the name of the file that contains them.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified_at: Timestamp,
    /// The etag without quotes. It never looks like an MD5 digest, so that clients do not verify it as one.
    pub etag: String,
    /// Headers that are returned as they were sent: `content-type`, `x-amz-meta-...`.
    pub headers: BTreeMap<String, String>,
}

impl Object {
    /// Returns the etag of bytes with this digest. The suffix keeps clients from comparing it with an MD5 digest.
    pub(crate) fn etag_of(digest: &str) -> String {
        format!("{}-1", digest.get(..32).unwrap_or(digest))
    }
}

/// A multipart upload in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The bucket of the future object.
    pub bucket: String,
    /// The key of the future object.
    pub key: String,
    /// The headers of the future object.
    pub headers: BTreeMap<String, String>,
    /// Parts by part number.
    pub parts: BTreeMap<u32, Part>,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// SHA-256 of the bytes, in hex.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// The etag without quotes.
    pub etag: String,
}

impl World {
    /// Returns the digests of all bytes that are still referenced.
    pub(crate) fn live_digests(&self) -> BTreeSet<&str> {
        let objects = self.buckets.values().flat_map(|bucket| bucket.objects.values());
        let parts = self.uploads.values().flat_map(|upload| upload.parts.values());
        objects.map(|object| object.digest.as_str()).chain(parts.map(|part| part.digest.as_str())).collect()
    }
}
