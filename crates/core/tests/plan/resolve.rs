//! Plans that a case file cannot describe: long chains, a locked store, a lookup that fails.

use std::time::Duration;

use hatbox_core::config::Config;
use hatbox_core::config::overrides::{AmbientWebIdentity, Overrides};
use hatbox_core::config::profile::{
    CredentialSource, MetadataMode, Origin, Profile, Sourced, Sso, StaticKeys, WebIdentity,
};
use hatbox_core::plan::{
    Ambient, Base, CHAIN_LIMIT, Call, Lookup, MetadataService, Note, NoteLevel, Plan, PlanError, PlanOptions,
    Purpose, Sessions, Step, StoredKeys, resolve_plan,
};
use hatbox_types::secret::{AccessKey, AccessKeyError};

use super::fixture::{
    ADMIN, AUDITOR, at, bare, name, plan, resolve, resolve_text, role, stored, user, with_length,
};

/// A chain `p0 <- p1 <- ...` that ends with `jan-work`.
fn chain(profiles: usize) -> Vec<Profile> {
    let name = |index| if index + 1 == profiles { "jan-work".to_owned() } else { format!("p{index}") };
    let link = |index| {
        if index + 1 == profiles { user("jan-work") } else { role(&name(index), &name(index + 1), ADMIN) }
    };
    (0..profiles).map(link).collect()
}

#[test]
fn a_chain_may_have_a_hundred_profiles_and_no_more() {
    let options = PlanOptions::default();
    let plan = resolve(&chain(CHAIN_LIMIT), &stored(&["jan-work"]), &options).unwrap();
    assert_eq!(plan.steps.len(), CHAIN_LIMIT, "one session and 99 roles");
    let error = resolve(&chain(CHAIN_LIMIT + 1), &stored(&["jan-work"]), &options).unwrap_err();
    assert_eq!(error, PlanError::ChainTooLong { profile: name("p0") });
}

#[test]
fn a_loop_is_found_at_the_first_profile_met_twice() {
    let profiles = [role("a", "b", ADMIN), role("b", "a", ADMIN)];
    let error = resolve(&profiles, &stored(&[]), &PlanOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "profile `a` and its source profiles form a loop: a -> b -> a");
    assert_eq!(error.origin(), profiles[1].source_profile.as_ref().map(|source| &source.origin));
}

#[test]
fn a_source_that_cannot_be_resolved_is_the_plans_error_with_its_line() {
    let text = format!(
        "[profile admin]\nrole_arn = {ADMIN}\nsource_profile = broken\n[profile broken]\nmfa_serial = x y\n"
    );
    let error = resolve_text(&text, "admin", &[], &stored(&[])).unwrap_err();
    let PlanError::Config(error) = error else { panic!("{error}") };
    assert_eq!(error.place().unwrap().line, 5);
}

#[test]
fn the_environments_role_is_for_the_target_and_not_for_its_sources() {
    let text =
        format!("[profile admin]\nrole_arn = {ADMIN}\nsource_profile = jan-work\n[profile jan-work]\n");
    let plan = resolve_text(&text, "admin", &[("AWS_ROLE_ARN", AUDITOR)], &stored(&["jan-work"])).unwrap();
    let roles = plan.steps.iter().filter_map(|step| match step {
        Step::AssumeRole(role) => Some(role.role.value.as_str()),
        Step::GetSessionToken(_) | Step::GetFederationToken(_) => None,
    });
    assert_eq!(roles.collect::<Vec<_>>(), [AUDITOR]);
}

#[test]
fn what_the_profiles_of_a_chain_leave_to_be_desired_is_kept_also_without_a_plan() {
    let text = "[profile admin]\nduration_seconds = 1h\nsource_profile = nope\n";
    let (config, overrides) = (Config::parse(text, "").unwrap(), Overrides::default());
    let mut lookup = Lookup::new(&config, &overrides);
    resolve_plan(&name("admin"), &mut lookup, &stored(&[]), &PlanOptions::default()).unwrap_err();
    assert_eq!(lookup.warnings.len(), 1);
}

#[test]
fn a_locked_store_still_gives_a_plan_to_show() {
    let profiles = [role("admin", "jan-work", ADMIN), user("jan-work")];
    let plan = resolve(&profiles, &StoredKeys::Locked, &PlanOptions::default()).unwrap();
    assert!(matches!(plan.base, Base::StoredKey { id: None, .. }));
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.notes, [Note::StoreLocked], "once, not once per profile");
}

#[test]
fn a_name_unknown_to_the_config_is_not_guessed_into_a_locked_store() {
    let error = resolve_text("[profile nice]\n", "nicer", &[], &StoredKeys::Locked).unwrap_err();
    assert_eq!(error.to_string(), "profile `nicer` is not in the config");
    assert_eq!(
        error.hints(),
        ["did you mean `nice`?", "the store is locked; `hatbox list --unlock` shows its keys",]
    );
}

#[test]
fn a_mistyped_name_may_be_meant_for_a_stored_key() {
    let error = resolve_text("", "jan-wrok", &[], &stored(&["jan-work"])).unwrap_err();
    assert_eq!(error.hints(), ["did you mean `jan-work`?"]);
}

#[test]
fn a_hint_can_be_pasted_whatever_the_profile_is_called() {
    let mut profile = bare("my prof's");
    profile.defined_at = None;
    let error = resolve(&[profile], &stored(&[]), &PlanOptions::default()).unwrap_err();
    assert_eq!(error.hints(), [r"store an access key for it: `hatbox add 'my prof'\''s'`"]);
}

#[test]
fn the_environments_web_identity_is_for_a_target_without_identity_only() {
    let env = |name, value: &str| Sourced { value: value.to_owned(), origin: Origin::Env(name) };
    let mut web_identity = AmbientWebIdentity {
        token_file: env("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
        role_arn: Some(env("AWS_ROLE_ARN", ADMIN)),
        role_session_name: None,
    };
    let options = PlanOptions {
        ambient: Ambient { web_identity: Some(web_identity.clone()), ..Ambient::default() },
        ..PlanOptions::default()
    };
    let base = |profiles: &[Profile], keys: &[&str]| {
        resolve(profiles, &stored(keys), &options).map(|plan| plan.base)
    };
    assert!(matches!(base(&[bare("plain")], &[]).unwrap(), Base::WebIdentity { .. }));
    assert!(matches!(base(&[bare("plain")], &["plain"]).unwrap(), Base::StoredKey { .. }));
    let mut default = bare("default");
    default.defined_at = None;
    assert!(matches!(base(&[default], &[]).unwrap(), Base::WebIdentity { .. }), "no config file at all");
    let mut own_role = bare("own");
    own_role.role_arn = Some(at(1, ADMIN.parse().unwrap()));
    assert!(matches!(base(&[own_role], &[]).unwrap_err(), PlanError::RoleWithoutSource { .. }));
    let source = [role("admin", "plain", ADMIN), bare("plain")];
    assert!(matches!(base(&source, &[]).unwrap_err(), PlanError::CredentialsMissing { .. }));

    let error = |web_identity: &AmbientWebIdentity| {
        let ambient = Ambient { web_identity: Some(web_identity.clone()), ..Ambient::default() };
        let options = PlanOptions { ambient, ..PlanOptions::default() };
        resolve(&[bare("plain")], &stored(&[]), &options).unwrap_err()
    };
    web_identity.role_session_name = Some(env("AWS_ROLE_SESSION_NAME", "x y"));
    assert_eq!(error(&web_identity).origin(), Some(&Origin::Env("AWS_ROLE_SESSION_NAME")));
    web_identity.role_arn = Some(env("AWS_ROLE_ARN", "admin"));
    assert_eq!(
        (error(&web_identity).to_string().as_str(), error(&web_identity).origin()),
        (
            "invalid `AWS_ROLE_ARN`: expected `arn:PARTITION:iam::ACCOUNT:role/NAME`",
            Some(&Origin::Env("AWS_ROLE_ARN"))
        )
    );
    web_identity.role_arn = None;
    assert_eq!(error(&web_identity).hints(), ["set `AWS_ROLE_ARN`"]);
}

#[test]
fn a_machines_role_is_asked_where_the_environment_says() {
    let container_uri =
        Sourced { value: "http://x/c".to_owned(), origin: Origin::Env("AWS_CONTAINER_CREDENTIALS_FULL_URI") };
    let ambient = Ambient { container_uri: Some(container_uri), ..Ambient::default() };
    let asked = |profile: Profile, ambient: &Ambient| {
        let options = PlanOptions { ambient: ambient.clone(), ..PlanOptions::default() };
        let plan = resolve(&[profile], &stored(&[]), &options)?;
        let Base::Metadata { service, endpoint, .. } = plan.base else { panic!("{:?}", plan.base) };
        Ok::<_, PlanError>((service, endpoint.unwrap()))
    };
    let container = (MetadataService::Container, "http://x/c".to_owned());
    let mut profile = bare("batch");
    profile.credential_source = Some(at(3, CredentialSource::EcsContainer));
    assert_eq!(asked(profile, &ambient).unwrap(), container);
    // Also for a profile without an identity, but not for one with a role.
    assert_eq!(asked(bare("plain"), &ambient).unwrap(), container);
    let mut own_role = bare("own");
    own_role.role_arn = Some(at(1, ADMIN.parse().unwrap()));
    assert_eq!(asked(own_role, &ambient).unwrap_err().kind(), "role-without-source");

    let on_instance = Ambient { is_instance: true, ..Ambient::default() };
    let address = |url: &str| (MetadataService::Instance, url.to_owned());
    assert_eq!(asked(bare("plain"), &on_instance).unwrap(), address("http://169.254.169.254"));
    let mut profile = bare("batch");
    profile.metadata_mode = Some(at(2, MetadataMode::Ipv6));
    assert_eq!(asked(profile.clone(), &on_instance).unwrap(), address("http://[fd00:ec2::254]"));
    let with_mode = Ambient { metadata_mode: Some("ipv4".to_owned()), ..on_instance.clone() };
    assert_eq!(asked(profile.clone(), &with_mode).unwrap(), address("http://169.254.169.254"));
    profile.metadata_endpoint = Some(at(3, "http://localhost:1".to_owned()));
    assert_eq!(asked(profile.clone(), &with_mode).unwrap(), address("http://localhost:1"));
    let with_url = Ambient { metadata_endpoint: Some("http://localhost:2".to_owned()), ..with_mode };
    assert_eq!(asked(profile, &with_url).unwrap(), address("http://localhost:2"));
    let wrong = Ambient { metadata_mode: Some("v6".to_owned()), ..on_instance };
    let error = asked(bare("plain"), &wrong).unwrap_err();
    assert_eq!(error.origin(), Some(&Origin::Env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")));
}

#[test]
fn what_a_web_identity_cannot_carry_is_said() {
    let mut ci = bare("ci");
    ci.role_arn = Some(at(2, ADMIN.parse().unwrap()));
    ci.web_identity = Some(at(3, WebIdentity::File("/token".to_owned())));
    ci.external_id = Some(at(4, "ext".to_owned()));
    ci.source_identity = Some(at(5, "jan".to_owned()));
    let plan = resolve(&[with_length(ci, Duration::from_hours(2))], &stored(&[]), &PlanOptions::default());
    let notes = plan.unwrap().notes;
    let texts: Vec<_> = notes.iter().map(Note::render_text).collect();
    assert_eq!(
        texts,
        [
            "`external_id` of `ci` is not sent: AssumeRoleWithWebIdentity takes none",
            "`source_identity` of `ci` is not sent: AssumeRoleWithWebIdentity takes none",
        ],
        "and the length is, so nothing is said about it"
    );
}

#[test]
fn settings_that_give_no_identity_are_errors_that_name_what_is_missing() {
    let mut no_role = bare("a");
    no_role.web_identity = Some(at(3, WebIdentity::File("/token".to_owned())));
    let sso = |account: Option<&str>, role: Option<&str>| {
        let mut profile = bare("a");
        let sso = Sso {
            session: Some("corp".to_owned()),
            start_url: at(4, "https://corp.awsapps.com/start".to_owned()),
            region: "eu-central-1".parse().unwrap(),
            account_id: account.map(|account| at(5, account.to_owned())),
            role_name: role.map(|role| at(6, role.to_owned())),
            registration_scopes: Vec::new(),
            use_device_code: false,
            urls: Box::default(),
        };
        profile.sso = Some(at(4, sso));
        profile
    };
    for (profile, error, hint) in [
        (no_role, "profile `a` has a web identity token but no `role_arn`", "add `role_arn` to the profile"),
        (
            sso(None, Some("Dev")),
            "profile `a` has SSO settings but no `sso_account_id`",
            "add `sso_account_id` to the profile",
        ),
        (
            sso(Some("111122223333"), None),
            "profile `a` has SSO settings but no `sso_role_name`",
            "add `sso_role_name` to the profile",
        ),
    ] {
        let actual = resolve(&[profile], &stored(&[]), &PlanOptions::default()).unwrap_err();
        assert_eq!((actual.to_string().as_str(), actual.hints()), (error, vec![hint.to_owned()]));
        assert!(actual.origin().is_some());
    }
}

#[test]
fn of_several_identities_in_one_profile_the_sdks_first_wins_and_the_rest_is_named() {
    let mut profile = bare("a");
    profile.role_arn = Some(at(1, ADMIN.parse().unwrap()));
    profile.credential_process = Some(at(2, "login".to_owned()));
    profile.login_session = Some(at(3, "arn:aws:iam::111122223333:user/jan".to_owned()));
    profile.source_profile = Some(at(4, name("jan-work")));
    profile.web_identity = Some(at(5, WebIdentity::File("/token".to_owned())));
    let shadowed = |profile: &Profile| {
        let plan =
            resolve(&[profile.clone(), user("jan-work")], &stored(&["jan-work"]), &PlanOptions::default());
        let notes = plan.unwrap().notes;
        let what = |note: &Note| match note {
            Note::Shadowed { what, by, .. } => Some((*what, *by)),
            _ => None,
        };
        notes.iter().filter_map(what).collect::<Vec<_>>()
    };
    let mut left = vec!["web_identity_token_file", "source_profile", "login_session", "credential_process"];
    let words = ["the web identity", "`source_profile`", "`login_session`", "`credential_process`"];
    for by in words {
        left.remove(0);
        assert_eq!(shadowed(&profile), left.iter().map(|what| (*what, by)).collect::<Vec<_>>());
        match by {
            "the web identity" => profile.web_identity = None,
            "`source_profile`" => profile.source_profile = None,
            _ => profile.login_session = None,
        }
    }
}

#[test]
fn the_tools_that_would_choose_another_source_are_named() {
    let credentials = "[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    let config = "[profile a]\ncredential_process = login\nsso_start_url = https://x.awsapps.com/start\n\
                  sso_region = eu-west-1\nsso_account_id = 444455556666\nsso_role_name = Dev\n";
    let config = Config::parse(config, credentials).unwrap();
    let notes = |stored: &StoredKeys| {
        let overrides = Overrides::default();
        let mut lookup = Lookup::new(&config, &overrides);
        let plan = resolve_plan(&name("a"), &mut lookup, stored, &PlanOptions::default()).unwrap();
        plan.notes.iter().map(Note::render_text).collect::<Vec<_>>()
    };
    assert_eq!(
        notes(&stored(&[])),
        [
            "`aws_access_key_id` of `a` has no effect: SSO comes first; the SDKs for Go and JavaScript use it",
            "`credential_process` of `a` has no effect: SSO comes first",
        ]
    );
    let of_stored = notes(&stored(&["a"]));
    let by = "the stored access key comes first; the SDKs for Python, Java and Rust use it";
    assert!(of_stored.contains(&format!("`sso_session` of `a` has no effect: {by}")), "{of_stored:?}");
}

#[test]
fn keys_of_a_source_profile_in_a_file_end_the_chain() {
    let config = format!(
        "[profile target]\nrole_arn = {ADMIN}\nsource_profile = hub\n\
         [profile hub]\nrole_arn = {AUDITOR}\nsource_profile = far\n\
         aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n[profile far]\n"
    );
    let plan = resolve_text(&config, "target", &[], &stored(&["far"])).unwrap();
    let [Step::AssumeRole(role)] = &plan.steps[..] else { panic!("{:?}", plan.steps) };
    assert_eq!(role.role.value.as_str(), ADMIN);
    assert!(matches!(plan.base, Base::FileKeys { .. }), "{:?}", plan.base);
    let warnings: Vec<_> = plan.notes.iter().filter(|note| note.level() == NoteLevel::Warning).collect();
    assert!(matches!(warnings[..], [Note::RoleOfSourceSkipped { .. }]), "{warnings:?}");
    // A stored key keeps the role of its own profile: it was stored for hatbox.
    let plan = resolve_text(&config, "target", &[], &stored(&["hub", "far"])).unwrap();
    assert_eq!(plan.steps.iter().filter(|step| step.call() == Call::AssumeRole).count(), 2);
    // As the target itself, the profile assumes its role.
    let plan = resolve_text(&config, "hub", &[], &stored(&["far"])).unwrap();
    assert!(matches!(plan.base, Base::StoredKey { .. }), "{:?}", plan.base);
}

#[test]
fn a_source_profile_without_a_role_is_followed_where_nothing_else_is_there() {
    let config = "[profile a]\nsource_profile = b\ncredential_process = login\n[profile b]\n";
    let plan = resolve_text(config, "a", &[], &stored(&["b"])).unwrap();
    assert!(matches!(plan.base, Base::CredentialProcess { .. }), "{:?}", plan.base);
    let config = "[profile a]\nsource_profile = b\n[profile b]\n";
    let plan = resolve_text(config, "a", &[], &stored(&["b"])).unwrap();
    assert!(matches!(plan.base, Base::StoredKey { .. }), "{:?}", plan.base);
}

#[test]
fn an_sso_session_that_only_signs_in_leaves_other_sources_alone() {
    let sso = "sso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n";
    let config = format!("[profile a]\ncredential_process = login\n{sso}");
    let plan = resolve_text(&config, "a", &[], &stored(&[])).unwrap();
    assert!(matches!(plan.base, Base::CredentialProcess { .. }), "{:?}", plan.base);
    let error = resolve_text(&format!("[profile a]\n{sso}"), "a", &[], &stored(&[])).unwrap_err();
    assert_eq!(error.kind(), "incomplete-sso");
}

#[test]
fn what_changes_the_outcome_is_a_warning() {
    let length = Duration::from_hours(2);
    let profiles = [role("spoke", "hub", ADMIN), role("hub", "jan-work", ADMIN), user("jan-work")];
    let plan = plan(&profiles.map(|profile| with_length(profile, length)));
    let note = plan.notes.last().unwrap();
    assert_eq!(note.level(), NoteLevel::Warning);
    assert_eq!(note.origin(), Some(&Origin::Flag("--duration")));
    assert_eq!(
        note.render_text(),
        "`spoke` gets 1h instead of 2h: AWS limits roles assumed from temporary credentials to 1 hour"
    );
}

fn plan_for(purpose: Purpose, sessions: Sessions, profiles: &[Profile]) -> Result<Plan, PlanError> {
    let options = PlanOptions { purpose, sessions, ..PlanOptions::default() };
    resolve(profiles, &stored(&["jan-work"]), &options)
}

#[test]
fn for_iam_a_user_without_a_device_signs_with_the_key_itself() {
    let steps = |profiles: &[Profile]| {
        let plan = plan_for(Purpose::Iam, Sessions::Use, profiles).unwrap();
        plan.steps.iter().map(Step::call).collect::<Vec<_>>()
    };
    assert_eq!(steps(&[bare("jan-work")]), []);
    assert_eq!(steps(&[user("jan-work")]), [Call::GetSessionToken]);
    let roles = [role("admin", "jan-work", ADMIN), user("jan-work")];
    assert_eq!(steps(&roles), [Call::GetSessionToken, Call::AssumeRole]);
}

#[test]
fn without_mfa_no_call_presents_a_code_and_nothing_else_changes() {
    let profiles = [role("admin", "jan-work", ADMIN), user("jan-work")];
    for sessions in [Sessions::Use, Sessions::Skip] {
        let usual = plan_for(Purpose::Use, sessions, &profiles).unwrap();
        let without = plan_for(Purpose::WithoutMfa, sessions, &profiles).unwrap();
        assert!(usual.steps.iter().any(|step| step.mfa().is_some()));
        assert!(without.steps.iter().all(|step| step.mfa().is_none()));
        let calls = |plan: &Plan| plan.steps.iter().map(Step::call).collect::<Vec<_>>();
        assert_eq!(calls(&usual), calls(&without));
        assert_eq!(without.notes, []);
    }
}

#[test]
fn of_the_base_only_there_is_no_step_and_no_word_about_one() {
    let profiles = [role("admin", "jan-work", ADMIN), user("jan-work")];
    let too_long = profiles.map(|profile| with_length(profile, Duration::from_hours(40)));
    assert!(plan_for(Purpose::Use, Sessions::Use, &too_long).is_err());
    let plan = plan_for(Purpose::BaseOnly, Sessions::Use, &too_long).unwrap();
    assert!(plan.steps.is_empty() && plan.notes.is_empty());
    assert!(matches!(plan.base, Base::StoredKey { .. }));
}

#[test]
fn the_environments_keys_travel_in_the_plan_and_what_is_wrong_with_them_is_said() {
    let mut ci = bare("ci");
    ci.credential_source = Some(at(3, CredentialSource::Environment));
    let resolve = |keys| {
        let ambient = Ambient { keys, ..Ambient::default() };
        resolve(&[ci.clone()], &stored(&[]), &PlanOptions { ambient, ..PlanOptions::default() })
    };
    let key = AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "secret").unwrap();
    let plan = resolve(Some(Ok(StaticKeys { key, session_token: None, expires_at: None }))).unwrap();
    let Base::Environment { keys, .. } = &plan.base else { panic!("{:?}", plan.base) };
    assert_eq!(keys.value.key.secret.expose(), "secret");
    assert!(!format!("{plan:?}").contains("secret\""), "the secret is not shown with the plan");
    let error = resolve(Some(Err(AccessKeyError::EmptySecret))).unwrap_err();
    assert!(error.to_string().starts_with("the access key in the environment cannot be used: "));
    assert_eq!(error.origin(), Some(&at(3, ()).origin));
}

#[test]
fn the_environments_keys_are_for_default_alone_and_only_where_it_has_no_identity() {
    let key = AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "secret").unwrap();
    let keys = Some(Ok(StaticKeys { key, session_token: None, expires_at: None }));
    let options = PlanOptions { ambient: Ambient { keys, ..Ambient::default() }, ..PlanOptions::default() };
    let resolve = |text: &str, target: &str, with_key: &[&str]| {
        let (config, overrides) = (Config::parse(text, "").unwrap(), Overrides::default());
        resolve_plan(&name(target), &mut Lookup::new(&config, &overrides), &stored(with_key), &options)
    };
    for text in ["", "[default]\nregion = eu-west-1\n"] {
        let plan = resolve(text, "default", &[]).unwrap();
        let Base::Environment { keys, .. } = &plan.base else { panic!("{:?}", plan.base) };
        assert_eq!(keys.origin, Origin::Env("AWS_ACCESS_KEY_ID"));
    }
    let stored_key = resolve("", "default", &["default"]).unwrap().base;
    assert!(matches!(stored_key, Base::StoredKey { .. }), "{stored_key:?}");
    let process = resolve("[default]\ncredential_process = x\n", "default", &[]).unwrap().base;
    assert!(matches!(process, Base::CredentialProcess { .. }), "{process:?}");
    // Keys in the environment belong to no profile, so they serve no other profile and no source profile.
    for text in ["", "[profile other]\n"] {
        resolve(text, "other", &[]).unwrap_err();
    }
    let above = format!("[profile above]\nrole_arn = {ADMIN}\nsource_profile = default\n[default]\n");
    resolve(&above, "above", &[]).unwrap_err();
}
