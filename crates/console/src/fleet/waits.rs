//! What running executions wait for: parked tasks and callbacks, found in their histories and kept. Pure: no clock, no
//! calls.
//!
//! Step Functions lists a parked execution as running and meters the reading of histories. So each round looks at a few
//! executions only, those first that were never looked at, then those that were not for the longest time; and a history
//! is read on only where its newest event is another than the last time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use operate::waiting::{Callback, Waiting};

use super::stuck::{Stuck, Waiters};

/// What is known of running executions.
#[derive(Debug, Default)]
pub(super) struct Waits {
    known: HashMap<Arc<str>, Known>,
    round: u64,
    /// How many run.
    running: usize,
    /// What waits is another than the last time everything was asked for.
    has_changed: bool,
    /// The last history that could not be read, and why.
    failed: Option<(Arc<str>, String)>,
}

#[derive(Debug)]
struct Known {
    /// The number of the newest event that was read; `None` where none ever was.
    newest: Option<i64>,
    /// The last look at it failed.
    has_failed: bool,
    /// The round in which it was looked at; 0 to be looked at soon.
    looked: u64,
    waiting: Waiters,
}

/// Everything that waits, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Everything {
    /// Parked tasks, oldest first.
    pub parked: Vec<Arc<Stuck>>,
    /// Callbacks, oldest first.
    pub callbacks: Vec<Arc<Callback>>,
    /// Running executions whose history nobody has looked at yet.
    pub unread: usize,
    /// Why this may be old.
    pub problem: Option<String>,
}

impl Waits {
    /// Begins a round over what runs, newest first: what has ended is forgotten, at most so many are to be looked at.
    pub(super) fn begin(&mut self, running: &[Arc<str>], most: usize) -> Vec<Arc<str>> {
        let all: HashSet<&Arc<str>> = running.iter().collect();
        let before = (self.known.len(), self.running);
        self.known.retain(|arn, _| all.contains(arn));
        self.running = running.len();
        self.has_changed |= (self.known.len(), self.running) != before;
        self.round += 1;
        let looked = |arn: &Arc<str>| self.known.get(arn).map(|known| known.looked);
        // `None` is less than any round.
        let mut due: Vec<_> = running.iter().map(|arn| (looked(arn), arn)).collect();
        due.sort_by_key(|(looked, _)| *looked);
        due.truncate(most);
        due.into_iter().map(|(_, arn)| arn.clone()).collect()
    }

    /// The newest event that is known of an execution.
    pub(super) fn newest(&self, arn: &str) -> Option<i64> {
        self.known.get(arn).and_then(|known| known.newest)
    }

    /// Nothing has happened in it.
    pub(super) fn same(&mut self, arn: &str) {
        if let Some(known) = self.known.get_mut(arn) {
            known.looked = self.round;
            known.has_failed = false;
        }
    }

    /// Its history cannot be read. It counts as looked at, so that others have their turn before it has another.
    pub(super) fn failed(&mut self, arn: &Arc<str>, why: String) {
        let known = self.known.entry(arn.clone()).or_insert_with(|| Known {
            newest: None,
            has_failed: true,
            looked: 0,
            waiting: Waiters::default(),
        });
        known.has_failed = true;
        known.looked = self.round;
        self.failed = Some((arn.clone(), why));
    }

    /// Which histories could not be read, in words.
    pub(super) fn problem(&self) -> Option<String> {
        let failed = self.known.iter().filter(|(_, known)| known.has_failed);
        let count = failed.count();
        let (arn, why) = self.failed.as_ref().filter(|_| count > 0)?;
        let name = super::name_of(arn);
        Some(match count {
            1 => format!("what {name} waits for is not known: {why}"),
            _ => format!("what {count} executions wait for is not known, such as {name}: {why}"),
        })
    }

    /// What it waits for now. Tells what of it waits for an operator, in words, and whether it waits for something new.
    pub(super) fn keep(
        &mut self,
        arn: Arc<str>,
        newest: i64,
        waiting: Waiting,
    ) -> (Option<Arc<str>>, bool) {
        let waiting = Waiters::read(waiting);
        let told = told(&waiting.parked);
        let looked = self.round;
        let before = self.known.get(&arn).map(|known| &known.waiting);
        let is_new = before.map_or(waiting != Waiters::default(), |before| *before != waiting);
        self.has_changed |= is_new || before.is_none();
        self.known.insert(
            arn,
            Known {
                newest: Some(newest),
                has_failed: false,
                looked,
                waiting,
            },
        );
        (told, is_new)
    }

    /// Somebody answered: what waits for an operator is looked at again soon.
    pub(super) fn doubt(&mut self) {
        for known in self.known.values_mut() {
            if !known.waiting.parked.is_empty() {
                known.looked = 0;
            }
        }
    }

    /// Everything that waits, if it is another than the last time.
    pub(super) fn news(&mut self) -> Option<Everything> {
        std::mem::take(&mut self.has_changed).then(|| self.everything())
    }

    fn everything(&self) -> Everything {
        let Waiters { parked, callbacks } =
            Waiters::gather(self.known.values().map(|known| &known.waiting));
        Everything {
            parked,
            callbacks,
            unread: self
                .running
                .saturating_sub(self.known.values().filter(|k| k.newest.is_some()).count()),
            problem: None,
        }
    }
}

/// `RequestFactory: Factory.Rejected and 1 more`
fn told(parked: &[Arc<Stuck>]) -> Option<Arc<str>> {
    let (first, more) = parked.split_first()?;
    let mut text = first.state.clone();
    if !first.error.is_empty() {
        text += &format!(": {}", first.error);
    }
    if !more.is_empty() {
        text += &format!(" and {} more", more.len());
    }
    Some(crate::redact::text(&text).into())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use operate::parked::Parked;

    use super::*;

    fn arns(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| (*name).into()).collect()
    }

    fn parked(state: &str, second: i64) -> Parked {
        Parked {
            execution: "e".to_owned(),
            execution_arn: "e".to_owned(),
            state_machine: "m".to_owned(),
            task: "t".to_owned(),
            state: state.to_owned(),
            error: "Factory.Rejected".to_owned(),
            cause: String::new(),
            retries: 0,
            input: serde_json::Value::Null,
            since: Timestamp::from_second(second).unwrap(),
            product: None,
            queue_url: String::new(),
            parked_in: String::new(),
            replay: String::new(),
            discard: String::new(),
            token: String::new(),
        }
    }

    fn waiting(parked: Vec<Parked>) -> Waiting {
        Waiting {
            parked,
            callbacks: Vec::new(),
        }
    }

    #[test]
    fn who_was_never_looked_at_is_first_then_who_was_not_for_the_longest_time() {
        let mut waits = Waits::default();
        let running = arns(&["c", "b", "a"]);
        let mut rounds = Vec::new();
        for _ in 0..3 {
            let due = waits.begin(&running, 2);
            rounds.push(due.join(" "));
            for arn in due {
                waits.keep(arn, 1, Waiting::default());
            }
        }
        assert_eq!(rounds, ["c b", "a c", "b c"]);
        assert_eq!(waits.everything().unread, 0);
        let more = arns(&["d", "c", "b", "a"]);
        assert_eq!(waits.begin(&more, 1).join(" "), "d");
        assert_eq!(waits.everything().unread, 1);
    }

    #[test]
    fn what_was_answered_is_looked_at_soon_and_what_ended_is_forgotten() {
        let mut waits = Waits::default();
        let running = arns(&["c", "b", "a"]);
        for arn in waits.begin(&running, 9) {
            waits.keep(arn, 7, Waiting::default());
        }
        let two = waiting(vec![parked("Second", 2), parked("First", 1)]);
        assert!(waits.news().is_some());
        assert!(waits.news().is_none(), "nothing has changed since");
        let (told, is_new) = waits.keep("b".into(), 8, two.clone());
        assert_eq!(told.as_deref(), Some("Second: Factory.Rejected and 1 more"));
        assert!(is_new && !waits.keep("b".into(), 9, two).1);
        assert_eq!(waits.news().unwrap().parked.len(), 2);
        assert_eq!(waits.newest("b"), Some(9));
        let states: Vec<_> = waits.everything().parked;
        let states: Vec<_> = states.iter().map(|p| p.state.as_str()).collect();
        assert_eq!(states, ["First", "Second"]);
        waits.doubt();
        assert_eq!(waits.begin(&running, 1).join(" "), "b");
        waits.same("b");
        assert_eq!(waits.begin(&running, 1).join(" "), "c");
        waits.begin(&arns(&["a"]), 9);
        assert_eq!(waits.newest("b"), None);
        assert!(waits.everything().parked.is_empty());
    }

    #[test]
    fn what_cannot_be_read_gives_others_their_turn_and_is_told_until_it_can_be_read() {
        let mut waits = Waits::default();
        let running = arns(&["bad", "good"]);
        assert_eq!(waits.begin(&running, 1).join(" "), "bad");
        waits.failed(&"bad".into(), "too large".to_owned());
        assert_eq!(waits.begin(&running, 1).join(" "), "good");
        waits.keep("good".into(), 1, Waiting::default());
        let problem = waits.problem();
        assert_eq!(
            problem.as_deref(),
            Some("what bad waits for is not known: too large")
        );
        assert_eq!((waits.newest("bad"), waits.everything().unread), (None, 1));
        waits.keep("bad".into(), 1, Waiting::default());
        assert_eq!((waits.problem(), waits.everything().unread), (None, 0));
    }
}
