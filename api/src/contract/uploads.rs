//! Uploads: how a package comes in, and how it is followed.

use common::identity::Permission::Upload;
use common::webhooks::EventType;

use super::market::LISTING_EVENTS;
use super::operation::{Operation, get, post};
use crate::access::Access::{May, Optional};
use crate::limits::Kind;
use crate::openapi::Modes;
use crate::routes::uploads;

/// What the uploader gets at the address of the upload, and later, as the seller, [`LISTING_EVENTS`].
const EVENTS: [EventType; 3] = [
    EventType::UploadCompleted,
    EventType::UploadFailed,
    EventType::BatchCompleted,
];

pub fn operations() -> Vec<Operation> {
    let all = [receiving(), sessions(), following()].into_iter().flatten();
    all.map(|row| row.tagged("uploads")).collect()
}

fn receiving() -> Vec<Operation> {
    let rows = vec![
        post("/api/ai/upload-package", uploads::upload_package, May(Upload), "Upload a package")
            .about("The bytes are stored at once and validated later. Follow `statusUrl`, or get the events at `webhookUrl`.")
            .limited_as(Some(Kind::Upload))
            .takes::<uploads::PackageInJson>()
            .takes_form::<uploads::PackageForm>()
            .gives(202, "The upload, which is to be validated.")
            .faults(&[404])
            .calls_back("webhookUrl", Modes::Plain, &EVENTS)
.calls_back("webhookUrl", Modes::Plain, &LISTING_EVENTS),
        post("/api/ai/batch-upload", uploads::batch_upload, May(Upload), "Upload up to ten packages")
            .about(
                "Each package is judged by itself: a faulty one is refused, the others are accepted. A batch counts as many uploads \
                 as it holds, all or none.",
            )
            .limited_as(Some(Kind::Upload))
            .takes::<uploads::Batch>()
            .gives(202, "The batch, which is to be validated.")
            .faults(&[404])
            .calls_back("webhookUrl", Modes::Plain, &EVENTS)
.calls_back("webhookUrl", Modes::Plain, &LISTING_EVENTS),
        post("/api/ai/validate-package", uploads::validate_package, May(Upload), "Validate a package without uploading it")
            .about("Checks fields and bytes as an upload does, and lists everything that is wrong. Nothing is kept.")
            .limited_as(Some(Kind::Validate))
            .takes::<uploads::PackageInJson>()
            .takes_form::<uploads::PackageForm>()
            .gives(200, "What the validation found."),
    ];
    rows.into_iter().map(Operation::receiving).collect()
}

fn sessions() -> Vec<Operation> {
    vec![
        post(
            "/api/ai/uploads",
            uploads::open_upload,
            May(Upload),
            "Open an upload whose bytes go straight to the store",
        )
        .limited_as(Some(Kind::Upload))
        .takes::<uploads::UploadSessionRequest>()
        .tool("create_upload", "Begin to upload a package: the answer says where to put its bytes. Put them there, then commit.")
        .gives(201, "The upload, and where to put the bytes.")
        .calls_back("webhookUrl", Modes::Plain, &EVENTS)
.calls_back("webhookUrl", Modes::Plain, &LISTING_EVENTS),
        post(
            "/api/ai/uploads/{upload_id}/commit",
            uploads::commit_upload,
            May(Upload),
            "Commit an upload whose bytes are stored",
        )
        .tool("commit_upload", "Commit an upload whose bytes are in place. It is validated next.")
        .gives(202, "The upload, which is to be validated.")
        .faults(&[409]),
    ]
}

fn following() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/package-status/{upload_id}",
            uploads::get_package_status,
            Optional,
            "Get the status of an upload",
        )
        .waiting()
        .tool("get_upload_status", "Get the status of an upload.")
        .gives(200, "The upload."),
        get(
            "/api/ai/package-status/{upload_id}/events",
            uploads::stream_package_status,
            Optional,
            "Follow an upload as a stream of events",
        )
        .streaming(),
        get(
            "/api/ai/batches/{batch_id}",
            uploads::get_batch,
            Optional,
            "Get the status of a batch",
        )
        .waiting()
        .gives(200, "The batch."),
    ]
}
