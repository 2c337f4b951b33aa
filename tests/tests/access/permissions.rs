//! Keys from before there was a permission for webhooks.

use sqlx::{Connection as _, PgConnection};
use tests::servers::{Locale, Servers};

const MIGRATION: &str = include_str!("../../../migrations/0017_webhook_permission.sql");

/// A key of an old kind for each set of permissions, named by it.
const OLD_KEYS: &str = "
    with owner as (
        insert into users (id, name) values (gen_random_uuid(), 'owner') returning id
    )
    insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions, line_id)
    select gen_random_uuid(), owner.id, permissions, 'ak_ai_', sha256(permissions::bytea), '',
           string_to_array(permissions, ','), gen_random_uuid()
    from owner,
         unnest(array[
             'upload', 'purchase', 'download', 'upload,download', 'account', 'account,download',
             'upload,purchase,download', 'upload,purchase,download,account'
         ]) as permissions";

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_could_do_everything_go_on_to_manage_webhooks_and_narrow_ones_do_not() {
    let servers = Servers::shared().await;
    let url = servers.owner_url(&servers.create_database(Locale::C).await);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query(OLD_KEYS)
        .execute(&mut connection)
        .await
        .unwrap();
    let start = MIGRATION.find("update api_keys").unwrap();
    let (grant, _) = MIGRATION[start..].split_once(';').unwrap();
    sqlx::query(sqlx::AssertSqlSafe(grant))
        .execute(&mut connection)
        .await
        .unwrap();
    let granted: Vec<String> = sqlx::query_scalar(
        "select name from api_keys where 'webhooks' = any (permissions) order by name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let expected = [
        "account",
        "account,download",
        "upload,purchase,download",
        "upload,purchase,download,account",
    ];
    assert_eq!(granted, expected);
    connection.close().await.unwrap();
}
