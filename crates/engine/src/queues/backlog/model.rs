//! The backlog against a model that is too simple to be wrong: a list that is searched from the start each time.

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Send {
        delay: Millis,
    },
    Receive {
        max: usize,
        visibility: Millis,
    },
    /// With one of the receipts given out so far.
    Delete {
        receipt: usize,
    },
    Change {
        receipt: usize,
        visibility: Millis,
    },
    Fail {
        max: usize,
    },
    Pass {
        time: Millis,
    },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..20i64).prop_map(|delay| Step::Send { delay: delay.saturating_sub(10).max(0) }),
        4 => (1..5usize, 0..20i64).prop_map(|(max, visibility)| Step::Receive { max, visibility }),
        2 => any::<usize>().prop_map(|receipt| Step::Delete { receipt }),
        2 => (any::<usize>(), 0..20i64).prop_map(|(receipt, visibility)| Step::Change { receipt, visibility }),
        1 => (1..5usize).prop_map(|max| Step::Fail { max }),
        3 => (1..12i64).prop_map(|time| Step::Pass { time }),
        1 => Just(Step::Expire),
    ]
}

#[derive(Debug, Clone)]
struct Simple {
    seq: u64,
    sent: Millis,
    hidden_until: Millis,
    receives: u32,
}

const LIMIT: u32 = 3;
const RETENTION: Millis = 60;

fn held(seq: u64, now: Millis, delay: Millis) -> Held {
    let message = Message {
        seq,
        queue: 1,
        id: Uuid::from_u128(u128::from(seq) + 1),
        body: Body::Stored,
        attributes: Arc::default(),
        system: Arc::default(),
        sent: now,
        dead_letter_source: None,
    };
    let place = if delay == 0 {
        Place::Visible
    } else {
        Place::Delayed(now + delay)
    };
    Held {
        message: Arc::new(message),
        receives: 0,
        carried: 0,
        first_received: None,
        place,
    }
}

/// Which messages a receive delivers, and which it finds dead.
fn receive(
    model: &mut Vec<Simple>,
    now: Millis,
    max: usize,
    visibility: Millis,
) -> (Vec<u64>, Vec<u64>) {
    let (mut delivered, mut dead) = (Vec::new(), Vec::new());
    for message in model
        .iter_mut()
        .filter(|message| message.hidden_until <= now)
    {
        if delivered.len() == max {
            break;
        }
        if message.receives >= LIMIT {
            dead.push(message.seq);
        } else {
            message.receives += 1;
            message.hidden_until = now + visibility;
            delivered.push(message.seq);
        }
    }
    model.retain(|message| !dead.contains(&message.seq));
    (delivered, dead)
}

fn seqs(held: &[Held]) -> Vec<u64> {
    held.iter().map(|held| held.message.seq).collect()
}

proptest! {
    #[test]
    fn behaves_like_the_model(steps in prop::collection::vec(step(), 1..80)) {
        let mut backlog = Backlog::default();
        let mut model: Vec<Simple> = Vec::new();
        let mut receipts: Vec<Receipt> = Vec::new();
        let (mut now, mut last) = (1_000, 0);
        for step in steps {
            let known = |receipt: usize| receipts.get(receipt % receipts.len().max(1)).copied();
            match step {
                Step::Send { delay } => {
                    last += 1;
                    backlog.insert(held(last, now, delay));
                    model.push(Simple { seq: last, sent: now, hidden_until: now + delay, receives: 0 });
                }
                Step::Receive { max, visibility } => {
                    let taken = backlog.take(now, max, visibility, Some(LIMIT));
                    let (delivered, dead) = receive(&mut model, now, max, visibility);
                    prop_assert_eq!(seqs(&taken.deliveries), delivered);
                    prop_assert_eq!(seqs(&taken.dead), dead);
                    receipts.extend(taken.deliveries.iter().map(Held::receipt));
                }
                Step::Fail { max } => {
                    // A receive that could not be stored leaves no trace.
                    let taken = backlog.take(now, max, 5, None);
                    taken.deliveries.iter().for_each(|delivery| backlog.untake(delivery));
                    for message in model.iter_mut().filter(|message| seqs(&taken.deliveries).contains(&message.seq)) {
                        message.hidden_until = now;
                    }
                }
                Step::Delete { receipt } => if let Some(receipt) = known(receipt) {
                    let deleted = backlog.delete(&receipt).is_some();
                    let before = model.len();
                    model.retain(|message| (message.seq, message.receives) != (receipt.seq, receipt.receives));
                    prop_assert_eq!(deleted, model.len() < before);
                },
                Step::Change { receipt, visibility } => if let Some(receipt) = known(receipt) {
                    let changed = backlog.change_visibility(now, &receipt, visibility).is_some();
                    let in_flight = model.iter_mut().find(|message| {
                        (message.seq, message.receives) == (receipt.seq, receipt.receives) && message.hidden_until > now
                    });
                    prop_assert_eq!(changed, in_flight.is_some());
                    if let Some(message) = in_flight {
                        message.hidden_until = now + visibility;
                    }
                },
                Step::Pass { time } => now += time,
                Step::Expire => {
                    let expired = backlog.expire(now - RETENTION);
                    let (old, young): (Vec<_>, Vec<_>) = model.into_iter().partition(|message| message.sent <= now - RETENTION);
                    model = young;
                    prop_assert_eq!(expired, old.iter().map(|message| message.seq).collect::<Vec<_>>());
                }
            }
            let counts = backlog.counts(now);
            let hidden = |received: bool| move |message: &&Simple| message.hidden_until > now && (message.receives > 0) == received;
            prop_assert_eq!(counts.visible, model.iter().filter(|message| message.hidden_until <= now).count());
            prop_assert_eq!(counts.in_flight, model.iter().filter(hidden(true)).count());
            prop_assert_eq!(counts.delayed, model.iter().filter(hidden(false)).count());
            prop_assert_eq!(backlog.oldest(), model.first().map(|message| message.sent));
            let due = model.iter().map(|message| message.hidden_until).filter(|due| *due > now).min();
            prop_assert_eq!(backlog.next_due(), due);
        }
    }
}
