//! Buckets, objects, and uploads under way. Their bytes lie beside the world, by digest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The account that owns it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Objects by key.
    pub objects: BTreeMap<String, Object>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// SHA-256 of the bytes, in hex: the name of the file that holds them.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified_at: Timestamp,
    /// Without quotes. Never the form of an MD5, so that no client takes it for one.
    pub etag: String,
    /// Headers given back as they came: `content-type`, `x-amz-meta-...`.
    pub headers: BTreeMap<String, String>,
}

impl Object {
    /// The etag of bytes with this digest. The ending keeps clients from comparing it with an MD5.
    pub(crate) fn etag_of(digest: &str) -> String {
        format!("{}-1", digest.get(..32).unwrap_or(digest))
    }
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The key of the object to be.
    pub key: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Parts by number.
    pub parts: BTreeMap<u32, Part>,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// SHA-256 of the bytes, in hex.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
}

impl World {
    /// Digests of all bytes that something still refers to.
    pub(crate) fn live_digests(&self) -> BTreeSet<&str> {
        let objects = self.buckets.values().flat_map(|bucket| bucket.objects.values());
        let parts = self.uploads.values().flat_map(|upload| upload.parts.values());
        objects.map(|object| object.digest.as_str()).chain(parts.map(|part| part.digest.as_str())).collect()
    }
}
