//! The GitHub workflows: every action is pinned to a commit, and no job has more permissions than it needs.
#![expect(clippy::unwrap_used, reason = "what the tests share may stop at the first surprise, as they do")]

use std::fs;
use std::path::Path;

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

#[test]
fn the_linter_of_workflows_has_no_complaint() {
    let output = std::process::Command::new("actionlint").current_dir(root()).output();
    let Ok(output) = output else {
        println!("skipped: there is no actionlint");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
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
