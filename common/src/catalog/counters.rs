//! Folds what was counted of sales, downloads and reputation into the rows of the packages.
//!
//! Counting appends, so that a popular package is not one hot row; folding moves each count exactly
//! once, because it is taken away in the statement that adds it.

use sqlx::PgPool;

use crate::limits::COUNTER_FOLD_ROWS_MAX;

/// One step: how many counts were folded.
pub async fn fold_counters(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let folded: i64 = sqlx::query_scalar(
        "with taken as (
             delete from package_deltas
             where id in (
                 select id
                 from package_deltas
                 order by id
                 limit $1
                 for update skip locked
             )
             returning package_id, day, sales, downloads, buyers, downloaders, recent, rating_count, rating_sum,
                 star_count
         ), summed as (
             select package_id, sum(sales) as sales, sum(downloads) as downloads, sum(buyers) as buyers,
                 sum(downloaders) as downloaders, sum(rating_count) as rating_count, sum(rating_sum) as rating_sum,
                 sum(star_count) as star_count
             from taken
             group by package_id
         ), dated as (
             -- What trends is counted in accounts; see migration 21.
             insert into package_days (package_id, day, sales, downloads)
             select package_id, day, sum(buyers), sum(recent)
             from taken
             group by package_id, day
             having sum(buyers) <> 0
                 or sum(recent) <> 0
             on conflict (package_id, day) do update
             set sales = package_days.sales + excluded.sales,
                 downloads = package_days.downloads + excluded.downloads
         ), added as (
             update packages
             set sales = packages.sales + summed.sales, downloads = packages.downloads + summed.downloads,
                 buyers = packages.buyers + summed.buyers, downloaders = packages.downloaders + summed.downloaders,
                 rating_count = packages.rating_count + summed.rating_count,
                 rating_sum = packages.rating_sum + summed.rating_sum,
                 star_count = packages.star_count + summed.star_count
             from summed
             where packages.id = summed.package_id
         )
         select count(*) from taken",
    )
    .bind(COUNTER_FOLD_ROWS_MAX)
    .fetch_one(pool)
    .await?;
    Ok(folded.unsigned_abs())
}
