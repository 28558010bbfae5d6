//! Desktop notifications: when a renewal needs the user, no one may be looking at the terminal.

use std::process::Command;
use std::time::Duration;

use hatbox_types::name::ProfileName;
use hatbox_types::text::printable;
use zeroize::Zeroizing;

use crate::credentials::profile_command::helper_environment;
use crate::files::programs::find_in_path;
use crate::sys::program::{Person, Program, Streams, run_program};
use crate::world::World;

const PROGRAM: &str = "notify-send";
/// The variable with the address of the session bus. A desktop may use the default address instead.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
const TIMEOUT: Duration = Duration::from_secs(3);

/// Shows a notification if there is a desktop, without waiting for its program. Neither text contains a secret: other
/// users can read arguments.
pub(super) fn notify(world: &World, profile: &ProfileName, summary: &str, body: &str) {
    if !world.environment.has_desktop() && world.environment.text(BUS).is_none() {
        return;
    }
    // Security: only a program from absolute directories in PATH, never from the working directory.
    let Some(found) = find_in_path(world, PROGRAM).into_iter().next() else { return };
    let mut command = Command::new(found);
    command.args(["--app-name=hatbox", "--urgency=critical", "--"]);
    let lines: Vec<String> = body.lines().map(|line| escape_markup(&printable(line))).collect();
    command.arg(&*printable(summary)).arg(lines.join("\n"));
    let environment = helper_environment(world, profile);
    let world = world.clone();
    let run = move || {
        let ended = run_program(Program {
            command,
            environment: &environment,
            timeout: TIMEOUT,
            person: Person::IsNotAsked,
            streams: Streams::Kept(Zeroizing::default()),
        });
        world.output.debug(|| match ended {
            Ok(ended) => format!("`{PROGRAM}` ended: {}", ended.status),
            Err(error) => format!("`{PROGRAM}` failed: {error}"),
        });
    };
    // The message is on stderr too.
    std::thread::Builder::new().name("notification".to_owned()).spawn(run).ok();
}

/// Escapes a body, in which desktops understand some HTML.
fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
