//! What people see: pure functions from resources and events to text. The commands only fetch and print.

pub mod describe;
pub mod events;
pub mod history;
pub mod plan;
pub mod resource;
pub mod screen;
pub mod text;
pub mod time;
pub mod transition;
pub mod verdict;

use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment};

pub use text::{Palette, Tone, table};
pub use time::Clock;

use events::EventLine;

/// One blue/green resource with all that a view may show of it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The resource.
    pub resource: FlinkBlueGreenDeployment,
    /// `<name>-blue`, if it is there.
    pub blue: Option<FlinkDeployment>,
    /// `<name>-green`, if it is there.
    pub green: Option<FlinkDeployment>,
    /// The address that always leads to the active child's REST API and web UI.
    pub endpoint: Option<String>,
    /// The resource's events, oldest first.
    pub events: Vec<EventLine>,
}

impl Snapshot {
    /// The child of a colour.
    pub const fn child(&self, color: Color) -> Option<&FlinkDeployment> {
        match color {
            Color::Blue => self.blue.as_ref(),
            Color::Green => self.green.as_ref(),
        }
    }

    /// The resource's name.
    pub fn name(&self) -> &str {
        self.resource.metadata.name.as_deref().unwrap_or_default()
    }
}
