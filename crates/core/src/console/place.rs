//! The URLs of the console and of the endpoint that signs in to it.

use hatbox_types::name::Region;
use hatbox_types::partition::Partition;

use crate::login::address::sign_in_domain;

/// The console of a region, or of a partition if no region is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsolePlace {
    partition: Partition,
    region: Option<Region>,
}

impl ConsolePlace {
    /// Creates the console of `region` in `partition`. Ignores a region of another partition.
    pub fn new(partition: Partition, region: Option<&Region>) -> Self {
        Self { partition, region: region.filter(|region| region.partition() == partition).cloned() }
    }

    /// Returns the partition.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Returns the region that pages show.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// Returns the endpoint that signs in, without a trailing slash.
    ///
    /// <https://docs.aws.amazon.com/general/latest/gr/signin-service.html>
    pub fn sign_in_url(&self) -> String {
        format!("https://{}{}", self.prefix(), sign_in_domain(self.partition, false))
    }

    /// Returns the console's URL, without a trailing slash.
    pub fn console_url(&self) -> String {
        let domain = match self.partition {
            Partition::Aws => "console.aws.amazon.com",
            Partition::China => "console.amazonaws.cn",
            Partition::UsGov => "console.amazonaws-us-gov.com",
            Partition::European => "console.amazonaws-eusc.eu",
            Partition::Iso => "console.c2shome.ic.gov",
            Partition::IsoB => "console.sc2shome.sgov.gov",
            Partition::IsoE => "console.csphome.adc-e.uk",
            Partition::IsoF => "console.csphome.hci.ic.gov",
        };
        format!("https://{}{domain}", self.prefix())
    }

    /// Returns `REGION.`, or nothing for the region of the hosts without one.
    fn prefix(&self) -> String {
        let named = self.region.as_ref().filter(|region| region.as_str() != self.partition.usual_region());
        named.map(|region| format!("{region}.")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_console() {
        for (partition, region, sign_in, console) in [
            (Partition::Aws, None, "signin.aws.amazon.com", "console.aws.amazon.com"),
            (Partition::Aws, Some("us-east-1"), "signin.aws.amazon.com", "console.aws.amazon.com"),
            (
                Partition::Aws,
                Some("eu-west-1"),
                "eu-west-1.signin.aws.amazon.com",
                "eu-west-1.console.aws.amazon.com",
            ),
            (Partition::China, Some("cn-north-1"), "signin.amazonaws.cn", "console.amazonaws.cn"),
            (
                Partition::China,
                Some("cn-northwest-1"),
                "cn-northwest-1.signin.amazonaws.cn",
                "cn-northwest-1.console.amazonaws.cn",
            ),
            (
                Partition::UsGov,
                Some("us-gov-west-1"),
                "signin.amazonaws-us-gov.com",
                "console.amazonaws-us-gov.com",
            ),
            (
                Partition::UsGov,
                Some("us-gov-east-1"),
                "us-gov-east-1.signin.amazonaws-us-gov.com",
                "us-gov-east-1.console.amazonaws-us-gov.com",
            ),
            (
                Partition::UsGov,
                Some("eu-west-1"),
                "signin.amazonaws-us-gov.com",
                "console.amazonaws-us-gov.com",
            ),
            (
                Partition::European,
                Some("eusc-de-east-1"),
                "signin.amazonaws-eusc.eu",
                "console.amazonaws-eusc.eu",
            ),
            (Partition::Iso, None, "signin.c2shome.ic.gov", "console.c2shome.ic.gov"),
            (Partition::IsoB, None, "signin.sc2shome.sgov.gov", "console.sc2shome.sgov.gov"),
            (Partition::IsoE, None, "signin.csphome.adc-e.uk", "console.csphome.adc-e.uk"),
            (Partition::IsoF, None, "signin.csphome.hci.ic.gov", "console.csphome.hci.ic.gov"),
        ] {
            let place =
                ConsolePlace::new(partition, region.map(|name| Region::parse(name).unwrap()).as_ref());
            assert_eq!(place.sign_in_url(), format!("https://{sign_in}"));
            assert_eq!(place.console_url(), format!("https://{console}"));
        }
    }
}
