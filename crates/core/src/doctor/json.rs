//! Renders findings for programs. Keys and their types stay stable within a schema version; new keys may be added.

use serde_json::{Value, json};

use super::finding::{Finding, Fix, Spot};
use super::page::{Look, Summary};
use crate::config::origin::FileKind;
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;

/// Renders findings as JSON of schema 1.
///
/// `ok` is false if a finding is at or above `fail_on`; fixed ones do not count.
pub fn render_json(summaries: &[Summary], findings: &[Finding], look: &Look, fail_on: Level) -> Value {
    let count = |level| findings.iter().filter(|f| f.level == level && !f.is_fixed).count();
    let checks: Vec<_> = summaries
        .iter()
        .map(|summary| json!({ "topic": summary.topic.as_str(), "summary": summary.text }))
        .collect();
    json!({
        "schema": 1,
        "ok": !fails(findings, fail_on),
        "fail_on": fail_on.as_str(),
        "errors": count(Level::Error),
        "warnings": count(Level::Warning),
        "infos": count(Level::Info),
        "fixed": findings.iter().filter(|finding| finding.is_fixed).count(),
        "checks": checks,
        "findings": findings.iter().map(|finding| render_finding(finding, look)).collect::<Vec<_>>(),
    })
}

/// Whether a finding that was not fixed is at or above a level.
pub fn fails(findings: &[Finding], fail_on: Level) -> bool {
    findings.iter().any(|finding| finding.level >= fail_on && !finding.is_fixed)
}

fn render_finding(finding: &Finding, look: &Look) -> Value {
    json!({
        "id": finding.id,
        "level": finding.level.as_str(),
        "topic": finding.topic.as_str(),
        "place": finding.spot.as_ref().map(|spot| look.render_spot(spot)),
        "at": finding.spot.as_ref().map(|spot| render_spot(spot, look)),
        "text": finding.text,
        "fix": finding.fix.as_ref().map(|fix: &Fix| look.render_fix(fix)),
        "profiles": finding.profiles.iter().map(ProfileName::as_str).collect::<Vec<_>>(),
        "fixed": finding.is_fixed,
    })
}

fn render_spot(spot: &Spot, look: &Look) -> Value {
    match spot {
        Spot::Line(place) => json!({
            "kind": match place.file {
                FileKind::Config => "config",
                FileKind::Credentials => "credentials",
            },
            "path": look.paths.path(place.file),
            "line": place.line,
        }),
        Spot::File(path) => json!({ "kind": "file", "path": path }),
        Spot::Variable(name) => json!({ "kind": "variable", "name": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shell, Topic};
    use super::*;
    use crate::config::origin::Place;
    use crate::plan::explain::Paths;

    #[test]
    fn json_begins_with_its_schema_and_has_place_and_command() {
        let paths = Paths { config: "~/.aws/config".to_owned(), credentials: "c".to_owned() };
        let look = Look { paths, shell: Shell::Posix };
        let place = Place { file: FileKind::Config, line: 3 };
        let findings = [
            Finding::new(Topic::Config, "x", Level::Warning, "text").in_line(place),
            Finding { is_fixed: true, ..Finding::new(Topic::Files, "y", Level::Error, "text") },
        ];
        let value = render_json(&[], &findings, &look, Level::Error);
        assert!(value.to_string().starts_with(r#"{"schema":1,"ok":true,"#), "{value}");
        assert_eq!(
            (&value["errors"], &value["warnings"], &value["fixed"]),
            (&json!(0), &json!(1), &json!(1))
        );
        let found = &value["findings"][0];
        assert_eq!(found["place"], "~/.aws/config:3");
        assert_eq!(found["at"], json!({ "kind": "config", "path": "~/.aws/config", "line": 3 }));
        assert_eq!(found["fix"], "${EDITOR:-vi} +3 ~/.aws/config");
        assert_eq!(render_json(&[], &findings, &look, Level::Warning)["ok"], false);
        assert_eq!(render_json(&[], &findings, &look, Level::Info)["ok"], false);
    }
}
