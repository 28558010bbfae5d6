//! `install/install.sh`, run by several shells against a mirror on this machine: what it installs, and that the old
//! version stays when anything goes wrong.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "test helpers may panic, like tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The programs that the script needs, besides a shell and one that downloads.
const TOOLS: [&str; 18] = [
    "uname",
    "getconf",
    "mktemp",
    "tar",
    "gzip",
    "rm",
    "cp",
    "chmod",
    "mkdir",
    "mv",
    "cat",
    "head",
    "grep",
    "rmdir",
    "sha256sum",
    "sh",
    "env",
    "df",
];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../install/install.sh").canonicalize().unwrap()
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// Files by name, served until the test ends.
#[derive(Clone, Default)]
struct Mirror {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// How much of each archive is sent before the connection ends.
    limit: Option<usize>,
    /// The address that every file is redirected to.
    redirect: Option<String>,
}

impl Mirror {
    /// A mirror with an archive of each version, and their SHA256SUMS.
    fn with(versions: &[&str]) -> Self {
        let mirror = Self::default();
        for version in versions {
            mirror.add(version, TARGET);
        }
        mirror
    }

    /// Adds an archive with a program that prints its version, and its line in SHA256SUMS.
    fn add(&self, version: &str, target: &str) {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("hatbox-{version}-{target}");
        let root = directory.path().join(&name);
        for (file, content) in [
            ("hatbox", format!("#!/bin/sh\necho hatbox {version}\n# {}\n", "x".repeat(20_000))),
            ("man/hatbox.1", format!("page {version}\n")),
            (&*format!("man/hatbox-of-{version}.1"), "page\n".to_owned()),
            ("completions/hatbox.bash", "bash\n".to_owned()),
            ("completions/_hatbox", "zsh\n".to_owned()),
            ("completions/hatbox.fish", "fish\n".to_owned()),
            ("LICENSE-MIT", "licence\n".to_owned()),
            ("README.md", format!("readme {version}\n")),
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let archive = format!("{name}.tar.gz");
        let mut tar = Command::new("tar");
        tar.args(["-czf", &archive, &name]).current_dir(directory.path());
        assert!(tar.status().unwrap().success());
        let sum = Command::new("sha256sum").arg(&archive).current_dir(directory.path()).output().unwrap();
        let mut files = self.files.lock().unwrap();
        files.insert(archive.clone(), fs::read(directory.path().join(&archive)).unwrap());
        files.entry("SHA256SUMS".to_owned()).or_default().extend(sum.stdout);
    }

    fn set(&self, name: &str, content: &[u8]) {
        self.files.lock().unwrap().insert(name.to_owned(), content.to_vec());
    }

    fn remove(&self, name: &str) {
        self.files.lock().unwrap().remove(name).unwrap();
    }

    /// Starts the server and returns its address.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mirror = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                mirror.answer(stream.unwrap());
            }
        });
        address
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(length) if length > 0 => head.extend_from_slice(&buffer[..length]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let name = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
        let found = self.files.lock().unwrap().get(&name).cloned();
        self.asked.lock().unwrap().push(name.clone());
        let redirect = self.redirect.as_ref().map(|to| format!("302 Found\r\nLocation: {to}/{name}"));
        let status = redirect.as_deref().unwrap_or(if found.is_some() { "200 OK" } else { "404 Not Found" });
        let body = found.unwrap_or_default();
        let sent = self.limit.filter(|_| name != "SHA256SUMS").unwrap_or(body.len());
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        // The client may close the connection early.
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent])).ok();
    }
}

/// Whether the programs are there; prints which one is not.
fn are_installed(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| find_program(program).is_none());
    if let Some(program) = missing {
        println!("skipped: {program} is not installed");
    }
    missing.is_none()
}

/// A home directory, and the programs in PATH.
struct Machine {
    directory: tempfile::TempDir,
    shell: Vec<String>,
}

impl Machine {
    fn new(downloaders: &[&str]) -> Self {
        let machine = Self { directory: tempfile::tempdir().unwrap(), shell: vec!["/bin/sh".to_owned()] };
        fs::create_dir(machine.home()).unwrap();
        fs::create_dir(machine.programs()).unwrap();
        for tool in TOOLS.iter().chain(downloaders) {
            let found = find_program(tool).unwrap_or_else(|| panic!("{tool} is not installed"));
            symlink(found, machine.programs().join(tool)).unwrap();
        }
        // Looks like a system for which there is an archive, whatever this machine is.
        machine.replace("uname", "case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac");
        machine.replace("getconf", "case $1 in LONG_BIT) echo 64 ;; *) echo glibc 2.36 ;; esac");
        machine
    }

    fn home(&self) -> PathBuf {
        // A path with spaces, so it must be quoted.
        self.directory.path().join("home of jan")
    }

    fn programs(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    /// Replaces a program by a script.
    fn replace(&self, name: &str, body: &str) {
        let path = self.programs().join(name);
        fs::remove_file(&path).ok();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, address: &str) -> Command {
        let (shell, words) = self.shell.split_first().unwrap();
        let mut command = Command::new(shell);
        command.args(words).env_clear().env("HOME", self.home()).env("PATH", self.programs());
        command.env("HATBOX_DOWNLOAD_URL", address).stdin(Stdio::null());
        command
    }

    fn run(&self, address: &str, words: &[&str]) -> Output {
        self.command(address).arg(script()).args(words).output().unwrap()
    }

    fn installs(&self, address: &str, words: &[&str]) -> String {
        let output = self.run(address, words);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// Runs the script and checks that it fails with this error and changes no file.
    fn fails(&self, address: &str, words: &[&str], error: &str) -> String {
        let before = self.files();
        let output = self.run(address, words);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("install.sh: error: {error}")), "{error}: {said}");
        assert_eq!(self.files(), before, "{said}");
        said
    }

    /// The files in the home, with their contents.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn add(directory: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    add(&path, root, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        add(&self.home(), &self.home(), &mut found);
        found
    }

    fn version(&self) -> String {
        let program = Command::new(self.home().join(".local/bin/hatbox")).output().unwrap();
        String::from_utf8(program.stdout).unwrap().trim().to_owned()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The shells that are installed; `sh` always is.
fn shells() -> Vec<Vec<String>> {
    let mut found = vec![vec!["/bin/sh".to_owned()]];
    for words in [&["dash"][..], &["bash", "--posix"], &["busybox", "sh"], &["ksh"]] {
        match find_program(words[0]) {
            Some(path) => {
                let path = path.to_str().unwrap().to_owned();
                found.push([path].into_iter().chain(words[1..].iter().map(|w| (*w).to_owned())).collect());
            }
            None => println!("skipped: install.sh is not run by {}, which is not installed", words[0]),
        }
    }
    found
}

#[test]
fn the_program_its_pages_and_completions_are_installed_replaced_and_removed() {
    if !are_installed(&["curl"]) {
        return;
    }
    let first = Mirror::with(&["0.1.0"]).serve();
    let second = Mirror::with(&["0.2.0"]).serve();
    for shell in shells() {
        let mut machine = Machine::new(&["curl"]);
        machine.shell = shell;
        let said = machine.installs(&first, &[]);
        let bin = machine.home().join(".local/bin");
        for part in ["Installed hatbox 0.1.0", "is not in PATH", "export PATH=", "--uninstall"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(machine.version(), "hatbox 0.1.0");
        let names = |machine: &Machine| machine.files().into_keys().collect::<BTreeSet<_>>();
        let of = |version: &str| {
            [
                ".local/bin/hatbox",
                ".local/share/man/man1/hatbox.1",
                &format!(".local/share/man/man1/hatbox-of-{version}.1"),
                ".local/share/bash-completion/completions/hatbox",
                ".local/share/zsh/site-functions/_hatbox",
                ".local/share/fish/vendor_completions.d/hatbox.fish",
                ".local/share/doc/hatbox/LICENSE-MIT",
                ".local/share/doc/hatbox/README.md",
                ".local/share/doc/hatbox/installed-files",
            ]
            .map(str::to_owned)
            .into_iter()
            .collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&machine), of("0.1.0"));
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(bin.join("hatbox")), 0o755);
        assert_eq!(mode(machine.home().join(".local/share/man/man1/hatbox.1")), 0o644);
        // Installed over the first version: files that only that one had are removed, the user's other files are not.
        fs::write(bin.join("other"), "mine").unwrap();
        machine.installs(&second, &[]);
        assert_eq!(machine.version(), "hatbox 0.2.0");
        let mut expected = of("0.2.0");
        expected.insert(".local/bin/other".to_owned());
        assert_eq!(names(&machine), expected);
        let output = machine.command("").arg(script()).arg("--uninstall").output().unwrap();
        assert!(output.status.success(), "{}", self::said(&output));
        assert_eq!(names(&machine), [".local/bin/other".to_owned()].into());
        machine.fails("", &["--uninstall"], "hatbox was not installed by this script");
    }
}

#[test]
fn a_wrong_checksum_a_missing_archive_and_a_broken_download_change_nothing() {
    if !are_installed(&["curl", "wget"]) {
        return;
    }
    let machine = Machine::new(&["curl", "wget"]);
    machine.installs(&Mirror::with(&["0.1.0"]).serve(), &[]);
    let archive = format!("hatbox-0.2.0-{TARGET}.tar.gz");

    let wrong = Mirror::with(&["0.2.0"]);
    wrong.set(&archive, b"another program");
    machine.fails(&wrong.serve(), &[], &format!("the SHA-256 of {archive} is "));

    let missing = Mirror::with(&["0.2.0"]);
    missing.remove(&archive);
    let address = missing.serve();
    machine.fails(&address, &[], &format!("cannot download {address}/{archive}"));

    let broken = Mirror { limit: Some(100), ..Mirror::with(&["0.2.0"]) };
    let address = broken.serve();
    machine.fails(&address, &[], &format!("cannot download {address}/{archive}"));

    let empty = Mirror::default().serve();
    machine.fails(&empty, &[], &format!("cannot download {empty}/SHA256SUMS"));

    for sums in [
        "",
        "<html>not found</html>\n",
        &format!("123  {archive}\n"),
        "0  hatbox-../../x-x86_64-unknown-linux-gnu.tar.gz\n",
    ] {
        let odd = Mirror::with(&["0.2.0"]);
        odd.set("SHA256SUMS", sums.as_bytes());
        let address = odd.serve();
        machine.fails(&address, &[], &format!("{address}/SHA256SUMS lists no archive for {TARGET}"));
        assert_eq!(*odd.asked.lock().unwrap(), ["SHA256SUMS"]);
    }

    // An archive with the right digest, but with a program that does not run here.
    let foreign = Mirror::default();
    let name = format!("hatbox-0.2.0-{TARGET}");
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(&name)).unwrap();
    fs::write(directory.path().join(&name).join("hatbox"), b"\x7fELF of another processor").unwrap();
    let line = format!("tar -czf {archive} {name} && sha256sum {archive}");
    let sums = Command::new("sh").args(["-c", &line]).current_dir(directory.path()).output().unwrap();
    foreign.set(&archive, &fs::read(directory.path().join(&archive)).unwrap());
    foreign.set("SHA256SUMS", &sums.stdout);
    machine.fails(&foreign.serve(), &[], "hatbox 0.2.0 does not run on this system");
    assert_eq!(machine.version(), "hatbox 0.1.0");
}

#[test]
fn wget_is_used_without_curl_and_neither_is_an_error() {
    if !are_installed(&["curl", "wget"]) {
        return;
    }
    let mirror = Mirror::with(&["0.1.0"]).serve();
    let machine = Machine::new(&["wget"]);
    machine.installs(&mirror, &[]);
    assert_eq!(machine.version(), "hatbox 0.1.0");
    let broken = Mirror { limit: Some(100), ..Mirror::with(&["0.2.0"]) };
    machine.replace("wget", &format!("exec {} --tries=1 \"$@\"", find_program("wget").unwrap().display()));
    machine.fails(&broken.serve(), &[], "cannot download ");
    Machine::new(&[]).fails(&mirror, &[], "neither curl nor wget is installed");
    let machine = Machine::new(&["curl"]);
    for tool in ["sha256sum", "tar"] {
        fs::remove_file(machine.programs().join(tool)).unwrap();
    }
    machine.fails(&mirror, &[], "tar is not installed");
    symlink(find_program("tar").unwrap(), machine.programs().join("tar")).unwrap();
    machine.fails(&mirror, &[], "no program to verify the download with");
}

/// A redirect could lead to a machine whose answers others can change.
#[test]
fn no_redirect_leads_to_plain_http() {
    if !are_installed(&["curl", "wget"]) {
        return;
    }
    let other = Mirror::with(&["0.1.0"]);
    let mirror = Mirror { redirect: Some(other.serve()), ..Mirror::with(&["0.1.0"]) };
    for downloader in ["curl", "wget"] {
        Machine::new(&[downloader]).fails(&mirror.serve(), &[], "");
    }
    assert_eq!(other.asked.lock().unwrap().len(), 0);

    // As wget prints it, which would follow these redirects.
    let machine = Machine::new(&["wget"]);
    let answer = |to: &str| {
        machine.replace(
            "wget",
            &format!(
                "case $* in --version) echo GNU Wget ;; *https://m.example/*) echo '  Location: {to}' >&2; exit 8 ;; \
                 *) echo \"$*\" >\"$HOME/../asked\"; exit 1 ;; esac"
            ),
        );
    };
    answer("http://m.example/x [following]");
    machine.fails(
        "https://m.example",
        &[],
        "https://m.example/SHA256SUMS redirects to http://m.example/x, which",
    );
    let asked = machine.directory.path().join("asked");
    assert!(!asked.exists());
    answer("https://other.example/y");
    machine.fails("https://m.example", &[], "cannot download https://m.example/SHA256SUMS");
    assert!(fs::read_to_string(asked).unwrap().ends_with(" https://other.example/y\n"));
    answer("https://m.example/again");
    machine.fails("https://m.example", &[], "cannot download https://m.example/SHA256SUMS");
}

/// As on Alpine: every tool is from BusyBox, and there is no `getconf`.
#[test]
fn busybox_alone_is_enough() {
    let Some(busybox) = find_program("busybox") else {
        println!("skipped: busybox is not installed");
        return;
    };
    let mut machine = Machine::new(&[]);
    machine.shell = vec![busybox.to_str().unwrap().to_owned(), "sh".to_owned()];
    for tool in TOOLS.into_iter().chain(["wget"]).filter(|tool| *tool != "uname") {
        let path = machine.programs().join(tool);
        fs::remove_file(&path).ok();
        if tool != "getconf" {
            symlink(&busybox, path).unwrap();
        }
    }
    let address = Mirror::with(&["0.1.0"]).serve();
    machine.installs(&address, &[]);
    assert_eq!(machine.version(), "hatbox 0.1.0");
    let broken = Mirror { limit: Some(100), ..Mirror::with(&["0.2.0"]) };
    let output = machine.run(&broken.serve(), &[]);
    assert!(!output.status.success(), "{}", said(&output));
    assert_eq!(machine.version(), "hatbox 0.1.0");
}

#[test]
fn each_system_gets_its_archive_and_an_unknown_one_an_error() {
    if !are_installed(&["curl"]) {
        return;
    }
    let mirror = Mirror::with(&["0.1.0"]);
    for target in [
        "aarch64-unknown-linux-gnu",
        "x86_64-unknown-linux-musl",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
    ] {
        mirror.add("0.1.0", target);
    }
    let address = mirror.serve();
    let musl = "case $1 in LONG_BIT) echo 64 ;; *) exit 1 ;; esac";
    let glibc = "case $1 in LONG_BIT) echo 64 ;; *) echo glibc 2.31 ;; esac";
    for (system, processor, library, target) in [
        ("Linux", "x86_64", glibc, "x86_64-unknown-linux-gnu"),
        ("Linux", "amd64", musl, "x86_64-unknown-linux-musl"),
        ("Linux", "aarch64", glibc, "aarch64-unknown-linux-gnu"),
        // There is no archive for musl: the one for glibc is static.
        ("Linux", "arm64", musl, "aarch64-unknown-linux-gnu"),
        ("Darwin", "arm64", "exit 1", "aarch64-apple-darwin"),
        ("Darwin", "x86_64", "exit 1", "x86_64-apple-darwin"),
    ] {
        let machine = Machine::new(&["curl"]);
        machine.replace("uname", &format!("case $1 in -s) echo {system} ;; *) echo {processor} ;; esac"));
        machine.replace("getconf", library);
        let said = machine.installs(&address, &[]);
        assert!(said.contains(&format!("hatbox-0.1.0-{target}.tar.gz")), "{said}");
    }
    mirror.asked.lock().unwrap().clear();
    for (system, processor, error) in [
        ("FreeBSD", "amd64", "no archive for this system: FreeBSD on amd64"),
        ("Linux", "riscv64", "no archive for this system: Linux on riscv64"),
        ("MINGW64_NT-10.0", "x86_64", "this script does not install on Windows"),
    ] {
        let machine = Machine::new(&["curl"]);
        machine.replace("uname", &format!("case $1 in -s) echo {system} ;; *) echo {processor} ;; esac"));
        let said = machine.fails(&address, &[], error);
        assert!(said.contains("install.sh: hint: "), "{said}");
    }
    let machine = Machine::new(&["curl"]);
    machine.replace("getconf", "echo 32");
    machine.fails(&address, &[], "no archive for this system: Linux on x86_64");
    assert!(mirror.asked.lock().unwrap().is_empty());
}

#[test]
fn a_version_is_chosen_and_wrong_words_are_errors() {
    if !are_installed(&["curl"]) {
        return;
    }
    let both = Mirror::with(&["0.1.0", "0.2.0"]).serve();
    let machine = Machine::new(&["curl"]);
    machine.fails(&both, &[], &format!("{both} has several versions: 0.1.0 and 0.2.0"));
    machine.installs(&both, &["--version", "v0.2.0"]);
    assert_eq!(machine.version(), "hatbox 0.2.0");
    machine.installs(&both, &["--version=0.1.0"]);
    assert_eq!(machine.version(), "hatbox 0.1.0");
    machine.fails(
        &both,
        &["--version", "0.3.0"],
        &format!("{both}/SHA256SUMS lists no archive of version 0.3.0 for"),
    );
    machine.fails(&both, &["--version"], "--version needs a version");
    machine.fails(&both, &["--version", "../x"], "invalid version `../x`");
    machine.fails(&both, &["--prefix=/"], "unknown option `--prefix=/`");
    for address in [
        "http://mirror.example.com",
        "ftp://127.0.0.1",
        "file:///tmp",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1:80@example.com",
    ] {
        machine.fails(address, &[], "invalid HATBOX_DOWNLOAD_URL");
    }
    assert!(machine.installs(&both, &["--help"]).contains("Usage: install.sh"));
    let piped = machine
        .command(&both)
        .args(["-s", "--", "--version", "0.2.0"])
        .stdin(fs::File::open(script()).unwrap())
        .output();
    assert!(piped.unwrap().status.success());
    assert_eq!(machine.version(), "hatbox 0.2.0");
    let without_home = machine.command(&both).env_remove("HOME").arg(script()).output().unwrap();
    assert!(said(&without_home).contains("HOME is not set"), "{}", said(&without_home));
}

#[test]
fn on_a_full_disk_what_was_there_stays() {
    if !are_installed(&["curl"]) {
        return;
    }
    let machine = Machine::new(&["curl"]);
    machine.installs(&Mirror::with(&["0.1.0"]).serve(), &[]);
    let next = Mirror::with(&["0.2.0"]).serve();
    // No file may be larger than this many blocks, so that the space runs out at different points.
    for blocks in [0, 1, 30] {
        let before = machine.files();
        let line = format!("ulimit -f {blocks}; exec sh '{}'", script().display());
        let output = machine.command(&next).args(["-c", &line]).output().unwrap();
        assert!(!output.status.success(), "{blocks}: {}", said(&output));
        assert_eq!(machine.files(), before, "{blocks}: {}", said(&output));
    }
    // While a file is copied beside the old one.
    let cp = find_program("cp").unwrap();
    for name in ["hatbox.1", "README.md", "bin/hatbox"] {
        let line = format!(
            "for last; do :; done\ncase $last in */{name}.new.*) echo part >\"$last\"; echo no space >&2; exit 1 ;; esac\n\
             exec {} \"$@\"",
            cp.display()
        );
        machine.replace("cp", &line);
        let said = machine.fails(&next, &[], "cannot write below ");
        assert!(said.contains("nothing was changed"), "{said}");
    }
    assert_eq!(machine.version(), "hatbox 0.1.0");
}

/// A very small file system: with each size, the space runs out at a different point.
#[test]
fn on_a_small_file_system_the_old_version_works_until_the_new_one_is_complete() {
    if !are_installed(&["curl"]) {
        return;
    }
    let try_it = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).output();
    if !try_it.is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here (unshare)");
        return;
    }
    let first = Mirror::with(&["0.1.0"]).serve();
    let second = Mirror::with(&["0.2.0"]).serve();
    let machine = Machine::new(&["curl"]);
    for tool in ["mount", "find", "wc"] {
        symlink(find_program(tool).unwrap(), machine.programs().join(tool)).unwrap();
    }
    let mut results = BTreeSet::new();
    // The first version takes 14 pages.
    for pages in (16..=64).step_by(6) {
        let line = format!(
            "mount -t tmpfs -o size={}k none \"$HOME\" || exit 99\n\
             sh '{script}' >/dev/null || exit 98\n\
             HATBOX_DOWNLOAD_URL={second} sh '{script}' 2>&1 && result=new || result=old\n\
             echo \"$result $(\"$HOME/.local/bin/hatbox\") $(find \"$HOME\" -name '*.new.*' -o -name 'hatbox-install.*' | wc -l)\"",
            pages * 4,
            script = script().display(),
        );
        let mut command = Command::new(find_program("unshare").unwrap());
        command.args(["--map-root-user", "--mount", "/bin/sh", "-c", &line]).env_clear();
        command
            .env("HOME", machine.home())
            .env("PATH", machine.programs())
            .env("HATBOX_DOWNLOAD_URL", &first);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = said(&output);
        match output.status.code() {
            Some(98) => continue,
            Some(99) => {
                println!("skipped: no file system can be mounted here (tmpfs)");
                return;
            }
            _ => {}
        }
        let last = text.lines().last().unwrap().to_owned();
        assert!(["new hatbox 0.2.0 0", "old hatbox 0.1.0 0"].contains(&last.as_str()), "{pages}: {text}");
        results.insert(last);
    }
    assert_eq!(results.len(), 2, "{results:?}");
}

#[test]
fn a_part_of_the_script_does_nothing() {
    let text = fs::read(script()).unwrap();
    let machine = Machine::new(&[]);
    machine.replace("curl", ": >\"$HOME/was-run\"");
    let part = machine.directory.path().join("part.sh");
    let end = text.len() - 1;
    let lines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).step_by(5);
    // Every part that lacks the closing brace.
    for length in lines.filter(|at| *at < end).chain(end - 30..end) {
        fs::write(&part, &text[..length]).unwrap();
        let output = machine.command("http://127.0.0.1:9").arg(&part).output().unwrap();
        assert!(output.stdout.is_empty() && machine.files().is_empty(), "{length}: {}", said(&output));
    }
    fs::write(&part, &text[..=end]).unwrap();
    machine.command("http://127.0.0.1:9").arg(&part).output().unwrap();
    assert_eq!(machine.files().into_keys().collect::<Vec<_>>(), ["was-run"]);
}

#[test]
fn shellcheck_finds_nothing_in_the_script() {
    match Command::new("shellcheck").arg(script()).output() {
        Ok(output) => assert!(output.status.success(), "{}", said(&output)),
        Err(_) => println!("skipped: shellcheck is not installed"),
    }
}

fn windows_script() -> String {
    fs::read_to_string(script().with_file_name("install.ps1")).unwrap()
}

/// PowerShell itself, or a parser of its language. `.ci/run` installs the parser where it can.
#[test]
fn a_parser_of_powershell_reads_the_script_for_windows() {
    const PARSE: &str = "import sys, tree_sitter, tree_sitter_powershell as language\n\
        parser = tree_sitter.Parser(tree_sitter.Language(language.language()))\n\
        text = sys.stdin.buffer.read()\n\
        assert parser.parse(text + b'if (').root_node.has_error\n\
        sys.exit(1 if parser.parse(text).root_node.has_error else 0)\n";
    const PARSE_ITSELF: &str = "$problems = $null\n\
        [Management.Automation.Language.Parser]::ParseFile($env:SCRIPT, [ref] $null, [ref] $problems) | Out-Null\n\
        $problems; exit $problems.Count";
    let path = script().with_file_name("install.ps1");
    let pwsh = ["pwsh", "powershell"].into_iter().find_map(find_program);
    let tools = script().with_file_name("../target/tools/linters/bin/python3");
    let python = Some(tools).filter(|path| path.is_file()).or_else(|| find_program("python3"));
    let has_parser = |python: &PathBuf| {
        let import = ["-c", "import tree_sitter, tree_sitter_powershell"];
        Command::new(python).args(import).output().is_ok_and(|output| output.status.success())
    };
    let output = if let Some(pwsh) = pwsh {
        Command::new(pwsh).args(["-NoProfile", "-Command", PARSE_ITSELF]).env("SCRIPT", &path).output()
    } else if let Some(python) = python.filter(has_parser) {
        Command::new(python).args(["-c", PARSE]).stdin(fs::File::open(&path).unwrap()).output()
    } else {
        println!("skipped: install.ps1 is not read, as there is no pwsh, nor tree-sitter-powershell of PyPI");
        return;
    };
    let output = output.unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// It is run by the workflow of a release only.
#[test]
fn the_script_for_windows_verifies_first_removes_what_it_installs_and_says_how_to_undo_it() {
    let text = windows_script();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no `{part}`"));
    assert!(place("Get-FileHash -Algorithm SHA256") < place("$actual -cne $archive.Digest"));
    assert!(place("$actual -cne $archive.Digest") < place("Expand-Archive"));
    assert!(place("Expand-Archive") < place("Move-Item -LiteralPath $program"));
    assert!(text.contains("To undo: run this script with -Uninstall."));
    assert!(text.contains("$env:LOCALAPPDATA 'Programs\\hatbox'"), "below the home directory");
    // The names of the loop that installs, and of the loop that removes.
    let mut loops = text.split("foreach ($name in ").skip(1).map(|rest| {
        let list = rest.split_once(')').unwrap().0;
        list.split(',').map(|name| name.trim().trim_matches('\'').to_owned()).collect::<BTreeSet<_>>()
    });
    let mut installed = loops.next().unwrap();
    installed.extend(["hatbox.exe", "hatbox.old.exe"].map(str::to_owned));
    assert_eq!(installed, loops.next().unwrap());
    // A part of the script does nothing: all of it is in functions, which the last line calls.
    let last = text.trim_end().lines().last().unwrap();
    assert_eq!(last, "Invoke-HatboxInstaller $Version $Uninstall.IsPresent");
    assert_eq!(text.matches("\nInvoke-HatboxInstaller").count(), 1);
}
