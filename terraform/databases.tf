# Two MySQL databases of their own: the warehouse's, and the customers'. None is made where var.databases names them.

resource "aws_db_subnet_group" "this" {
  count = var.databases == null ? 1 : 0

  name        = var.name
  description = "${var.name}: private subnets"
  subnet_ids  = local.network.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  count = var.databases == null ? 1 : 0

  name        = "${var.name}-mysql${replace(join(".", slice(split(".", var.database_engine_version), 0, 2)), ".", "")}"
  description = "${var.name}: encrypted connections, exact text comparison, slow queries told"
  family      = "mysql${join(".", slice(split(".", var.database_engine_version), 0, 2))}"

  dynamic "parameter" {
    for_each = {
      require_secure_transport = "1"
      character_set_server     = "utf8mb4"
      collation_server         = "utf8mb4_bin"
      slow_query_log           = "1"
      long_query_time          = "1"
      log_output               = "FILE"
    }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}

resource "aws_security_group" "databases" {
  count = var.databases == null ? 1 : 0

  name        = "${var.name}-databases"
  description = "${var.name}: MySQL, from the functions only"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "databases" {
  count = var.databases == null ? 1 : 0

  security_group_id            = aws_security_group.databases[0].id
  description                  = "MySQL from the functions"
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:the functions log in with a password from Secrets Manager; the database driver cannot sign IAM tokens
  #checkov:skip=CKV_AWS_293:deletion protection is a variable, true by default
  #checkov:skip=CKV_AWS_157:a standby is a variable, true by default
  #checkov:skip=CKV_AWS_118:enhanced monitoring needs another role; CloudWatch's numbers and the slow query log suffice here
  #checkov:skip=CKV_AWS_353:Performance Insights is not offered on the default instance class
  #checkov:skip=CKV2_AWS_60:tags are copied to snapshots, see copy_tags_to_snapshot
  for_each = local.made_databases

  identifier     = "${var.name}-${each.key}"
  engine         = "mysql"
  engine_version = var.database_engine_version
  instance_class = var.database_instance_class
  db_name        = each.key
  username       = "restock"

  password_wo         = ephemeral.aws_secretsmanager_random_password.database[each.key].random_password
  password_wo_version = var.database_password_version

  storage_type          = "gp3"
  allocated_storage     = var.database_storage_gb
  max_allocated_storage = var.database_storage_gb * 5
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.databases[0].id]
  publicly_accessible    = false
  multi_az               = var.database_multi_az
  parameter_group_name   = aws_db_parameter_group.this[0].name

  backup_retention_period    = var.database_backup_days
  copy_tags_to_snapshot      = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = !var.deletion_protection
  final_snapshot_identifier  = "${var.name}-${each.key}-last"
  auto_minor_version_upgrade = true

  enabled_cloudwatch_logs_exports = ["error", "slowquery"]
}
