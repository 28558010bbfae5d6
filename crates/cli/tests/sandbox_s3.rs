//! `hatbox sandbox s3` does what `aws s3` does, but only with the sandbox's own keys.
#![cfg(all(unix, feature = "sandbox"))]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;
use std::process::{Command, Output};

type Variables<'a> = &'a [(&'a str, &'a str)];

struct Machine {
    directory: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn hatbox(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatbox"));
        command
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path())
            .current_dir(self.path());
        command
    }

    /// Runs a script in the sandbox, in which `s3` is the client with the admin role, and `read_s3` with the auditor
    /// role.
    fn run(&self, script: &str) -> Output {
        let script = format!(
            "s3() {{ hatbox exec dev-infra-admin -t \"$CODE\" -- hatbox sandbox s3 \"$@\"; }}\n\
             read_s3() {{ hatbox exec security-auditor -- hatbox sandbox s3 \"$@\"; }}\n\
             CODE=$(hatbox sandbox code)\n{script}"
        );
        self.hatbox(&["sandbox", "run", "--", "sh", "-c", &script]).output().unwrap()
    }
}

fn text(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn objects_go_up_and_come_back_byte_by_byte_whatever_their_names() {
    let machine = Machine::new();
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(machine.path().join("big"), &bytes).unwrap();
    let output = machine.run(
        "set -e\n\
         s3 mb s3://new-bucket\n\
         s3 cp big s3://new-bucket/dir/\n\
         s3 cp s3://new-bucket/dir/big back\n\
         printf 'stream' | s3 cp - 's3://new-bucket/ä b/c+d%20&e=f;<g>.txt'\n\
         s3 cp 's3://new-bucket/ä b/c+d%20&e=f;<g>.txt' -; echo\n\
         s3 ls s3://new-bucket\n\
         s3 ls 's3://new-bucket/ä b/' | cut -c20-\n\
         s3 rm 's3://new-bucket/ä b/c+d%20&e=f;<g>.txt'\n\
         s3 ls 's3://new-bucket/ä b/'\n\
         read_s3 ls s3://work-logs/2024/05/01/\n",
    );
    let (out, errors) = text(&output);
    assert!(output.status.success(), "{out}{errors}");
    let expected = "\
make_bucket: new-bucket
upload: ./big to s3://new-bucket/dir/big
download: s3://new-bucket/dir/big to ./back
stream
                           PRE dir/
                           PRE ä b/
          6 c+d%20&e=f;<g>.txt
delete: s3://new-bucket/ä b/c+d%20&e=f;<g>.txt
2024-05-01 10:00:00         53 app.log
2024-05-01 10:00:00         32 audit.log
";
    assert_eq!(out, expected, "{errors}");
    assert_eq!(std::fs::read(machine.path().join("back")).unwrap(), bytes);
}

#[test]
fn refusals_are_the_sandboxes_own_words() {
    let machine = Machine::new();
    std::fs::write(machine.path().join("x"), "x").unwrap();
    for (script, expected) in [
        (
            "read_s3 cp x s3://work-logs/x",
            [
                "upload failed: ./x to s3://work-logs/x",
                "An error occurred (AccessDenied) when calling the PutObject operation: ",
            ],
        ),
        (
            "read_s3 cp s3://work-logs/none y",
            [
                "download failed: s3://work-logs/none to ./y",
                "An error occurred (NoSuchKey) when calling the GetObject",
            ],
        ),
        (
            "read_s3 ls s3://no-such-bucket",
            ["could not list", "(NoSuchBucket) when calling the ListObjectsV2"],
        ),
    ] {
        let output = machine.run(script);
        let (out, errors) = text(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{errors}");
        for part in expected {
            assert!(errors.contains(part), "{part:?} is not in {errors}");
        }
        assert!(!machine.path().join("y").exists(), "a refused download leaves no file");
    }
}

#[test]
fn nothing_is_sent_with_other_keys_or_to_another_place() {
    let machine = Machine::new();
    // A listener that would receive a request.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let real_key = ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let minted = hatbox_types::sandbox_key::render_sandbox_key_id("ASIA", "box", [1; 8]);
    let minted = ("AWS_ACCESS_KEY_ID", minted.as_str());
    let (sandbox, secret) =
        (("HATBOX_SANDBOX", "box"), ("AWS_SECRET_ACCESS_KEY", "canary-secret-of-forty-characters-12345"));
    let table: [(Variables<'_>, i32, &str); 6] = [
        (&[("AWS_ENDPOINT_URL", &here), minted, secret], 3, "works only in a sandbox's environment"),
        (&[sandbox, ("AWS_ENDPOINT_URL", &here), real_key, secret], 3, "is not one of the sandbox's"),
        (&[sandbox, minted, secret], 3, "AWS_ENDPOINT_URL is ``"),
        (
            &[sandbox, ("AWS_ENDPOINT_URL", "http://192.0.2.1:80"), minted, secret],
            3,
            "AWS_ENDPOINT_URL is `http://192",
        ),
        (
            &[sandbox, ("AWS_ENDPOINT_URL", "https://s3.amazonaws.com"), minted, secret],
            3,
            "AWS_ENDPOINT_URL is",
        ),
        (&[sandbox, ("AWS_ENDPOINT_URL", &here), minted], 2, "no credentials in the environment"),
    ];
    for (variables, code, expected) in table {
        let output =
            machine.hatbox(&["sandbox", "s3", "ls"]).envs(variables.iter().copied()).output().unwrap();
        let (out, errors) = text(&output);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(errors.contains(expected), "{expected:?} is not in {errors}");
        assert!(
            !errors.contains("canary") && !errors.contains("AKIAIOSFODNN7") && out.is_empty(),
            "{errors}"
        );
    }
    assert!(listener.accept().is_err(), "something was sent");
}
