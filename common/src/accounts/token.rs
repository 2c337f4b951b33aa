//! The two tokens of a session: a signed one that opens the API for some minutes, and a random one that
//! is good for the next pair.

use std::sync::Arc;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::{RefreshToken, Tokens};
use crate::ids::{SessionId, UserId};
use crate::limits::{ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS};
use crate::signatures::{Signer, Verifier};

/// The `typ` of an access token (RFC 9068).
const TYP: &str = "at+jwt";

/// The claims of an access token; times in epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The user.
    pub sub: UserId,
    pub username: String,
    pub exp: i64,
    pub iat: i64,
    /// `access`.
    #[serde(rename = "type")]
    pub kind: String,
    pub iss: String,
    /// The session.
    pub sid: SessionId,
}

/// Makes access tokens and reads them.
#[derive(Debug, Clone)]
pub struct TokenMaker {
    signer: Signer,
    verifier: Arc<Verifier>,
    issuer: Arc<str>,
}

impl TokenMaker {
    /// Signs as that issuer.
    pub fn new(signer: &Signer, issuer: &str) -> Self {
        Self {
            verifier: Arc::new(Verifier::from(signer)),
            signer: signer.clone(),
            issuer: issuer.into(),
        }
    }

    /// The answer to a sign-in.
    pub fn tokens(
        &self,
        user: UserId,
        username: &str,
        session: SessionId,
        refresh: &RefreshToken,
    ) -> Tokens {
        let now = Utc::now().timestamp();
        let claims = AccessClaims {
            sub: user,
            username: username.to_owned(),
            exp: now + ACCESS_TOKEN_SECONDS,
            iat: now,
            kind: "access".to_owned(),
            iss: self.issuer.to_string(),
            sid: session,
        };
        Tokens {
            user_id: user,
            username: username.to_owned(),
            session_id: session,
            token_type: "Bearer",
            access_token: self.signer.sign(TYP, &claims),
            expires_in: ACCESS_TOKEN_SECONDS,
            refresh_token: refresh.expose().to_owned(),
            refresh_expires_in: REFRESH_TOKEN_SECONDS,
            device_token: None,
        }
    }

    /// The claims of a token that we signed and that has not expired. Whether its session lives is
    /// another question.
    pub fn read(&self, token: &str) -> Option<AccessClaims> {
        let claims: AccessClaims = self.verifier.verify(TYP, token).ok()?;
        let is_live = claims.exp > Utc::now().timestamp();
        (is_live && claims.kind == "access" && *claims.iss == *self.issuer).then_some(claims)
    }
}
