//! The embedded default: everything that Awareness Market needs, private to one folder.
//!
//! Owns a PostgreSQL, a Redis, an S3 endpoint, sandboxes of a webhook receiver, a card provider and
//! GitHub, and the supervision of the three services; `awareness-local` strings them together, the tests use the same pieces.
//! Guarantees that no server outside the given folder is touched and that what was started is
//! stopped. Knows nothing of the domain beyond [`accounts`] and [`demo`].

pub mod accounts;
pub mod cards;
pub mod demo;
pub mod github;
mod leftovers;
pub mod limits;
pub mod ports;
pub mod postgres;
mod private_file;
pub mod process;
mod readiness;
pub mod receiver;
pub mod redis;
pub mod s3;
pub mod stack;
pub mod supervise;
pub mod terminal;
