//! The two databases of an installation: where they are, and how they get their schema and first rows.

use std::path::Path;

use shop::{Customers, Warehouse};
use thiserror::Error;

use crate::data_dir::{DataDir, DataDirError};

/// Connections `up` itself keeps to each database; the Lambda processes have their own.
const CONNECTIONS: u32 = 16;

/// Which of the two cannot be used.
#[derive(Debug, Error)]
#[error(
    "the {which} database cannot be used: {place}. Is it there, and may it be read and written? Another one: {flag}"
)]
pub(crate) struct Unusable {
    which: &'static str,
    /// Its URL without what is secret in it.
    place: String,
    flag: &'static str,
    #[source]
    source: shop::Error,
}

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
    pub(crate) async fn migrate(&self) -> Result<(Warehouse, Customers), Unusable> {
        let unusable = |which, url: &str, flag| {
            let place = without_secrets(url);
            move |source| Unusable {
                which,
                place,
                flag,
                source,
            }
        };
        let opened = async {
            let warehouse = Warehouse::open(&self.warehouse, CONNECTIONS)?;
            warehouse.migrate().await?;
            Ok(warehouse)
        };
        let flag = "--database-url";
        let warehouse = opened
            .await
            .map_err(unusable("warehouse", &self.warehouse, flag))?;
        let opened = async {
            let customers = Customers::open(&self.customers, CONNECTIONS)?;
            customers.migrate().await?;
            Ok(customers)
        };
        let flag = "--customers-url";
        let customers = opened
            .await
            .map_err(unusable("customers", &self.customers, flag))?;
        Ok((warehouse, customers))
    }
}

/// A database's URL as people may see it: no password, no parameters.
fn without_secrets(url: &str) -> String {
    let (place, parameters) = url.split_once(['?', '#']).unwrap_or((url, ""));
    if place.starts_with("sqlite:") {
        return place.to_owned();
    }
    let Some((scheme, rest)) = place.split_once("://") else {
        // Not as it must be: who knows what is in it.
        let scheme = place.split_once(':').map_or("", |(scheme, _)| scheme);
        return format!("{scheme}:…");
    };
    if parameters.contains('@') {
        // Either a parameter has an @ in it or the password a question mark, and nobody can tell which.
        return format!("{scheme}://…");
    }
    // A password may have an @ in it; a host may not.
    match rest.rsplit_once('@') {
        Some((who, host)) => {
            let user = who.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_of_a_url_is_shown() {
        for (url, shown) in [
            (
                "mysql://shop:s3:cr@t@db:3306/w?ssl-key=x",
                "mysql://shop@db:3306/w",
            ),
            ("mysql://db/w", "mysql://db/w"),
            ("mysql://shop:s3cr?t@db:3306/w", "mysql://…"),
            ("mysql://shop:s3cr#t@db:3306/w?a=b", "mysql://…"),
            ("mysql://shop:s3cr@t@db/w?password=x@y", "mysql://…"),
            ("sqlite:///tmp/a b/w.db?mode=rwc", "sqlite:///tmp/a b/w.db"),
            ("sqlite:/tmp/w.db", "sqlite:/tmp/w.db"),
            ("postgres:secret", "postgres:…"),
            ("secret", ":…"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_used_is_named_with_its_flag() {
        let dir = tempfile::tempdir().unwrap();
        let nowhere = format!("sqlite://{}/none/customers.db", dir.path().display());
        let databases = Databases::choose(dir.path(), None, Some(nowhere)).unwrap();
        let told = databases.migrate().await.err().unwrap().to_string();
        assert!(told.contains("the customers database"), "{told}");
        assert!(told.contains("customers.db"), "{told}");
        assert!(told.contains("--customers-url"), "{told}");
    }
}
