//! Durable subscriptions: what consumers of one are given, and when it comes again.

mod consumer;
mod delivery;
mod lag;
mod managing;
mod parking;
mod sharing;
mod waiting;
