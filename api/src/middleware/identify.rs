//! Who calls and from where, found once per request: an API key or an access token in `Authorization:
//! Bearer …`. Handlers read it through the extractors; what is wrong with it is told by those that need
//! it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use common::accounts;
use common::identity::{self, ApiKey, Principal};

use crate::error::{ApiError, Code};
use crate::extract::bearer;
use crate::state::ApiState;

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where a request comes from, as far as our own proxies can tell.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Who calls: somebody, nobody, or somebody whom we refuse.
#[derive(Debug, Clone)]
pub struct Identity(pub Result<Option<Principal>, ApiError>);

/// Notes both in the request.
pub async fn identify(state: &ApiState, request: &mut Request) {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let address = client_address(request.headers(), peer, state.rates.proxies);
    request.extensions_mut().insert(ClientAddress(address));
    let identity = match request.headers().contains_key(header::AUTHORIZATION) {
        false => Ok(None),
        true => {
            let token = bearer(request.headers()).unwrap_or_default();
            authenticate(state, token).await.map(Some)
        }
    };
    request.extensions_mut().insert(Identity(identity));
}

/// The holder of a key or an access token. Whatever is wrong with it, the answer is the same.
async fn authenticate(state: &ApiState, token: &str) -> Result<Principal, ApiError> {
    let refused = || {
        ApiError::new(
            Code::Unauthorized,
            "The API key or access token is not valid.",
        )
    };
    if let Some(key) = ApiKey::parse(token) {
        return identity::authenticate(state.pool(), &key)
            .await?
            .ok_or_else(refused);
    }
    let claims = state.tokens.read(token).ok_or_else(refused)?;
    accounts::authenticate(state.pool(), &claims)
        .await?
        .ok_or_else(refused)
}

/// The address behind that many proxies of ours. What stands further left in `X-Forwarded-For` is the
/// client's own word and worth nothing.
fn client_address(headers: &HeaderMap, peer: Option<IpAddr>, proxies: usize) -> IpAddr {
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let values = headers.get_all("x-forwarded-for");
    let hops: Vec<&str> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let hop = match proxies {
        0 => None,
        depth => hops.len().checked_sub(depth).map(|index| hops[index]),
    };
    let forwarded = hop.and_then(|text| {
        let address = text.parse::<IpAddr>().ok();
        address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
    });
    forwarded.unwrap_or(peer).to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let told = |text: &str, proxies| {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", text.parse().unwrap());
            client_address(&headers, Some(peer), proxies).to_string()
        };
        assert_eq!(told("6.6.6.6, 1.2.3.4", 0), "10.0.0.1");
        assert_eq!(told("6.6.6.6, 1.2.3.4", 1), "1.2.3.4");
        assert_eq!(told("6.6.6.6, 1.2.3.4", 2), "6.6.6.6");
        assert_eq!(told("1.2.3.4", 2), "10.0.0.1", "a hop is missing");
        assert_eq!(told("nonsense", 1), "10.0.0.1");
        assert_eq!(told("[2001:db8::1]:443", 1), "2001:db8::1");
        assert_eq!(told("::ffff:1.2.3.4", 1), "1.2.3.4");
    }
}
