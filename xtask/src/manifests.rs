//! `manifests`: generates the files for package managers from the templates in `packaging/`: Homebrew, Scoop, winget,
//! the AUR, Nix. All versions, URLs and digests come from here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::scene::root;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// Homebrew allows at most 80 characters, no period and no article.
const SUMMARY: &str = "Store AWS access keys securely and run programs with temporary credentials";
/// The extension of templates.
const TEMPLATE: &str = ".in";
const PLACE: &str = "packaging";

/// The digests of a release's files, by file name.
#[derive(Debug, PartialEq, Eq)]
struct Sums(BTreeMap<String, String>);

impl Sums {
    /// Parses the output of `sha256sum`.
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut sums = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let parts = line.split_once("  ").or_else(|| line.split_once(" *"));
            let (digest, name) = parts.ok_or_else(|| format!("invalid line of digests: `{line}`"))?;
            let is_digest =
                digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if !is_digest {
                return Err(format!("invalid digest of `{name}`: expected 64 hexadecimal digits").into());
            }
            sums.insert(name.to_owned(), digest.to_owned());
        }
        Ok(Self(sums))
    }

    fn of(&self, file: &str) -> Result<&str, Problem> {
        let digest = self.0.get(file).ok_or_else(|| format!("the digests do not list `{file}`"))?;
        Ok(digest)
    }
}

/// Returns the name of the archive for a target, without its extension.
fn name_of(target: &str) -> String {
    format!("hatbox-{VERSION}-{target}")
}

fn archive_of(target: &str) -> String {
    let end = if target.contains("windows") { "zip" } else { "tar.gz" };
    format!("{}.{end}", name_of(target))
}

/// Returns the replacement of a word between two `@`.
fn expand(word: &str, sums: &Sums) -> Result<String, Problem> {
    let unknown = || format!("unknown word `@{word}@`");
    let (name, target) = match word.split_once('(') {
        None => (word, ""),
        Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(unknown)?),
    };
    Ok(match name {
        "VERSION" => VERSION.to_owned(),
        "REPOSITORY" => REPOSITORY.to_owned(),
        "SUMMARY" => SUMMARY.to_owned(),
        "NAME" => {
            sums.of(&archive_of(target))?;
            name_of(target)
        }
        "URL" => {
            let file = archive_of(target);
            sums.of(&file)?;
            format!("{REPOSITORY}/releases/download/v{VERSION}/{file}")
        }
        "SHA256" => sums.of(&archive_of(target))?.to_owned(),
        _ => return Err(unknown().into()),
    })
}

/// Fills in a template.
fn fill_in(template: &str, sums: &Sums) -> Result<String, Problem> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('@') {
        let (word, behind) = after.split_once('@').ok_or("a word of the template has no second `@`")?;
        text += before;
        text += &expand(word, sums)?;
        rest = behind;
    }
    Ok(text + rest)
}

/// Returns the templates, by the path of the generated file.
fn templates() -> Result<BTreeMap<PathBuf, String>, Problem> {
    let mut found = BTreeMap::new();
    for directory in std::fs::read_dir(root().join(PLACE))? {
        let directory = directory?;
        if !directory.file_type()?.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(directory.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(TEMPLATE) else {
                return Err(format!("`{}` does not end with `{TEMPLATE}`", entry.path().display()).into());
            };
            let path = Path::new(&directory.file_name()).join(name);
            found.insert(path, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(found)
}

/// Renders all manifests of the release with these digests.
fn render(sums: &Sums) -> Result<BTreeMap<PathBuf, String>, Problem> {
    let render = |(path, template): (PathBuf, String)| {
        let text = fill_in(&template, sums).map_err(|problem| format!("{}: {problem}", path.display()))?;
        Ok((path, text))
    };
    templates()?.into_iter().map(render).collect()
}

/// Writes the manifests, according to the arguments.
pub(crate) fn run(words: &[&str]) -> Result<(), Problem> {
    let &["--sums", sums, "--out", out] = words else {
        return Err("usage: manifests --sums SHA256SUMS --out DIRECTORY".into());
    };
    let sums = Sums::parse(&std::fs::read_to_string(sums).map_err(|error| format!("{sums}: {error}"))?)?;
    for (path, text) in render(&sums)? {
        let path = Path::new(out).join(path);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&path, text)?;
        println!("{}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const TARGETS: [&str; 5] = [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-pc-windows-gnu",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
    ];

    /// Returns a distinct digest for each archive.
    fn digest(number: usize) -> String {
        format!("{number:064x}")
    }

    fn sums() -> Sums {
        let lines = TARGETS.iter().enumerate();
        let lines = lines.map(|(number, target)| format!("{}  {}\n", digest(number + 1), archive_of(target)));
        Sums::parse(&lines.collect::<String>()).unwrap()
    }

    /// Runs a program on a file with `text`. Reports and returns `None` if the program is not installed.
    fn check_by(program: &str, arguments: &[&str], name: &str, text: &str) -> Option<()> {
        let directory =
            std::env::temp_dir().join(format!("hatbox-manifests-{}-{program}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        let output = Command::new(program).args(arguments).arg(&path).output();
        std::fs::remove_dir_all(&directory).unwrap();
        let Ok(output) = output else {
            println!("skipped: there is no {program}");
            return None;
        };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        Some(())
    }

    #[test]
    fn every_manifest_has_this_version_and_the_digest_of_each_archive_that_it_names() {
        let manifests = render(&sums()).unwrap();
        let names: Vec<_> = manifests.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "aur/.SRCINFO",
                "aur/PKGBUILD",
                "homebrew/hatbox.rb",
                "nix/hatbox.nix",
                "scoop/hatbox.json",
                "winget/hatbox.hatbox.installer.yaml",
                "winget/hatbox.hatbox.locale.en-US.yaml",
                "winget/hatbox.hatbox.yaml",
            ]
        );
        let expected = [
            ("aur", &[0, 1][..]),
            ("homebrew", &[0, 1, 3, 4]),
            ("nix", &[0, 1, 3, 4]),
            ("scoop", &[2]),
            ("winget", &[2]),
        ];
        for (path, text) in &manifests {
            assert!(text.contains(VERSION) && !text.contains('@'), "{}", path.display());
            let (_, targets) = expected.iter().find(|(place, _)| path.starts_with(place)).unwrap();
            for (number, target) in TARGETS.iter().enumerate() {
                let is_named = text.contains(&digest(number + 1));
                let is_expected = targets.contains(&number);
                let has_digests = text.contains("000000000000");
                assert_eq!(is_named, is_expected && has_digests, "{}: {target}", path.display());
                // Each digest must follow its own archive.
                if let Some(at) = text.find(&archive_of(target)) {
                    let after = &text[at..];
                    if path.ends_with("hatbox.rb") || path.ends_with("hatbox.json") {
                        let found = after.find("0000").map(|at| &after[at..at + 64]);
                        assert_eq!(found, Some(digest(number + 1).as_str()), "{}: {target}", path.display());
                    }
                }
            }
        }
        let all: String = manifests.values().cloned().collect();
        for target in TARGETS {
            assert!(all.contains(target), "{target} is in no manifest");
        }
    }

    #[test]
    fn a_missing_archive_a_wrong_digest_and_an_unknown_word_are_errors() {
        let sums = sums();
        for (template, problem) in [
            ("@URL(riscv64-linux)@", "the digests do not list `hatbox-"),
            ("@VERSIO@", "unknown word `@VERSIO@`"),
            ("@URL(x@", "unknown word"),
            ("a@b", "no second `@`"),
        ] {
            let said = fill_in(template, &sums).unwrap_err().to_string();
            assert!(said.contains(problem), "{said}");
        }
        for text in ["abc  x", "ABC", &format!("{}  x", "A".repeat(64))] {
            assert!(Sums::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_manifest_is_read_by_what_reads_its_language() {
        let manifests = render(&sums()).unwrap();
        let text = |path: &str| manifests[Path::new(path)].as_str();
        let scoop: serde_json::Value = serde_json::from_str(text("scoop/hatbox.json")).unwrap();
        assert_eq!(scoop["version"], VERSION);
        assert_eq!(scoop["architecture"]["64bit"]["hash"], digest(3));
        let next = scoop["autoupdate"]["architecture"]["64bit"]["url"].as_str().unwrap();
        assert_eq!(next.replace("$version", VERSION), scoop["architecture"]["64bit"]["url"]);
        check_by("bash", &["-n"], "PKGBUILD", text("aur/PKGBUILD")).unwrap();
        check_by("ruby", &["-c"], "hatbox.rb", text("homebrew/hatbox.rb"));
        check_by("nix-instantiate", &["--parse"], "hatbox.nix", text("nix/hatbox.nix"));
        // Each file has the fields that winget's schemas require.
        for (path, fields) in [
            ("winget/hatbox.hatbox.yaml", &["DefaultLocale"][..]),
            ("winget/hatbox.hatbox.installer.yaml", &["InstallerType", "NestedInstallerType", "Installers"]),
            (
                "winget/hatbox.hatbox.locale.en-US.yaml",
                &["PackageLocale", "Publisher", "PackageName", "License", "ShortDescription"],
            ),
        ] {
            let common = ["PackageIdentifier", "PackageVersion", "ManifestType", "ManifestVersion"];
            for field in common.iter().chain(fields) {
                let is_there = |line: &str| line.starts_with(&format!("{field}:"));
                assert_eq!(text(path).lines().filter(|line| is_there(line)).count(), 1, "{path}: {field}");
            }
        }
    }

    /// Without `makepkg --printsrcinfo`, its output is derived from the variables of the PKGBUILD.
    #[test]
    fn the_srcinfo_says_what_the_pkgbuild_says() {
        let manifests = render(&sums()).unwrap();
        let script = manifests[Path::new("aur/PKGBUILD")].clone()
            + "\nprintf 'pkgver = %s\\npkgdesc = %s\\nurl = %s\\n' \"$pkgver\" \"$pkgdesc\" \"$url\"\n\
               printf 'arch = %s\\n' \"${arch[@]}\"\nprintf 'license = %s\\n' \"${license[@]}\"\n\
               for a in x86_64 aarch64; do declare -n s=source_$a d=sha256sums_$a\n\
               printf \"source_$a = %s\\n\" \"${s[@]}\"; printf \"sha256sums_$a = %s\\n\" \"${d[@]}\"; done\n";
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let info = &manifests[Path::new("aur/.SRCINFO")];
        let stated: Vec<_> = info.lines().map(str::trim).collect();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.lines().count() >= 10, "{printed}");
        for line in printed.lines() {
            assert!(stated.contains(&line), "{line} is not in:\n{info}");
        }
    }

    #[test]
    fn cargo_binstall_finds_the_archives() {
        let text = std::fs::read_to_string(root().join("crates/cli/Cargo.toml")).unwrap();
        let value = |section: &str, name: &str| {
            let table = text.split(&format!("[package.metadata.binstall{section}]")).nth(1).unwrap();
            let line = table.lines().take_while(|line| !line.starts_with('[')).find_map(|line| {
                line.strip_prefix(name)?
                    .trim_start()
                    .strip_prefix('=')
                    .map(|value| value.trim().trim_matches('"'))
            });
            line.map(str::to_owned)
        };
        for target in TARGETS {
            let section = if target.contains("windows") { ".overrides.x86_64-pc-windows-gnu" } else { "" };
            let url = value(section, "pkg-url").unwrap();
            let filled = url.replace("{ repo }", REPOSITORY).replace("{ version }", VERSION);
            let expected = format!("{REPOSITORY}/releases/download/v{VERSION}/{}", archive_of(target));
            assert_eq!(filled.replace("{ target }", target), expected);
            let place =
                value("", "bin-dir").unwrap().replace("{ version }", VERSION).replace("{ target }", target);
            assert_eq!(place, format!("{}/{{ bin }}{{ binary-ext }}", name_of(target)));
        }
        // The default Windows target of binstall gets the program for the target that is built.
        assert_eq!(
            value(".overrides.x86_64-pc-windows-msvc", "pkg-url").unwrap(),
            value(".overrides.x86_64-pc-windows-gnu", "pkg-url")
                .unwrap()
                .replace("{ target }", "x86_64-pc-windows-gnu")
        );
    }
}
