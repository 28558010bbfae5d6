//! MFA codes: valid, wrong, used, or of another user; and their effect on later calls.

use hatbox_sandbox::world::{MFA_SERIAL, MfaDevice, PEOPLE_ACCOUNT, WorldSecret};

use crate::client::{ADMIN, JAN, Sandbox};

const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
const SERIAL: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
const BOTH: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const REFUSED: &str = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/dev-infra-admin";

fn with(code: &str) -> [(&'static str, &str); 2] {
    [("SerialNumber", MFA_SERIAL), ("TokenCode", code)]
}

#[test]
fn a_role_that_wants_mfa_is_given_with_a_code_and_not_without() {
    let mut sandbox = Sandbox::start();
    sandbox.assume(&sandbox.jan, ADMIN, &[]).refused(403, "AccessDenied", REFUSED);
    let code = sandbox.fresh_code();
    let answer = sandbox.assume(&sandbox.jan, ADMIN, &with(&code));
    let arn = "arn:aws:sts::444455556666:assumed-role/dev-infra-admin/me";
    assert_eq!(answer.ok().text("Arn"), arn);
    let entries = sandbox.control().log(0).unwrap();
    let shown: Vec<_> = entries.iter().map(|entry| (entry.mfa_present, entry.is_allowed())).collect();
    assert_eq!(shown, [(None, false), (Some(true), true)]);
}

#[test]
fn a_code_works_once() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).refused(403, "AccessDenied", WRONG);
    sandbox.assume(&sandbox.jan, ADMIN, &with(&code)).refused(403, "AccessDenied", WRONG);
    let next = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&next)).ok();
}

#[test]
fn a_used_code_stays_used_over_a_restart() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
    sandbox.restart();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).refused(403, "AccessDenied", WRONG);
    let next = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&next)).ok();
}

#[test]
fn a_code_is_used_up_by_a_call_that_is_refused_for_another_reason() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    let missing = "arn:aws:iam::444455556666:role/missing";
    assert_eq!(sandbox.assume(&sandbox.jan, missing, &with(&code)).status, 403);
    sandbox.assume(&sandbox.jan, ADMIN, &with(&code)).refused(403, "AccessDenied", WRONG);
}

#[test]
fn a_code_of_the_step_before_is_taken_and_an_older_one_is_not() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    sandbox.advance(61);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).refused(403, "AccessDenied", WRONG);
    let code = sandbox.fresh_code();
    sandbox.advance(29);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
}

#[test]
fn a_code_of_the_next_step_is_taken_and_one_further_ahead_is_not() {
    let mut sandbox = Sandbox::start();
    let ahead = |sandbox: &mut Sandbox, seconds: i64| {
        sandbox.leave_the_edge();
        sandbox.advance(seconds);
        let code = sandbox.control().code(MFA_SERIAL).unwrap().code;
        sandbox.advance(-seconds);
        code
    };
    let code = ahead(&mut sandbox, 60);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).refused(403, "AccessDenied", WRONG);
    let code = ahead(&mut sandbox, 30);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
}

#[test]
fn a_code_older_than_the_last_one_taken_is_refused() {
    let mut sandbox = Sandbox::start();
    let first = sandbox.fresh_code();
    sandbox.advance(30);
    let second = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&second)).ok();
    // Unused and still within the accepted steps, but older than the last accepted code.
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&first)).refused(403, "AccessDenied", WRONG);
    let third = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&third)).ok();
}

#[test]
fn a_wrong_code_is_refused() {
    let mut sandbox = Sandbox::start();
    let right = sandbox.fresh_code();
    let digit = if right.starts_with('0') { "1" } else { "0" };
    let wrong = format!("{digit}{}", &right[1..]);
    let answer = sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&wrong));
    answer.refused(403, "AccessDenied", WRONG);
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&right)).ok();
}

#[test]
fn serial_and_code_come_together_or_not_at_all() {
    let mut sandbox = Sandbox::start();
    let code = sandbox.fresh_code();
    for one in with(&code) {
        sandbox.sts(&sandbox.jan, "GetSessionToken", &[one]).refused(403, "AccessDenied", BOTH);
        sandbox.assume(&sandbox.jan, ADMIN, &[one]).refused(403, "AccessDenied", BOTH);
    }
    sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).ok();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
}

#[test]
fn a_serial_must_be_that_of_a_device_of_the_caller() {
    const OTHERS: &str = "arn:aws:iam::111122223333:mfa/bob";
    const NOBODYS: &str = "arn:aws:iam::111122223333:mfa/spare";
    let mut sandbox = Sandbox::start_with(|world| {
        let devices = &mut world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().mfa_devices;
        for (serial, user) in [(OTHERS, Some("bob".to_owned())), (NOBODYS, None)] {
            let seed = WorldSecret::new("GEZDGNBVGY3TQOJQ".to_owned());
            devices.insert(serial.to_owned(), MfaDevice { seed, user, enabled_at: None, last_step: None });
        }
    });
    for serial in [OTHERS, NOBODYS, "arn:aws:iam::111122223333:mfa/none", JAN, "GAHT12345678"] {
        let code = sandbox.control().code(serial).map_or("123456".to_owned(), |shown| shown.code);
        let params = [("SerialNumber", serial), ("TokenCode", code.as_str())];
        sandbox.sts(&sandbox.jan, "GetSessionToken", &params).refused(403, "AccessDenied", SERIAL);
    }
    let code = sandbox.fresh_code();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).ok();
}

#[test]
fn a_session_of_a_code_carries_mfa_into_assume_role_and_one_without_does_not() {
    let mut sandbox = Sandbox::start();
    let without = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    sandbox.assume(&without, ADMIN, &[]).refused(403, "AccessDenied", REFUSED);
    let code = sandbox.fresh_code();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).keys();
    sandbox.assume(&session, ADMIN, &[]).ok();
}

#[test]
fn the_age_of_mfa_counts_from_the_code() {
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole",
        "Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}"#;
    let role = "arn:aws:iam::444455556666:role/x";
    let mut sandbox = Sandbox::with_role(trust);
    assert_eq!(sandbox.assume(&sandbox.jan, role, &[]).status, 403, "access keys have no age");
    let code = sandbox.fresh_code();
    sandbox.assume(&sandbox.jan, role, &with(&code)).ok();
    let code = sandbox.fresh_code();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).keys();
    sandbox.advance(3500);
    sandbox.assume(&session, role, &[]).ok();
    sandbox.advance(150);
    assert_eq!(sandbox.assume(&session, role, &[]).text("Code"), "AccessDenied");
}

#[test]
fn a_role_session_never_carries_mfa() {
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"sts:AssumeRole",
        "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    let role = "arn:aws:iam::111122223333:role/x";
    let mut sandbox = Sandbox::start_with(|world| {
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let roles = &mut world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().roles;
        roles.insert("x".to_owned(), crate::client::role(trust, &[all]));
    });
    let code = sandbox.fresh_code();
    let first = sandbox.assume(&sandbox.jan, role, &with(&code)).keys();
    assert_eq!(sandbox.assume(&first, role, &[]).text("Code"), "AccessDenied");
    let log = sandbox.control().log(0).unwrap();
    assert_eq!(log.last().unwrap().mfa_present, Some(false));
    let code = sandbox.fresh_code();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &with(&code)).keys();
    sandbox.assume(&session, role, &[]).ok();
}
