//! The formats of `export`, read by the programs that they are for: shells, and parsers of env files.
//!
//! The session token comes from a `credential_process` that prints what no AWS token contains: every printable
//! character with a meaning to one of these programs. hatbox rejects spaces, control characters and non-ASCII text in
//! such a token.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::python::Python;
use crate::scene::{HATBOX, failed, shown, succeeded};
use crate::sdks::Sdk;

const HOSTILE: &str = "-a$(id)`id`${HOME}$HOME'\"\\''\\n%PATH%!!~#*?[a]{b,c}();&|<>^=,@";
const ID: &str = "ASIAIOSFODNN7EXAMPLE";
/// Run as a child of the shell, because the child's environment is what counts.
const SHOW: &str =
    r#"printf '%s\n' "${AWS_SESSION_TOKEN-unset}" "${AWS_REGION-unset}" "${AWS_PROFILE-unset}""#;

/// A home without a store. Nothing here calls AWS.
struct Stage {
    home: tempfile::TempDir,
}

impl Stage {
    /// A home with the profiles `hostile`, and `plain` without a region.
    fn start(token: &str) -> Self {
        let stage = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir(stage.path(".aws")).unwrap();
        let print = |name: &str, token: &str| {
            let path = stage.path(name);
            let answer = json!({
                "Version": 1, "AccessKeyId": ID, "SecretAccessKey": "secret/+=", "SessionToken": token,
            });
            std::fs::write(&path, answer.to_string()).unwrap();
            format!("[profile {name}]\ncredential_process = cat '{}'\n", path.display())
        };
        let config = format!("{}region = eu-west-1\n{}", print("hostile", token), print("plain", "another"));
        std::fs::write(stage.path(".aws/config"), config).unwrap();
        stage
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// A program with nothing of the caller's environment but PATH.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(&self.home).env("HOME", self.home.path());
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    fn export(&self, format: &str, profile: &str) -> Command {
        let mut command = self.command(HATBOX);
        command.args(["export", "--format", format, "--", profile]);
        command
    }

    /// A shell that had `AWS_PROFILE` set and now evaluates hatbox's variables. `None` when it is not installed, which
    /// is printed.
    fn run(&self, shell: &str, arguments: &[&str]) -> Option<Output> {
        let mut command = self.command(shell);
        command.args(arguments).envs([("HATBOX_PROGRAM", HATBOX), ("SHOW", SHOW), ("AWS_PROFILE", "old")]);
        command.env("AWS_SECURITY_TOKEN", "old");
        match command.output() {
            Ok(output) => Some(output),
            Err(error) => {
                println!("skipped: `{shell}` cannot be run: {error}");
                None
            }
        }
    }

    #[track_caller]
    fn check(&self, shell: &str, arguments: &[&str], token: &str) {
        let Some(output) = self.run(shell, arguments) else { return };
        assert!(output.status.success(), "{shell}: {}", shown(&output));
        let printed = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
        let expected = format!("{token}\neu-west-1\nunset\nanother\nunset\nunset\nunset\nunset\nunset\n");
        assert_eq!(printed, expected, "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn posix_shells_set_what_is_there_and_unset_it_again() {
    const SCRIPT: &str = r#"set -eu
        eval "$("$HATBOX_PROGRAM" export --format sh hostile)"; sh -c "$SHOW"
        eval "$("$HATBOX_PROGRAM" export --format sh plain)"; sh -c "$SHOW"
        eval "$("$HATBOX_PROGRAM" export --format sh --unset)"; sh -c "$SHOW""#;
    let stage = Stage::start(HOSTILE);
    for shell in ["sh", "bash", "dash", "zsh"] {
        stage.check(shell, &["-c", SCRIPT], HOSTILE);
    }
}

#[test]
fn fish_sets_what_is_there_and_unsets_it_again() {
    const SCRIPT: &str = "
        $HATBOX_PROGRAM export --format fish hostile | source; sh -c $SHOW
        $HATBOX_PROGRAM export --format fish plain | source; sh -c $SHOW
        $HATBOX_PROGRAM export --format fish --unset | source; sh -c $SHOW";
    Stage::start(HOSTILE).check("fish", &["--no-config", "-c", SCRIPT], HOSTILE);
}

#[test]
fn nushell_sets_what_is_there_and_unsets_it_again() {
    const SCRIPT: &str = "
        ^$env.HATBOX_PROGRAM export --format nushell hostile | from json | load-env; ^sh -c $env.SHOW
        ^$env.HATBOX_PROGRAM export --format nushell plain | from json | load-env; ^sh -c $env.SHOW
        ^$env.HATBOX_PROGRAM export --format nushell --unset | from json | load-env; ^sh -c $env.SHOW";
    let Some(nushell) = Sdk::nushell() else { return };
    Stage::start(HOSTILE).check(&nushell.program.display().to_string(), &["-n", "-c", SCRIPT], HOSTILE);
}

#[test]
fn powershell_sets_what_is_there_and_unsets_it_again() {
    const SCRIPT: &str = "
        & $Env:HATBOX_PROGRAM export --format powershell hostile | Out-String | Invoke-Expression; sh -c $Env:SHOW
        & $Env:HATBOX_PROGRAM export --format powershell plain | Out-String | Invoke-Expression; sh -c $Env:SHOW
        & $Env:HATBOX_PROGRAM export --format powershell --unset | Out-String | Invoke-Expression; sh -c $Env:SHOW";
    Stage::start(HOSTILE).check("pwsh", &["-NoProfile", "-Command", SCRIPT], HOSTILE);
}

/// Prints the strings of a script, or that it does not parse.
const PARSE_POWERSHELL: &str = r#"
import json, sys, tree_sitter, tree_sitter_powershell
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
root = parser.parse(open(sys.argv[1], "rb").read()).root_node
def strings(node):
    if node.type == "verbatim_string_characters":
        yield node.text.decode()[1:-1].replace("''", "'")
    for child in node.children:
        yield from strings(child)
print("null" if root.has_error else json.dumps(list(strings(root))))
"#;

/// PowerShell itself is in none of the registries that the tests use, but a grammar for it is.
#[test]
fn what_is_printed_for_powershell_parses_as_powershell() {
    let Some(python) = Python::open() else { return };
    let stage = Stage::start(HOSTILE);
    let parse = |text: &str| -> Option<Vec<String>> {
        std::fs::write(stage.path("script.ps1"), text).unwrap();
        let mut command = stage.command(python.interpreter());
        let read = succeeded(command.args(["-c", PARSE_POWERSHELL]).arg(stage.path("script.ps1")));
        serde_json::from_str(&read).unwrap()
    };
    let print = |words: &[&str]| succeeded(stage.command(HATBOX).args(words));
    for words in [
        &["shell-init", "pwsh"][..],
        &["shell-init", "--cmd", "role", "pwsh"],
        &["completions", "powershell"],
        &["export", "--format", "powershell", "--unset"],
    ] {
        assert!(parse(&print(words)).is_some(), "{words:?}");
    }
    let exported = parse(&print(&["export", "--format", "powershell", "hostile"])).unwrap();
    assert!(exported.iter().any(|string| string == HOSTILE), "{exported:?}");
    let script = print(&["shell-init", "pwsh"]);
    for (piece, instead) in [("{", ""), ("'--drop'", "'--drop"), ("@(", "@")] {
        assert_eq!(
            parse(&script.replacen(piece, instead, 1)),
            None,
            "the grammar rejects broken quoting: {piece}"
        );
    }
}

#[test]
fn shells_and_node_read_an_env_file_as_it_is() {
    let token: String = HOSTILE.chars().filter(|c| !"'\"\\$`".contains(*c)).collect();
    let stage = Stage::start(&token);
    let text = succeeded(&mut stage.export("dotenv", "hostile"));
    std::fs::write(stage.path("file.env"), text).unwrap();
    for (program, arguments) in [
        ("dash", &["-c", "set -a; . ./file.env; exec sh -c \"$SHOW\""][..]),
        ("bash", &["-c", "set -a; . ./file.env; exec sh -c \"$SHOW\""]),
        (
            "node",
            &[
                "--env-file=file.env",
                "-e",
                "require('child_process').execFileSync('sh', ['-c', process.env.SHOW], { stdio: 'inherit' })",
            ],
        ),
    ] {
        let Some(output) = stage.run(program, arguments) else { continue };
        assert_eq!(shown(&output), format!("{token}\neu-west-1\nold\n"), "{program}");
    }
    let stage = Stage::start(HOSTILE);
    for format in ["dotenv", "cmd"] {
        let (code, said) = failed(&mut stage.export(format, "hostile"));
        assert!(code == 1 && said.contains(&format!("which the format `{format}` cannot carry")), "{said}");
        assert!(!said.contains("$(id)") && said.contains("--format json"), "{said}");
    }
}

#[test]
fn docker_reads_a_file_of_variables_as_it_is() {
    let Some(docker) = Sdk::docker() else { return };
    let stage = Stage::start(HOSTILE);
    let text = succeeded(&mut stage.export("docker", "hostile"));
    assert!(text.contains(&format!("\nAWS_SESSION_TOKEN={HOSTILE}\n")), "{text}");
    std::fs::write(stage.path("variables"), &text).unwrap();
    assert_eq!(succeeded(stage.command(&docker.program).arg("variables")), text);
}

#[test]
fn sdks_read_the_section_of_a_credentials_file() {
    const WHO: &str = "import boto3, json, os\n\
                       c = boto3.Session(profile_name=os.environ['NAME']).get_credentials()\n\
                       print(json.dumps([c.access_key, c.secret_key, c.token]))";
    let name = "-a$(id)%!~=[b";
    let stage = Stage::start(HOSTILE);
    let config = std::fs::read_to_string(stage.path(".aws/config")).unwrap();
    let config = config.replace("[profile hostile]", &format!("[profile {name}]"));
    std::fs::write(stage.path(".aws/config"), config).unwrap();
    let text = succeeded(&mut stage.export("ini", name));
    std::fs::write(stage.path("section"), text).unwrap();
    let with_section = |command: &mut Command| {
        command.env("AWS_SHARED_CREDENTIALS_FILE", stage.path("section")).env("AWS_CONFIG_FILE", "/dev/null");
        command.env("NAME", name).env("AWS_PROFILE", name);
    };
    if let Some(python) = Python::open() {
        let mut command = stage.command(python.interpreter());
        with_section(&mut command);
        let read = succeeded(command.args(["-c", WHO]));
        assert_eq!(serde_json::from_str::<[String; 3]>(&read).unwrap(), [ID, "secret/+=", HOSTILE]);
    }
    // The Java SDK cannot read a profile with such a name.
    if let Some(sdk) = Sdk::go() {
        let mut command = stage.command(&sdk.program);
        with_section(command.args(&sdk.arguments));
        assert_eq!(succeeded(&mut command).trim(), ID, "{sdk:?}");
    }
}

#[test]
fn a_step_of_a_job_masks_first_and_passes_the_variables_on() {
    let stage = Stage::start(HOSTILE);
    let export = |file: Option<&str>| {
        let mut command = stage.export("github-actions", "hostile");
        command.envs(file.map(|file| ("GITHUB_ENV", stage.path(file))));
        command
    };
    let (code, said) = failed(&mut export(None));
    assert!(code == 2 && said.contains("GITHUB_ENV is not set"), "{said}");
    let (_, said) = failed(&mut export(Some("absent")));
    assert!(said.contains("could not open `") && !stage.path("absent").exists(), "{said}");
    std::fs::write(stage.path("job"), "EARLIER=1\n").unwrap();
    let masks = succeeded(&mut export(Some("job")));
    let masked = HOSTILE.replace('%', "%25");
    assert_eq!(masks, format!("::add-mask::{ID}\n::add-mask::secret/+=\n::add-mask::{masked}\n"));
    assert_eq!(
        std::fs::read_to_string(stage.path("job")).unwrap(),
        format!(
            "EARLIER=1\nAWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY=secret/+=\n\
             AWS_SESSION_TOKEN={HOSTILE}\nAWS_REGION=eu-west-1\nAWS_DEFAULT_REGION=eu-west-1\n"
        )
    );
}
