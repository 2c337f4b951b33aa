//! Every maximum of the product that is not a property of one algorithm, with its unit and reason.

use std::time::Duration;

/// Both blobs of a package together, decoded: the seed's "< 50 MB" (design §3 row 3).
pub const PACKAGE_BYTES_MAX: u64 = 52_428_800;
/// One staged object, and so the memory one upload holds twice (one filling, one on its way). Each is
/// an object of its own, so S3's minimum for parts does not apply; fewer would mean more memory.
pub const PART_BYTES: usize = 4 * 1024 * 1024;
/// A JSON body: base64 of the largest package and room for its fields.
pub const JSON_BODY_BYTES_MAX: u64 = PACKAGE_BYTES_MAX / 3 * 4 + 1024 * 1024;
/// A multipart body: the largest package and room for its fields.
pub const MULTIPART_BODY_BYTES_MAX: u64 = PACKAGE_BYTES_MAX + 1024 * 1024;
/// A JSON body of a batch: ten of the largest.
pub const BATCH_BODY_BYTES_MAX: u64 = 10 * JSON_BODY_BYTES_MAX;
/// A body that holds fields alone.
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;

/// A request that moves no package.
pub const REQUEST_SECONDS_MAX: u64 = 30;
/// A request that moves one: 50 MiB at 64 KiB/s.
pub const UPLOAD_REQUEST_SECONDS_MAX: u64 = 900;
/// The head of a request must be here by then, from its first byte or from the end of the one before.
pub const HEADER_READ_SECONDS_MAX: u64 = 10;
/// From the accept of a connection to the head of its first request: a handshake and one message.
pub const FIRST_REQUEST_SECONDS_MAX: u64 = 10;
/// A connection may stay open without a request this long: an HTTP/2 client comes back to it.
pub const IDLE_CONNECTION_SECONDS_MAX: u64 = 60;
/// A client that takes nothing this long of a response that is ready is cut off. The kernel takes a
/// third of [`SOCKET_SEND_BUFFER_BYTES`] at once, so that one byte in time means 3 KiB/s.
pub const RESPONSE_STALL_SECONDS_MAX: u64 = 30;
/// What the kernel holds of a response for a slow client (Linux doubles it). Left alone it grows to 4 MiB.
pub const SOCKET_SEND_BUFFER_BYTES: usize = 128 * 1024;
/// What HTTP/1 buffers of a connection, in each direction; so a request's head is no larger.
pub const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Requests under way on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 100;
/// All headers of one HTTP/2 request together.
pub const HTTP2_HEADER_BYTES_MAX: u32 = 16 * 1024;
/// What HTTP/2 buffers of one response beside the chunk that it is at.
pub const HTTP2_SEND_BYTES_MAX: usize = 64 * 1024;
/// What HTTP/2 buffers of all bodies of a connection that nobody has read yet. It is also what a client
/// sends in one round trip: 10 MB/s at 50 ms.
pub const HTTP2_WINDOW_BYTES: u32 = 512 * 1024;
/// The time that a client is waited for, of which each window must bring [`BODY_WINDOW_BYTES_MIN`].
pub const BODY_WINDOW_SECONDS: u64 = 20;
/// So a body of a package comes with 6.4 KiB/s at least: a poor telephone line, and no drip.
pub const BODY_WINDOW_BYTES_MIN: u64 = 128 * 1024;
/// The whole of a body that holds fields alone.
pub const SMALL_BODY_SECONDS_MAX: u64 = 10;
/// Small bodies that are arriving in one API process, of 128 KiB at most each.
pub const ARRIVING_BODIES_MAX: usize = 8_000;
/// Of those, for one client.
pub const ARRIVING_BODIES_SHARE_MAX: usize = 256;
/// Uploads whose bytes one API process takes at the same time; at 9 MiB each that is under 600 MiB.
pub const UPLOADS_IN_FLIGHT_MAX: usize = 64;
/// Of those, for one client: more do not make its uploads faster.
pub const UPLOADS_IN_FLIGHT_SHARE_MAX: usize = 12;
/// Requests that are under way in one API process, beside uploads and those that only wait: each may hold
/// a body of 64 KiB, and wait for one of 20 connections to PostgreSQL.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 2_000;
/// Of those, for one client.
pub const REQUESTS_IN_FLIGHT_SHARE_MAX: usize = 500;
/// Requests that wait for an end in one API process: each looks once a second.
pub const WAITS_MAX: usize = 4_000;
/// Of those, for one client.
pub const WAITS_SHARE_MAX: usize = 500;
/// Event streams of one API process.
pub const STREAMS_MAX: usize = 2_000;
/// Of those, for one client.
pub const STREAMS_SHARE_MAX: usize = 200;
/// Bodies of refused requests that one API process reads to their end, so that their clients see why.
pub const LINGERING_MAX: usize = 256;
/// Of those, for one client.
pub const LINGERING_SHARE_MAX: usize = 8;
/// A refused client may go on sending this long.
pub const LINGER_SECONDS_MAX: u64 = 10;
/// And this much: several times the largest body that is taken, for those who sent too much.
pub const LINGER_BYTES_MAX: u64 = 4 * JSON_BODY_BYTES_MAX;
/// Parts of a form: each field once, and two files.
pub const FORM_PARTS_MAX: usize = 64;
/// What stands in front of a form's first part, and the head of each part.
pub const FORM_HEAD_BYTES_MAX: u64 = 16 * 1024;
/// Connections one API process holds.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Of those, for one network ([`crate::admission::Network`]): an office behind one address, or twenty
/// such attackers to fill them all, each of whom must keep its connections busy.
pub const CONNECTIONS_PER_NETWORK_MAX: usize = 512;
/// Longest `Prefer: wait=N`.
pub const WAIT_SECONDS_MAX: u64 = 60;
/// Longest life of an event stream; clients reconnect.
pub const EVENT_STREAM_SECONDS_MAX: u64 = 600;
/// A presigned upload or download address.
pub const PRESIGNED_SECONDS: u64 = 900;
/// How long a client may take from asking for addresses to the commit.
pub const SESSION_SECONDS: u64 = 3600;
/// Names of models.
pub const MODEL_NAME_CHARS_MAX: usize = 100;
/// A signed statement in its compact form: a receipt takes about one KiB.
pub const SIGNED_STATEMENT_BYTES_MAX: usize = 8 * 1024;
/// A file of public keys (JWKS), 200 bytes each.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1024;
/// A webhook address.
pub const WEBHOOK_URL_CHARS_MAX: usize = 2048;
/// An `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long an answer is kept for its key.
pub const IDEMPOTENCY_HOURS: i64 = 24;

/// A worker's word that it lives: renewed each second, so four may be lost. With the sweep behind
/// it, a killed worker's jobs run again within 7 s.
pub const LEASE: Duration = Duration::from_secs(5);
/// Between two renewals.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Between two sweeps for what is due and not running.
pub const SWEEP: Duration = Duration::from_millis(250);
/// What was pushed this recently is still on its way, and not swept.
pub const SWEEP_AGE_MIN: Duration = Duration::from_millis(500);
/// Jobs one step of the sweep pushes.
pub const SWEEP_JOBS_MAX: i64 = 500;
/// Leases one statement takes.
pub const LEASE_BATCH_MAX: usize = 64;
/// Alarms one statement rings.
pub const RING_BATCH_MAX: usize = 256;
/// Alarms that wait to be rung; above it they are left to the sweep.
pub const RING_BACKLOG_MAX: usize = 16_384;
/// Times a job may bring down its worker before it is quarantined.
pub const CRASHES_MAX: i32 = 5;
/// Kept history of ended jobs.
pub const FINISHED_JOB_HOURS: i64 = 72;
/// SIGTERM to exit: what runs may finish, the rest is given back.
pub const DRAIN: Duration = Duration::from_secs(25);
/// Between two folds of the ledger: so old may the row of a hot account be.
pub const FOLD: Duration = Duration::from_millis(500);
/// Deltas one fold takes: it holds the rows of hot accounts for some milliseconds.
pub const FOLD_DELTAS_MAX: i32 = 20_000;
/// Between two audits of the ledger.
pub const AUDIT: Duration = Duration::from_secs(60);
/// One statement of an audit: it reads whole tables.
pub const AUDIT_STATEMENT_SECONDS_MAX: u64 = 300;
/// A page of a statement.
pub const STATEMENT_ROWS_MAX: i64 = 100;
/// Why an operator gives credits.
pub const ADJUSTMENT_REASON_CHARS_MAX: usize = 500;
/// A page of an operator's list.
pub const PAGE_ROWS_MAX: i64 = 200;

/// The platform's fee may be set up to this: half of the price.
pub const FEE_BASIS_POINTS_MAX: u16 = 5_000;
/// Purchases that one transaction settles. More add latency and hardly speed.
pub const SETTLE_BATCH_MAX: usize = 32;
/// Transactions that settle at once in one worker: more only wait for each other.
pub const SETTLE_CONNECTIONS: usize = 4;
/// Tries to record a purchase while earlier ones of the same buyer keep ending under its hands.
pub const PURCHASE_TRIES_MAX: usize = 3;
/// How long a purchase may wait for its settlement before its hold is given back.
pub const PURCHASE_SECONDS: u64 = 3600;
/// How long a purchase may wait for a card.
pub const CARD_PURCHASE_SECONDS: u64 = 3600;
/// A quote holds its price this long.
pub const QUOTE_SECONDS: i64 = 600;
/// The right to download lasts this long; its owner may renew it (design §3 row 13).
pub const GRANT_SECONDS: u64 = 7 * 24 * 3600;
/// A grant that has longer to live is not renewed, so that asking twice changes nothing more.
pub const GRANT_FRESH_SECONDS: u64 = 6 * 24 * 3600;
/// A page of a client's list.
pub const CLIENT_PAGE_ROWS_MAX: i64 = 50;
/// Counts of sales and downloads that one statement folds into the packages.
pub const COUNTER_FOLD_ROWS_MAX: i64 = 10_000;
/// How long a request waits for its purchase when the client does not say (design §3 row 8).
pub const PURCHASE_WAIT_SECONDS: u64 = 10;
/// How long after its settlement a buyer may hand a purchase back.
pub const REFUND_SECONDS: u64 = 7 * 24 * 3600;
/// How long after its settlement a buyer may dispute a purchase.
pub const DISPUTE_SECONDS: u64 = 30 * 24 * 3600;
/// What a buyer may write about a dispute.
pub const DISPUTE_DESCRIPTION_CHARS_MAX: usize = 2000;
/// Why something was refunded, decided or returned.
pub const REASON_CHARS_MAX: usize = 500;
/// What the bank or the card provider calls a payout.
pub const PAYOUT_REFERENCE_CHARS_MAX: usize = 200;

/// Until a connection to the card provider is there: nothing was sent, so giving up is cheap.
pub const CARD_CONNECT: Duration = Duration::from_secs(3);
/// A whole request to the card provider. Longer than a bank usually thinks; giving up leaves the
/// outcome unknown.
pub const CARD_REQUEST: Duration = Duration::from_secs(15);
/// An answer of the card provider: a payment with all its metadata is far smaller.
pub const CARD_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The least that the card provider charges, in minor units: 0.50 dollars.
pub const CARD_AMOUNT_MINOR_MIN: i64 = 50;
/// The most that it charges at once, in minor units: eight digits.
pub const CARD_AMOUNT_MINOR_MAX: i64 = 99_999_999;
/// A card as its provider calls it.
pub const CARD_METHOD_CHARS_MAX: usize = 100;
/// The provider forgets an idempotency key after 24 h; from then on the same again could charge anew.
pub const CARD_KEY_AGE_MAX: Duration = Duration::from_secs(23 * 3600);
/// First pause before an open payment that nobody touches is looked at; it doubles.
pub const CARD_LOOK_MIN: Duration = Duration::from_secs(30);
/// Longest pause between two looks.
pub const CARD_LOOK_MAX: Duration = Duration::from_secs(300);
/// Open payments that one round of the sweep wakes.
pub const CARD_LOOKS_ROWS_MAX: i64 = 100;
/// How long a notice of the card provider is remembered; it repeats one for three days.
pub const CARD_NOTICE_HOURS: i64 = 30 * 24;
/// The longest `Retry-After` of the card provider that is believed.
pub const CARD_RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// The body of an event that is sent in full; a larger one is sent as a reference.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 256 * 1024;
/// Deliveries that one endpoint has in the hands of a worker.
pub const CLAIM_ROWS_MAX: usize = 64;
/// Deliveries with their bytes that one statement claims, for all endpoints together.
pub const CLAIM_STATEMENT_ROWS_MAX: usize = 2048;
/// Between two statements that claim: so old may a delivery become under load before it is seen.
pub const CLAIM_PACE: Duration = Duration::from_millis(20);
/// How long a worker waits for more for an endpoint before its alarm rests.
pub const CLAIM_LINGER: Duration = Duration::from_secs(1);
/// Attempts that one statement records.
pub const FINISH_BATCH_MAX: usize = 128;
/// Between two statements that record: so much may be sent twice after a kill.
pub const FINISH_PACE: Duration = Duration::from_millis(20);
/// A worker gives an endpoint back after this, so that it is sent to by its newest rules.
pub const DRAIN_RUN: Duration = Duration::from_secs(30);
/// A pause between two sends that is not worth holding a worker's slot for.
pub const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Requests to receivers that one worker process has under way.
pub const SENDS_MAX: usize = 1024;
/// Of those, for one tenant.
pub const TENANT_SENDS_MAX: usize = 128;
/// Of those, for retries: 30 %.
pub const RETRY_SENDS_MAX: usize = 307;
/// Of those, for endpoints that are slow or just recovering: 20 %.
pub const SLOW_SENDS_MAX: usize = 204;
/// Registered endpoints of one tenant.
pub const ENDPOINTS_MAX: i64 = 50;
/// News of one subject that waits for earlier news of it: an ordered endpoint's plan ends here.
pub const ORDERED_HOURS_MAX: u64 = 72;
/// Alarms that one round of the sweep rings.
pub const RECONCILE_ROWS_MAX: i64 = 500;
/// What a disabled endpoint did not hear is kept for it so long.
pub const HELD_DAYS: i32 = 30;
/// Old events that one round forgets.
pub const WEBHOOK_PRUNE_ROWS_MAX: i64 = 5_000;
/// A due delivery that waits longer, or a claim that takes longer, is a stall.
pub const WEBHOOK_STALL_SECONDS: f64 = 60.0;
/// Secrets of one endpoint that sign at the same time.
pub const LIVE_SECRETS_MAX: i64 = 3;
/// How long an old secret signs beside the new one when its owner does not say.
pub const SECRET_OVERLAP_SECONDS: u64 = 24 * 3600;
/// How long it may.
pub const SECRET_OVERLAP_SECONDS_MAX: u64 = 7 * 24 * 3600;
/// What an owner notes about an endpoint.
pub const ENDPOINT_DESCRIPTION_CHARS_MAX: usize = 500;
/// Requests per second that one endpoint may get.
pub const ENDPOINT_RATE_MAX: i64 = 1000;
/// Requests to one endpoint under way.
pub const ENDPOINT_CONCURRENCY_MAX: i64 = 64;
/// How long one request to an endpoint may take, least and most.
pub const ENDPOINT_TIMEOUT_SECONDS: (i64, i64) = (5, 30);
/// How far back a recovery reaches.
pub const RECOVERY_DAYS_MAX: i64 = 30;
/// Deliveries that one step of a recovery queues.
pub const RECOVERY_STEP_ROWS: i64 = 500;
/// The share of an endpoint's rate that a recovery uses.
pub const RECOVERY_RATE_SHARE: f64 = 0.2;
/// Attempts that a delivery's timeline shows.
pub const WEBHOOK_ATTEMPTS_SHOWN_MAX: i64 = 100;
/// A request that describes an endpoint: twenty headers of 4 KiB, and room for the rest.
pub const WEBHOOK_BODY_REQUEST_BYTES_MAX: usize = 128 * 1024;
/// Live keys of one account.
pub const KEYS_MAX: i64 = 20;
/// How long a replaced key lives on beside the new one when its owner does not say.
pub const KEY_OVERLAP_SECONDS: u64 = 24 * 3600;
/// How long it may.
pub const KEY_OVERLAP_SECONDS_MAX: u64 = 7 * 24 * 3600;
/// An access token.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// A refresh token, and so a session that nobody uses.
pub const REFRESH_TOKEN_SECONDS: i64 = 7 * 24 * 3600;
/// Sessions of one user; the oldest makes room.
pub const SESSIONS_MAX: i64 = 50;
/// How long somebody may be at GitHub.
pub const OAUTH_SECONDS: i64 = 600;
/// Passwords: long enough to be safe from guessing, short enough to be hashed.
pub const PASSWORD_CHARS: (usize, usize) = (10, 128);
/// Password hashes that one process works out at once, at 19 MiB each, if it has twice as many cores.
pub const PASSWORD_HASHES_MAX: usize = 4;
/// What somebody says of themselves.
pub const ABOUT_CHARS_MAX: usize = 1000;
/// What an agent says of itself, as JSON.
pub const METADATA_BYTES_MAX: usize = 4096;
/// Packages of one batch (the seed's figure).
pub const BATCH_PACKAGES_MAX: usize = 10;
/// Results of a search that pages reach.
pub const SEARCH_RESULTS_MAX: i64 = 200;
/// A review, and the answer to one.
pub const REVIEW_CHARS_MAX: usize = 2000;
/// Packages that one API process judges in memory at once, without an upload: at 50 MiB and what a verdict
/// takes beside it, half a GiB.
pub const VALIDATIONS_MAX: usize = 2;
/// Packages that are judged or wait for it; they wait in files.
pub const VALIDATIONS_WAITING_MAX: usize = 32;
/// Of those, for one client.
pub const VALIDATIONS_WAITING_SHARE_MAX: usize = 2;
/// How long a package waits for its turn.
pub const VALIDATION_WAIT_SECONDS_MAX: u64 = 30;
/// A line of the log: what a process says in one sentence, with an error and its causes.
pub const LOG_LINE_BYTES_MAX: usize = 8 * 1024;
/// One text in a line that is longer.
pub const LOG_TEXT_CHARS_MAX: usize = 1_000;
/// The target of an act in the audit log, which is a path that a client wrote.
pub const AUDIT_TARGET_CHARS_MAX: usize = 200;

// Credentials that are used for long.
/// Between two looks at the key or session of a request that waits or streams, in case the message that
/// it was revoked is lost: so long a revoked one may still be told something.
pub const CREDENTIAL_RECHECK: Duration = Duration::from_secs(5);
/// Terms of one search; what follows is left out.
pub const SEARCH_TERMS_MAX: usize = 12;
/// Terms of one search that are corrected if they are misspelt: each costs as much as a search.
pub const SEARCH_CORRECTED_TERMS_MAX: i64 = 3;
/// Characters of a word that is corrected: shorter ones are like everything, longer ones cost a comparison of
/// each of their trigrams.
pub const SEARCH_CORRECTED_WORD_CHARS: (usize, usize) = (4, 24);
/// Words that a misspelt one is compared with, of those that share enough trigrams with it.
pub const SEARCH_CANDIDATE_WORDS_MAX: i64 = 1_000;
/// Packages that a search looks through of those that the index finds, beside the most popular ones.
pub const SEARCH_ROWS_MAX: i64 = 5_000;
/// Units that each corrected term takes of the client's rate windows, beside the one of the request.
pub const SEARCH_CORRECTION_UNITS: i64 = 2;
/// Searches that one API process works out at once: PostgreSQL has other things to do, on two cores.
pub const SEARCHES_MAX: usize = 3;
/// Of those, for one network or account.
pub const SEARCHES_PER_CLIENT_MAX: usize = 1;
/// Searches that wait for their turn in one API process.
pub const SEARCHES_WAITING_MAX: usize = 256;
/// Of those, for one network or account: a page that asks for several things at once.
pub const SEARCHES_WAITING_PER_CLIENT_MAX: usize = 16;
/// How long a search waits for its turn before its client is told to come back.
pub const SEARCH_TURN_MAX: Duration = Duration::from_secs(1);
/// Bytes of answers about the market that one API process keeps until the market changes: some 2,000 pages of
/// ten packages, each in three versions of the API.
pub const CATALOGUE_KEPT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of answers about the market that one API process gives without looking whether they are old.
pub const CATALOGUE_FRESH_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Questions about the market that one API process remembers: what is asked once is not kept.
pub const CATALOGUE_QUESTIONS_MAX: u64 = 65_536;
/// Days that trending looks back; within them an account counts once for a package.
pub const TRENDING_DAYS: i32 = 7;
/// Words that one round of the sweep takes from those that spelling is corrected by.
pub const WORDS_SWEPT_MAX: i64 = 10_000;

/// How long an unpaid purchase keeps supply from others, in seconds from when its payment method was
/// accepted: enough to confirm a payment with one's bank, too short to keep a listing off the market.
pub const CARD_RESERVATION_SECONDS: u64 = 600;
/// Listings that one account may have reserved at a time; a sixth purchase waits for its payment without
/// a reservation.
pub const RESERVATIONS_MAX: i64 = 5;
/// For so many seconds after a reservation an account does not reserve the same listing again: else it
/// would keep it for ever by asking anew.
pub const RESERVATION_PAUSE_SECONDS: u64 = 6 * 3600;
/// Reservations that are over which one round of the sweep gives back.
pub const RESERVATIONS_SWEPT_MAX: i64 = 500;
/// Payments that one purchase may begin, one after the other.
pub const PAYMENTS_PER_PURCHASE_MAX: i64 = 5;
/// Quotes of one account that have not run out: each keeps a price and a row.
pub const QUOTES_LIVE_MAX: i64 = 500;
/// Purchases that an account may hand back after a download without an operator, within
/// [`RETURNS_DAYS`]: honest mistakes are fewer, and whoever reads everything for nothing is stopped.
pub const RETURNS_MAX: i64 = 3;
/// The days that [`RETURNS_MAX`] counts.
pub const RETURNS_DAYS: i32 = 30;
/// How long after its settlement the share of a sale can be drawn, in seconds: as long as it may be
/// refunded or disputed, and a day for clocks that differ and transactions that are under way.
pub const PAYOUT_MATURITY_SECONDS: u64 = DISPUTE_SECONDS + 24 * 3600;
const _: () = assert!(PAYOUT_MATURITY_SECONDS > DISPUTE_SECONDS);
const _: () = assert!(PAYOUT_MATURITY_SECONDS > REFUND_SECONDS);

/// The least that a job costs: the time of a slot for its lease, some statements and a durable commit on a
/// busy disk.
pub const JOB_COST_MIN: Duration = Duration::from_millis(60);
/// The most that a job counts as, so that one estimate does not send a tenant away for good.
pub const JOB_COST_MAX: Duration = Duration::from_secs(10);
/// A job that costs more is heavy: it waits in the bulk lane whoever sent it, so that the slots of the fast
/// lane are free again within this time.
pub const JOB_LIGHT_COST_MAX: Duration = Duration::from_millis(250);
/// What a tenant may have outstanding in a queue before its work takes the bulk lane: sixteen of the least.
/// With two slots or more it delays the light work of others by half a second at most.
pub const TENANT_FAST_COST_MAX: Duration = Duration::from_millis(1000);
/// Judging one MiB of a package; the time grows with the 1.5th power of the size. Measured with square W of
/// 16 bits, sides of 256 to 1,536: 72 to 93 ms; 32 bits and larger sides take less.
pub const JUDGED_MEBIBYTE_COST: Duration = Duration::from_millis(95);
/// Moving one MiB from the store and back: 50 MiB/s.
pub const MOVED_MEBIBYTE_COST: Duration = Duration::from_millis(20);
/// The largest package that is light to judge, in bytes.
pub const LIGHT_PACKAGE_BYTES_MAX: u64 = 3 * 1024 * 1024 / 2;
/// Endpoints that one worker process sends to at once, each a slot of the queue. Less than the slots of one
/// lane, so that recoveries always find one.
pub const DRAINS_MAX: usize = 1000;
/// Of those, for one tenant: as many as it may have requests.
pub const TENANT_DRAINS_MAX: usize = TENANT_SENDS_MAX;
/// The shortest time for which an endpoint beyond its tenant's share is put off: a drain of others lasts at
/// least so long.
pub const DRAIN_POSTPONED_MIN: Duration = CLAIM_LINGER;
/// Between two endpoints of one tenant that come back from being put off: as fast as a tenant's share of
/// drains can end, so that a longer line costs no more statements per second.
pub const DRAIN_POSTPONED_SPACING: Duration = Duration::from_millis(8);

/// Sign-ins that look up in the database at once whom they are about: less than half of its connections.
pub const SIGN_IN_LOOKUPS_MAX: usize = 8;
/// Sign-ins that wait to: above it a second of work waits already.
pub const SIGN_IN_LOOKUPS_WAITING_MAX: usize = 256;
/// What such a look-up is expected to take.
pub const SIGN_IN_LOOKUP_COST: Duration = Duration::from_millis(5);
/// Password hashes that wait for one of the few slots: at 30 ms each, some seconds of work. A request that
/// waits longer is better told to come back.
pub const PASSWORD_WAITING_MAX: usize = 128;
/// Of those, for one network, or for one account from devices that it knows.
pub const PASSWORD_SHARE_MAX: usize = 8;
/// What a password hash is expected to cost, of one core.
pub const PASSWORD_HASH_COST: Duration = Duration::from_millis(30);
/// After this long half of what a network or an account cost in hashes is forgotten.
pub const PASSWORD_COST_HALF_LIFE: Duration = Duration::from_secs(10);
/// What a device or network that signed in before has on strangers of equal cost: thirty hashes.
pub const PASSWORD_KNOWN_LEAD: Duration = Duration::from_secs(1);
/// When hashes have no room: come back after so many seconds.
pub const PASSWORD_BUSY_SECONDS: u32 = 1;
/// Wrong passwords for one login from one device that signed in to it before, or from one network
/// without such a device: (tries, seconds). Strangers share neither window.
pub const WRONG_PASSWORDS_KNOWN: (u64, u64) = (20, 900);
/// Wrong passwords for one login from one network that never signed in to it: the delay grows from half a
/// minute over a quarter of an hour to a day.
pub const WRONG_PASSWORDS_STRANGER: [(u64, u64); 3] = [(3, 30), (6, 900), (20, 86_400)];
/// A network's first wrong password for one login within a day, which is counted apart from its next ones.
pub const WRONG_PASSWORDS_FIRST: (u64, u64) = (1, 86_400);
/// Wrong passwords for one login from all networks that tried it first within a day. To fill this for
/// others takes twenty new networks each minute; and then a newcomer waits for half a minute at most.
pub const WRONG_PASSWORDS_NEWCOMERS: (u64, u64) = (10, 30);
/// Wrong passwords for one login from all networks that were wrong about it within the day.
pub const WRONG_PASSWORDS_RETRIES: (u64, u64) = (5, 30);
/// Wrong passwords for any logins from one network that knows none of them.
pub const WRONG_PASSWORDS_NETWORK: (u64, u64) = (60, 900);
/// Wrong old passwords of one session that sets a new one.
pub const WRONG_PASSWORDS_SESSION: (u64, u64) = (10, 900);
/// Devices that one account knows; the one unused for longest makes room.
pub const SIGN_IN_DEVICES_MAX: i64 = 20;
/// How long a device that is not used is known: as long as browsers keep a cookie.
pub const SIGN_IN_DEVICE_SECONDS: i64 = 400 * 86_400;
/// Wrong operators' tokens from one network: (tries, seconds). The token has 16 characters at least.
pub const WRONG_OPERATORS: (u64, u64) = (10, 900);
/// Entries of the audit log about refused operators: of one network, so that each attack is seen ...
pub const REFUSED_OPERATORS_AUDITED: (u64, u64) = (1, 900);
/// ... and of all, so that nobody fills a table that nothing is ever deleted from: 9,600 rows a day.
pub const REFUSED_OPERATORS_AUDITED_ALL: (u64, u64) = (100, 900);
