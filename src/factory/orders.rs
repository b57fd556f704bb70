//! Orders that are yet to be delivered: one JSON file each, written before the order is acknowledged and removed once
//! the delivery was answered.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::data_dir::write_atomically;

/// The six fields of the factory's contract, echoed as they came.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Request {
    #[serde(rename = "MessageGroupId")]
    pub message_group_id: String,
    #[serde(rename = "MessageAttributeProductId")]
    pub product_id: String,
    #[serde(rename = "MessageAttributeProductCnt")]
    pub product_cnt: serde_json::Value,
    #[serde(rename = "MessageAttributeFactoryId")]
    pub factory_id: String,
    #[serde(rename = "MessageAttributeRequester")]
    pub requester: String,
    #[serde(rename = "CallbackUrl")]
    pub callback_url: String,
}

/// An accepted order.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub id: String,
    /// When to deliver, in milliseconds since 1970.
    pub due: i64,
    /// How many deliveries are still to be made.
    pub deliveries: u32,
    /// What goes wrong with its delivery.
    pub fault: Fault,
    /// Items that are missing from it.
    #[serde(default)]
    pub missing: u64,
    pub request: Request,
}

/// The folder of open orders.
#[derive(Clone, Debug)]
pub(crate) struct Orders(PathBuf);

impl Orders {
    pub(crate) fn open(folder: &Path) -> io::Result<Orders> {
        fs::create_dir_all(folder)?;
        Ok(Orders(folder.to_owned()))
    }

    /// Durable when it returns.
    pub(crate) fn put(&self, order: &Order) -> io::Result<()> {
        write_atomically(&self.file(&order.id), &serde_json::to_vec_pretty(order)?)
    }

    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.file(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What an earlier run left undelivered. A file that cannot be read is reported and left where it is.
    pub(crate) fn open_orders(&self) -> io::Result<Vec<Order>> {
        let mut orders = Vec::new();
        for file in fs::read_dir(&self.0)? {
            let path = file?.path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            match fs::read(&path)
                .map_err(|e| e.to_string())
                .and_then(|t| serde_json::from_slice(&t).map_err(|e| e.to_string()))
            {
                Ok(order) => orders.push(order),
                Err(error) => {
                    tracing::warn!(path = %path.display(), error, "left an unreadable order alone")
                }
            }
        }
        Ok(orders)
    }

    fn file(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}
