//! The bus of hints that something changed.

use tokio::{sync::broadcast::Receiver, time::timeout};

use super::ground::{DEADLINE, Ground};

async fn next(receiver: &mut Receiver<String>) -> String {
    timeout(DEADLINE, receiver.recv())
        .await
        .expect("a message before the deadline")
        .expect("a bus that still lives")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_every_subscriber_of_its_topic() {
    let ground = Ground::shared().await;
    let mut first = ground.queue.subscribe("uploads");
    let mut other = ground.queue.subscribe("purchases");
    assert_eq!(next(&mut first).await, "", "first: look at everything");
    assert_eq!(next(&mut other).await, "");
    let mut second = ground.queue.subscribe("uploads");
    for number in 0..100 {
        ground.queue.publish("uploads", &format!("upload-{number}"));
    }
    ground.queue.publish("purchases", "purchase-1");
    for number in 0..100 {
        assert_eq!(next(&mut first).await, format!("upload-{number}"));
        assert_eq!(next(&mut second).await, format!("upload-{number}"));
    }
    assert_eq!(next(&mut other).await, "purchase-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_redis_subscribers_look_again_and_hear_on() {
    let ground = Ground::private().await;
    let mut changes = ground.queue.subscribe("uploads");
    assert_eq!(next(&mut changes).await, "");
    ground.server.restart();
    assert_eq!(
        next(&mut changes).await,
        "",
        "something may have been missed"
    );
    // The publishing connection finds Redis in its own time; what it loses is lost.
    let heard = timeout(DEADLINE, async {
        loop {
            ground.queue.publish("uploads", "upload-1");
            let pause = std::time::Duration::from_millis(50);
            if let Ok(Ok(id)) = timeout(pause, changes.recv()).await {
                return id;
            }
        }
    });
    assert_eq!(heard.await.unwrap(), "upload-1");
}
