//! Writes every file that hatbox writes, with this version. The files of each release are kept in `tests/formats`.
//!
//! ```sh
//! HATBOX_WRITE_FORMATS=$PWD/crates/cli/tests/formats/0.2.0 cargo test --features test-clock --test flow formats_made
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::World;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cast::PEOPLE;
use crate::fixture::Fixture;
use crate::formats::{HOME, STATE, files_below};
use crate::login_sign_in::{JAN, sign_in_as};
use crate::sso;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
[profile jan-work]
[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
[profile guarded]
source_profile = jan-work
mfa_serial = arn:aws:iam::111122223333:mfa/jan
role_arn = arn:aws:iam::444455556666:role/guarded
[profile work]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/iam
[profile dev]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Developer
region = eu-west-1
";
const CREDENTIALS: &str = "\
# mine
[plain]
aws_access_key_id = AKIAPLAIN00000000001
aws_secret_access_key = plainsecret1AAAAAAAAAAAAAAAAAAAAAAAAAAAA
";

fn may_do_more(world: &mut World) {
    sso::add_center(world);
    let statement = json!([{"Effect": "Allow", "Action": ["iam:*AccessKey*", "signin:*"], "Resource": "*"}]);
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let jan = world.accounts.get_mut(PEOPLE).unwrap().users.get_mut("jan").unwrap();
    jan.policies.insert("more".to_owned(), policy);
}

/// Makes hatbox write all of its files. Returns what a test needs to read them.
fn write_all(fixture: &Fixture) -> Value {
    let ok = |arguments: &[&str]| fixture.hatbox(arguments).run().ok();
    let access_key_id = |profile: &str| {
        let printed = ok(&["export", "--format", "json", profile]).stdout;
        serde_json::from_str::<Value>(&printed).unwrap()["AccessKeyId"].clone()
    };
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.write_config(CONFIG);
    // A rotation that stops after the new key is stored, so its record remains.
    let kind = FaultKind::AccessDenied("not now".to_owned());
    let fault = Fault { kind, times: None, action: Some("UpdateAccessKey".to_owned()) };
    fixture.client().add_fault(&fault).unwrap();
    fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    let recovery = ok(&["store", "wrap", "add", "recovery"]).stdout.trim().to_owned();
    let settings = fixture.path("home/.config/hatbox/config.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fixture.write_settings(&format!(
        "{text}audit_log = \"on\"\nshare_sso_cache = true\nunlock_timeout = \"1h\"\nunlock_max = \"12h\"\n\
         [trust]\nsources = [\"~/iam.json\"]\n"
    ));
    fixture
        .hatbox(&["mfa", "store-seed", "--stdin", "guarded"])
        .input("PHONE".to_owned() + &"A".repeat(27))
        .run()
        .ok();
    let reader_id = access_key_id("reader");
    ok(&["exec", "--reason", "ticket 7", "reader", "--", "true"]);
    sso::sign_in(fixture, &["exec", "dev", "--", "true"]);
    let dev_id = access_key_id("dev");
    sign_in_as(fixture, &["login", "--session", "--region", "eu-west-1", "me"], JAN).ok();
    let me_id = access_key_id("me");
    fs::create_dir_all(fixture.path("home/work")).unwrap();
    fs::write(fixture.path("home/work/.hatbox.toml"), "profile = \"reader\"\n").unwrap();
    ok(&["allow", "--yes", fixture.path("home/work").to_str().unwrap()]);
    fs::write(fixture.path("home/.aws/credentials"), CREDENTIALS).unwrap();
    ok(&["import", "credentials", "--yes", "--no-check"]);
    let snapshot = fixture.path("home/iam.json");
    ok(&["trust", "snapshot", "--profile", "work", "-o", snapshot.to_str().unwrap()]);
    ok(&["trust", "require-mfa", "short", "--profile", "work", "--apply", "--yes"]);
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "--", "true"]), 200);
    terminal.wait_for("Profile (", 1);
    terminal.type_keys("reader\r");
    assert_eq!(terminal.wait().code(), Some(0), "{}", terminal.transcript());
    let key = ok(&["export", "--format", "json", "-n", "jan-work"]).stdout;
    let key: Value = serde_json::from_str(&key).unwrap();
    // Run last, so that the newest line of the audit log is known.
    ok(&["exec", "--reason", "ticket 7", "reader", "--", "true"]);
    let items = fs::metadata(fixture.store().join("items")).unwrap().modified().unwrap();
    let items = items.duration_since(std::time::UNIX_EPOCH).unwrap();
    json!({
        // The index uses it as the generation of the store.
        "items_changed": [items.as_secs(), items.subsec_nanos()],
        "made_at": Timestamp::now().as_second(),
        "endpoint": fixture.variables()[std::ffi::OsStr::new("AWS_ENDPOINT_URL")].to_str(),
        "id": key["AccessKeyId"],
        "secret": key["SecretAccessKey"],
        "recovery": recovery,
        "credentials": CREDENTIALS,
        "reader_id": reader_id,
        "dev_id": dev_id,
        "me_id": me_id,
    })
}

/// Returns whether a file is kept: not locks, and not files that end with the user's session or within minutes.
fn stays(path: &Path) -> bool {
    let text = path.to_str().unwrap();
    let places = ["/hatbox/locks/", "/hatbox/failures/", "/home/run/"];
    !text.ends_with("lock") && !places.iter().any(|place| text.contains(place))
}

/// Returns the kind of a file: its path with everything replaced that differs between runs.
fn kind_of(path: &Path) -> String {
    let is_random = |part: &&str| part.len() >= 24 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time = |part: &&str| part.len() == 16 && part.ends_with('Z') && part.starts_with("20");
    let is_counter = |part: &&str| part.len() < 5 && part.parse::<u32>().is_ok();
    let text = path.to_str().unwrap().replace(STATE, "*");
    let parts = text.split_inclusive(['/', '.', '-']);
    let mut kind = String::new();
    for part in parts {
        let bare = part.trim_end_matches(['/', '.', '-']);
        kind += if is_random(&bare) || is_time(&bare) || is_counter(&bare) { "*" } else { bare };
        kind += &part[bare.len()..];
    }
    kind
}

#[test]
fn every_file_that_this_version_writes_is_kept_for_the_versions_to_come() {
    let fixture = Fixture::empty_in(&["jan-work"], may_do_more);
    let facts = write_all(&fixture);
    let home = fixture.home();
    let made: Vec<_> = fixture.files().into_iter().filter(|path| stays(path)).collect();
    if let Some(place) = std::env::var_os("HATBOX_WRITE_FORMATS") {
        let place = Path::new(&place);
        fs::create_dir_all(place).unwrap();
        for path in &made {
            let below = path.strip_prefix(&home).unwrap().to_str().unwrap();
            let state = fixture.state();
            let below = below.replace(state.file_name().unwrap().to_str().unwrap(), STATE);
            let target = place.join("home").join(below);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let bytes = fs::read(path).unwrap();
            let bytes = match String::from_utf8(bytes) {
                Ok(text) => text.replace(home.to_str().unwrap(), HOME).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            fs::write(target, bytes).unwrap();
        }
        fs::write(place.join("facts.json"), format!("{facts:#}\n")).unwrap();
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/0.1.0/home");
    let kinds = |paths: &[std::path::PathBuf], below: &Path| -> BTreeSet<String> {
        paths.iter().map(|path| kind_of(path.strip_prefix(below).unwrap())).collect()
    };
    let of_release = kinds(&files_below(&kept), &kept);
    let new: Vec<_> = kinds(&made, &home).difference(&of_release).cloned().collect();
    assert!(new.is_empty(), "files of new kinds: {new:?}; see docs/formats.md");
}
