//! The store of small facts.

use engine::{Change, Documents};
use serde_json::{Value, json};

use crate::fixture::Fixture;

async fn keys(documents: &Documents, kind: &str) -> Vec<String> {
    documents
        .list::<Value>(kind)
        .await
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect()
}

#[tokio::test]
async fn documents_outlive_a_crash() {
    let f = Fixture::new();
    let documents = f.engine.documents();
    documents.put("topic", "b", &json!({"n": 1})).await.unwrap();
    documents.put("topic", "b", &json!({"n": 2})).await.unwrap();
    documents.put("topic", "a", &json!("text")).await.unwrap();
    documents.put("other", "c", &json!(null)).await.unwrap();
    assert!(documents.delete("other", "c").await.unwrap());
    assert!(!documents.delete("other", "c").await.unwrap());
    let f = f.reopen();
    let documents = f.engine.documents();
    assert_eq!(
        documents.get::<Value>("topic", "b").await.unwrap(),
        Some(json!({"n": 2}))
    );
    assert_eq!(documents.get::<Value>("other", "c").await.unwrap(), None);
    assert_eq!(keys(documents, "topic").await, ["a", "b"]);
    assert!(documents.get::<u32>("topic", "a").await.is_err());
}

#[tokio::test]
async fn documents_are_read_in_pages() {
    let f = Fixture::new();
    let documents = f.engine.documents();
    let puts = (0..5)
        .map(|n| Change::put("mail", &format!("k{n}"), &n).unwrap())
        .collect();
    assert_eq!(documents.change(puts).await.unwrap(), 5);
    assert_eq!(
        documents.page::<u32>("mail", None, 2).await.unwrap(),
        [("k0".to_owned(), 0), ("k1".to_owned(), 1)]
    );
    assert_eq!(
        documents.page::<u32>("mail", Some("k3"), 2).await.unwrap(),
        [("k4".to_owned(), 4)]
    );
}
