//! Names of profiles from a template: `{account_name}.{role_name}`, `corp-{account_name:lower}-{role_name:lower}`.

use std::fmt;

use super::role::AssignedRole;
use hatbox_types::name::ProfileName;

/// The default template.
pub const DEFAULT_TEMPLATE: &str = "{account_name}.{role_name}";

/// In characters. AWS allows 50 in the name of an account, and 32 in that of a permission set.
const MAX_VALUE: usize = 64;

/// A template for names of profiles. `Display` returns the text that it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field, Case),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    AccountName,
    AccountId,
    RoleName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An unknown field.
    #[error(
        "unknown field `{{{0}}}`: expected `{{account_name}}`, `{{account_id}}` or `{{role_name}}`, each also with `:lower`"
    )]
    Field(String),
    /// A brace without its counterpart.
    #[error("a `{{` or `}}` without the other one")]
    Brace,
    /// No field, so all profiles would have the same name.
    #[error("no field: expected `{{account_name}}`, `{{account_id}}` or `{{role_name}}` in it")]
    NoField,
    /// A character that names of profiles cannot have.
    #[error("a character that a profile name cannot have, or a blank at an end")]
    Text,
}

impl Field {
    const ALL: [Self; 3] = [Self::AccountName, Self::AccountId, Self::RoleName];

    fn as_str(self) -> &'static str {
        match self {
            Self::AccountName => "account_name",
            Self::AccountId => "account_id",
            Self::RoleName => "role_name",
        }
    }
}

impl NameTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// If it has no field, an unknown field, or a character that names of profiles cannot have.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        ProfileName::parse(text).map_err(|_| TemplateError::Text)?;
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, after) = brace
                .strip_prefix('{')
                .and_then(|field| field.split_once('}'))
                .ok_or(TemplateError::Brace)?;
            parts.push(parse_field(name)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Self(parts);
        if template.0.iter().any(|part| matches!(part, Part::Field(..))) {
            Ok(template)
        } else {
            Err(TemplateError::NoField)
        }
    }

    /// Returns the template with all fields in lower case.
    #[must_use]
    pub fn in_lower_case(mut self) -> Self {
        for part in &mut self.0 {
            if let Part::Field(_, case) = part {
                *case = Case::Lower;
            }
        }
        self
    }

    /// Renders the name for a role. Does not check its length.
    pub fn render(&self, role: &AssignedRole) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field, case) => {
                    let value = match field {
                        Field::AccountName => &role.account_name,
                        Field::AccountId => role.account_id.as_str(),
                        Field::RoleName => &role.role_name,
                    };
                    let value = match case {
                        Case::Kept => clean(value),
                        Case::Lower => clean(&value.to_lowercase()),
                    };
                    // If the account has no usable name, its id is used.
                    name.push_str(if value.is_empty() { role.account_id.as_str() } else { &value });
                }
            }
        }
        name
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Field(field, Case::Kept) => write!(f, "{{{}}}", field.as_str()),
            Part::Field(field, Case::Lower) => write!(f, "{{{}:lower}}", field.as_str()),
        })
    }
}

fn parse_field(text: &str) -> Result<Part, TemplateError> {
    let (name, case) = match text.strip_suffix(":lower") {
        Some(name) => (name, Case::Lower),
        None => (text, Case::Kept),
    };
    let field = Field::ALL.into_iter().find(|field| field.as_str() == name);
    field.map(|field| Part::Field(field, case)).ok_or_else(|| TemplateError::Field(text.to_owned()))
}

/// Keeps letters and digits of any script, and the symbols allowed in role names. Everything else becomes one `-`.
///
/// Security: others choose the names of accounts. No bracket, quote, blank, control or bidirectional character of them
/// gets into the config.
fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@') {
            cleaned.push(c);
        } else if !cleaned.is_empty() && !cleaned.ends_with('-') {
            cleaned.push('-');
        }
    }
    let short: String = cleaned.chars().take(MAX_VALUE).collect();
    short.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, account: &str, role: &str) -> String {
        let role = AssignedRole::parse("111122223333", account, role).unwrap();
        NameTemplate::parse(template).unwrap().render(&role)
    }

    #[test]
    fn a_template_is_filled_and_written_back() {
        for (template, name) in [
            (DEFAULT_TEMPLATE, "Acme-Prod.AdminAccess"),
            ("corp-{account_name:lower}.{role_name:lower}", "corp-acme-prod.adminaccess"),
            ("{role_name}@{account_id}", "AdminAccess@111122223333"),
            ("a b/{account_id}", "a b/111122223333"),
        ] {
            assert_eq!(render(template, "Acme Prod", "AdminAccess"), name);
            assert_eq!(NameTemplate::parse(template).unwrap().to_string(), template);
        }
        let lower = NameTemplate::parse("X{account_name}.{role_name:lower}").unwrap().in_lower_case();
        assert_eq!(lower.to_string(), "X{account_name:lower}.{role_name:lower}");
    }

    #[test]
    fn hostile_account_names_become_harmless_words() {
        for (account, name) in [
            ("", "111122223333.R"),
            (" \t\n", "111122223333.R"),
            ("---", "111122223333.R"),
            ("Prod]\n[default]\ncredential_process = x", "Prod-default-credential_process-=-x.R"),
            ("a\u{202e}b\u{0}c\u{1b}[31m", "a-b-c-31m.R"),
            ("Finance & \"HR\" (eu)", "Finance-HR-eu.R"),
            ("# x ; y", "x-y.R"),
            ("Büro \u{6771}\u{4eac}", "Büro-\u{6771}\u{4eac}.R"),
            ("../../etc", "..-..-etc.R"),
        ] {
            assert_eq!(render(DEFAULT_TEMPLATE, account, "R"), name, "{account:?}");
        }
        assert_eq!(render("{account_name}", &"x".repeat(1000), "R").len(), 64);
        // In lower case, this letter becomes two characters, one of which is a combining dot.
        assert_eq!(render("{account_name:lower}", "\u{130}x", "R"), "i-x");
    }

    #[test]
    fn what_is_not_a_template_says_why() {
        for (text, error) in [
            ("", TemplateError::Text),
            ("{account_name}\n", TemplateError::Text),
            ("{account_name}]", TemplateError::Text),
            (" {account_name}", TemplateError::Text),
            ("profile", TemplateError::NoField),
            ("{account}", TemplateError::Field("account".to_owned())),
            ("{role_name:upper}", TemplateError::Field("role_name:upper".to_owned())),
            ("{role_name", TemplateError::Brace),
            ("role_name}", TemplateError::Brace),
            ("{{role_name}}", TemplateError::Field("{role_name".to_owned())),
        ] {
            assert_eq!(NameTemplate::parse(text), Err(error), "{text:?}");
        }
    }
}
