//! MFA codes from another program: which is run with which arguments, by `--prompt`.
//!
//! No shell is in between, and the serial is an argument of its own: it can be no command.

use hatbox_types::name::MfaSerial;

use crate::credentials::request::PromptDriver;
use crate::world::environment::Environment;

/// The program and its arguments; `None` for the terminal, which needs none.
///
/// `ykman` follows aws-vault's variables: `YKMAN_OATH_CREDENTIAL_NAME`, `YKMAN_OATH_DEVICE_SERIAL`, and
/// `AWS_VAULT_YKMAN_VERSION` below 4 for the older words.
pub(super) fn program_of(
    driver: PromptDriver,
    serial: &MfaSerial,
    environment: &Environment,
) -> Option<(&'static str, Vec<String>)> {
    let text = format!("MFA code for {serial}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match driver {
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
            let name = environment.text("YKMAN_OATH_CREDENTIAL_NAME").unwrap_or_else(|| serial.to_string());
            arguments.extend(["code".to_owned(), "--single".to_owned(), name]);
            Some(("ykman", arguments))
        }
        PromptDriver::Zenity => Some(("zenity", words(&["--entry", "--title", "hatbox", "--text", &text]))),
        PromptDriver::Kdialog => Some(("kdialog", words(&["--inputbox", &text, "--title", "hatbox"]))),
        PromptDriver::Osascript => {
            // Security: the text reaches the script as an argument, never as a part of it.
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
        let serial = MfaSerial::parse("arn:aws:iam::111122223333:mfa/jan").unwrap();
        let (program, arguments) = program_of(driver, &serial, &Environment::of(variables)).unwrap();
        format!("{program} {}", arguments.join(" "))
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
