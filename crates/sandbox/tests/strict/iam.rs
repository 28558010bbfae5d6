//! IAM: setting up tests, rotating keys, and the required permissions.

use hatbox_sandbox::world::{MFA_SERIAL, PEOPLE_ACCOUNT, USER, World};

use crate::client::{AUDITOR, Keys, OPEN, Sandbox, policy};

/// Starts a sandbox with jan as in the demo world, who may only manage his own keys.
fn plain() -> Sandbox {
    Sandbox::start_with(|world| {
        world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap().policies.remove("all");
    })
}

fn key_of(answer: &crate::client::Answer) -> Keys {
    Keys { id: answer.text("AccessKeyId"), secret: answer.text("SecretAccessKey"), token: None }
}

#[test]
fn a_key_is_rotated_by_its_own_user() {
    let sandbox = plain();
    let new = key_of(sandbox.iam(&sandbox.jan, "CreateAccessKey", &[]).ok());
    let text = "Cannot exceed quota for AccessKeysPerUser: 2";
    sandbox.iam(&new, "CreateAccessKey", &[]).refused(409, "LimitExceeded", text);
    let old = [("AccessKeyId", sandbox.jan.id.as_str()), ("Status", "Inactive")];
    sandbox.iam(&new, "UpdateAccessKey", &old).ok();
    assert_eq!(sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).text("Code"), "InvalidClientTokenId");
    let used = sandbox.iam(&new, "GetAccessKeyLastUsed", &old[..1]);
    assert_eq!((used.ok().text("UserName").as_str(), used.text("ServiceName").as_str()), (USER, "iam"));
    let listed = sandbox.iam(&new, "ListAccessKeys", &[]);
    assert_eq!(listed.ok().body.matches("<member>").count(), 2);
    assert!(!listed.body.contains("SecretAccessKey"));
    sandbox.iam(&new, "DeleteAccessKey", &old[..1]).ok();
    assert_eq!(sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).text("Code"), "InvalidClientTokenId");
    let text = format!("The Access Key with id {} cannot be found.", sandbox.jan.id);
    sandbox.iam(&new, "DeleteAccessKey", &old[..1]).refused(404, "NoSuchEntity", &text);
    sandbox.iam(&new, "CreateAccessKey", &[]).ok();
    sandbox.sts(&new, "GetCallerIdentity", &[]).ok();
}

#[test]
fn a_user_may_do_what_the_policies_allow_and_no_more() {
    let sandbox = plain();
    sandbox.iam(&sandbox.jan, "GetUser", &[]).ok();
    let text = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::111122223333:user/ because no identity-based policy allows the iam:ListUsers action";
    sandbox.iam(&sandbox.jan, "ListUsers", &[]).refused(403, "AccessDenied", text);
    // The error for another user's keys does not reveal whether bob exists.
    assert_eq!(
        sandbox.iam(&sandbox.jan, "ListAccessKeys", &[("UserName", "bob")]).text("Code"),
        "AccessDenied"
    );
    for action in ["CreateUser", "DeleteUser", "PutUserPolicy", "CreateRole", "DeactivateMFADevice"] {
        let params = [
            ("SerialNumber", "arn:aws:iam::111122223333:mfa/jan"),
            ("UserName", "jan"),
            ("RoleName", "x"),
            ("PolicyName", "p"),
            ("PolicyDocument", "{}"),
            ("AssumeRolePolicyDocument", r#"{"Version":"2012-10-17","Statement":[]}"#),
        ];
        let answer = sandbox.iam(&sandbox.jan, action, &params);
        assert_eq!(answer.text("Code"), "AccessDenied", "{action}: {}", answer.body);
    }
}

#[test]
fn a_role_parameter_does_not_turn_a_call_about_a_user_into_one_about_a_role() {
    let sandbox = Sandbox::start_with(|world| {
        let jan = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap();
        jan.policies.remove("all");
        let only = r#"{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}"#;
        jan.policies.insert("put".to_owned(), policy(only));
    });
    let document = policy(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let params =
        [("UserName", "jan"), ("RoleName", "open"), ("PolicyName", "new"), ("PolicyDocument", &document)];
    sandbox.iam(&sandbox.jan, "PutUserPolicy", &params).ok();
    let names = sandbox.iam(&sandbox.jan, "ListRolePolicies", &[("RoleName", "open")]).ok().body.clone();
    assert!(!names.contains("<member>new</member>"), "{names}");
}

#[test]
fn iam_wants_a_long_lived_key_or_a_session_with_mfa() {
    let mut sandbox = Sandbox::start();
    let text = "The security token included in the request is invalid";
    let without = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    sandbox.iam(&without, "GetUser", &[]).refused(403, "InvalidClientTokenId", text);
    let code = sandbox.fresh_code();
    let params = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
    let with = sandbox.sts(&sandbox.jan, "GetSessionToken", &params).keys();
    assert_eq!(sandbox.iam(&with, "GetUser", &[]).ok().text("UserName"), USER);
    let role = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    sandbox.iam(&role, "GetUser", &[("UserName", USER)]).ok();
}

#[test]
fn a_user_is_made_given_a_policy_and_a_key_and_removed_from_the_inside_out() {
    let sandbox = Sandbox::start();
    let bob = [("UserName", "bob"), ("Path", "/team/")];
    let made = sandbox.iam(&sandbox.jan, "CreateUser", &bob);
    assert_eq!(made.ok().text("Arn"), "arn:aws:iam::111122223333:user/team/bob");
    let text = "User with name bob already exists.";
    sandbox.iam(&sandbox.jan, "CreateUser", &bob).refused(409, "EntityAlreadyExists", text);
    let key = key_of(sandbox.iam(&sandbox.jan, "CreateAccessKey", &bob[..1]).ok());
    assert_eq!(sandbox.sts(&key, "GetCallerIdentity", &[]).text("Arn"), made.text("Arn"));
    assert_eq!(sandbox.assume(&key, AUDITOR, &[]).status, 403);
    let document = policy(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#);
    let put = [bob[0], ("PolicyName", "roles"), ("PolicyDocument", &document)];
    sandbox.iam(&sandbox.jan, "PutUserPolicy", &put).ok();
    sandbox.assume(&key, AUDITOR, &[]).ok();
    let got = sandbox.iam(&sandbox.jan, "GetUserPolicy", &put[..2]);
    assert!(got.ok().text("PolicyDocument").starts_with("%7B%22Version%22"));
    assert!(sandbox.iam(&sandbox.jan, "ListUsers", &[]).body.contains("<UserName>bob</UserName>"));
    assert_eq!(sandbox.iam(&sandbox.jan, "DeleteUser", &bob[..1]).text("Code"), "DeleteConflict");
    sandbox.iam(&sandbox.jan, "DeleteAccessKey", &[bob[0], ("AccessKeyId", &key.id)]).ok();
    assert_eq!(sandbox.iam(&sandbox.jan, "DeleteUser", &bob[..1]).text("Code"), "DeleteConflict");
    sandbox.iam(&sandbox.jan, "DeleteUserPolicy", &put[..2]).ok();
    sandbox.iam(&sandbox.jan, "DeleteUser", &bob[..1]).ok();
    let text = "The user with name bob cannot be found.";
    sandbox.iam(&sandbox.jan, "GetUser", &bob[..1]).refused(404, "NoSuchEntity", text);
    assert_eq!(sandbox.sts(&key, "GetCallerIdentity", &[]).text("Code"), "InvalidClientTokenId");
}

#[test]
fn a_device_is_enabled_by_two_consecutive_codes() {
    let mut sandbox = Sandbox::start();
    let serial = "arn:aws:iam::111122223333:mfa/phone";
    let made = sandbox.iam(&sandbox.jan, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]);
    assert_eq!(made.ok().text("SerialNumber"), serial);
    assert!(!made.text("Base32StringSeed").is_empty());
    sandbox.leave_the_edge();
    let code = |sandbox: &Sandbox| sandbox.control().code(serial).unwrap().code;
    let first = code(&sandbox);
    sandbox.advance(30);
    let second = code(&sandbox);
    sandbox.advance(30);
    let third = code(&sandbox);
    let enable = |one: &str, two: &str| {
        let codes = [("AuthenticationCode1", one), ("AuthenticationCode2", two)];
        sandbox.iam(
            &sandbox.jan,
            "EnableMFADevice",
            &[("UserName", "jan"), ("SerialNumber", serial), codes[0], codes[1]],
        )
    };
    for (one, two, why) in [
        (&first, &third, "not consecutive"),
        (&second, &first, "the wrong way round"),
        (&third, &third, "the same"),
    ] {
        assert_eq!(enable(one, two).text("Code"), "InvalidAuthenticationCode", "{why}");
    }
    enable(&second, &third).ok();
    assert_eq!(enable(&second, &third).text("Code"), "EntityAlreadyExists");
    let listed = sandbox.iam(&sandbox.jan, "ListMFADevices", &[]);
    assert_eq!(listed.ok().body.matches("<SerialNumber>").count(), 2);
    // The codes that enabled the device are used up.
    let used = [("SerialNumber", serial), ("TokenCode", third.as_str())];
    assert_eq!(sandbox.sts(&sandbox.jan, "GetSessionToken", &used).status, 403);
    sandbox.advance(30);
    let fresh = code(&sandbox);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &[("SerialNumber", serial), ("TokenCode", &fresh)]).ok();
    let device = [("UserName", "jan"), ("SerialNumber", serial)];
    assert_eq!(
        sandbox.iam(&sandbox.jan, "DeleteVirtualMFADevice", &device[1..]).text("Code"),
        "DeleteConflict"
    );
    sandbox.iam(&sandbox.jan, "DeactivateMFADevice", &device).ok();
    sandbox.iam(&sandbox.jan, "DeleteVirtualMFADevice", &device[1..]).ok();
    assert_eq!(sandbox.iam(&sandbox.jan, "DeactivateMFADevice", &device).text("Code"), "NoSuchEntity");
}

#[test]
fn a_role_is_made_trusted_and_removed() {
    let sandbox = Sandbox::start();
    let nobody = policy(r#"{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}"#);
    let jan = policy(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/jan"},"Action":"sts:AssumeRole"}"#,
    );
    let name = ("RoleName", "new");
    let made = sandbox.iam(&sandbox.jan, "CreateRole", &[name, ("AssumeRolePolicyDocument", &nobody)]);
    let arn = made.ok().text("Arn");
    assert_eq!(arn, "arn:aws:iam::111122223333:role/new");
    assert_eq!(sandbox.assume(&sandbox.jan, &arn, &[]).status, 403);
    sandbox.iam(&sandbox.jan, "UpdateAssumeRolePolicy", &[name, ("PolicyDocument", &jan)]).ok();
    sandbox.assume(&sandbox.jan, &arn, &[]).ok();
    let two_hours = [("DurationSeconds", "7200")];
    assert_eq!(sandbox.assume(&sandbox.jan, &arn, &two_hours).text("Code"), "ValidationError");
    sandbox.iam(&sandbox.jan, "UpdateRole", &[name, ("MaxSessionDuration", "7200")]).ok();
    sandbox.assume(&sandbox.jan, &arn, &two_hours).ok();
    assert_eq!(sandbox.iam(&sandbox.jan, "GetRole", &[name]).text("MaxSessionDuration"), "7200");
    let put = [name, ("PolicyName", "p"), ("PolicyDocument", &jan)];
    sandbox.iam(&sandbox.jan, "PutRolePolicy", &put[..2]).refused(400, "ValidationError", "1 validation error detected: Value null at 'policyDocument' failed to satisfy constraint: Member must not be null");
    let bad = [name, ("PolicyName", "p"), ("PolicyDocument", "{")];
    assert_eq!(sandbox.iam(&sandbox.jan, "PutRolePolicy", &bad).text("Code"), "MalformedPolicyDocument");
    sandbox.iam(&sandbox.jan, "PutRolePolicy", &put).ok();
    assert_eq!(sandbox.iam(&sandbox.jan, "DeleteRole", &[name]).text("Code"), "DeleteConflict");
    sandbox.iam(&sandbox.jan, "DeleteRolePolicy", &put[..2]).ok();
    sandbox.iam(&sandbox.jan, "DeleteRole", &[name]).ok();
    assert_eq!(sandbox.iam(&sandbox.jan, "GetRole", &[name]).text("Code"), "NoSuchEntity");
}

#[test]
fn keys_made_here_carry_the_sandbox_mark() {
    let sandbox = Sandbox::start();
    let made = key_of(sandbox.iam(&sandbox.jan, "CreateAccessKey", &[]).ok());
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let id = sandbox.control().id().to_owned();
    for key in [&sandbox.jan, &made, &session] {
        let parsed = hatbox_types::name::AccessKeyId::parse(&key.id).unwrap();
        assert!(hatbox_types::sandbox_key::is_minted_by(&parsed, &id), "{}", key.id);
        assert!(!hatbox_types::sandbox_key::is_minted_by(&parsed, &World::empty().unwrap().id));
    }
}
