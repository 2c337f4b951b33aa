//! What operators see and steer.

use serde_json::json;

use super::super::operation::Operation;

const TAG: &str = "operators";

pub fn operations() -> Vec<Operation> {
    [queues(), jobs(), people(), keys(), money()]
        .into_iter()
        .flatten()
        .collect()
}

fn queues() -> Vec<Operation> {
    vec![
        get("/admin/queues", "list_queues", "The queues").tells(
            200,
            "All.",
            "queues: [object] Each with its depths.",
        ),
        post(
            "/admin/queues/{queue}/pause",
            "pause_queue",
            "Stop serving a queue",
        )
        .may_take("reason?: text|null Why.")
        .tells(200, "Paused.", "queue: text The queue."),
        post(
            "/admin/queues/{queue}/resume",
            "resume_queue",
            "Serve a queue again",
        )
        .tells(200, "Served.", "queue: text The queue."),
        get(
            "/admin/payloads",
            "list_payloads",
            "Wake-up calls that could not be read",
        )
        .tells(200, "All.", "payloads: [object] With their bytes."),
        delete(
            "/admin/payloads/{payloadId}",
            "drop_payload",
            "Drop one of them",
        )
        .answer(200, "Dropped.", &any()),
    ]
}

fn jobs() -> Vec<Operation> {
    vec![
        get("/admin/jobs", "list_jobs", "The jobs")
            .asks(
                "queue?: text In this queue.
                 name?: text Of this name.
                 state?: word(due,running,waiting,idle,done,cancelled,quarantined) In this state.
                 subject?: uuid About this.
                 cursor?: text `nextCursor` of the page before.
                 limit?: range(1,200) How many; 50 if nothing is said.",
            )
            .tells(200, "The newest first.", "jobs: [object] A page."),
        post(
            "/admin/jobs/replay",
            "replay_jobs",
            "Retry quarantined jobs",
        )
        .takes(
            "queue?: text|null In this queue.
             name?: text|null Of this name.
             state?: word(quarantined)|null No others are replayed.
             subject?: uuid|null About this.
             cursor?: text|null `nextCursor` of a page; what is older is replayed.
             limit?: int|null Has no effect: a page at a time.",
        )
        .tells(
            200,
            "Done.",
            "replayed: [uuid] The jobs that run again.\nrefused: [object] The others, each with the reason.",
        ),
        get("/admin/jobs/{jobId}", "get_job", "A job with its history").answer(
            200,
            "The job.",
            &any(),
        ),
        post("/admin/jobs/{jobId}/retry", "retry_job", "Run a job again")
            .answer(200, "Queued.", &any())
            .faults(&[409]),
        post("/admin/jobs/{jobId}/cancel", "cancel_job", "End a job")
            .may_take("reason?: text|null Why.")
            .answer(202, "Ended, or about to.", &any())
            .faults(&[409]),
    ]
}

fn people() -> Vec<Operation> {
    let moderated = "packageId: text The package.
                     takenDown: flag Whether.
                     grantsRevoked: flag Whether nobody may download it.";
    let blocked = "userId: uuid The user.\nblocked: flag Whether.";
    vec![
        get("/admin/users", "list_users", "The users")
            .asks(
                "name?: text Whose name has this in it.
                 exactName?: text Whose name is this, to the letter.
                 cursor?: text `nextCursor` of the page before.
                 limit?: range(1,200) How many; 50 if nothing is said.",
            )
            .tells(200, "The newest first.", "users: [object] A page."),
        post("/admin/users/{userId}/block", "block_user", "Block a user")
            .takes("reason: size(1,500) Why.")
            .tells(200, "Blocked.", blocked)
            .faults(&[409]),
        post(
            "/admin/users/{userId}/unblock",
            "unblock_user",
            "Let a user in again",
        )
        .takes("reason: size(1,500) Why.")
        .tells(200, "Let in.", blocked),
        post(
            "/admin/users/{userId}/role",
            "change_role",
            "Make a user an operator, or none",
        )
        .takes("role: word(member,admin) What the user is to be.")
        .tells(
            200,
            "Changed.",
            "userId: uuid The user.\nrole: text What the user is now.",
        )
        .faults(&[409]),
        post(
            "/admin/packages/{packageId}/take-down",
            "take_down_package",
            "Take a package off the market",
        )
        .takes(
            "reason: size(1,500) Why; its seller and its buyers read it.
             revokeGrants?: flag Whether nobody may download it, not even those who bought it.",
        )
        .tells(200, "Taken down.", moderated),
        post(
            "/admin/packages/{packageId}/restore",
            "restore_package",
            "Put a package back on the market",
        )
        .takes("reason: size(1,500) Why.")
        .tells(200, "Restored.", moderated),
        get("/admin/audit", "list_audit", "What operators did")
            .asks("cursor?: text `nextCursor` of the page before.\nlimit?: range(1,200) How many; 50 if nothing is said.")
            .tells(200, "The newest first.", "entries: [object] A page."),
    ]
}

fn keys() -> Vec<Operation> {
    vec![
        get("/admin/keys", "list_keys", "The keys")
            .asks("user?: text Of the user of this name.")
            .tells(
                200,
                "The newest first.",
                "keys: [$Key] Without the keys themselves.",
            ),
        post(
            "/admin/keys",
            "create_key",
            "Make a key for a user, or for a new one",
        )
        .about("Either `userId`, or `user` for a new user. Names look alike, so nobody who exists is named by one.")
        .takes(
            "userId?: uuid|null A user who exists.
                 user?: size(1,100)|null The name of a new user.
                 name: size(1,100) To know the key by.
                 permissions: [word(upload,purchase,download,webhooks,account)] What it may.",
        )
        .like(json!({ "user": "grace", "name": "laptop", "permissions": ["upload", "download"] }))
        .tells(
            201,
            "The key, shown this once.",
            "id: uuid The key.
                 userId: uuid The user.
                 user: text By name.
                 name: text To know it by.
                 permissions: [text] What it may.
                 apiKey: text The key itself.
                 message: text For people.",
        )
        .faults(&[404, 409]),
        delete("/admin/keys/{keyId}", "revoke_key", "Revoke a key").tells(
            200,
            "Revoked.",
            "id: uuid The key.\nrevoked: flag True.",
        ),
    ]
}

fn money() -> Vec<Operation> {
    let pages = "cursor?: text `nextCursor` of the page before.\nlimit?: range(1,200) How many; 50 if nothing is said.";
    vec![
        get("/admin/payments", "list_payments", "The payments by card")
            .asks(&format!("state?: text In this state.\n{pages}"))
            .answer(200, "The newest first.", &any()),
        get("/admin/payments/{paymentId}", "get_payment", "A payment").answer(
            200,
            "The payment.",
            &any(),
        ),
        get(
            "/admin/chargebacks",
            "list_chargebacks",
            "Payments that cards ask back",
        )
        .asks(&format!(
            "state?: word(inquiry,open,won,lost) In this state.\n{pages}"
        ))
        .answer(
            200,
            "The newest first, with until when each is answered.",
            &any(),
        ),
        post(
            "/admin/chargebacks/{chargebackId}/evidence",
            "answer_chargeback",
            "Answer a dispute of a cardholder",
        )
        .about("Once and for good. A worker hands it to the card provider.")
        .takes("evidence: size(1,10000) What speaks for the payment.")
        .tells(
            202,
            "It will be handed over.",
            "chargebackId: id(cbk) The chargeback.",
        )
        .faults(&[404, 409]),
        post("/admin/credits", "adjust_credits", "Give or take credits")
            .takes(
                "id: uuid Of your choice: the same again changes nothing.
                 userId: uuid Whose: names look alike.
                 amount: signed Decimal text; less than nothing takes credits.
                 reason: text Why.
                 currency?: text USD if nothing is said.",
            )
            .answer(200, "Done before.", &any())
            .answer(201, "Done.", &any())
            .faults(&[404, 409, 422]),
        post("/admin/ledger/audit", "audit_ledger", "Check the books").answer(
            200,
            "What was found.",
            &any(),
        ),
    ]
}

fn any() -> serde_json::Value {
    serde_json::json!({ "type": "object" })
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, id, TAG, summary)
}

fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, id, TAG, summary)
        .header("Idempotency-Key")
        .faults(&[409])
}

fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("delete", path, id, TAG, summary)
        .header("Idempotency-Key")
        .faults(&[409])
}
