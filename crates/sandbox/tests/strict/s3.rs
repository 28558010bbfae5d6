//! S3: permissions, stored content, and refused requests.

use hatbox_sandbox::world::MFA_SERIAL;

use crate::client::{ADMIN, AUDITOR, Keys, Sandbox, Signing, policy};

const SESSION: &str = "arn:aws:sts::444455556666:assumed-role/security-auditor/me";

fn auditor(sandbox: &Sandbox) -> Keys {
    sandbox.assume(&sandbox.jan, AUDITOR, &[]).keys()
}

fn admin(sandbox: &mut Sandbox) -> Keys {
    let code = sandbox.fresh_code();
    sandbox.assume(&sandbox.jan, ADMIN, &[("SerialNumber", MFA_SERIAL), ("TokenCode", &code)]).keys()
}

#[test]
fn the_auditor_lists_three_buckets_and_writes_to_none() {
    let sandbox = Sandbox::start();
    let keys = auditor(&sandbox);
    let answer = sandbox.s3(&keys, "GET", "/", &[], b"");
    let names: Vec<&str> =
        answer.ok().body.split("<Name>").skip(1).map(|s| s.split('<').next().unwrap()).collect();
    assert_eq!(names, ["work-archive", "work-logs", "work-terraform-state"]);
    assert_eq!(answer.text("CreationDate"), "2024-05-01T10:00:00.000Z");
    let text = format!(
        "User: {SESSION} is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::work-logs/x\" because no identity-based policy allows the s3:PutObject action"
    );
    sandbox.s3(&keys, "PUT", "/work-logs/x", &[], b"hi").refused(403, "AccessDenied", &text);
    let log = sandbox.control().log(0).unwrap();
    let last = log.last().unwrap();
    assert_eq!((last.action.as_str(), last.caller.as_deref()), ("PutObject", Some(SESSION)));
    assert_eq!(last.resource.as_deref(), Some("arn:aws:s3:::work-logs/x"));
    assert!(!last.because.is_empty());
}

#[test]
fn another_caller_sees_none_of_the_buckets() {
    let sandbox = Sandbox::start();
    // jan may do everything in the people account, but the buckets belong to the work account.
    assert_eq!(sandbox.s3(&sandbox.jan, "GET", "/", &[], b"").ok().text("Name"), "");
    assert_eq!(sandbox.s3(&sandbox.jan, "GET", "/work-logs", &[], b"").status, 403);
}

#[test]
fn an_object_comes_back_as_it_was_put() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let target = "/work-logs/a%20b%2Bc/%C3%A9%3D~.txt";
    let headers =
        [("content-type", "text/x-thing"), ("x-amz-meta-owner", "jan"), ("content-encoding", "gzip")];
    let etag = sandbox.s3(&keys, "PUT", target, &headers, b"0123456789").ok().header("etag");
    sandbox.restart();
    let got = sandbox.s3(&keys, "GET", target, &[], b"");
    assert_eq!((got.status, got.body.as_str()), (200, "0123456789"));
    for (name, value) in headers {
        assert_eq!(got.header(name), value);
    }
    assert_eq!(got.header("etag"), etag);
    let head = sandbox.s3(&keys, "HEAD", target, &[], b"");
    assert_eq!((head.status, head.header("content-length").as_str(), head.body.as_str()), (200, "10", ""));
    let part = sandbox.s3(&keys, "GET", target, &[("range", "bytes=2-4")], b"");
    assert_eq!((part.status, part.body.as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    assert_eq!(sandbox.s3(&keys, "GET", target, &[("if-none-match", &etag)], b"").status, 304);
    assert_eq!(sandbox.s3(&keys, "GET", target, &[("if-match", "\"other\"")], b"").status, 412);
    sandbox.s3(&keys, "DELETE", target, &[], b"").ok();
    sandbox.s3(&keys, "GET", target, &[], b"").refused(404, "NoSuchKey", "The specified key does not exist.");
    let bytes = std::fs::read_dir(sandbox.directory.join("objects")).unwrap().count();
    assert_eq!(bytes, 2, "only the two objects of the demo are left");
}

#[test]
fn a_lock_is_taken_once() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let lock = "/work-terraform-state/dev/terraform.tfstate.tflock";
    let once = [("if-none-match", "*")];
    sandbox.s3(&keys, "PUT", lock, &once, b"first").ok();
    let text = "At least one of the pre-conditions you specified did not hold";
    sandbox.s3(&keys, "PUT", lock, &once, b"second").refused(412, "PreconditionFailed", text);
    assert_eq!(sandbox.s3(&keys, "GET", lock, &[], b"").body, "first");
    sandbox.s3(&keys, "DELETE", lock, &[], b"").ok();
    sandbox.s3(&keys, "PUT", lock, &once, b"second").ok();
}

#[test]
fn a_missing_key_is_shown_only_to_who_may_list() {
    let get_only = policy(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#);
    let sandbox = Sandbox::start();
    let keys = auditor(&sandbox);
    sandbox.s3(&keys, "GET", "/work-logs/none", &[], b"").refused(
        404,
        "NoSuchKey",
        "The specified key does not exist.",
    );
    let cut = sandbox.assume(&sandbox.jan, AUDITOR, &[("Policy", &get_only)]).keys();
    sandbox.s3(&cut, "GET", "/work-logs/2024/05/01/app.log", &[], b"").ok();
    assert_eq!(sandbox.s3(&cut, "GET", "/work-logs/none", &[], b"").text("Code"), "AccessDenied");
}

#[test]
fn a_missing_bucket_is_reported() {
    let sandbox = Sandbox::start();
    let keys = auditor(&sandbox);
    for (method, target) in [("GET", "/work-none"), ("GET", "/work-none/key"), ("GET", "/work-none?location")]
    {
        let text = "The specified bucket does not exist";
        sandbox.s3(&keys, method, target, &[], b"").refused(404, "NoSuchBucket", text);
    }
    assert_eq!(sandbox.s3(&keys, "HEAD", "/work-none", &[], b"").status, 404);
    sandbox.s3(&keys, "HEAD", "/work-logs", &[], b"").ok();
}

#[test]
fn an_answer_to_head_is_refused_by_its_status_alone() {
    let sandbox = Sandbox::start();
    let (keys, target) = (auditor(&sandbox), "/work-logs/2024/05/01/app.log");
    assert_eq!(sandbox.s3(&keys, "HEAD", target, &[], b"").ok().body, "");
    let wrong = Keys { secret: "x".repeat(40), ..keys.clone() };
    let swapped = Keys { token: Some("x".repeat(100)), ..keys };
    for (keys, status) in [(&wrong, 403), (&swapped, 400), (&sandbox.jan, 403)] {
        let answer = sandbox.s3(keys, "HEAD", target, &[], b"");
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
        assert_ne!(sandbox.s3(keys, "GET", target, &[], b"").body, "");
    }
}

#[test]
fn a_listing_may_be_bound_to_a_prefix() {
    let prefixed = policy(
        r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"s3:prefix":"2024/*"}}}"#,
    );
    let sandbox = Sandbox::start();
    let keys = sandbox.assume(&sandbox.jan, AUDITOR, &[("Policy", &prefixed)]).keys();
    let answer = sandbox.s3(&keys, "GET", "/work-logs?list-type=2&prefix=2024%2F", &[], b"");
    assert_eq!(answer.ok().text("KeyCount"), "2");
    assert_eq!(sandbox.s3(&keys, "GET", "/work-logs?list-type=2", &[], b"").status, 403);
}

#[test]
fn a_listing_goes_page_by_page() {
    let sandbox = Sandbox::start();
    let keys = auditor(&sandbox);
    let first = sandbox.s3(&keys, "GET", "/work-logs?list-type=2&max-keys=1", &[], b"");
    assert_eq!(
        (first.ok().text("Key").as_str(), first.text("IsTruncated").as_str()),
        ("2024/05/01/app.log", "true")
    );
    let token = crate::client::percent(&first.text("NextContinuationToken"));
    let target = format!("/work-logs?list-type=2&max-keys=1&continuation-token={token}");
    let second = sandbox.s3(&keys, "GET", &target, &[], b"");
    assert_eq!(
        (second.ok().text("Key").as_str(), second.text("IsTruncated").as_str()),
        ("2024/05/01/audit.log", "false")
    );
    let grouped = sandbox.s3(&keys, "GET", "/work-logs?delimiter=%2F", &[], b"");
    assert!(grouped.ok().body.contains("<CommonPrefixes><Prefix>2024/</Prefix></CommonPrefixes>"));
}

#[test]
fn a_bucket_is_made_once_and_removed_when_empty() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    sandbox.s3(&keys, "PUT", "/new-bucket", &[], b"").ok();
    assert_eq!(sandbox.s3(&keys, "PUT", "/new-bucket", &[], b"").text("Code"), "BucketAlreadyOwnedByYou");
    assert_eq!(sandbox.s3(&sandbox.jan, "PUT", "/new-bucket", &[], b"").text("Code"), "BucketAlreadyExists");
    assert_eq!(sandbox.s3(&keys, "PUT", "/No", &[], b"").text("Code"), "InvalidBucketName");
    sandbox.s3(&keys, "PUT", "/new-bucket/k", &[], b"1").ok();
    assert_eq!(sandbox.s3(&keys, "DELETE", "/new-bucket", &[], b"").text("Code"), "BucketNotEmpty");
    sandbox.s3(&keys, "DELETE", "/new-bucket/k", &[], b"").ok();
    sandbox.s3(&keys, "DELETE", "/new-bucket", &[], b"").ok();
    assert_eq!(sandbox.s3(&keys, "GET", "/new-bucket", &[], b"").status, 404);
    let auditor = auditor(&sandbox);
    assert_eq!(sandbox.s3(&auditor, "PUT", "/new-bucket", &[], b"").text("Code"), "AccessDenied");
}

#[test]
fn copying_needs_to_read_the_one_and_write_the_other() {
    let mut sandbox = Sandbox::start();
    let source = [("x-amz-copy-source", "/work-logs/2024/05/01/app.log")];
    let (admin, auditor) = (admin(&mut sandbox), auditor(&sandbox));
    assert_eq!(sandbox.s3(&auditor, "PUT", "/work-archive/copy", &source, b"").text("Code"), "AccessDenied");
    sandbox.s3(&admin, "PUT", "/work-archive/copy", &source, b"").ok();
    assert!(sandbox.s3(&auditor, "GET", "/work-archive/copy", &[], b"").body.starts_with("10:00:00 app"));
    let none = [("x-amz-copy-source", "/work-logs/none")];
    assert_eq!(sandbox.s3(&admin, "PUT", "/work-archive/copy", &none, b"").text("Code"), "NoSuchKey");
    let write_only = policy(r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}"#);
    let code = sandbox.fresh_code();
    let params =
        [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str()), ("Policy", write_only.as_str())];
    let writer = sandbox.assume(&sandbox.jan, ADMIN, &params).keys();
    sandbox.s3(&writer, "PUT", "/work-archive/y", &[], b"").ok();
    assert_eq!(sandbox.s3(&writer, "PUT", "/work-archive/copy", &source, b"").text("Code"), "AccessDenied");
}

#[test]
fn deleting_many_is_judged_key_by_key() {
    let mut sandbox = Sandbox::start();
    let body =
        b"<Delete><Object><Key>2024/05/01/app.log</Key></Object><Object><Key>none</Key></Object></Delete>";
    let auditor = auditor(&sandbox);
    let refused = sandbox.s3(&auditor, "POST", "/work-logs?delete", &[], body);
    assert_eq!(refused.ok().body.matches("<Error>").count(), 2);
    let admin = admin(&mut sandbox);
    let answer = sandbox.s3(&admin, "POST", "/work-logs?delete", &[], body);
    assert_eq!(answer.ok().body.matches("<Deleted>").count(), 2);
    assert_eq!(sandbox.s3(&auditor, "GET", "/work-logs/2024/05/01/app.log", &[], b"").status, 404);
    assert_eq!(
        sandbox.s3(&admin, "POST", "/work-logs?delete", &[], b"<Delete>").text("Code"),
        "MalformedXML"
    );
}

#[test]
fn an_upload_in_parts_is_put_together_in_order() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let id = sandbox.s3(&keys, "POST", "/work-logs/big?uploads", &[], b"").ok().text("UploadId");
    let first = vec![b'a'; 5 << 20];
    let put = |number: u32, bytes: &[u8]| {
        let target = format!("/work-logs/big?partNumber={number}&uploadId={id}");
        sandbox.s3(&keys, "PUT", &target, &[], bytes).ok().header("etag")
    };
    let (two, one) = (put(2, b"tail"), put(1, &first));
    let part = |number: u32, etag: &str| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag.replace('"', "&quot;"))
    };
    let complete = |parts: String| {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        sandbox.s3(&keys, "POST", &format!("/work-logs/big?uploadId={id}"), &[], body.as_bytes())
    };
    assert_eq!(complete(part(2, &two) + &part(1, &one)).text("Code"), "InvalidPartOrder");
    assert_eq!(complete(part(1, &two)).text("Code"), "InvalidPart");
    assert_eq!(sandbox.s3(&keys, "GET", "/work-logs/big", &[], b"").status, 404);
    complete(part(1, &one) + &part(2, &two)).ok();
    let tail = sandbox.s3(&keys, "GET", "/work-logs/big", &[("range", "bytes=-5")], b"");
    assert_eq!(tail.body, "atail");
    assert_eq!(complete(part(1, &one)).text("Code"), "NoSuchUpload");
    let id = sandbox.s3(&keys, "POST", "/work-logs/big?uploads", &[], b"").ok().text("UploadId");
    let target = format!("/work-logs/big?uploadId={id}");
    sandbox.s3(&keys, "DELETE", &target, &[], b"").ok();
    assert_eq!(sandbox.s3(&keys, "DELETE", &target, &[], b"").text("Code"), "NoSuchUpload");
}

#[test]
fn what_is_not_done_here_is_refused_and_not_taken_for_something_else() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    for (method, target) in
        [("PUT", "/work-logs?acl"), ("DELETE", "/work-logs?policy"), ("PUT", "/work-logs/x?tagging")]
    {
        assert_eq!(sandbox.s3(&keys, method, target, &[], b"").text("Code"), "NotImplemented");
    }
    sandbox.s3(&keys, "HEAD", "/work-logs", &[], b"").ok();
}

#[test]
fn host_style_names_the_bucket_too() {
    let sandbox = Sandbox::start();
    let keys = auditor(&sandbox);
    let mut raw = sandbox.s3_raw("GET", "/2024/05/01/app.log", &[], b"");
    *raw.header_mut("host") = format!("work-logs.localhost:{}", sandbox.address().port());
    let signed = sandbox.sign(&keys, "s3", raw, Signing::default());
    assert!(sandbox.send(&signed).ok().body.starts_with("10:00:00 app"));
}

#[test]
fn a_part_may_be_copied_from_a_range_that_the_caller_may_read() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let id = sandbox.s3(&keys, "POST", "/work-archive/part?uploads", &[], b"").ok().text("UploadId");
    let target = format!("/work-archive/part?partNumber=1&uploadId={id}");
    let copy = |key: &str| {
        let source = format!("work-logs/{key}");
        let headers = [("x-amz-copy-source", source.as_str()), ("x-amz-copy-source-range", "bytes=9-11")];
        sandbox.s3(&keys, "PUT", &target, &headers, b"")
    };
    assert_eq!(copy("none").text("Code"), "NoSuchKey");
    let etag = copy("2024/05/01/app.log").ok().text("ETag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    sandbox.s3(&keys, "POST", &format!("/work-archive/part?uploadId={id}"), &[], body.as_bytes()).ok();
    assert_eq!(sandbox.s3(&keys, "GET", "/work-archive/part", &[], b"").body, "app");
}

#[test]
fn the_signature_of_version_2_is_refused_by_name() {
    let sandbox = Sandbox::start();
    let text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    let query = sandbox.s3_raw("GET", "/work-logs/x?AWSAccessKeyId=A&Signature=B&Expires=1", &[], b"");
    sandbox.send(&query).refused(400, "InvalidRequest", text);
    let header = sandbox.s3_raw("GET", "/work-logs/x", &[("authorization", "AWS A:B")], b"");
    sandbox.send(&header).refused(400, "InvalidRequest", text);
}
