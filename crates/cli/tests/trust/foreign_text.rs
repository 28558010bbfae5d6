//! Text from outside (names, policies, Terraform states and plans, configs) never controls a terminal or a CI system.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::sources;

/// The word with which hostile text would begin a line.
const LURE: &str = "INJECTED";

/// The parts that hostile text is made of.
const PIECES: [&str; 24] = [
    "\n::error file=app.js,line=1::",
    "\n::add-mask::",
    "\r\n  ::stop-commands::x",
    "##[error]",
    "##vso[task.setvariable variable=x]",
    "\u{1b}[31m",
    "\u{1b}[1m",
    "\u{1b}[8m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://example.com\u{1b}\\",
    "\u{1b}[2J",
    "\u{9b}2J",
    "\u{85}",
    "\u{7f}",
    "\u{8}",
    "\0",
    "\t",
    "\u{202e}",
    "\u{2066}",
    "\u{2028}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "Zoë",
];

fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 1..5);
    (pieces, any::<bool>()).prop_map(|(pieces, is_line)| {
        let end = if is_line { "\nINJECTED" } else { "" };
        format!("{}{end}", pieces.concat())
    })
}

/// Where the hostile text goes in a document.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    /// After every string but policies, dates and effects.
    Everywhere,
    /// After the string with this number.
    At(usize),
    /// In the name of the member with this number.
    Members(usize),
}

/// Inserts `text` into `value` at `place`.
fn taint(value: &Value, text: &str, place: Where, count: &mut usize) -> Value {
    match value {
        Value::String(string) => {
            let number = *count;
            *count += 1;
            let is_word = !string.starts_with('{') && !string.starts_with("20") && string != "Allow";
            let is_hit = match place {
                Where::Everywhere => is_word,
                Where::At(at) => at == number,
                Where::Members(_) => false,
            };
            if let Ok(policy @ Value::Object(_)) = serde_json::from_str(string) {
                return Value::String(taint(&policy, text, place, count).to_string());
            }
            if is_hit { Value::String(format!("{string}{text}")) } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(|item| taint(item, text, place, count)).collect(),
        Value::Object(members) => {
            let mut tainted = Map::new();
            for (name, member) in members {
                *count += 1;
                let name =
                    if place == Where::Members(*count) { format!("{name}{text}") } else { name.clone() };
                tainted.insert(name, taint(member, text, place, count));
            }
            Value::Object(tainted)
        }
        other => other.clone(),
    }
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "People", "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::111122223333:user/alice", "444455556666"]}, "Action": "sts:AssumeRole",
    "Condition": {"StringLike": {"aws:PrincipalTag/team": "red"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}"#;

/// Fails if the output could control a terminal or a CI system.
fn check(arguments: &[&str], output: &std::process::Output, is_coloured: bool) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap();
        let plain = if is_coloured { without_own_colours(text) } else { text.to_owned() };
        let mut above = "";
        for line in plain.lines() {
            let says = |what: &str| format!("{what} of {arguments:?}: {line:?}\n{text:?}");
            let is_bad = |c| c != '\t' && hatbox_types::text::is_unprintable(c);
            assert!(!line.contains(is_bad), "{}", says("an unprintable character"));
            let start = line.trim_start();
            assert!(!start.starts_with("::") || !start[2..].contains("::"), "{}", says("a command"));
            assert!(!line.contains("##["), "{}", says("a command"));
            assert!(!line.contains("##vso["), "{}", says("a command"));
            let is_broken = is_broken_between(above, start);
            assert!(is_broken || !start.starts_with(LURE), "{}", says("an injected line"));
            above = line;
        }
        assert!(!plain.contains('\r'), "{plain:?}");
    }
}

/// Whether `line` may continue the line above, in which its first word did not fit.
fn is_broken_between(above: &str, line: &str) -> bool {
    /// The smallest width, in columns, to which hatbox wraps text without a terminal.
    const NARROW: usize = 76;
    let word = line.split(' ').next().unwrap_or_default();
    above.chars().count() + 1 + word.chars().count() > NARROW
}

/// The text without the colour codes that hatbox prints.
fn without_own_colours(text: &str) -> String {
    let mut text = text.to_owned();
    for code in ["0", "1", "2", "4", "31", "32", "33", "36"] {
        text = text.replace(&format!("\u{1b}[{code}m"), "");
    }
    text
}

fn run(home: &Path, arguments: &[&str]) {
    for is_coloured in [false, true] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatbox"));
        command.args(arguments).env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null());
        if is_coloured {
            command.env("CLICOLOR_FORCE", "1");
        }
        let output = command.output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 126), "{arguments:?}: {output:?}");
        check(arguments, &output, is_coloured);
    }
}

fn read(name: &str) -> Value {
    let path = sources("iam/tests/accounts").join(name);
    let text = fs::read(path).unwrap();
    // Account details may have several pages; this reads the first.
    serde_json::Deserializer::from_slice(&text).into_iter().next().unwrap().unwrap()
}

/// Runs every `trust` command that reads this file.
fn ask_about(home: &Path, file: &str, role: &str, user: &str) {
    run(home, &["trust", "lint", "--from", file]);
    run(home, &["trust", "lint", "--from", file, "--format", "json"]);
    run(home, &["trust", "lint", "--from", file, "--format", "sarif"]);
    for format in ["text", "json", "dot", "svg"] {
        run(home, &["trust", "graph", "--from", file, "--format", format]);
    }
    run(home, &["trust", "who", "--from", file, role]);
    run(home, &["trust", "reach", "--from", file, user]);
    run(home, &["trust", "can", "--from", file, user, role]);
    run(home, &["trust", "can", "--json", "--from", file, user, role]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_in_a_source_is_obeyed(
        text in hostile_text(),
        place in prop_oneof![
            2 => Just(Where::Everywhere),
            2 => (0..400usize).prop_map(Where::At),
            1 => (1..400usize).prop_map(Where::Members),
        ],
        file in prop::sample::select(&["snapshot.json", "details.json", "terraform.tfstate", "plan.json"][..]),
    ) {
        let home = tempfile::tempdir().unwrap();
        let tainted = taint(&read(file), &text, place, &mut 0);
        fs::write(home.path().join(file), tainted.to_string()).unwrap();
        let role = format!("Ops{}", hatbox_types::text::printable(&text));
        for (role, user) in [("Ops", "alice"), (role.as_str(), "alice")] {
            ask_about(home.path(), file, role, user);
        }
    }

    #[test]
    fn no_policy_is_obeyed(
        text in hostile_text(),
        place in prop_oneof![
            2 => Just(Where::Everywhere),
            3 => (0..30usize).prop_map(Where::At),
            2 => (1..30usize).prop_map(Where::Members),
        ],
        is_named_so in any::<bool>(),
    ) {
        let home = tempfile::tempdir().unwrap();
        let tainted = taint(&serde_json::from_str(POLICY).unwrap(), &text, place, &mut 0);
        let name = if is_named_so { format!("a{}.json", text.replace(['/', '\0'], "")) } else { "a.json".to_owned() };
        fs::write(home.path().join(&name), tainted.to_string()).unwrap();
        for format in ["text", "json", "sarif"] {
            run(home.path(), &["trust", "lint", &name, "--format", format]);
        }
        run(home.path(), &["trust", "lint", "."]);
        run(home.path(), &["trust", "require-mfa", "--file", &name]);
        run(home.path(), &["trust", "graph", "--from", &name]);
        // The same holds for a file that does not parse, and for one that does not exist.
        fs::write(home.path().join(&name), format!("{{\"{text}\": {text}")).unwrap();
        run(home.path(), &["trust", "lint", &name]);
        run(home.path(), &["trust", "graph", "--from", &name]);
        run(home.path(), &["trust", "lint", &format!("no{name}")]);
    }

    #[test]
    fn no_row_is_obeyed(text in hostile_text(), place in (0..12usize).prop_map(Where::At)) {
        let home = tempfile::tempdir().unwrap();
        let row = json!({
            "id": "x",
            "request": {"principal": "arn:aws:iam::111122223333:user/jan", "action": "s3:GetObject",
                        "resource": "arn:aws:s3:::b/k", "context": {"aws:PrincipalTag/team": "red"}},
            "identity_policies": [{"Statement": {"Sid": "a", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}}],
        });
        fs::write(home.path().join("rows"), format!("{}\n{text}\n", taint(&row, &text, place, &mut 0))).unwrap();
        run(home.path(), &["trust", "evaluate", "rows"]);
    }

    #[test]
    fn no_config_is_obeyed(text in hostile_text(), at in 0..8usize) {
        let home = tempfile::tempdir().unwrap();
        let mut parts = ["prod", "base", "arn:aws:iam::111122223333:role/Ops", "base", "eu-west-1", "x", "key", "value"]
            .map(str::to_owned);
        // A config has no escapes, so a line break would end the value.
        parts[at].push_str(&text.replace(['\n', '\r'], " "));
        let [profile, base, role, source, region, external, key, value] = &parts;
        let config = format!(
            "[profile {base}]\nregion = {region}\n\n[profile {profile}]\nrole_arn = {role}\n\
             source_profile = {source}\nexternal_id = {external}\n{key} = {value}\n\n[x {value}]\n"
        );
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        let typed = text.replace('\0', "");
        let asked = profile.replace('\0', "");
        for arguments in [
            // Fails, and is recorded for `why`.
            &["export", "-n", &asked][..],
            &["list"],
            &["list", "--json"],
            &["list", "--profiles"],
            &["explain", &asked],
            &["explain", "--json", &asked],
            &["doctor"],
            &["doctor", "--json"],
            &["why"],
            &["why", "--json"],
            &["why", &asked],
            &["clear", &asked],
            &["store", "status"],
            &[&asked],
            &["list", &typed],
            &["exec", &format!("--{typed}={typed}")],
        ] {
            run(home.path(), arguments);
        }
        let settings = home.path().join(".config/hatbox");
        fs::create_dir_all(&settings).unwrap();
        fs::write(settings.join("config.toml"), format!("backend = \"{text}\"\n{text}")).unwrap();
        run(home.path(), &["list"]);
        run(home.path(), &["doctor"]);
    }
}

/// Answers one request with this body.
fn answer_once(status: &str, body: &str) -> (std::net::SocketAddr, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(7).any(|window| window == b"Version") {
            let length = stream.read(&mut buffer).unwrap();
            assert_ne!(length, 0, "the request ends early");
            request.extend_from_slice(buffer.get(..length).unwrap());
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (address, server)
}

#[test]
fn no_answer_of_sts_is_obeyed() {
    let hostile = "&#27;]0;x&#7;&#x9b;2J\u{202e}\u{2066}##[error]&#10;::error::x&#10;INJECTED";
    let session = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
         <Arn>arn:aws:sts::111122223333:assumed-role/Other/{hostile}</Arn><AssumedRoleId>A:x</AssumedRoleId>\
         </AssumedRoleUser><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>s\
         </SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{hostile}</Message></Error></ErrorResponse>"
        )
    };
    for (status, body) in [
        ("200 OK", session),
        ("403 Forbidden", error("AccessDenied")),
        ("400 Bad Request", error(hostile)),
        ("400 Bad Request", error("ValidationError")),
    ] {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        let credentials = "[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \
                           wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        fs::set_permissions(home.path().join(".aws/credentials"), fs::Permissions::from_mode(0o600)).unwrap();
        let (address, server) = answer_once(status, &body);
        let config = format!(
            "[profile ops]\nsource_profile = base\nrole_arn = arn:aws:iam::111122223333:role/Ops\n\
             region = eu-west-1\nendpoint_url = http://{address}\n[profile base]\nendpoint_url = http://{address}\n"
        );
        fs::write(home.path().join(".aws/config"), config).unwrap();
        let arguments = ["exec", "ops", "--", "true"];
        let output = Command::new(env!("CARGO_BIN_EXE_hatbox"))
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        server.join().unwrap();
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        check(&arguments, &output, false);
        let again = ["why"];
        run(home.path(), &again);
        run(home.path(), &["why", "--json"]);
    }
}
