//! What a round settles: buyers, sellers, pending purchases with their holds, leased jobs.

use anyhow::Context as _;
use common::ids::WorkerId;
use sqlx::{AssertSqlSafe, PgPool};

/// Buyers with credits, sellers with a package, and for each settlement a pending purchase, its hold
/// and a leased job; ids are made of the round and a number. `$1` salt, `$2` settlements, `$3` sellers,
/// `$4` worker.
const SETUP: &[&str] = &[
    "insert into users (id, name)
     select bench_id($1, 1, n), 'buyer-' || $1 || '-' || n from generate_series(1, $2) n
     union all
     select bench_id($1, 2, n), 'seller-' || $1 || '-' || n from generate_series(1, $3) n
     where $4::uuid is not null",
    "insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions, line_id)
     select bench_id($1, 3, n), bench_id($1, 2, n), 'bench', 'bench', sha256(bench_id($1, 3, n)::text::bytea), '', '{purchase}',
            bench_id($1, 3, n)
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "insert into objects (key, sha256, size_bytes)
     select 'bench-' || $1 || '-' || n, sha256(''), 1
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "insert into packages (id, public_id, owner_id, upload_id, package_type, name, description, source_model,
                           target_model, epsilon_declared, evidence_level, package_key, w_matrix_key, report,
                           line_id)
     select bench_id($1, 4, n), 'pkg_' || $1 || '_' || n, bench_id($1, 2, n), gen_random_uuid(), 'vector', 'bench',
            'bench', 'a', 'b', 0.05, 'declared', 'bench-' || $1 || '-' || n, 'bench-' || $1 || '-' || n, '{}',
            bench_id($1, 4, n)
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "insert into listings (package_id, seller_id, api_key_id, price_minor)
     select bench_id($1, 4, n), bench_id($1, 2, n), bench_id($1, 3, n), 999
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "select ledger_account(bench_id($1, 2, n), 'seller_earnings', 'USD') from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "select ledger_account('00000000-0000-0000-0000-000000000000', 'platform_fees', 'USD')
     where $1 > 0 and $2 > 0 and $3 > 0 and $4::uuid is not null",
    "select ledger_post('top_up', bench_id($1, 5, n), 'USD', 'bench',
                        array[bench_id($1, 1, n), '00000000-0000-0000-0000-000000000000'],
                        array['buyer_credits', 'payments_clearing'], array[5000, -5000]::bigint[])
     from generate_series(1, $2) n
     where $3 > 0 and $4::uuid is not null",
    "insert into purchases (id, package_id, buyer_id, seller_id, api_key_id, listing_version, license_mode,
                            price_minor, fee_minor, net_minor, currency, payment_method, request_id, state, expires_at)
     select bench_id($1, 6, n), bench_id($1, 4, n % $3 + 1), bench_id($1, 1, n), bench_id($1, 2, n % $3 + 1),
            bench_id($1, 3, n % $3 + 1), 1, 'unlimited', 999, 150, 849, 'USD', 'credits', 'req', 'pending',
            now() + interval '1 day'
     from generate_series(1, $2) n
     where $4::uuid is not null",
    "select ledger_hold(bench_id($1, 6, n), bench_id($1, 1, n), 'USD', 999) from generate_series(1, $2) n
     where $3 > 0 and $4::uuid is not null",
    "insert into jobs (id, name, queue, lane, subject, trace, state, fence, worker, started_at)
     select bench_id($1, 7, n), 'settle_purchase', 'settle', 'fast', bench_id($1, 6, n), 'req', 'running', 1, $4, now()
     from generate_series(1, $2) n
     where $3 > 0",
];

/// Ids that pgbench can compute too.
pub const BENCH_ID: &str = "
create or replace function bench_id(salt integer, kind integer, n integer) returns uuid
    language sql immutable parallel safe
    return md5(salt || '.' || kind || '.' || n)::uuid";

/// Writes one round. `owner` has the rights of the schema's owner.
pub async fn set_up(
    owner: &PgPool,
    salt: i32,
    settlements: i32,
    sellers: i32,
    worker: WorkerId,
) -> anyhow::Result<()> {
    let mut tx = common::db::begin(owner).await?;
    for statement in SETUP {
        sqlx::query(AssertSqlSafe(*statement))
            .bind(salt)
            .bind(settlements)
            .bind(sellers)
            .bind(worker.0)
            .execute(&mut *tx)
            .await
            .with_context(|| (*statement).to_owned())?;
    }
    tx.commit().await?;
    sqlx::query("vacuum analyze").execute(owner).await?;
    sqlx::query("checkpoint").execute(owner).await?;
    Ok(())
}
