//! `awareness tasks`, with and without a scheduler that leads.

use tests::eventually;

use super::ground::World;

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_and_run_on_request_while_a_scheduler_leads() {
    let world = World::start().await;
    let run = ["tasks", "run", "sweep_words"];
    let unknown = world.call(&run).await.failed(1);
    assert!(
        unknown.contains("NOT_FOUND: No task is called sweep_words."),
        "{unknown}"
    );

    let scheduler = world.scheduler().await;
    let line = async |task: &str| {
        let list = world.call(&["tasks", "list"]).await.done();
        let mut lines = list.lines();
        lines.find(|line| line.starts_with(task)).map(str::to_owned)
    };
    let words = eventually("a declared task", || line("sweep_words")).await;
    assert!(words.contains("17 * * * *"), "{words}");
    let ran = world.call(&run).await.done();
    assert!(ran.starts_with("Task sweep_words: succeeded in "), "{ran}");
    // The store of these tests cannot be reached.
    let failed = world.call(&["tasks", "run", "sweep_staging"]).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stdout.starts_with("Task sweep_staging: failed"),
        "{failed:?}"
    );
    let (words, staging) = (line("sweep_words").await, line("sweep_staging").await);
    assert!(words.unwrap().contains("succeeded in"));
    assert!(staging.unwrap().contains("failed: "));

    scheduler.stop().await;
    let alone = world
        .call(&["tasks", "run", "sweep_words", "--wait", "1"])
        .await;
    assert!(alone.failed(1).contains("does a scheduler lead?"));
    world.stop().await;
}
