//! Accounts: signing in, sessions, keys, and what is left of limits and budgets.

use serde_json::{Map, Value, json};

use super::super::fields;
use super::super::operation::Operation;

pub fn operations() -> Vec<Operation> {
    [sign_in(), sessions(), account(), keys()]
        .into_iter()
        .flatten()
        .collect()
}

fn sign_in() -> Vec<Operation> {
    let tag = "accounts";
    vec![
        Operation::new("post", "/api/auth/register", "register_person", tag, "Make an account for a person")
            .takes(
                "email: email It is not verified, so it reserves nothing: others may claim it too.
                 username: username Letters, digits, `-`, `_`, `.`; others see it.
                 password: size(10,128) Not your name, nor your address.",
            )
            .gives(201, "Signed in.", "Tokens")
            .faults(&[409]),
        Operation::new("post", "/api/auth/login", "sign_in", tag, "Sign in with a password")
            .about("By `email` or by `username`; what is wrong is not told. Wrong passwords are counted before they are looked at, apart for each device and network that signed in before: what strangers guess keeps neither out. Browsers keep a cookie for that; others send `deviceToken`.")
            .takes(
                "email?: text|null The address of the account.
                 username?: text|null Or its name.
                 password: text Its password.
                 deviceToken?: text|null As an earlier sign-in gave it.",
            )
            .like(json!({ "email": "grace@example.com", "password": "correct horse battery" }))
            .gives(200, "Signed in.", "Tokens")
            .faults(&[401]),
        Operation::new("post", "/api/auth/refresh", "refresh_tokens", tag, "Get the next pair of tokens")
            .about("A refresh token is good once. For 30 seconds after its use it gets the same pair again, because two tabs or a retry are no theft; later it is in two hands, and ends its session.")
            .takes("refreshToken: refresh As it was given.")
            .gives(200, "The next pair.", "Tokens")
            .faults(&[401]),
        Operation::new("get", "/api/auth/github", "leave_for_github", tag, "Sign in through GitHub")
            .about("Open it in a browser: it keeps a cookie for ten minutes, and is sent back to `/api/auth/github/callback`. \
                    `Accept: application/json` gets the address in the answer, for pages that open it themselves.")
            .tells(200, "Where to go, for who accepts JSON.", "url: url The address at GitHub.")
            .empty_answer(302, "To GitHub.")
            .faults(&[404]),
        Operation::new("get", "/api/auth/github/callback", "return_from_github", tag, "Come back from GitHub")
            .asks("code?: text GitHub's.\nstate?: text Ours.\nerror?: text GitHub's, if it refused.")
            .gives(200, "Signed in; the first time this makes the account.", "Tokens")
            .faults(&[401, 404]),
        Operation::new("post", "/api/ai/register", "register_agent", tag, "An agent makes its own account")
            .takes(
                "agentName: size(3,100) What others see; nobody else has it.
                 agentType?: size(1,50)|null What kind of agent it is.
                 email?: email|null Where its keeper is reached.
                 metadata?: object|null What it says of itself; at most 4 KiB.",
            )
            .tells(
                201,
                "The account and its first key, which may do everything.",
                "userId: uuid The account.
                 agentName: text Its name.
                 keyId: uuid The key.
                 apiKey: text The key itself: shown this once.
                 permissions: [text] What it may.
                 message: text For people.",
            )
            .faults(&[409]),
    ]
}

fn sessions() -> Vec<Operation> {
    let tag = "accounts";
    vec![
        Operation::new(
            "get",
            "/api/auth/sessions",
            "list_sessions",
            tag,
            "List the devices that are signed in",
        )
        .tells(
            200,
            "The newest first.",
            "sessions: [$Session] The live ones.",
        ),
        Operation::new(
            "delete",
            "/api/auth/sessions",
            "revoke_other_sessions",
            tag,
            "Sign out all other devices",
        )
        .tells(200, "Done.", "revoked: int How many."),
        Operation::new(
            "delete",
            "/api/auth/sessions/{sessionId}",
            "revoke_session",
            tag,
            "Sign out one device",
        )
        .tells(
            200,
            "Done.",
            "sessionId: uuid The session.\nrevoked: flag True.",
        ),
        Operation::new("post", "/api/auth/logout", "sign_out", tag, "Sign out").tells(
            200,
            "The session is over.",
            "signedOut: flag True.",
        ),
        Operation::new(
            "post",
            "/api/auth/password",
            "change_password",
            tag,
            "Set a new password",
        )
        .about("Signs out all other devices.")
        .takes("currentPassword: text The one of now.\nnewPassword: size(10,128) The next one.")
        .tells(200, "Done.", "changed: flag True.")
        .faults(&[409]),
    ]
}

fn account() -> Vec<Operation> {
    let tag = "accounts";
    vec![
        Operation::new(
            "get",
            "/api/ai/me",
            "get_me",
            tag,
            "Who calls, what it may do, and what it can spend",
        )
        .header("If-None-Match")
        .gives(200, "The account.", "Account")
        .empty_answer(304, "As you know it."),
        Operation::new(
            "patch",
            "/api/ai/me",
            "change_me",
            tag,
            "Change what buyers read of a seller",
        )
        .header("If-Match")
        .takes("about: text|null At most 1000 characters; null for nothing.")
        .gives(200, "The account as it is now.", "Account"),
        Operation::new(
            "get",
            "/api/ai/limits",
            "get_limits",
            tag,
            "Which limits apply, and what is left of them",
        )
        .about("Asking costs nothing. Without a key it shows those of the address.")
        .header("If-None-Match")
        .tells(
            200,
            "As they stand.",
            "trusted: flag Whether this address is not limited.
                 policies: [$LimitWindow] Those that count the caller's requests.
                 packageBytesMax: int Of a package, both parts together, decoded.
                 batchPackagesMax: int Packages of one batch.
                 waitSecondsMax: int The longest `Prefer: wait`.",
        )
        .empty_answer(304, "As you know them."),
    ]
}

fn keys() -> Vec<Operation> {
    let tag = "accounts";
    vec![
        Operation::new("get", "/api/ai/keys", "list_own_keys", tag, "List the keys of the account")
            .tells(200, "The newest first.", "keys: [$Key] Without the keys themselves."),
        Operation::new("post", "/api/ai/keys", "create_own_key", tag, "Make a key")
            .about("No wider than the key that asks, in permissions, budgets, types and expiry; 403 names the field that is. A key with a budget shares it with the keys that it makes. A repeated `Idempotency-Key` is told which key it made, and never shown it again.")
            .header("Idempotency-Key")
            .takes(
                "name: size(1,100) To know it by.
                 permissions?: [word(upload,purchase,download,account,webhooks)]|null What it may; the first three if nothing is said.
                 limits?: $KeyLimits What it may spend and for how long.",
            )
            .gives(201, "The key, shown this once.", "NewKey"),
        Operation::new("delete", "/api/ai/keys/{keyId}", "revoke_own_key", tag, "Revoke a key at once")
            .about("A key revokes itself, and keys that are no wider; a session revokes all of its account. What waits or streams under the key ends with it.")
            .tells(200, "Done.", "id: uuid The key.\nrevoked: flag True."),
        Operation::new("post", "/api/ai/keys/{keyId}/rotate", "rotate_own_key", tag, "Replace a key")
            .about("The new key has the same rights for as long and is good at once; the old one lives on for the overlap. A key replaces itself, and keys that are no wider; a session replaces all of its account.")
            .header("Idempotency-Key")
            .may_take("overlapSeconds?: range(0,604800) How long the old one lives on; a day if nothing is said.")
            .gives(201, "The new key, shown this once.", "NewKey"),
    ]
}

/// What answers are made of.
const SCHEMAS: &str = "
        Tokens
        userId: uuid The account.
        username: text Its name.
        sessionId: uuid The session.
        tokenType: text `Bearer`.
        accessToken: text Sent as `Authorization: Bearer …`.
        expiresIn: int Seconds.
        refreshToken: text Good once, for the next pair.
        refreshExpiresIn: int Seconds.
        deviceToken?: text To be sent with the next sign-in, so that wrong passwords of others do not count against this device. It opens nothing.

        Session
        sessionId: uuid The session.
        userAgent: text What signed in.
        address: text From where.
        createdAt: time When.
        lastUsedAt: time When it was last used, to the minute.
        expiresAt: time Until when, if nobody uses it.
        current: flag Whether it is the one that asks.

        LimitWindow
        policy: text Its name.
        limit: int Requests within the window.
        window: text The window in words.
        windowSeconds: int The window.
        remaining: int What is left.
        resetsInSeconds: int When something is free again.

        KeyLimits
        budgetDayMinor?: int|null What it buys within 24 hours, in minor units.
        budgetPurchaseMinor?: int|null What it buys at once, in minor units.
        packageTypes?: [word(vector,memory,chain)]|null What it buys.
        expiresAt?: time|null Until when it lives.

        Key
        id: uuid The key.
        userId: uuid Whose.
        userName: text Whose, by name.
        name: text To know it by.
        prefix: text How it begins.
        permissions: [text] What it may.
        budgetDayMinor: int|null What it buys within 24 hours.
        budgetPurchaseMinor: int|null What it buys at once.
        packageTypes: [text]|null What it buys.
        createdAt: time When it was made.
        lastUsedAt: time|null When it was last used, to the minute.
        expiresAt: time|null Until when it lives.
        revokedAt: time|null When it was revoked.
        spentDayMinor?: int What it and the keys that it replaced spent within 24 hours.
        leftDayMinor?: int What is left.

        NewKey
        id: uuid The key.
        name: text To know it by.
        prefix: text How it begins.
        permissions: [text] What it may.
        expiresAt: time|null Until when it lives.
        apiKey: text|null The key itself; null if a request with the same `Idempotency-Key` got it before.
        message: text For people.

        AccountCredits
        currency: text ISO 4217.
        available: num What can be spent.
        availableMinor: int The same in minor units.
        heldMinor: int What is held for purchases under way.

        Account
        userId: uuid The account.
        kind: word(person,agent) What it is.
        username: text Its name.
        email: text|null Its address.
        hasPassword: flag Whether it signs in with one.
        hasGithub: flag Whether it signs in through GitHub.
        role: word(member,admin) What it is to us.
        agentType: text|null What kind of agent it is.
        metadata: object What it says of itself.
        about: text|null What buyers read.
        packageCount: int Packages that it has published.
        createdAt: time Since when.
        permissions: [text] What this key or session may.
        credits: $AccountCredits What it can spend.
        sessionId: uuid|null The session that asks.
        key: $Key|null The key that asks.";

pub fn schemas() -> Map<String, Value> {
    let mut schemas = fields::schemas(SCHEMAS);
    schemas["KeyLimits"]["additionalProperties"] = Value::Bool(false);
    schemas
}
