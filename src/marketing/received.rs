//! What was received: one JSON line per key, appended and synced before it is acknowledged.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A customer as it came.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Customer {
    pub id: String,
    pub key: String,
    pub customer: Value,
}

/// Everything received so far.
#[derive(Debug)]
pub(crate) struct Received {
    file: File,
    by_key: BTreeMap<String, Customer>,
}

impl Received {
    /// Reads what an earlier run received. A line that a crash left half-written was never acknowledged.
    pub(crate) fn open(path: &Path) -> io::Result<Received> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let text = fs::read_to_string(path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let customers = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Customer>(line).ok());
        let by_key = customers.map(|it| (it.key.clone(), it)).collect();
        Ok(Received { file, by_key })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Customer> {
        self.by_key.get(key)
    }

    /// Durable when it returns.
    pub(crate) fn add(&mut self, customer: Customer) -> io::Result<()> {
        let mut line = serde_json::to_vec(&customer)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.by_key.insert(customer.key.clone(), customer);
        Ok(())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Customer> {
        self.by_key.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(key: &str) -> Customer {
        Customer {
            id: format!("MK-{key}"),
            key: key.to_owned(),
            customer: serde_json::json!({ "customer_id": "고객" }),
        }
    }

    #[test]
    fn what_was_acknowledged_is_known_after_a_crash_in_the_middle_of_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/marketing.jsonl");
        Received::open(&path).unwrap().add(customer("a")).unwrap();
        let torn = r#"{"id":"MK-b","key":"b","cust"#;
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(torn.as_bytes()).unwrap();
        let mut received = Received::open(&path).unwrap();
        assert!(received.get("b").is_none());
        received.add(customer("b")).unwrap();
        let received = Received::open(&path).unwrap();
        let ids: Vec<_> = received.all().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["MK-a", "MK-b"]);
    }
}
