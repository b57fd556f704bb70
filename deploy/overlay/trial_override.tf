# Laid over terraform/ in the trial's copy of it (deploy/trial), never by a deployment: what the foreign endpoint needs
# otherwise. Each deviation with its reason.

# RDS is only a row in that endpoint's memory: no server listens at the address it gives.
module "database" {
  trial_server = var.trial_database_server
}
