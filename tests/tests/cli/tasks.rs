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
    let listed = || async {
        let list = world.call(&["tasks", "list"]).await.done();
        let line = |task: &str| {
            list.lines()
                .find(|line| line.starts_with(task))
                .map(str::to_owned)
        };
        // The store of these tests cannot be reached.
        let (words, staging) = (line("sweep_words")?, line("sweep_staging")?);
        (words.contains("succeeded in") && staging.contains("failed: ")).then_some(words)
    };
    let words = eventually("a list of what ran", listed).await;
    assert!(words.contains("17 * * * *"), "{words}");
    let ran = world.call(&run).await.done();
    assert!(ran.starts_with("Task sweep_words: succeeded in "), "{ran}");
    let failed = world.call(&["tasks", "run", "sweep_staging"]).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stdout.starts_with("Task sweep_staging: failed"),
        "{failed:?}"
    );

    scheduler.stop().await;
    let alone = world
        .call(&["tasks", "run", "sweep_words", "--wait", "1"])
        .await;
    assert!(alone.failed(1).contains("does a scheduler lead?"));
    world.stop().await;
}
