//! The executions that were read, newest first. Pure: no clock, no calls.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use memchr::memmem::Finder;

use super::item::{Described, Item, STATUSES, Status};

type Place = (Reverse<i64>, Arc<str>);

/// The executions that were read, newest first.
#[derive(Debug, Default)]
pub(crate) struct Index {
    items: BTreeMap<Place, Entry>,
    /// When each started, by ARN: its place among the items.
    started: HashMap<Arc<str>, i64>,
    running: BTreeSet<Place>,
    /// Those whose input nobody has read yet.
    undescribed: BTreeSet<Place>,
    machines: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    /// [`Item::searched`], made once for all searches.
    searched: Box<str>,
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
            if let Some(Entry { item: old, .. }) = self.items.get(&place) {
                // Step Functions does not know that it is parked: whoever read its history says so, and when it is over.
                if item.status == Status::Running && old.status == Status::Parked {
                    item.status = Status::Parked;
                    item.parked = old.parked.clone();
                }
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
            self.undescribed.remove(&place);
        }
        let place = (Reverse(item.started), item.arn.clone());
        self.started.insert(item.arn.clone(), item.started);
        if item.status.is_running() {
            self.running.insert(place.clone());
        }
        if item.described.is_none() {
            self.undescribed.insert(place.clone());
        }
        if !self.machines.contains(&item.machine) {
            self.machines.insert(item.machine.clone());
        }
        let searched = item.searched();
        self.items.insert(place, Entry { item, searched });
        true
    }

    /// Keeps what DescribeExecution told.
    pub(crate) fn describe(&mut self, arn: &str, described: Arc<Described>) {
        if let Some(item) = self.get(arn) {
            self.put(Item {
                described: Some(described),
                ..item.clone()
            });
        }
    }

    /// Keeps what waits for an operator in an execution that runs; `None` if nothing does. Tells whether anything changed.
    pub(crate) fn park(&mut self, arn: &str, parked: Option<Arc<str>>) -> bool {
        let Some(item) = self.get(arn).filter(|item| item.status.is_running()) else {
            return false;
        };
        if item.parked == parked {
            return false;
        }
        let mut item = item.clone();
        item.status = match parked {
            Some(_) => Status::Parked,
            None => Status::Running,
        };
        item.parked = parked;
        // `put` would keep it parked.
        let place = (Reverse(item.started), item.arn.clone());
        let searched = item.searched();
        self.items.insert(place, Entry { item, searched });
        true
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Item> {
        let started = self.started.get(arn).copied()?;
        let place = (Reverse(started), arn.into());
        self.items.get(&place).map(|entry| &entry.item)
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
        self.all_running()
            .filter(move |item| &*item.machine == machine)
    }

    /// All that have not ended, newest first.
    pub(crate) fn all_running(&self) -> impl Iterator<Item = &Item> {
        self.running
            .iter()
            .filter_map(|place| self.items.get(place))
            .map(|entry| &entry.item)
    }

    /// The running execution that started first.
    pub(crate) fn oldest_running(&self) -> Option<Item> {
        let place = self.running.last()?;
        self.items.get(place).map(|entry| entry.item.clone())
    }

    /// The newest executions of a machine.
    pub(crate) fn newest(&self, machine: &str, take: usize) -> Vec<Item> {
        let items = self.items.values().map(|entry| &entry.item);
        let of = items.filter(|item| &*item.machine == machine);
        of.take(take).cloned().collect()
    }

    /// Executions whose input nobody has read yet, newest first.
    pub(crate) fn undescribed(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.undescribed.iter().map(|(_, arn)| arn)
    }

    /// What the query leaves; `skip` and `take` choose the page.
    pub(crate) fn find(&self, query: &Query, skip: usize, take: usize) -> Found {
        let mut found = Found::default();
        let mut counts = [0_usize; STATUSES.len()];
        let text = query.text.as_deref().map(Text::new);
        // Newest first: what starts after `until` is before the range, what started before `since` after it.
        let from = query.until.map_or(i64::MAX, |until| until);
        for entry in self.items.range((Reverse(from), "".into())..) {
            let Entry { item, searched } = entry.1;
            if query.since.is_some_and(|since| item.started < since) {
                break;
            }
            let is_of_machine = query.machine.as_deref().is_none_or(|m| *item.machine == *m);
            if !is_of_machine || !text.as_ref().is_none_or(|text| text.is_in(item, searched)) {
                continue;
            }
            counts[item.status as usize] += 1;
            if query.status.is_some_and(|status| status != item.status) {
                continue;
            }
            if found.all >= skip && found.items.len() < take {
                found.items.push(item.clone());
            }
            found.all += 1;
        }
        let counts = STATUSES.map(|status| (status, counts[status as usize]));
        found.counts = counts.into_iter().filter(|(_, n)| *n > 0).collect();
        found
    }
}

/// What is searched for, prepared once for all executions.
struct Text<'q> {
    finder: Finder<'q>,
    /// The state machine, where an ARN was pasted.
    machine: Option<&'q str>,
}

impl<'q> Text<'q> {
    fn new(text: &'q str) -> Text<'q> {
        let mut parts = text.splitn(8, ':').skip(6);
        let (machine, text) = match text.starts_with("arn:").then(|| parts.next()).flatten() {
            Some(machine) => (Some(machine), parts.next().unwrap_or_default()),
            None => (None, text),
        };
        Text {
            finder: Finder::new(text),
            machine,
        }
    }

    fn is_in(&self, item: &Item, searched: &str) -> bool {
        let is_of = |machine: &str| item.machine.eq_ignore_ascii_case(machine);
        self.machine.is_none_or(is_of) && self.finder.find(searched.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{Key, name_of};
    use super::*;

    fn item(name: &str, machine: &str, status: Status, started: i64) -> Item {
        Item {
            arn: format!("arn:aws:states:r:0:execution:{machine}:{name}").into(),
            machine: machine.into(),
            status,
            started,
            stopped: None,
            redrives: 0,
            parked: None,
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
        let of_arn = |text: &str| {
            let text = Some(format!("arn:aws:states:r:0:execution:{text}"));
            let query = Query {
                text,
                ..any.clone()
            };
            names(&index.find(&query, 0, 10))
        };
        assert_eq!(of_arn("reorder"), "b a");
        assert_eq!(of_arn("reorder:b"), "b");
        assert_eq!(of_arn("vip:b"), "");
        let page = index.find(&any, 1, 2);
        assert_eq!((names(&page).as_str(), page.all), ("c b", 4));
        assert_eq!(page.counts[&Status::Running], 2);
    }

    #[test]
    fn what_is_parked_is_told_from_what_runs_until_it_is_answered_or_ends() {
        let mut index = index();
        let arn = "arn:aws:states:r:0:execution:reorder:b";
        let note: Arc<str> = "RequestFactory: Factory.Rejected".into();
        assert!(index.park(arn, Some(note.clone())));
        assert!(!index.park(arn, Some(note)), "nothing new");
        let running = || item("b", "reorder", Status::Running, 20);
        assert!(!index.put(running()), "the list says that it runs");
        let found = index.find(&Query::default(), 0, 0);
        assert_eq!(found.counts[&Status::Parked], 1);
        assert_eq!(found.counts[&Status::Running], 1);
        assert_eq!(index.running("reorder").count(), 1, "it has not ended");
        let text = Query {
            text: Some("factory.rej".to_owned()),
            ..Query::default()
        };
        assert_eq!(names(&index.find(&text, 0, 9)), "b");

        assert!(index.park(arn, None));
        assert_eq!(index.get(arn).unwrap().status, Status::Running);
        assert_eq!(names(&index.find(&text, 0, 9)), "");
        index.park(arn, Some("again".into()));
        assert!(index.put(item("b", "reorder", Status::Failed, 20)));
        let failed = index.get(arn).unwrap();
        assert_eq!((failed.status, &failed.parked), (Status::Failed, &None));
        assert!(
            !index.park(arn, Some("too late".into())),
            "it has ended meanwhile"
        );
    }

    #[test]
    fn searches_use_what_was_prepared_once() {
        let mut index = index();
        let prepared = |index: &Index| -> Vec<*const u8> {
            let entries = index.items.values();
            entries.map(|entry| entry.searched.as_ptr()).collect()
        };
        let before = prepared(&index);
        for text in ["b", "reorder", "no such thing"] {
            let text = Some(text.to_owned());
            index.find(
                &Query {
                    text,
                    ..Query::default()
                },
                0,
                10,
            );
        }
        index.put(item("b", "reorder", Status::Running, 20));
        assert_eq!(prepared(&index), before);
        assert_eq!(index.undescribed().len(), 4);
        index.describe("arn:aws:states:r:0:execution:vip:c", Arc::default());
        let unread: Vec<_> = index.undescribed().map(|arn| name_of(arn)).collect();
        assert_eq!(unread, ["d", "b", "a"]);
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
