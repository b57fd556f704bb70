//! The texts of messages: in memory while there is room for them, and always in the journal.
//!
//! A backlog may be far larger than the memory of the machine. Only so many bytes of texts are kept; what comes beyond that is read
//! from the journal when it is received. Usual backlogs are small, and nothing is ever read for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of texts that all queues together keep in memory.
const ROOM: usize = 32 * 1024 * 1024;

/// The text of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// Here too.
    Kept(Arc<Kept>),
    /// In the journal alone.
    Stored,
}

/// Gives its room back when the last who refers to it is gone.
#[derive(Debug)]
pub(crate) struct Kept {
    text: Arc<str>,
    room: Arc<Room>,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        self.text == other.text
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.text.len(), Ordering::Relaxed);
    }
}

/// How much is kept.
#[derive(Debug)]
pub(crate) struct Room {
    used: AtomicUsize,
    size: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            used: AtomicUsize::new(0),
            size: ROOM,
        }
    }
}

impl Room {
    /// Keeps the text if there is room for it.
    pub(crate) fn keep(self: &Arc<Self>, text: Arc<str>) -> Body {
        let length = text.len();
        let before = self.used.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) > self.size {
            self.used.fetch_sub(length, Ordering::Relaxed);
            return Body::Stored;
        }
        Body::Kept(Arc::new(Kept {
            text,
            room: Arc::clone(self),
        }))
    }

    /// Whether reading another text is worth it.
    pub(crate) fn is_left(&self) -> bool {
        self.used.load(Ordering::Relaxed) < self.size
    }
}

impl Body {
    /// The text, if it is here.
    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match self {
            Body::Kept(kept) => Some(&kept.text),
            Body::Stored => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_back() {
        let room = Arc::new(Room {
            used: AtomicUsize::new(0),
            size: 10,
        });
        let first = room.keep(Arc::from("seven .."));
        assert!(first.text().is_some() && room.is_left());
        assert_eq!(room.keep(Arc::from("three")), Body::Stored);
        let second = room.keep(Arc::from("2."));
        assert!(second.text().is_some() && !room.is_left());
        let again = first.clone();
        drop(first);
        assert!(!room.is_left());
        drop(again);
        assert!(room.keep(Arc::from("three")).text().is_some());
    }
}
