//! Signatures, session tokens, clocks and expiry.

use hatbox_sandbox::world::KeyStatus;

use crate::client::{AUDITOR, JAN, Keys, Sandbox, Signing};

const INVALID: &str = "The security token included in the request is invalid.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const S3_MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const WHO: &[(&str, &str)] = &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];

#[test]
fn a_signed_request_shows_who_signed_it() {
    let sandbox = Sandbox::start();
    let answer = sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]);
    assert_eq!((answer.status, answer.text("Arn").as_str()), (200, JAN));
    assert_eq!(answer.text("Account"), "111122223333");
    assert!(answer.text("UserId").starts_with("AIDA"));
    assert_eq!(answer.header("x-amzn-requestid"), answer.text("RequestId"));
    assert!(answer.header("date").ends_with(" GMT"), "{}", answer.head);
    assert!(answer.body.contains("xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""));
}

#[test]
fn an_unsigned_request_is_refused() {
    let sandbox = Sandbox::start();
    let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
    raw.headers.retain(|(name, _)| name != "authorization");
    sandbox.send(&raw).refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    sandbox.send(&sandbox.s3_raw("GET", "/", &[], b"")).refused(403, "AccessDenied", "Access Denied");
}

#[test]
fn a_wrong_secret_is_refused() {
    let sandbox = Sandbox::start();
    let wrong = Keys { secret: "x".repeat(40), ..sandbox.jan.clone() };
    sandbox.sts(&wrong, "GetCallerIdentity", &[]).refused(403, "SignatureDoesNotMatch", MISMATCH);
    sandbox.s3(&wrong, "GET", "/", &[], b"").refused(403, "SignatureDoesNotMatch", S3_MISMATCH);
}

#[test]
fn a_key_that_the_sandbox_did_not_mint_is_refused() {
    let sandbox = Sandbox::start();
    let foreign = Keys { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..sandbox.jan.clone() };
    sandbox.sts(&foreign, "GetCallerIdentity", &[]).refused(403, "InvalidClientTokenId", INVALID);
    let text = "The AWS Access Key Id you provided does not exist in our records.";
    sandbox.s3(&foreign, "GET", "/", &[], b"").refused(403, "InvalidAccessKeyId", text);
}

#[test]
fn an_inactive_key_is_refused_until_it_is_active_again() {
    let sandbox = Sandbox::start();
    sandbox.control().set_key_status(&sandbox.jan.id, KeyStatus::Inactive).unwrap();
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).refused(403, "InvalidClientTokenId", INVALID);
    sandbox.control().set_key_status(&sandbox.jan.id, KeyStatus::Active).unwrap();
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
}

#[test]
fn one_byte_changed_anywhere_is_refused() {
    let sandbox = Sandbox::start();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let sts = sandbox.query(&session, "sts", WHO);
    sandbox.send(&sts).ok();
    let signed = sts.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    let names = signed.split_once("SignedHeaders=").unwrap().1.split(',').next().unwrap().to_owned();
    assert!(names.contains("host") && names.contains("x-amz-security-token"), "{names}");
    let auditor = sandbox.assume(&sandbox.jan, AUDITOR, &[]).keys();
    let target = "/work-logs/2024/05/01/app.log?response-content-type=text%2Fplain";
    let s3 = sandbox.sign(
        &auditor,
        "s3",
        sandbox.s3_raw("GET", target, &[("x-amz-meta-a", "b")], b""),
        Signing::default(),
    );
    sandbox.send(&s3).ok();
    for raw in [&sts, &s3] {
        // Change each signed header at several positions.
        let names = raw.headers.iter().map(|(name, _)| name.clone());
        for name in names.filter(|name| !["host", "authorization"].contains(&name.as_str())) {
            for at in (0..raw.clone().header_mut(&name).len()).step_by(7) {
                let mut spoilt = raw.clone();
                let value = spoilt.header_mut(&name);
                let other = if value.as_bytes()[at] == b'1' { "2" } else { "1" };
                value.replace_range(at..=at, other);
                let status = sandbox.send(&spoilt).status;
                assert!(status == 403 || status == 400, "{name} at {at}: {status}");
            }
        }
        // Change each digit of the signature.
        for back in 1..=64 {
            let mut spoilt = raw.clone();
            let value = spoilt.header_mut("authorization");
            let at = value.len() - back;
            let other = if value.as_bytes()[at] == b'0' { "1" } else { "0" };
            value.replace_range(at..=at, other);
            assert_eq!(sandbox.send(&spoilt).text("Code"), "SignatureDoesNotMatch", "digit {back}");
        }
        // Change each byte of the body, or add one to an empty body.
        for at in 0..raw.body.len().max(1) {
            let mut spoilt = raw.clone();
            match spoilt.body.get_mut(at) {
                Some(byte) => *byte ^= 1,
                None => spoilt.body.push(b'x'),
            }
            let status = sandbox.send(&spoilt).status;
            assert!(status == 403 || status == 400, "body at {at}: {status}");
        }
        let mut spoilt = raw.clone();
        spoilt.method = if raw.method == "GET" { "PUT".to_owned() } else { "GET".to_owned() };
        assert!(sandbox.send(&spoilt).status >= 400);
    }
    // Change each letter of the path and the query.
    for at in 1..s3.target.len() {
        let mut spoilt = s3.clone();
        let byte = spoilt.target.as_bytes()[at];
        if byte.is_ascii_lowercase() {
            spoilt.target.replace_range(at..=at, if byte == b'q' { "r" } else { "q" });
            assert_eq!(sandbox.send(&spoilt).text("Code"), "SignatureDoesNotMatch", "{}", spoilt.target);
        }
    }
    // The sandbox accepts localhost as `Host`, but the signature is for the address.
    let mut spoilt = sts.clone();
    *spoilt.header_mut("host") = format!("localhost:{}", sandbox.address().port());
    assert_eq!(sandbox.send(&spoilt).text("Code"), "SignatureDoesNotMatch");
}

#[test]
fn host_and_every_amz_header_must_be_signed() {
    let sandbox = Sandbox::start();
    let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
    raw.headers.push(("x-amz-extra".to_owned(), "1".to_owned()));
    let text = "'x-amz-extra' must be a 'SignedHeader' in the AWS Authorization.";
    sandbox.send(&raw).refused(403, "SignatureDoesNotMatch", text);
    let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
    let value = raw.header_mut("authorization");
    *value = value.replace("host;", "").replace(";host", "");
    let text = "'Host' must be a 'SignedHeader' in the AWS Authorization.";
    sandbox.send(&raw).refused(403, "SignatureDoesNotMatch", text);
    // Headers without the `x-amz-` prefix may be unsigned.
    let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
    raw.headers.push(("x-forwarded-for".to_owned(), "1".to_owned()));
    sandbox.send(&raw).ok();
}

#[test]
fn an_incomplete_header_gets_an_error_that_names_what_it_lacks() {
    let sandbox = Sandbox::start();
    for (cut, says) in [
        ("Credential=", "Authorization header requires 'Credential' parameter."),
        ("SignedHeaders=", "Authorization header requires 'SignedHeaders' parameter."),
        ("Signature=", "Authorization header requires 'Signature' parameter."),
    ] {
        let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
        let value = raw.header_mut("authorization");
        let parts: Vec<&str> = value.split(", ").filter(|part| !part.contains(cut)).collect();
        *value = if cut == "Credential=" {
            format!("AWS4-HMAC-SHA256 {}", parts.join(", "))
        } else {
            parts.join(", ")
        };
        sandbox.send(&raw).refused(400, "IncompleteSignature", says);
    }
    let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
    *raw.header_mut("x-amz-date") = "2026-01-01T00:00:00Z".to_owned();
    let answer = sandbox.send(&raw);
    assert_eq!((answer.status, answer.text("Code").as_str()), (400, "IncompleteSignature"));
    assert!(
        answer
            .text("Message")
            .starts_with("Date must be in ISO-8601 'basic format'. Got '2026-01-01T00:00:00Z'.")
    );
}

#[test]
fn a_signature_is_for_one_service_and_one_day() {
    let sandbox = Sandbox::start();
    let raw = sandbox.query(&sandbox.jan, "sts", WHO);
    let mut plain = raw.clone();
    plain.headers.retain(|(name, _)| name == "host" || name == "content-type");
    let other = Signing { service: Some("iam"), ..Signing::default() };
    let text = "Credential should be scoped to correct service: 'sts'. ";
    sandbox.send(&sandbox.sign(&sandbox.jan, "sts", plain, other)).refused(
        403,
        "SignatureDoesNotMatch",
        text,
    );
    let mut raw = raw;
    let day = raw.header_mut("x-amz-date")[..8].to_owned();
    let value = raw.header_mut("authorization");
    *value = value.replace(&format!("/{day}/"), "/20200101/");
    let answer = sandbox.send(&raw);
    assert_eq!((answer.status, answer.text("Code").as_str()), (403, "SignatureDoesNotMatch"));
    assert!(answer.text("Message").starts_with("Date in Credential scope does not match"), "{}", answer.body);
}

#[test]
fn a_clock_may_be_15_minutes_off_and_no_more() {
    let sandbox = Sandbox::start();
    let at = |skew: i64| {
        let mut raw = sandbox.query(&sandbox.jan, "sts", WHO);
        raw.headers.retain(|(name, _)| name == "host" || name == "content-type");
        sandbox.send(&sandbox.sign(&sandbox.jan, "sts", raw, Signing { skew, ..Signing::default() }))
    };
    for near in [-890, 890] {
        at(near).ok();
    }
    for (far, start, end) in
        [(-910, "Signature expired: ", " - 15 min.)"), (910, "Signature not yet current: ", " + 15 min.)")]
    {
        let answer = at(far);
        assert_eq!((answer.status, answer.text("Code").as_str()), (403, "SignatureDoesNotMatch"), "{far}");
        let text = answer.text("Message");
        assert!(text.starts_with(start) && text.ends_with(end), "{text}");
        let middle = if far < 0 { " is now earlier than 20" } else { " is still later than 20" };
        assert!(text.contains(middle), "{text}");
    }
    let s3 = |skew: i64| {
        let raw = sandbox.s3_raw("GET", "/", &[], b"");
        sandbox.send(&sandbox.sign(&sandbox.jan, "s3", raw, Signing { skew, ..Signing::default() }))
    };
    s3(890).ok();
    let text = "The difference between the request time and the current time is too large.";
    for far in [-910, 910] {
        s3(far).refused(403, "RequestTimeTooSkewed", text);
    }
}

#[test]
fn a_temporary_key_needs_its_own_session_token() {
    let sandbox = Sandbox::start();
    let one = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let other = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    sandbox.sts(&one, "GetCallerIdentity", &[]).ok();
    sandbox.s3(&one, "GET", "/", &[], b"").ok();
    let swapped = Keys { token: other.token.clone(), ..one.clone() };
    sandbox.sts(&swapped, "GetCallerIdentity", &[]).refused(403, "InvalidClientTokenId", INVALID);
    let text = "The provided token is malformed or otherwise invalid.";
    sandbox.s3(&swapped, "GET", "/", &[], b"").refused(400, "InvalidToken", text);
    let without = Keys { token: None, ..one };
    sandbox.sts(&without, "GetCallerIdentity", &[]).refused(403, "InvalidClientTokenId", INVALID);
    let long_lived = Keys { token: other.token, ..sandbox.jan.clone() };
    sandbox.sts(&long_lived, "GetCallerIdentity", &[]).refused(403, "InvalidClientTokenId", INVALID);
}

#[test]
fn a_temporary_key_works_to_its_last_second_and_not_after() {
    let mut sandbox = Sandbox::start();
    let keys = sandbox.sts(&sandbox.jan, "GetSessionToken", &[("DurationSeconds", "900")]).keys();
    sandbox.advance(880);
    sandbox.sts(&keys, "GetCallerIdentity", &[]).ok();
    sandbox.advance(21);
    let text = "The security token included in the request is expired";
    sandbox.sts(&keys, "GetCallerIdentity", &[]).refused(403, "ExpiredToken", text);
    sandbox.s3(&keys, "GET", "/", &[], b"").refused(400, "ExpiredToken", "The provided token has expired.");
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
}

#[test]
fn a_presigned_url_is_checked_like_a_header() {
    let sandbox = Sandbox::start();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let auditor = sandbox.assume(&sandbox.jan, AUDITOR, &[]).keys();
    let sts = sandbox.s3_raw("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", &[], b"");
    let s3 = sandbox.s3_raw("GET", "/work-logs/2024/05/01/app.log", &[], b"");
    for (keys, service, raw) in [(&session, "sts", sts), (&auditor, "s3", s3)] {
        let signing = Signing { expires: Some(60), ..Signing::default() };
        let signed = sandbox.sign(keys, service, raw.clone(), signing);
        sandbox.send(&signed).ok();
        let mut spoilt = signed.clone();
        let at = spoilt.target.find("X-Amz-Signature=").unwrap() + 20;
        let other = if spoilt.target.as_bytes()[at] == b'0' { "1" } else { "0" };
        spoilt.target.replace_range(at..=at, other);
        assert_eq!(sandbox.send(&spoilt).text("Code"), "SignatureDoesNotMatch");
        let mut spoilt = signed.clone();
        spoilt.target = spoilt.target.replace("X-Amz-Expires=60", "X-Amz-Expires=90");
        assert_eq!(sandbox.send(&spoilt).text("Code"), "SignatureDoesNotMatch");
        for (skew, is_taken) in [(-55, true), (-65, false)] {
            let late = sandbox.sign(keys, service, raw.clone(), Signing { skew, ..signing });
            let answer = sandbox.send(&late);
            assert_eq!(answer.status == 200, is_taken, "{service} {skew}: {}", answer.body);
        }
    }
}

#[test]
fn an_unknown_action_or_version_is_refused() {
    let sandbox = Sandbox::start();
    let text = "Could not find operation AssumeEverything for version 2011-06-15";
    sandbox.sts(&sandbox.jan, "AssumeEverything", &[]).refused(400, "InvalidAction", text);
    let raw =
        sandbox.query(&sandbox.jan, "sts", &[("Action", "GetCallerIdentity"), ("Version", "2009-01-01")]);
    let text = "Could not find operation GetCallerIdentity for version 2009-01-01";
    sandbox.send(&raw).refused(400, "InvalidAction", text);
}
