//! Paging of lists: `maxResults` and `nextToken`.
//!
//! A token holds where the next page begins, and a mark of the list it belongs to, so that it is refused elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error;
use super::validate::{Check, Text};
use crate::protocol::json::JsonError;

/// The most elements a page can have.
const LARGEST: i64 = 1000;

/// Elements of a page if the request does not say.
const DEFAULT: usize = 100;

const MARK: usize = 8;

/// The checked paging members of a request.
#[derive(Debug)]
pub(super) struct Asked {
    limit: usize,
    token: Option<String>,
}

/// One page of one list.
#[derive(Debug)]
pub(super) struct Page {
    /// How many elements it has at most.
    pub(super) limit: usize,
    /// Where it begins: what [`Page::token`] was given; `None` for the first.
    pub(super) cursor: Option<String>,
    mark: [u8; MARK],
}

impl Asked {
    /// Checks the two members.
    pub(super) fn check(
        check: &mut Check,
        max_results: Option<i64>,
        next_token: Option<String>,
        rule: Text,
    ) -> Asked {
        let limit = check.number("maxResults", max_results, 0, LARGEST);
        Asked {
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| *limit > 0)
                .unwrap_or(DEFAULT),
            token: check.text("nextToken", next_token, rule),
        }
    }

    /// The page of the list that `scope` names: the action and the members that choose the list.
    pub(super) fn of(self, scope: &[&str]) -> Result<Page, JsonError> {
        let mark = mark(scope);
        let cursor = match self.token {
            None => None,
            Some(token) => Some(read(&token, mark).ok_or_else(error::invalid_token)?),
        };
        Ok(Page {
            limit: self.limit,
            cursor,
            mark,
        })
    }
}

impl Page {
    /// As the engine is asked for it.
    pub(super) fn part(&self) -> engine::Page {
        engine::Page {
            max: self.limit,
            token: self.cursor.clone(),
        }
    }

    /// The token for a page that begins at `cursor`.
    pub(super) fn token(&self, cursor: &str) -> String {
        let mut bytes = self.mark.to_vec();
        bytes.extend_from_slice(cursor.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Cuts a page out of a list that is in memory and sorted by `key`. What was removed meanwhile is passed over.
    pub(super) fn cut<T>(
        &self,
        list: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let begin = match &self.cursor {
            None => 0,
            Some(cursor) => list.partition_point(|element| key(element) < *cursor),
        };
        let mut rest: Vec<T> = list.into_iter().skip(begin).take(self.limit + 1).collect();
        let next = (rest.len() > self.limit)
            .then(|| rest.pop())
            .flatten()
            .map(|element| self.token(&key(&element)));
        (rest, next)
    }
}

fn mark(scope: &[&str]) -> [u8; MARK] {
    let digest = Sha256::digest(scope.join("\n").as_bytes());
    let mut mark = [0; MARK];
    mark.copy_from_slice(&digest[..MARK]);
    mark
}

fn read(token: &str, mark: [u8; MARK]) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let cursor = bytes.strip_prefix(mark.as_slice())?;
    String::from_utf8(cursor.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::validate::PAGE_TOKEN;
    use super::*;

    fn page(max_results: i64, token: Option<String>, list: &str) -> Result<Page, JsonError> {
        let mut check = Check::default();
        let asked = Asked::check(&mut check, Some(max_results), token, PAGE_TOKEN);
        check.done()?;
        asked.of(&["List", list])
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let all: Vec<u32> = (0..7).collect();
        let mut seen = Vec::new();
        let mut token = None;
        for size in [3, 1, 3] {
            let (part, next) = page(size, token, "a")
                .unwrap()
                .cut(all.clone(), u32::to_string);
            seen.extend(part);
            token = next;
        }
        assert_eq!(seen, all);
        assert_eq!(token, None);
    }

    #[test]
    fn zero_is_the_default() {
        assert_eq!(page(0, None, "a").unwrap().limit, 100);
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let token = page(1, None, "a").unwrap().token("x");
        assert_eq!(
            page(1, Some(token.clone()), "a").unwrap().cursor.as_deref(),
            Some("x")
        );
        for (token, list) in [
            (token, "b"),
            ("!".to_owned(), "a"),
            ("AAAA".to_owned(), "a"),
        ] {
            assert_eq!(
                page(1, Some(token), list).unwrap_err().shape(),
                "InvalidToken"
            );
        }
    }
}
