//! `hatbox mfa list`: lists a user's devices, whether they give codes, and the profiles that use them.

use std::collections::BTreeMap;

use hatbox_core::plan::Purpose;
use hatbox_types::arn::Arn;
use hatbox_types::name::{MfaSerial, ProfileName};
use hatbox_types::text::page::{Page, Style};
use hatbox_types::text::shell::quote_word;
use serde_json::{Value, json};

use super::serial_of;
use crate::args::{GlobalArgs, MfaListArgs, SessionArgs};
use crate::aws::iam::MfaDevice;
use crate::credentials::plan::Planning;
use crate::credentials::request::resolve_session;
use crate::errors::Failure;
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::iam::{LiveUser, open_user};
use crate::keys::KeyStore;
use crate::output;
use crate::world::World;

/// The kind of a device, derived from its serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    /// An authenticator app, or hatbox with a stored seed: `...:mfa/NAME`.
    Virtual,
    /// A device that displays codes, whose serial number is not an ARN.
    Hardware,
    /// A security key or passkey: `...:u2f/...`. It gives no codes, which are all that STS accepts.
    SecurityKey,
}

impl DeviceKind {
    fn of_serial(serial: &MfaSerial) -> Self {
        match serial.arn() {
            None => Self::Hardware,
            Some(_) if serial.has_codes() => Self::Virtual,
            Some(_) => Self::SecurityKey,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Hardware => "hardware",
            Self::SecurityKey => "security-key",
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Virtual => "virtual device",
            Self::Hardware => "hardware device",
            Self::SecurityKey => "security key or passkey",
        }
    }

    fn has_codes(self) -> bool {
        self != Self::SecurityKey
    }
}

/// A device and the profiles that use it.
struct Row {
    device: MfaDevice,
    kind: DeviceKind,
    profiles: Vec<ProfileName>,
    /// `None` if the store is locked.
    has_seed: Option<bool>,
}

struct Listing {
    user: String,
    rows: Vec<Row>,
    /// Profiles of this user that name a device that the user does not have.
    unknown: Vec<(ProfileName, MfaSerial)>,
}

pub(super) fn run(world: &World, global: &GlobalArgs, args: &MfaListArgs) -> Result<(), Failure> {
    let mut user = open_user(world, global, args.profile.as_deref())?;
    let devices = user.fetch_devices_with_mfa(world, global)?;
    let files = load_config(world)?;
    let mut store = KeyStore::open(world, global)?;
    let listing = Listing {
        unknown: find_unknown(world, global, &files, &mut store, &user, &devices)?,
        rows: rows(&files, &mut store, devices)?,
        user: user.arn.clone(),
    };
    if args.json {
        return Ok(world.output.data(&format!("{:#}\n", listing.render_json()))?);
    }
    world.output.page(&output::render_page(&listing.render_page()))?;
    listing.print_hints(world, &user);
    Ok(())
}

fn rows(files: &ConfigFiles, store: &mut KeyStore, devices: Vec<MfaDevice>) -> Result<Vec<Row>, Failure> {
    let mut by_serial: BTreeMap<MfaSerial, Vec<ProfileName>> = BTreeMap::new();
    for profile in files.config.profile_names() {
        if let Some(serial) = serial_of(files, &profile) {
            by_serial.entry(serial).or_default().push(profile);
        }
    }
    let has_seeds = store.seeds_if_known()?.map(|seeds| !seeds.is_empty());
    let mut rows = Vec::new();
    for device in devices {
        let has_seed = match has_seeds {
            // Only the seed's item says which device it belongs to.
            Some(true) => Some(store.find_seed(&device.serial, &[])?.is_some()),
            known => known,
        };
        rows.push(Row {
            kind: DeviceKind::of_serial(&device.serial),
            profiles: by_serial.get(&device.serial).cloned().unwrap_or_default(),
            has_seed,
            device,
        });
    }
    Ok(rows)
}

/// Finds profiles that use the same key but name a device of another user, or none that exists.
fn find_unknown(
    world: &World,
    global: &GlobalArgs,
    files: &ConfigFiles,
    store: &mut KeyStore,
    user: &LiveUser,
    devices: &[MfaDevice],
) -> Result<Vec<(ProfileName, MfaSerial)>, Failure> {
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let index = store.index_if_known()?;
    let planning = Planning::new(world, files, &request, index.as_ref(), Purpose::Use);
    let is_users = |profile: &ProfileName| {
        let key = |plan: &hatbox_core::plan::Plan| plan.base.access_key_id().cloned();
        planning
            .resolve_quietly(profile)
            .is_ok_and(|plan| key(&plan).is_some() && key(&plan) == key(&user.plan))
    };
    let named = files.config.profile_names().into_iter().filter_map(|profile| {
        let serial = serial_of(files, &profile)?;
        Some((profile, serial))
    });
    Ok(named
        .filter(|(_, serial)| !devices.iter().any(|device| device.serial == *serial))
        .filter(|(profile, _)| is_users(profile))
        .collect())
}

impl Listing {
    /// ```text
    /// arn:aws:iam::111122223333:mfa/jan
    ///   virtual device, enabled 2026-11-29, TOTP seed stored
    ///   used by jan-work, dev-infra-admin
    /// ```
    fn render_page(&self) -> Page {
        let mut page = Page::default();
        if self.rows.is_empty() {
            page.plain(&format!("{} has no MFA device.", self.user));
        }
        for row in &self.rows {
            page.line(&[(row.device.serial.as_str(), Style::Strong)]);
            let mut about = row.kind.shown().to_owned();
            if let Some(at) = row.device.enabled_at {
                about.push_str(&format!(", enabled {}", at.strftime("%Y-%m-%d")));
            }
            if row.has_seed == Some(true) {
                about.push_str(", TOTP seed stored");
            }
            page.plain(&format!("  {about}"));
            let profiles: Vec<_> = row.profiles.iter().map(ProfileName::as_str).collect();
            match (row.kind.has_codes(), profiles.is_empty()) {
                (_, false) => page.plain(&format!("  used by {}", profiles.join(", "))),
                (true, true) => page.plain("  used by no profile"),
                (false, true) => page.plain("  gives no codes, and STS accepts only codes"),
            }
        }
        page
    }

    fn print_hints(&self, world: &World, user: &LiveUser) {
        let name = quote_word(user.profile.as_str());
        if self.rows.iter().any(|row| !row.kind.has_codes()) {
            world.output.note("security keys and passkeys do not work with STS, which accepts only codes");
        }
        for (profile, serial) in &self.unknown {
            world.output.warn(&format!(
                "`mfa_serial` of profile `{profile}` is {serial}, which is not a device of {}",
                user.name()
            ));
        }
        if !self.rows.iter().any(|row| row.kind.has_codes()) {
            world.output.hint(&format!("hatbox mfa register {name}"));
        }
    }

    fn render_json(&self) -> Value {
        let devices = self.rows.iter().map(|row| {
            json!({
                "serial": row.device.serial.as_str(),
                "kind": row.kind.as_str(),
                "codes": row.kind.has_codes(),
                "enabled_at": row.device.enabled_at.map(|at| at.to_string()),
                "profiles": row.profiles.iter().map(ProfileName::as_str).collect::<Vec<_>>(),
                "seed_stored": row.has_seed,
            })
        });
        let unknown = self
            .unknown
            .iter()
            .map(|(profile, serial)| json!({ "profile": profile.as_str(), "serial": serial.as_str() }));
        json!({
            "user": self.user,
            "account": Arn::parse(&self.user).map(|arn| arn.account),
            "devices": devices.collect::<Vec<_>>(),
            "not_devices": unknown.collect::<Vec<_>>(),
        })
    }
}
