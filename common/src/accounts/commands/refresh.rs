//! Goes on with a session: the next pair of tokens for a refresh token.

use sqlx::PgConnection;

use super::begin_session::insert_token_in_tx;
use super::sign_in::end_session_in_tx;
use crate::accounts::{AccountError, RefreshToken, TokenMaker, Tokens};
use crate::audit::{self, Act};
use crate::db;
use crate::identity::{IdentityError, REVOKED, Sealer};
use crate::ids::{SessionId, UserId};
use crate::limits::{REFRESH_GRACE_SECONDS, REFRESH_TOKEN_SECONDS};
use crate::outbox::Outbox;

/// A refresh token as its session knows it.
#[derive(Debug, sqlx::FromRow)]
struct Presented {
    session_id: SessionId,
    user_id: UserId,
    name: String,
    is_used: bool,
    is_live: bool,
    /// The pair that followed, while the token may come again.
    sealed_successor: Option<Vec<u8>>,
}

/// From where a token was presented, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub address: &'a str,
    pub request_id: &'a str,
}

/// Gives the next pair of tokens for a refresh token. For [`REFRESH_GRACE_SECONDS`] it gets the same pair again,
/// because two tabs, or a retry after a lost answer, are no theft; after that it is in two hands, and its
/// session ends.
pub async fn refresh(
    outbox: &Outbox,
    sealer: &Sealer,
    maker: &TokenMaker,
    token: &RefreshToken,
    origin: Origin<'_>,
) -> Result<Tokens, AccountError> {
    let mut tx = db::begin(outbox.pool()).await?;
    let presented = find_for_update(&mut tx, token).await?;
    let presented = presented.ok_or(AccountError::RefreshRefused)?;
    if presented.is_used {
        if let Some(sealed) = presented
            .sealed_successor
            .as_deref()
            .filter(|_| presented.is_live)
        {
            return presented.successor(sealer, maker, token, sealed);
        }
        end_session_in_tx(&mut tx, presented.user_id, presented.session_id, "reused").await?;
        presented.audit_reuse_in_tx(&mut tx, origin).await?;
        db::commit(tx).await?;
        outbox.announce(REVOKED, &presented.session_id.to_string());
        tracing::warn!(session.id = %presented.session_id, "A refresh token came back after its use");
        return Err(AccountError::RefreshRefused);
    }
    if !presented.is_live {
        return Err(AccountError::RefreshRefused);
    }
    // The session may have ended since it was read; nobody ends it from here on before the commit.
    let lives = sqlx::query(
        "update sessions
         set last_used_at = now(), expires_at = now() + make_interval(secs => $2)
         where id = $1
           and revoked_at is null",
    )
    .bind(presented.session_id)
    .bind(REFRESH_TOKEN_SECONDS as f64)
    .execute(&mut *tx)
    .await?;
    if lives.rows_affected() == 0 {
        return Err(AccountError::RefreshRefused);
    }
    let next = insert_token_in_tx(&mut tx, presented.session_id).await?;
    let tokens = maker.tokens(
        presented.user_id,
        &presented.name,
        presented.session_id,
        &next,
    );
    let pair = format!("{} {}", tokens.access_token, tokens.refresh_token);
    sqlx::query(
        "update refresh_tokens
         set used_at = case when digest = $2 then now() else used_at end,
             sealed_successor = case when digest = $2 then $3 end
         where session_id = $1
           and (digest = $2 or used_at < now() - make_interval(secs => $4) and sealed_successor is not null)",
    )
    .bind(presented.session_id)
    .bind(token.digest())
    .bind(sealer.seal_bytes(&token.digest(), pair.as_bytes()))
    .bind(REFRESH_GRACE_SECONDS as f64)
    .execute(&mut *tx)
    .await?;
    db::commit(tx).await?;
    Ok(tokens)
}

/// The token's row, locked: of two that present it at once the second sees what the first one got.
async fn find_for_update(
    conn: &mut PgConnection,
    token: &RefreshToken,
) -> Result<Option<Presented>, sqlx::Error> {
    sqlx::query_as(
        "select session_id, user_id, name, used_at is not null as is_used,
                refresh_tokens.expires_at > now()
                    and revoked_at is null
                    and blocked_at is null
                    and sessions.password_version = users.password_version as is_live,
                case when used_at > now() - make_interval(secs => $2) then sealed_successor end as sealed_successor
         from refresh_tokens
         join sessions on sessions.id = session_id
         join users on users.id = user_id
         where digest = $1
         for update of refresh_tokens",
    )
    .bind(token.digest())
    .bind(REFRESH_GRACE_SECONDS as f64)
    .fetch_optional(conn)
    .await
}

impl Presented {
    /// The pair that followed, as it was answered.
    fn successor(
        &self,
        sealer: &Sealer,
        maker: &TokenMaker,
        token: &RefreshToken,
        sealed: &[u8],
    ) -> Result<Tokens, AccountError> {
        let pair = sealer.open_bytes(&token.digest(), sealed)?;
        let pair = String::from_utf8(pair).map_err(|_| IdentityError::Unsealable)?;
        let (access, refresh) = pair.split_once(' ').ok_or(IdentityError::Unsealable)?;
        let refresh = RefreshToken::parse(refresh).ok_or(IdentityError::Unsealable)?;
        Ok(Tokens {
            access_token: access.to_owned(),
            ..maker.tokens(self.user_id, &self.name, self.session_id, &refresh)
        })
    }

    async fn audit_reuse_in_tx(
        &self,
        conn: &mut PgConnection,
        origin: Origin<'_>,
    ) -> Result<(), sqlx::Error> {
        let act = Act {
            actor: "refused refresh token",
            actor_role: None,
            actor_id: Some(self.user_id),
            action: "end a session whose refresh token was used twice",
            target: &self.session_id.to_string(),
            address: origin.address,
            request_id: origin.request_id,
        };
        audit::note(conn, &act, 401).await
    }
}
