//! Accounts: how people sign in and agents register, what their sessions are, and what operators do
//! about both.
//!
//! ```text
//! register | sign in | GitHub ──▶ session ──refresh──▶ session …  ──▶ signed out, revoked, reused, expired
//! ```
//!
//! Guarantees: passwords are kept as argon2id; a wrong e-mail address costs as much time as a wrong
//! password; an access token dies with its session at once; a refresh token is good once, and one that
//! comes back ends its session. E-mail addresses are not verified, so they prove nothing: GitHub never
//! opens an account because of one.

pub mod commands;
mod error;
mod github;
mod model;
mod password;
mod queries;
mod token;

pub use error::AccountError;
pub use github::{GitHub, GitHubError, GitHubUser};
pub use model::{Account, Device, Profile, SessionSummary, Tokens, UserSummary};
pub use password::Passwords;
pub use queries::{authenticate, find_account, find_profile, list_sessions, list_users, prune};
pub use token::{AccessClaims, RefreshToken, TokenMaker};
