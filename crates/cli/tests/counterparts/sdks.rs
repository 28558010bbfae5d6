//! One small program per SDK, each of which prints the access key id of `AWS_PROFILE`. They are built once under the
//! target directory, then reused; the files in `sdks/` pin all dependencies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, ready to run.
#[derive(Debug)]
pub(crate) struct Sdk {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// How an SDK's program is built.
struct Recipe {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    install: &'static [&'static str],
    run: &'static [&'static str],
}

const GO: Recipe = Recipe {
    name: "go",
    files: &[
        ("main.go", include_str!("sdks/main.go")),
        ("go.mod", include_str!("sdks/go.mod")),
        ("go.sum", include_str!("sdks/go.sum")),
    ],
    install: &["go", "build", "-o", "counterpart", "."],
    run: &["./counterpart"],
};

const JAVASCRIPT: Recipe = Recipe {
    name: "javascript",
    files: &[
        ("main.js", include_str!("sdks/main.js")),
        ("package.json", include_str!("sdks/package.json")),
        ("package-lock.json", include_str!("sdks/package-lock.json")),
    ],
    // No downloaded code runs during the installation.
    install: &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    run: &["node", "./main.js"],
};

const DOCKER: Recipe = Recipe {
    name: "docker",
    files: &[
        ("main.go", include_str!("sdks/docker.go")),
        ("go.mod", include_str!("sdks/docker.mod")),
        ("go.sum", include_str!("sdks/docker.sum")),
    ],
    install: &["go", "build", "-o", "counterpart", "."],
    run: &["./counterpart"],
};

const NUSHELL: Recipe = Recipe {
    name: "nushell",
    files: &[
        ("package.json", include_str!("sdks/nushell.json")),
        ("package-lock.json", include_str!("sdks/nushell.lock")),
    ],
    install: &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    run: &["./node_modules/@nushell/linux-x64/bin/nu"],
};

const DEVCONTAINER: Recipe = Recipe {
    name: "devcontainer",
    files: &[
        ("package.json", include_str!("sdks/devcontainer.package.json")),
        ("package-lock.json", include_str!("sdks/devcontainer.lock")),
    ],
    install: &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    run: &["node", "./node_modules/@devcontainers/cli/devcontainer.js"],
};

const JAVA: Recipe = Recipe {
    name: "java",
    files: &[("Main.java", include_str!("sdks/Main.java")), ("pom.xml", include_str!("sdks/pom.xml"))],
    install: &["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
    run: &["java", "-cp", "./lib/*", "./Main.java"],
};

const RUST: Recipe = Recipe {
    name: "rust",
    // Stored under other names here, where Cargo would take them for a package of this workspace.
    files: &[
        ("src/main.rs", include_str!("sdks/rust.rs")),
        ("Cargo.toml", include_str!("sdks/rust.toml")),
        ("Cargo.lock", include_str!("sdks/rust.lock")),
    ],
    install: &["cargo", "build", "--quiet", "--locked", "--target-dir", "target"],
    run: &["./target/debug/counterpart"],
};

impl Sdk {
    pub(crate) fn go() -> Option<Self> {
        GO.open()
    }

    pub(crate) fn javascript() -> Option<Self> {
        JAVASCRIPT.open()
    }

    /// Not an SDK: Docker's parser for `--env-file`.
    pub(crate) fn docker() -> Option<Self> {
        DOCKER.open()
    }

    /// Not an SDK: the shell, from npm.
    pub(crate) fn nushell() -> Option<Self> {
        NUSHELL.open()
    }

    /// Not an SDK: the program with which editors start devcontainers.
    pub(crate) fn devcontainer() -> Option<Self> {
        DEVCONTAINER.open()
    }

    pub(crate) fn java() -> Option<Self> {
        JAVA.open()
    }

    pub(crate) fn rust() -> Option<Self> {
        RUST.open()
    }
}

impl Recipe {
    /// The program, built if missing. `None` when that fails; the reason is printed.
    fn open(&self) -> Option<Sdk> {
        match self.prepare() {
            Ok(sdk) => Some(sdk),
            Err(why) => {
                println!("skipped: the counterpart {}: {why}", self.name);
                None
            }
        }
    }

    fn prepare(&self) -> Result<Sdk, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let broken = |error: std::io::Error| format!("its directory cannot be written: {error}");
        let lock = File::create(target.join(format!("counterparts-{}.lock", self.name))).map_err(broken)?;
        lock.lock().map_err(broken)?;
        let directory = target.join(format!("counterparts-{}", self.name));
        // Written last, so that an incomplete build is repeated.
        let complete = directory.join("complete");
        let all: String = self.files.iter().map(|(name, text)| format!("{name}\n{text}\n")).collect();
        if !fs::read_to_string(&complete).is_ok_and(|text| text == all) {
            if directory.exists() {
                fs::remove_dir_all(&directory).map_err(broken)?;
            }
            fs::create_dir_all(&directory).map_err(broken)?;
            for (name, text) in self.files {
                let path = directory.join(name);
                path.parent().map_or(Ok(()), fs::create_dir_all).map_err(broken)?;
                fs::write(path, text).map_err(broken)?;
            }
            install(self.install, &directory)?;
            fs::write(&complete, all).map_err(broken)?;
        }
        let place = |word: &&str| match word.strip_prefix("./") {
            Some(file) => directory.join(file).display().to_string(),
            None => (*word).to_owned(),
        };
        let mut words = self.run.iter().map(place);
        Ok(Sdk { program: words.next().unwrap_or_default().into(), arguments: words.collect() })
    }
}

fn install(words: &[&str], directory: &Path) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("`{}` failed: {last}", words.join(" ")))
}
