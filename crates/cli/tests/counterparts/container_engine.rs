//! Runs the commands, the compose file and the devcontainer of docs/containers.md unchanged, with podman in place of
//! Docker's engine. The images are stand-ins with the same names, built here: nothing is downloaded.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::containers::{document_line, serve};
use crate::scene::{HATBOX, Scene, shown, succeeded};
use crate::sdks::Sdk;

const DOCUMENT: &str = include_str!("../../../../docs/containers.md");

/// Runs in new namespaces, so that its networks, mounts and processes end with it.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
# Container engines keep their networks and containers there.
mount -t tmpfs tmpfs /run
# crun rejects a mixture of cgroup v1 and v2.
umount /sys/fs/cgroup/unified 2>/dev/null || true
export CONTAINERS_CONF="$PWD/containers.conf" DOCKER_HOST="unix://$PWD/podman.sock"
engine() { podman --root "$PWD/root" --runroot "$PWD/runroot" --storage-driver vfs --network-config-dir "$PWD/networks" "$@"; }
import() { tar -C "$1" -c . | engine import --quiet --change "ENTRYPOINT [\"$3\"]" - "$2" >&2; }
# Not every machine lets an engine start containers.
import socat docker.io/alpine/socat socat && engine run --rm docker.io/alpine/socat -V >&2 || exit 77
import app docker.io/amazon/aws-cli /app
engine system service --time 0 "$DOCKER_HOST" >&2 &
while ! docker version >&2; do sleep 0.05; done
while read -r line; do echo "$line" >&2; bash -c "$line" </dev/null; done <commands
docker-compose up --no-color --exit-code-from app </dev/null
docker-compose down </dev/null >&2
# The program that editors use, and its arguments.
if [ $# != 0 ]; then
    tool() { subcommand=$1; shift; "${tool[@]}" "$subcommand" --workspace-folder . --docker-compose-path docker-compose "$@" </dev/null; }
    tool=("$@")
    tool up >&2
    tool exec /app
fi
"#;

/// Limits low enough for a process that may not raise its own.
const CONTAINERS_CONF: &str = "[containers]\ndefault_ulimits = [\"nofile=1000:1000\", \"nproc=1000:1000\"]\n\
    cgroups = \"disabled\"\n[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n";

/// The document's code block with this tag.
fn block(tag: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{tag}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Copies a program and its libraries to `place` in a new root directory.
fn copy_program(program: &Path, root: &Path, place: &str) {
    let copy = |from: &Path, to: &str| {
        let to = root.join(to.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    copy(program, place);
    let libraries = Command::new("ldd").arg(program).output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    let paths: BTreeSet<&str> = libraries.split_whitespace().filter(|word| word.starts_with('/')).collect();
    for path in paths {
        copy(Path::new(path), path);
    }
    std::fs::create_dir_all(root.join("tmp")).unwrap();
}

fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: there is no {program}");
    }
    found
}

/// Writes the document's devcontainer, with the volume that the document describes. Returns the program that starts it.
fn write_devcontainer(place: &Path) -> Option<Vec<String>> {
    let (busybox, tool) = (find("busybox")?, Sdk::devcontainer()?);
    // A shell, and the programs that an editor expects.
    copy_program(&busybox, &place.join("app"), "/bin/busybox");
    for name in ["sh", "cat", "sleep", "id", "uname", "env", "printenv", "mkdir", "ls", "stat", "grep"] {
        std::os::unix::fs::symlink("busybox", place.join("app/bin").join(name)).unwrap();
    }
    std::fs::create_dir(place.join("app/etc")).unwrap();
    std::fs::write(place.join("app/etc/passwd"), "root:x:0:0::/tmp:/bin/sh\n").unwrap();
    let directory = place.join(".devcontainer");
    std::fs::create_dir(&directory).unwrap();
    let volume = "..:/workspace";
    assert!(DOCUMENT.contains(&format!("the volume `{volume}`")));
    let token = "\"${HATBOX_TOKEN_FILE}:/token:ro\"";
    let compose = block("yaml").replace(token, &format!("{token}, \"{volume}\""));
    assert!(compose.contains(volume));
    std::fs::write(directory.join("compose.yaml"), compose).unwrap();
    std::fs::write(directory.join("devcontainer.json"), block("json")).unwrap();
    Some([vec![tool.program.display().to_string()], tool.arguments].concat())
}

#[test]
#[ignore = "needs a machine where podman can start containers"]
fn the_commands_and_files_of_the_document_give_containers_the_credentials() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: namespaces need root");
        return;
    }
    for program in ["podman", "crun", "docker", "docker-compose", "unshare", "ip", "bash"] {
        if find(program).is_none() {
            return;
        }
    }
    let (Some(socat), Some(sdk)) = (find("socat"), Sdk::go()) else { return };
    let scene = Scene::start();
    let place = scene.home.path().join("engine");
    std::fs::create_dir(&place).unwrap();
    copy_program(&socat, &place.join("socat"), "/usr/bin/socat");
    copy_program(&sdk.program, &place.join("app"), "/app");
    std::fs::write(place.join("containers.conf"), CONTAINERS_CONF).unwrap();
    std::fs::write(place.join("compose.yaml"), block("yaml")).unwrap();
    let devcontainer = write_devcontainer(&place);
    // The document only prints the `docker run` command; here it runs.
    let with_flag = |start: &str| document_line(start).replace("'echo docker run", "'docker run");
    let commands = [
        document_line("$ docker run --rm --env-file").trim_start_matches("$ ").to_owned(),
        with_flag("hatbox exec --server security-auditor -- sh -c 'echo docker run"),
        with_flag("hatbox exec --imds security-auditor -- sh -c 'echo docker run"),
    ];
    std::fs::write(place.join("commands"), commands.join("\n") + "\n").unwrap();
    let (_server, variables) = serve(&scene, "$ hatbox serve --listen");
    // The namespace cannot reach the sandbox: the server has the credentials already.
    let id = |profile: &str| {
        let text = succeeded(&mut scene.home.hatbox(&["export", "--format", "json", profile]));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["AccessKeyId"].as_str().unwrap().to_owned()
    };
    // Both profiles assume the same role, so they share a session.
    let id_of_session = id("security-auditor");
    assert_eq!(id("dev"), id_of_session);
    let mut path = Path::new(HATBOX).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = scene
        .home
        .command("unshare")
        .args([
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "bash",
            "-c",
            SCRIPT,
            "bash",
        ])
        .args(devcontainer.iter().flatten())
        .current_dir(&place)
        .env("PATH", path)
        .env("TMPDIR", &place)
        .env("XDG_RUNTIME_DIR", scene.home.path())
        .env("HATBOX_TOKEN_FILE", &variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(77) {
        let errors = String::from_utf8_lossy(&output.stderr);
        println!(
            "skipped: podman cannot run a container here: {}",
            errors.lines().last().unwrap_or_default()
        );
        return;
    }
    assert!(output.status.success(), "{}", shown(&output));
    let seen = stdout.lines().filter(|line| line.contains(&id_of_session)).count();
    let runs = commands.len() + 1 + usize::from(devcontainer.is_some());
    assert_eq!(seen, runs, "{}", shown(&output));
}
