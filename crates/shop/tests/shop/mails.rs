//! One mail of each kind per reorder, whoever sends it, on both databases.

use futures::future::join_all;
use shop::mail::{self, Claim, Kind};
use shop::{Entity, Error, Warehouse, reorder};

use crate::support::{DONUT, check};

/// Longer than any test.
const LONG: i64 = 3_600_000;

async fn opened(shop: &Warehouse) -> String {
    reorder::claim(shop, DONUT, 1)
        .await
        .unwrap()
        .reorder
        .reorder_id
}

async fn claim(shop: &Warehouse, id: &str, kind: Kind, lease: i64) -> Claim {
    mail::claim(shop, id, kind, lease).await.unwrap()
}

fn was_sent(message_id: &str) -> Claim {
    let message_id = message_id.to_owned();
    Claim::Sent { message_id }
}

#[tokio::test]
async fn a_sent_mail_is_never_claimed_again() {
    check(0, async |shop| {
        let id = opened(&shop).await;
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, Claim::Send);
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, Claim::Busy);
        // The other kind is a mail of its own.
        assert_eq!(claim(&shop, &id, Kind::Resume, LONG).await, Claim::Send);

        mail::sent(&shop, &id, Kind::Stop, "m-1").await.unwrap();
        mail::sent(&shop, &id, Kind::Stop, "m-2").await.unwrap();
        mail::release(&shop, &id, Kind::Stop).await.unwrap();
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, was_sent("m-1"));
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_ran_out_or_was_released_is_free() {
    check(0, async |shop| {
        let id = opened(&shop).await;
        assert_eq!(claim(&shop, &id, Kind::Stop, 0).await, Claim::Send);
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, Claim::Send);
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, Claim::Busy);
        mail::release(&shop, &id, Kind::Stop).await.unwrap();
        assert_eq!(claim(&shop, &id, Kind::Stop, LONG).await, Claim::Send);
    })
    .await;
}

#[tokio::test]
async fn of_many_claims_one_sends() {
    check(0, async |shop| {
        let id = opened(&shop).await;
        let claims = (0..20).map(|_| claim(&shop, &id, Kind::Stop, LONG));
        let claims = join_all(claims).await;
        assert_eq!(
            claims.iter().filter(|claim| **claim == Claim::Send).count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn an_unknown_reorder_has_no_mail() {
    check(0, async |shop| {
        let error = mail::claim(&shop, "RO-9", Kind::Stop, LONG)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::NotFound { entity: Entity::Reorder, id } if id == "RO-9"),
            "{error:?}"
        );
    })
    .await;
}
