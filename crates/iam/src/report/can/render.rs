//! Renders the answer as text and as JSON.

use crate::assume::credentials::Credentials;
use serde_json::{Value as Json, json};

use super::{Can, MfaUse, Row, Say, Step};
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::answer::{Answer, Fact, names_of};
use crate::report::can::remedy::{Change, render_yes};
use crate::report::words::join_or;
use hatbox_types::text::page::{Line, Page, Style};

/// The column where the reasons in a row start.
const INDENT: usize = 29;

impl Can {
    /// Renders the answer as text.
    pub fn render(&self) -> Page {
        let mut page = Page::default();
        self.push_headline(&mut page);
        let is_chain = self.steps.len() > 1;
        for (step, number) in self.steps.iter().zip(1..) {
            page.blank();
            if is_chain {
                let heading = format!("{number}  {} assumes {}", step.from.label(), step.to.label());
                page.line(&[(&heading, Style::Strong)]);
            }
            for row in &step.rows {
                push_row(&mut page, row);
            }
        }
        for (step, number) in self.steps.iter().zip(1..) {
            let mut lines = step.closing_lines();
            if let Some(first) = lines.first_mut().filter(|_| is_chain) {
                first.insert_str(0, &format!("{number}  "));
            }
            if !lines.is_empty() {
                page.blank();
            }
            for line in lines {
                page.paragraph(&line);
            }
        }
        if self.steps.last().is_some_and(|step| step.credentials == Credentials::RoleSession)
            && !self.answer().is_no()
        {
            page.blank();
            page.plain("Role chaining limits the session to 1 hour.");
        }
        page
    }

    fn push_headline(&self, page: &mut Page) {
        let (caller, role) = (self.caller.label(), self.role.label());
        let through: Vec<_> =
            self.steps.iter().rev().skip(1).rev().map(|step| step.to.name.clone()).collect();
        let through =
            if through.is_empty() { String::new() } else { format!(" through {}", through.join(", ")) };
        let first = self.steps.first();
        let mfa = match (first.map(|step| step.credentials), self.answer(), self.mfa) {
            (Some(Credentials::AccessKeysWithMfa), ..) => " with MFA",
            (Some(Credentials::AccessKeys), Answer::Yes, MfaUse::IfNeeded) => ", even without MFA",
            (Some(Credentials::AccessKeys), _, MfaUse::Without)
            | (Some(Credentials::AccessKeys), Answer::Unknown(_), _) => " without MFA",
            _ => "",
        };
        let (answer, style, start) = match self.answer() {
            Answer::Yes => ("YES", Style::Good, format!("{caller} can assume")),
            Answer::No => ("NO", Style::Bad, format!("{caller} cannot assume")),
            Answer::Unknown(_) => ("UNKNOWN", Style::Warning, format!("whether {caller} can assume")),
        };
        let lead = Line::of(answer, style).with("  ", Style::Plain);
        page.hang(lead, &format!("{start} {role}{through}{mfa}"), Style::Strong, 4);
    }

    /// Renders the answer as JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "schema": 1,
            "answer": self.answer().name(),
            "caller": entity(&self.caller),
            "role": entity(&self.role),
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Step {
    /// Renders what would change the answer, or what it depends on.
    fn closing_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match (&self.ruling.answer, &self.ruling.as_known) {
            (Answer::No, _) => {
                if let Some(remedy) = &self.remedy {
                    let (caller, role) = (&self.from.name, &self.to.name);
                    lines.push(remedy.render(caller, role, &self.to.arn));
                    if remedy.changes.contains(&Change::MfaCode) && self.has_device == Some(false) {
                        lines.push(format!("{caller} has no MFA device that gives codes."));
                    }
                }
            }
            (Answer::Unknown(facts), Answer::Yes) => {
                lines.push(format!("{}.", sentence(&render_yes(facts))));
            }
            (Answer::Unknown(facts), Answer::No) => lines.push(match names_of(facts).as_slice() {
                [only] => format!("No, unless {only} allows it."),
                several => format!("No by what is known. Not seen: {}.", several.join("; ")),
            }),
            (Answer::Unknown(facts), Answer::Unknown(_)) => {
                lines.push(format!("It depends on {}.", join_or(&names_of(facts))));
                let keys: Vec<_> = facts.iter().filter(|fact| matches!(fact, Fact::Key(_))).collect();
                if !keys.is_empty() {
                    let flags: Vec<_> = keys.iter().map(|key| format!("--context {key}=VALUE")).collect();
                    lines.push(format!("Add {} to say what it is.", flags.join(" ")));
                }
            }
            (Answer::Yes, _) => {}
        }
        if !self.ruling.answer.is_no()
            && self.credentials == Credentials::AccessKeysWithMfa
            && self.has_device == Some(false)
        {
            lines.push(format!("{} has no MFA device that gives codes.", self.from.name));
        }
        lines
    }

    fn to_json(&self) -> Json {
        let rows = self
            .rows
            .iter()
            .map(|row| json!({"layer": row.layer.name(), "says": row.says.name(), "because": row.because}));
        let remedy = self.remedy.as_ref().map(|remedy| {
            let text = remedy.render(&self.from.name, &self.to.name, &self.to.arn);
            json!({"text": text, "unless": names_of(&remedy.unless)})
        });
        json!({
            "from": entity(&self.from),
            "to": entity(&self.to),
            "signed_with": self.credentials.name(),
            "answer": self.ruling.answer.name(),
            "as_known": self.ruling.as_known.name(),
            "layers": rows.collect::<Vec<_>>(),
            "depends_on": names_of(self.ruling.answer.facts()),
            "change": remedy,
        })
    }
}

/// Renders an entity as JSON.
pub(crate) fn entity(entity: &Entity) -> Json {
    let kind = match entity.kind {
        EntityKind::User => "user",
        EntityKind::Role => "role",
    };
    let account = entity.account.as_ref().map(hatbox_types::name::AccountId::as_str);
    let arn = account.map(|_| entity.arn.as_str());
    json!({"kind": kind, "name": entity.name, "arn": arn, "account": account})
}

fn push_row(page: &mut Page, row: &Row) {
    let style = match row.says {
        Say::Allow => Style::Good,
        Say::Deny => Style::Bad,
        Say::NotKnown | Say::Depends => Style::Warning,
        Say::NoMatch | Say::NotNeeded | Say::None => Style::Plain,
    };
    let mut lead =
        Line::of(&format!("  {:<14} ", row.layer.name()), Style::Plain).with(row.says.name(), style);
    if row.because.is_empty() {
        page.0.push(lead);
        return;
    }
    for sentence in &row.because {
        lead.pad_to(INDENT);
        page.hang(std::mem::take(&mut lead), sentence, Style::Plain, INDENT);
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
