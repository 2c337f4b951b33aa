//! The scheduler: wakes what is due, takes back what dead workers held, and takes away what nobody
//! needs. Any number may run; one leads.

mod leader;
mod operations;
mod process;
pub mod sweeps;

pub use process::{Scheduler, StartError};
