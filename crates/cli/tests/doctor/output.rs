//! The output: the whole page, colours, JSON, exit codes.

use crate::home::Home;

#[test]
fn a_clean_machine_gets_a_short_report() {
    let home = Home::with_config("[default]\nregion = eu-west-1\n");
    let ran = home.run(&["doctor"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "\
ok  config       1 profile in ~/.aws/config and ~/.aws/credentials
ok  files        2 checked, none open to others
ok  environment  no environment variable overrides a profile
ok  store        none yet: adding the first key chooses a backend
ok  prompt       there is no terminal
ok  clock        not compared with that of AWS; use --online

No problems found.
"
    );
}

#[test]
fn a_page_has_80_columns_a_command_for_each_finding_and_one_line_at_the_end() {
    let home = Home::with_config("[profile ops]\nrole_arn = arn:aws:iam::444455556666:role/Ops\n");
    home.set_mode(".aws/config", 0o666);
    let plain = home.run(&["doctor"], &[("AWS_SESSION_TOKEN", "canary")]);
    let path = home.path(".aws/config");
    assert_eq!(
        plain.stdout,
        format!(
            "\
ok  config       1 profile in ~/.aws/config and ~/.aws/credentials
!   profiles     0 of 1 have a credential plan
  error    profile `ops` has `role_arn` but no source credentials
           ~/.aws/config:2
           fix: ${{EDITOR:-vi}} +2 ~/.aws/config
!   files        2 checked
  error    others may write to it: anyone who can write to it chooses which
           commands hatbox runs
           ~/.aws/config
           fix: chmod go-w {}
!   environment
  warning  AWS_SESSION_TOKEN is left over: the access key that it belongs to is
           not set
           AWS_SESSION_TOKEN
           fix: unset AWS_SESSION_TOKEN
ok  store        none yet: adding the first key chooses a backend
ok  prompt       there is no terminal
ok  clock        not compared with that of AWS; use --online

2 errors, 1 warning.
",
            path.display()
        )
    );
    assert_eq!((plain.code, plain.stderr.as_str()), (5, ""));
    let coloured = home.run(&["doctor"], &[("AWS_SESSION_TOKEN", "canary"), ("CLICOLOR_FORCE", "1")]);
    assert!(coloured.stdout.contains("\u{1b}["));
    let mut rest = coloured.stdout.as_str();
    let mut stripped = String::new();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain.stdout, "without colours the text is the same");
}

#[test]
fn the_exit_code_follows_the_level_that_was_asked_for() {
    let warning = Home::with_config("[profile a]\nmfa_seriall = x\ninclude_profile = b\n[profile b]\n");
    let info = Home::new();
    info.write(".awsvault/keys/alice", "x");
    let error = Home::with_config("[profile a]\ninclude_profile = none\n");
    for (home, codes) in [(&error, [5, 5, 5]), (&warning, [0, 5, 5]), (&info, [0, 0, 5])] {
        for (level, code) in ["error", "warning", "info"].iter().zip(codes) {
            let ran = home.run(&["doctor", "--fail-on", level], &[]);
            assert_eq!(ran.code, code, "{level}: {}", ran.stdout);
        }
        assert_eq!(home.run(&["doctor"], &[]).code, codes[0]);
    }
    assert_eq!(error.run(&["doctor", "--fail-on", "never"], &[]).code, 2);
}

#[test]
fn json_has_its_schema_first_and_every_finding_whole() {
    let home = Home::with_config("[profile a]\ninclude_profile = none\n");
    let ran = home.run(&["doctor", "--json"], &[]);
    assert!(ran.stdout.starts_with("{\n  \"schema\": 1,\n"), "{}", ran.stdout);
    let report = home.report(&[], &[]);
    assert_eq!((&report["errors"], &report["ok"]), (&1.into(), &false.into()));
    let finding = report["findings"][0].as_object().unwrap();
    let names: Vec<_> = finding.keys().map(String::as_str).collect();
    assert_eq!(names, ["id", "level", "topic", "place", "at", "text", "fix", "profiles", "fixed"]);
}

#[test]
fn nothing_is_made_by_looking() {
    let home = Home::new();
    home.run(&["doctor", "--fix"], &[]);
    assert_eq!(std::fs::read_dir(home.path("")).unwrap().count(), 0);
}

/// The string literals of a source file that may be the id of a finding: `a-b`.
fn words(source: &str) -> std::collections::BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let is_word = |text: &&str| {
        text.contains('-')
            && text.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
    };
    code.split('"').skip(1).step_by(2).filter(is_word).map(str::to_owned).collect()
}

#[test]
fn every_finding_is_in_the_document_and_none_that_does_not_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let mut known = std::collections::BTreeSet::new();
    for directory in ["crates/core/src/doctor", "crates/cli/src/commands/doctor"] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            known.extend(words(&std::fs::read_to_string(entry.unwrap().path()).unwrap()));
        }
    }
    for file in ["config/problem.rs", "config/error.rs", "plan/error.rs", "plan/note.rs"] {
        known.extend(words(&read(&format!("crates/core/src/{file}"))));
    }
    known.extend(["capped", "conflict", "sandbox", "shadowed"].map(str::to_owned));
    // Not reported by doctor: they need a named profile, belong to other commands, or are part of other findings.
    for other in [
        "missing-profile",
        "unreadable-profile",
        "own-process-skipped",
        "plaintext-keys",
        "role-of-environment",
        "flag-needs-role",
        "cannot-narrow",
        "flag-widens",
        "read-only-for-agent",
        "aws-vault",
    ] {
        assert!(known.remove(other), "{other}");
    }
    known.retain(|word| !["secret-service", "us-east", "cn-"].contains(&word.as_str()));
    let document = read("docs/doctor.md");
    let tables = document.split("## The checks").nth(1).unwrap().split("## JSON").next().unwrap();
    let rows = tables.lines().filter(|line| line.starts_with("| `"));
    let told: std::collections::BTreeSet<_> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = known.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in the document: {missing:?}; not in the code: {unknown:?}"
    );
}
