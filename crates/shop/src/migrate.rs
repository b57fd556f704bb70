//! The tables, brought up to date. Safe to repeat. On MySQL a database that does not exist is made, in the collation
//! it needs: where the server answers only inside a VPC, nobody else can.
//!
//! Refused: a database that a newer version of this program wrote (an old program would not know its
//! rules), one whose applied migrations differ from ours, one where a migration stopped half-way (MySQL
//! cannot roll back a table), and a MySQL database that does not compare text byte by byte, as SQLite
//! does: there two idempotency keys that differ in case would be one.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::mysql::MySqlDatabaseError;
use sqlx::{AnyConnection, ConnectOptions, Connection};

use crate::db::{Db, Dialect};
use crate::error::{Error, Result};
use crate::write::Tries;

/// MySQL's and MariaDB's number of "unknown database".
const UNKNOWN_DATABASE: u16 = 1049;

static WAREHOUSE: Migrator = sqlx::migrate!("../../migrations/warehouse");
static CUSTOMERS: Migrator = sqlx::migrate!("../../migrations/customers");

pub(crate) async fn warehouse(db: &Db) -> Result<()> {
    run(db, &WAREHOUSE).await
}

pub(crate) async fn customers(db: &Db) -> Result<()> {
    run(db, &CUSTOMERS).await
}

pub(crate) fn warehouse_version() -> i64 {
    last(&WAREHOUSE)
}

pub(crate) fn customers_version() -> i64 {
    last(&CUSTOMERS)
}

fn last(migrator: &Migrator) -> i64 {
    migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

async fn run(db: &Db, migrator: &Migrator) -> Result<()> {
    match db.dialect {
        Dialect::Sqlite => {
            let mut tries = Tries::new("migrate");
            loop {
                if let Some(settled) = tries.settle(on_sqlite(db, migrator).await).await {
                    return settled;
                }
            }
        }
        Dialect::MySql => {
            make_database(db).await?;
            check_collation(db).await?;
            on_mysql(db, migrator).await
        }
    }
}

/// In one transaction around all: SQLite can roll back a table, and its lock keeps out the other processes
/// that start at the same time. The migrator nests its own transactions in sqlx's, not in ours.
async fn on_sqlite(db: &Db, migrator: &Migrator) -> Result<()> {
    let mut connection = db.pool.acquire().await?.detach();
    let mut transaction = connection.begin_with("begin immediate").await?;
    run_on(migrator, &mut transaction).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// On a connection of its own, whose end gives up the lock in any case.
async fn on_mysql(db: &Db, migrator: &Migrator) -> Result<()> {
    let mut connection = db.pool.acquire().await?.detach();
    lock(&mut connection).await?;
    let done = run_on(migrator, &mut connection).await;
    connection.close().await?;
    done
}

async fn run_on(migrator: &Migrator, c: &mut AnyConnection) -> Result<()> {
    // Hidden in sqlx's documentation, and meant for this: `run` cannot take a borrowed connection in a
    // future that must be `Send`.
    migrator.run_direct(None, c, false).await.map_err(explain)
}

/// Keeps out others who migrate this database until the connection ends. The migrator's own lock waits
/// for -1 s, which is for ever on MySQL and not at all on MariaDB.
async fn lock(c: &mut AnyConnection) -> Result<()> {
    let locked: Option<i64> =
        sqlx::query_scalar("select get_lock(concat('restock-', sha1(database())), 300)")
            .fetch_one(c)
            .await?;
    match locked {
        Some(1) => Ok(()),
        _ => Err(Error::Busy(sqlx::Error::PoolTimedOut)),
    }
}

/// Makes the database where the server says that there is none. Needs the right to; where the database exists, it asks
/// for nothing.
async fn make_database(db: &Db) -> Result<()> {
    let missing = match db.pool.acquire().await {
        Ok(_) => return Ok(()),
        Err(error) if is_unknown_database(&error) => error,
        Err(error) => return Err(error.into()),
    };
    let mut server = db.pool.connect_options().as_ref().clone();
    let name = server.database_url.path().trim_matches('/').to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(missing.into());
    }
    server.database_url.set_path("");
    let mut connection = server.connect().await?;
    // A name cannot be a parameter of a statement; this one holds letters, digits and underscores only.
    let create =
        format!("create database if not exists `{name}` character set utf8mb4 collate utf8mb4_bin");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    tracing::info!(database = name, "made the database");
    Ok(())
}

fn is_unknown_database(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else {
        return false;
    };
    let mysql = database.try_downcast_ref::<MySqlDatabaseError>();
    mysql.is_some_and(|mysql| mysql.number() == UNKNOWN_DATABASE)
}

async fn check_collation(db: &Db) -> Result<()> {
    let collation: String = sqlx::query_scalar("select @@collation_database")
        .fetch_one(&db.pool)
        .await?;
    if collation == "utf8mb4_bin" {
        return Ok(());
    }
    Err(Error::Schema(format!(
        "the database's collation is {collation} and must be utf8mb4_bin; before its first migration, run: \
         alter database NAME character set utf8mb4 collate utf8mb4_bin"
    )))
}

fn explain(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, version) => {
            tracing::error!(version, %error, "migration failed");
            error.into()
        }
        MigrateError::VersionMissing(version) => Error::Schema(format!(
            "the database has migration {version}, which this program does not know: a newer version \
             made it. Run that version, or restore a backup from before it"
        )),
        MigrateError::VersionMismatch(version) => Error::Schema(format!(
            "migration {version} was applied from a different file than this program's. A migration that \
             was released must not change: build from the released files"
        )),
        MigrateError::Dirty(version) => Error::Schema(format!(
            "migration {version} stopped half-way. Drop what it made, delete its row in _sqlx_migrations, \
             and migrate again"
        )),
        other => Error::Schema(format!("the migrations cannot run: {other}")),
    }
}
