//! Detects coding agents by the environment variables that they set for the commands that they run.

/// A coding agent, detected by an environment variable.
///
/// A program can unset the variable, so this prevents mistakes, not attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// The name of the variable.
    pub marker: &'static str,
}

/// The variables, and the only value that counts if there is one.
///
/// `ZED_TERM` and similar are left out: people use the terminals in editors too.
const MARKERS: [(&str, Option<&str>); 15] = [
    ("AI_AGENT", None),
    ("AGENT", Some("amp")),
    ("CODEX_SANDBOX", None),
    ("CODEX_CI", None),
    ("CODEX_THREAD_ID", None),
    ("GEMINI_CLI", None),
    ("COPILOT_CLI", None),
    ("OPENCODE", None),
    ("CURSOR_AGENT", None),
    ("AIDER_VERSION", None),
    ("AIDER_MODEL", None),
    ("CLINE", None),
    ("CONTINUE_GLOBAL_DIR", None),
    ("CLAUDECODE", None),
    ("CLAUDE_CODE_ENTRYPOINT", None),
];

/// Returns the first agent whose variable is set and not empty. `lookup` returns the value of a variable.
pub fn find_agent(lookup: impl Fn(&str) -> Option<String>) -> Option<Agent> {
    let is_set = |(name, wanted): &(&'static str, Option<&str>)| {
        lookup(name).is_some_and(|value| !value.is_empty() && wanted.is_none_or(|wanted| value == wanted))
    };
    MARKERS.iter().find(|marker| is_set(marker)).map(|(marker, _)| Agent { marker })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_its_variable_and_a_person_is_none() {
        let found = |name: &str, value: &str| {
            find_agent(|asked| (asked == name).then(|| value.to_owned())).map(|agent| agent.marker)
        };
        assert_eq!(found("CLAUDECODE", "1"), Some("CLAUDECODE"));
        assert_eq!(found("AI_AGENT", "anything"), Some("AI_AGENT"));
        assert_eq!(found("AGENT", "amp"), Some("AGENT"));
        for (name, value) in [("AGENT", "1"), ("CLAUDECODE", ""), ("ZED_TERM", "true"), ("TERM", "xterm")] {
            assert_eq!(found(name, value), None, "{name}={value}");
        }
    }
}
