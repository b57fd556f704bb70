output "api_url" {
  description = "The Sales API. Try: curl <api_url>/product/donut"
  value       = trimsuffix(aws_apigatewayv2_stage.default.invoke_url, "/")
}

output "callback_url" {
  description = "Base of the URLs that the factory is given."
  value       = local.placeholders["callback_url"]
}

output "console" {
  description = "Where to look in AWS's console."
  value = merge(
    { for name, arn in local.state_machine_arns : "executions_${name}" => "https://${var.region}.console.aws.amazon.com/states/home?region=${var.region}#/statemachines/view/${arn}" },
    {
      dashboard = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
      alarms    = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#alarmsV2:?search=${var.name}-"
      queues    = "https://${var.region}.console.aws.amazon.com/sqs/v3/home?region=${var.region}#/queues"
    },
  )
}

output "state_machine_arns" {
  description = "The aliases that new executions are started through."
  value       = { for name, alias in aws_sfn_alias.live : name => alias.arn }
}

output "live_state_machine_versions" {
  description = "The version each alias points to: what to pin in a rollback."
  value = {
    for name, alias in aws_sfn_alias.live :
    name => reverse(split(":", alias.routing_configuration[0].state_machine_version_arn))[0]
  }
}

output "live_versions" {
  description = "The version of each function that gets traffic: what to pin in a rollback."
  value       = { for name, alias in aws_lambda_alias.live : name => alias.function_version }
}

output "topic_arns" {
  description = "SNS topics."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "queue_urls" {
  description = "SQS queues."
  value       = { for name, queue in local.queues : name => queue.url }
}

output "secret_arns" {
  description = "Secrets that the functions read; their texts are not here."
  value       = local.secret_arns
}

output "functions_security_group_id" {
  description = "Security group of the functions: what your own databases must let in, where databases.security_group_id does not."
  value       = aws_security_group.functions.id
}

output "outgoing_addresses" {
  description = "IP addresses from which the factory is called, for its firewall; empty with a network of your own. sync_marketing is in no network of ours: its addresses are AWS's."
  value       = [for address in aws_eip.nat : address.public_ip]
}

output "operator_policy_arn" {
  description = "Attach it to those who look after the flows."
  value       = aws_iam_policy.operator.arn
}

output "migrated" {
  description = "What the migration before this deploy answered: the numbers of both schemas."
  value       = jsondecode(aws_lambda_invocation.migrate.result)
}

output "mail_dns_records" {
  description = "CNAME records that prove a mail domain to SES; empty for a single address."
  value = {
    for token in try(aws_sesv2_email_identity.this.dkim_signing_attributes[0].tokens, []) :
    "${token}._domainkey.${local.mail_identity}" => "${token}.dkim.amazonses.com"
  }
}
