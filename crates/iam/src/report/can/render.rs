//! The answer in words, and as JSON.

use crate::assume::credentials::Credentials;
use serde_json::{Value as Json, json};

use super::{Can, MfaUse, Row, Step};
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::answer::{Answer, Fact, names_of};
use crate::report::can::remedy::{Change, render_yes};
use crate::report::words::join_or;
use crate::wrap::wrap;

/// Where the third column of a row starts.
const INDENT: usize = 29;

impl Can {
    /// The answer for people, with its end of line.
    pub fn render(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        let is_chain = self.steps.len() > 1;
        for (step, number) in self.steps.iter().zip(1..) {
            text.push('\n');
            if is_chain {
                text.push_str(&format!("{number}  {} assumes {}\n", step.from.label(), step.to.label()));
            }
            for row in &step.rows {
                text.push_str(&render_row(row));
            }
        }
        for (step, number) in self.steps.iter().zip(1..) {
            let mut lines = step.closing_lines();
            if let Some(first) = lines.first_mut().filter(|_| is_chain) {
                first.insert_str(0, &format!("{number}  "));
            }
            if !lines.is_empty() {
                text.push('\n');
            }
            for line in lines {
                text.push_str(&wrap(&line, 0, 0));
            }
        }
        if self.steps.last().is_some_and(|step| step.credentials == Credentials::RoleSession)
            && !self.answer().is_no()
        {
            text.push_str("\nRole chaining limits the session to 1 hour.\n");
        }
        text
    }

    fn headline(&self) -> String {
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
        let line = match self.answer() {
            Answer::Yes => format!("YES  {caller} can assume {role}{through}{mfa}"),
            Answer::No => format!("NO  {caller} cannot assume {role}{through}{mfa}"),
            Answer::Unknown(_) => {
                format!("UNKNOWN  whether {caller} can assume {role}{through}{mfa}")
            }
        };
        wrap(&line, 0, 4).trim_end().to_owned()
    }

    /// The answer as JSON.
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
    /// What would turn it, or what it hangs on.
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

/// An entity as JSON.
pub(crate) fn entity(entity: &Entity) -> Json {
    let kind = match entity.kind {
        EntityKind::User => "user",
        EntityKind::Role => "role",
    };
    let account = entity.account.as_ref().map(hatbox_types::name::AccountId::as_str);
    let arn = account.map(|_| entity.arn.as_str());
    json!({"kind": kind, "name": entity.name, "arn": arn, "account": account})
}

fn render_row(row: &Row) -> String {
    let start = format!("  {:<14} {:<11} ", row.layer.name(), row.says.name());
    let mut text = String::new();
    for (index, sentence) in row.because.iter().enumerate() {
        let start = if index == 0 { start.clone() } else { " ".repeat(INDENT) };
        text.push_str(&wrap(&format!("{start}{sentence}"), INDENT, INDENT));
    }
    if row.because.is_empty() {
        text.push_str(start.trim_end());
        text.push('\n');
    }
    text
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
