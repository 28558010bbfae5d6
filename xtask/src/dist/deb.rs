//! The package for Debian and derivatives, built by `dpkg-deb`.

use std::path::Path;
use std::process::Command;

use super::contents::{Contents, LICENCES};
use super::tree::{Kind, Tree, gzip};
use super::{Architecture, VERSION};
use crate::Problem;
use crate::scene::check;

pub(super) const MAINTAINER: &str = "hatbox maintainers <hatbox@users.noreply.github.com>";
/// What every package says about the program.
pub(super) const DESCRIPTION: &str = "\
hatbox keeps AWS access keys encrypted, assumes the roles that the profiles in
~/.aws/config describe, asks for MFA codes, and runs any program with
temporary credentials. It has the commands of aws-vault, and also shows who can
assume a role and why AWS denied a call.
";
/// The exception for lintian, which takes a position-independent program without libraries for a library.
const OVERRIDES: &str = "\
# A program, linked with the C library: it starts faster and runs on every release of every distribution.
hatbox: shared-library-lacks-prerequisites [usr/bin/hatbox]
";

pub(super) fn file_name(architecture: &Architecture) -> String {
    format!("hatbox_{VERSION}_{}.deb", architecture.debian)
}

/// Writes the package into `out`.
pub(super) fn write(
    contents: &Contents,
    architecture: &Architecture,
    time: u64,
    out: &Path,
) -> Result<(), Problem> {
    let staged = tempfile::tempdir()?;
    let root = staged.path().join("root");
    let mut tree = installed(contents, time)?;
    tree.write_to(&root)?;
    let size = tree.files().map(|(_, _, bytes)| bytes.len().div_ceil(1024)).sum();
    // The digests that `dpkg --verify` checks.
    let mut md5sum = Command::new("md5sum");
    md5sum.args(tree.files().map(|(path, _, _)| path)).current_dir(&root);
    let md5sums = check(&md5sum.output()?)?;
    tree.add("DEBIAN/control", Kind::Data, render_control(architecture, size));
    tree.add("DEBIAN/md5sums", Kind::Data, md5sums);
    tree.write_to(&root)?;
    let mut command = Command::new("dpkg-deb");
    // With more threads, xz splits its input by the number of processors, which changes the output.
    command.args(["--build", "--root-owner-group", "-Zxz", "--threads-max=1"]);
    command.arg(&root).arg(out.join(file_name(architecture)));
    command.env("SOURCE_DATE_EPOCH", time.to_string());
    check(&command.output().map_err(|problem| format!("dpkg-deb, of Debian's package dpkg: {problem}"))?)?;
    Ok(())
}

/// Returns the tree of installed files.
fn installed(contents: &Contents, time: u64) -> Result<Tree, Problem> {
    let mut tree = contents.package("vendor-completions")?;
    let doc = |name: &str| format!("usr/share/doc/hatbox/{name}");
    tree.add(doc("README.md"), Kind::Data, contents.document("README.md"));
    tree.add(doc("CHANGELOG.md.gz"), Kind::Data, gzip(contents.document("CHANGELOG.md"))?);
    tree.add(doc("changelog.gz"), Kind::Data, gzip(render_changelog(time)?.as_bytes())?);
    tree.add(doc(&format!("{LICENCES}.gz")), Kind::Data, gzip(contents.document(LICENCES))?);
    tree.add(doc("copyright"), Kind::Data, render_copyright(contents));
    tree.add("usr/share/lintian/overrides/hatbox", Kind::Data, OVERRIDES);
    Ok(tree)
}

/// Renders the control file. `size` is in KiB.
fn render_control(architecture: &Architecture, size: usize) -> String {
    let description: String = DESCRIPTION.lines().map(|line| format!(" {line}\n")).collect();
    format!(
        "Package: hatbox\n\
         Version: {VERSION}\n\
         Architecture: {}\n\
         Maintainer: {MAINTAINER}\n\
         Installed-Size: {size}\n\
         Recommends: ca-certificates\n\
         Section: admin\n\
         Priority: optional\n\
         Homepage: {}\n\
         Description: temporary AWS credentials for any program\n\
         {description}",
        architecture.debian,
        env!("CARGO_PKG_REPOSITORY"),
    )
}

/// Renders the Debian changelog with a single entry; hatbox's own changelog is a separate file.
fn render_changelog(time: u64) -> Result<String, Problem> {
    let utc = jiff::Timestamp::from_second(i64::try_from(time)?)?.to_zoned(jiff::tz::TimeZone::UTC);
    let date = utc.strftime("%a, %d %b %Y %H:%M:%S +0000");
    Ok(format!(
        "hatbox ({VERSION}) unstable; urgency=medium\n\n  * Release {VERSION}: see CHANGELOG.md.gz.\n\n \
         -- {MAINTAINER}  {date}\n"
    ))
}

/// Renders the copyright file in Debian's machine-readable format. It contains hatbox's licences, except those in
/// Debian's base system.
fn render_copyright(contents: &Contents) -> String {
    let mit = String::from_utf8_lossy(contents.document("LICENSE-MIT"));
    let mit: String = mit
        .trim()
        .lines()
        .map(
            |line| if line.trim().is_empty() { " .\n".to_owned() } else { format!(" {}\n", line.trim_end()) },
        )
        .collect();
    format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: hatbox\n\
         Source: {}\n\
         Comment: The program contains the work of others, whose licences are in\n \
         /usr/share/doc/hatbox/{LICENCES}.gz.\n\n\
         Files: *\n\
         Copyright: The hatbox authors\n\
         License: Expat or Apache-2.0\n\n\
         License: Expat\n{mit}\n\
         License: Apache-2.0\n \
         On Debian systems, the full text of the Apache License, Version 2.0, is in\n \
         /usr/share/common-licenses/Apache-2.0.\n",
        env!("CARGO_PKG_REPOSITORY"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_has_debians_form() {
        let changelog = render_changelog(1_800_000_000).unwrap();
        assert!(changelog.starts_with(&format!("hatbox ({VERSION}) unstable; urgency=medium\n\n  * ")));
        assert!(
            changelog.ends_with("@users.noreply.github.com>  Fri, 15 Jan 2027 08:00:00 +0000\n"),
            "{changelog}"
        );
    }
}
