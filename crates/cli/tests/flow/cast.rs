//! The sandbox's world for the tests: one user, her MFA devices, and roles of all kinds in two other accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hatbox_sandbox::world::{
    AUDIENCE, Account, Curve, ISSUER, IdentityProvider, Key, Machine, MfaDevice, Principal, Role, Session,
    SessionKind, User, World, WorldSecret, save_world,
};
use hatbox_types::sandbox_key::render_sandbox_key_id;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) const PEOPLE: &str = "111122223333";
pub(crate) const WORK: &str = "444455556666";
pub(crate) const SPOKES: &str = "777788889999";
/// A region in which STS is disabled for jan's account.
pub(crate) const DISABLED_REGION: &str = "ap-east-1";
/// Jan's usual device.
pub(crate) const PHONE: &str = "arn:aws:iam::111122223333:mfa/jan";
pub(crate) const OTHER_PHONE: &str = "arn:aws:iam::111122223333:mfa/other-phone";
/// A hardware token, whose serial number is not an ARN.
pub(crate) const TOKEN: &str = "GAHT12345678";
/// Another user's device.
pub(crate) const KIMS_PHONE: &str = "arn:aws:iam::111122223333:mfa/kim";

/// The name of a session of jan's that never expires during a test, for tests that start with temporary credentials.
pub(crate) const ENDLESS: &str = "endless";
pub(crate) const ENDLESS_TOKEN: &str = "canary-endless-token";

/// The token that containers send.
pub(crate) const CONTAINER_TOKEN: &str = "canary-container-token";

/// Creates the world in the sandbox directory `directory`, with an access key of jan's for each of `keys`.
pub(crate) fn save_cast(directory: &Path, keys: &[&str]) -> BTreeMap<String, Key> {
    let mut world = World::empty().unwrap();
    let now = Timestamp::now();
    // In AWS a user has at most two keys; for tests, a separate key per profile is simpler.
    let minted: BTreeMap<String, Key> =
        keys.iter().map(|name| ((*name).to_owned(), world.mint_key(now).unwrap())).collect();
    let root_key = world.mint_key(now).unwrap();
    let user = |name: &str, keys: Vec<Key>| User {
        path: "/".to_owned(),
        user_id: format!("AIDA{name:A<17}").to_ascii_uppercase(),
        created_at: now,
        keys,
        policies: [("assume".to_owned(), policy(&json!([allow(&json!("sts:*"))])))].into(),
        boundary: None,
        tags: BTreeMap::new(),
    };
    let device = |user: &str, seed: &str| MfaDevice {
        seed: WorldSecret::new(format!("{seed:A<32}")),
        user: Some(user.to_owned()),
        enabled_at: Some(now),
        last_step: None,
    };
    let people = Account {
        root_keys: vec![root_key.clone()],
        disabled_regions: [DISABLED_REGION.to_owned()].into(),
        users: [
            ("jan".to_owned(), user("jan", minted.values().cloned().collect())),
            ("kim".to_owned(), user("kim", Vec::new())),
        ]
        .into(),
        mfa_devices: [
            (PHONE.to_owned(), device("jan", "PHONE")),
            (OTHER_PHONE.to_owned(), device("jan", "OTHER")),
            (TOKEN.to_owned(), device("jan", "TOKEN")),
            (KIMS_PHONE.to_owned(), device("kim", "KIM")),
        ]
        .into(),
        ..Account::default()
    };
    let everyone = json!([PEOPLE, WORK, SPOKES].map(|account| format!("arn:aws:iam::{account}:root")));
    let open = json!({ "Effect": "Allow", "Principal": { "AWS": everyone }, "Action": "sts:*" });
    let with = |name: &str, value: &Value| statement_with(&open, name, value);
    let mfa = with("Condition", &json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
    let external = with("Condition", &json!({ "StringEquals": { "sts:ExternalId": "the-right-one" } }));
    let strangers = with("Principal", &json!({ "AWS": "arn:aws:iam::999999999999:root" }));
    let role = |trust: &Value, max_session_seconds: i64| Role {
        path: "/".to_owned(),
        role_id: "AROAAAAAAAAAAAAAAAAAA".to_owned(),
        created_at: now,
        trust: policy(&json!([trust])),
        description: String::new(),
        policies: [("all".to_owned(), policy(&json!([allow(&json!(["sts:*", "s3:*"]))])))].into(),
        boundary: None,
        max_session_seconds,
        tags: BTreeMap::new(),
    };
    let roles = |names: &[(&str, &Value, i64)]| Account {
        roles: names.iter().map(|(name, trust, max)| ((*name).to_owned(), role(trust, *max))).collect(),
        ..Account::default()
    };
    let mut work = roles(&[
        ("admin", &open, 43200),
        ("reader", &open, 43200),
        ("deploy", &open, 43200),
        ("a", &open, 43200),
        ("b", &open, 43200),
        ("guarded", &mfa, 43200),
        ("short", &open, 3600),
        ("worker", &open, 3600),
        ("external", &external, 3600),
        ("strangers", &strangers, 3600),
        ("recent", &statement_with(&open, "Condition", &recent_mfa()), 43200),
        ("named", &statement_with(&open, "Condition", &users_name()), 3600),
        ("tagless", &statement_with(&open, "Action", &json!("sts:AssumeRole")), 3600),
    ]);
    // Also allows tokens. After the other statement, as some texts contain that statement's number.
    let provider = world.add_oidc_provider(WORK, ISSUER, AUDIENCE);
    world.identity_providers.insert(ISSUER.to_owned(), IdentityProvider::mint(Curve::P256).unwrap());
    work.oidc_providers = std::mem::take(&mut world.accounts.get_mut(WORK).unwrap().oidc_providers);
    let bearers = json!({
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringLike": { "ci.sandbox.example:sub": "repo:work/*" } },
    });
    work.roles.get_mut("reader").unwrap().trust = policy(&json!([open, bearers]));
    let [people, work] = [people, work].map(|account| with_iam_roles(account, &role(&open, 3600)));
    let spokes = roles(&[("hub", &open, 43200), ("spoke", &open, 43200)]);
    world.accounts =
        [(PEOPLE, people), (WORK, work), (SPOKES, spokes)].map(|(id, a)| (id.to_owned(), a)).into();
    let endless =
        Key { id: render_sandbox_key_id("ASIA", &world.id, [7; 8]), ..world.mint_key(now).unwrap() };
    let session = Session {
        secret: endless.secret.clone(),
        token: WorldSecret::new(ENDLESS_TOKEN.to_owned()),
        principal: Principal::User { account: PEOPLE.to_owned(), name: "jan".to_owned() },
        kind: SessionKind::GetSessionToken { mfa_at: None },
        issued_at: now,
        expires_at: now.checked_add(SignedDuration::from_hours(24 * 30)).unwrap(),
        policies: None,
        tags: BTreeMap::new(),
        transitive_tags: BTreeSet::new(),
        source_identity: None,
        web_identity: None,
        by_access_key: false,
    };
    world.sessions.insert(endless.id.clone(), session);
    world.machine = Some(Machine {
        account: WORK.to_owned(),
        role: "worker".to_owned(),
        new_role: None,
        container_token: WorldSecret::new(CONTAINER_TOKEN.to_owned()),
        tokens: Vec::new(),
    });
    save_world(directory, &world).unwrap();
    let others = [("root".to_owned(), root_key), (ENDLESS.to_owned(), endless)];
    minted.into_iter().chain(others).collect()
}

/// Adds roles that may read and change IAM: all of it, or only account details.
fn with_iam_roles(mut account: Account, like: &Role) -> Account {
    for (name, actions) in [("iam", "iam:*"), ("iam-details", "iam:GetAccountAuthorizationDetails")] {
        let policies = [("iam".to_owned(), policy(&json!([allow(&json!(actions))])))].into();
        account.roles.insert(name.to_owned(), Role { policies, ..like.clone() });
    }
    account
}

/// Adds a member to a statement.
fn statement_with(statement: &Value, name: &str, value: &Value) -> Value {
    let mut statement = statement.clone();
    statement[name] = value.clone();
    statement
}

/// Requires MFA within the last hour.
fn recent_mfa() -> Value {
    json!({
        "Bool": { "aws:MultiFactorAuthPresent": "true" },
        "NumericLessThan": { "aws:MultiFactorAuthAge": "3600" },
    })
}

/// Requires the user's name as the session name.
fn users_name() -> Value {
    json!({ "StringEquals": { "sts:RoleSessionName": "${aws:username}" } })
}

fn allow(actions: &Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
}

fn policy(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}
