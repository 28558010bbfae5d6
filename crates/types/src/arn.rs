//! Splits an ARN into its parts: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.

/// The parts of an ARN, borrowed from its text. Only the form is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'t> {
    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: &'t str,
    /// `iam`, `sts`, `s3`, ...
    pub service: &'t str,
    /// Empty for IAM.
    pub region: &'t str,
    /// 12 digits, or empty for S3.
    pub account: &'t str,
    /// The rest, including further colons.
    pub resource: &'t str,
}

impl<'t> Arn<'t> {
    /// Splits `text`; returns `None` if it lacks one of the six parts of an ARN.
    pub fn parse(text: &'t str) -> Option<Self> {
        // Works on bytes, as it is called many times per request.
        let next = |text: &'t str| {
            let colon = text.bytes().position(|byte| byte == b':')?;
            Some((text.get(..colon)?, text.get(colon + 1..)?))
        };
        let (partition, rest) = next(text.strip_prefix("arn:")?)?;
        let (service, rest) = next(rest)?;
        let (region, rest) = next(rest)?;
        let (account, resource) = next(rest)?;
        Some(Self { partition, service, region, account, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_gives_its_parts_and_keeps_later_colons() {
        let arn = Arn::parse("arn:aws:logs:eu-central-1:111122223333:log-group:a:*").unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws", "logs", "eu-central-1"));
        assert_eq!((arn.account, arn.resource), ("111122223333", "log-group:a:*"));
    }

    #[test]
    fn a_text_without_six_parts_is_not_an_arn() {
        for text in ["", "*", "alice", "arn:aws:iam::111122223333", "aws:arn:iam::1:x"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
