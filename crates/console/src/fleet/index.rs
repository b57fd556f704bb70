//! The executions that were read, newest first. Pure: no clock, no calls.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::item::{Described, Item, Status};

type Place = (Reverse<i64>, Arc<str>);

/// The executions that were read, newest first.
#[derive(Debug, Default)]
pub(crate) struct Index {
    items: BTreeMap<Place, Item>,
    /// When each started, by ARN: its place among the items.
    started: HashMap<Arc<str>, i64>,
    running: BTreeSet<Place>,
    machines: BTreeSet<Arc<str>>,
}

/// Which executions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Query {
    pub status: Option<Status>,
    pub machine: Option<String>,
    /// Milliseconds since 1970.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Part of a name, of an error or of a business key; lower case.
    pub text: Option<String>,
}

/// How many executions have each status.
pub(crate) type Counts = BTreeMap<Status, usize>;

/// A page of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub items: Vec<Item>,
    /// How many there are on all pages.
    pub all: usize,
    /// Of the same query without its status.
    pub counts: Counts,
}

impl Index {
    /// Adds or updates; what was described stays known. Tells whether anything changed.
    pub(crate) fn put(&mut self, mut item: Item) -> bool {
        if let Some(before) = self.started.get(&item.arn).copied() {
            let place = (Reverse(before), item.arn.clone());
            if let Some(old) = self.items.get(&place) {
                if item.described.is_none() {
                    item.described = old.described.clone();
                    // An error is told of the status it came with.
                    if old.status != item.status
                        && let Some(described) = &mut item.described
                        && (described.error.is_some() || item.status.is_bad())
                    {
                        item.described = None;
                    }
                }
                if *old == item {
                    return false;
                }
            }
            self.items.remove(&place);
            self.running.remove(&place);
        }
        let place = (Reverse(item.started), item.arn.clone());
        self.started.insert(item.arn.clone(), item.started);
        if item.status.is_running() {
            self.running.insert(place.clone());
        }
        if !self.machines.contains(&item.machine) {
            self.machines.insert(item.machine.clone());
        }
        self.items.insert(place, item);
        true
    }

    /// Keeps what DescribeExecution told.
    pub(crate) fn describe(&mut self, arn: &str, described: Arc<Described>) {
        if let Some(started) = self.started.get(arn).copied()
            && let Some(item) = self.items.get_mut(&(Reverse(started), arn.into()))
        {
            item.described = Some(described);
        }
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Item> {
        let started = self.started.get(arn).copied()?;
        self.items.get(&(Reverse(started), arn.into()))
    }

    /// Names of the state machines whose executions are known.
    pub(crate) fn machines(&self) -> Vec<Arc<str>> {
        self.machines.iter().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Running executions of a machine, newest first.
    pub(crate) fn running<'a>(&'a self, machine: &'a str) -> impl Iterator<Item = &'a Item> {
        self.running
            .iter()
            .filter_map(|place| self.items.get(place))
            .filter(move |item| &*item.machine == machine)
    }

    /// The running execution that started first.
    pub(crate) fn oldest_running(&self) -> Option<Item> {
        let place = self.running.last()?;
        self.items.get(place).cloned()
    }

    /// The newest executions of a machine.
    pub(crate) fn newest(&self, machine: &str, take: usize) -> Vec<Item> {
        let of = self.items.values().filter(|item| &*item.machine == machine);
        of.take(take).cloned().collect()
    }

    /// Executions whose input nobody has read yet, newest first.
    pub(crate) fn undescribed(&self) -> impl Iterator<Item = &Item> {
        self.items.values().filter(|item| item.described.is_none())
    }

    /// What the query leaves; `skip` and `take` choose the page.
    pub(crate) fn find(&self, query: &Query, skip: usize, take: usize) -> Found {
        let mut found = Found::default();
        // Newest first: what starts after `until` is before the range, what started before `since` after it.
        let from = query.until.map_or(i64::MAX, |until| until);
        for item in self
            .items
            .range((Reverse(from), "".into())..)
            .map(|(_, item)| item)
        {
            if query.since.is_some_and(|since| item.started < since) {
                break;
            }
            if !query.leaves(item) {
                continue;
            }
            *found.counts.entry(item.status).or_default() += 1;
            if query.status.is_some_and(|status| status != item.status) {
                continue;
            }
            if found.all >= skip && found.items.len() < take {
                found.items.push(item.clone());
            }
            found.all += 1;
        }
        found
    }
}

impl Query {
    /// Whether machine and text leave it; status and time are the index's business.
    fn leaves(&self, item: &Item) -> bool {
        self.machine
            .as_deref()
            .is_none_or(|machine| *item.machine == *machine)
            && self.text.as_deref().is_none_or(|text| item.is_about(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::Key;
    use super::*;

    fn item(name: &str, machine: &str, status: Status, started: i64) -> Item {
        Item {
            arn: format!("arn:aws:states:r:0:execution:{machine}:{name}").into(),
            machine: machine.into(),
            status,
            started,
            stopped: None,
            redrives: 0,
            described: None,
        }
    }

    fn names(found: &Found) -> String {
        let names: Vec<_> = found.items.iter().map(Item::name).collect();
        names.join(" ")
    }

    fn index() -> Index {
        let mut index = Index::default();
        for (name, machine, status, started) in [
            ("a", "reorder", Status::Succeeded, 10),
            ("b", "reorder", Status::Running, 20),
            ("c", "vip", Status::Failed, 30),
            ("d", "vip", Status::Running, 40),
        ] {
            index.put(item(name, machine, status, started));
        }
        index
    }

    #[test]
    fn queries_leave_what_they_name_newest_first() {
        let mut index = index();
        let key = Key {
            name: "product".to_owned(),
            value: "CP-9".to_owned(),
        };
        let described = Described {
            keys: vec![key],
            ..Described::default()
        };
        index.describe(
            "arn:aws:states:r:0:execution:reorder:a",
            Arc::new(described),
        );
        let any = Query::default();
        let of = |change: fn(&mut Query)| {
            let mut query = any.clone();
            change(&mut query);
            names(&index.find(&query, 0, 10))
        };
        assert_eq!(of(|_| ()), "d c b a");
        assert_eq!(of(|q| q.machine = Some("vip".to_owned())), "d c");
        assert_eq!(of(|q| q.status = Some(Status::Running)), "d b");
        assert_eq!(of(|q| q.since = Some(20)), "d c b");
        assert_eq!(of(|q| q.until = Some(30)), "c b a");
        assert_eq!(of(|q| q.text = Some("cp-9".to_owned())), "a");
        let page = index.find(&any, 1, 2);
        assert_eq!((names(&page).as_str(), page.all), ("c b", 4));
        assert_eq!(page.counts[&Status::Running], 2);
    }

    #[test]
    fn what_ends_is_running_no_more_and_is_described_anew() {
        let mut index = index();
        let arn = "arn:aws:states:r:0:execution:reorder:b";
        index.describe(arn, Arc::default());
        assert!(
            !index.put(item("b", "reorder", Status::Running, 20)),
            "nothing new"
        );
        assert!(index.get(arn).unwrap().described.is_some());
        assert!(index.put(item("b", "reorder", Status::Failed, 20)));
        assert_eq!(index.running("reorder").count(), 0);
        assert_eq!(
            index.get(arn).unwrap().described,
            None,
            "its error is not known yet"
        );
        assert_eq!(index.len(), 4);
    }
}
