//! A session bus for one test, with or without a keyring.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zbus::blocking::Proxy;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::run::Run;

const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";

/// The keyring on the bus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyring {
    /// GNOME Keyring with its default collection unlocked.
    Unlocked,
    /// GNOME Keyring, locked, with no way to ask for its password.
    Locked,
    /// No keyring.
    None,
}

/// A bus and its keyring, which end when this is dropped.
pub(crate) struct Desktop {
    address: String,
    children: Vec<Child>,
}

/// Returns why there can be no desktop here.
pub(crate) fn missing() -> Option<String> {
    ["dbus-daemon", "gnome-keyring-daemon", "gdbus", "secret-tool"]
        .into_iter()
        .find(|program| Command::new(program).arg("--version").output().is_err())
        .map(|program| format!("there is no {program}"))
}

impl Desktop {
    /// Starts the bus, with its files below `home`.
    pub(crate) fn start(home: &Path, keyring: Keyring) -> Self {
        // Without service files, no service is started by a call, so only what is started here is on the bus.
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
        // The name appears a moment before the collection does.
        let end = Instant::now() + Duration::from_secs(10);
        while !self.call(home, "ReadAlias", "default").contains("/collection/") {
            assert!(Instant::now() < end, "the keyring has no default collection");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Creates a collection with a password, as a user would in the keyring's own window. Returns its path.
    pub(crate) fn make_collection(&self, name: &str) -> String {
        let bus = Builder::address(self.address.as_str()).unwrap().build().unwrap();
        let service = Proxy::new(&bus, BUS_NAME, SERVICE_PATH, "org.freedesktop.Secret.Service").unwrap();
        let (_, session): (OwnedValue, OwnedObjectPath) =
            service.call("OpenSession", &("plain", Value::from(""))).unwrap();
        let internal = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        let internal = Proxy::new(&bus, BUS_NAME, SERVICE_PATH, internal).unwrap();
        let properties = HashMap::from([("org.freedesktop.Secret.Collection.Label", Value::from(name))]);
        let none: &[u8] = &[];
        let password = (&session, none, b"its password".as_slice(), "text/plain");
        let made: OwnedObjectPath =
            internal.call("CreateWithMasterPassword", &(properties, password)).unwrap();
        made.as_str().to_owned()
    }

    /// Locks the collection of this path.
    pub(crate) fn lock_collection(&self, home: &Path, path: &str) {
        self.call(home, "Lock", &format!("[objectpath '{path}']"));
    }

    /// Calls a method of the Secret Service itself.
    fn call(&self, home: &Path, method: &str, argument: &str) -> String {
        let to = ["call", "--session", "--dest", BUS_NAME];
        let path = ["--object-path", SERVICE_PATH, "--method"];
        let method = format!("org.freedesktop.Secret.Service.{method}");
        self.tool(home, "gdbus").args(to).args(path).args([&method, argument]).run().ok().stdout
    }

    /// Returns a run that uses the bus.
    pub(crate) fn on_bus(&self, run: Run) -> Run {
        run.env("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// Returns a run of a desktop tool.
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
