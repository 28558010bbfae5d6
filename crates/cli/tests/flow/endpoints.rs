//! Endpoint URLs that are rejected, wherever they are set: nothing is sent, and the error shows the place.

use crate::fixture::Fixture;

#[test]
fn a_url_that_programs_read_differently_is_refused_wherever_it_is_named() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let role = "source_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n";
    for (url, reason) in [
        ("http://127.0.0.1:99999", "expected a port from 1 to 65535"),
        ("http://127.0.0.1:", "expected a port from 1 to 65535"),
        ("http://127.0.0.1:080", "expected a port from 1 to 65535"),
        ("http://me:canary@127.0.0.1:4566", "a URL with a user name or password is not allowed"),
        ("http://127.0.0.1:4566\\@evil.example", "a URL with a user name or password is not allowed"),
        ("http://0x7f.1:4566", "expected a host name"),
        ("http://[::ffff:127.0.0.1]:4566", "expected a host name"),
        ("http://localhost.:4566", "expected a host name"),
        ("http://127.0.0.1:4566?x", "a URL with a query or a fragment is not allowed"),
        ("HTTP://127.0.0.1:4566", "expected `https://` or `http://` at the start"),
    ] {
        let in_profile = format!("[profile ops]\n{role}endpoint_url = {url}\n");
        let in_services = format!(
            "[profile ops]\n{role}services = local\n[services local]\nsts =\n  endpoint_url = {url}\n"
        );
        let plain = format!("[profile ops]\n{role}");
        for (config, variable, place) in [
            (&in_profile, None, "~/.aws/config:4"),
            (&in_services, None, "~/.aws/config:7"),
            (&plain, Some("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"),
            (&plain, Some("AWS_ENDPOINT_URL_STS"), "AWS_ENDPOINT_URL_STS"),
        ] {
            fixture.write_config(config);
            for arguments in
                [&["exec", "ops", "--", "true"][..], &["export", "ops"], &["exec", "-n", "ops", "--", "true"]]
            {
                let mut run = fixture.hatbox(arguments).without("AWS_ENDPOINT_URL");
                if let Some(name) = variable {
                    run = run.env(name, url);
                }
                let run = run.run();
                assert_ne!(run.code(), Some(0), "{url} {place}");
                for expected in [reason, place] {
                    assert!(run.stderr.contains(expected), "{url}: no `{expected}` in: {}", run.stderr);
                }
                assert!(!run.stderr.contains("canary"), "a password is shown: {}", run.stderr);
            }
        }
    }
    assert_eq!(fixture.log(), [], "nothing was sent");
}
