//! Reads a case file.

use std::time::Duration;

use hatbox_types::duration::parse_duration;
use hatbox_types::name::ProfileName;

/// A case: a config, stored keys, and a sequence of events.
pub(crate) struct Case {
    pub(crate) why: String,
    pub(crate) keys: Vec<String>,
    pub(crate) config: String,
    pub(crate) events: Vec<Event>,
}

pub(crate) enum Event {
    Set(String, String),
    Unset(String),
    Wait(Duration),
    Run { args: Vec<String>, expected: Vec<String> },
}

impl Case {
    /// Parses a file. Panics at anything unknown, which is a mistake in the file.
    pub(crate) fn parse(text: &str) -> Self {
        let mut case =
            Self { why: String::new(), keys: Vec::new(), config: String::new(), events: Vec::new() };
        let mut in_config = false;
        for line in text.lines() {
            if let Some(mark) = line.strip_prefix("--- ") {
                in_config = mark == "config";
                if !in_config {
                    case.events.push(parse_event(mark));
                }
            } else if in_config {
                case.config.push_str(line);
                case.config.push('\n');
            } else if line.is_empty() {
            } else if let Some(Event::Run { expected, .. }) = case.events.last_mut() {
                expected.push(line.to_owned());
            } else if let Some(why) = line.strip_prefix("# ") {
                case.why.push_str(why);
                case.why.push(' ');
            } else if let Some(keys) = line.strip_prefix("keys: ") {
                case.keys = keys.split(' ').map(str::to_owned).collect();
            } else {
                panic!("unknown line: {line}");
            }
        }
        case
    }
}

fn parse_event(mark: &str) -> Event {
    let (verb, rest) = mark.split_once(' ').unwrap();
    match (verb, rest.split_once('=')) {
        ("env", Some((name, value))) => Event::Set(name.to_owned(), value.to_owned()),
        ("env", None) => Event::Unset(rest.to_owned()),
        ("wait", _) => Event::Wait(parse_duration(rest).unwrap()),
        ("run", _) => Event::Run { args: rest.split(' ').map(str::to_owned).collect(), expected: Vec::new() },
        _ => panic!("unknown event: {mark}"),
    }
}

/// The arguments after `run`.
pub(crate) struct Args {
    pub(crate) profile: ProfileName,
    pub(crate) duration: Option<String>,
    pub(crate) no_session: bool,
    pub(crate) fresh: bool,
}

impl Args {
    pub(crate) fn parse(args: &[String]) -> Self {
        let mut words = args.iter().map(String::as_str);
        assert_eq!(words.next(), Some("exec"));
        let profile = words.next().unwrap().parse().unwrap();
        let mut parsed = Self { profile, duration: None, no_session: false, fresh: false };
        while let Some(word) = words.next() {
            match word {
                "-d" => parsed.duration = words.next().map(str::to_owned),
                "--no-session" => parsed.no_session = true,
                "--fresh" => parsed.fresh = true,
                other => panic!("unknown flag {other}"),
            }
        }
        parsed
    }
}
