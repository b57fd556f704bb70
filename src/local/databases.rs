//! The two databases of an installation: where they are, and how they get their schema and first rows.

use std::path::Path;

use shop::{Customers, Warehouse};

use crate::data_dir::{DataDir, DataDirError};

/// Connections `up` itself keeps to each database; the Lambda processes have their own.
const CONNECTIONS: u32 = 16;

/// URLs of the warehouse and the customers database. They may hold passwords: never print them.
pub(crate) struct Databases {
    pub warehouse: String,
    pub customers: String,
}

impl Databases {
    /// What was asked for, else files in the data directory.
    pub(crate) fn choose(
        data_dir: &Path,
        warehouse: Option<String>,
        customers: Option<String>,
    ) -> Result<Databases, DataDirError> {
        let data = DataDir::open(data_dir)?;
        Ok(Databases {
            warehouse: warehouse.unwrap_or_else(|| data.sqlite_url("warehouse.db")),
            customers: customers.unwrap_or_else(|| data.sqlite_url("customers.db")),
        })
    }

    /// Creates or updates both schemas.
    pub(crate) async fn migrate(&self) -> shop::Result<(Warehouse, Customers)> {
        let warehouse = Warehouse::open(&self.warehouse, CONNECTIONS)?;
        warehouse.migrate().await?;
        let customers = Customers::open(&self.customers, CONNECTIONS)?;
        customers.migrate().await?;
        Ok((warehouse, customers))
    }
}
