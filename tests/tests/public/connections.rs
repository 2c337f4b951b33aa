//! Connections are held for clients that use them.

use common::telemetry::metrics;
use tests::{World, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn connect(world: &World, first_bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.anonymous.authority())
        .await
        .unwrap();
    stream.write_all(first_bytes).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_for_nothing_is_closed() {
    let world = World::only_api().await;
    let half_a_head = b"GET /health HTTP/1.1\r\nhost: api\r\nx-slow: ";
    let settings_ack = b"\0\0\0\x04\x01\0\0\0\0";
    // HEADERS without END_HEADERS: the rest of the block never comes.
    let half_a_block = [PREFACE, settings_ack, b"\0\0\x01\x01\0\0\0\0\x01\x82"].concat();
    let mut connections = Vec::new();
    for first_bytes in [
        b"".as_slice(),
        b"P",
        b"PRI * HTTP/2.0\r\n",
        half_a_head,
        PREFACE,
        &half_a_block,
    ] {
        connections.push((first_bytes, connect(&world, first_bytes).await));
    }
    for (first_bytes, mut stream) in connections {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(tests::DEADLINE, stream.read_to_end(&mut answer)).await;
        assert!(
            ended.is_ok(),
            "still open after {:?}",
            String::from_utf8_lossy(first_bytes)
        );
    }
}

/// How many clients were cut off because they took nothing.
fn stalled() -> u64 {
    let closed = &metrics().http_connections_closed;
    closed.with_label_values(&["stalled"]).get()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_cut_off_whichever_protocol_it_speaks() {
    let world = World::only_api().await;
    let before = stalled();
    let request = "GET /api/ai/openapi.json HTTP/1.1\r\nhost: api\r\n\r\n";
    let pipelined = request.repeat(50);
    // SETTINGS with INITIAL_WINDOW_SIZE 0: of no stream may anything be sent.
    let no_window = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";
    // HEADERS, END_STREAM and END_HEADERS: GET /health over http, with the authority `api`.
    let get = b"\0\0\x10\x01\x05\0\0\0\x01\x82\x86\x44\x07/health\x41\x03api";
    let streams = [&PREFACE[..24], no_window, get].concat();
    let unread = [
        connect(&world, pipelined.as_bytes()).await,
        connect(&world, &streams).await,
    ];
    eventually("two clients that read nothing to be cut off", || async {
        (stalled() >= before + 2).then_some(())
    })
    .await;
    drop(unread);
    assert_eq!(world.anonymous.get("/health").await.status, 200);
}
