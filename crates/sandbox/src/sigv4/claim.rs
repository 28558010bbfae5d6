//! Parses what a request states about its signature, in the Authorization header or the query.

use jiff::Timestamp;

use super::dialect::{Dialect, SKEW_SECONDS};
use super::words;
use crate::clock;
use crate::error_response::ErrorResponse;
use crate::http::Received;

/// Where the signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the Authorization header.
    Header,
    /// In the query: a presigned URL.
    Presigned {
        /// How long the URL is valid, in seconds.
        expires: i64,
    },
}

/// What a request states about its signature; unverified.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) form: Form,
    pub(super) key_id: String,
    /// The date of the scope, `YYYYMMDD`.
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    /// Names in lower case, sorted, as listed in the request.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// The time of signing, `YYYYMMDDTHHMMSSZ`.
    pub(super) stamp: String,
    pub(super) at: Timestamp,
    pub(super) token: Option<String>,
}

impl Claim {
    /// Returns `date/region/service/aws4_request`.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// The unchecked fields, which both forms have.
#[derive(Default)]
struct Fields {
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    stamp: Option<String>,
    token: Option<String>,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Parses the claim of a request, and checks its form, its scope and which headers it covers.
pub(super) fn parse_claim(request: &Received, dialect: Dialect) -> Result<Claim, ErrorResponse> {
    let query = request.query_params();
    let header = request.header("authorization");
    let (form, fields) = match header {
        Some(_) if query.has("X-Amz-Signature") => {
            return Err(words::incomplete(dialect, "the request is signed in the header and in the query."));
        }
        Some(header) => (Form::Header, header_fields(request, header, dialect)?),
        None if query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm") => {
            if query.get("X-Amz-Algorithm") != Some(ALGORITHM) {
                return Err(words::incomplete(dialect, "'X-Amz-Algorithm' must be AWS4-HMAC-SHA256."));
            }
            let field = |name: &str| query.get(name).filter(|v| !v.is_empty()).map(str::to_owned);
            let fields = Fields {
                credential: field("X-Amz-Credential"),
                signed_headers: field("X-Amz-SignedHeaders"),
                signature: field("X-Amz-Signature"),
                stamp: field("X-Amz-Date"),
                token: field("X-Amz-Security-Token"),
            };
            (Form::Presigned { expires: parse_expires(query.get("X-Amz-Expires"), dialect)? }, fields)
        }
        None if query.has("AWSAccessKeyId") => return Err(words::old_version()),
        None => return Err(words::missing(dialect)),
    };
    let claim = complete(form, fields, dialect)?;
    check_scope(&claim, dialect)?;
    check_coverage(request, &claim, dialect)?;
    Ok(claim)
}

fn header_fields(request: &Received, header: &str, dialect: Dialect) -> Result<Fields, ErrorResponse> {
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    if algorithm == "AWS" && dialect == Dialect::S3 {
        return Err(words::old_version());
    }
    if algorithm != ALGORITHM {
        return Err(words::incomplete(
            dialect,
            "Authorization header requires the algorithm AWS4-HMAC-SHA256.",
        ));
    }
    let mut fields = Fields::default();
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let slot = match name {
            "Credential" => &mut fields.credential,
            "SignedHeaders" => &mut fields.signed_headers,
            "Signature" => &mut fields.signature,
            _ => {
                let message = format!("'{part}' not a valid key=value pair in Authorization header.");
                return Err(words::incomplete(dialect, &message));
            }
        };
        if !value.is_empty() && slot.replace(value.to_owned()).is_some() {
            return Err(words::incomplete(dialect, &format!("'{name}' is there twice.")));
        }
    }
    fields.stamp = request.header("x-amz-date").or_else(|| request.header("date")).map(str::to_owned);
    fields.token = request.header("x-amz-security-token").map(str::to_owned);
    Ok(fields)
}

fn parse_expires(text: Option<&str>, dialect: Dialect) -> Result<i64, ErrorResponse> {
    const WEEK: i64 = 7 * 24 * 3600;
    match (text.map(str::parse::<i64>), dialect) {
        (Some(Ok(expires @ 1..=WEEK)), _) => Ok(expires),
        (None, Dialect::Query(_)) => Ok(SKEW_SECONDS),
        _ => Err(words::incomplete(dialect, "'X-Amz-Expires' must be 1 to 604800 seconds.")),
    }
}

fn complete(form: Form, fields: Fields, dialect: Dialect) -> Result<Claim, ErrorResponse> {
    let Fields { credential, signed_headers, signature, stamp, token } = fields;
    let named = match form {
        Form::Header => ["'Credential'", "'Signature'", "'SignedHeaders'"],
        Form::Presigned { .. } => ["'X-Amz-Credential'", "'X-Amz-Signature'", "'X-Amz-SignedHeaders'"],
    };
    let present = [credential.is_some(), signature.is_some(), signed_headers.is_some()];
    let mut absent: Vec<String> = named
        .iter()
        .zip(present)
        .filter(|(_, is_there)| !is_there)
        .map(|(name, _)| match form {
            Form::Header => format!("Authorization header requires {name} parameter."),
            Form::Presigned { .. } => format!("AWS query-string parameters must include {name}."),
        })
        .collect();
    if stamp.is_none() {
        absent.push(match form {
            Form::Header => {
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
                    .to_owned()
            }
            Form::Presigned { .. } => "AWS query-string parameters must include 'X-Amz-Date'.".to_owned(),
        });
    }
    let (Some(credential), Some(signature), Some(signed_headers), Some(stamp)) =
        (credential, signature, signed_headers, stamp)
    else {
        return Err(words::incomplete(dialect, &absent.join(" ")));
    };
    let Some(at) = clock::parse_basic(&stamp) else {
        let message = format!(
            "Date must be in ISO-8601 'basic format'. Got '{stamp}'. See http://en.wikipedia.org/wiki/ISO_8601"
        );
        return Err(words::incomplete(dialect, &message));
    };
    // A key id cannot contain a slash, so the five parts are split off from the end.
    let mut parts = credential.rsplitn(5, '/');
    let mut next = || parts.next().map(str::to_owned).unwrap_or_default();
    let (end, service, region, date, key_id) = (next(), next(), next(), next(), next());
    if key_id.is_empty() || end != "aws4_request" {
        let message = format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        );
        return Err(words::incomplete(dialect, &message));
    }
    let signed_headers = signed_headers.split(';').map(str::to_owned).collect();
    Ok(Claim { form, key_id, date, region, service, signed_headers, signature, stamp, at, token })
}

fn check_scope(claim: &Claim, dialect: Dialect) -> Result<(), ErrorResponse> {
    let service = dialect.service();
    if claim.service != service {
        let message = format!("Credential should be scoped to correct service: '{service}'. ");
        return Err(words::wrong_scope(dialect, &message));
    }
    if hatbox_types::name::Region::parse(&claim.region).is_err() {
        return Err(words::wrong_scope(dialect, "Credential should be scoped to a valid region. "));
    }
    if claim.stamp.get(..8) != Some(&claim.date) {
        let message = format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'.",
            claim.date,
            claim.stamp.get(..8).unwrap_or_default(),
            claim.stamp
        );
        return Err(words::wrong_scope(dialect, &message));
    }
    Ok(())
}

/// Checks that `host` and all `x-amz-` headers are signed, and that signed headers are present, sorted and unique.
fn check_coverage(request: &Received, claim: &Claim, dialect: Dialect) -> Result<(), ErrorResponse> {
    let signed = &claim.signed_headers;
    if !signed.is_sorted_by(|a, b| a < b) || signed.iter().any(|name| name.to_ascii_lowercase() != *name) {
        return Err(words::incomplete(dialect, "'SignedHeaders' must be in lower case and sorted."));
    }
    if !signed.iter().any(|name| name == "host") {
        return Err(words::unsigned_header(dialect, "Host"));
    }
    for (name, _) in &request.headers {
        // The Rust SDK does not sign this header in presigned requests, and AWS accepts that.
        let is_exempt = name == "x-amz-user-agent" && matches!(claim.form, Form::Presigned { .. });
        if name.starts_with("x-amz-") && !is_exempt && !signed.contains(name) {
            return Err(words::unsigned_header(dialect, name));
        }
    }
    if let Some(absent) = signed.iter().find(|name| request.header(name).is_none()) {
        return Err(
            words::wrong_signature(dialect).because(format!("the signed header `{absent}` is not there"))
        );
    }
    Ok(())
}
