//! Tokens of the sandbox's identity providers: boto3 uses them, and `cryptography` verifies them. The sandbox in turn
//! accepts a token that `cryptography` signed.

use std::path::Path;
use std::process::Command;

use hatbox_sandbox::control::TokenOrder;
use hatbox_sandbox::world::{
    AUDIENCE, ISSUER, IdentityKey, IdentityProvider, JOB_ROLE, PublicKey, SUBJECT, World, load_world,
    save_world,
};
use hatbox_sandbox::{Options, Running, start};
use serde_json::Value;

use crate::python::Python;
use crate::scene::succeeded;

fn serve(directory: &Path) -> Running {
    start(&Options { directory: directory.to_owned(), port: 0 }).unwrap()
}

fn order() -> TokenOrder {
    TokenOrder {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        lifetime_seconds: 600,
        claims: serde_json::Map::new(),
    }
}

/// A Python script with nothing of the caller's environment but PATH.
fn script(python: &Python, home: &Path, text: &str, words: &[&str]) -> Command {
    let mut command = Command::new(python.interpreter());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.args(["-c", text]).args(words).current_dir(home);
    command
}

/// Prints boto3's caller ARN with the token in the file `token`, as in a CI job or a Kubernetes pod.
fn who(python: &Python, home: &Path, sandbox: &Running, token: &str) -> Command {
    const WHO: &str = r#"
import boto3, botocore
try:
    print(boto3.client("sts").get_caller_identity()["Arn"])
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"#;
    std::fs::write(home.join("token"), token).unwrap();
    let mut command = script(python, home, WHO, &[]);
    command
        .env("AWS_ENDPOINT_URL", sandbox.url())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ROLE_ARN", JOB_ROLE)
        .env("AWS_ROLE_SESSION_NAME", "job-7")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", home.join("token"));
    command
}

#[test]
fn boto3_assumes_a_role_with_a_token_in_a_file() {
    let Some(python) = Python::open() else { return };
    let home = tempfile::tempdir().unwrap();
    let sandbox = serve(&home.path().join("box"));
    let good = sandbox.client.mint_token(&order()).unwrap();
    let arn = succeeded(&mut who(python, home.path(), &sandbox, &good));
    assert_eq!(arn.trim(), "arn:aws:sts::444455556666:assumed-role/ci-deploy/job-7");
    let ended = TokenOrder { lifetime_seconds: -1, ..order() };
    let ended = sandbox.client.mint_token(&ended).unwrap();
    let code = succeeded(&mut who(python, home.path(), &sandbox, &ended));
    assert_eq!(code.trim(), "ExpiredTokenException");
}

#[test]
fn cryptography_verifies_what_the_sandbox_signs() {
    const VERIFY: &str = r#"
import base64, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
number = lambda text: int.from_bytes(part(text), "big")
x, y, token = sys.argv[1:]
key = ec.EllipticCurvePublicNumbers(number(x), number(y), ec.SECP256R1()).public_key()
message, _, signature = token.rpartition(".")
both = part(signature)
signature = utils.encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
key.verify(signature, message.encode(), ec.ECDSA(hashes.SHA256()))
try:
    key.verify(signature, message.encode() + b"x", ec.ECDSA(hashes.SHA256()))
except InvalidSignature:
    print("verified")
"#;
    let Some(python) = Python::open() else { return };
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("box");
    let sandbox = serve(&place);
    let world = load_world(&place).unwrap().unwrap();
    let key = world.identity_providers[ISSUER].keys.values().next().unwrap();
    let PublicKey::Ec { x, y, .. } = &key.public else { panic!("{key:?}") };
    // Either half of a signature may begin with zeros, so several are tried.
    for _ in 0..5 {
        let token = sandbox.client.mint_token(&order()).unwrap();
        let said = succeeded(&mut script(python, home.path(), VERIFY, &[x, y, &token]));
        assert_eq!(said.trim(), "verified");
    }
}

#[test]
fn the_sandbox_takes_what_cryptography_signs_with_rsa() {
    const SIGN: &str = r#"
import base64, json, sys, time
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
text = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
number = lambda n: text(n.to_bytes((n.bit_length() + 7) // 8, "big"))
issuer, subject, audience = sys.argv[1:]
now = int(time.time())
claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "exp": now + 600}
def token(key, kid):
    header = {"alg": "RS256", "kid": kid}
    message = ".".join(text(json.dumps(part).encode()) for part in (header, claims))
    signature = key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return message + "." + text(signature)
keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
public = keys[0].public_key().public_numbers()
print(json.dumps({"n": number(public.n), "e": number(public.e),
    "own": token(keys[0], "k1"), "strange": token(keys[1], "k1"), "unknown": token(keys[0], "k2")}))
"#;
    let Some(python) = Python::open() else { return };
    let home = tempfile::tempdir().unwrap();
    let said = succeeded(&mut script(python, home.path(), SIGN, &[ISSUER, SUBJECT, AUDIENCE]));
    let signed: Value = serde_json::from_str(&said).unwrap();
    let text = |name: &str| signed[name].as_str().unwrap().to_owned();
    let place = home.path().join("box");
    let mut world = World::demo(&place).unwrap();
    let public = PublicKey::Rsa { n: text("n"), e: text("e") };
    let keys = [("k1".to_owned(), IdentityKey { public, secret: None })].into();
    world.identity_providers.insert(ISSUER.to_owned(), IdentityProvider { keys });
    save_world(&place, &world).unwrap();
    let sandbox = serve(&place);
    let who = |name: &str| succeeded(&mut who(python, home.path(), &sandbox, &text(name))).trim().to_owned();
    assert_eq!(who("own"), "arn:aws:sts::444455556666:assumed-role/ci-deploy/job-7");
    assert_eq!(who("strange"), "InvalidIdentityToken");
    assert_eq!(who("unknown"), "InvalidIdentityToken");
    let refused = sandbox.client.mint_token(&order());
    assert!(refused.is_err(), "the private key is elsewhere");
}
