//! Assumes a role with the SDK and does nothing else: the baseline of `bench` for cold starts.
//!
//! Usage: `sdk-call ENDPOINT ROLE_ARN`, with the access key in the environment.

use aws_credential_types::Credentials;
use aws_sdk_sts::config::{BehaviorVersion, Config, Region};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let endpoint = words.next().ok_or("no endpoint")?;
    let role = words.next().ok_or("no role")?;
    let [id, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(std::env::var);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new(id?, secret?, None, None, "bench"))
        .build();
    let client = aws_sdk_sts::Client::from_conf(config);
    let call = client.assume_role().role_arn(role).role_session_name("bench");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(call.send())?;
    answer.credentials().ok_or("no credentials")?;
    Ok(())
}
