//! `hatbox profile add`: adds a section for a role to the AWS config.

use hatbox_core::config::edit::{Change, edit_section};
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_types::name::{MfaSerial, NameError, ProfileName, Region, RoleArn};
use hatbox_types::text::shell::quote_word;
use hatbox_types::text::suggest::nearest_name;

use crate::args::{GlobalArgs, ProfileAddArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::KeyStore;
use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// The answer that leaves a question's value empty, if Enter means the default.
const NONE: &str = "-";

/// The maximum number of names in a question.
const MOST_OFFERED: usize = 4;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ProfileAddArgs) -> Result<(), Failure> {
    let files = load_config(world)?;
    let sources = Sources::load(world, global, &files)?;
    let asking = Asking { world, args };
    let name = asking.name(&files)?;
    let role = asking.role()?;
    let source = asking.source(&sources)?;
    let offered = offer_of_source(world, &files, &source);
    let mfa_serial = asking.mfa_serial(offered.as_ref())?;
    let region = asking.region()?;
    let settings = [
        ("role_arn", Some(role.as_str().to_owned())),
        ("source_profile", Some(source.as_str().to_owned())),
        ("mfa_serial", mfa_serial.map(|serial| serial.as_str().to_owned())),
        ("region", region.map(|region| region.as_str().to_owned())),
    ];
    let changes: Vec<_> = settings
        .into_iter()
        .filter_map(|(key, value)| Some(Change::Set { key: key.to_owned(), value: value? }))
        .collect();
    let kind = SectionKind::Profile;
    let shown = files.shown(FileKind::Config);
    let lines = edit_section(b"", FileKind::Config, kind, name.as_str(), &changes)
        .map_err(|error| Failure::of_error(FailureKind::Usage, &error))?;
    world.output.data(&String::from_utf8_lossy(&lines))?;
    let question = Confirmation {
        text: &format!("Add these lines to {shown}? (y|N) "),
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if !args.yes && !ask_yes_or_no(world, &question)? {
        world.output.note("nothing was added");
        return Ok(());
    }
    files.add_section(world, kind, name.as_str(), &changes)?;
    world.output.note(&format!("added [profile {name}] to {shown}"));
    let quoted = quote_word(name.as_str());
    world.output.note(&format!("try it: hatbox exec {quoted} -- aws sts get-caller-identity"));
    Ok(())
}

/// The profiles whose credentials could assume a role.
struct Sources {
    /// Profiles in the files.
    named: Vec<ProfileName>,
    /// Profiles with a stored key; `None` if the store is locked.
    stored: Option<Vec<ProfileName>>,
}

impl Sources {
    fn load(world: &World, global: &GlobalArgs, files: &ConfigFiles) -> Result<Self, Failure> {
        let index = KeyStore::open(world, global)?.index_if_known()?;
        let stored = index.map(|index| index.keys.iter().map(|key| key.profile.clone()).collect());
        Ok(Self { named: files.config.profile_names(), stored })
    }

    /// Why a profile cannot be the source. `None` if it can, or might with a key in a locked store.
    fn find_problem(&self, name: &ProfileName) -> Option<(String, Option<&str>)> {
        let all = || self.named.iter().chain(self.stored.iter().flatten());
        if self.stored.is_none() || all().any(|known| known == name) {
            return None;
        }
        let nearest = nearest_name(name.as_str(), all().map(ProfileName::as_str));
        Some((format!("no profile named `{name}`, and no access key is stored for it"), nearest))
    }

    /// Returns the profiles to offer: those with a stored key, or else those in the files.
    fn offered(&self) -> &[ProfileName] {
        self.stored.as_deref().filter(|stored| !stored.is_empty()).unwrap_or(&self.named)
    }
}

/// Returns the MFA device of the source profile, which its roles usually need too.
fn offer_of_source(world: &World, files: &ConfigFiles, source: &ProfileName) -> Option<MfaSerial> {
    let overrides = Overrides::from_env(Flags::default(), |name| world.environment.text(name));
    let profile = resolve_profile(&files.config, source, &overrides, Which::Source).ok()?;
    profile.mfa_serial.map(|serial| serial.value)
}

/// Takes values from flags, or else asks the user.
struct Asking<'a> {
    world: &'a World,
    args: &'a ProfileAddArgs,
}

impl Asking<'_> {
    fn name(&self, files: &ConfigFiles) -> Result<ProfileName, Failure> {
        let check = |text: &str| {
            let name = parse("profile name", text, ProfileName::parse, "a name such as `dev-admin`")?;
            match files.config.defined_at(&name) {
                None => Ok(name),
                Some(place) => {
                    Err(Failure::new(FailureKind::Failed, format!("the profile `{name}` already exists"))
                        .at(files.shown_place(place))
                        .hint("choose another name, or edit the file"))
                }
            }
        };
        self.required(self.args.name.as_deref(), "Profile name: ", "the profile's name", "NAME", check)
    }

    fn role(&self) -> Result<RoleArn, Failure> {
        let expected = "arn:aws:iam::ACCOUNT:role/NAME";
        let check = |text: &str| parse("role ARN", text, RoleArn::parse, expected);
        let question = format!("Role ARN ({expected}): ");
        self.required(self.args.role_arn.as_deref(), &question, "the role", "--role-arn", check)
    }

    fn source(&self, sources: &Sources) -> Result<ProfileName, Failure> {
        let offered = sources.offered();
        let check = |text: &str| {
            let text = match (text, offered) {
                ("", [only]) => only.as_str(),
                _ => text,
            };
            let name = parse("source profile", text, ProfileName::parse, "the name of a profile")?;
            let Some((problem, nearest)) = sources.find_problem(&name) else { return Ok(name) };
            let failure = Failure::new(FailureKind::Usage, problem);
            Err(match nearest {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None => failure.hint(format!("hatbox add {}", quote_word(name.as_str()))),
            })
        };
        let names: Vec<_> = offered.iter().take(MOST_OFFERED).map(ProfileName::as_str).collect();
        let question = match offered {
            [] => "Source profile: ".to_owned(),
            [only] => format!("Source profile (Enter for {only}): "),
            _ if offered.len() > MOST_OFFERED => format!("Source profile ({}, ...): ", names.join(", ")),
            _ => format!("Source profile ({}): ", names.join(", ")),
        };
        let given = self.args.source_profile.as_deref();
        self.required(given, &question, "the source profile", "--source-profile", check)
    }

    fn mfa_serial(&self, offered: Option<&MfaSerial>) -> Result<Option<MfaSerial>, Failure> {
        let form = "arn:aws:iam::ACCOUNT:mfa/NAME";
        let check = |text: &str| {
            let serial = parse("MFA device", text, MfaSerial::parse, form)?;
            if serial.is_user_arn() {
                let problem =
                    format!("invalid MFA device `{serial}`: this is the ARN of a user, expected {form}");
                return Err(Failure::new(FailureKind::Usage, problem));
            }
            Ok(serial)
        };
        let question = match offered {
            Some(serial) => format!("MFA device (Enter for {serial}, {NONE} for none): "),
            None => format!("MFA device ({form}, Enter for none): "),
        };
        self.optional(self.args.mfa_serial.as_deref(), &question, offered.cloned(), check)
    }

    fn region(&self) -> Result<Option<Region>, Failure> {
        let check = |text: &str| parse("region", text, Region::parse, "a region such as `eu-west-1`");
        let question = "Region (such as eu-west-1, Enter for none): ";
        self.optional(self.args.region.as_deref(), question, None, check)
    }

    /// Returns the given value, or asks until the answer is valid.
    fn required<T>(
        &self,
        given: Option<&str>,
        question: &str,
        what: &str,
        option: &str,
        check: impl Fn(&str) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(given) = given {
            return check(given);
        }
        loop {
            let answer = self.ask(question)?.map_err(|error| {
                Failure::new(FailureKind::NeedsPerson, format!("could not ask for {what}"))
                    .caused_by(&error)
                    .hint(format!("pass it with {option}"))
            })?;
            match check(&answer) {
                Ok(value) => return Ok(value),
                Err(failure) => self.show(&failure),
            }
        }
    }

    /// Does the same for an optional value, which is omitted with `--yes` or without a terminal.
    fn optional<T>(
        &self,
        given: Option<&str>,
        question: &str,
        mut default: Option<T>,
        check: impl Fn(&str) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if let Some(given) = given {
            return check(given).map(Some);
        }
        if self.args.yes {
            return Ok(None);
        }
        loop {
            let answer = match self.ask(question)? {
                Ok(answer) => answer,
                Err(PromptError::NoTerminal) => return Ok(None),
                Err(error) => {
                    return Err(Failure::of_error(FailureKind::NeedsPerson, &error));
                }
            };
            match answer.as_str() {
                "" => return Ok(default.take()),
                NONE => return Ok(None),
                _ => {}
            }
            match check(&answer) {
                Ok(value) => return Ok(Some(value)),
                Err(failure) => self.show(&failure),
            }
        }
    }

    fn ask(&self, text: &str) -> Result<Result<String, PromptError>, Failure> {
        let timeout = self.world.settings()?.prompt_timeout();
        let question = Question { text, echo: Echo::Shown, timeout, is_over: &|| false };
        match self.world.prompter().ask_line(&question) {
            Ok(answer) => Ok(Ok(answer.expose().trim().to_owned())),
            Err(PromptError::Cancelled) => {
                Err(Failure::new(FailureKind::Cancelled, "cancelled: nothing was added"))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Shows what is wrong with an answer before the question is repeated.
    fn show(&self, failure: &Failure) {
        let prompter = self.world.prompter();
        prompter.reject(&failure.error);
        failure.hints.iter().for_each(|hint| prompter.reject(&format!("hint: {hint}")));
    }
}

fn parse<T>(
    what: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, NameError>,
    expected: &str,
) -> Result<T, Failure> {
    parse(text).map_err(|_| {
        let problem = format!("invalid {what} `{}`: expected {expected}", text.escape_debug());
        Failure::new(FailureKind::Usage, problem)
    })
}
