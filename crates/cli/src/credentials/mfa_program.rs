//! Other programs as a source of MFA codes: which program `--prompt` runs, and with which arguments.
//!
//! No shell is involved, and the serial is passed as a single argument, so it cannot inject a command.

use hatbox_types::name::MfaSerial;

use crate::credentials::request::{Prompt, PromptDriver};
use crate::world::environment::Environment;

/// Returns the program and its arguments; `None` for the terminal, which needs no program.
///
/// A program that stores devices under names gets the item named by the prompt, or the serial if the prompt names none.
/// `ykman` follows aws-vault's variables: `YKMAN_OATH_CREDENTIAL_NAME`, `YKMAN_OATH_DEVICE_SERIAL`, and
/// `AWS_VAULT_YKMAN_VERSION` below 4 for the older words.
pub(super) fn program_of(
    prompt: &Prompt,
    serial: &MfaSerial,
    environment: &Environment,
) -> Option<(&'static str, Vec<String>)> {
    let item = prompt.item.as_deref().unwrap_or(serial.as_str());
    let text = format!("MFA code for {serial}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match prompt.driver {
        PromptDriver::Terminal | PromptDriver::Stored => None,
        PromptDriver::Ykman => {
            let mut arguments = Vec::new();
            if let Some(device) = environment.text("YKMAN_OATH_DEVICE_SERIAL") {
                arguments.extend(["--device".to_owned(), device]);
            }
            let is_old = environment
                .text("AWS_VAULT_YKMAN_VERSION")
                .and_then(|version| version.parse::<u32>().ok())
                .is_some_and(|version| version < 4);
            arguments.push("oath".to_owned());
            if !is_old {
                arguments.push("accounts".to_owned());
            }
            let name = prompt.item.clone().or_else(|| environment.text("YKMAN_OATH_CREDENTIAL_NAME"));
            let name = name.unwrap_or_else(|| serial.to_string());
            arguments.extend(["code".to_owned(), "--single".to_owned(), name]);
            Some(("ykman", arguments))
        }
        PromptDriver::Op => Some(("op", words(&["item", "get", item, "--otp"]))),
        PromptDriver::Pass => Some(("pass", words(&["otp", item]))),
        PromptDriver::Rbw => Some(("rbw", words(&["code", item]))),
        PromptDriver::Bw => Some(("bw", words(&["get", "totp", item]))),
        PromptDriver::Pinentry => Some(("pinentry", Vec::new())),
        PromptDriver::Zenity => Some(("zenity", words(&["--entry", "--title", "hatbox", "--text", &text]))),
        PromptDriver::Kdialog => Some(("kdialog", words(&["--inputbox", &text, "--title", "hatbox"]))),
        PromptDriver::Osascript => {
            // Security: the text is passed to the script as an argument, and never becomes part of the script.
            let script = [
                "on run argv",
                "display dialog (item 1 of argv) default answer \"\" with title \"hatbox\"",
                "text returned of result",
                "end run",
            ];
            let mut arguments: Vec<String> =
                script.iter().flat_map(|line| ["-e".to_owned(), (*line).to_owned()]).collect();
            arguments.push(text);
            Some(("osascript", arguments))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(driver: PromptDriver, variables: &[(&str, &str)]) -> String {
        line_of(&Prompt { driver, item: None }, variables)
    }

    fn line_of(prompt: &Prompt, variables: &[(&str, &str)]) -> String {
        let serial = MfaSerial::parse("arn:aws:iam::111122223333:mfa/jan").unwrap();
        let (program, arguments) = program_of(prompt, &serial, &Environment::of(variables)).unwrap();
        format!("{program} {}", arguments.join(" "))
    }

    #[test]
    fn password_managers_are_asked_for_the_item_or_the_serial() {
        let serial = "arn:aws:iam::111122223333:mfa/jan";
        for (driver, before, after) in [
            (PromptDriver::Op, "op item get ", " --otp"),
            (PromptDriver::Pass, "pass otp ", ""),
            (PromptDriver::Rbw, "rbw code ", ""),
            (PromptDriver::Bw, "bw get totp ", ""),
            (PromptDriver::Ykman, "ykman oath accounts code --single ", ""),
        ] {
            assert_eq!(line(driver, &[]), format!("{before}{serial}{after}"));
            let prompt = Prompt { driver, item: Some("AWS jan".to_owned()) };
            let variables = [("YKMAN_OATH_CREDENTIAL_NAME", "other")];
            assert_eq!(line_of(&prompt, &variables), format!("{before}AWS jan{after}"));
        }
    }

    #[test]
    fn ykman_is_called_as_its_version_and_variables_want_it() {
        assert_eq!(
            line(PromptDriver::Ykman, &[]),
            "ykman oath accounts code --single arn:aws:iam::111122223333:mfa/jan"
        );
        let old = [
            ("YKMAN_OATH_CREDENTIAL_NAME", "cred"),
            ("YKMAN_OATH_DEVICE_SERIAL", "123"),
            ("AWS_VAULT_YKMAN_VERSION", "3"),
        ];
        assert_eq!(line(PromptDriver::Ykman, &old), "ykman --device 123 oath code --single cred");
    }

    #[test]
    fn the_serial_is_an_argument_of_its_own() {
        let serial = "MFA code for arn:aws:iam::111122223333:mfa/jan";
        for driver in [PromptDriver::Zenity, PromptDriver::Kdialog, PromptDriver::Osascript] {
            let text = line(driver, &[]);
            assert_eq!(text.matches(serial).count(), 1, "{text}");
        }
    }
}
