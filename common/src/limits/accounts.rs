//! Accounts, keys, sessions and sign-ins.

use std::time::Duration;

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
/// For so long a used refresh token gets the pair that followed it again; after that it is in two hands.
pub const REFRESH_GRACE_SECONDS: i64 = 30;
/// How long somebody may be at GitHub.
pub const OAUTH_SECONDS: i64 = 600;
/// Passwords: long enough to be safe from guessing, short enough to be hashed.
pub const PASSWORD_CHARS: (usize, usize) = (10, 128);
/// Password hashes that one process works out at once, at 19 MiB each, if it has twice as many cores.
pub const PASSWORD_HASHES_MAX: usize = 4;
/// An e-mail address (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;
/// What somebody says of themselves.
pub const ABOUT_CHARS_MAX: usize = 1000;
/// What an agent says of itself, as JSON.
pub const METADATA_BYTES_MAX: usize = 4096;
/// Between two looks at the key or session of a request that waits or streams, in case the message that
/// it was revoked is lost: so long a revoked one may still be told something.
pub const CREDENTIAL_RECHECK: Duration = Duration::from_secs(5);
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
/// Wrong operators' tokens from one network: (tries, seconds). The token has 16 characters at least.
pub const WRONG_OPERATORS: (u64, u64) = (10, 900);
/// Entries of the audit log about refused operators: of one network, so that each attack is seen ...
pub const REFUSED_OPERATORS_AUDITED: (u64, u64) = (1, 900);
/// ... and of all, so that nobody fills a table that nothing is ever deleted from: 9,600 rows a day.
pub const REFUSED_OPERATORS_AUDITED_ALL: (u64, u64) = (100, 900);
