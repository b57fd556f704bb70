# SES: who we send as, and with which settings.

locals {
  mail_identity         = coalesce(var.mail_identity, split("@", var.mail_from)[1])
  mail_identity_arn     = "arn:${local.partition}:ses:${local.here}:identity/${local.mail_identity}"
  configuration_set_arn = "arn:${local.partition}:ses:${local.here}:configuration-set/${var.name}"

  # Where a recipient is an identity too, SES asks whether the sender may use that as well.
  sandbox_recipients     = setsubtract(var.sandbox_recipients, [local.mail_identity])
  sandbox_recipient_arns = [for address in local.sandbox_recipients : "arn:${local.partition}:ses:${local.here}:identity/${address}"]
}

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = var.name

  delivery_options {
    tls_policy = "REQUIRE"
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

# Each mail from this identity uses the configuration set, without being told.
resource "aws_sesv2_email_identity" "this" {
  email_identity         = local.mail_identity
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name

  lifecycle {
    precondition {
      condition     = local.mail_identity == var.mail_from || endswith(var.mail_from, "@${local.mail_identity}")
      error_message = "mail_from (${var.mail_from}) must be mail_identity itself or an address of that domain."
    }
  }
}

# In the sandbox recipients must have confirmed their address, too.
resource "aws_sesv2_email_identity" "sandbox_recipient" {
  for_each = local.sandbox_recipients

  email_identity = each.key
}

resource "aws_sesv2_configuration_set_event_destination" "this" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "metrics"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]

    cloud_watch_destination {
      dimension_configuration {
        dimension_name          = "ses:configuration-set"
        dimension_value_source  = "MESSAGE_TAG"
        default_dimension_value = var.name
      }
    }
  }
}
