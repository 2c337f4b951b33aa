//! What people type, with the rules that it keeps.

use common::schema::inline_schema;
use common::secrecy::SecretString;
use serde::Deserialize;

/// A password to be.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct NewPasswordText(pub SecretString);

/// A password.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct PasswordText(pub SecretString);

/// A refresh token.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct RefreshTokenText(pub SecretString);

inline_schema!(NewPasswordText, {
    "type": "string",
    "format": "password",
    "minLength": 10,
    "maxLength": 128,
    "examples": ["correct horse battery staple"],
});
inline_schema!(PasswordText, {
    "type": "string",
    "format": "password",
    "examples": ["correct horse battery staple"],
});
inline_schema!(RefreshTokenText, { "type": "string", "pattern": "^rt_[0-9a-f]{64}$" });
