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

  parameter {
    name  = "require_secure_transport"
    value = "1"
  }

  parameter {
    name  = "character_set_server"
    value = "utf8mb4"
  }

  parameter {
    name  = "collation_server"
    value = "utf8mb4_bin"
  }

  parameter {
    name  = "slow_query_log"
    value = "1"
  }

  parameter {
    name  = "long_query_time"
    value = "1"
  }

  parameter {
    name  = "log_output"
    value = "FILE"
  }
}

resource "aws_security_group" "databases" {
  count = var.databases == null ? 1 : 0

  name        = "${var.name}-databases"
  description = "${var.name}: MySQL, from the functions only"
  vpc_id      = local.network.vpc_id
}

locals {
  # The group that lets the functions in: ours, or that of databases one brings along. Null: their owner sees to it.
  databases_group = var.databases == null ? aws_security_group.databases[0].id : var.databases.security_group_id
  databases_port  = var.databases == null ? 3306 : var.databases.port
}

resource "aws_vpc_security_group_ingress_rule" "databases" {
  count = var.databases == null || try(var.databases.security_group_id, null) != null ? 1 : 0

  security_group_id            = local.databases_group
  description                  = "MySQL from the functions of ${var.name}"
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = "tcp"
  from_port                    = local.databases_port
  to_port                      = local.databases_port
}

module "database" {
  source   = "./modules/database"
  for_each = local.made_databases

  installation        = var.name
  name                = each.key
  password            = ephemeral.aws_secretsmanager_random_password.database[each.key].random_password
  password_version    = var.database_password_version
  engine_version      = var.database_engine_version
  instance_class      = var.database_instance_classes[each.key]
  storage_gb          = var.database_storage_gb
  multi_az            = var.database_multi_az
  backup_days         = var.database_backup_days
  deletion_protection = var.deletion_protection
  log_retention_days  = var.log_retention_days
  kms_key_arn         = aws_kms_key.this.arn
  subnet_group        = aws_db_subnet_group.this[0].name
  security_group_id   = aws_security_group.databases[0].id
  parameter_group     = aws_db_parameter_group.this[0].name
}

locals {
  made_databases = toset(var.databases == null ? ["warehouse", "customers"] : [])
}

# Letters and digits need no escaping in a URL. Another text in each run; modules/database takes it when its version changes.
ephemeral "aws_secretsmanager_random_password" "database" {
  provider = aws.random
  for_each = local.made_databases

  password_length            = 40
  exclude_punctuation        = true
  require_each_included_type = true
}
