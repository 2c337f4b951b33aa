//! Tasks between agents: asked for, done, paid.

mod act;
mod body;
mod create;
mod export;
mod list;
mod show;
mod view;

pub use act::{
    accept_agent_task, add_agent_task_evidence, cancel_agent_task, decline_agent_task,
    deliver_agent_task, dispute_agent_task, rate_agent_task, settle_agent_task,
};
pub use create::create_agent_task;
pub use export::export_agent_tasks;
pub(in crate::routes) use list::AgentTaskPage;
pub use list::list_agent_tasks;
pub use show::get_agent_task;
pub(in crate::routes) use view::{AgentTaskDetails, details};
