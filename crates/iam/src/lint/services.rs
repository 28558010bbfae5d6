//! Service principals: checks their form, and finds the common service that a misspelled name is closest to.

use super::finding::{Finding, Spot};
use super::rule::Rule;
use crate::policy::principal::Principal;
use hatbox_types::text::suggest::nearest_name;

/// Suffixes of service principals, by partition and kind.
const SUFFIXES: [&str; 9] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".aws.internal",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// Common services that assume roles, without the suffix. A well-formed name that is not listed is not a finding.
const COMMON: &str = "\
    access-analyzer acm acm-pca airflow airflow-env amplify amplifybackend apigateway application-autoscaling \
    appconfig appflow appmesh apprunner appstream appsync aps arc-zonal-shift athena auditmanager autoscaling \
    autoscaling-plans backup backup-storage batch bedrock bedrock-agentcore billing billingconductor braket \
    budgets build.apprunner cassandra ce channels.lex chatbot chime cleanrooms cloud9 cloudformation cloudfront \
    cloudhsm cloudtrail cloudwatch cloudwatch-crossaccount codebuild codecommit codeconnections codedeploy \
    codeguru-profiler codeguru-reviewer codepipeline codestar codestar-connections codestar-notifications \
    cognito-idp cognito-sync comprehend compute-optimizer config config-conforms config-multiaccountsetup connect \
    controltower cur databrew datapipeline datasync datazone dax delivery.logs detective devops-guru directconnect \
    diode dlm dms dms-data-migrations docdb-elastic drs ds dsql dynamodb dynamodb.application-autoscaling ebs ec2 \
    ec2.application-autoscaling ec2fleet ec2scheduled ecr ecs ecs-tasks ecs.application-autoscaling edgelambda eks \
    eks-auth eks-fargate eks-fargate-pods eks-nodegroup elasticache elasticbeanstalk elasticfilesystem \
    elasticloadbalancing elasticmapreduce elastictranscoder email emr-containers emr-serverless es events evidently \
    export.rds firehose fis fms forecast frauddetector freertos fsx gamelift glacier globalaccelerator glue grafana \
    greengrass groundstation guardduty health healthlake iam identitystore imagebuilder importexport inspector \
    inspector2 internetmonitor iot iotanalytics iotevents iotfleetwise iotsitewise iotthingsgraph iottwinmaker \
    iotwireless ivs kafka kafkaconnect kendra kinesis kinesisanalytics kinesisvideo kms lakeformation lambda \
    launchwizard lex lexv2 license-manager lightsail logger.cloudfront logs lookoutequipment \
    lookoutmetrics lookoutvision m2 macie managedblockchain managedservices mediaconnect mediaconvert medialive \
    mediapackage mediapackagev2 mediastore mediatailor member.org.stacksets.cloudformation memorydb mgh mgn \
    migrationhub mobileanalytics monitoring monitoring.rds mq network-firewall networkmanager nimble oam omics \
    opensearchservice ops.apigateway ops.emr-serverless opsworks opsworks-cm organizations osis osis-pipelines \
    outposts panorama personalize pinpoint pipes pods.eks polly private.dms proton qbusiness quicksight ram rbin rds \
    rds-data redshift redshift-data redshift-serverless rekognition replication.dynamodb replication.ecr \
    replicator.lambda resiliencehub resource-explorer-2 resource-groups robomaker rolesanywhere route53 \
    route53resolver rum s3 s3-outposts s3.data-source.lustre.fsx sagemaker sagemaker-geospatial scheduler schemas \
    secretsmanager securityhub securitylake serverlessrepo servicecatalog servicecatalog-appregistry \
    servicediscovery servicequotas ses shield signer sms-voice snowball sns source.codestar spotfleet sqs ssm \
    ssm-contacts ssm-incidents ssm-quicksetup sso states storagegateway streams.metrics.cloudwatch sts support swf \
    synthetics tagging textract thinclient timestream tnb transcribe transfer translate trustedadvisor \
    verifiedpermissions vmie voiceid vpc-flow-logs vpc-lattice waf waf-regional wafv2 wellarchitected wisdom \
    workdocs worklink workmail workspaces workspaces-web xray";

/// Finds a service principal with an invalid form, or one typo away from a common service.
pub(super) fn find_service(spot: Spot, principal: &Principal) -> Option<Finding> {
    let text = principal.text.as_str();
    let split = SUFFIXES.iter().find_map(|suffix| Some((text.strip_suffix(suffix)?, *suffix)));
    let Some((name, suffix)) = split.filter(|(name, _)| is_name(name)) else {
        let start = text.split(".amazon").next().unwrap_or_default().to_lowercase();
        let common: Vec<_> = COMMON.split_whitespace().map(|name| format!("{name}.amazonaws.com")).collect();
        let meant = is_common(&start).then(|| format!("{start}.amazonaws.com"));
        let near = || nearest_name(text, common.iter().map(String::as_str)).map(str::to_owned);
        let fix = match meant.or_else(near) {
            Some(meant) => format!("write {meant}."),
            None => "write NAME.amazonaws.com.".to_owned(),
        };
        let message = format!("`{text}` is not a service principal; AWS rejects the policy.");
        return Some(spot.on_principal(Rule::UnknownService, principal, message, fix));
    };
    let global = without_region(name);
    if is_common(&global) || global.len() < 4 {
        return None;
    }
    // `macie2` is a newer version of a service, not a typo.
    let without_digits = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let is_near = |common: &&str| {
        common.len() >= 4 && is_one_slip(common, &global) && without_digits(common) != without_digits(&global)
    };
    let meant = COMMON.split_whitespace().find(is_near)?;
    let message = format!("No service named `{text}` is known; AWS rejects the policy if there is none.");
    Some(spot.on_principal(Rule::UnknownService, principal, message, format!("write {meant}{suffix}.")))
}

fn is_common(name: &str) -> bool {
    COMMON.split_whitespace().any(|common| common == name)
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.split('.').all(is_label)
}

/// Removes the region: `logs.eu-west-1` becomes `logs`.
fn without_region(name: &str) -> String {
    let is_region = |label: &&str| {
        let parts: Vec<_> = label.split('-').collect();
        parts.len() >= 3
            && parts.last().is_some_and(|last| last.len() == 1 && last.bytes().all(|b| b.is_ascii_digit()))
    };
    let labels: Vec<_> = name.split('.').filter(|label| !is_region(label)).collect();
    labels.join(".")
}

/// Whether the texts differ by one changed, added or missing character, or by two swapped neighbors.
fn is_one_slip(a: &str, b: &str) -> bool {
    let start = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let (a, b) =
        (a.as_bytes().get(start..).unwrap_or_default(), b.as_bytes().get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let rest = |text: &[u8]| text.len().saturating_sub(end);
    match (rest(a), rest(b)) {
        (2, 2) => a.first() == b.get(1) && a.get(1) == b.first(),
        (a, b) => a <= 1 && b <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_character_or_a_swap() {
        for (a, b, is_slip) in [
            ("lambda", "lamda", true),
            ("lambda", "lamdba", true),
            ("lambda", "lambdaa", true),
            ("lambda", "lampda", true),
            ("lambda", "lbmada", false),
            ("mediaconnect", "mediaconvert", false),
            ("aab", "aaab", true),
        ] {
            assert_eq!((is_one_slip(a, b), is_one_slip(b, a)), (is_slip, is_slip), "{a} {b}");
        }
    }

    #[test]
    fn regions_are_left_out() {
        assert_eq!(without_region("logs.eu-west-1"), "logs");
        assert_eq!(without_region("states.us-gov-west-1"), "states");
        assert_eq!(without_region("ops.apigateway"), "ops.apigateway");
        assert_eq!(without_region("ecs-tasks"), "ecs-tasks");
    }
}
