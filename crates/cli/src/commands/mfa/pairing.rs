//! Pairs an authenticator app with a new device: shows the QR code, and asks for two codes.

use hatbox_core::totp::TotpSeed;
use hatbox_types::arn::Arn;
use hatbox_types::secret::{MfaCode, SecretString};

use crate::errors::{Failure, FailureKind};
use crate::prompt::qr::{Paint, render_qr};
use crate::prompt::{Echo, PromptError, Question};
use crate::sys::signals::Held;
use crate::world::World;

/// A device to pair an app with.
pub(super) struct Pairing<'a> {
    pub(super) world: &'a World,
    pub(super) user_arn: &'a str,
    pub(super) device: &'a str,
    pub(super) show_secret: bool,
    /// Fatal signals, one of which ends the question.
    pub(super) held: &'a Held,
}

impl Pairing<'_> {
    /// Shows the QR code, and asks for two consecutive codes.
    pub(super) fn ask_codes(&self, seed: &TotpSeed) -> Result<[MfaCode; 2], Failure> {
        let above = self.render_above(seed)?;
        let prompter = self.world.prompter();
        prompter.draw(&above);
        let first = self.ask_code("First code: ", None);
        prompter.end_drawing();
        let first = first?;
        let second = self.ask_code("Second code (wait for the next one): ", Some(&first))?;
        Ok([first, second])
    }

    fn render_above(&self, seed: &TotpSeed) -> Result<Vec<String>, Failure> {
        let prompter = self.world.prompter();
        let is_plain = self.world.environment.text("NO_COLOR").is_some() || !prompter.has_sequences();
        let paint = if is_plain { Paint::Plain } else { Paint::Colours };
        let account = Arn::parse(self.user_arn).map(|arn| arn.account).unwrap_or_default();
        let [before, after] =
            [format!("otpauth://totp/AWS:{}@{account}?secret=", self.device), "&issuer=AWS".to_owned()]
                .map(SecretString::new);
        let title = "Scan this with your authenticator app:";
        // Below the QR code are the secret key, if requested, and the question.
        let below = if self.show_secret { 2 } else { 1 };
        let (columns, rows) = (prompter.columns().unwrap_or(80), prompter.rows().unwrap_or(24));
        // Each module is two columns wide; the colour sequences in a line have no width.
        let fits = |code: &[String]| {
            let is_narrow = code.len() * 2 > columns;
            if is_narrow { Err("narrow") } else { (code.len() + below <= rows).then_some(()).ok_or("low") }
        };
        let code = render_qr(&[&before, seed.base32(), &after], paint).ok_or("narrow");
        let mut lines = match code.and_then(|code| fits(&code).map(|()| code)) {
            Ok(code) if code.len() + below < rows => [vec![title.to_owned()], code].concat(),
            Ok(code) => code,
            Err(_) if self.show_secret => Vec::new(),
            Err(size) => {
                return Err(Failure::new(
                    FailureKind::Failed,
                    format!("the terminal is too {size} for the QR code"),
                )
                .hint("make it larger, or type the secret key: --show-secret"));
            }
        };
        if self.show_secret {
            lines.push(format!("Secret key: {}", seed.base32().expose()));
        }
        Ok(lines)
    }

    fn ask_code(&self, text: &str, before: Option<&MfaCode>) -> Result<MfaCode, Failure> {
        let prompter = self.world.prompter();
        let timeout = self.world.settings()?.prompt_timeout();
        let question = Question { text, echo: Echo::Shown, timeout, is_over: &|| self.held.is_one_pending() };
        loop {
            let answer = prompter.ask_line(&question).map_err(|error| match error {
                PromptError::Cancelled | PromptError::AnsweredElsewhere => cancelled(),
                other => Failure::new(FailureKind::NeedsPerson, "could not ask for the codes of the device")
                    .caused_by(&other),
            })?;
            match MfaCode::parse(answer.expose()) {
                Ok(code) if before.is_some_and(|before| before.expose() == code.expose()) => {
                    prompter.reject("This is the first code again: wait for the next one.");
                }
                Ok(code) => return Ok(code),
                Err(_) => prompter.reject("An MFA code has six digits."),
            }
        }
    }
}

pub(super) fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "cancelled: no device was registered")
}
