//! Who calls and from where, found once per request: an API key or an access token in `Authorization:
//! Bearer …`. Handlers read it through the extractors; what is wrong with it is told by those that need
//! it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header;
use common::accounts;
use common::identity::{self, ApiKey, Principal};

use super::client_address::client_address;
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
    let address = client_address(request.headers(), peer, &state.rates);
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
