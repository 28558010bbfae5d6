//! The MFA keys that a trust policy sees, by the credentials of the call; and permissions that both sides must grant.

use hatbox_sandbox::world::{MFA_SERIAL, PEOPLE_ACCOUNT, USER};

use crate::client::{OPEN, Sandbox, policy};

const X: &str = "arn:aws:iam::444455556666:role/x";

/// | condition | access key | access key with a code | session | session with a code | role |
///
/// A call by access key has no MFA keys at all, that of a user session has `true` or `false`, and that of a role
/// `false`.
const MFA: [(&str, [bool; 5]); 8] = [
    (r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#, [false, true, false, true, false]),
    (r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#, [false, false, true, false, true]),
    (r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#, [true, true, false, true, false]),
    (r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}"#, [true, false, true, false, true]),
    (r#""Null":{"aws:MultiFactorAuthPresent":"true"}"#, [true, false, false, false, false]),
    (r#""Null":{"aws:MultiFactorAuthAge":"false"}"#, [false, true, false, true, false]),
    (r#""NumericEquals":{"aws:MultiFactorAuthAge":"0"}"#, [false, true, false, false, false]),
    (r#""NumericGreaterThan":{"aws:MultiFactorAuthAge":"50"}"#, [false, false, false, true, false]),
];

#[test]
fn mfa_is_seen_by_what_signed_the_call() {
    for (condition, given) in MFA {
        let mut sandbox = Sandbox::with_role(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"111122223333"}},"Action":"sts:AssumeRole","Condition":{{{condition}}}}}"#
        ));
        let code = sandbox.fresh_code();
        let with = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
        let of_code = sandbox.sts(&sandbox.jan, "GetSessionToken", &with).keys();
        let plain = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
        let role = sandbox.assume(&of_code, OPEN, &[]).keys();
        sandbox.advance(60);
        let code = sandbox.fresh_code();
        let with = [("SerialNumber", MFA_SERIAL), ("TokenCode", code.as_str())];
        let took = [
            sandbox.assume(&sandbox.jan, X, &[]),
            sandbox.assume(&sandbox.jan, X, &with),
            sandbox.assume(&plain, X, &[]),
            sandbox.assume(&of_code, X, &[]),
            sandbox.assume(&role, X, &[]),
        ];
        assert_eq!(took.map(|answer| answer.status == 200), given, "{condition}");
    }
}

#[test]
fn tags_and_a_source_identity_must_be_allowed_on_the_caller_s_side_too() {
    let tag = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let identity = [("SourceIdentity", "jan.doe")];
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}"#;
    for (action, params) in [("sts:TagSession", &tag[..]), ("sts:SetSourceIdentity", &identity)] {
        for (allowed, is_given) in
            [(r#""sts:AssumeRole""#.to_owned(), false), (format!(r#""sts:AssumeRole","{action}""#), true)]
        {
            let sandbox = Sandbox::start_with(|world| {
                let user = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap();
                let own = policy(&format!(r#"{{"Effect":"Allow","Action":[{allowed}],"Resource":"*"}}"#));
                user.policies = [("own".to_owned(), own)].into();
                let roles = &mut world.accounts.get_mut("444455556666").unwrap().roles;
                roles.insert("x".to_owned(), crate::client::role(trust, &[]));
            });
            let answer = sandbox.assume(&sandbox.jan, X, params);
            assert_eq!(answer.status == 200, is_given, "{action}: {}", answer.body);
            if !is_given {
                assert!(answer.text("Message").contains(&format!("not authorized to perform: {action} ")));
            }
            sandbox.assume(&sandbox.jan, X, &[]).ok();
        }
    }
}
