//! A bulk buyer becomes a VIP once and for good, on both databases.

use futures::future::join_all;
use shop::customer::{self, CustomerType, Upgrade};
use shop::{Customers, Entity, Error};

use crate::support::{customers, each};

async fn check(body: impl AsyncFn(&Customers)) {
    each(async |url| {
        let customers = customers(&url).await;
        customers.seed().await.unwrap();
        body(&customers).await;
        customers.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_first_order_makes_a_vip_and_stays_the_one() {
    check(async |customers| {
        let upgrade = async |order_id| {
            customer::upgrade(customers, "CU-1", order_id)
                .await
                .unwrap()
        };
        let Upgrade::Upgraded(vip) = upgrade("OR-1").await else {
            panic!("a normal customer was not upgraded");
        };
        assert_eq!(vip.kind, CustomerType::Vip);
        assert_eq!(vip.vip_order_id.as_deref(), Some("OR-1"));
        assert!(vip.vip_since.is_some());
        // The same order again is the same answer; another changes nothing.
        assert_eq!(upgrade("OR-1").await, Upgrade::Upgraded(vip.clone()));
        assert_eq!(upgrade("OR-2").await, Upgrade::AlreadyVip(vip.clone()));
        assert_eq!(customer::get(customers, "CU-1").await.unwrap(), vip);
        let other = customer::get(customers, "CU-2").await.unwrap();
        assert_eq!((other.kind, other.vip_since), (CustomerType::Normal, None));
    })
    .await;
}

#[tokio::test]
async fn of_many_orders_one_upgrades() {
    check(async |customers| {
        let orders: Vec<_> = (0..20).map(|n| format!("OR-{n}")).collect();
        let upgrades = orders
            .iter()
            .map(|order| customer::upgrade(customers, "CU-1", order));
        let upgrades: Vec<_> = join_all(upgrades).await;
        let upgraded = upgrades
            .iter()
            .filter(|it| matches!(it.as_ref().unwrap(), Upgrade::Upgraded(_)));
        assert_eq!(upgraded.count(), 1, "{upgrades:?}");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_customer_is_told_and_nobody_else_upgraded() {
    check(async |customers| {
        for id in ["CU-9", "cu-1", "CU-1 ", "", "' or 1=1 --"] {
            let error = customer::upgrade(customers, id, "OR-1").await.unwrap_err();
            assert!(
                matches!(&error, Error::NotFound { entity: Entity::Customer, id: it } if it == id),
                "{error:?}"
            );
        }
        let untouched = customer::get(customers, "CU-1").await.unwrap();
        assert_eq!(untouched.kind, CustomerType::Normal);
    })
    .await;
}
