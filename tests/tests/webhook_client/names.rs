//! Names that have no address, and name servers that do not answer.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use common::webhooks::client::Client;
use common::webhooks::failure::ErrorClass;
use common::webhooks::resolve::Resolve;
use futures::future::BoxFuture;

use super::{SHORT, Scripted, class, client_resolving, post, settings};

/// A name server that never answers.
#[derive(Debug)]
struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    for client in [
        client_resolving(Scripted::new(&[])),
        client_resolving(Scripted::new(&[&[]])),
    ] {
        let attempt = post(&client, "https://receiver.test/").await;
        assert_eq!(class(&attempt), Some(ErrorClass::Dns), "{attempt:?}");
    }
}

/// Answers the first name and no other.
#[derive(Debug, Default)]
struct Once(Mutex<bool>);

impl Resolve for Once {
    fn resolve(&self, _host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        if std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

#[tokio::test]
async fn a_name_server_that_answers_nobody_is_our_fault_and_one_slow_name_is_not() {
    let with = |resolver: Arc<dyn Resolve>| {
        let mut settings = settings();
        settings.timeouts.resolve = SHORT;
        settings.resolver = resolver;
        Client::new(settings).unwrap()
    };
    let attempt = post(&with(Arc::new(Silent)), "https://receiver.test/").await;
    assert_eq!(class(&attempt), Some(ErrorClass::Internal), "{attempt:?}");
    let client = with(Arc::new(Once::default()));
    for name in ["first", "slow"] {
        let attempt = post(&client, &format!("https://{name}.test/")).await;
        assert_eq!(class(&attempt), Some(ErrorClass::Dns), "{attempt:?}");
    }
}
