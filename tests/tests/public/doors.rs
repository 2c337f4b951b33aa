//! Nobody waits for clients that do not do their part: bodies that do not come, come slowly or never end.

use common::limits::{
    JSON_BODY_BYTES_MAX, MULTIPART_BODY_BYTES_MAX, REQUESTS_IN_FLIGHT_MAX, SMALL_BODY_BYTES_MAX,
    UPLOADS_IN_FLIGHT_SHARE_MAX, VALIDATIONS_WAITING_SHARE_MAX, WEBHOOK_BODY_REQUEST_BYTES_MAX,
};
use common::reqwest::Method;
use common::reqwest::header::CONTENT_TYPE;
use futures::future::join_all;
use tests::client::send;
use tests::{Client, DEADLINE, World, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::routes::served;

/// What a server may take beyond a maximum before its refusal arrives: buffers of both kernels and what a
/// refused client may go on sending.
const SLACK_BYTES: usize = 64 * 1024 * 1024;

/// A request by hand: its head says that a body follows in chunks.
async fn begin(client: &Client, method: &str, path: &str, content_type: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    begin_on(socket, client, method, path, content_type).await
}

/// The same from the address that the socket is bound to.
async fn begin_on(
    socket: TcpSocket,
    client: &Client,
    method: &str,
    path: &str,
    content_type: &str,
) -> TcpStream {
    let address = client.authority().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {}\r\n\
         accept: application/vnd.awareness.v2+json\r\nconnection: close\r\n\
         content-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n",
        client.token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Sends the same bytes again and again, as one chunk each, until the answer is there or the other side
/// takes no more: the status, and how many bytes went out.
async fn flood(stream: TcpStream, first: &[u8], again: &[u8], bytes_max: usize) -> (u16, usize) {
    let (mut reading, mut writing) = stream.into_split();
    let answer = tokio::spawn(async move {
        let mut head = [0; 12];
        reading.read_exact(&mut head).await.ok()?;
        std::str::from_utf8(&head[9..]).unwrap().parse::<u16>().ok()
    });
    let mut sent = 0;
    let mut next = first;
    while sent < bytes_max && !answer.is_finished() {
        let chunk = [format!("{:x}\r\n", next.len()).as_bytes(), next, b"\r\n"].concat();
        if !next.is_empty() && writing.write_all(&chunk).await.is_err() {
            break;
        }
        sent += next.len();
        next = again;
    }
    let status = tokio::time::timeout(DEADLINE, answer).await;
    let status = status.expect("an answer").unwrap().expect("a status");
    (status, sent)
}

/// The largest body of an operation.
fn bytes_max(path: &str) -> usize {
    match path {
        "/api/ai/upload-package" | "/api/ai/validate-package" => JSON_BODY_BYTES_MAX as usize,
        "/api/ai/batch-upload" => usize::MAX,
        path if path.starts_with("/api/ai/webhooks/endpoints") => WEBHOOK_BODY_REQUEST_BYTES_MAX,
        _ => SMALL_BODY_BYTES_MAX,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_small_body_is_counted_as_it_arrives_whatever_its_framing() {
    let world = World::only_api().await;
    let filler = vec![b' '; 16 * 1024];
    let mut counted = 0;
    for (method, path) in served() {
        let most = bytes_max(&path);
        if method == "get" || most > WEBHOOK_BODY_REQUEST_BYTES_MAX {
            continue;
        }
        let client = match path.starts_with("/admin/") {
            true => &world.operator,
            false => &world.seller,
        };
        let path = path.replace(['{', '}'], "");
        let stream = begin(client, &method.to_uppercase(), &path, "application/json").await;
        let (status, sent) = flood(stream, b"{", &filler, usize::MAX).await;
        // Whoever may not ask is refused before the body is looked at.
        assert!(
            [401, 403, 413].contains(&status),
            "{method} {path}: {status}"
        );
        counted += usize::from(status == 413);
        assert!(sent < most + SLACK_BYTES, "{method} {path}: {sent} bytes");
    }
    assert!(counted > 40, "{counted} operations took a body");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_bounded_in_all_its_parts() {
    let world = World::only_api().await;
    let part =
        |name: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
    let filler = vec![b'x'; 16 * 1024];
    let open_head = format!("{}x-endless: ", &part("a")[..part("a").len() - 2]);
    let text = part("description");
    let kinds: [(&str, &[u8], &[u8]); 4] = [
        ("preamble", b"", &filler),
        ("an endless head of a part", open_head.as_bytes(), &filler),
        ("an endless text", text.as_bytes(), &filler),
        ("line ends that are no boundary", b"", b"\r\n--c\r\n\r\n"),
    ];
    for path in ["/api/ai/upload-package", "/api/ai/validate-package"] {
        for (kind, first, again) in kinds {
            let form = "multipart/form-data; boundary=b";
            let stream = begin(&world.seller, "POST", path, form).await;
            let (status, sent) = flood(stream, first, again, usize::MAX).await;
            assert_eq!(status, 413, "{path}: {kind}");
            assert!(sent < SLACK_BYTES, "{path}: {kind}: {sent} bytes");
        }
        let many: String = (0..100)
            .map(|n| format!("{}v\r\n", part(&format!("f{n}"))))
            .collect();
        let request = world.seller.request(Method::POST, path);
        let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=b");
        assert_eq!(send(request.body(many + "--b--\r\n")).await.status, 413);
    }
    let file = part("vectorData");
    let stream = begin(
        &world.seller,
        "POST",
        "/api/ai/upload-package",
        "multipart/form-data; boundary=b",
    )
    .await;
    let (status, sent) = flood(stream, file.as_bytes(), &filler, usize::MAX).await;
    assert_eq!(status, 413);
    assert!(sent < MULTIPART_BODY_BYTES_MAX as usize + 4 * SLACK_BYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_holds_no_place_and_ends() {
    let world = World::only_api().await;
    let paths = ["/api/webhooks/stripe", "/api/auth/login", "/api/ai/quotes"];
    let mut silent = Vec::new();
    for number in 0..REQUESTS_IN_FLIGHT_MAX + 100 {
        let path = paths[number % paths.len()];
        let mut stream = TcpStream::connect(world.anonymous.authority())
            .await
            .unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n",
            if number % 3 == 2 && number < 300 {
                world.seller.token()
            } else {
                ""
            }
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    for path in ["/health", "/api/ai/search-packages?query=map"] {
        assert_eq!(world.anonymous.get(path).await.status, 200, "{path}");
    }
    assert_eq!(world.stranger.get("/api/ai/me").await.status, 200);
    let ends = join_all(silent.into_iter().map(|mut stream| async move {
        // A refusal, or a reset for want of a place to be refused politely.
        let mut head = [0; 12];
        let ended = tokio::time::timeout(DEADLINE, stream.read_exact(&mut head)).await;
        ended.is_ok()
    }));
    assert!(ends.await.into_iter().all(|ended| ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_the_upload_slots_of_others_and_a_drip_is_no_upload() {
    let world = World::only_api().await;
    let mut drips = Vec::new();
    for number in 0..2 * UPLOADS_IN_FLIGHT_SHARE_MAX {
        let path = [
            "/api/ai/batch-upload",
            "/api/ai/upload-package",
            "/api/ai/validate-package",
        ];
        let path = path[number % path.len()];
        let mut stream = begin(&world.seller, "POST", path, "application/json").await;
        stream.write_all(b"1\r\n{\r\n").await.unwrap();
        drips.push(stream);
    }
    eventually("a seller whose slots are all taken", || async {
        let own = world
            .seller
            .post("/api/ai/batch-upload", &serde_json::json!({}))
            .await;
        (own.status == 503).then_some(())
    })
    .await;
    let other = world
        .stranger
        .upload(&tests::Sample::vector(1).request())
        .await;
    assert_eq!(other.status, 202, "another's upload: {}", other.text);
    let timed_out = join_all(drips.into_iter().map(|mut stream| async move {
        let mut answer = String::new();
        let ended = tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await;
        ended.expect("a drip ends").unwrap();
        answer.starts_with("HTTP/1.1 408 ")
    }))
    .await;
    let count = timed_out.iter().filter(|timed_out| **timed_out).count();
    assert!(count >= UPLOADS_IN_FLIGHT_SHARE_MAX / 2, "{timed_out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_behind_one_address_share_its_places_and_other_addresses_have_theirs() {
    let world = World::only_api().await;
    let path = "/api/ai/validate-package";
    let package = tests::Sample::vector(1).request();
    let neighbour = world.stranger.at(9);
    // On a slow machine drips are closed before all have begun; then they begin again.
    let drips = eventually("an address whose places are all taken", || async {
        let mut drips = Vec::new();
        for _ in 0..VALIDATIONS_WAITING_SHARE_MAX {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
            drips.push(begin_on(socket, &world.seller, "POST", path, "application/json").await);
        }
        (neighbour.post(path, &package).await.status == 503).then_some(drips)
    })
    .await;
    for elsewhere in [world.stranger.at(10), world.stranger.clone()] {
        let answer = elsewhere.post(path, &package).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    drop(drips);
    eventually("the places of those who left", || async {
        (neighbour.post(path, &package).await.status == 200).then_some(())
    })
    .await;
}
