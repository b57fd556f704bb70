# Everything one installation may decide. What every installation has is in ../workflows/stack.json.

variable "region" {
  description = "AWS region of everything, for example eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the code of an AWS region, like eu-central-1."
  }
}

variable "name" {
  description = "Name of this installation. Roles, alarms, log groups and the like begin with it."
  type        = string
  default     = "restock"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 20 lower-case letters, digits or hyphens, and begin with a letter."
  }
}

variable "prefix" {
  description = "Put before the names in stack.json (queues, topics, functions, state machines), so that two installations fit into one account and region. Empty: the names are those of the local stack."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9_-]{0,19})?$", var.prefix))
    error_message = "prefix must be empty or up to 20 lower-case letters, digits, hyphens and underscores, beginning with a letter."
  }
}

variable "tags" {
  description = "Tags of every resource, beside application = name."
  type        = map(string)
  default     = {}

  validation {
    condition     = !contains(keys(var.tags), "application") && alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(key, "aws:")])
    error_message = "tags may not set `application`, which is the installation's name, nor keys that begin with aws: or are longer than 128."
  }
}

# Code

variable "workflows_dir" {
  description = "Folder with stack.json and the definitions. Null: ../workflows."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor of the functions: arm64 (cheaper) or x86_64. The zips must be built for it."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "package_dir" {
  description = "Folder with one <function>.zip per function of stack.json, as `cargo xtask package` makes them. Null: ../target/lambda/<architecture>."
  type        = string
  default     = null
}

variable "live_versions" {
  description = "Rollback: functions whose alias `live` stays at a published version instead of the newest, as { sales_api = \"41\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.live_versions) : can(regex("^[1-9][0-9]*$", version))])
    error_message = "live_versions must name published versions, which are numbers."
  }
}

variable "live_state_machine_versions" {
  description = "Rollback: state machines whose alias `live` stays at a published version, as { reorder = \"7\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.live_state_machine_versions) : can(regex("^[1-9][0-9]*$", version))])
    error_message = "live_state_machine_versions must name published versions, which are numbers."
  }
}

variable "seed_samples" {
  description = "Also put the sample product and customers into the databases, where there are none. For a first look."
  type        = bool
  default     = false
}

# The systems around it

variable "factory_url" {
  description = "Base URL of the factory; /api/manufactures is appended."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/ ]+", var.factory_url))
    error_message = "factory_url must be an http or https URL."
  }
}

variable "marketing_url" {
  description = "Base URL of the marketing system; /api/customers is appended."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/ ]+", var.marketing_url))
    error_message = "marketing_url must be an http or https URL."
  }
}

variable "callback_url" {
  description = "Base URL under which the factory reaches the HTTP API. Null: the API's own address."
  type        = string
  default     = null

  validation {
    condition     = var.callback_url == null || can(regex("^https?://[^/ ]+", var.callback_url))
    error_message = "callback_url must be null or an http or https URL."
  }
}

variable "callback_timeout_seconds" {
  description = "How long the reorder flow waits for the factory before it parks."
  type        = number
  default     = 86400

  validation {
    condition     = var.callback_timeout_seconds >= 60 && var.callback_timeout_seconds <= 1123200 && floor(var.callback_timeout_seconds) == var.callback_timeout_seconds
    error_message = "callback_timeout_seconds must be a whole number from 60 to 1123200 (13 days)."
  }
}

variable "egress_ports" {
  description = "TCP ports the functions may open connections to. 443 is AWS and any factory or marketing system with https."
  type        = set(number)
  default     = [443]

  validation {
    condition     = contains(var.egress_ports, 443) && alltrue([for port in var.egress_ports : port >= 1 && port <= 65535])
    error_message = "egress_ports must contain 443 (AWS's own APIs) and only ports from 1 to 65535."
  }
}

# Mail and people

variable "mail_from" {
  description = "Sender of the mails to the advertising managers, an address of mail_identity."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", var.mail_from))
    error_message = "mail_from must be a mail address."
  }
}

variable "mail_identity" {
  description = "What SES verifies: a domain, or a single address for a first try. Null: the domain of mail_from."
  type        = string
  default     = null

  validation {
    condition     = var.mail_identity == null || can(regex("^([^@ ]+@)?[^@ ]+\\.[^@ ]+$", var.mail_identity))
    error_message = "mail_identity must be null, a domain or a mail address."
  }
}

variable "sandbox_recipients" {
  description = "While SES keeps the account in its sandbox: managers' addresses that shall get mail nevertheless. SES asks each of them to confirm. Empty once SES has granted production access."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.sandbox_recipients : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "sandbox_recipients must be mail addresses."
  }
}

variable "ops_email" {
  description = "Mail address that hears of alerts and alarms; it must confirm the subscription. Null: nobody is subscribed."
  type        = string
  default     = null

  validation {
    condition     = var.ops_email == null || can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", var.ops_email))
    error_message = "ops_email must be null or a mail address."
  }
}

# The VIP flow

variable "vip_threshold" {
  description = "From how many items on a customer is a VIP."
  type        = number
  default     = 100

  validation {
    condition     = var.vip_threshold >= 1 && floor(var.vip_threshold) == var.vip_threshold
    error_message = "vip_threshold must be a whole number, 1 or more."
  }
}

variable "vip_mode" {
  description = "What must reach the threshold: one `order`, or all orders of a customer (`cumulative`)."
  type        = string
  default     = "order"

  validation {
    condition     = contains(["order", "cumulative"], var.vip_mode)
    error_message = "vip_mode must be order or cumulative."
  }
}

# Network and databases

variable "network" {
  description = "Bring your own VPC: its private subnets need a way out (NAT). Null: one is made."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.network == null || try(length(var.network.subnet_ids) >= 2, false)
    error_message = "network needs at least two subnets, in two availability zones."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC that is made, a /16 to /24."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 15)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "vpc_cidr must be an IPv4 range with a mask of /16 to /24."
  }
}

variable "zones" {
  description = "Letters of the two availability zones of that VPC. Not every region offers every account a and b."
  type        = list(string)
  default     = ["a", "b"]

  validation {
    condition     = length(distinct(var.zones)) == 2 && length(var.zones) == 2 && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones must be two different letters, like [\"a\", \"c\"]."
  }
}

variable "nat_per_zone" {
  description = "One NAT gateway per availability zone instead of one for all: outlives a zone, costs twice as much."
  type        = bool
  default     = false
}

variable "databases" {
  description = "Bring your own MySQL 8: secrets whose text is a URL with user and password, as docs/deploy.md shows. With security_group_id, the group both are in, the functions are let in by a rule; without it they must be reachable in `cidr`. Null: two RDS instances are made."
  type = object({
    warehouse_url_secret_arn = string
    customers_url_secret_arn = string
    port                     = optional(number, 3306)
    security_group_id        = optional(string)
    cidr                     = optional(string, "0.0.0.0/0")
  })
  default = null

  validation {
    condition = var.databases == null || try(alltrue([
      for arn in [var.databases.warehouse_url_secret_arn, var.databases.customers_url_secret_arn] :
      can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", arn))
    ]), false)
    error_message = "databases needs two ARNs of Secrets Manager secrets."
  }

  validation {
    condition     = try(var.databases.security_group_id, null) == null || can(regex("^sg-[0-9a-f]+$", var.databases.security_group_id))
    error_message = "databases.security_group_id must be a security group's id, like sg-0123456789abcdef0."
  }

  validation {
    condition     = var.databases == null || try(var.databases.port >= 1 && var.databases.port <= 65535 && can(cidrhost(var.databases.cidr, 0)), false)
    error_message = "databases.port must be from 1 to 65535, databases.cidr an IPv4 range like 10.0.0.0/16."
  }
}

variable "database_instance_classes" {
  description = "Classes of the RDS instances that are made. Mind their connections: docs/deploy.md, \"Quotas\"."
  type = object({
    warehouse = optional(string, "db.t4g.small")
    customers = optional(string, "db.t4g.micro")
  })
  default = {}

  validation {
    condition     = alltrue([for class in values(var.database_instance_classes) : can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", class))])
    error_message = "database_instance_classes must be RDS classes, like db.t4g.small."
  }
}

variable "database_engine_version" {
  description = "MySQL version of the RDS instances."
  type        = string
  default     = "8.4"

  validation {
    condition     = can(regex("^8\\.(0|4)(\\.[0-9]+)?$", var.database_engine_version))
    error_message = "database_engine_version must be 8.0 or 8.4, with or without a patch number."
  }
}

variable "database_storage_gb" {
  description = "Storage of each RDS instance at first, in GiB; it grows by itself up to five times that."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gb >= 20 && var.database_storage_gb <= 1000
    error_message = "database_storage_gb must be from 20 to 1000."
  }
}

variable "database_multi_az" {
  description = "A standby of each database in another zone. Twice the price."
  type        = bool
  default     = true
}

variable "database_backup_days" {
  description = "How many days of backups RDS keeps; any second of them can be restored."
  type        = number
  default     = 14

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "database_backup_days must be from 1 to 35."
  }
}

variable "database_password_version" {
  description = "Raise it to give both databases new passwords (and their secrets with them)."
  type        = number
  default     = 1

  validation {
    condition     = var.database_password_version >= 1 && floor(var.database_password_version) == var.database_password_version
    error_message = "database_password_version must be a whole number, 1 or more."
  }
}

variable "callback_key_secret_arn" {
  description = "Bring your own key of the callback signatures: a secret whose text is 64 or more hexadecimal digits. Null: one is made."
  type        = string
  default     = null

  validation {
    condition     = var.callback_key_secret_arn == null || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.callback_key_secret_arn))
    error_message = "callback_key_secret_arn must be null or the ARN of a Secrets Manager secret."
  }
}

variable "callback_key_version" {
  description = "Raise it to make a new key. Deliveries for requests made before are refused then: see docs/runbook.md."
  type        = number
  default     = 1

  validation {
    condition     = var.callback_key_version >= 1 && floor(var.callback_key_version) == var.callback_key_version
    error_message = "callback_key_version must be a whole number, 1 or more."
  }
}

variable "secrets_version" {
  description = "Raise it after you changed a secret of your own: functions read secrets once, at their start."
  type        = number
  default     = 1

  validation {
    condition     = var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version
    error_message = "secrets_version must be a whole number, 1 or more."
  }
}

variable "secrets_kms_key_arns" {
  description = "KMS keys that your own secrets are encrypted with, if any."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.secrets_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "secrets_kms_key_arns must be ARNs of KMS keys; an alias allows nothing."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete databases, and keep deleted secrets for 30 days. False only for installations to throw away."
  type        = bool
  default     = true
}

# Limits

variable "reserve_concurrency" {
  description = "Reserve each function's concurrency as in stack.json. A new account's limit (often 10) does not allow it: raise the quota first, or set false."
  type        = bool
  default     = true
}

variable "api_rate_limit" {
  description = "Requests per second the HTTP API takes; more get 429."
  type        = number
  default     = 500

  validation {
    condition     = var.api_rate_limit > 0
    error_message = "api_rate_limit must be above 0."
  }
}

variable "api_burst_limit" {
  description = "Requests the HTTP API takes at once beyond its rate."
  type        = number
  default     = 1000

  validation {
    condition     = var.api_burst_limit > 0
    error_message = "api_burst_limit must be above 0."
  }
}

# Logs, alarms

variable "log_level" {
  description = "RUST_LOG of the functions."
  type        = string
  default     = "info"

  validation {
    condition     = can(regex("^[A-Za-z0-9_:=,-]+$", var.log_level))
    error_message = "log_level must be levels as RUST_LOG has them, like info or info,sqlx=warn."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps log lines."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, ..."
  }
}

variable "execution_log_level" {
  description = "What state machines write to their logs: ERROR, FATAL, ALL or OFF. Their histories are kept by Step Functions anyway, for 90 days."
  type        = string
  default     = "ERROR"

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.execution_log_level)
    error_message = "execution_log_level must be ALL, ERROR, FATAL or OFF."
  }
}

variable "alarm_limits" {
  description = "When alarms ring. Ages in seconds; errors, throttles and 5xx in five minutes; connections are three quarters of what the default instance classes take."
  type = object({
    queue_age       = optional(number, 900)
    parked_age      = optional(number, 259200)
    waiting_age     = optional(number, 43200)
    outbox_age      = optional(number, 300)
    function_errors = optional(number, 10)
    throttles       = optional(number, 10)
    api_5xx         = optional(number, 5)

    warehouse_connections = optional(number, 125)
    customers_connections = optional(number, 60)
  })
  default = {}

  validation {
    condition     = alltrue([for limit in values(var.alarm_limits) : limit > 0])
    error_message = "alarm_limits must be above 0."
  }

  validation {
    condition     = var.alarm_limits.parked_age < 1123200
    error_message = "alarm_limits.parked_age must be below 1123200: after 13 days a parked task ends by itself."
  }
}

variable "runbook_url" {
  description = "Where docs/runbook.md can be read; alarms link to its sections."
  type        = string
  default     = "docs/runbook.md"

  validation {
    condition     = can(regex("^[^ #]+$", var.runbook_url))
    error_message = "runbook_url must be an address without a section: alarms append theirs."
  }
}
