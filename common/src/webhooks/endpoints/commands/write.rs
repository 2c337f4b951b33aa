//! What several commands write.

use sqlx::PgConnection;

use crate::identity::Sealer;
use crate::ids::{ApiKeyId, EndpointId, UserId, WebhookSecretId};
use crate::webhooks::WebhookError;
use crate::webhooks::endpoints::{Endpoint, Fault, find};
use crate::webhooks::secret::WebhookSecret;

/// A secret ready to be stored.
pub(super) struct NewSecret {
    id: WebhookSecretId,
    sealed: Vec<u8>,
}

impl NewSecret {
    pub fn seal(sealer: &Sealer, secret: &WebhookSecret) -> Self {
        let id = WebhookSecretId::new();
        Self {
            id,
            sealed: secret.seal(sealer, id.0),
        }
    }
}

/// Stores a secret as the newest one.
pub(super) async fn add_secret_in_tx(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    secret: &NewSecret,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook_secrets (id, endpoint_id, sealed, created_at)
         values ($1, $2, $3, clock_timestamp())",
    )
    .bind(secret.id)
    .bind(endpoint)
    .bind(&secret.sealed)
    .execute(conn)
    .await?;
    Ok(())
}

/// The owner's endpoint, locked against other changes of it.
pub(super) async fn lock_in_tx(
    conn: &mut PgConnection,
    id: EndpointId,
    owner: UserId,
) -> Result<Endpoint, WebhookError> {
    sqlx::query("select from webhook_endpoints where id = $1 for no key update")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    find(conn, id, owner).await
}

/// Signs only with a live key of the owner.
pub(super) async fn own_key_in_tx(
    conn: &mut PgConnection,
    owner: UserId,
    key: ApiKeyId,
) -> Result<(), WebhookError> {
    let is_own: bool = sqlx::query_scalar(
        "select exists (
             select
             from api_keys
             where id = $1
               and user_id = $2
               and revoked_at is null
         )",
    )
    .bind(key)
    .bind(owner)
    .fetch_one(conn)
    .await?;
    match is_own {
        true => Ok(()),
        false => Err(WebhookError::Settings(vec![Fault {
            field: "signingKeyId",
            message: "must be a live API key of this account".to_owned(),
        }])),
    }
}
