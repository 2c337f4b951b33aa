//! Creates a key, and its user if there is none of that name.

use sqlx::{PgConnection, PgPool};

use crate::identity::{ApiKey, IdentityError, KeyLimits, Permission, Principal, Sealer, find_key};
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

/// Creates a key for the user of that name: an operator's doing.
pub async fn create_key(
    pool: &PgPool,
    sealer: &Sealer,
    user_name: &str,
    key_name: &str,
    permissions: &[Permission],
) -> Result<CreatedKey, IdentityError> {
    check_name(user_name)?;
    let new = NewKey {
        name: key_name,
        permissions,
        limits: KeyLimits::default(),
    };
    check(&new)?;
    let mut tx = pool.begin().await?;
    let user: UserId = sqlx::query_scalar(
        "insert into users (id, name)
         values ($1, $2)
         on conflict on constraint users_name_key do update
         set name = excluded.name
         returning id",
    )
    .bind(UserId::new())
    .bind(user_name)
    .fetch_one(&mut *tx)
    .await?;
    let created = insert_key_in_tx(&mut tx, sealer, user, &new, None).await?;
    tx.commit().await?;
    Ok(created)
}

/// Creates a key for the user who asks, no wider than the one that asks.
pub async fn create_own_key_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    asking: &Principal,
    new: &NewKey<'_>,
) -> Result<CreatedKey, IdentityError> {
    check(new)?;
    lock_keys_in_tx(conn, asking.user).await?;
    let own = find_key(&mut *conn, asking.user, asking.key).await?;
    let own = own.ok_or(IdentityError::NotFound)?;
    let has_all = new.permissions.iter().all(|each| asking.may(*each));
    if !has_all || !new.limits.are_within(&own.limits()) {
        return Err(IdentityError::Wider);
    }
    // What a key with a budget makes shares that budget: two halves would be two budgets.
    let line = own.budget_day_minor.map(|_| own.line_id);
    insert_key_in_tx(conn, sealer, asking.user, new, line).await
}

/// Nobody else makes keys of this user meanwhile; there is room for one more.
pub(super) async fn lock_keys_in_tx(
    conn: &mut PgConnection,
    user: UserId,
) -> Result<(), IdentityError> {
    sqlx::query("select from users where id = $1 for no key update")
        .bind(user)
        .execute(&mut *conn)
        .await?;
    let live: i64 = sqlx::query_scalar(
        "select count(*)
         from api_keys
         where user_id = $1
           and revoked_at is null
           and (expires_at is null or expires_at > now())
           and not is_own",
    )
    .bind(user)
    .fetch_one(conn)
    .await?;
    if live >= KEYS_MAX {
        return Err(IdentityError::TooMany);
    }
    Ok(())
}

/// Writes the row; without a line it begins one.
pub async fn insert_key_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    user: UserId,
    new: &NewKey<'_>,
    line: Option<ApiKeyId>,
) -> Result<CreatedKey, IdentityError> {
    let (id, key) = (ApiKeyId::new(), ApiKey::generate());
    let permissions: Vec<&str> = new.permissions.iter().map(|each| each.as_str()).collect();
    let types: Option<Vec<String>> = new
        .limits
        .package_types
        .as_ref()
        .map(|types| types.iter().map(ToString::to_string).collect());
    sqlx::query(
        "insert into api_keys (
             id, user_id, name, prefix, digest, sealed, permissions, line_id, budget_day_minor,
             budget_purchase_minor, package_types, expires_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(user)
    .bind(new.name)
    .bind(key.shown_prefix())
    .bind(key.digest())
    .bind(sealer.seal(id, &key))
    .bind(permissions)
    .bind(line.unwrap_or(id))
    .bind(new.limits.budget_day_minor)
    .bind(new.limits.budget_purchase_minor)
    .bind(types)
    .bind(new.limits.expires_at)
    .execute(conn)
    .await?;
    Ok(CreatedKey { id, user, key })
}

/// The user's own key, made if there is none yet: it stands for the user's sessions, and nobody sees
/// it.
pub async fn ensure_own_key_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    user: UserId,
) -> Result<(), IdentityError> {
    let (id, key) = (ApiKeyId::new(), ApiKey::generate());
    let permissions = Permission::ALL.map(Permission::as_str);
    sqlx::query(
        "insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions, line_id, is_own)
         values ($1, $2, 'sessions', $3, $4, $5, $6, $1, true)
         on conflict do nothing",
    )
    .bind(id)
    .bind(user)
    .bind(key.shown_prefix())
    .bind(key.digest())
    .bind(sealer.seal(id, &key))
    .bind(permissions.as_slice())
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

fn check_name(name: &str) -> Result<(), IdentityError> {
    if (1..=100).contains(&name.chars().count()) {
        Ok(())
    } else {
        Err(IdentityError::Name)
    }
}
