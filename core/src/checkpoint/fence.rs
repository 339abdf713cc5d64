//! The check that no newer driver has started.
//!
//! It passes as long as the newest claim is the driver's own. What an older driver does beside this one is not seen here: it
//! finds this one's claim, and ends.

use super::directory::CheckpointDirectory;
use crate::{
    error::{Error, Result},
    ids::Generation,
    journal::stale_list,
};
use std::cmp::Ordering;

impl CheckpointDirectory {
    /// Makes sure that no newer driver has started.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one has, [`Error::Disk`].
    pub async fn check_fence(&self) -> Result<()> {
        let newest = self.newest_claim().await?;
        match newest.cmp(&self.generation) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(Error::Fenced { ours: self.generation, newest }),
            Ordering::Less => Err(stale_list(&self.claims())),
        }
    }

    /// What there is to tell of a failure: that a newer driver has started, if one has. It removes what is not needed any more,
    /// also under the hands of an older one.
    pub async fn unless_fenced(&self, error: Error) -> Error {
        match self.check_fence().await {
            Err(fenced @ Error::Fenced { .. }) => fenced,
            _ => error,
        }
    }

    /// The newest claim, which is ours or a newer one, unless ours was lost.
    async fn newest_claim(&self) -> Result<Generation> {
        match self.newest_listed().await? {
            // Our own claim is not in it: that listing is of before, and would not have shown a newer one either.
            newest if newest < self.generation => self.newest_listed().await,
            newest => Ok(newest),
        }
    }

    /// The newest claim that the directory shows.
    pub(super) async fn newest_listed(&self) -> Result<Generation> {
        let claims = self.claims();
        let names = self.env.disk.list(&claims).await.map_err(Error::disk("list", &claims))?;
        Ok(names.iter().filter_map(|name| generation_of(name)).max().unwrap_or(Generation(0)))
    }
}

/// The name of a generation's claim.
pub(super) fn file_name(generation: Generation) -> String {
    format!("{:010}", generation.0)
}

/// The generation of a claim of this name.
pub(super) fn generation_of(name: &str) -> Option<Generation> {
    let generation = Generation(name.parse().ok()?);
    (file_name(generation) == name).then_some(generation)
}
