//! Prints the id of the credentials that the Rust SDK returns for AWS_PROFILE.

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let provider = config.credentials_provider().ok_or("no credentials provider")?;
    println!("{}", provider.provide_credentials().await?.access_key_id());
    Ok(())
}
