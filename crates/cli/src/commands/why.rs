//! `hatbox why`: explains why credentials were not obtained the last time, with everything that was checked.

use std::process::ExitCode;

use hatbox_iam::accounts::{Origin, SourceKind};
use hatbox_iam::denial::attempt::{Attempt, FailedCall};
use hatbox_iam::denial::aws_error::AwsError;
use hatbox_iam::denial::diagnose;
use hatbox_iam::denial::json::render_diagnosis_json;
use hatbox_iam::denial::known::gather_known;
use hatbox_iam::denial::known::{Answers, Known};
use hatbox_iam::denial::redact::Redactor;
use hatbox_iam::denial::report::render_page;
use hatbox_types::name::ProfileName;
use hatbox_types::text::page::{Page, Style};
use hatbox_types::text::shell::quote_word;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, WhyArgs};
use crate::credentials::last_failure::{LastFailure, load_last_failure};
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::trust_sources::{AT_LEISURE, load_trust_sources};
use crate::output;
use crate::world::World;

/// The exit code if several causes are possible and none is likely.
const UNKNOWN: u8 = 6;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &WhyArgs) -> Result<ExitCode, Failure> {
    let profile = match &args.profile {
        Some(name) => Some(resolve_profile_name(Some(name), &world.environment)?),
        None => None,
    };
    let last = load_last_failure(world, global, profile.as_ref())?;
    let Some(last) = last else {
        note_nothing_recorded(world, profile.as_ref());
        return Ok(ExitCode::from(UNKNOWN));
    };
    let answer = resolve_answer(world, &last, &|attempt| ask(world, global, args, attempt));
    let text = if args.json {
        let mut value = answer.json;
        if args.redact {
            redactor(&value).redact_json(&mut value);
        }
        format!("{value:#}\n")
    } else {
        let mut page = answer.page;
        if args.redact {
            let mut redactor = redactor(&answer.json);
            for span in page.0.iter_mut().flat_map(|line| &mut line.0) {
                span.text = redactor.redact(&span.text);
            }
        }
        output::render_page(&page)
    };
    if args.json {
        world.output.data(&text)?;
    } else {
        world.output.page(&text)?;
    }
    Ok(if answer.is_explained { ExitCode::SUCCESS } else { ExitCode::from(UNKNOWN) })
}

/// The answer as text and as JSON.
struct Answer {
    page: Page,
    json: Value,
    is_explained: bool,
}

fn resolve_answer(world: &World, last: &LastFailure, ask: &dyn Fn(&Attempt) -> Answers) -> Answer {
    let now = world.clock.now();
    let Some(refused) = &last.failure.aws_error else { return of_failure(last, None) };
    let call = &refused.call;
    let aws_error = call.aws_error();
    let Answers { known, details, answered } = ask(&call.attempt);
    let known = complete(world, &aws_error, call, known, details);
    let diagnosis = diagnose(&aws_error, &call.attempt, &known, now);
    let json = render_diagnosis_json(call, &diagnosis, &answered);
    if diagnosis.first().is_none() && !last.failure.hints.is_empty() {
        return of_failure(last, Some(json));
    }
    let page = render_page(call, &diagnosis, &answered, now);
    Answer { page, json, is_explained: diagnosis.is_explained() }
}

#[cfg(feature = "trust")]
fn ask(world: &World, global: &GlobalArgs, args: &WhyArgs, attempt: &Attempt) -> Answers {
    if args.offline {
        return Answers::default();
    }
    crate::iam::ask_about_denial(world, global, attempt)
}

/// A build without the calls to IAM.
#[cfg(not(feature = "trust"))]
fn ask(_: &World, _: &GlobalArgs, _: &WhyArgs, _: &Attempt) -> Answers {
    Answers::default()
}

/// Completes the facts with AWS's current answers and, for the rest, the account files in the settings.
fn complete(
    world: &World,
    aws_error: &AwsError,
    call: &FailedCall,
    known: Known,
    details: Option<String>,
) -> Known {
    let now = world.clock.now();
    let mut accounts = load_trust_sources(world, AT_LEISURE).unwrap_or_default();
    if let Some(details) = details {
        let origin = Origin { name: "IAM".to_owned(), kind: SourceKind::Live, taken: Some(now) };
        if let Err(error) = accounts.add_source(details.as_bytes(), origin) {
            world.output.debug(|| format!("IAM's account details are left out: {error}"));
        }
    }
    let caller_of_error = match aws_error {
        AwsError::NotAuthorized(denial) => denial.caller.as_deref(),
        _ => None,
    };
    let caller = caller_of_error.or(known.caller.as_ref().map(|fact| fact.value.as_str()));
    let role = call.attempt.role.as_deref();
    let gathered = gather_known(&accounts, role, caller, now);
    known.or(gathered, role)
}

/// A failure other than a denied role, which already says what to do.
fn of_failure(last: &LastFailure, diagnosis: Option<Value>) -> Answer {
    let failure = &last.failure;
    let mut page = Page::default();
    let named = format!("profile `{}`", last.profile);
    let headline = if failure.error.contains(&named) {
        failure.error.clone()
    } else {
        format!("{named}: {}", failure.error)
    };
    page.line(&[(&headline, Style::Strong)]);
    let place = failure.place.iter().map(|place| format!("  --> {place}"));
    let causes = failure.causes.iter().map(|cause| format!("  caused by: {cause}"));
    let hints = failure.hints.iter().map(|hint| format!("  hint: {hint}"));
    for line in place.chain(causes).chain(hints) {
        page.plain(&line);
    }
    let is_explained = !failure.hints.is_empty() || failure.kind != FailureKind::Failed;
    let own = json!({
        "schema": 1,
        "explained": is_explained,
        "headline": failure.error,
        "profile": last.profile,
        "at": last.at_millis.div_euclid(1000),
        "place": failure.place,
        "because": failure.causes,
        "hints": failure.hints,
    });
    let json = match (diagnosis, own) {
        (Some(Value::Object(mut members)), Value::Object(own)) => {
            members.extend(own);
            Value::Object(members)
        }
        (_, own) => own,
    };
    Answer { page, json, is_explained }
}

/// Masks the names in all ARNs of the answer.
fn redactor(json: &Value) -> Redactor {
    Redactor::new(Redactor::names_in(&json.to_string()))
}

fn note_nothing_recorded(world: &World, profile: Option<&ProfileName>) {
    let (what, command) = match profile {
        Some(profile) => (
            format!("no failure of profile `{profile}` is recorded"),
            format!("hatbox exec {} -- true", quote_word(profile.as_str())),
        ),
        None => ("no failure is recorded".to_owned(), "hatbox exec PROFILE -- true".to_owned()),
    };
    world.output.error(&what);
    world.output.hint(&format!("`{command}` records one if it fails"));
}
