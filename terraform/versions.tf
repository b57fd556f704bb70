# Pinned: a newer provider may plan changes that nobody asked for. Raise it in a commit of its own.
terraform {
  required_version = ">= 1.11.0, < 2.0.0" # write-only arguments keep passwords out of the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Where the state lies is each installation's own decision: see docs/deploy.md, "State".
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ application = var.name }, var.tags)
  }
}

# Makes random texts only. A configuration of its own, because tests put a mock in place of the other one, and a mock
# cannot make ephemeral resources.
provider "aws" {
  alias  = "random"
  region = var.region
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
