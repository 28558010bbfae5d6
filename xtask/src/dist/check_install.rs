//! `install/install.sh` for `dist --check`: with the files as they are published, from a mirror on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::check::{check_version, is_there, run};
use crate::Problem;
use crate::scene::{check as check_output, root};

/// Some of what the script has to find in an archive, where it installs that.
const INSTALLED: [&str; 6] = [
    ".local/share/man/man1/hatbox.1",
    ".local/share/man/man1/hatbox-exec.1",
    ".local/share/bash-completion/completions/hatbox",
    ".local/share/zsh/site-functions/_hatbox",
    ".local/share/fish/vendor_completions.d/hatbox.fish",
    ".local/share/doc/hatbox/THIRD-PARTY-LICENSES.txt",
];

/// Installs from `out`, runs what was installed, and removes it. No file may remain.
pub(super) fn check_install_script(out: &Path) -> Result<(), Problem> {
    if !is_there("curl") {
        println!("skipped: install.sh is not run, as there is no curl");
        return Ok(());
    }
    let address = serve(out)?;
    let place = tempfile::tempdir()?;
    let home = place.path();
    let script = |words: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(root().join("install/install.sh")).args(words);
        command.env("HOME", home).env("HATBOX_DOWNLOAD_URL", &address);
        command
    };
    run("install.sh", &mut script(&[]))?;
    check_version("installed by install.sh", Command::new(home.join(".local/bin/hatbox")).arg("--version"))?;
    if let Some(missing) = INSTALLED.iter().find(|name| !home.join(name).is_file()) {
        return Err(format!("install.sh does not install {missing}").into());
    }
    run("install.sh --uninstall", &mut script(&["--uninstall"]))?;
    let left = check_output(&Command::new("find").arg(home).args(["-type", "f"]).output()?)?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("install.sh --uninstall leaves behind:\n{left}").into())
    }
}

/// Serves the files of a directory to this machine until this program ends. Returns the address.
fn serve(directory: &Path) -> Result<String, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let directory = directory.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client reports what it did not get.
            answer(&directory, stream).ok();
        }
    });
    Ok(address)
}

fn answer(directory: &Path, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    match file_of(&request).and_then(|name| std::fs::read(directory.join(name)).ok()) {
        Some(body) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
            stream.write_all(&body)
        }
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    }
}

/// Returns the name of the requested file, without a directory.
fn file_of(request: &str) -> Option<PathBuf> {
    let path = request.strip_prefix("GET /")?.split(' ').next()?;
    Path::new(path).file_name().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_a_file_of_the_directory_alone() {
        for (request, name) in [
            ("GET /SHA256SUMS HTTP/1.1", Some("SHA256SUMS")),
            ("GET /../../etc/passwd HTTP/1.1", Some("passwd")),
            ("GET / HTTP/1.1", None),
            ("GET /.. HTTP/1.1", None),
            ("PUT /x HTTP/1.1", None),
        ] {
            assert_eq!(file_of(request), name.map(PathBuf::from), "{request}");
        }
    }
}
