//! The services that `aws-sdk:` resources can name: how each is spoken to, and what of it is here.

/// How a service's requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `X-Amz-Target: TARGET.Action`, JSON in, JSON out.
    Json {
        target: &'static str,
        version: &'static str,
        /// Its members begin with a small letter.
        camel: bool,
        /// Of those, the ones whose value is a map, in whose keys every letter is as it is.
        maps: &'static [&'static str],
        /// Members that hold JSON as text.
        texts: &'static [&'static str],
    },
    /// A form in, XML out.
    Query { version: &'static str },
    /// Method, path, query and headers say what is asked; JSON in, JSON out.
    RestJson,
    /// As `RestJson`, with XML.
    RestXml,
}

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name in resources, and of its model.
    pub(super) name: &'static str,
    /// In front of its errors.
    pub(super) prefix: &'static str,
    pub(super) protocol: Protocol,
    /// In the scope of a signature.
    pub(super) signed_as: &'static str,
    /// What the SDKs call it in `AWS_ENDPOINT_URL_…`.
    pub(super) variable: &'static str,
    /// The actions that are here, without any endpoint.
    pub(super) here: &'static [&'static str],
}

const fn json(target: &'static str, version: &'static str) -> Protocol {
    Protocol::Json {
        target,
        version,
        camel: false,
        maps: &[],
        texts: &[],
    }
}

const fn elsewhere(
    name: &'static str,
    prefix: &'static str,
    protocol: Protocol,
    signed_as: &'static str,
    variable: &'static str,
) -> Service {
    Service {
        name,
        prefix,
        protocol,
        signed_as,
        variable,
        here: &[],
    }
}

#[rustfmt::skip] // a table is read by its columns
pub(super) const SERVICES: [Service; 19] = [
    elsewhere("athena", "Athena", json("AmazonAthena", "1.1"), "athena", "ATHENA"),
    elsewhere("batch", "Batch", Protocol::RestJson, "batch", "BATCH"),
    elsewhere("dynamodb", "DynamoDb", json("DynamoDB_20120810", "1.0"), "dynamodb", "DYNAMODB"),
    elsewhere("eventbridge", "EventBridge", json("AWSEvents", "1.1"), "events", "EVENTBRIDGE"),
    elsewhere("firehose", "Firehose", json("Firehose_20150804", "1.1"), "firehose", "FIREHOSE"),
    elsewhere("glue", "Glue", json("AWSGlue", "1.1"), "glue", "GLUE"),
    elsewhere("kinesis", "Kinesis", json("Kinesis_20131202", "1.1"), "kinesis", "KINESIS"),
    elsewhere("kms", "Kms", json("TrentService", "1.1"), "kms", "KMS"),
    elsewhere("scheduler", "Scheduler", Protocol::RestJson, "scheduler", "SCHEDULER"),
    elsewhere("secretsmanager", "SecretsManager", json("secretsmanager", "1.1"), "secretsmanager", "SECRETS_MANAGER"),
    elsewhere("ssm", "Ssm", json("AmazonSSM", "1.1"), "ssm", "SSM"),
    elsewhere("sts", "Sts", Protocol::Query { version: "2011-06-15" }, "sts", "STS"),
    elsewhere(
        "cloudwatchlogs", "CloudWatchLogs",
        Protocol::Json {
            target: "Logs_20140328", version: "1.1", camel: true,
            maps: &["Attributes", "DeliverySourceConfiguration", "Dimensions", "Enumerations", "ExtractedValues", "Histogram",
                "KeyAttributes", "LogRecord", "Tags"],
            texts: &[],
        },
        "logs", "CLOUDWATCH_LOGS",
    ),
    Service {
        here: &["GetFunction", "GetFunctionConfiguration", "Invoke", "ListFunctions", "CreateEventSourceMapping",
            "DeleteEventSourceMapping", "GetEventSourceMapping", "ListEventSourceMappings", "UpdateEventSourceMapping"],
        ..elsewhere("lambda", "Lambda", Protocol::RestJson, "lambda", "LAMBDA")
    },
    Service {
        here: &["CreateBucket", "DeleteBucket", "DeleteObject", "GetBucketLocation", "GetObject", "HeadBucket", "HeadObject",
            "ListBuckets", "ListObjectsV2", "PutObject"],
        ..elsewhere("s3", "S3", Protocol::RestXml, "s3", "S3")
    },
    Service {
        here: &["CreateEmailIdentity", "DeleteEmailIdentity", "GetEmailIdentity", "ListEmailIdentities", "SendEmail"],
        ..elsewhere("sesv2", "SesV2", Protocol::RestJson, "ses", "SESV2")
    },
    Service {
        here: &["CreateActivity", "CreateStateMachine", "CreateStateMachineAlias", "DeleteActivity", "DeleteStateMachine",
            "DeleteStateMachineAlias", "DeleteStateMachineVersion", "DescribeActivity", "DescribeExecution", "DescribeMapRun",
            "DescribeStateMachine", "DescribeStateMachineAlias", "DescribeStateMachineForExecution", "GetActivityTask",
            "GetExecutionHistory", "ListActivities", "ListExecutions", "ListMapRuns", "ListStateMachineAliases",
            "ListStateMachineVersions", "ListStateMachines", "ListTagsForResource", "PublishStateMachineVersion",
            "RedriveExecution", "SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess", "StartExecution",
            "StartSyncExecution", "StopExecution", "TagResource", "TestState", "UntagResource", "UpdateMapRun",
            "UpdateStateMachine", "UpdateStateMachineAlias", "ValidateStateMachineDefinition"],
        ..elsewhere(
            "sfn", "Sfn",
            Protocol::Json {
                target: crate::states::TARGET, version: "1.0", camel: true,
                maps: &["AssignedVariables", "VariableReferences"],
                texts: &["Input", "Output"],
            },
            "states", "SFN",
        )
    },
    Service {
        here: &["CreateTopic", "DeleteTopic", "GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptions",
            "ListSubscriptionsByTopic", "ListTagsForResource", "ListTopics", "Publish", "PublishBatch", "SetSubscriptionAttributes",
            "SetTopicAttributes", "Subscribe", "TagResource", "Unsubscribe", "UntagResource"],
        ..elsewhere("sns", "Sns", Protocol::Query { version: "2010-03-31" }, "sns", "SNS")
    },
    Service {
        here: &["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "CreateQueue", "DeleteMessage", "DeleteMessageBatch",
            "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "ListQueues",
            "PurgeQueue", "ReceiveMessage", "SendMessage", "SendMessageBatch", "SetQueueAttributes", "TagQueue", "UntagQueue"],
        ..elsewhere(
            "sqs", "Sqs",
            Protocol::Json { target: crate::sqs::TARGET, version: "1.0", camel: false, maps: &[], texts: &["MessageBody"] },
            "sqs", "SQS",
        )
    },
];

/// A service by its name in resources.
pub(super) fn find(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::wire::{Model, has_json_action};

    #[test]
    fn every_action_that_is_here_is_one_of_the_service() {
        for service in &SERVICES {
            for action in service.here {
                let known = match service.protocol {
                    Protocol::Json { .. } => has_json_action(service.name, action),
                    _ => Model::of(service.name).is_some_and(|it| it.action(action).is_some()),
                };
                assert!(known, "{} {action}", service.name);
            }
        }
    }
}
