//! Sentences that several parts of hatbox print, each in one place.

/// What a variable does that gives the role: it replaces that of the profile, `own`, where there is one.
pub fn render_role_of_environment(variable: &str, profile: &str, own: Option<&str>) -> String {
    match own {
        Some(own) => format!("{variable} replaces the role of profile `{profile}` ({own})"),
        None => format!("{variable} gives profile `{profile}` a role; the profile itself has none"),
    }
}

/// A count with its noun: `1 session`, `2 sessions`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
