//! A crash of PostgreSQL, which then recovers: what was granted stays granted, and no fence is given twice.

use std::time::Duration;

use common::leases::commands::{self, NewLease};
use common::leases::{self, LeaseError, Resource};
use tests::eventually;
use tests::ground::{Ground, Postgres};
use tests::redis::RedisServer;

async fn acquire(ground: &Ground, resource: &str) -> Result<commands::Granted, LeaseError> {
    let new = NewLease {
        owner: ground.seller.user,
        resource: Resource::parse(resource).unwrap(),
        holder: None,
        ttl: Duration::from_secs(300),
        wait: Duration::ZERO,
    };
    commands::acquire(&ground.outbox, new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_and_its_fence_survive_a_crash_of_postgresql() {
    let ground = Ground::on(Postgres::start().await, RedisServer::shared()).await;
    let owner = ground.seller.user;
    let resource = Resource::parse("import").unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let granted = acquire(&ground, "import").await.unwrap();
        assert!(granted.lease.fence > last);
        last = granted.lease.fence;
        {
            let mut server = ground.postgres.server.lock().await;
            server.crash().await;
            server.resume().await.unwrap();
        }
        // Connections from before the crash are found dead one by one.
        let found = eventually("the lease after the crash", || async {
            leases::find(&ground.pool, owner, &resource).await.ok()
        })
        .await;
        assert_eq!(found.fence, last, "what was granted stays granted");
        let refused = acquire(&ground, "import").await.unwrap_err();
        assert!(matches!(refused, LeaseError::Busy(_)), "{refused:?}");
        commands::release(&ground.outbox, owner, &resource, &granted.token)
            .await
            .unwrap();
    }
}
