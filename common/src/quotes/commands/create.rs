//! Promises a price: what the listing asks now, signed, and kept under its id.
//!
//! No lock is taken: the version that was read stays one that was really asked, whatever the seller
//! does next.

use chrono::{DateTime, Utc};
use package::PackageType;
use sqlx::PgPool;

use crate::db;
use crate::ids::{PackageId, PackagePublicId, QuoteId, UserId};
use crate::limits::{QUOTE_SECONDS, QUOTES_LIVE_MAX};
use crate::money::decimal_text;
use crate::quotes::QuoteError;
use crate::signatures::{Quote, Signer};

/// What a buyer asks the price of.
#[derive(Debug, Clone)]
pub struct QuoteRequest {
    pub buyer: UserId,
    pub package_type: PackageType,
    pub package: PackagePublicId,
    /// Refused if the listing asks another price.
    pub expected_price_minor: Option<i64>,
}

/// A quote with its signed form.
#[derive(Debug, Clone)]
pub struct Issued {
    pub claims: Quote,
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

/// What is for sale, at which price.
#[derive(Debug, sqlx::FromRow)]
struct Offer {
    package_id: PackageId,
    seller_id: UserId,
    version: i64,
    price_minor: i64,
    currency: String,
    status: String,
    is_sold_out: bool,
    /// Until when the first of the licenses that are taken is kept for somebody who is paying.
    reserved_until: Option<DateTime<Utc>>,
    package_sha256: Vec<u8>,
    w_matrix_sha256: Vec<u8>,
}

/// Makes a quote, unless a purchase would be refused right now.
pub async fn create(
    pool: &PgPool,
    signer: &Signer,
    issuer: &str,
    request: &QuoteRequest,
) -> Result<Issued, QuoteError> {
    let offer = find_offer(pool, request).await?;
    check(request, &offer)?;
    let id = QuoteId::new();
    let issued = issue(id, signer, issuer, request, &offer);
    if insert(pool, id, &offer, &issued).await? {
        Ok(issued)
    } else {
        Err(QuoteError::TooMany)
    }
}

async fn find_offer(pool: &PgPool, request: &QuoteRequest) -> Result<Offer, QuoteError> {
    let offer = sqlx::query_as(
        "select package_id, seller_id, version, price_minor, currency, shown_status(listings) as status,
                taken >= coalesce(supply, taken + 1) as is_sold_out, (
                    select min(reserved_until)
                    from purchases
                    where purchases.package_id = packages.id
                      and takes_supply
                      and state in ('awaiting_payment', 'payment_unknown')
                      and reserved_until > now()
                ) as reserved_until,
                package_object.sha256 as package_sha256, w_matrix_object.sha256 as w_matrix_sha256
         from packages
         join listings on package_id = packages.id
         join objects as package_object on package_object.key = package_key
         join objects as w_matrix_object on w_matrix_object.key = w_matrix_key
         where public_id = $1
           and package_type = $2",
    )
    .bind(&request.package)
    .bind(request.package_type.as_str())
    .fetch_optional(pool)
    .await?;
    offer.ok_or(QuoteError::PackageNotFound)
}

/// In the order in which a purchase is refused.
fn check(request: &QuoteRequest, offer: &Offer) -> Result<(), QuoteError> {
    if ["removed", "taken_down"].contains(&offer.status.as_str()) {
        return Err(QuoteError::PackageNotFound);
    }
    if offer.seller_id == request.buyer {
        return Err(QuoteError::OwnPackage);
    }
    if offer.status != "active" {
        return Err(QuoteError::NotForSale);
    }
    match request.expected_price_minor {
        Some(expected_minor) if expected_minor != offer.price_minor => {
            Err(QuoteError::PriceChanged {
                expected_minor,
                current_minor: offer.price_minor,
            })
        }
        _ if offer.is_sold_out => Err(match offer.reserved_until {
            Some(until) => QuoteError::Reserved { until },
            None => QuoteError::SoldOut,
        }),
        _ => Ok(()),
    }
}

fn issue(
    id: QuoteId,
    signer: &Signer,
    issuer: &str,
    request: &QuoteRequest,
    offer: &Offer,
) -> Issued {
    let now = Utc::now().timestamp();
    let expires = now + QUOTE_SECONDS;
    let claims = Quote {
        iss: issuer.to_owned(),
        sub: id.to_string(),
        iat: now,
        exp: expires,
        quote_id: id.to_string(),
        buyer_id: request.buyer,
        package_id: request.package.clone(),
        package_type: request.package_type,
        listing_version: offer.version,
        amount_minor: offer.price_minor,
        currency: offer.currency.clone(),
        price: decimal_text(offer.price_minor),
        package_sha256: hex::encode(&offer.package_sha256),
        w_matrix_sha256: hex::encode(&offer.w_matrix_sha256),
    };
    Issued {
        token: signer.sign(Quote::TYP, &claims),
        expires_at: DateTime::from_timestamp(expires, 0).expect("a clock that shows our age"),
        claims,
    }
}

/// False if the buyer has as many as one may. (Requests at once may exceed that by as many as they are.)
async fn insert(
    pool: &PgPool,
    id: QuoteId,
    offer: &Offer,
    issued: &Issued,
) -> Result<bool, sqlx::Error> {
    let mut writer = db::writer(pool).await?;
    let inserted = sqlx::query(
        "insert into quotes (
             id, buyer_id, package_id, listing_version, price_minor, currency, package_sha256, w_matrix_sha256,
             token, expires_at
         )
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         where (
             select count(*)
             from quotes
             where buyer_id = $2
               and created_at > now() - make_interval(secs => $11)
               and expires_at > now()
         ) < $12",
    )
    .bind(id)
    .bind(issued.claims.buyer_id)
    .bind(offer.package_id)
    .bind(offer.version)
    .bind(offer.price_minor)
    .bind(&offer.currency)
    .bind(&offer.package_sha256)
    .bind(&offer.w_matrix_sha256)
    .bind(&issued.token)
    .bind(issued.expires_at)
    .bind(QUOTE_SECONDS as f64)
    .bind(QUOTES_LIVE_MAX)
    .execute(&mut *writer)
    .await?;
    writer.finish().await?;
    Ok(inserted.rows_affected() == 1)
}
