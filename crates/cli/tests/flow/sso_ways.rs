//! Which kind of sign-in is used, browser redirect or device code, depending on the environment and the flags.

use crate::run::finish;
use crate::sso::{CONFIG, scene, with_browser};

const REDIRECT: &str = "/authorize?response_type=code&";
const CODE: &str = "/device?user_code=";
/// Set on a terminal of this machine with a desktop.
const HERE: (&str, &str) = ("DISPLAY", ":0");
const SSH: (&str, &str) = ("SSH_CONNECTION", "192.0.2.1 5000 192.0.2.2 22");

/// A sign-in: its variables, lines of its session, flags, and the expected message and page.
struct Case {
    variables: &'static [(&'static str, &'static str)],
    lines: &'static str,
    flags: &'static [&'static str],
    says: &'static str,
    shows: &'static str,
}

const CASES: [Case; 9] = [
    Case { variables: &[SSH], lines: "", flags: &[], says: "code: this is an SSH session", shows: CODE },
    Case {
        variables: &[("WSL_DISTRO_NAME", "Debian"), HERE],
        lines: "",
        flags: &[],
        says: "code: this is WSL, and the browser is on the Windows side",
        shows: CODE,
    },
    Case {
        variables: &[("container", "podman"), HERE],
        lines: "",
        flags: &[],
        says: "code: a browser cannot reach this container",
        shows: CODE,
    },
    Case { variables: &[SSH], lines: "", flags: &["--pkce"], says: "", shows: REDIRECT },
    Case { variables: &[("BROWSER", "firefox")], lines: "", flags: &[], says: "", shows: REDIRECT },
    Case {
        variables: &[("HATBOX_BROWSER", "firefox"), SSH],
        lines: "",
        flags: &[],
        says: "",
        shows: REDIRECT,
    },
    Case { variables: &[("BROWSER", "firefox")], lines: "", flags: &["--device"], says: "", shows: CODE },
    Case {
        variables: &[("BROWSER", "firefox")],
        lines: "sso_use_device_code = true\n",
        flags: &[],
        says: "code: as `sso_use_device_code` says",
        shows: CODE,
    },
    Case {
        variables: &[("BROWSER", "firefox")],
        lines: "sso_use_device_code = true\n",
        flags: &["--pkce"],
        says: "",
        shows: REDIRECT,
    },
];

#[test]
fn a_sign_in_goes_the_way_that_works_and_says_why_it_is_a_code() {
    let fixture = scene();
    // Only the page matters, not whether it is opened.
    with_browser(&fixture, fixture.hatbox(&[]));
    let mut config = CONFIG.to_owned();
    for (number, case) in CASES.iter().enumerate() {
        config.push_str(&format!(
            "[sso-session s{number}]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n{}",
            case.lines
        ));
    }
    config.push_str(
        "[profile old]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n\
         sso_account_id = 444455556666\nsso_role_name = Developer\n",
    );
    fixture.write_config(&config);
    // None of these sign-ins is completed.
    let start = |name: &str, case: &Case| {
        let run = fixture.hatbox(&["sso", "login", name]).args(case.flags).env("HATBOX_TEST_TIME_LIMIT", "3");
        case.variables.iter().fold(run, |run, (name, value)| run.env(name, value)).spawn()
    };
    let old = [
        Case {
            variables: &[("BROWSER", "firefox")],
            lines: "",
            flags: &[],
            says: "code: the profile has no `sso_session`",
            shows: CODE,
        },
        Case {
            variables: &[("BROWSER", "firefox")],
            lines: "",
            flags: &["--pkce"],
            says: "",
            shows: REDIRECT,
        },
    ];
    let mut started: Vec<_> =
        CASES.iter().enumerate().map(|(number, case)| (start(&format!("s{number}"), case), case)).collect();
    started.push((start("old", &old[0]), &old[0]));
    let check = |(child, case): (_, &Case)| {
        let what = format!("{:?} {} {:?}", case.variables, case.lines, case.flags);
        let stderr = finish(child, &what).expect_code(4).stderr;
        assert!(stderr.contains(case.shows), "{what}: {stderr}");
        let is_code = "hatbox: signing in with a device ";
        assert_eq!(stderr.contains(is_code), !case.says.is_empty(), "{what}: {stderr}");
        assert!(stderr.contains(case.says), "{what}: {stderr}");
        // A device code is always shown, so that the user can compare it.
        assert_eq!(stderr.contains("shows the code "), case.shows == CODE, "{what}: {stderr}");
    };
    // With `ssh -L`, the browser is redirected to the given port.
    let free =
        std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
    let login = ["sso", "login", "corp", "--redirect-port", &free];
    let forwarded = fixture.hatbox(&login).env("HATBOX_TEST_TIME_LIMIT", "3").env(SSH.0, SSH.1).spawn();
    started.into_iter().for_each(check);
    let forwarded = finish(forwarded, "--redirect-port").expect_code(4).stderr;
    let address = format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{free}%2Foauth%2Fcallback");
    assert!(forwarded.contains(&address), "{forwarded}");
    check((start("old", &old[1]), &old[1]));
}
