//! A client that breaks the rules of HTTP clients: it sends what it is told and no more.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Client, DEADLINE};

/// A connection on which a request is written by hand.
#[derive(Debug)]
pub struct RawRequest(TcpStream);

impl RawRequest {
    /// Sends the head of an upload that declares a JSON body of that many bytes.
    pub async fn upload_head(client: &Client, body_bytes: u64) -> Self {
        let stream = TcpStream::connect(client.authority()).await.unwrap();
        let mut request = Self(stream);
        let head = format!(
            "POST /api/ai/upload-package HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {body_bytes}\r\n\r\n",
            client.token()
        );
        request.write(head.as_bytes()).await;
        request
    }

    /// Sends some of the body.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The head of the answer, without the client having sent more.
    pub async fn answer_head(&mut self) -> String {
        let reading = async {
            let mut head = Vec::new();
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                let byte = self.0.read_u8().await.expect("an answer before the end");
                head.push(byte);
            }
            String::from_utf8(head).unwrap()
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .expect("an answer without the rest of the body")
    }
}
