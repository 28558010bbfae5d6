//! Completion in real shells: what it offers, how it is inserted, and that names are never run as commands.

use crate::fixture::Fixture;
use crate::shells::{Session, Shell};
use crate::strace::is_strace_there;

/// Names with special characters of shells. No two start with the same letter.
const HOSTILE: [&str; 19] = [
    "ax my prod",
    "bx$(touch pwned)",
    "cx`touch pwned`",
    "dx;touch pwned",
    "ex'quote",
    "fx\"quote",
    "gx*",
    "hx{a,b}",
    "ix\\back",
    "jx<pwned>",
    "kx&touch pwned",
    "lx#comment",
    "mx!bang",
    "ox=value",
    "px:colon",
    "~qx",
    "rx|touch pwned",
    "ßx",
    "ux[set",
];

fn config(names: &[&str]) -> String {
    let section = |name: &&str| {
        let quote = if name.contains('\'') { '"' } else { '\'' };
        format!("[profile {quote}{name}{quote}]\nregion = eu-west-1\n")
    };
    names.iter().map(section).collect::<String>() + "[sso-session corp]\nsso_region = eu-west-1\n"
}

/// Makes `capture` complete like hatbox.
fn setup(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "eval \"$(hatbox completions bash)\"; complete -F _hatbox_complete capture",
        Shell::Zsh => {
            "autoload -Uz compinit; compinit -u -D; eval \"$(hatbox completions zsh)\"; compdef _hatbox_complete capture"
        }
        Shell::Fish => "hatbox completions fish | source; complete -c capture -w hatbox",
    }
}

#[test]
fn a_name_is_inserted_as_one_word_and_never_run() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config(&config(&HOSTILE));
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = Session::start(shell, &fixture, setup(shell));
        session.type_line("cd ~");
        for name in HOSTILE {
            let start: String = name.chars().take(2).collect();
            let typed = if name.starts_with('~') { format!("\\{start}") } else { start };
            // Some shells expand the typed word only if it names something.
            let words = session.capture(&format!("capture exec {typed}\t"));
            assert_eq!(words, ["exec", name], "{shell:?}");
        }
        // An open quote is kept, and closed.
        for (typed, name) in [("'ax", "ax my prod"), ("\"bx", "bx$(touch pwned)"), ("\"ix", "ix\\back")] {
            let words = session.capture(&format!("capture exec {typed}\t"));
            assert_eq!(words, ["exec", name], "{shell:?}: {typed}");
        }
        let pwned = fixture.home().join("pwned");
        assert!(!pwned.exists(), "{shell:?} ran a name");
    }
}

#[test]
fn commands_flags_values_and_sessions_are_completed() {
    let fixture = Fixture::empty(&[]);
    let role = "sso_account_id = 444455556666\nhatbox_tags = team-a, web\n";
    fixture.write_config(&config(&["prod-admin", "team/dev"]).replace("[sso-", &format!("{role}[sso-")));
    std::fs::create_dir(fixture.home().join("team")).unwrap();
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = Session::start(shell, &fixture, setup(shell));
        session.type_line("cd ~");
        for (typed, words) in [
            ("expo\t", &["export"][..]),
            ("exec --min\t1h pr\t", &["exec", "--min-ttl", "1h", "prod-admin"]),
            ("export --format js\t", &["export", "--format", "json"]),
            ("export --format=js\t", &["export", "--format=json"]),
            ("exec team/\t", &["exec", "team/dev"]),
            ("sso login c\t", &["sso", "login", "corp"]),
            ("exec --region eu\t", &["exec", "--region", "eu-west-1"]),
            ("each --account 4\t", &["each", "--account", "444455556666"]),
            ("each --tag=te\t", &["each", "--tag=team-a"]),
            ("export --policy ~/.aws/con\t", &["export", "--policy"]),
        ] {
            let found = session.capture(&format!("capture {typed}"));
            let found: Vec<_> = found.iter().map(String::as_str).collect();
            if typed.contains("--policy") {
                assert_eq!(found[2], fixture.config_path().to_str().unwrap(), "{shell:?}");
            } else {
                assert_eq!(found, words, "{shell:?}: {typed}");
            }
        }
    }
}

#[test]
fn the_command_behind_exec_is_completed_as_without_hatbox() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config(&config(&["dev"]));
    fixture.write_program("frobnicate", "true");
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let own = match shell {
            // bash-completion defines it if installed.
            Shell::Bash => {
                "_command_offset() { local word; for ((word = 0; word < $1; word++)); do \
                 unset \"COMP_WORDS[word]\"; done; COMPREPLY=(--of-frobnicate); }"
            }
            Shell::Zsh => "compdef '_arguments --of-frobnicate' frobnicate",
            Shell::Fish => "complete -c frobnicate -l of-frobnicate",
        };
        let session = Session::start(shell, &fixture, &format!("{}; {own}", setup(shell)));
        for typed in ["exec dev -- frobnicate --o\t", "exec dev frobnicate --o\t"] {
            let words = session.capture(&format!("capture {typed}"));
            assert_eq!(words.last().map(String::as_str), Some("--of-frobnicate"), "{shell:?}: {typed}");
        }
        if shell != Shell::Bash {
            let words = session.capture("capture exec dev -- frobni\t");
            assert_eq!(words, ["exec", "dev", "--", "frobnicate"], "{shell:?}");
        }
    }
}

#[test]
fn the_scripts_of_aws_vault_get_no_name_that_their_shell_would_run() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config(&config(&[&HOSTILE[..], &["plain"]].concat()));
    let run = fixture.aws_vault(&["--completion-bash", "exec", ""]).run().ok();
    assert_eq!(run.stdout, "ox=value\npx:colon\nßx\nplain\n");
}

#[test]
fn completion_reads_two_files_and_nothing_else() {
    if !is_strace_there() {
        return;
    }
    let fixture = Fixture::with_config(&config(&["dev"]));
    let trace = fixture.path("trace");
    let flags = ["-f", "-e", "trace=%file,%network,keyctl,clone,clone3", "-o", trace.to_str().unwrap()];
    let run = fixture.hatbox(&["--complete", "zsh", "hatbox", "hatbox", "exec", "d"]);
    let outcome = run.under("strace", &flags).run().ok();
    assert_eq!(outcome.stdout, "words\ndev\n");
    let text = std::fs::read_to_string(trace).unwrap();
    let home = fixture.home().display().to_string();
    let is_own = |line: &&str| line.contains("openat(") && line.contains(&home);
    let opened: Vec<_> = text.lines().filter(is_own).collect();
    assert_eq!(opened.len(), 2, "{text}");
    for (line, file) in opened.iter().zip(["/.aws/config", "/.aws/credentials"]) {
        assert!(line.contains(file), "{line}");
    }
    for call in ["socket(", "keyctl(", "clone"] {
        assert!(!text.contains(call), "{text}");
    }
}
