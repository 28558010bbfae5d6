//! Serves a sandbox directory in the foreground, to try it by hand. Prints the environment variables that a shell in
//! another terminal needs to reach it: `cargo run -p hatbox-sandbox --example serve -- DIRECTORY`.

use std::io::Write;
use std::path::PathBuf;

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, USER, load_world};
use hatbox_sandbox::{Options, Stop, serve_blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory: PathBuf = std::env::args_os().nth(1).ok_or("which directory?")?.into();
    let options = Options { directory: directory.clone(), port: 0 };
    let show = |client: &hatbox_sandbox::control::Client| {
        let world = load_world(&directory).ok().flatten();
        let key = world.and_then(|world| world.access_key(PEOPLE_ACCOUNT, USER));
        let mut out = std::io::stdout().lock();
        let shown = writeln!(out, "export AWS_ENDPOINT_URL={}", client.url()).and_then(|()| match key {
            Some(key) => writeln!(
                out,
                "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}",
                key.id.as_str(),
                key.secret.expose()
            ),
            None => Ok(()),
        });
        drop(shown);
    };
    serve_blocking(&options, show, &Stop::default())?;
    Ok(())
}
