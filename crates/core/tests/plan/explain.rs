//! The text of `explain`, on an 80-column terminal.

use std::time::Duration;

use hatbox_core::plan::explain::{CacheState, Paths, render_explanation, render_explanation_json};
use hatbox_core::plan::{Plan, PlanOptions, Stage, StoredKeys};
use hatbox_types::text::page::Style;
use jiff::Timestamp;
use serde_json::json;

use super::fixture::{ADMIN, AUDITOR, at, bare, plan, resolve, role, stored, user, with_length};

fn paths() -> Paths {
    Paths { config: "~/.aws/config".to_owned(), credentials: "~/.aws/credentials".to_owned() }
}

fn cached(seconds: u64) -> CacheState {
    let expires_at = Timestamp::from_second(1_800_000_000).unwrap();
    CacheState::Cached { left: Duration::from_secs(seconds), expires_at }
}

fn text(plan: &Plan, cache: &dyn Fn(Stage) -> CacheState) -> String {
    render_explanation(plan, &paths(), cache).to_string()
}

fn admin() -> Plan {
    let mut admin = role("dev-infra-admin", "jan-work", ADMIN);
    admin.region = Some(at(3, "eu-central-1".parse().unwrap()));
    plan(&[admin, user("jan-work")])
}

#[test]
fn a_role_with_its_session_in_the_cache() {
    let cache = |stage| if stage == Stage::Step(0) { cached(26_021) } else { CacheState::Absent };
    assert_eq!(
        text(&admin(), &cache),
        "\
dev-infra-admin: 2 calls, 1 MFA code
now, with the cached sessions: 1 call, no MFA code

  -  access key of jan-work, in the store
     id          ****MPLE

  1  GetSessionToken for 8h
     signed by   the access key
     MFA code    arn:aws:iam::111122223333:mfa/jan  ~/.aws/config:2
     duration    8h  default for a session that assumes roles
     cached      yes, 7h13m left

  2  AssumeRole dev-infra-admin in account 444455556666 for 1h
     role        arn:aws:iam::444455556666:role/dev-infra-admin  ~/.aws/config:5
     signed by   the session of step 1
     MFA         from the session of step 1
     duration    1h  default
     cached      no

  => temporary credentials for 1h
     region      eu-central-1  ~/.aws/config:3
"
    );
}

#[test]
fn two_capped_roles_and_nothing_cached() {
    let profiles = [role("spoke", "hub", ADMIN), role("hub", "jan-work", AUDITOR), user("jan-work")];
    let plan = plan(&profiles.map(|profile| with_length(profile, Duration::from_hours(2))));
    assert_eq!(
        text(&plan, &|_| CacheState::Absent),
        "\
spoke: 3 calls, 1 MFA code

  -  access key of jan-work, in the store
     id          ****MPLE

  1  GetSessionToken for 2h
     signed by   the access key
     MFA code    arn:aws:iam::111122223333:mfa/jan  ~/.aws/config:2
     duration    2h  --duration
     cached      no

  2  AssumeRole security-auditor in account 444455556666 for 1h
     role        arn:aws:iam::444455556666:role/security-auditor
                 ~/.aws/config:5
     profile     hub
     signed by   the session of step 1
     MFA         from the session of step 1
     duration    1h, not 2h: AWS's limit for temporary credentials  --duration
     cached      no

  3  AssumeRole dev-infra-admin in account 444455556666 for 1h
     role        arn:aws:iam::444455556666:role/dev-infra-admin  ~/.aws/config:5
     signed by   the session of step 2
     duration    1h, not 2h: AWS's limit for temporary credentials  --duration
     cached      no

  => temporary credentials for 1h
     region      none is set

  ! `spoke` gets 1h instead of 2h: AWS limits roles assumed from temporary
    credentials to 1 hour
    --duration
"
    );
}

#[test]
fn a_locked_store() {
    let plan = resolve(&[user("jan-work")], &StoredKeys::Locked, &PlanOptions::default()).unwrap();
    assert_eq!(
        text(&plan, &|_| CacheState::Unknown),
        "\
jan-work: 1 call, 1 MFA code

  -  access key of jan-work, in the store
     id          not known: the store is locked

  1  GetSessionToken for 1h
     signed by   the access key
     MFA code    arn:aws:iam::111122223333:mfa/jan  ~/.aws/config:2
     duration    1h  default
     cached      not known: the store is locked

  => temporary credentials for 1h
     region      none is set

  - the store is locked: a stored access key, which would come first, is not
    known
"
    );
}

#[test]
fn a_process_with_all_that_a_role_may_carry() {
    let mut profile = bare("ci");
    profile.credential_process = Some(at(2, "/opt/corp/login --password canary".to_owned()));
    profile.role_arn = Some(at(3, ADMIN.parse().unwrap()));
    profile.role_session_name = Some(at(4, "nightly".to_owned()));
    profile.external_id = Some(at(5, "ext".to_owned()));
    profile.session_tags = Some(at(6, vec![("team".to_owned(), "ops".to_owned())]));
    profile.transitive_session_tags = Some(at(7, vec!["team".to_owned()]));
    profile.source_identity = Some(at(8, "jan".to_owned()));
    let plan = resolve(&[profile], &stored(&[]), &PlanOptions::default()).unwrap();
    assert_eq!(
        text(&plan, &|stage| if stage == Stage::Base { CacheState::Absent } else { cached(600) }),
        "\
ci: 2 calls, no MFA code
now, with the cached sessions: no calls, no MFA code

  -  credential_process of ci
     printed by  /opt/corp/login ...  ~/.aws/config:2
     cached      no, and not needed now

  1  AssumeRole dev-infra-admin in account 444455556666 for 1h
     role        arn:aws:iam::444455556666:role/dev-infra-admin  ~/.aws/config:3
     signed by   the temporary credentials above
     duration    1h  default
     named       nightly  ~/.aws/config:4
     external ID ext  ~/.aws/config:5
     identity    jan  ~/.aws/config:8
     tags        team=ops  ~/.aws/config:6
     transitive  team  ~/.aws/config:7
     cached      yes, 10m left

  => temporary credentials for 1h
     region      none is set
"
    );
}

#[test]
fn no_argument_of_a_command_is_shown() {
    let mut ci = bare("ci");
    ci.credential_process = Some(at(2, "login --password canary".to_owned()));
    let mut coded = user("jan-work");
    coded.mfa_process = Some(at(3, "oathtool canary".to_owned()));
    let plans = [
        resolve(&[ci], &stored(&[]), &PlanOptions::default()).unwrap(),
        resolve(&[coded], &stored(&["jan-work"]), &PlanOptions::default()).unwrap(),
    ];
    for plan in plans {
        let shown = text(&plan, &|_| CacheState::Absent);
        let json = render_explanation_json(&plan, &paths(), &|_| CacheState::Absent).to_string();
        assert!(!shown.contains("canary") && !json.contains("canary"), "{shown}\n{json}");
        assert!(shown.contains(" ...") && json.contains(" ..."), "the program itself is shown");
    }
}

#[test]
fn what_is_cached_and_what_differs_is_marked() {
    let profiles = [role("spoke", "hub", ADMIN), role("hub", "jan-work", AUDITOR), user("jan-work")];
    let plan = plan(&profiles.map(|profile| with_length(profile, Duration::from_hours(2))));
    let page = render_explanation(&plan, &paths(), &|_| cached(600));
    let with = |style| {
        let spans = page.0.iter().flat_map(|line| &line.0).filter(|span| span.style == style);
        spans.map(|span| span.text.as_str()).collect::<Vec<_>>()
    };
    let (summary, left) = ("now, with the cached sessions: no calls, no MFA code", "yes, 10m left");
    assert_eq!(with(Style::Good), [summary, left, left, left]);
    let capped = "1h, not 2h: AWS's limit for temporary credentials";
    assert_eq!(with(Style::Warning), [capped, capped, "none is set", "!"]);
}

#[test]
fn the_json_says_the_same_to_a_program() {
    let cache = |stage| if stage == Stage::Step(0) { cached(26_021) } else { CacheState::Absent };
    let line =
        |line: u32| json!({ "kind": "config", "path": "~/.aws/config", "line": line, "section": "profile" });
    assert_eq!(
        render_explanation_json(&admin(), &paths(), &cache),
        json!({
            "profile": "dev-infra-admin",
            "base": {
                "kind": "stored-key",
                "profile": "jan-work",
                "is_long_lived": true,
                "settings": { "access_key_id": "****MPLE" },
                "cache": null,
            },
            "is_supported": true,
            "steps": [
                {
                    "call": "GetSessionToken",
                    "profile": "jan-work",
                    "signed_by": "base",
                    "duration_seconds": { "value": 28800, "from": { "kind": "default" } },
                    "mfa": {
                        "serial": { "value": "arn:aws:iam::111122223333:mfa/jan", "from": line(2) },
                        "program": null,
                    },
                    "cache": {
                        "state": "cached",
                        "seconds_left": 26021,
                        "expires_at": "2027-01-15T08:00:00Z",
                    },
                },
                {
                    "call": "AssumeRole",
                    "profile": "dev-infra-admin",
                    "signed_by": "step 1",
                    "duration_seconds": { "value": 3600, "from": { "kind": "default" } },
                    "mfa": null,
                    "cache": { "state": "absent" },
                    "role": { "value": ADMIN, "from": line(5) },
                    "cap": null,
                    "session_name": null,
                    "external_id": null,
                    "source_identity": null,
                    "tags": null,
                    "transitive_tags": null,
                },
            ],
            "account_id": null,
            "region": { "value": "eu-central-1", "from": line(3) },
            "endpoint": null,
            "hands_over": "temporary-credentials",
            "guard": null,
            "notes": [],
        })
    );
}
