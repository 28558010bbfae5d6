//! `export`: the exact output of each format.

use serde_json::Value;

use crate::fixture::Fixture;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
region = r-1
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

/// Returns the id, secret, token and expiry of the only role session in the sandbox.
fn session(fixture: &Fixture) -> [String; 4] {
    let world = fixture.world();
    let (id, session) = world.sessions.iter().find(|(id, _)| **id != fixture.key("endless").id).unwrap();
    let end = session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    [id.clone(), session.secret.expose().to_owned(), session.token.expose().to_owned(), end]
}

#[test]
fn a_session_is_printed_in_each_format() {
    let fixture = Fixture::with_config(CONFIG);
    let export = |format: &str| fixture.hatbox(&["export", "--format", format, "reader"]).run().ok().stdout;
    let text = export("env");
    let [id, secret, token, end] = session(&fixture);
    let lines = [
        format!("AWS_ACCESS_KEY_ID={id}\n"),
        format!("AWS_SECRET_ACCESS_KEY={secret}\n"),
        format!("AWS_SESSION_TOKEN={token}\n"),
        format!("AWS_CREDENTIAL_EXPIRATION={end}\n"),
        "AWS_REGION=r-1\n".to_owned(),
        "AWS_DEFAULT_REGION=r-1\n".to_owned(),
    ];
    assert_eq!(text, lines.concat());
    assert_eq!(
        export("json"),
        format!(
            "{{\n  \"Version\": 1,\n  \"AccessKeyId\": \"{id}\",\n  \"SecretAccessKey\": \"{secret}\",\n  \
             \"SessionToken\": \"{token}\",\n  \"Expiration\": \"{end}\",\n  \"AccountId\": \"444455556666\"\n}}\n"
        )
    );
    assert_eq!(
        export("ini"),
        format!(
            "[reader]\naws_access_key_id={id}\naws_secret_access_key={secret}\naws_session_token={token}\n\
             aws_credential_expiration={end}\nregion=r-1\n\n"
        )
    );
    assert_eq!(
        export("sts"),
        format!(
            "{{\n  \"Credentials\": {{\n    \"AccessKeyId\": \"{id}\",\n    \"SecretAccessKey\": \"{secret}\",\n    \
             \"SessionToken\": \"{token}\",\n    \"Expiration\": \"{end}\"\n  }}\n}}\n"
        )
    );
    let docker = export("docker");
    assert!(docker.ends_with("AWS_DEFAULT_REGION=r-1\nAWS_ACCOUNT_ID=444455556666\n"), "{docker}");
    // What matters is how a shell evaluates the lines.
    let script = "eval \"$0\"; printf '%s\\n' \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\" \
                  \"$AWS_SESSION_TOKEN\" \"$AWS_CREDENTIAL_EXPIRATION\" \"$AWS_REGION\"; env | grep -c ^AWS_.*REGION";
    let shell = crate::run::Run::new("/bin/sh", fixture.variables());
    let read = shell.args(["-c", script, &export("export-env")]).run().ok().stdout;
    assert_eq!(read, format!("{id}\n{secret}\n{token}\n{end}\nr-1\n2\n"));
    assert_eq!(fixture.log().len(), 1, "one call serves all of them");
}

#[test]
fn a_key_is_printed_without_what_only_sessions_have() {
    let fixture = Fixture::with_config(CONFIG);
    let key = fixture.key("jan-work");
    let (id, secret) = (&key.id, key.secret.expose());
    let export = |format: &str| {
        let outcome = fixture.hatbox(&["export", "-n", "--format", format, "jan-work"]).run().ok();
        assert_eq!(outcome.stderr, "");
        outcome.stdout
    };
    assert_eq!(export("env"), format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n"));
    assert_eq!(
        export("ini"),
        format!("[jan-work]\naws_access_key_id={id}\naws_secret_access_key={secret}\n\n")
    );
    let json: Value = serde_json::from_str(&export("json")).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(names, ["Version", "AccessKeyId", "SecretAccessKey"]);
}

#[test]
fn a_long_lived_key_is_refused_where_temporary_credentials_are_read() {
    let fixture = Fixture::with_config(CONFIG);
    let outcome = fixture.hatbox(&["export", "-n", "--format", "sts", "jan-work"]).run().expect_code(2);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("leave out --no-session"), "{}", outcome.stderr);
}

#[test]
fn unset_needs_neither_a_profile_nor_a_store_and_only_shells_have_it() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config("[broken\n");
    let unset = |words: &[&str]| fixture.hatbox(&[&["export", "--unset"][..], words].concat()).run();
    let inside = fixture.hatbox(&["export", "--unset", "--format", "zsh"]).env("HATBOX", "reader").run().ok();
    assert!(inside.stdout.starts_with("unset AWS_ACCESS_KEY_ID "), "{}", inside.stdout);
    assert_eq!(unset(&["--format", "bash"]).ok().stdout, inside.stdout);
    let refused = unset(&[]).expect_code(2);
    assert!(refused.stderr.contains("the format `env` cannot unset variables"), "{}", refused.stderr);
    assert!(refused.stderr.contains("with --format: `sh`, `fish`"), "{}", refused.stderr);
    unset(&["reader"]).expect_code(2);
}

#[test]
fn the_region_of_the_last_export_is_not_taken_for_the_users_wish() {
    let config = "[profile one]\nregion = r-1\nsource_profile = jan-work\n\n[profile two]\nregion = r-2\n\
                  source_profile = jan-work\n\n[profile jan-work]\n";
    let fixture = Fixture::with_config(config);
    let script = "for p in one two; do eval \"$(\"$0\" export -n --format sh $p)\"; echo $AWS_REGION; done; \
                  eval \"$(\"$0\" export --format sh --unset)\"; echo ${AWS_REGION-none} ${HATBOX_SET-none}";
    let shell = |script: &str| {
        let run = crate::run::Run::new("/bin/sh", fixture.variables());
        run.args(["-c", script, env!("CARGO_BIN_EXE_hatbox")]).run().ok().stdout
    };
    assert_eq!(shell(script), "r-1\nr-2\nnone none\n");
    // The user's own value is kept, and is still there at the end.
    assert_eq!(shell(&format!("export AWS_REGION=mine; {script}")), "mine\nmine\nmine none\n");
    let own = "eval \"$(\"$0\" export -n --format sh --region r-9 one)\"; echo $AWS_REGION; \
               eval \"$(\"$0\" export --format sh --unset)\"; echo $AWS_REGION";
    assert_eq!(shell(&format!("export AWS_REGION=mine; {own}")), "r-9\nmine\n");
}

#[test]
fn the_profile_may_be_a_variable_and_an_unknown_format_is_wrong_use() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["export", "-n"]).env("AWS_PROFILE", "jan-work").run().ok();
    fixture.hatbox(&["export", "--format", "xml", "jan-work"]).run().expect_code(2);
}

#[test]
fn the_file_of_a_github_job_keeps_its_lines_and_gets_whole_ones() {
    let fixture = Fixture::with_config(CONFIG);
    let file = fixture.path("github-env");
    for (before, kept) in [("", ""), ("A=1\n", "A=1\n"), ("A=1", "A=1\n"), ("A=1\nB=2", "A=1\nB=2\n")] {
        std::fs::write(&file, before).unwrap();
        let run = fixture.hatbox(&["export", "--format", "github-actions", "reader"]);
        run.env("GITHUB_ENV", &file).run().ok();
        let text = std::fs::read_to_string(&file).unwrap();
        let added = text.strip_prefix(kept).unwrap_or_else(|| panic!("{before:?}: {text}"));
        assert!(added.starts_with("AWS_"), "{before:?}: {added}");
    }
}

#[test]
fn a_reader_of_stdout_that_has_gone_is_not_an_error() {
    let fixture = Fixture::with_config(CONFIG);
    let shell = crate::run::Run::new("/bin/sh", fixture.variables());
    let script = "{ \"$0\" export -n jan-work; echo \"code $?\" >&2; } | true";
    let outcome = shell.args(["-c", script, env!("CARGO_BIN_EXE_hatbox")]).run().ok();
    assert_eq!(outcome.stderr, "code 0\n");
}
