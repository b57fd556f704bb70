//! What every handler has: the clients, the shop, and what the console was told at its start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use std::sync::Arc;

use operate::connection::Connection;
use serde_json::Value;

use crate::act::Act;
use crate::fleet::Fleet;
use crate::login::Login;
use crate::run::{Runs, Watchers};

/// What a console is given.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is going to listen. Anything but loopback needs a token.
    pub listen: SocketAddr,
    /// What people must know to look, at least 16 characters; nobody is asked if absent.
    pub token: Option<String>,
    /// Names besides loopback and IP addresses that it may be reached by (`Host` header).
    pub hosts: Vec<String>,
    /// The workflows' clients.
    pub connection: Connection,
    /// What the clients reach.
    pub place: Place,
    /// The shop's databases, where this console may read them.
    pub shop: Option<Shop>,
    /// The installation's folder, where there is one on this machine: the audit of actions is kept there.
    pub data_dir: Option<PathBuf>,
    /// What the Lambda tasks take, give and fail with, by the function's name.
    pub contracts: BTreeMap<String, Contract>,
}

/// What the clients reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `restock up` or another endpoint, by its URL.
    Endpoint(String),
    /// AWS itself, through a named profile.
    Aws {
        /// The profile of `~/.aws`.
        profile: String,
    },
}

/// The shop's databases.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Products, stock, orders, reorders.
    pub warehouse: shop::Warehouse,
    /// Customers.
    pub customers: shop::Customers,
}

/// What a Lambda task takes, gives and fails with.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// What it does, in one line.
    pub about: String,
    /// JSON Schema of the input.
    pub input: Value,
    /// JSON Schema of the output.
    pub output: Value,
    /// Names of the errors it declares.
    pub errors: Vec<String>,
}

/// What every handler has.
#[derive(Debug)]
pub(crate) struct App {
    pub at: Connection,
    pub place: Place,
    pub shop: Option<Shop>,
    pub contracts: BTreeMap<String, Contract>,
    pub act: Act,
    pub fleet: Arc<Fleet>,
    pub runs: Runs,
    pub watchers: Watchers,
    pub login: Login,
    /// Lower-case names it may be reached by.
    pub hosts: Vec<String>,
}

impl App {
    pub(crate) fn new(options: Options) -> App {
        App {
            act: Act::new(options.data_dir),
            fleet: Arc::new(Fleet::new(options.connection.clone())),
            runs: Runs::default(),
            watchers: Watchers::default(),
            at: options.connection,
            place: options.place,
            shop: options.shop,
            contracts: options.contracts,
            login: Login::new(options.token.as_deref()),
            hosts: options.hosts.iter().map(|h| h.to_lowercase()).collect(),
        }
    }

    /// The region that calls go to.
    pub(crate) fn region(&self) -> &str {
        self.at.region().unwrap_or("no region")
    }

    /// Something was changed through this console: what is known of it is old.
    pub(crate) fn changed_here(&self) {
        self.fleet.is_stale();
    }

    pub(crate) fn is_aws(&self) -> bool {
        matches!(self.place, Place::Aws { .. })
    }
}
