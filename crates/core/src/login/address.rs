//! The URL of the sign-in service in each region.

use hatbox_types::name::Region;
use hatbox_types::partition::Partition;

/// Returns the service's own URL in `region`, by the endpoint rules of its model.
pub fn render_sign_in_url(region: &Region, use_fips: bool) -> String {
    format!("https://{region}.{}", sign_in_domain(region.partition(), use_fips))
}

/// Returns the domain of the service in a partition. Only GovCloud has a separate one for FIPS.
pub(crate) fn sign_in_domain(partition: Partition, use_fips: bool) -> &'static str {
    match partition {
        Partition::Aws => "signin.aws.amazon.com",
        Partition::China => "signin.amazonaws.cn",
        Partition::UsGov if use_fips => "signin-fips.amazonaws-us-gov.com",
        Partition::UsGov => "signin.amazonaws-us-gov.com",
        Partition::European => "signin.amazonaws-eusc.eu",
        Partition::Iso => "signin.c2shome.ic.gov",
        Partition::IsoB => "signin.sc2shome.sgov.gov",
        Partition::IsoE => "signin.csphome.adc-e.uk",
        Partition::IsoF => "signin.csphome.hci.ic.gov",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_domain() {
        for (region, use_fips, url) in [
            ("eu-central-1", false, "https://eu-central-1.signin.aws.amazon.com"),
            ("eu-central-1", true, "https://eu-central-1.signin.aws.amazon.com"),
            ("cn-north-1", false, "https://cn-north-1.signin.amazonaws.cn"),
            ("us-gov-west-1", false, "https://us-gov-west-1.signin.amazonaws-us-gov.com"),
            ("us-gov-west-1", true, "https://us-gov-west-1.signin-fips.amazonaws-us-gov.com"),
            ("eusc-de-east-1", false, "https://eusc-de-east-1.signin.amazonaws-eusc.eu"),
            ("us-iso-east-1", false, "https://us-iso-east-1.signin.c2shome.ic.gov"),
            ("us-isob-east-1", false, "https://us-isob-east-1.signin.sc2shome.sgov.gov"),
            ("eu-isoe-west-1", false, "https://eu-isoe-west-1.signin.csphome.adc-e.uk"),
            ("us-isof-south-1", false, "https://us-isof-south-1.signin.csphome.hci.ic.gov"),
        ] {
            assert_eq!(render_sign_in_url(&Region::parse(region).unwrap(), use_fips), url);
        }
    }
}
