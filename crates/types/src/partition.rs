//! AWS's partitions: sets of regions that share accounts and ARNs with no other set.

use crate::name::Region;

/// A partition. Those that AWS adds later are unknown here, and so are their regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    China,
    /// GovCloud (US).
    UsGov,
    /// The European Sovereign Cloud.
    European,
    /// Secret and top secret regions of the United States and allies.
    Iso,
    /// As [`Self::Iso`].
    IsoB,
    /// As [`Self::Iso`].
    IsoE,
    /// As [`Self::Iso`].
    IsoF,
}

/// Each partition with its name in ARNs, the prefix of its regions' names, and a region that is enabled in every
/// account. Requests to IAM are signed for that region.
///
/// <https://docs.aws.amazon.com/general/latest/gr/rande.html>, and the SDKs' `partitions.json`.
const TABLE: [(Partition, &str, &str, &str); 8] = [
    (Partition::Aws, "aws", "", "us-east-1"),
    (Partition::China, "aws-cn", "cn-", "cn-north-1"),
    (Partition::UsGov, "aws-us-gov", "us-gov-", "us-gov-west-1"),
    (Partition::European, "aws-eusc", "eusc-", "eusc-de-east-1"),
    (Partition::Iso, "aws-iso", "us-iso-", "us-iso-east-1"),
    (Partition::IsoB, "aws-iso-b", "us-isob-", "us-isob-east-1"),
    (Partition::IsoE, "aws-iso-e", "eu-isoe-", "eu-isoe-west-1"),
    (Partition::IsoF, "aws-iso-f", "us-isof-", "us-isof-south-1"),
];

impl Partition {
    /// Returns the partition with this name; `None` if it is unknown.
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Returns the name in ARNs: `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn as_str(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("aws", |row| row.1)
    }

    /// Returns the suffix of its services' hosts: `amazonaws.com` (`dnsSuffix` in the SDKs' `partitions.json`).
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::UsGov => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::European => "amazonaws.eu",
            Self::Iso => "c2s.ic.gov",
            Self::IsoB => "sc2s.sgov.gov",
            Self::IsoE => "cloud.adc-e.uk",
            Self::IsoF => "csp.hci.ic.gov",
        }
    }

    /// Returns the suffix of its dual-stack hosts: `api.aws` (`dualStackDnsSuffix` in the SDKs' `partitions.json`).
    pub fn dual_stack_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::UsGov => "api.aws",
            Self::China => "api.amazonwebservices.com.cn",
            Self::European => "api.amazonwebservices.eu",
            Self::Iso => "api.aws.ic.gov",
            Self::IsoB => "api.aws.scloud",
            Self::IsoE => "api.cloud-aws.adc-e.uk",
            Self::IsoF => "api.aws.hci.ic.gov",
        }
    }

    /// Returns the region for a service if no region is set.
    pub fn usual_region(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("us-east-1", |row| row.3)
    }
}

impl Region {
    /// Returns the region's partition, derived from its prefix. Unknown prefixes count as commercial.
    pub fn partition(&self) -> Partition {
        let is_of = |prefix: &str| !prefix.is_empty() && self.as_str().starts_with(prefix);
        TABLE.iter().find(|row| is_of(row.2)).map_or(Partition::Aws, |row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_names_and_its_regions() {
        for (partition, name, prefix, region) in TABLE {
            assert_eq!((Partition::parse(name), partition.as_str()), (Some(partition), name));
            assert!(region.starts_with(prefix), "{region}");
            assert_eq!(Region::parse(region).unwrap().partition(), partition, "{region}");
            assert_eq!(partition.usual_region(), region);
        }
        assert_eq!(Partition::parse("aws-moon"), None);
    }

    #[test]
    fn a_region_is_in_the_partition_that_its_name_begins_with() {
        for (region, partition) in [
            ("eu-west-1", Partition::Aws),
            ("us-east-2", Partition::Aws),
            ("cn-northwest-1", Partition::China),
            ("us-gov-east-1", Partition::UsGov),
            ("us-isob-east-1", Partition::IsoB),
            ("us-isof-east-1", Partition::IsoF),
            ("moon-1", Partition::Aws),
        ] {
            assert_eq!(Region::parse(region).unwrap().partition(), partition, "{region}");
        }
    }
}
