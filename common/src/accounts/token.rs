//! The two tokens of a session: a signed one that opens the API for some minutes, and a random one that
//! is good for the next pair.

use std::sync::Arc;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{RefreshToken, Tokens};
use crate::ids::{SessionId, UserId};
use crate::limits::{ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS};
use crate::signatures::{Signer, Verifier};

/// The `typ` of an access token (RFC 9068).
const TYP: &str = "at+jwt";

/// The one client that people sign in through: the API itself.
const CLIENT: &str = "awareness-market";

/// The claims of an access token (RFC 9068 §2.2); times in epoch seconds.
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
    /// Who is to accept it: whoever issued it.
    pub aud: String,
    pub client_id: String,
    /// No other token has it.
    pub jti: Uuid,
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
            aud: self.issuer.to_string(),
            client_id: CLIENT.to_owned(),
            jti: Uuid::now_v7(),
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
        let is_ours = *claims.iss == *self.issuer && *claims.aud == *self.issuer;
        (is_live && is_ours && claims.kind == "access").then_some(claims)
    }
}
