//! The keys under which sessions are cached.

use hatbox_core::cache::{SessionKey, resolve_session_key};
use hatbox_core::config::profile::{Profile, Sourced, StsRegional, WebIdentity};
use hatbox_core::plan::{Base, Plan, PlanOptions, Stage, Step};
use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::SecretString;
use proptest::prelude::*;

use super::fixture::{ADMIN, AUDITOR, at, bare, plan, role, user, with_length};

const KEYS: [&str; 2] = ["AKIAIOSFODNN7EXAMPLE", "AKIAANOTHERKEY000000"];

/// Everything that the session key depends on, and some settings that it does not depend on.
#[derive(Debug, Clone)]
struct Inputs {
    key_id: &'static str,
    role: &'static str,
    has_device: bool,
    session_name: Option<String>,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
    endpoint: Option<String>,
    region: Option<&'static str>,
    is_legacy: bool,
    hours: u64,
}

/// Few and short texts, so that two of them are often equal, and concatenated parts may be ambiguous.
fn text() -> impl Strategy<Value = String> {
    "[ab]{2,3}"
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let option = || prop::option::of(text());
    let tags = prop::collection::vec((text(), text()), 0..3);
    let transitive = prop::collection::vec(text(), 0..3);
    let region = prop::option::of(prop::sample::select(vec!["eu-west-1", "us-east-1", "cn-north-1"]));
    let key_id = prop::sample::select(vec![KEYS[0], KEYS[1]]);
    let role = prop::sample::select(vec![ADMIN, AUDITOR]);
    let first = (key_id, role, any::<bool>(), option(), option(), option());
    (first, tags, transitive, option(), region, any::<bool>(), 1..12u64).prop_map(
        |(
            (key_id, role, has_device, session_name, external_id, source_identity),
            tags,
            transitive,
            endpoint,
            region,
            is_legacy,
            hours,
        )| {
            Inputs {
                key_id,
                role,
                has_device,
                session_name,
                external_id,
                source_identity,
                tags,
                transitive,
                endpoint,
                region,
                is_legacy,
                hours,
            }
        },
    )
}

impl Inputs {
    fn key(&self) -> SessionKey {
        let source = bare("jan-work");
        let mut role = role("admin", "jan-work", self.role);
        role.mfa_serial = role.mfa_serial.filter(|_| self.has_device);
        role.role_session_name = self.session_name.clone().map(|text| at(1, text));
        role.external_id = self.external_id.clone().map(|text| at(1, text));
        role.source_identity = self.source_identity.clone().map(|text| at(1, text));
        role.session_tags = (!self.tags.is_empty()).then(|| at(1, self.tags.clone()));
        role.transitive_session_tags = (!self.transitive.is_empty()).then(|| at(1, self.transitive.clone()));
        role.endpoint.sts_url = self.endpoint.clone().map(|text| at(1, text));
        role.endpoint.sts_regional = self.is_legacy.then(|| at(1, StsRegional::Legacy));
        role.region = self.region.map(|region| at(1, region.parse().unwrap()));
        let role = with_length(role, std::time::Duration::from_hours(self.hours));
        let mut plan = plan(&[role, source]);
        if let Base::StoredKey { id, .. } = &mut plan.base {
            *id = Some(AccessKeyId::parse(self.key_id).unwrap());
        }
        resolve_session_key(&plan, plan.last_stage()).unwrap()
    }

    /// The inputs without what makes no difference to the credentials.
    fn answer(&self) -> Self {
        let mut answer = self.clone();
        answer.hours = 0;
        answer.tags.sort();
        answer.transitive.sort();
        answer.transitive.dedup();
        if !self.is_legacy {
            answer.region = self.region.filter(|region| region.starts_with("cn-"));
        }
        answer
    }
}

proptest! {
    #[test]
    fn two_sessions_share_a_key_only_when_they_are_the_same_answer(a in inputs(), b in inputs()) {
        let is_same_answer = format!("{:?}", a.answer()) == format!("{:?}", b.answer());
        prop_assert_eq!(a.key() == b.key(), is_same_answer, "{:?}\n{:?}", a, b);
    }

    #[test]
    fn a_single_change_changes_the_key(a in inputs(), which in 0..9usize) {
        let mut b = a.clone();
        match which {
            0 => b.key_id = KEYS[usize::from(a.key_id == KEYS[0])],
            1 => b.role = if a.role == ADMIN { AUDITOR } else { ADMIN },
            2 => b.has_device = !b.has_device,
            3 => b.session_name = Some("changed".to_owned()),
            4 => b.external_id = Some("changed".to_owned()),
            5 => b.source_identity = Some("changed".to_owned()),
            6 => b.tags.push(("changed".to_owned(), String::new())),
            7 => b.transitive.push("changed".to_owned()),
            _ => b.endpoint = Some("changed".to_owned()),
        }
        prop_assert_ne!(a.key(), b.key());
    }

    #[test]
    fn length_region_and_order_of_tags_are_not_part_of_the_key(a in inputs(), hours in 1..12u64) {
        let mut b = Inputs { hours, ..a.clone() };
        b.tags.reverse();
        b.transitive.reverse();
        b.transitive.extend(a.transitive.first().cloned());
        if !a.is_legacy && a.region != Some("cn-north-1") {
            b.region = Some("ap-southeast-2");
        }
        prop_assert_eq!(a.key(), b.key());
    }
}

#[test]
fn every_stage_of_a_plan_has_its_own_key() {
    let plan = plan(&[role("spoke", "hub", ADMIN), role("hub", "jan-work", AUDITOR), user("jan-work")]);
    let keys: Vec<_> = (0..3).map(|index| resolve_session_key(&plan, Stage::Step(index)).unwrap()).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert_eq!(resolve_session_key(&plan, Stage::Base), None, "a stored key is not cached");
    assert_eq!(resolve_session_key(&plan, Stage::Step(3)), None, "there is no fourth step");
}

#[test]
fn a_users_session_is_shared_by_all_roles_and_the_user() {
    let session = |profiles: &[Profile]| resolve_session_key(&plan(profiles), Stage::Step(0)).unwrap();
    let own = session(&[user("jan-work")]);
    assert_eq!(own, session(&[role("admin", "jan-work", ADMIN), user("jan-work")]));
    assert_eq!(own, session(&[role("auditor", "jan-work", AUDITOR), user("jan-work")]));
}

#[test]
fn without_the_id_of_the_key_there_is_no_session_key() {
    let mut plan = plan(&[user("jan-work")]);
    if let Base::StoredKey { id, .. } = &mut plan.base {
        *id = None;
    }
    assert_eq!(resolve_session_key(&plan, Stage::Step(0)), None);
}

/// The session key of a plan that has only a base.
fn base_key(change: impl FnOnce(&mut Profile)) -> SessionKey {
    let mut profile = bare("ci");
    change(&mut profile);
    let plan =
        super::fixture::resolve(&[profile], &super::fixture::stored(&[]), &PlanOptions::default()).unwrap();
    resolve_session_key(&plan, Stage::Base).unwrap()
}

/// The session key of a web identity whose token is `text`.
fn token_key(
    token: WebIdentity,
    text: Option<&str>,
    change: impl FnOnce(&mut Profile),
) -> Option<SessionKey> {
    let mut profile = bare("ci");
    profile.web_identity = Some(at(1, token));
    profile.role_arn = Some(at(1, ADMIN.parse().unwrap()));
    change(&mut profile);
    let mut plan =
        super::fixture::resolve(&[profile], &super::fixture::stored(&[]), &PlanOptions::default()).unwrap();
    if let Base::WebIdentity { text: read, .. } = &mut plan.base {
        *read = text.map(|text| SecretString::new(text.to_owned()));
    }
    resolve_session_key(&plan, Stage::Base)
}

#[test]
fn a_token_of_a_file_is_its_own_identity_wherever_the_file_is() {
    let key = |path: &str, text| token_key(WebIdentity::File(path.to_owned()), text, |_| ());
    assert_eq!(key("/token", None), None, "unknown until the file is read");
    assert_ne!(key("/token", Some("of job a")).unwrap(), key("/token", Some("of job b")).unwrap());
    assert_eq!(key("/token", Some("of job a")), key("token", Some("of job a")));
    let process = |text| token_key(WebIdentity::Process("/token".to_owned()), text, |_| ());
    assert_ne!(process(None).unwrap(), key("/token", Some("/token")).unwrap());
}

#[test]
fn a_role_on_top_of_a_metadata_service_is_filed_under_the_key_that_the_service_gave() {
    use hatbox_core::config::profile::CredentialSource;
    let key = |source: CredentialSource, id: Option<&str>| {
        let mut profile = bare("task");
        profile.role_arn = Some(at(1, ADMIN.parse().unwrap()));
        profile.credential_source = Some(at(1, source));
        let mut plan =
            super::fixture::resolve(&[profile], &super::fixture::stored(&[]), &PlanOptions::default())
                .unwrap();
        if let Base::Metadata { access_key_id, .. } = &mut plan.base {
            *access_key_id = id.map(|id| AccessKeyId::parse(id).unwrap());
        }
        resolve_session_key(&plan, Stage::Step(0))
    };
    for source in [CredentialSource::Ec2InstanceMetadata, CredentialSource::EcsContainer] {
        assert_eq!(key(source, None), None, "unknown until the service has answered");
        assert_ne!(key(source, Some(KEYS[0])).unwrap(), key(source, Some(KEYS[1])).unwrap());
        assert_eq!(key(source, Some(KEYS[0])), key(source, Some(KEYS[0])));
    }
}

#[test]
fn what_a_command_gives_a_person_and_an_agent_is_filed_apart() {
    use hatbox_core::plan::find_agent;
    let key = |command: &str, role: bool, agent: Option<&str>| {
        let mut profile = bare("ci");
        profile.credential_process = Some(at(1, command.to_owned()));
        profile.role_arn = role.then(|| at(1, ADMIN.parse().unwrap()));
        let options = PlanOptions {
            agent: agent.and_then(|agent| find_agent(|name| (name == agent).then(|| "1".to_owned()))),
            ..PlanOptions::default()
        };
        let plan = super::fixture::resolve(&[profile], &super::fixture::stored(&[]), &options).unwrap();
        resolve_session_key(&plan, plan.last_stage())
    };
    for role in [false, true] {
        let (person, agent) = (key("login", role, None), key("login", role, Some("CLAUDECODE")));
        assert!(person.is_some() && agent.is_some());
        assert_ne!(person, agent);
        assert_eq!(agent, key("login", role, Some("AI_AGENT")));
    }
    for command in ["hatbox export me", "env A=b /opt/hatbox export me", "aws-vault exec me -j"] {
        assert_eq!(key(command, false, None), None, "{command}");
        assert!(key(command, true, None).is_some(), "a role on top is cached separately: {command}");
    }
}

#[test]
fn a_base_that_is_called_is_filed_under_its_settings() {
    use hatbox_core::config::profile::Sso;
    let sso = |url: &str, account: &str, role: &str| {
        let sso = Sso {
            session: None,
            start_url: at(1, url.to_owned()),
            region: "eu-central-1".parse().unwrap(),
            account_id: Some(at(1, account.to_owned())),
            role_name: Some(at(1, role.to_owned())),
            registration_scopes: Vec::new(),
            use_device_code: false,
            urls: Box::default(),
        };
        base_key(|profile| profile.sso = Some(at(1, sso)))
    };
    let token = |token: WebIdentity, role: &str, name: Option<&str>| {
        token_key(token, None, |profile| {
            profile.role_arn = Some(at(1, role.parse().unwrap()));
            profile.role_session_name = name.map(|name| at(1, name.to_owned()));
        })
        .unwrap()
    };
    let process =
        |command: &str| base_key(|profile| profile.credential_process = Some(at(1, command.to_owned())));
    // The credentials of a login session are in its own file. A role on top is cached by that session's name.
    let login = |session: &str| {
        let mut profile = bare("me");
        profile.login_session = Some(at(1, session.to_owned()));
        resolve_session_key(&plan(&[role("admin", "me", ADMIN), profile]), Stage::Step(0)).unwrap()
    };
    let command = |command: &str| WebIdentity::Process(command.to_owned());
    let keys = [
        sso("https://a.awsapps.com/start", "111122223333", "Dev"),
        sso("https://b.awsapps.com/start", "111122223333", "Dev"),
        sso("https://a.awsapps.com/start", "444455556666", "Dev"),
        sso("https://a.awsapps.com/start", "111122223333", "Admin"),
        token(command("/token"), ADMIN, None),
        token(command("/other"), ADMIN, None),
        token(command("/token"), AUDITOR, None),
        token(command("/token"), ADMIN, Some("me")),
        process("login a"),
        process("login b"),
        login("arn:aws:iam::111122223333:user/jan"),
        login("arn:aws:iam::111122223333:user/ann"),
    ];
    for (i, a) in keys.iter().enumerate() {
        for (j, b) in keys.iter().enumerate() {
            assert_eq!(a == b, i == j, "{i} and {j}");
        }
    }
    assert_eq!(process("login a"), process("login a"));
}

#[test]
fn a_file_name_reveals_nothing_without_the_cache_key() {
    let plan: Plan = plan(&[user("jan-work")]);
    let key = resolve_session_key(&plan, Stage::Step(0)).unwrap();
    let name = key.render_file_name(&[7; 32]);
    assert!(name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    assert_eq!(name, key.render_file_name(&[7; 32]));
    assert_ne!(name, key.render_file_name(&[8; 32]));
}

/// The next release must find the sessions of this one on disk. This name may change only together with the version
/// number in the digest.
#[test]
fn the_digest_is_the_same_from_release_to_release() {
    let mut plan = plan(&[role("admin", "jan-work", ADMIN), user("jan-work")]);
    plan.region =
        Some(Sourced { value: "eu-central-1".parse().unwrap(), origin: super::fixture::in_config(1) });
    assert!(matches!(plan.steps.as_slice(), [Step::GetSessionToken(_), Step::AssumeRole(_)]));
    let key = resolve_session_key(&plan, Stage::Step(1)).unwrap();
    assert_eq!(key.render_file_name(&[0; 32]), "c5d173da6e315a2ca72a0cfc870c6772");
}
