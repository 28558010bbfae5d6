//! The files of archives and packages besides the program: manual pages, completions, licences, and documents.

use std::path::Path;
use std::process::{Command, Stdio};

use super::licences::render_licences;
use super::tree::{Kind, Tree, gzip};
use super::{Target, date};
use crate::Problem;
use crate::man;
use crate::released::host;
use crate::scene::{Build, build, check, root};

/// Each shell, and the file name of its completion script in an archive, by which shells with autoloading find it.
const COMPLETIONS: [(&str, &str); 4] =
    [("bash", "hatbox.bash"), ("zsh", "_hatbox"), ("fish", "hatbox.fish"), ("pwsh", "hatbox.ps1")];

/// Documents at the repository's root.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// The content that archives and packages share.
pub(super) struct Contents {
    /// The program for the target system.
    pub(super) program: Vec<u8>,
    /// Manual pages: file name and text.
    pub(super) pages: Vec<(String, Vec<u8>)>,
    /// Completion scripts: shell and script.
    pub(super) completions: Vec<(&'static str, Vec<u8>)>,
    /// Documents: name and bytes, including the licences of third-party code.
    pub(super) documents: Vec<(&'static str, Vec<u8>)>,
}

pub(super) const LICENCES: &str = "THIRD-PARTY-LICENSES.txt";

/// Reads and generates the content. `time` is in seconds since 1970.
pub(super) fn load(target: &Target, program: &Path, time: u64) -> Result<Contents, Problem> {
    let mut documents = Vec::new();
    for name in DOCUMENTS {
        documents.push((name, std::fs::read(root().join(name))?));
    }
    documents.push((LICENCES, render_licences(target.triple)?.into_bytes()));
    // Pages and scripts are the same on every system, so any hatbox that runs here can generate them.
    let printer = if target.triple == host()? { program.to_owned() } else { build(Build::Debug)? };
    let completions =
        COMPLETIONS.into_iter().map(|(shell, _)| Ok((shell, load_completions(&printer, shell)?)));
    Ok(Contents {
        program: std::fs::read(program)?,
        pages: load_pages(&printer, time)?,
        completions: completions.collect::<Result<_, Problem>>()?,
        documents,
    })
}

fn load_pages(program: &Path, time: u64) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let directory = tempfile::tempdir()?;
    man::write_pages(program, &root().join("docs"), directory.path(), &date(time)?)?;
    let pages = std::fs::read_dir(directory.path())?.map(|entry| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?))
    });
    pages.collect()
}

fn load_completions(program: &Path, shell: &str) -> Result<Vec<u8>, Problem> {
    let home = tempfile::tempdir()?;
    let mut command = Command::new(program);
    command.args(["completions", shell]).env_clear().env("HOME", home.path()).stdin(Stdio::null());
    let script = check(&command.output()?)?;
    if !script.contains("hatbox") {
        return Err(format!("`hatbox completions {shell}` prints no script").into());
    }
    Ok(script.into_bytes())
}

impl Contents {
    /// Returns the files of the archive, without the top directory.
    pub(super) fn archive(&self, target: &Target) -> Tree {
        let mut tree = Tree::default();
        tree.add(target.program(), Kind::Program, self.program.as_slice());
        for (name, bytes) in &self.documents {
            tree.add(*name, Kind::Data, bytes.as_slice());
        }
        for (file, page) in &self.pages {
            tree.add(format!("man/{file}"), Kind::Data, page.as_slice());
        }
        for (shell, script) in &self.completions {
            let name = COMPLETIONS.iter().find(|(named, _)| named == shell).map_or(*shell, |(_, name)| *name);
            tree.add(format!("completions/{name}"), Kind::Data, script.as_slice());
        }
        tree
    }

    /// Returns the files that every package installs: the program, the compressed manual pages and the completions.
    /// Only zsh's directory below `usr/share/zsh` differs between distributions.
    pub(super) fn package(&self, zsh: &str) -> Result<Tree, Problem> {
        let mut tree = Tree::default();
        tree.add("usr/bin/hatbox", Kind::Program, self.program.as_slice());
        for (file, page) in &self.pages {
            tree.add(format!("usr/share/man/man1/{file}.gz"), Kind::Data, gzip(page)?);
        }
        for (shell, path) in [
            ("bash", "usr/share/bash-completion/completions/hatbox"),
            ("zsh", &format!("usr/share/zsh/{zsh}/_hatbox")),
            ("fish", "usr/share/fish/vendor_completions.d/hatbox.fish"),
        ] {
            let script = self.completions.iter().find(|(named, _)| *named == shell);
            tree.add(path, Kind::Data, script.map_or(&[][..], |(_, script)| script));
        }
        Ok(tree)
    }

    /// Returns a document by its name.
    pub(super) fn document(&self, wanted: &str) -> &[u8] {
        self.documents.iter().find(|(name, _)| *name == wanted).map_or(&[], |(_, bytes)| bytes)
    }
}
