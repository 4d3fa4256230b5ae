//! Which artifacts a build has, by kind and product: what commands hand to each other.
//!
//! The engine knows files and their producers; kinds and products are the command graph's notions,
//! and live here. Artifacts keep the order in which they came to be, which is deterministic because
//! the order of commands is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ekiben_engine::{ArtifactId, Location};

use crate::graph::CommandName;
use crate::plugin::protocol::ArtifactInfo;

/// An artifact and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) info: ArtifactInfo,
    pub(crate) id: ArtifactId,
}

#[derive(Debug, Default)]
struct Table {
    order: Vec<Known>,
    makers: HashMap<Location, (usize, CommandName)>,
}

/// All artifacts of a build.
#[derive(Debug, Default)]
pub(crate) struct Artifacts(Mutex<Table>);

impl Artifacts {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an artifact; gives the command that already brought one of that place, if one did.
    pub(crate) fn add(
        &self,
        info: ArtifactInfo,
        id: ArtifactId,
        by: &CommandName,
    ) -> Result<(), CommandName> {
        let mut table = self.table();
        if let Some((_, maker)) = table.makers.get(&info.location) {
            return Err(maker.clone());
        }
        let at = table.order.len();
        table.makers.insert(info.location.clone(), (at, by.clone()));
        table.order.push(Known { info, id });
        Ok(())
    }

    /// The artifacts of a kind, and of a product if one is given.
    pub(crate) fn of(&self, kind: &str, product: Option<&str>) -> Vec<Known> {
        let fits = |known: &&Known| {
            known.info.kind == kind
                && (product.is_none() || known.info.product.as_deref() == product)
        };
        self.table().order.iter().filter(fits).cloned().collect()
    }

    /// The artifact at a place.
    pub(crate) fn at(&self, location: &Location) -> Option<Known> {
        let table = self.table();
        table.makers.get(location).and_then(|(at, _)| table.order.get(*at)).cloned()
    }
}
