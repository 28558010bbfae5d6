//! A session bus of a test's own, with a keyring on it or without one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::Run;

/// What is on the bus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyring {
    /// GNOME Keyring with its default collection unlocked.
    Unlocked,
    /// The same, locked; and nothing that could ask for its password.
    Locked,
    /// Nothing.
    None,
}

/// A bus and its keyring, ended when this is dropped.
pub(crate) struct Desktop {
    address: String,
    children: Vec<Child>,
}

/// Why there can be no desktop here.
pub(crate) fn missing() -> Option<String> {
    ["dbus-daemon", "gnome-keyring-daemon", "gdbus", "secret-tool"]
        .into_iter()
        .find(|program| Command::new(program).arg("--version").output().is_err())
        .map(|program| format!("there is no {program}"))
}

impl Desktop {
    /// Starts it; its files are below `home`.
    pub(crate) fn start(home: &Path, keyring: Keyring) -> Self {
        // No service files: nothing starts by being called, so what is on the bus is what is started here.
        let config = home.join("bus.conf");
        std::fs::write(
            &config,
            format!(
                "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                home.join("bus.socket").display()
            ),
        )
        .unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let mut desktop = Self { address: address.trim().to_owned(), children: vec![bus] };
        if keyring != Keyring::None {
            desktop.start_keyring(home);
        }
        if keyring == Keyring::Locked {
            desktop.call(home, "Lock", LOGIN);
        }
        desktop
    }

    fn start_keyring(&mut self, home: &Path) {
        let mut command = self.tool(home, "gnome-keyring-daemon").command();
        command.args(["--unlock", "--components=secrets", "--foreground"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = command.spawn().unwrap();
        keyring.stdin.take().unwrap().write_all(b"the login password").unwrap();
        self.children.push(keyring);
        let wait = ["wait", "--session", "--timeout", "20", "org.freedesktop.secrets"];
        self.tool(home, "gdbus").args(wait).run().ok();
        // The name is there a moment before the collection is.
        let end = Instant::now() + Duration::from_secs(10);
        while !self.call(home, "ReadAlias", "default").contains("/collection/") {
            assert!(Instant::now() < end, "the keyring has no default collection");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Calls a method of the Secret Service itself.
    fn call(&self, home: &Path, method: &str, argument: &str) -> String {
        let to = ["call", "--session", "--dest", "org.freedesktop.secrets"];
        let path = ["--object-path", "/org/freedesktop/secrets", "--method"];
        let method = format!("org.freedesktop.Secret.Service.{method}");
        self.tool(home, "gdbus").args(to).args(path).args([&method, argument]).run().ok().stdout
    }

    /// A run that finds the bus.
    pub(crate) fn on_bus(&self, run: Run) -> Run {
        run.env("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// A tool of the desktop's.
    pub(crate) fn tool(&self, home: &Path, program: &str) -> Run {
        let path = std::env::var_os("PATH").unwrap();
        let variables = [("HOME", home.as_os_str()), ("XDG_RUNTIME_DIR", home.as_os_str()), ("PATH", &path)];
        self.on_bus(Run::new(program, variables.map(|(n, v)| (n.into(), v.to_owned())).into()))
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

const LOGIN: &str = "[objectpath '/org/freedesktop/secrets/collection/login']";
