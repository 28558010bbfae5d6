//! The default lifetime of credentials, and its limits.

use hatbox_sandbox::world::PEOPLE_ACCOUNT;

use crate::client::{AUDITOR, Keys, Sandbox};

fn granted(sandbox: &Sandbox, keys: &Keys, action: &str, length: Option<&str>) -> Option<i64> {
    let mut params = match action {
        "AssumeRole" => vec![("RoleArn", AUDITOR), ("RoleSessionName", "me")],
        "GetFederationToken" => vec![("Name", "jo")],
        _ => Vec::new(),
    };
    params.extend(length.map(|length| ("DurationSeconds", length)));
    sandbox.sts(keys, action, &params).ok();
    sandbox.control().log(0).unwrap().last().unwrap().granted_seconds
}

#[test]
fn a_length_that_was_not_asked_for_is_the_usual_one_and_the_root_user_s_is_capped() {
    let mut root = None;
    let sandbox = Sandbox::start_with(|world| {
        let key = world.mint_key(jiff::Timestamp::UNIX_EPOCH).unwrap();
        root = Some(Keys { id: key.id.clone(), secret: key.secret.expose().to_owned(), token: None });
        world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().root_keys.push(key);
    });
    let (jan, root) = (sandbox.jan.clone(), root.unwrap());
    for (keys, action, length, seconds) in [
        (&jan, "AssumeRole", None, 3600),
        (&jan, "AssumeRole", Some("900"), 900),
        (&jan, "GetSessionToken", None, 43_200),
        (&jan, "GetSessionToken", Some("129600"), 129_600),
        (&jan, "GetFederationToken", None, 43_200),
        (&jan, "GetFederationToken", Some("129600"), 129_600),
        (&root, "GetSessionToken", None, 3600),
        (&root, "GetSessionToken", Some("900"), 900),
        (&root, "GetFederationToken", None, 3600),
        (&root, "GetFederationToken", Some("7200"), 3600),
        (&root, "GetFederationToken", Some("900"), 900),
    ] {
        assert_eq!(granted(&sandbox, keys, action, length), Some(seconds), "{action} {length:?}");
    }
}
