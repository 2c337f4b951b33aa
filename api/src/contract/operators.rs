//! What operators see and steer: queues, jobs, tasks, keys, users, packages on the market.

use super::operation::{Operation, delete, get, post};
use crate::access::Access::Operator;
use crate::routes::admin;

pub fn operations() -> Vec<Operation> {
    let rows = [
        queues(),
        jobs(),
        tasks(),
        history(),
        users(),
        keys(),
        leases(),
    ];
    let rows = rows.into_iter().flatten();
    rows.map(|row| row.tagged("operators")).collect()
}

fn queues() -> Vec<Operation> {
    vec![
        get("/admin/queues", admin::list_queues, Operator, "List queues")
            .gives(200, "All queues, with their depths."),
        post(
            "/admin/queues/{queue}/pause",
            admin::pause_queue,
            Operator,
            "Pause a queue",
        )
        .about("Its running jobs end; no other starts.")
        .gives(200, "The queue is paused."),
        post(
            "/admin/queues/{queue}/resume",
            admin::resume_queue,
            Operator,
            "Resume a queue",
        )
        .gives(200, "The queue is served."),
        get(
            "/admin/payloads",
            admin::list_payloads,
            Operator,
            "List payloads that could not be read",
        )
        .gives(200, "All of them, with their bytes."),
        delete(
            "/admin/payloads/{payload_id}",
            admin::drop_payload,
            Operator,
            "Drop a payload",
        )
        .gives(200, "The payload is gone."),
    ]
}

fn jobs() -> Vec<Operation> {
    vec![
        get("/admin/jobs", admin::list_jobs, Operator, "List jobs")
            .gives(200, "A page, newest first."),
        post("/admin/jobs/replay", admin::replay_jobs, Operator, "Retry quarantined jobs")
            .about("A page of those that match. `state` may be `quarantined` only, and `limit` has no effect.")
            .gives(200, "What became of each."),
        get("/admin/jobs/{job_id}", admin::get_job, Operator, "Get a job with its history")
            .gives(200, "The job."),
        post("/admin/jobs/{job_id}/retry", admin::retry_job, Operator, "Retry a job")
            .gives(200, "The job, which is queued."),
        post("/admin/jobs/{job_id}/cancel", admin::cancel_job, Operator, "Cancel a job")
            .gives(202, "The job, which has ended or is about to."),
    ]
}

fn tasks() -> Vec<Operation> {
    vec![
        get(
            "/admin/tasks",
            admin::list_tasks,
            Operator,
            "List the scheduler's tasks",
        )
        .about("Each with its schedule, its last and its next run.")
        .gives(200, "All tasks."),
        post(
            "/admin/tasks/{task}/run",
            admin::run_task,
            Operator,
            "Run a task now",
        )
        .about("It runs beside its schedule, within a second if a scheduler leads.")
        .gives(202, "The run is requested."),
    ]
}

fn history() -> Vec<Operation> {
    vec![
        get(
            "/admin/event-streams/{stream}",
            admin::replay_event_stream,
            Operator,
            "Replay a stream of events",
        )
        .gives(200, "Its state.")
        .faults(&[404, 410]),
        post(
            "/admin/events/verify",
            admin::audit_history,
            Operator,
            "Compare rows with their events",
        )
        .about("All uploads, purchases, tasks and disputes, or the one that a stream is about.")
        .gives(200, "What was compared, and what differs.")
        .faults(&[404]),
        get(
            "/admin/event-subscriptions",
            admin::list_all_event_subscriptions,
            Operator,
            "List event subscriptions",
        )
        .gives(200, "A page, the one that is furthest behind first."),
    ]
}

fn users() -> Vec<Operation> {
    vec![
        get("/admin/users", admin::list_users, Operator, "List users")
            .gives(200, "A page, newest first."),
        post(
            "/admin/users/{user_id}/block",
            admin::block_user,
            Operator,
            "Block a user",
        )
        .about("Nothing of theirs is sold, bought, paid out or sent while they are blocked.")
        .gives(200, "The user is blocked."),
        post(
            "/admin/users/{user_id}/unblock",
            admin::unblock_user,
            Operator,
            "Unblock a user",
        )
        .gives(200, "All is as it was before the block."),
        post(
            "/admin/users/{user_id}/role",
            admin::change_role,
            Operator,
            "Change the role of a user",
        )
        .gives(200, "The role is changed."),
        post(
            "/admin/packages/{package_id}/take-down",
            admin::take_down_package,
            Operator,
            "Take a package off the market",
        )
        .gives(200, "The package is off the market."),
        post(
            "/admin/packages/{package_id}/restore",
            admin::restore_package,
            Operator,
            "Restore a package to the market",
        )
        .gives(200, "The package is on the market again."),
        get(
            "/admin/audit",
            admin::list_audit,
            Operator,
            "List what operators did",
        )
        .gives(200, "A page, newest first."),
    ]
}

fn keys() -> Vec<Operation> {
    vec![
        get("/admin/keys", admin::list_keys, Operator, "List keys")
            .gives(200, "The newest ones, without the keys themselves."),
        post("/admin/keys", admin::create_key, Operator, "Create a key for a user")
            .about("Send either `userId`, or `user` for a new user. Names look alike, so no existing user is named by one.")
            .gives(201, "The key, shown this once.")
            .faults(&[404]),
        delete("/admin/keys/{key_id}", admin::revoke_key, Operator, "Revoke a key")
            .gives(200, "The key is revoked."),
    ]
}

fn leases() -> Vec<Operation> {
    vec![
        get(
            "/admin/users/{user_id}/leases",
            admin::list_user_leases,
            Operator,
            "List the leases of an account",
        )
        .gives(200, "A page of those that are held, by resource."),
        post(
            "/admin/users/{user_id}/leases/{resource}/release",
            admin::release_user_lease,
            Operator,
            "Release a lease of an account",
        )
        .about("Whoever holds it is refused from now on: its fence rises at once.")
        .gives(200, "The lease is released."),
    ]
}
