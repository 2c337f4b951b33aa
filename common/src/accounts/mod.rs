//! Accounts: how people sign in and agents register, what their sessions are, and what operators do
//! about both.
//!
//! ```text
//! register | sign in | GitHub ──▶ session ──refresh──▶ session …  ──▶ signed out, revoked, reused, expired
//! ```
//!
//! Guarantees: passwords are kept as argon2id; a wrong login costs as much time as a wrong password; a
//! session is of one version of the password and dies with it; an access token dies with its session at
//! once; a refresh token is good once, and one that comes back ends its session. E-mail addresses are not
//! verified, so they prove nothing and reserve nothing: any number of accounts may claim one, and GitHub
//! never opens an account because of one (`docs/decisions/0013-unverified-addresses.md`).

pub mod commands;
mod email;
mod error;
mod github;
mod guesses;
mod login;
mod model;
mod opaque;
mod password;
mod queries;
mod token;

pub use error::{AccountError, ReachedGuesses};
pub use github::{GitHub, GitHubError, GitHubUser};
pub use guesses::Guesses;
pub use login::{Credentials, Device, Login};
pub use model::{Account, Profile, SessionSummary, Tokens, UserKind, UserRole, UserSummary};
pub use opaque::{DeviceToken, RefreshToken};
pub use password::{Client, Passwords};
pub use queries::{
    UserFilter, authenticate, find_account, find_profile, list_sessions, list_users, prune_devices,
    prune_oauth_attempts, prune_sessions,
};
pub use token::{AccessClaims, TokenMaker};
