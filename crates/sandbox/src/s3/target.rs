//! Determines the bucket, key and operation of a request.

use crate::encoding::parse_percent;
use crate::http::{Params, Received};

/// The bucket, key and operation of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    bucket: String,
    /// `None` if its bytes are not UTF-8.
    key: Option<String>,
    /// AWS's name of the operation; `Unknown` if the sandbox does not support it.
    pub(crate) operation: &'static str,
}

impl Target {
    /// Determines the target from method, host, path and query.
    pub(crate) fn parse(request: &Received) -> Self {
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = if let Some(bucket) = host_bucket(request.header("host").unwrap_or_default()) {
            (bucket.to_owned(), path)
        } else {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (String::from_utf8_lossy(&parse_percent(bucket)).into_owned(), key)
        };
        let key = String::from_utf8(parse_percent(key)).ok();
        let is_copy = request.header("x-amz-copy-source").is_some();
        let query = request.query_params();
        let operation = match (bucket.is_empty(), key.as_deref()) {
            (true, _) if request.method == "GET" => "ListBuckets",
            (true, _) => "Unknown",
            (false, Some("")) => bucket_operation(&request.method, &query),
            (false, _) => object_operation(&request.method, &query, is_copy),
        };
        Self { bucket, key, operation }
    }

    /// Returns whether the key is invalid.
    pub(crate) fn is_key_broken(&self) -> bool {
        self.key.as_ref().is_none_or(|key| key.len() > 1024)
    }

    /// Returns bucket and key as parameters with the names of AWS's model of the service.
    pub(crate) fn into_params(self) -> Params {
        Params::of([("Bucket", self.bucket), ("Key", self.key.unwrap_or_default())])
    }
}

/// Returns the bucket in `bucket.localhost:PORT`.
fn host_bucket(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    [".127.0.0.1", ".localhost"].iter().find_map(|ours| name.strip_suffix(ours))
}

/// Query parameters that select parts of S3 that the sandbox does not support.
const SUBRESOURCES: [&str; 23] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "versions",
    "website",
];

fn has_subresource(query: &Params) -> bool {
    SUBRESOURCES.iter().any(|name| query.has(name))
}

fn bucket_operation(method: &str, query: &Params) -> &'static str {
    match method {
        "GET" if query.has("location") => "GetBucketLocation",
        "GET" if query.has("versioning") => "GetBucketVersioning",
        "POST" if query.has("delete") => "DeleteObjects",
        _ if has_subresource(query) || query.has("uploads") || query.has("versioning") => "Unknown",
        "GET" if query.get("list-type") == Some("2") => "ListObjectsV2",
        "GET" => "ListObjects",
        "PUT" => "CreateBucket",
        "HEAD" => "HeadBucket",
        "DELETE" => "DeleteBucket",
        _ => "Unknown",
    }
}

fn object_operation(method: &str, query: &Params, is_copy: bool) -> &'static str {
    match method {
        "POST" if query.has("uploads") => "CreateMultipartUpload",
        "POST" if query.has("uploadId") => "CompleteMultipartUpload",
        "PUT" if query.has("uploadId") && is_copy => "UploadPartCopy",
        "PUT" if query.has("uploadId") => "UploadPart",
        "DELETE" if query.has("uploadId") => "AbortMultipartUpload",
        _ if has_subresource(query) || query.has("uploadId") || query.has("versionId") => "Unknown",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if is_copy => "CopyObject",
        "PUT" => "PutObject",
        "DELETE" => "DeleteObject",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, host: &str, path: &str, query: &str) -> Target {
        Target::parse(&Received {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("host".to_owned(), host.to_owned())],
            body: hyper::body::Bytes::new(),
        })
    }

    #[test]
    fn path_style_and_host_style_mean_the_same() {
        let path = parse("GET", "127.0.0.1:1", "/logs/a/b%20c", "");
        assert_eq!(
            (path.bucket.as_str(), path.key.as_deref(), path.operation),
            ("logs", Some("a/b c"), "GetObject")
        );
        assert_eq!(path, parse("GET", "logs.localhost:1", "/a/b%20c", ""));
    }

    #[test]
    fn a_part_of_s3_that_is_not_there_is_not_taken_for_another() {
        assert_eq!(parse("PUT", "localhost:1", "/logs", "acl").operation, "Unknown");
        assert_eq!(parse("DELETE", "localhost:1", "/logs", "policy").operation, "Unknown");
        assert_eq!(parse("PUT", "localhost:1", "/logs/x", "tagging").operation, "Unknown");
        assert_eq!(parse("DELETE", "localhost:1", "/logs/x", "versionId=1").operation, "Unknown");
        assert_eq!(parse("DELETE", "localhost:1", "/logs", "").operation, "DeleteBucket");
    }

    #[test]
    fn a_key_that_is_not_utf_8_is_refused() {
        assert!(parse("GET", "localhost:1", "/logs/%ff", "").is_key_broken());
    }
}
