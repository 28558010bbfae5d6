//! Backups of changed trust policies: one file per change, from which it can be restored.

use std::path::{Path, PathBuf};

use hatbox_types::arn::Arn;
use hatbox_types::name::RoleArn;
use serde_json::{Value, json};

use crate::aws::iam::RoleFacts;
use crate::errors::{Failure, FailureKind};
use crate::sys::files::{FileError, make_private_directory, read_private, write_new};
use crate::sys::format_version::is_newer_json;
use crate::world::World;

/// The version of the format.
const SCHEMA: u32 = 1;
/// In bytes. A trust policy has at most 4,096 characters.
const LIMIT: u64 = 1 << 20;

/// A saved trust policy.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) role: RoleArn,
    pub(crate) trust: String,
}

/// Saves the current trust policy of `role`. Returns the path of the file, which is private.
pub(crate) fn save_backup(world: &World, role: &RoleFacts) -> Result<PathBuf, Failure> {
    let directory = world.dirs.trust_backups();
    make_private_directory(&directory)?;
    let now = world.clock.now();
    let account = Arn::parse(&role.arn).map_or("", |arn| arn.account);
    let mut name = format!("{account}-{}-{}", role.name, now.strftime("%Y%m%dT%H%M%SZ"));
    let kept = json!({
        "schema": SCHEMA,
        "role": role.arn,
        "saved": now.to_string(),
        "trust_policy": role.trust,
    });
    let bytes = format!("{kept:#}\n").into_bytes();
    loop {
        let path = directory.join(format!("{name}.json"));
        match write_new(&path, &bytes) {
            Err(FileError::Exists(_)) => name.push('b'),
            result => return result.map(|()| path).map_err(Failure::from),
        }
    }
}

/// Loads a file of [`save_backup`].
pub(crate) fn load_backup(path: &Path) -> Result<Backup, Failure> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bytes = read_private(&path, LIMIT)?;
    if is_newer_json(&bytes, SCHEMA.into()) {
        return Err(FileError::newer(&path).into());
    }
    parse_backup(&bytes).ok_or_else(|| {
        let error = format!("`{}` is not a backup of a trust policy", path.display());
        Failure::new(FailureKind::Usage, error)
    })
}

fn parse_backup(bytes: &[u8]) -> Option<Backup> {
    let kept: Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| kept.get(name)?.as_str();
    (kept.get("schema")?.as_u64()? == u64::from(SCHEMA)).then_some(())?;
    Some(Backup { role: RoleArn::parse(text("role")?).ok()?, trust: text("trust_policy")?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_kept_is_a_backup() {
        let good = r#"{"schema":1,"role":"arn:aws:iam::444455556666:role/Ops","trust_policy":"{}"}"#;
        assert_eq!(parse_backup(good.as_bytes()).unwrap().trust, "{}");
        for bad in [
            "",
            "[]",
            &good.replace(":1,", ":2,"),
            &good.replace("role/Ops", "user/Ops"),
            &good.replace(r#""{}""#, "{}"),
        ] {
            assert!(parse_backup(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
