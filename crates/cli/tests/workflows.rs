//! The GitHub workflows: every action is pinned to a commit, and no job has more permissions than it needs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic, like tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each workflow's file name and text.
fn workflows() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join(".github/workflows")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// The write permissions that jobs may have: workflow, job, permission.
const WRITING: [(&str, &str, &str); 4] = [
    ("release.yml", "attest", "attestations: write"),
    // For the certificate that the attestation is signed with.
    ("release.yml", "attest", "id-token: write"),
    ("release.yml", "draft", "contents: write"),
    // Needed to read the draft. It runs only released code, and no build dependencies.
    ("release.yml", "try", "contents: write"),
];

#[test]
fn every_action_is_pinned_to_a_commit_and_says_its_version() {
    let workflows = workflows();
    assert!(workflows.len() >= 2, "{workflows:?}");
    for (name, text) in workflows {
        let mut before = "";
        let mut used = 0;
        for line in text.lines() {
            if let Some(action) = line.trim_start().trim_start_matches("- ").strip_prefix("uses:") {
                let (_, commit) = action.trim().split_once('@').unwrap();
                let is_commit = commit.len() == 40
                    && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                assert!(is_commit, "{name}: {action}");
                let version = before.trim().strip_prefix("# v").unwrap_or_default();
                assert!(
                    version.split('.').count() == 3,
                    "{name}: no comment with the version above {action}"
                );
                used += 1;
            }
            before = line;
        }
        assert!(used > 0, "{name}");
    }
}

#[test]
fn no_job_may_write_but_those_that_publish() {
    for (name, text) in workflows() {
        let mut lines = text.lines().peekable();
        let (mut job, mut tops, mut jobs, mut with_permissions) = (String::new(), 0, 0, 0);
        let mut is_in_jobs = false;
        while let Some(line) = lines.next() {
            if line == "jobs:" {
                is_in_jobs = true;
            }
            let key = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']) && is_in_jobs);
            if let Some(key) = key.and_then(|rest| rest.strip_suffix(':')) {
                key.clone_into(&mut job);
                jobs += 1;
            }
            let indent = line.len() - line.trim_start().len();
            let Some(value) = line.trim_start().strip_prefix("permissions:") else { continue };
            if indent == 0 {
                tops += 1;
                let next = lines.peek().copied().unwrap_or_default();
                assert!(value.trim() == "{}" || next.trim() == "contents: read", "{name}: {line}");
            } else {
                with_permissions += 1;
            }
            assert!(matches!(value.trim(), "" | "{}"), "{name}: {line}");
            while let Some(permission) =
                lines.peek().filter(|next| next.len() - next.trim_start().len() > indent)
            {
                let permission = permission.trim();
                let is_needed =
                    WRITING.iter().any(|(file, of, what)| *file == name && *of == job && *what == permission);
                assert!(permission.ends_with(": read") || is_needed, "{name}: {job}: {permission}");
                lines.next();
            }
        }
        assert_eq!(tops, 1, "{name} has no permissions of its own");
        // If the workflow has no permissions, each job lists what it needs.
        if text.contains("\npermissions: {}\n") {
            assert_eq!(jobs, with_permissions, "{name}: a job without permissions");
        }
    }
}

/// A tag builds all targets of `xtask dist`.
#[test]
fn the_release_builds_every_target_and_tries_each_where_it_runs() {
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    for target in [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-pc-windows-gnu",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
    ] {
        assert!(release.matches(target).count() >= 2, "{target} must be both built and tried");
    }
}

/// docs/install.md links to the scripts.
#[test]
fn the_release_has_the_install_scripts_and_tries_them() {
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    for script in ["install.sh", "install.ps1"] {
        assert!(root().join("install").join(script).is_file(), "{script}");
        assert!(release.contains(&format!("install/{script}")), "{script} is not released");
        let runs = release.lines().map(str::trim).filter(|line| {
            line.strip_prefix("sh ").or(line.strip_prefix(".\\")).is_some_and(|line| line.starts_with(script))
        });
        assert_eq!(runs.count(), 3, "{script} is not tried");
    }
}

/// `.ci/run` and the workflows build with the oldest supported Rust.
#[test]
fn the_minimum_rust_version_is_the_one_that_all_checks_use() {
    let value = |file: &str, name: &str| {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('=').map(str::to_owned));
        line.unwrap().trim().trim_matches('"').to_owned()
    };
    let (oldest, used) = (value("Cargo.toml", "rust-version"), value("rust-toolchain.toml", "channel"));
    assert_eq!(format!("{oldest}.0"), used);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {oldest}")), "README names another Rust version");
}

/// `.ci/run` installs both where it can.
#[test]
fn the_linters_of_workflows_have_no_complaint() {
    for (linter, arguments) in
        [("actionlint", &[][..]), ("zizmor", &["--offline", "--quiet", ".github/workflows"])]
    {
        let Ok(output) = Command::new(linter).args(arguments).current_dir(root()).output() else {
            println!("skipped: there is no {linter}");
            continue;
        };
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{linter}: {}", String::from_utf8_lossy(&said));
    }
}

/// Returns the lines of a job.
fn job<'a>(workflow: &'a str, name: &str) -> &'a str {
    let rest = workflow.split_once(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no job {name}")).1;
    let is_next = |line: &str| line.starts_with("  ") && !line.starts_with("   ") && !line.starts_with("  #");
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if is_next(line) {
            break;
        }
        length += line.len();
    }
    &rest[..length]
}

#[test]
fn advisories_are_checked_daily() {
    let ci = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let cron = ci.lines().find_map(|line| line.trim().strip_prefix("- cron: \"")?.strip_suffix('"')).unwrap();
    let fields: Vec<_> = cron.split(' ').collect();
    assert!(
        matches!(fields[..], [minute, hour, "*", "*", "*"] if minute.parse::<u8>().is_ok() && hour.parse::<u8>().is_ok()),
        "{cron}"
    );
    let advisories = job(&ci, "advisories");
    assert!(advisories.contains("run: cargo deny --workspace check advisories\n"), "{advisories}");
    assert!(!advisories.contains("if:"), "{advisories}");
}

#[test]
fn the_release_sums_lists_and_attests_its_files_and_runs_what_is_downloaded() {
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    for (name, parts) in [
        ("version", &["CHANGELOG.md", "Cargo.toml", "github.ref_name"][..]),
        ("linux", &["xtask -- dist --target"]),
        ("macos", &["runs-on: macos-", "xtask -- dist --target"]),
        (
            "collect",
            &[
                "needs: [version, linux, macos]",
                "xtask -- sbom",
                "sha256sum hatbox* install.* >SHA256SUMS",
                "xtask -- manifests --sums",
            ],
        ),
        (
            "attest",
            &[
                "needs: collect",
                "uses: actions/attest-build-provenance@",
                "subject-checksums: dist/SHA256SUMS",
            ],
        ),
        ("draft", &["needs: [version, attest]", "gh release create", "--draft", "--verify-tag"]),
        (
            "try",
            &[
                "needs: [version, draft]",
                "gh release download",
                "gh attestation verify",
                "--version | grep",
                "sandbox demo",
            ],
        ),
    ] {
        let job = job(&release, name);
        for part in parts {
            assert!(job.contains(part), "{name}: {part}");
        }
    }
}

#[test]
fn the_supported_versions_are_stated() {
    let security = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let section = security.split_once("\n## Supported versions\n").unwrap().1.split("\n## ").next().unwrap();
    assert!(section.contains("latest version"), "{section}");
    // From 1.0 on, the section has to say something else.
    let is_before_1 = env!("CARGO_PKG_VERSION").starts_with("0.");
    assert_eq!(section.contains("Until 1.0, that is the latest 0.x release"), is_before_1, "{section}");
}

/// Each version but the next one has a date.
#[test]
fn the_changelog_is_dated_by_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let headings: Vec<_> = changelog.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(!headings.is_empty());
    let version = env!("CARGO_PKG_VERSION");
    let is_dated = |heading: &str| {
        let (version, date) = heading.split_once(" - ").unwrap_or_default();
        let parts: Vec<_> = date.split('-').map(|part| (part.len(), part.parse::<u32>().is_ok())).collect();
        version.starts_with('[') && version.ends_with(']') && parts == [(4, true), (2, true), (2, true)]
    };
    for (nth, heading) in headings.iter().enumerate() {
        assert!(is_dated(heading) || (nth == 0 && *heading == "[Unreleased]"), "{heading}");
    }
    let is_there = headings.iter().any(|heading| heading.starts_with(&format!("[{version}]")));
    assert!(is_there || changelog.contains(&format!("This will be {version}.")), "{version} is not in it");
}
