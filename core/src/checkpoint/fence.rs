//! The check that no newer driver has started, for whoever must not hold the directory's lock.
//!
//! It passes as long as the newest claim is the driver's own. What an older driver does beside this one is not seen here: it
//! finds this one's claim, and ends.
//!
//! A sync of a directory that fails may take back every name that is not durable, whoever gave it, and the next sync of that
//! directory succeeds without these names. Two drivers have the directories in common, so a driver's own syncs say nothing of
//! its names if a newer one is there. A newer one claims before it changes anything else: if the check passes after a sync of a
//! directory, no newer driver had let one fail before it.

use crate::{
    env::Env,
    error::{Error, Result},
    ids::Generation,
    journal::stale_list,
};
use std::{cmp::Ordering, path::PathBuf};

/// A generation and where the claims are.
#[derive(Clone)]
pub(crate) struct Fence {
    pub env: Env,
    pub claims: PathBuf,
    pub generation: Generation,
}

impl Fence {
    /// The newest claim that the directory shows.
    pub(super) async fn newest(&self) -> Result<Generation> {
        let claims = &self.claims;
        let names = self.env.disk.list(claims).await.map_err(Error::disk("list", claims))?;
        Ok(names.iter().filter_map(|name| generation_of(name)).max().unwrap_or(Generation(0)))
    }

    /// The newest claim, which is ours or a newer one, unless ours was lost.
    pub(super) async fn newest_claim(&self) -> Result<Generation> {
        match self.newest().await? {
            // Our own claim is not in it: that listing is of before, and would not have shown a newer one either.
            newest if newest < self.generation => self.newest().await,
            newest => Ok(newest),
        }
    }

    /// Makes sure that no newer driver has started.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one has, [`Error::Disk`].
    pub async fn check(&self) -> Result<()> {
        let newest = self.newest_claim().await?;
        match newest.cmp(&self.generation) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(Error::Fenced { ours: self.generation, newest }),
            Ordering::Less => Err(stale_list(&self.claims)),
        }
    }
}

/// The name of a generation's claim.
pub(crate) fn file_name(generation: Generation) -> String {
    format!("{:010}", generation.0)
}

/// The generation of a claim of this name.
pub(super) fn generation_of(name: &str) -> Option<Generation> {
    let generation = Generation(name.parse().ok()?);
    (file_name(generation) == name).then_some(generation)
}
