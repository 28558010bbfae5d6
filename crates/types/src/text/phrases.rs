//! Sentences that several parts of hatbox print.

/// Describes a variable that determines the role, replacing the role `own` of the profile, if it has one.
pub fn render_role_of_environment(variable: &str, profile: &str, own: Option<&str>) -> String {
    match own {
        Some(own) => format!("{variable} replaces the role of profile `{profile}` ({own})"),
        None => format!("{variable} gives profile `{profile}` a role; the profile itself has none"),
    }
}

/// Renders a count with its noun: `1 session`, `2 sessions`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
