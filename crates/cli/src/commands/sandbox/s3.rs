//! `hatbox sandbox s3`: a substitute for `aws s3 ls|cp|rm|mb` on machines without the `aws` program.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::args::SandboxS3;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

use super::s3_answer::{element, elements};
use super::s3_client::{Ask, BODY_LIMIT, S3Client, S3Error};

/// A bucket, and a key or prefix in it, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    bucket: String,
    key: String,
}

/// The source or target of a copy.
#[derive(Debug, PartialEq, Eq)]
enum Side {
    Object(Place),
    File(PathBuf),
    /// `-`: stdin or stdout.
    Stream,
}

pub(super) fn run(world: &World, args: &SandboxS3) -> Result<(), Failure> {
    let client = S3Client::of_environment(world)?;
    let text = match args {
        SandboxS3::Ls { url: None } => list_buckets(&client)?,
        SandboxS3::Ls { url: Some(url) } => list_objects(&client, &parse_place(url)?)?,
        SandboxS3::Cp { from, to } => return copy(world, &client, from, to),
        SandboxS3::Rm { url } => {
            let place = parse_object(url)?;
            ask(&client, "DeleteObject", "DELETE", &place, &[])
                .map_err(|error| failed(&format!("delete failed: {place}"), &error))?;
            format!("delete: {place}\n")
        }
        SandboxS3::Mb { url } => {
            let place = parse_place(url)?;
            if !place.key.is_empty() {
                return Err(usage(format!("`{url}` names more than a bucket")));
            }
            ask(&client, "CreateBucket", "PUT", &place, &[])
                .map_err(|error| failed(&format!("make_bucket failed: s3://{}", place.bucket), &error))?;
            format!("make_bucket: {}\n", place.bucket)
        }
    };
    Ok(world.output.data(&text)?)
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

fn usage(text: String) -> Failure {
    Failure::new(FailureKind::Usage, text)
}

fn failed(what: &str, error: &S3Error) -> Failure {
    Failure::new(FailureKind::Failed, what).caused_by(error)
}

fn parse_place(url: &str) -> Result<Place, Failure> {
    let rest = url
        .strip_prefix("s3://")
        .ok_or_else(|| usage(format!("invalid S3 address `{url}`: expected s3://BUCKET/KEY")))?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(usage(format!("`{url}` names no bucket")).hint("write it as s3://BUCKET/KEY"));
    }
    Ok(Place { bucket: bucket.to_owned(), key: key.to_owned() })
}

fn parse_object(url: &str) -> Result<Place, Failure> {
    let place = parse_place(url)?;
    if place.key.is_empty() {
        return Err(usage(format!("`{url}` names no object")).hint("write it as s3://BUCKET/KEY"));
    }
    Ok(place)
}

fn parse_side(text: &str) -> Result<Side, Failure> {
    Ok(match text {
        "-" => Side::Stream,
        text if text.starts_with("s3://") => Side::Object(parse_place(text)?),
        text => Side::File(PathBuf::from(text)),
    })
}

fn ask(
    client: &S3Client<'_>,
    operation: &'static str,
    method: &'static str,
    place: &Place,
    body: &[u8],
) -> Result<Vec<u8>, S3Error> {
    let path = match place.key.as_str() {
        "" => place.bucket.clone(),
        key => format!("{}/{key}", place.bucket),
    };
    client.ask(&Ask { operation, method, path: &path, query: &[], body })
}

fn list_buckets(client: &S3Client<'_>) -> Result<String, Failure> {
    let ask = Ask { operation: "ListBuckets", method: "GET", path: "", query: &[], body: &[] };
    let answer = client.ask(&ask).map_err(|error| failed("could not list the buckets", &error))?;
    let xml = String::from_utf8_lossy(&answer);
    let line = |bucket| {
        format!("{} {}\n", render_time(bucket, "CreationDate"), element(bucket, "Name").unwrap_or_default())
    };
    let mut text = String::new();
    text.extend(elements(&xml, "Bucket").map(line));
    Ok(text)
}

fn list_objects(client: &S3Client<'_>, place: &Place) -> Result<String, Failure> {
    let mut text = String::new();
    let mut token: Option<String> = None;
    loop {
        let mut query = vec![("delimiter", "/"), ("list-type", "2"), ("prefix", place.key.as_str())];
        if let Some(token) = &token {
            query.insert(0, ("continuation-token", token.as_str()));
        }
        let ask =
            Ask { operation: "ListObjectsV2", method: "GET", path: &place.bucket, query: &query, body: &[] };
        let answer = client.ask(&ask).map_err(|error| failed(&format!("could not list {place}"), &error))?;
        let xml = String::from_utf8_lossy(&answer);
        let names_from = place.key.rfind('/').map_or(0, |slash| slash + 1);
        let shown = |name: String| name.get(names_from..).map(str::to_owned).unwrap_or(name);
        let prefixes = elements(&xml, "CommonPrefixes").filter_map(|inside| element(inside, "Prefix"));
        text.extend(prefixes.map(|prefix| format!("{:>30} {}\n", "PRE", shown(prefix))));
        text.extend(elements(&xml, "Contents").map(|object| {
            let size = element(object, "Size").unwrap_or_default();
            let key = shown(element(object, "Key").unwrap_or_default());
            format!("{} {size:>10} {key}\n", render_time(object, "LastModified"))
        }));
        let next = element(&xml, "NextContinuationToken");
        // A page whose token is that of the request would repeat forever.
        if next.is_none() || next == token {
            return Ok(text);
        }
        token = next;
    }
}

/// Renders `2024-05-01 10:00:00`, in UTC.
fn render_time(xml: &str, name: &str) -> String {
    let text = element(xml, name).unwrap_or_default();
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text,
    }
}

fn copy(world: &World, client: &S3Client<'_>, from: &str, to: &str) -> Result<(), Failure> {
    match (parse_side(from)?, parse_side(to)?) {
        (Side::Object(_), Side::Object(_)) => {
            Err(usage("this client cannot copy from bucket to bucket".to_owned()))
        }
        (Side::Object(_), Side::File(_) | Side::Stream) => {
            let place = parse_object(from)?;
            download(world, client, &place, parse_side(to)?)
        }
        (side, Side::Object(place)) => upload(world, client, &side, &place),
        _ => {
            Err(usage("one of the two must be an S3 address".to_owned()).hint("write it as s3://BUCKET/KEY"))
        }
    }
}

fn upload(world: &World, client: &S3Client<'_>, from: &Side, to: &Place) -> Result<(), Failure> {
    let (body, name) = match from {
        Side::File(path) => {
            (load_file(path)?, path.file_name().map(|name| name.to_string_lossy().into_owned()))
        }
        _ => (
            read_bounded(std::io::stdin().lock()).map_err(|error| unreadable("standard input", &error))?,
            None,
        ),
    };
    let mut place = to.clone();
    if place.key.is_empty() || place.key.ends_with('/') {
        let name = name.ok_or_else(|| usage(format!("`{to}` names no object")))?;
        place.key.push_str(&name);
    }
    let shown = match from {
        Side::File(path) => render_path(path),
        _ => "-".to_owned(),
    };
    ask(client, "PutObject", "PUT", &place, &body)
        .map_err(|error| failed(&format!("upload failed: {shown} to {place}"), &error))?;
    match from {
        Side::File(_) => Ok(world.output.data(&format!("upload: {shown} to {place}\n"))?),
        _ => Ok(()),
    }
}

fn download(world: &World, client: &S3Client<'_>, from: &Place, to: Side) -> Result<(), Failure> {
    let path = match to {
        Side::File(path) if path.is_dir() => Some(path.join(from.key.rsplit('/').next().unwrap_or_default())),
        Side::File(path) => Some(path),
        _ => None,
    };
    let shown = path.as_deref().map_or("-".to_owned(), render_path);
    let body = ask(client, "GetObject", "GET", from, &[])
        .map_err(|error| failed(&format!("download failed: {from} to {shown}"), &error))?;
    let Some(path) = path else {
        return Ok(world.output.bytes(&body)?);
    };
    std::fs::write(&path, body).map_err(|error| {
        Failure::new(FailureKind::Failed, format!("could not write `{}`", path.display())).caused_by(&error)
    })?;
    Ok(world.output.data(&format!("download: {from} to {shown}\n"))?)
}

fn load_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::File::open(path)
        .and_then(read_bounded)
        .map_err(|error| unreadable(&format!("`{}`", path.display()), &error))
}

fn read_bounded(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(BODY_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > BODY_LIMIT {
        return Err(std::io::Error::other("the sandbox accepts at most 64 MiB"));
    }
    Ok(bytes)
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Failed, format!("could not read {what}")).caused_by(error)
}

/// Renders a path as `aws s3` does, with `./` before a relative path.
fn render_path(path: &Path) -> String {
    let shown = path.display().to_string();
    if path.is_absolute() || shown.starts_with("./") || shown.starts_with("../") {
        return shown;
    }
    format!("./{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_bucket_and_perhaps_a_key() {
        let place = |bucket: &str, key: &str| Place { bucket: bucket.to_owned(), key: key.to_owned() };
        assert_eq!(parse_place("s3://b").unwrap(), place("b", ""));
        assert_eq!(parse_place("s3://b/").unwrap(), place("b", ""));
        assert_eq!(parse_place("s3://b/a//c d").unwrap(), place("b", "a//c d"));
        assert!(parse_place("b/c").is_err());
        assert!(parse_place("s3:///c").is_err());
        assert!(parse_object("s3://b/").is_err());
        assert_eq!(parse_side("-").unwrap(), Side::Stream);
        assert_eq!(parse_side("s3.txt").unwrap(), Side::File("s3.txt".into()));
    }

    #[test]
    fn paths_are_shown_as_aws_s3_shows_them() {
        for (path, shown) in [("x", "./x"), ("./x", "./x"), ("../x", "../x"), ("/tmp/x", "/tmp/x")] {
            assert_eq!(render_path(Path::new(path)), shown);
        }
    }
}
