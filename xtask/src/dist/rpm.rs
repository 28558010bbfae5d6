//! The package for Fedora and derivatives, built by `rpmbuild`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::contents::{Contents, LICENCES};
use super::deb::{DESCRIPTION, MAINTAINER};
use super::tree::{Kind, Tree, gzip};
use super::{Architecture, VERSION};
use crate::Problem;
use crate::scene::check;

/// Turns off what rpmbuild adds by default or derives from the machine and the time.
const DEFINITIONS: [&str; 9] = [
    // Do not strip, compress or edit files, which are already final.
    "__os_install_post %{nil}",
    "debug_package %{nil}",
    "_build_id_links none",
    "_buildhost localhost",
    "use_source_date_epoch_as_buildtime 1",
    "clamp_mtime_to_source_date_epoch 1",
    "source_date_epoch_from_changelog 0",
    // A compression that every RPM version in use supports.
    "_binary_payload w6.xzdio",
    "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
];

pub(super) fn file_name(architecture: &Architecture) -> String {
    format!("hatbox-{VERSION}-1.{}.rpm", architecture.rpm)
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
    let tree = installed(contents)?;
    tree.write_to(&root)?;
    let spec = staged.path().join("hatbox.spec");
    std::fs::write(&spec, render_spec(&tree, &root, time)?)?;
    let mut command = Command::new("rpmbuild");
    command.args(["-bb", "--quiet", "--target", &format!("{}-linux", architecture.rpm)]);
    command.args(["--define", &format!("_topdir {}", staged.path().join("top").display())]);
    command.args(["--define", &format!("_rpmdir {}", std::path::absolute(out)?.display())]);
    for definition in DEFINITIONS {
        command.args(["--define", definition]);
    }
    command.arg(&spec).env("SOURCE_DATE_EPOCH", time.to_string());
    check(&command.output().map_err(|problem| format!("rpmbuild, of Debian's package rpm: {problem}"))?)?;
    Ok(())
}

/// Returns the tree of installed files.
fn installed(contents: &Contents) -> Result<Tree, Problem> {
    let mut tree = contents.package("site-functions")?;
    for name in ["README.md", "CHANGELOG.md"] {
        tree.add(format!("usr/share/doc/hatbox/{name}"), Kind::Data, contents.document(name));
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        tree.add(format!("usr/share/licenses/hatbox/{name}"), Kind::Data, contents.document(name));
    }
    let licences = gzip(contents.document(LICENCES))?;
    tree.add(format!("usr/share/licenses/hatbox/{LICENCES}.gz"), Kind::Data, licences);
    Ok(tree)
}

/// Renders the spec file, which only copies the finished files.
fn render_spec(tree: &Tree, root: &Path, time: u64) -> Result<String, Problem> {
    let date = jiff::Timestamp::from_second(i64::try_from(time)?)?.strftime("%a %b %d %Y");
    let mut spec = format!(
        "Name: hatbox\n\
         Version: {VERSION}\n\
         Release: 1\n\
         Summary: Temporary AWS credentials for any program\n\
         License: MIT OR Apache-2.0\n\
         Group: Applications/System\n\
         Packager: {MAINTAINER}\n\
         URL: {}\n\
         Recommends: ca-certificates\n\
         AutoReqProv: no\n\n\
         %description\n\
         {DESCRIPTION}\n\
         %changelog\n\
         * {date} {MAINTAINER} - {VERSION}-1\n\
         - Release {VERSION}: see CHANGELOG.md.\n\n\
         %install\n\
         cp -a {}/. %{{buildroot}}\n\n\
         %files\n",
        env!("CARGO_PKG_REPOSITORY"),
        root.display(),
    );
    for (path, kind, _) in tree.files() {
        let mark = match path {
            _ if path.starts_with("usr/share/licenses/") => "%license ",
            _ if path.starts_with("usr/share/doc/") => "%doc ",
            _ => "",
        };
        writeln!(spec, "%attr({:04o}, root, root) {mark}/{path}", kind.mode())?;
    }
    for directory in ["usr/share/doc/hatbox", "usr/share/licenses/hatbox"] {
        writeln!(spec, "%dir %attr(0755, root, root) /{directory}")?;
    }
    Ok(spec)
}
