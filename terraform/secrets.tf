# Secrets. Their texts are made by ephemeral resources and write-only arguments: they are in no plan and no state. Those
# of the databases are in modules/database.

# The key of the callback signatures: 32 bytes, hexadecimal.
ephemeral "aws_secretsmanager_random_password" "callback_key" {
  provider = aws.random
  count    = var.callback_key_secret_arn == null ? 1 : 0

  password_length            = 64
  exclude_uppercase          = true
  exclude_punctuation        = true
  exclude_characters         = "ghijklmnopqrstuvwxyz"
  require_each_included_type = true
}

resource "aws_secretsmanager_secret" "callback_key" {
  #checkov:skip=CKV2_AWS_57:a new key makes every callback URL that the factory holds invalid: it is changed by hand, see docs/runbook.md
  count = var.callback_key_secret_arn == null ? 1 : 0

  name                    = "${var.name}/callback-key"
  description             = "Signs the callback URLs given to the factory. Hexadecimal"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "callback_key" {
  count = var.callback_key_secret_arn == null ? 1 : 0

  secret_id                = aws_secretsmanager_secret.callback_key[0].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.callback_key[0].random_password
  secret_string_wo_version = var.callback_key_version
}
