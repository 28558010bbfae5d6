//! `bench peers`: compares hatbox with other programs for the same task, in one run. docs/performance.md has the rules.
//!
//! Measures the programs in [`Peer::ALL`] that are on PATH. All have the same config and the same access key, keep
//! their cache in encrypted files with the passphrase in a variable, and call the same stand-in for AWS. They run in
//! turn, so that they are subject to the same noise.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Problem;
use crate::bench::{median, milliseconds, time};
use crate::peers_stub::Stub;
use crate::scene::{Build, build, check};

const PROFILES: [usize; 3] = [1, 1000, 10_000];
/// How many cold starts run at once, and how often.
const PARALLEL: usize = 8;
const COLD_RUNS: usize = 5;
const REGION: &str = "us-east-1";
/// The measured role. It requires MFA, as some of the programs only cache roles that do.
const PROFILE: &str = "auditor";
const ACCOUNT: &str = "444455556666";
const SOURCE: &str = "jan-work";
const KEY: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIABENCHBENCHBENCH1"),
    ("AWS_SECRET_ACCESS_KEY", "0123456789abcdef0123456789abcdef01234567"),
];
const PASSPHRASE: &str = "a passphrase for the benchmark";
/// After this time, a run is assumed to wait for input.
const PATIENCE: Duration = Duration::from_mins(1);

/// A measured program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Hatbox,
    AwsVault,
    Granted,
    AwsSso,
    AwsRunas,
}

/// A measured task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Runs `true` with credentials of the role.
    Exec,
    /// Prints the credentials as JSON.
    Export,
    /// Lists the profiles.
    List,
}

/// The environment of the measurements.
struct Arena {
    hatbox: PathBuf,
    directory: PathBuf,
    stub: Stub,
    /// The number of MFA codes so far; every code is different.
    codes: Cell<u32>,
}

/// The results of one program.
struct Row {
    peer: Peer,
    version: String,
    exec: Vec<Option<Duration>>,
    export: Option<Duration>,
    list: Option<Duration>,
    cold: Option<Cold>,
}

/// The results of simultaneous cold starts: the median time, and the maximum numbers of prompts and failures.
struct Cold {
    taken: Duration,
    prompts: usize,
    failed: usize,
}

impl Peer {
    const ALL: [Self; 5] = [Self::Hatbox, Self::AwsVault, Self::Granted, Self::AwsSso, Self::AwsRunas];

    fn name(self) -> &'static str {
        match self {
            Self::Hatbox => "hatbox",
            Self::AwsVault => "aws-vault",
            Self::Granted => "granted",
            Self::AwsSso => "aws-sso",
            Self::AwsRunas => "aws-runas",
        }
    }

    /// Returns the program that executes commands.
    fn program(self) -> &'static str {
        match self {
            // The program that the shell function `assume` calls.
            Self::Granted => "assumego",
            other => other.name(),
        }
    }

    /// Returns the program and arguments for a task; `None` if the program does not support the task.
    fn words(self, task: Task) -> Option<(&'static str, Vec<&'static str>)> {
        let words = match (self, task) {
            (Self::Hatbox | Self::AwsVault, Task::Exec) => vec!["exec", PROFILE, "--", "/bin/true"],
            (Self::Hatbox, Task::Export) => vec!["export", "--format", "json", PROFILE],
            (Self::AwsVault, Task::Export) => vec!["export", "--format=json", PROFILE],
            (Self::Hatbox | Self::AwsVault | Self::AwsSso, Task::List) => vec!["list"],
            (Self::Granted, Task::Exec) => vec![PROFILE, "--exec", "/bin/true"],
            (Self::Granted, Task::Export) => {
                return Some(("granted", vec!["credential-process", "--profile", PROFILE]));
            }
            (Self::AwsSso, Task::Exec) => vec!["exec", "-A", ACCOUNT, "-R", PROFILE, "/bin/true"],
            (Self::AwsSso, Task::Export) => vec!["process", "-A", ACCOUNT, "-R", PROFILE],
            (Self::AwsRunas, Task::Exec) => vec![PROFILE, "/bin/true"],
            (Self::AwsRunas, Task::List) => vec!["list", "roles"],
            (Self::Granted, Task::List) | (Self::AwsRunas, Task::Export) => return None,
        };
        Some((self.program(), words))
    }

    fn command(self, arena: &Arena, task: Task) -> Option<Command> {
        let (program, words) = self.words(task)?;
        let mut command = self.bare(arena, program);
        command.args(words);
        Some(command)
    }

    /// Returns a command with a separate home directory and no environment except its settings.
    fn bare(self, arena: &Arena, program: &str) -> Command {
        let is_own = self == Self::Hatbox;
        let path = if is_own { Some(arena.hatbox.clone()) } else { find(program) };
        let mut command = Command::new(path.unwrap_or_default());
        command.env_clear().stdin(Stdio::null());
        for name in ["PATH", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", arena.home(self)).env("AWS_CONFIG_FILE", arena.config());
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        if is_own {
            command.env("AWS_ENDPOINT_URL", arena.stub.url()).env("HATBOX_FILE_PASSPHRASE", PASSPHRASE);
            return command;
        }
        command.env("HTTPS_PROXY", arena.stub.url()).env("SSL_CERT_FILE", arena.stub.certificate());
        match self {
            Self::Hatbox | Self::AwsRunas => {}
            Self::AwsVault => {
                command.env("AWS_VAULT_BACKEND", "file").env("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE);
            }
            Self::Granted => {
                command.env("CF_KEYRING_FILE_PASSWORD", PASSPHRASE);
                command.env("GRANTED_ALIAS_CONFIGURED", "true").env("FORCE_NO_ALIAS", "true");
            }
            Self::AwsSso => {
                command.env("AWS_SSO_FILE_PASSWORD", PASSPHRASE);
            }
        }
        command
    }

    /// Stores the access key and writes the settings.
    fn prepare(self, arena: &Arena) -> Result<(), Problem> {
        let home = arena.home(self);
        std::fs::create_dir_all(home.join(".aws"))?;
        match self {
            Self::Hatbox | Self::AwsVault => {
                let mut add = self.bare(arena, self.program());
                if self == Self::Hatbox {
                    add.args(["--backend", "file"]);
                }
                check(&add.args(["add", "--env", "--no-add-config", SOURCE]).envs(KEY).output()?)?;
            }
            Self::Granted | Self::AwsRunas => {
                // Granted's own key store prompts for input; plain text is less work for it.
                let [(_, id), (_, secret)] = KEY;
                let text =
                    format!("[{SOURCE}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
                std::fs::write(home.join(".aws/credentials"), text)?;
                let text = "DefaultBrowser = \"STDOUT\"\nDisableUsageTips = true\nOrdering = \"\"\n\
                            [Keyring]\nBackend = \"file\"\n";
                // A Granted built with `go install` uses the second directory.
                for settings in [".granted", ".dgranted"] {
                    std::fs::create_dir_all(home.join(settings))?;
                    std::fs::write(home.join(settings).join("config"), text)?;
                }
            }
            Self::AwsSso => {
                let settings = home.join(".config/aws-sso");
                std::fs::create_dir_all(&settings)?;
                let text = format!(
                    "SSOConfig:\n  Default:\n    SSORegion: {REGION}\n    StartUrl: https://bench.awsapps.com/start\n\
                     DefaultSSO: Default\nDefaultRegion: {REGION}\nUrlAction: print\nSecureStore: file\n\
                     ProfileFormat: \"{{{{ .RoleName }}}}\"\n"
                );
                std::fs::write(settings.join("config.yaml"), text)?;
                check(&self.bare(arena, self.program()).arg("cache").output()?)?;
            }
        }
        Ok(())
    }

    /// Obtains the session that the measured runs find in the cache.
    fn warm_up(self, arena: &Arena) -> Result<(), Problem> {
        let code = arena.set_next_code()?;
        let Some(mut command) = self.command(arena, Task::Exec) else { return Ok(()) };
        match self {
            Self::Granted => command.args(["--mfa-token", &code]),
            Self::AwsRunas => command.args(["--mfa-code", &code]),
            _ => &mut command,
        };
        check(&command.output()?).map(drop)
    }

    /// Deletes the cached sessions. Returns `false` if there are no MFA prompts to count.
    fn clear(self, arena: &Arena) -> Result<bool, Problem> {
        match self {
            Self::Hatbox | Self::AwsVault => {
                check(&self.bare(arena, self.program()).arg("clear").output()?)?;
            }
            Self::Granted | Self::AwsRunas => {
                for cache in [".granted", ".dgranted"] {
                    let cache = arena.home(self).join(cache).join("secure-storage-aws-session-credentials");
                    if cache.exists() {
                        std::fs::remove_dir_all(cache)?;
                    }
                }
            }
            // It signs in through the browser, once a day.
            Self::AwsSso => return Ok(false),
        }
        Ok(true)
    }

    fn version(self, arena: &Arena) -> String {
        let flag = if self == Self::AwsSso { "version" } else { "--version" };
        let printed = self.bare(arena, self.program()).arg(flag).output();
        let printed = printed.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        let text = String::from_utf8_lossy(&printed).into_owned();
        // Without version information, as when built from the module's source, it reports none.
        find_version(&text).unwrap_or_else(|| "?".to_owned())
    }
}

/// Returns the first word that looks like a version.
fn find_version(text: &str) -> Option<String> {
    let is_version = |word: &&str| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.matches('.').count() == 2
    };
    text.split([' ', '\n', ',', ')', '('])
        .find(is_version)
        .map(|word| word.trim_start_matches('v').to_owned())
}

/// Finds a program on PATH.
fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|place| place.join(program))
        .find(|path| path.is_file())
}

impl Arena {
    fn open(hatbox: PathBuf) -> Result<Self, Problem> {
        let directory = std::env::temp_dir().join(format!("hatbox-xtask-peers-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let stub = Stub::start(&directory)?;
        let arena = Self { hatbox, directory, stub, codes: Cell::new(100_000) };
        let script = format!(
            "#!/bin/sh\necho >>'{}'\nexec cat '{}'\n",
            arena.prompts().display(),
            arena.directory.join("next-code").display()
        );
        std::fs::write(arena.script(), script)?;
        check(&Command::new("chmod").arg("755").arg(arena.script()).output()?)?;
        Ok(arena)
    }

    fn home(&self, peer: Peer) -> PathBuf {
        self.directory.join(peer.name())
    }

    fn config(&self) -> PathBuf {
        self.directory.join("config")
    }

    /// Returns the path of the script that prints an MFA code.
    fn script(&self) -> PathBuf {
        self.directory.join("code")
    }

    /// Returns the path of a file with one line for each requested code.
    fn prompts(&self) -> PathBuf {
        self.directory.join("prompts")
    }

    fn set_next_code(&self) -> Result<String, Problem> {
        self.codes.set(self.codes.get() + 1);
        let code = self.codes.get().to_string();
        std::fs::write(self.directory.join("next-code"), format!("{code}\n"))?;
        Ok(code)
    }

    /// Writes a config with `count` roles, the measured one last.
    fn set_profiles(&self, count: usize) -> Result<(), Problem> {
        let mut text = format!("[profile {SOURCE}]\nregion = {REGION}\n\n");
        for number in 1..=count {
            let name = if number == count { PROFILE.to_owned() } else { format!("other-{number}") };
            write!(
                text,
                "[profile {name}]\nregion = {REGION}\nsource_profile = {SOURCE}\n\
                 role_arn = arn:aws:iam::{ACCOUNT}:role/{PROFILE}\n\
                 mfa_serial = arn:aws:iam::111122223333:mfa/jan\nmfa_process = {}\n\n",
                self.script().display()
            )?;
        }
        Ok(std::fs::write(self.config(), text)?)
    }

    fn measure_cold(&self, peer: Peer) -> Result<Option<Cold>, Problem> {
        let (mut times, mut prompts, mut failed) = (Vec::new(), 0, 0);
        for _ in 0..COLD_RUNS {
            let Some(cold) = self.run_cold(peer)? else { return Ok(None) };
            times.push(cold.taken);
            (prompts, failed) = (prompts.max(cold.prompts), failed.max(cold.failed));
        }
        Ok(Some(Cold { taken: median(&mut times), prompts, failed }))
    }

    /// Starts several processes at once, without a cached session.
    fn run_cold(&self, peer: Peer) -> Result<Option<Cold>, Problem> {
        if !peer.clear(self)? {
            return Ok(None);
        }
        self.set_next_code()?;
        std::fs::write(self.prompts(), "")?;
        let start = Instant::now();
        let mut children = Vec::new();
        for number in 0..PARALLEL {
            let Some(mut command) = peer.command(self, Task::Exec) else { return Ok(None) };
            let said = std::fs::File::create(self.directory.join(format!("said-{number}")))?;
            children.push(command.stdout(Stdio::null()).stderr(said).spawn()?);
        }
        let mut failed = 0;
        for child in &mut children {
            failed += usize::from(!wait(child, start)?);
        }
        let taken = start.elapsed();
        let by_process = std::fs::read_to_string(self.prompts())?.lines().count();
        // A program without support for `mfa_process` prompts by itself.
        let said = (0..PARALLEL)
            .map(|number| std::fs::read(self.directory.join(format!("said-{number}"))).unwrap_or_default());
        let by_itself = said.filter(|bytes| String::from_utf8_lossy(bytes).contains("MFA")).count();
        let prompts = if by_process > 0 { by_process } else { by_itself };
        Ok(Some(Cold { taken, prompts, failed }))
    }

    /// Returns whether hatbox keeps the store unlocked between processes; otherwise there is no warm start to measure.
    fn is_warm(&self) -> Result<bool, Problem> {
        let mut command = Peer::Hatbox.bare(self, "hatbox");
        let output = command.args(["--debug", "exec", PROFILE, "--", "/bin/true"]).output()?;
        check(&output)?;
        Ok(String::from_utf8_lossy(&output.stderr).contains("the cached session is still good"))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        Peer::Hatbox.bare(self, "hatbox").arg("lock").output().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// Waits for the process. Returns `false` if it fails or takes too long.
fn wait(child: &mut Child, start: Instant) -> Result<bool, Problem> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Measures all programs. `program` is the hatbox to measure; without it, hatbox is built.
pub(crate) fn run(runs: usize, program: Option<&str>) -> Result<(), Problem> {
    let program = match program {
        Some(path) => Path::new(path).canonicalize()?,
        None => build(Build::Released)?,
    };
    let arena = Arena::open(program)?;
    arena.set_profiles(1)?;
    let mut rows = Vec::new();
    for peer in Peer::ALL {
        if peer != Peer::Hatbox && find(peer.program()).is_none() {
            println!("skipped: there is no {} on PATH", peer.program());
            continue;
        }
        peer.prepare(&arena)?;
        if let Err(problem) = peer.warm_up(&arena) {
            println!("{} is left out: {problem}", peer.name());
            continue;
        }
        let version = peer.version(&arena);
        rows.push(Row { peer, version, exec: Vec::new(), export: None, list: None, cold: None });
    }
    if !arena.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
        return Ok(());
    }
    let bare = measure(runs, &mut [Some(Command::new("/bin/true"))])?;
    let bare = bare.into_iter().flatten().next().unwrap_or_default();
    for profiles in PROFILES {
        arena.set_profiles(profiles)?;
        // The roles of aws-sso come from the sign-in, regardless of the config.
        let is_measured = |peer: Peer| profiles == 1 || peer != Peer::AwsSso;
        let times = measure_task(&arena, &rows, Task::Exec, runs, is_measured)?;
        for (row, time) in rows.iter_mut().zip(times) {
            row.exec.push(time);
        }
    }
    let times = measure_task(&arena, &rows, Task::List, runs.div_ceil(3), |peer| peer != Peer::AwsSso)?;
    for (row, time) in rows.iter_mut().zip(times) {
        row.list = time;
    }
    arena.set_profiles(1)?;
    let times = measure_task(&arena, &rows, Task::Export, runs, |_| true)?;
    for (row, time) in rows.iter_mut().zip(times) {
        row.export = time;
    }
    for row in &mut rows {
        row.cold = arena.measure_cold(row.peer)?;
    }
    println!("medians of {runs} runs each, by turns; `true` alone takes {}", milliseconds(bare));
    println!();
    print!("{}", render(&rows));
    Ok(())
}

/// Returns the median time of each program for a task with a cached session; `None` if it fails or does not support the
/// task.
fn measure_task(
    arena: &Arena,
    rows: &[Row],
    task: Task,
    runs: usize,
    is_measured: impl Fn(Peer) -> bool,
) -> Result<Vec<Option<Duration>>, Problem> {
    let mut commands = Vec::new();
    for row in rows {
        let command = row.peer.command(arena, task).filter(|_| is_measured(row.peer));
        let Some(mut command) = command else {
            commands.push(None);
            continue;
        };
        match check(&command.output()?) {
            Ok(_) => commands.push(Some(command)),
            Err(problem) => {
                println!("{} is left out of {task:?}: {problem}", row.peer.name());
                commands.push(None);
            }
        }
    }
    measure(runs, &mut commands)
}

fn measure(runs: usize, commands: &mut [Option<Command>]) -> Result<Vec<Option<Duration>>, Problem> {
    let mut times = vec![Vec::new(); commands.len()];
    for _ in 0..runs {
        for (times, command) in times.iter_mut().zip(commands.iter_mut()) {
            if let Some(command) = command {
                times.push(time(command)?);
            }
        }
    }
    Ok(times.iter_mut().map(|times| (!times.is_empty()).then(|| median(times))).collect())
}

/// Renders the table. Each time is followed by its ratio to that of hatbox.
fn render(rows: &[Row]) -> String {
    let mut text = format!(
        "| program | version | `exec`, 1 profile | 1,000 profiles | 10,000 profiles | export | list of 10,000 | \
         {PARALLEL} cold runs at once | MFA prompts | failed |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let Some(own) = rows.iter().find(|row| row.peer == Peer::Hatbox) else { return text };
    let cell = |time: Option<Duration>, own: Option<Duration>| match (time, own) {
        (None, _) => "-".to_owned(),
        (Some(time), Some(own)) if time != own => {
            format!("{} ({:.1}x)", milliseconds(time), time.as_secs_f64() / own.as_secs_f64())
        }
        (Some(time), _) => milliseconds(time),
    };
    for row in rows {
        let mut cells = vec![row.peer.name().to_owned(), row.version.clone()];
        cells.extend(row.exec.iter().zip(&own.exec).map(|(time, own)| cell(*time, *own)));
        cells.push(cell(row.export, own.export));
        cells.push(cell(row.list, own.list));
        let taken = |row: &Row| row.cold.as_ref().map(|cold| cold.taken);
        cells.push(cell(taken(row), taken(own)));
        let count = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
        cells.push(count(row.cold.as_ref().map(|cold| cold.prompts)));
        cells.push(count(row.cold.as_ref().map(|cold| cold.failed)));
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_has_its_ratio_to_hatbox_and_what_a_program_lacks_is_a_dash() {
        let row = |peer, factor: u32, list| Row {
            peer,
            version: "1.0".to_owned(),
            exec: vec![Some(Duration::from_millis(2) * factor); 3],
            export: Some(Duration::from_millis(2) * factor),
            list,
            cold: None,
        };
        let list = Some(Duration::from_millis(10));
        let text = render(&[row(Peer::Hatbox, 1, list), row(Peer::Granted, 30, None)]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[2],
            "| hatbox | 1.0 | 2.00 ms | 2.00 ms | 2.00 ms | 2.00 ms | 10.00 ms | - | - | - |"
        );
        let time = "60.00 ms (30.0x)";
        assert_eq!(
            lines[3],
            format!("| granted | 1.0 | {time} | {time} | {time} | {time} | - | - | - | - |")
        );
        let count = |line: &str| line.matches('|').count();
        assert!(lines.iter().all(|line| count(line) == count(lines[0])));
    }

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (text, version) in [
            ("hatbox 0.1.0\n", Some("0.1.0")),
            ("v7.2.0\n", Some("7.2.0")),
            ("Granted version: 0.38.0\n", Some("0.38.0")),
            ("AWS SSO CLI Version 1.17.0 -- Copyright 2021-2024 Aaron Turner\n", Some("1.17.0")),
            ("(devel)\n", None),
        ] {
            assert_eq!(find_version(text).as_deref(), version, "{text}");
        }
    }
}
