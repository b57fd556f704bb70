# What must be refused, with a message that says why.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Configured, but never called: the secrets are given, so that nothing random is made. tests/databases.tftest.hcl has those
# that are made.
provider "aws" {
  alias                       = "random"
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

# Keeps messages as long as its dead-letter queue does, and gives up early.
run "a_queue_that_loses_messages" {
  command = plan

  variables {
    workflows_dir = "tests/broken/queue"
  }

  expect_failures = [aws_sqs_queue.source]
}

# Less concurrency than its mapping uses.
run "a_function_that_is_throttled" {
  command = plan

  variables {
    workflows_dir = "tests/broken/concurrency"
  }

  expect_failures = [aws_lambda_function.this]
}

# The queue hides a message for less than 6 times the time-out; the HTTP API waits for less than the function takes.
run "a_function_that_is_too_slow" {
  command = plan

  variables {
    workflows_dir = "tests/broken/timeouts"
  }

  expect_failures = [aws_lambda_event_source_mapping.this, aws_apigatewayv2_integration.this]
}

run "a_sender_that_is_not_ours" {
  command = plan

  variables {
    mail_identity = "other.example"
  }

  expect_failures = [aws_sesv2_email_identity.this]
}

run "no_zips" {
  command = plan

  variables {
    package_dir = "nowhere"
  }

  expect_failures = [aws_lambda_function.this]
}

run "values_that_cannot_be" {
  command = plan

  variables {
    region                      = "Frankfurt"
    name                        = "Restock!"
    prefix                      = "Test"
    architecture                = "riscv"
    live_versions               = { sales_api = "$LATEST" }
    live_state_machine_versions = { reorder = "latest" }
    factory_url                 = "ftp://factory"
    marketing_url               = "marketing"
    callback_url                = "nowhere"
    callback_timeout_seconds    = 2000000
    callback_key_secret_arn     = "a secret"
    egress_ports                = [80]
    mail_from                   = "nobody"
    ops_email                   = "nobody"
    sandbox_recipients          = ["nobody"]
    mail_identity               = "an identity"
    database_password_version   = 0
    callback_key_version        = 1.5
    secrets_version             = 0
    secrets_kms_key_arns        = ["alias/mine"]
    log_level                   = "a lot"
    runbook_url                 = "docs/runbook.md#top"
    tags                        = { application = "other" }
    vip_threshold               = 0
    vip_mode                    = "Order"
    network                     = { vpc_id = "vpc-1", subnet_ids = ["subnet-1"] }
    vpc_cidr                    = "10.0.0.0/28"
    zones                       = ["a"]
    databases                   = { warehouse_url_secret_arn = "mysql://a", customers_url_secret_arn = "mysql://b" }
    database_instance_classes   = { warehouse = "t4g" }
    database_engine_version     = "5.7"
    database_storage_gb         = 5
    database_backup_days        = 0
    api_rate_limit              = 0
    api_burst_limit             = 0
    log_retention_days          = 42
    execution_log_level         = "DEBUG"
    alarm_limits                = { queue_age = 0, parked_age = 1123200 }
  }

  expect_failures = [
    var.region, var.name, var.prefix, var.architecture, var.live_versions, var.live_state_machine_versions,
    var.factory_url, var.marketing_url, var.callback_url, var.callback_timeout_seconds, var.callback_key_secret_arn,
    var.egress_ports, var.mail_from, var.ops_email, var.sandbox_recipients, var.vip_threshold, var.vip_mode, var.network, var.vpc_cidr,
    var.zones, var.databases, var.database_instance_classes, var.database_engine_version, var.database_storage_gb,
    var.database_backup_days, var.api_rate_limit, var.api_burst_limit, var.log_retention_days,
    var.execution_log_level, var.alarm_limits, var.mail_identity, var.database_password_version, var.callback_key_version,
    var.secrets_version, var.secrets_kms_key_arns, var.log_level, var.runbook_url, var.tags,
  ]
}
