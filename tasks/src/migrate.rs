//! Migrate: brings both databases to the schema of this version. A deploy invokes it before the new code gets traffic.
//!
//! It is a function because the databases answer only inside the VPC. Safe to repeat; two at once wait for each other. An
//! older version than the schema's is refused by name, which stops the deploy that rolls back too far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::{Customers, Warehouse};

use crate::{
    app::App,
    declare_errors,
    error::{Common, with_sources},
};

/// What a deploy asks for.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Also add the sample product and customers, where there are none. For a first look at a new installation.
    #[serde(default)]
    pub seed: bool,
    /// Changes with every deploy, so that whoever invokes this once per input does so again. Not read.
    #[serde(default)]
    pub version: Option<String>,
}

/// What both databases have now.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// Number of the warehouse's last migration.
    pub warehouse: i64,
    /// Number of the customers database's last migration.
    pub customers: i64,
    /// Whether the samples were asked for.
    pub seeded: bool,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema does not fit this version: what to do is in the text.
    #[error("the {0} database: {1}")]
    Refused(&'static str, String),
    /// The customers database is locked, gone or refuses us. Worth a retry.
    #[error("the customers database did not answer: {0}")]
    Customers(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    Refused => "Schema.Refused",
    Customers => "Customers.Unavailable",
});

/// Migrates, then adds the samples if asked.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let (warehouse, customers) = (app.warehouse()?, app.customers()?);
    warehouse.migrate().await.map_err(of_warehouse)?;
    customers.migrate().await.map_err(of_customers)?;
    if input.seed {
        warehouse.seed().await.map_err(of_warehouse)?;
        customers.seed().await.map_err(of_customers)?;
    }
    let output = Output {
        warehouse: Warehouse::schema_version(),
        customers: Customers::schema_version(),
        seeded: input.seed,
    };
    tracing::info!(?output, version = input.version, "migrated");
    Ok(output)
}

fn of_warehouse(error: shop::Error) -> Error {
    match error {
        shop::Error::Schema(why) => Error::Refused("warehouse", why),
        other => Error::Common(other.into()),
    }
}

fn of_customers(error: shop::Error) -> Error {
    match error {
        shop::Error::Schema(why) => Error::Refused("customers", why),
        other => Error::Customers(with_sources(&other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shop::{customer, product};

    use super::*;
    use crate::{config::Config, error::Failure};

    /// An installation whose databases do not exist yet.
    fn empty(directory: &std::path::Path) -> App {
        let url = |name: &str| format!("sqlite://{}", directory.join(name).display());
        let lookup = |name: &'static str| match name {
            "RESTOCK_DATABASE_URL" => Some(url("warehouse.db")),
            "RESTOCK_CUSTOMERS_URL" => Some(url("customers.db")),
            _ => None,
        };
        App::new(Config::read(lookup, &[]).unwrap())
    }

    #[tokio::test]
    async fn it_may_be_repeated_and_seeds_only_where_asked() {
        let directory = tempfile::tempdir().unwrap();
        let app = empty(directory.path());
        let first = handle(&app, Input::default()).await.unwrap();
        assert!(first.warehouse > 0 && first.customers > 0 && !first.seeded);
        let warehouse = app.warehouse().unwrap();
        assert_eq!(product::list(warehouse).await.unwrap(), []);

        let input = || serde_json::from_value(json!({"seed": true, "version": "2"})).unwrap();
        for _ in 0..2 {
            let again = handle(&app, input()).await.unwrap();
            assert_eq!(
                again,
                Output {
                    seeded: true,
                    ..first
                }
            );
        }
        assert_eq!(product::list(warehouse).await.unwrap().len(), 1);
        customer::get(app.customers().unwrap(), "CU-1")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn databases_that_are_gone_are_told_apart() {
        for (gone, name) in [
            ("warehouse", "Warehouse.Unavailable"),
            ("customers", "Customers.Unavailable"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let app = empty(directory.path());
            match gone {
                "warehouse" => app.warehouse().unwrap().close().await,
                _ => app.customers().unwrap().close().await,
            }
            let failure = Failure::from(handle(&app, Input::default()).await.unwrap_err());
            assert_eq!(failure.name, name, "{}", failure.message);
        }
    }

    #[test]
    fn a_refused_schema_names_the_database() {
        for (error, database) in [
            (
                of_warehouse(shop::Error::Schema("newer".into())),
                "warehouse",
            ),
            (
                of_customers(shop::Error::Schema("newer".into())),
                "customers",
            ),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.name, "Schema.Refused");
            assert_eq!(failure.message, format!("the {database} database: newer"));
        }
    }
}
