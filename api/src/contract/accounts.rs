//! Accounts: signing in, sessions, keys, and what is left of limits and budgets.

use common::identity::Permission::Account;

use super::operation::{Operation, delete, get, patch, post};
use crate::access::Access::{Anyone, May, Optional, Session, SignedIn};
use crate::limits::Kind;
use crate::routes::{account, auth};

pub fn operations() -> Vec<Operation> {
    let areas = [registration(), sign_in(), sessions(), profile(), keys()];
    let all = areas.into_iter().flatten();
    all.map(|row| row.tagged("accounts")).collect()
}

fn registration() -> Vec<Operation> {
    let rows = vec![
        post(
            "/api/auth/register",
            auth::register_person,
            Anyone,
            "Register a person",
        )
        .gives(201, "The account and its first session.")
        .faults(&[409]),
        post(
            "/api/ai/register",
            account::register_agent,
            Anyone,
            "Register an agent",
        )
        .gives(
            201,
            "The account and its first key, which allows everything.",
        )
        .faults(&[409]),
    ];
    let kind = Some(Kind::Register);
    rows.into_iter().map(|row| row.limited_as(kind)).collect()
}

fn sign_in() -> Vec<Operation> {
    let rows = vec![
        post("/api/auth/login", auth::sign_in, Anyone, "Sign in with a password")
            .about(
                "By `email` or by `username`; the answer does not say which part is wrong. Wrong passwords are counted before \
                 they are looked at, separately for each device and network that signed in before, so that strangers who guess \
                 lock nobody out. Browsers keep a cookie for that; other clients send `deviceToken`.",
            )
            .gives(200, "The session.")
            .faults(&[401]),
        post("/api/auth/refresh", auth::refresh_tokens, Anyone, "Refresh the tokens of a session")
            .about(
                "A refresh token is good once. For 30 seconds after its use it gets the same pair again, because two tabs or a \
                 retry are no theft. Later it is in two hands, and its session ends.",
            )
            .gives(200, "The next pair of tokens.")
            .faults(&[401]),
        get("/api/auth/github", auth::leave_for_github, Anyone, "Sign in through GitHub")
            .about(
                "Open it in a browser: it keeps a cookie for ten minutes, and is sent back to `/api/auth/github/callback`. \
                 `Accept: application/json` gets the address in the answer, for pages that open it themselves.",
            )
            .answers::<auth::GitHubSignIn>()
            .gives(200, "The address, for clients that accept JSON.")
            .empty(302, "A redirect to GitHub.")
            .faults(&[404]),
        get(
            "/api/auth/github/callback",
            auth::return_from_github,
            Anyone,
            "Return from GitHub",
        )
        .without_head()
        .gives(200, "The session. The first time, the account is new.")
        .faults(&[401, 404]),
        post("/api/auth/password", auth::change_password, Session, "Change your password")
            .about("Signs out all other devices.")
            .gives(200, "The password is changed.")
            .faults(&[409]),
    ];
    let kind = Some(Kind::SignIn);
    rows.into_iter().map(|row| row.limited_as(kind)).collect()
}

fn sessions() -> Vec<Operation> {
    vec![
        get(
            "/api/auth/sessions",
            auth::list_sessions,
            May(Account),
            "List your sessions",
        )
        .gives(200, "All that are signed in, newest first."),
        delete(
            "/api/auth/sessions",
            auth::revoke_other_sessions,
            May(Account),
            "Sign out all other devices",
        )
        .gives(200, "How many sessions ended."),
        delete(
            "/api/auth/sessions/{session_id}",
            auth::revoke_session,
            May(Account),
            "Sign out one device",
        )
        .gives(200, "The session, which has ended."),
        post("/api/auth/logout", auth::sign_out, Session, "Sign out")
            .gives(200, "The session has ended."),
    ]
}

fn profile() -> Vec<Operation> {
    vec![
        get("/api/ai/me", account::get_me, SignedIn, "Get your account")
            .about("With what it can spend, and what the key or session allows.")
            .tool("get_me", "Get what this key allows and what it can spend.")
            .gives(200, "The account."),
        patch(
            "/api/ai/me",
            account::change_me,
            May(Account),
            "Change your profile",
        )
        .gives(200, "The account."),
        get(
            "/api/ai/limits",
            account::get_limits,
            Optional,
            "Get your rate limits",
        )
        .about(
            "And what is left of them. This request is not counted. Without a key it shows the \
             limits of the address.",
        )
        .limited_as(None)
        .gives(200, "The limits."),
    ]
}

fn keys() -> Vec<Operation> {
    vec![
        get("/api/ai/keys", account::list_own_keys, May(Account), "List your keys")
            .gives(200, "All of them, newest first, without the keys themselves."),
        post("/api/ai/keys", account::create_own_key, May(Account), "Create a key")
            .about(
                "It is never wider than the key that asks, in permissions, budgets, types and expiry; 403 names the field that \
                 is. A key with a budget shares it with the keys that it makes. A repeated request gets the same key without the \
                 key itself.",
            )
            .gives(201, "The key. It is shown only here."),
        delete("/api/ai/keys/{key_id}", account::revoke_own_key, May(Account), "Revoke a key")
            .about(
                "A key revokes itself, and keys that are no wider; a session revokes all keys of its account. What waits or \
                 streams under the key ends with it.",
            )
            .gives(200, "The key, which is revoked."),
        post("/api/ai/keys/{key_id}/rotate", account::rotate_own_key, May(Account), "Replace a key")
            .about(
                "The new key has the same rights for as long and works at once; the old one works until the overlap is over. A \
                 key replaces itself, and keys that are no wider; a session replaces all keys of its account.",
            )
            .gives(201, "The new key. It is shown only here."),
    ]
}
