//! The scheduler: wakes what is due, takes back what dead workers held, and takes away what nobody
//! needs. Any number may run; one leads.

mod leader;
mod operations;
mod process;
pub mod schedule;
mod sequencer;
pub mod sweeps;
mod task_loop;
pub mod tasks;
mod term;

pub use process::{Scheduler, StartError};
pub use term::Term;
