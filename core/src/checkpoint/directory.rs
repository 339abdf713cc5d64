//! The directory as a whole: its layout, the lock of the live driver, and the claims that fence off older ones.
//!
//! A start claims the next generation by creating its file, before it reads the content of any other. An older driver that is still
//! alive finds the claim at its next check, which it makes after every journal sync before it acknowledges, and before
//! everything that it emits or publishes. Whatever it journalled and acknowledged was therefore durable before the claim,
//! so the newer driver has read it.
//!
//! Two drivers have the directories in common, so a sync that fails for the one may take back what the other has just named. The seam
//! tells both: whoever is told ends, and names it anew at its next start.

use super::{
    fence::{file_name, generation_of},
    store::{checkpoints_in, remove},
};
use crate::{
    codec::{self, Kind, Payload},
    env::{Env, Lock},
    error::{Error, Result},
    event::Event,
    ids::{CheckpointId, Generation},
    journal::{SegmentName, WAL, segments_in},
    listeners::Listeners,
};
use serde::{Deserialize, Serialize};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A checkpoint directory that this driver holds.
pub(crate) struct CheckpointDirectory {
    pub root: PathBuf,
    pub generation: Generation,
    /// The newest checkpoint and the newest segment that were listed before the claim: what is listed later and does not have
    /// them is not the truth.
    pub seen: (Option<CheckpointId>, Option<SegmentName>),
    pub(super) env: Env,
    _lock: Box<dyn Lock>,
}

/// What a claim says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claim {
    pub release: String,
}

impl Payload for Claim {
    const KIND: Kind = Kind::Claim;
    const SCHEMA: &'static str = "release string";
}

impl CheckpointDirectory {
    /// Takes the lock and claims the next generation.
    ///
    /// # Errors
    /// [`Error::InUse`] if a live driver holds it, [`Error::Disk`].
    pub async fn open(env: &Env, root: &Path, listeners: &Listeners) -> Result<Self> {
        let disk = &env.disk;
        for part in ["generation", "checkpoint", "state", "journal"] {
            let path = root.join(part);
            disk.create_dir(&path).await.map_err(Error::disk("create the directory", &path))?;
        }
        let path = root.join("lock");
        let lock = disk.lock(&path).await.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Error::InUse { directory: root.to_owned() },
            _ => Error::disk("lock", &path)(error),
        })?;
        let mut directory = Self {
            root: root.to_owned(),
            generation: Generation(0),
            seen: (None, None),
            env: env.clone(),
            _lock: lock,
        };
        directory.claim().await?;
        listeners.tell(&Event::GenerationClaimed { generation: directory.generation });
        Ok(directory)
    }

    /// Claims a generation that nobody has had.
    ///
    /// # Errors
    /// [`Error::Fenced`] if somebody has claimed a newer one meanwhile, [`Error::Disk`].
    async fn claim(&mut self) -> Result<()> {
        let claims = self.claims();
        let mut generation = self.newest_listed().await?.max(self.newest_writer().await?);
        let (mut file, path) = loop {
            generation = generation.next();
            let path = claims.join(file_name(generation));
            match self.env.disk.create_new(&path).await {
                // Somebody else was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                file => break (file.map_err(Error::disk("create", &path))?, path),
            }
        };
        let mut bytes = Vec::new();
        let claim = Claim { release: env!("CARGO_PKG_VERSION").into() };
        codec::write_frame(&mut bytes, generation, 0, &claim);
        file.append(&bytes).await.map_err(Error::disk("append to", &path))?;
        self.env.disk.sync_dir(&claims).await.map_err(Error::disk("sync the directory", &claims))?;
        self.generation = generation;
        // Whoever stood still between looking and claiming may claim a generation that is long over, and whose claim is gone.
        self.check_fence().await
    }

    /// The newest generation that the names of the other files tell of. Claims may be lost, and a generation must not be
    /// claimed twice all the same: what is older is told by it.
    async fn newest_writer(&mut self) -> Result<Generation> {
        let mut newest = Generation(0);
        for folder in [self.checkpoints(), self.snapshots(), self.journal()] {
            let names = self.env.disk.list(&folder).await.map_err(Error::disk("list", &folder))?;
            if folder == self.checkpoints() {
                self.seen.0 = checkpoints_in(&names).first().copied();
            } else if folder == self.journal() {
                self.seen.1 = segments_in(&names, WAL).into_iter().max_by_key(|name| name.age());
            }
            let stems = names.iter().map(|name| name.split('.').next().unwrap_or(name));
            let generations = stems.filter_map(|stem| Some(SegmentName::parse(stem)?.generation));
            newest = newest.max(generations.max().unwrap_or(newest));
        }
        Ok(newest)
    }

    /// Removes the claims of older generations.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub async fn trim_claims(&self) -> Result<()> {
        let claims = self.claims();
        let names = self.env.disk.list(&claims).await.map_err(Error::disk("list", &claims))?;
        for name in names.iter().filter(|name| generation_of(name).is_some_and(|g| g < self.generation)) {
            remove(&self.env, claims.join(name)).await?;
        }
        Ok(())
    }

    pub(super) fn claims(&self) -> PathBuf {
        self.root.join("generation")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    pub fn snapshots(&self) -> PathBuf {
        self.root.join("state")
    }

    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }
}

#[cfg(all(test, feature = "os"))]
#[allow(clippy::disallowed_methods, reason = "the test prepares the machine's files")]
mod tests {
    use super::*;

    #[test]
    fn a_generation_that_wrote_anything_is_not_claimed_again_when_its_claim_is_lost() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let open = || async {
            let env = crate::os::env_with_threads(1);
            let opened = CheckpointDirectory::open(&env, directory.path(), &Listeners::default()).await;
            opened.unwrap().generation
        };
        runtime.block_on(async {
            assert_eq!(open().await, Generation(1));
            std::fs::remove_file(directory.path().join("generation/0000000001")).unwrap();
            for (name, next) in [
                ("journal/0000000004-0000000006.wal", 7),
                ("checkpoint/0000000009-0000000011.tmp", 12),
                ("state/0000000001-0000000020", 21),
            ] {
                std::fs::write(directory.path().join(name), "").unwrap();
                assert_eq!(open().await, Generation(next), "{name}");
            }
        });
    }
}
