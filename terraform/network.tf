# The functions' network: private subnets in two zones, and a way out through NAT to AWS, the factory and the marketing
# system. None is made where var.network names one.

locals {
  zones = var.network == null ? [for letter in var.zones : "${var.region}${letter}"] : []

  network = var.network != null ? var.network : {
    vpc_id     = aws_vpc.this[0].id
    subnet_ids = [for subnet in aws_subnet.private : subnet.id]
  }

  nat_zones = var.nat_per_zone ? local.zones : slice(local.zones, 0, min(1, length(local.zones)))
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:flow logs cost more than all else here and show only encrypted connections to known hosts
  count = var.network == null ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# The default group lets everything through between its members: it shall have no rules.
resource "aws_default_security_group" "this" {
  count = var.network == null ? 1 : 0

  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, index(local.zones, each.key))
  tags              = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_subnet" "public" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, 8 + index(local.zones, each.key))
  tags              = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  count = var.network == null ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = var.name }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"
  tags   = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = { Name = "${var.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count = var.network == null ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = "${var.name}-public" }
}

resource "aws_route" "public" {
  count = var.network == null ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public[0].id
  subnet_id      = each.value.id
}

resource "aws_route_table" "private" {
  for_each = toset(local.zones)

  vpc_id = aws_vpc.this[0].id
  tags   = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route" "private" {
  for_each = toset(local.zones)

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat_per_zone ? each.key : local.nat_zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private[each.key].id
  subnet_id      = each.value.id
}

resource "aws_security_group" "functions" {
  name        = "${var.name}-functions"
  description = "${var.name}: the Lambda functions; nothing comes in"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "functions" {
  for_each = toset([for port in var.egress_ports : tostring(port)])

  security_group_id = aws_security_group.functions.id
  description       = "AWS, the factory, the marketing system"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "functions_to_databases" {
  security_group_id            = aws_security_group.functions.id
  description                  = "MySQL"
  referenced_security_group_id = local.databases_group
  cidr_ipv4                    = local.databases_group == null ? var.databases.cidr : null
  ip_protocol                  = "tcp"
  from_port                    = local.databases_port
  to_port                      = local.databases_port
}
