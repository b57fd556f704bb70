# What stands in for AWS in the tests: identifiers of the right form, known when planning.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_resource "aws_kms_key" {
  override_during = plan
  defaults = {
    arn    = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    key_id = "11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_apigatewayv2_api" {
  override_during = plan
  defaults = {
    id            = "api123"
    api_endpoint  = "https://api123.execute-api.eu-central-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-central-1:111122223333:api123"
  }
}

mock_resource "aws_sqs_queue" {
  override_during = plan
  defaults = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:some_queue"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/some_queue"
  }
}

mock_resource "aws_sns_topic" {
  override_during = plan
  defaults        = { arn = "arn:aws:sns:eu-central-1:111122223333:some_topic" }
}

mock_resource "aws_iam_role" {
  override_during = plan
  defaults        = { arn = "arn:aws:iam::111122223333:role/some-role" }
}

mock_resource "aws_cloudwatch_log_group" {
  override_during = plan
  defaults        = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:some-group" }
}

mock_resource "aws_lambda_function" {
  override_during = plan
  defaults = {
    arn     = "arn:aws:lambda:eu-central-1:111122223333:function:some_function"
    version = "7"
  }
}

mock_resource "aws_lambda_alias" {
  override_during = plan
  defaults = {
    arn        = "arn:aws:lambda:eu-central-1:111122223333:function:some_function:live"
    invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:111122223333:function:some_function:live/invocations"
  }
}

mock_resource "aws_lambda_invocation" {
  override_during = plan
  defaults        = { result = "{\"warehouse\":1,\"customers\":1,\"seeded\":false}" }
}

mock_resource "aws_sfn_state_machine" {
  override_during = plan
  defaults = {
    arn                       = "arn:aws:states:eu-central-1:111122223333:stateMachine:some_machine"
    state_machine_version_arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:some_machine:7"
  }
}

mock_resource "aws_secretsmanager_secret" {
  override_during = plan
  defaults        = { arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:some-secret-AbCdEf" }
}

mock_resource "aws_db_instance" {
  override_during = plan
  defaults        = { endpoint = "some-database.rds.amazonaws.com:3306" }
}
