//! The condition keys that a request to assume a role can have, from AWS's lists of global keys and of STS keys.

/// Complete keys, spelled as AWS does.
const KEYS: [&str; 64] = [
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:userid",
    "aws:username",
    "ec2:SourceInstanceARN",
    "glue:CredentialIssuingService",
    "glue:RoleAssumedBy",
    "identitystore:IdentityStoreArn",
    "identitystore:UserId",
    "lambda:SourceFunctionArn",
    "ssm:SourceInstanceARN",
    "sts:AWSServiceName",
    "sts:DurationSeconds",
    "sts:ExternalId",
    "sts:IdentityTokenAudience",
    "sts:RequestContextProviders",
    "sts:RoleSessionName",
    "sts:SigningAlgorithm",
    "sts:SourceIdentity",
    "sts:TaskPolicyArn",
    "sts:TransitiveTagKeys",
    "sts:WebIdentityTokenAudience",
];

/// Prefixes of keys that end in a user-defined name.
const OPEN_KEYS: [&str; 5] =
    ["aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/", "iam:ResourceTag/", "sts:RequestContext/"];

/// Whether AWS defines `key`. Keys of identity providers (`saml:aud`, `accounts.google.com:sub`) are recognized by
/// form.
pub(crate) fn is_known(key: &str) -> bool {
    KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
        || OPEN_KEYS.iter().any(|start| strip_start(key, start).is_some_and(|name| !name.is_empty()))
        || is_of_provider(key)
}

/// Whether only a token of an identity provider can set `key`, so that `sts:AssumeRole` never has it.
pub(crate) fn is_of_provider(key: &str) -> bool {
    key.split_once(':').is_some_and(|(provider, name)| {
        !name.is_empty() && (provider.contains('.') || provider.eq_ignore_ascii_case("saml"))
    })
}

/// Returns all keys, to suggest one for a misspelled `key`. User-defined names are taken from `key`.
pub(crate) fn candidates(key: &str) -> Vec<String> {
    let name = key.split_once('/').map(|(_, name)| name);
    let open = OPEN_KEYS.iter().filter_map(|start| Some(format!("{start}{}", name?)));
    KEYS.iter().map(|known| (*known).to_owned()).chain(open).collect()
}

/// Removes the prefix `start` from `key`, ignoring case.
pub(crate) fn strip_start<'k>(key: &'k str, start: &str) -> Option<&'k str> {
    let head = key.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| key.get(start.len()..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_in_any_case_and_by_their_form() {
        for (key, known) in [
            ("aws:multifactorauthpresent", true),
            ("AWS:UserName", true),
            ("aws:PrincipalTag/Team", true),
            ("aws:PrincipalTag/", false),
            ("aws:PrincipalTag", false),
            ("saml:aud", true),
            ("token.actions.githubusercontent.com:sub", true),
            ("accounts.google.com:", false),
            ("aws:MultiFactorAuthPresnt", false),
            ("MultiFactorAuthPresent", false),
            ("é", false),
            ("", false),
        ] {
            assert_eq!(is_known(key), known, "{key}");
        }
    }
}
