//! Links: those between documents lead to a file and a heading. Those to other hosts are not followed, as tests have no
//! network, but each is an address that can exist, on a host of a list.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::{documents, root};

/// Hosts that the documents link to. A new one is opened in a browser before it is added.
const LINKED: [&str; 13] = [
    "addons.mozilla.org",
    "age-encryption.org",
    "aka.ms",
    "bitwarden.com",
    "developer.1password.com",
    "developers.yubico.com",
    "github.com",
    "keepachangelog.com",
    "rustup.rs",
    "semver.org",
    "starship.rs",
    "www.passwordstore.org",
    "www.winehq.org",
];
const REPOSITORY: &str = "https://github.com/hatbox/hatbox";

/// Documents, and other published files with addresses in them.
fn files() -> Vec<PathBuf> {
    let mut found = documents();
    for directory in ["packaging", "install"] {
        let mut directories = vec![root().join(directory)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { directories.push(path) } else { found.push(path) }
            }
        }
    }
    found.extend(["Cargo.toml", "crates/cli/Cargo.toml", "docs/book.toml"].map(|name| root().join(name)));
    found.sort();
    found.dedup();
    found
}

/// An address in a text.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Address<'a> {
    /// The target of a link: `[text](target)` or `<target>`.
    Link(&'a str),
    /// In a command, an example or a sentence.
    Shown(&'a str),
}

fn addresses(text: &str) -> Vec<Address<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let (outside, end) = match before[..start].chars().next_back() {
            Some('(') if before[..start].ends_with("](") => (true, after.find(')')),
            Some('<') => (true, after.find('>')),
            _ => (false, after.find(|c: char| c.is_whitespace() || "\"'<>`)]}|\\".contains(c))),
        };
        let end = at + end.unwrap_or(after.len());
        let address = &rest[start..end];
        found.push(if outside {
            Address::Link(address)
        } else {
            Address::Shown(address.trim_end_matches(['.', ',', ';', ':', '!', '?']))
        });
        rest = &rest[end..];
    }
    found
}

/// Splits an address into its scheme, host (without the port) and the rest.
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    is_port.then_some((scheme, host, path))
}

/// Whether a host is made of names of letters, digits and hyphens.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    host.contains('.') && host.split('.').all(is_label)
}

/// Returns what is wrong with the target of a link.
fn problem_of_link(address: &str) -> Option<String> {
    if !address.bytes().all(|byte| byte.is_ascii_graphic())
        || address.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}'])
    {
        return Some("it has a character that no address has".to_owned());
    }
    if address.ends_with(['.', ',', ';', ':', '!', '?', '\'', '*', '_']) {
        return Some("it ends with a punctuation mark".to_owned());
    }
    let Some((scheme, host, path)) = parts(address) else { return Some("it is no address".to_owned()) };
    if scheme != "https" {
        return Some(format!("it begins with {scheme}"));
    }
    if !is_host(host) || !LINKED.contains(&host) {
        return Some(format!("`{host}` is not in the list of hosts"));
    }
    let (path, heading) = path.split_once('#').unwrap_or((path, ""));
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let inner = segments.split_last().map_or(&[][..], |(_, inner)| inner);
    if inner.contains(&"") || segments.contains(&"..") || heading.contains('#') {
        return Some("its path is not a path".to_owned());
    }
    problem_of_own_page(path, host, heading)
}

/// Returns what is wrong with the address of a page of the repository; there is only what the repository has.
fn problem_of_own_page(path: &str, host: &str, heading: &str) -> Option<String> {
    let address = format!("https://{host}{path}");
    let page = address.strip_prefix(REPOSITORY)?;
    let file = match page {
        "" | "/" => "README.md",
        "/releases" | "/issues" | "/security/advisories/new" => return None,
        _ if page.starts_with("/releases/latest/download/") => {
            let name = page.rsplit('/').next().unwrap_or_default();
            let is_there = root().join("install").join(name).is_file();
            return (!is_there).then(|| format!("a release has no `{name}`"));
        }
        _ => match page.strip_prefix("/blob/main/") {
            Some(file) => file,
            None => return Some(format!("the repository has no page `{page}`")),
        },
    };
    match fs::read_to_string(root().join(file)) {
        Err(_) => Some(format!("the repository has no file `{file}`")),
        Ok(text) if heading.is_empty() || anchors(&text).iter().any(|anchor| anchor == heading) => None,
        Ok(_) => Some(format!("`{file}` has no heading `{heading}`")),
    }
}

/// Returns what is wrong with an address that is no link: it may also be on this machine, or an example.
fn problem_of_shown(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#', ':', '[']).next().unwrap_or_default();
    if !["https", "http"].contains(&scheme) || LINKED.contains(&host) {
        return None;
    }
    let is_left_open = host.is_empty()
        || host.starts_with(['.', '*', '$'])
        || host.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_here = ["127.0.0.1", "169.254.170.2", "172.17.0.1", "localhost", "host.docker.internal"]
        .contains(&host)
        || host.ends_with(".localhost");
    // RFC 2606; the domain of the start pages of Identity Center.
    let is_example =
        host.ends_with(".example.com") || host.ends_with(".example") || host.ends_with(".awsapps.com");
    if is_left_open || is_here || is_example && is_host(host) && scheme == "https" {
        None
    } else {
        Some(format!("`{host}` is not in the list of hosts, nor an example"))
    }
}

#[test]
fn every_external_link_is_an_address_that_can_exist() {
    let mut problems = Vec::new();
    let mut hosts = BTreeSet::new();
    let mut links = 0;
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        for address in addresses(&text) {
            let problem = match address {
                Address::Link(link) => {
                    links += 1;
                    problem_of_link(link)
                }
                Address::Shown(shown) => problem_of_shown(shown),
            };
            let (Address::Link(text) | Address::Shown(text)) = address;
            hosts.extend(parts(text).map(|(_, host, _)| host.to_owned()));
            problems.extend(problem.map(|problem| format!("{}: {text}: {problem}", path.display())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(links >= 20, "there are only {links} links");
    for host in LINKED {
        assert!(hosts.contains(host), "nothing links to {host} any more");
    }
}

#[test]
fn a_wrong_address_is_found() {
    for (link, problem) in [
        ("https://github.com/FiloSottile/age", None),
        ("https://github.com/hatbox/hatbox#set-up", None),
        ("https://github.com/hatbox/hatbox/releases", None),
        ("https://github.com/hatbox/hatbox/releases/latest/download/install.sh", None),
        ("https://github.com/hatbox/hatbox/blob/main/LICENSE-MIT", None),
        ("https://github.com/a b", Some("it has a character that no address has")),
        ("https://github.com/ü", Some("it has a character that no address has")),
        ("https://github.com/a.", Some("it ends with a punctuation mark")),
        ("http://github.com/a", Some("it begins with http")),
        ("htps://github.com/a", Some("it begins with htps")),
        ("https://gihtub.com/a", Some("`gihtub.com` is not in the list of hosts")),
        ("https://example.com/", Some("`example.com` is not in the list of hosts")),
        ("https://me@github.com/", Some("`me@github.com` is not in the list of hosts")),
        ("https://github.com:x/", Some("it is no address")),
        ("https://github.com//a", Some("its path is not a path")),
        ("https://github.com/a/../b", Some("its path is not a path")),
        ("https://github.com/hatbox/hatbox#no-such", Some("`README.md` has no heading `no-such`")),
        ("https://github.com/hatbox/hatbox/wiki", Some("the repository has no page `/wiki`")),
        ("https://github.com/hatbox/hatbox/blob/main/x", Some("the repository has no file `x`")),
        ("https://github.com/hatbox/hatbox/releases/latest/download/x", Some("a release has no `x`")),
    ] {
        assert_eq!(problem_of_link(link).as_deref(), problem, "{link}");
    }
    for (shown, is_wrong) in [
        ("http://127.0.0.1:9911/credentials/dev", false),
        ("https://HOST[:PORT][/PATH]", false),
        ("https://mirror.example.com/x", false),
        ("http://mirror.example.com/x", true),
        ("https://mirror.exampel.com/x", true),
        ("https://corp.awsapps.com/start", false),
        ("unix:///run/x", false),
    ] {
        assert_eq!(problem_of_shown(shown).is_some(), is_wrong, "{shown}");
    }
    let text = "[a](https://x.org/a) and <https://y.org>, see `http://127.0.0.1:1/` or https://z.org/b.\n[c](htps://w.org)";
    let expected = [
        Address::Link("https://x.org/a"),
        Address::Link("https://y.org"),
        Address::Shown("http://127.0.0.1:1/"),
        Address::Shown("https://z.org/b"),
        Address::Link("htps://w.org"),
    ];
    assert_eq!(addresses(text), expected);
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_a_heading() {
    let mut problems = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let there = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = fs::read_to_string(&there)
                .is_ok_and(|text| heading.is_empty() || anchors(&text).iter().any(|a| a == heading));
            if !is_there {
                problems.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The anchors of a document's headings, as GitHub and mdBook generate them.
fn anchors(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// One file for both, which loads nothing from elsewhere.
#[test]
fn pictures_follow_the_light_or_dark_mode_of_the_reader() {
    let mut pictures = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let shown = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let shown = shown.filter(|target| target.rsplit('.').next() == Some("svg"));
        pictures.extend(shown.map(|target| path.parent().unwrap().join(target)));
    }
    assert!(pictures.len() >= 2, "{pictures:?}");
    for path in pictures {
        let picture = fs::read_to_string(&path).unwrap();
        assert!(picture.contains("prefers-color-scheme:dark"), "{} has no dark mode", path.display());
        for loading in ["<script", "href=\"http", "url(", "@import", "<image"] {
            assert!(!picture.contains(loading), "{}: {loading}", path.display());
        }
    }
}
