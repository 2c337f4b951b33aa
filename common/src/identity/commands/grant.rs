//! The one way in which a key comes to be.
//!
//! A [`Grant`] is made only by proving, under the lock of the user's keys, that the key to be reaches no
//! further than whoever asks for it; nothing else writes a key (test `only_a_grant_writes_a_key`).

use std::time::Duration;

use sqlx::PgConnection;

use crate::identity::{
    ApiKey, Authority, Dimension, IdentityError, KeyLimits, KeySummary, Permission, Principal,
    Sealer, authority_in_tx, find_key,
};
use crate::ids::{ApiKeyId, UserId};
use crate::limits::KEYS_MAX;

/// A key in clear, this once.
#[derive(Debug)]
pub struct CreatedKey {
    pub id: ApiKeyId,
    pub user: UserId,
    pub key: ApiKey,
}

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    pub name: &'a str,
    pub permissions: &'a [Permission],
    pub limits: KeyLimits,
}

/// A key that may be made.
#[derive(Debug)]
pub struct Grant {
    user: UserId,
    name: String,
    authority: Authority,
    /// The key that it replaces, and how long that one lives on.
    replaces: Option<(KeySummary, Duration)>,
    /// Whether it counts against the keys that an account may have.
    is_counted: bool,
}

impl Grant {
    /// A new key for the user who asks.
    pub async fn to_create(
        conn: &mut PgConnection,
        asking: &Principal,
        new: NewKey<'_>,
    ) -> Result<Self, IdentityError> {
        check(&new)?;
        lock_keys_in_tx(conn, asking.user).await?;
        let maker = authority_in_tx(conn, asking).await?;
        let authority = maker.hand_on(new.permissions, new.limits);
        Ok(Self {
            user: asking.user,
            name: new.name.to_owned(),
            authority: authority.map_err(|dimension| wider("make", dimension))?,
            replaces: None,
            is_counted: true,
        })
    }

    /// A key in place of another of the same user: it may do what that one may, for as long. A key may
    /// always replace itself, another only if that one is no wider.
    pub async fn to_replace(
        conn: &mut PgConnection,
        asking: &Principal,
        id: ApiKeyId,
        overlap: Duration,
    ) -> Result<Self, IdentityError> {
        let old = check_control_in_tx(conn, asking, id, "replace").await?;
        Ok(Self {
            user: asking.user,
            name: old.name.clone(),
            authority: old.authority(),
            replaces: Some((old, overlap)),
            is_counted: true,
        })
    }

    /// A key that an operator makes for anybody.
    pub(super) fn by_operator(user: UserId, new: &NewKey<'_>) -> Result<Self, IdentityError> {
        check(new)?;
        Ok(Self {
            user,
            name: new.name.to_owned(),
            authority: Authority {
                permissions: new.permissions.to_vec(),
                limits: new.limits.clone(),
                line: None,
            },
            replaces: None,
            is_counted: false,
        })
    }

    /// The first key of an account that registers itself; refused if there is any whom it could outreach.
    pub async fn to_begin(conn: &mut PgConnection, user: UserId) -> Result<Self, IdentityError> {
        let has_keys: bool =
            sqlx::query_scalar("select exists (select from api_keys where user_id = $1)")
                .bind(user)
                .fetch_one(conn)
                .await?;
        if has_keys {
            return Err(wider("make", Dimension::Permissions));
        }
        Ok(Self::full(user, "first"))
    }

    fn full(user: UserId, name: &str) -> Self {
        Self {
            user,
            name: name.to_owned(),
            authority: Authority::full(),
            replaces: None,
            is_counted: false,
        }
    }

    /// Writes the key. What it replaces ends after the overlap, or when it would have anyway; it goes
    /// on to sign what was promised under it.
    pub async fn issue_in_tx(
        self,
        conn: &mut PgConnection,
        sealer: &Sealer,
    ) -> Result<CreatedKey, IdentityError> {
        if let Some((old, overlap)) = &self.replaces {
            if old.has_ended() {
                return Err(IdentityError::Ended);
            }
            sqlx::query(
                "update api_keys
                 set expires_at = least(expires_at, now() + make_interval(secs => $2))
                 where id = $1",
            )
            .bind(old.id)
            .bind(overlap.as_secs_f64())
            .execute(&mut *conn)
            .await?;
        }
        if self.is_counted && count_live_in_tx(conn, self.user).await? >= KEYS_MAX {
            return Err(IdentityError::TooMany);
        }
        let (id, key) = (ApiKeyId::new(), ApiKey::generate());
        insert_in_tx(conn, sealer, id, &key, &self, false).await?;
        let user = self.user;
        Ok(CreatedKey { id, user, key })
    }
}

/// The user's own key, made if there is none yet: it stands for the user's sessions, and nobody sees
/// it.
pub async fn ensure_own_key_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    user: UserId,
) -> Result<(), IdentityError> {
    let own = Grant::full(user, "sessions");
    let (id, key) = (ApiKeyId::new(), ApiKey::generate());
    insert_in_tx(conn, sealer, id, &key, &own, true).await
}

/// A key of the user who asks, if that one may do with it what it likes: it is no wider, or itself.
pub(super) async fn check_control_in_tx(
    conn: &mut PgConnection,
    asking: &Principal,
    id: ApiKeyId,
    act: &'static str,
) -> Result<KeySummary, IdentityError> {
    lock_keys_in_tx(conn, asking.user).await?;
    let authority = authority_in_tx(conn, asking).await?;
    let key = find_key(&mut *conn, asking.user, id).await?;
    let key = key.ok_or(IdentityError::NotFound)?;
    if id == asking.key {
        return Ok(key);
    }
    match key.authority().wider_in(&authority) {
        None => Ok(key),
        Some(dimension) => Err(wider(act, dimension)),
    }
}

fn wider(act: &'static str, dimension: Dimension) -> IdentityError {
    IdentityError::Wider { act, dimension }
}

/// Nobody else makes, replaces or revokes keys of this user meanwhile: who holds a key's row to read it
/// and then writes another would wait for who does the reverse.
async fn lock_keys_in_tx(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("select from users where id = $1 for no key update")
        .bind(user)
        .execute(conn)
        .await?;
    Ok(())
}

async fn count_live_in_tx(conn: &mut PgConnection, user: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*)
         from api_keys
         where user_id = $1
           and revoked_at is null
           and (expires_at is null or expires_at > now())
           and not is_own",
    )
    .bind(user)
    .fetch_one(conn)
    .await
}

/// Writes the row; without a line it begins one.
async fn insert_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    id: ApiKeyId,
    key: &ApiKey,
    grant: &Grant,
    is_own: bool,
) -> Result<(), IdentityError> {
    let Authority {
        permissions,
        limits:
            KeyLimits {
                budget_day_minor,
                budget_purchase_minor,
                package_types,
                expires_at,
            },
        line,
    } = &grant.authority;
    let permissions: Vec<&str> = permissions.iter().map(|each| each.as_str()).collect();
    let types: Option<Vec<String>> = package_types
        .as_ref()
        .map(|types| types.iter().map(ToString::to_string).collect());
    sqlx::query(
        "insert into api_keys (
             id, user_id, name, prefix, digest, sealed, permissions, line_id, budget_day_minor,
             budget_purchase_minor, package_types, expires_at, is_own
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (user_id) where is_own do nothing",
    )
    .bind(id)
    .bind(grant.user)
    .bind(&grant.name)
    .bind(key.shown_prefix())
    .bind(key.digest())
    .bind(sealer.seal(id, key))
    .bind(permissions)
    .bind(line.unwrap_or(id))
    .bind(budget_day_minor)
    .bind(budget_purchase_minor)
    .bind(types)
    .bind(expires_at)
    .bind(is_own)
    .execute(conn)
    .await?;
    Ok(())
}

fn check(new: &NewKey<'_>) -> Result<(), IdentityError> {
    check_name(new.name)?;
    if new.permissions.is_empty() {
        return Err(IdentityError::Permissions);
    }
    let fault = |field, message| Err(IdentityError::Limits { field, message });
    let limits = &new.limits;
    let is_negative = |amount: Option<i64>| amount.is_some_and(|amount| amount < 0);
    if is_negative(limits.budget_day_minor) {
        return fault("budgetDayMinor", "must be at least 0");
    }
    if is_negative(limits.budget_purchase_minor) {
        return fault("budgetPurchaseMinor", "must be at least 0");
    }
    if limits.package_types.as_ref().is_some_and(Vec::is_empty) {
        return fault("packageTypes", "must name at least one type");
    }
    if limits.expires_at.is_some_and(|at| at <= chrono::Utc::now()) {
        return fault("expiresAt", "must be in the future");
    }
    Ok(())
}

/// Names of users and of keys.
pub(super) fn check_name(name: &str) -> Result<(), IdentityError> {
    if (1..=100).contains(&name.chars().count()) {
        Ok(())
    } else {
        Err(IdentityError::Name)
    }
}
