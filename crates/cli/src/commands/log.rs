//! `hatbox log`: prints the audit log, filtered.

use hatbox_types::duration::parse_duration;
use hatbox_types::name::RoleArn;
use hatbox_types::text::glob::matches_glob;
use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::args::LogArgs;
use crate::errors::{Failure, FailureKind};
use crate::files::audit_log::{AuditEntry, AuditLog};
use crate::output::render_page;
use crate::world::World;
use crate::world::settings::AuditSetting;

pub(crate) fn run(world: &World, args: &LogArgs) -> Result<(), Failure> {
    let since = args.since.as_deref().map(|text| parse_since(text, world.clock.now())).transpose()?;
    let log = AuditLog::at(&world.dirs.audit_log());
    let record = log.load()?;
    let is_off = world.settings()?.audit_log == AuditSetting::Off;
    if record.damaged > 0 {
        let lines = if record.damaged == 1 {
            "1 damaged line".to_owned()
        } else {
            format!("{} damaged lines", record.damaged)
        };
        world.output.warn(&format!("{lines} of `{}` left out", world.dirs.shown(log.path())));
    }
    let is_fitting = |pattern: Option<&str>, text: Option<&str>| {
        pattern.is_none_or(|pattern| text.is_some_and(|text| matches_glob(pattern, text)))
    };
    let is_shown = |entry: &&AuditEntry| {
        is_fitting(args.profile.as_deref(), Some(&entry.profile))
            && is_fitting(args.command.as_deref(), entry.command.as_deref())
            && since.is_none_or(|since| entry.time >= since)
            && (!args.agent || entry.agent.is_some())
    };
    let shown: Vec<&AuditEntry> = record.entries.iter().rev().filter(is_shown).take(args.limit).collect();
    let text = if args.json {
        let json = serde_json::to_string_pretty(&shown);
        json.map_err(|error| Failure::of_error(FailureKind::Failed, &error))? + "\n"
    } else {
        render_page(&render_table(&shown).into_page())
    };
    world.output.data(&text)?;
    if record.entries.is_empty() && is_off && !args.json {
        world.output.note("the audit log is off");
        let settings = world.dirs.shown(&world.dirs.settings_file());
        world.output.hint(&format!("turn it on with `audit_log = \"on\"` in {settings}"));
    } else if shown.is_empty() && !args.json {
        world.output.note("no use of a profile found");
    }
    Ok(())
}

fn render_table(entries: &[&AuditEntry]) -> Table {
    let mut table = Table::default();
    if entries.is_empty() {
        return table;
    }
    table.row(&["Time", "Profile", "By", "Role", "Account", "Reason"].map(|cell| (cell, Style::Quiet)));
    for entry in entries {
        let by = entry.command.clone().unwrap_or_else(|| {
            if entry.exit == "exec" { "(shell)".to_owned() } else { format!("({})", entry.exit) }
        });
        let by = match &entry.agent {
            Some(agent) => format!("{by}, {agent}"),
            None => by,
        };
        let role = entry.role.as_deref().unwrap_or("-");
        let role = RoleArn::parse(role).map_or(role.to_owned(), |role| role.role_name().to_owned());
        let (account, reason) =
            (entry.account.as_deref().unwrap_or("-"), entry.reason.as_deref().unwrap_or_default());
        let time = Timestamp::from_second(entry.time.as_second()).unwrap_or(entry.time).to_string();
        let profile = if entry.profile.is_empty() { "-" } else { &entry.profile };
        table.row(&[
            (&time, Style::Quiet),
            (profile, Style::Strong),
            (&by, Style::Plain),
            (&role, Style::Plain),
            (account, Style::Plain),
            (reason, Style::Plain),
        ]);
    }
    table
}

/// Parses a time, a date (its start in UTC), or an age such as `2d`.
fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let days = |text: &str| {
        Some(SignedDuration::from_hours(text.strip_suffix('d')?.parse::<u16>().ok()?.into()) * 24)
    };
    let length = || days(text).or_else(|| SignedDuration::try_from(parse_duration(text).ok()?).ok());
    let ago = || now.checked_sub(length()?).ok();
    let day = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse::<Timestamp>().ok().or_else(day).or_else(ago).ok_or_else(|| {
        let error =
            format!("invalid --since `{text}`: expected `24h`, `7d`, `2026-11-29` or `2026-11-29T16:00:00Z`");
        Failure::new(FailureKind::Usage, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_day_or_how_long_ago() {
        let now = "2026-11-29T16:00:00Z".parse().unwrap();
        let parsed = |text: &str| parse_since(text, now).map(|time| time.to_string()).ok();
        assert_eq!(parsed("90m").as_deref(), Some("2026-11-29T14:30:00Z"));
        assert_eq!(parsed("2026-11-01").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(parsed("2026-11-01T10:00:00+01:00").as_deref(), Some("2026-11-01T09:00:00Z"));
        assert_eq!(parsed("7d").as_deref(), Some("2026-11-22T16:00:00Z"));
        for wrong in ["", "yesterday", "2026-13-01", "-1h"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
