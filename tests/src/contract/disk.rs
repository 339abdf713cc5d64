//! The disk: what each operation does, refuses and leaves alone, as seen by one life of a process. What survives a power
//! loss is not asked here.

use super::World;
use highwater_core::env::{Disk, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The disk and the case's directory, made.
async fn start(world: &World) -> (Arc<dyn Disk>, PathBuf) {
    let disk = world.env.disk.clone();
    disk.create_dir(&world.root).await.expect("the root can be made");
    (disk, world.root.clone())
}

/// Makes a file with this content, synced, and leaves it open.
async fn put(disk: &Arc<dyn Disk>, path: &Path, content: &[u8]) -> Box<dyn File> {
    let mut file = disk.create_new(path).await.expect("the file is new");
    file.append(content).await.expect("it can be written");
    file.sync().await.expect("it can be synced");
    file
}

async fn get(disk: &Arc<dyn Disk>, path: &Path) -> Vec<u8> {
    disk.read(path, 0, usize::MAX).await.expect("the file can be read")
}

#[track_caller]
fn fails_with<T>(outcome: io::Result<T>, kind: ErrorKind) {
    match outcome {
        Ok(_) => panic!("it succeeded instead of failing with {kind:?}"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}

pub(super) async fn create_dir_makes_all_parents_and_may_be_repeated(world: World) {
    let (disk, root) = start(&world).await;
    let deep = root.join("a").join("b").join("c");
    disk.create_dir(&deep).await.expect("parents are made");
    put(&disk, &deep.join("file"), b"kept").await;
    disk.create_dir(&deep).await.expect("one that exists is left as it is");
    disk.create_dir(&root).await.expect("its parents too");
    assert_eq!(get(&disk, &deep.join("file")).await, b"kept");
}

pub(super) async fn create_dir_refuses_a_file_in_the_way(world: World) {
    let (disk, root) = start(&world).await;
    put(&disk, &root.join("file"), b"kept").await;
    assert!(disk.create_dir(&root.join("file")).await.is_err());
    assert!(disk.create_dir(&root.join("file").join("below")).await.is_err());
    assert_eq!(get(&disk, &root.join("file")).await, b"kept");
}

pub(super) async fn create_new_lets_exactly_one_caller_win(world: World) {
    let (disk, root) = start(&world).await;
    for round in 0..10 {
        let path = root.join(format!("claim-{round}"));
        let claim = || disk.create_new(&path);
        let claims = tokio::join!(claim(), claim(), claim(), claim());
        let outcomes = [claims.0, claims.1, claims.2, claims.3];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            fails_with(outcome, ErrorKind::AlreadyExists);
        }
    }
}

pub(super) async fn create_new_leaves_a_file_that_exists_as_it_is(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    drop(put(&disk, &path, b"first").await);
    fails_with(disk.create_new(&path).await, ErrorKind::AlreadyExists);
    assert_eq!(get(&disk, &path).await, b"first");
}

pub(super) async fn create_new_needs_its_directory(world: World) {
    let (disk, root) = start(&world).await;
    fails_with(disk.create_new(&root.join("missing").join("file")).await, ErrorKind::NotFound);
}

pub(super) async fn open_append_continues_at_the_end(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    drop(put(&disk, &path, b"one ").await);
    for word in ["two ", "three"] {
        let mut file = disk.open_append(&path).await.expect("it exists");
        file.append(word.as_bytes()).await.expect("it can be written");
    }
    assert_eq!(get(&disk, &path).await, b"one two three");
}

pub(super) async fn what_is_missing_is_not_found(world: World) {
    let (disk, root) = start(&world).await;
    let missing = &root.join("missing");
    fails_with(disk.open_append(missing).await, ErrorKind::NotFound);
    fails_with(disk.read(missing, 0, 1).await, ErrorKind::NotFound);
    fails_with(disk.length(missing).await, ErrorKind::NotFound);
    fails_with(disk.truncate(missing, 0, 0).await, ErrorKind::NotFound);
    fails_with(disk.rename(missing, &root.join("other")).await, ErrorKind::NotFound);
    fails_with(disk.remove(missing).await, ErrorKind::NotFound);
    fails_with(disk.list(missing).await, ErrorKind::NotFound);
    fails_with(disk.sync_dir(missing).await, ErrorKind::NotFound);
    fails_with(disk.lock(&missing.join("lock")).await, ErrorKind::NotFound);
    assert!(disk.list(&root).await.expect("the root is there").is_empty(), "none of them makes anything");
}

pub(super) async fn appends_are_read_back_in_order(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    let mut file = disk.create_new(&path).await.expect("the file is new");
    let mut expected = Vec::new();
    for size in [1_usize, 511, 512, 513, 4_096, 100_000, 7] {
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        file.append(&bytes).await.expect("it can be written");
        expected.extend_from_slice(&bytes);
        assert_eq!(disk.length(&path).await.expect("it exists"), expected.len() as u64);
        assert!(get(&disk, &path).await == expected, "read back before the sync, after {size} more");
    }
    file.sync().await.expect("it can be synced");
    disk.sync_dir(&root).await.expect("it can be synced");
    assert!(get(&disk, &path).await == expected, "read back after the sync");
}

pub(super) async fn an_empty_append_changes_nothing(world: World) {
    let (disk, root) = start(&world).await;
    let mut file = put(&disk, &root.join("file"), b"content").await;
    file.append(b"").await.expect("it can be written");
    file.sync().await.expect("it can be synced");
    file.sync().await.expect("with nothing new too");
    assert_eq!(get(&disk, &root.join("file")).await, b"content");
}

pub(super) async fn a_write_to_another_length_is_refused_and_changes_nothing(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    let mut ours = put(&disk, &path, b"0123").await;
    ours.write_at(4, 4, b"45").await.expect("it has four bytes");
    let mut other = disk.open_append(&path).await.expect("it exists");
    other.write_at(6, 6, b"67").await.expect("it has six bytes");
    other.append(b"8").await.expect("both ways of writing go together");
    fails_with(ours.write_at(6, 6, b"XX").await, ErrorKind::InvalidData);
    for length in [8, 10] {
        let mut file = disk.open_append(&path).await.expect("it exists");
        fails_with(file.write_at(0, length, b"X").await, ErrorKind::InvalidData);
    }
    disk.truncate(&path, 9, 7).await.expect("it can be cut");
    fails_with(other.write_at(9, 9, b"X").await, ErrorKind::InvalidData);
    let mut file = disk.open_append(&path).await.expect("it exists");
    file.write_at(7, 7, b"abc").await.expect("it has seven bytes");
    file.sync().await.expect("it can be synced");
    fails_with(file.write_at(11, 10, b"X").await, ErrorKind::InvalidInput);
    assert_eq!(get(&disk, &path).await, b"0123456abc");
}

pub(super) async fn a_write_over_what_is_there_replaces_it_and_goes_on_behind_the_end(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    let mut file = put(&disk, &path, b"0123456789").await;
    file.sync().await.expect("it can be synced");
    file.write_at(2, 10, b"ab").await.expect("it has ten bytes");
    assert_eq!(get(&disk, &path).await, b"01ab456789");
    file.write_at(0, 10, b"").await.expect("nothing can be written anywhere");
    file.write_at(2, 10, b"ab4567").await.expect("the same can be written again");
    assert_eq!(get(&disk, &path).await, b"01ab456789");
    file.write_at(8, 10, b"89end").await.expect("it has ten bytes");
    file.append(b".").await.expect("an append goes to the end");
    file.sync().await.expect("it can be synced");
    assert_eq!(get(&disk, &path).await, b"01ab456789end.");
}

pub(super) async fn a_dropped_file_keeps_what_was_appended(world: World) {
    let (disk, root) = start(&world).await;
    let mut file = disk.create_new(&root.join("file")).await.expect("the file is new");
    file.append(b"not synced").await.expect("it can be written");
    drop(file);
    assert_eq!(get(&disk, &root.join("file")).await, b"not synced");
}

pub(super) async fn read_returns_what_was_asked_for(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    put(&disk, &path, b"0123456789").await;
    for (offset, length, expected) in [(0, 10, "0123456789"), (3, 4, "3456"), (9, 1, "9"), (4, 0, "")] {
        assert_eq!(disk.read(&path, offset, length).await.expect("it exists"), expected.as_bytes());
    }
}

pub(super) async fn read_past_the_end_is_short(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    put(&disk, &path, b"0123456789").await;
    for (offset, length, expected) in
        [(0, 11, "0123456789"), (8, usize::MAX, "89"), (10, 1, ""), (11, 1, ""), (u64::MAX, usize::MAX, "")]
    {
        assert_eq!(disk.read(&path, offset, length).await.expect("it exists"), expected.as_bytes());
    }
}

pub(super) async fn truncate_then_append_continues_at_the_cut(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    drop(put(&disk, &path, b"0123456789").await);
    fails_with(disk.truncate(&path, 9, 4).await, ErrorKind::InvalidData);
    assert_eq!(get(&disk, &path).await, b"0123456789", "a file of another length is left as it is");
    disk.truncate(&path, 10, 4).await.expect("it can be cut");
    assert_eq!(disk.length(&path).await.expect("it exists"), 4);
    let mut file = disk.open_append(&path).await.expect("it exists");
    file.append(b"abc").await.expect("it can be written");
    file.sync().await.expect("it can be synced");
    assert_eq!(get(&disk, &path).await, b"0123abc");
    disk.truncate(&path, 7, 0).await.expect("it can be emptied");
    assert_eq!(get(&disk, &path).await, b"");
}

pub(super) async fn an_open_file_appends_at_the_cut_too(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    let mut file = put(&disk, &path, b"0123456789").await;
    disk.truncate(&path, 10, 4).await.expect("it can be cut");
    file.append(b"abc").await.expect("it can be written");
    assert_eq!(get(&disk, &path).await, b"0123abc");
}

pub(super) async fn truncate_never_grows_a_file(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    put(&disk, &path, b"0123").await;
    fails_with(disk.truncate(&path, 4, 5).await, ErrorKind::InvalidInput);
    disk.truncate(&path, 4, 4).await.expect("its own length is allowed");
    assert_eq!(get(&disk, &path).await, b"0123");
}

pub(super) async fn rename_moves_the_content(world: World) {
    let (disk, root) = start(&world).await;
    let (from, to) = (root.join("from"), root.join("below").join("to"));
    disk.create_dir(&root.join("below")).await.expect("it can be made");
    drop(put(&disk, &from, b"content").await);
    disk.rename(&from, &to).await.expect("the target is free");
    disk.sync_dir(&root).await.expect("it can be synced");
    assert_eq!(get(&disk, &to).await, b"content");
    fails_with(disk.length(&from).await, ErrorKind::NotFound);
    drop(disk.create_new(&from).await.expect("the old name is free again"));
}

pub(super) async fn rename_never_replaces(world: World) {
    let (disk, root) = start(&world).await;
    let (from, to) = (root.join("from"), root.join("to"));
    put(&disk, &from, b"new").await;
    put(&disk, &to, b"old").await;
    fails_with(disk.rename(&from, &to).await, ErrorKind::AlreadyExists);
    fails_with(disk.rename(&from, &from).await, ErrorKind::AlreadyExists);
    assert_eq!(get(&disk, &from).await, b"new");
    assert_eq!(get(&disk, &to).await, b"old");
}

pub(super) async fn replace_takes_a_name_over_in_one_step(world: World) {
    let (disk, root) = start(&world).await;
    let (from, to) = (root.join("from"), root.join("to"));
    let mut replaced = put(&disk, &to, b"old").await;
    for content in [b"new", b"two"] {
        put(&disk, &from, content).await;
        disk.replace(&from, &to).await.expect("the target may be there");
        disk.sync_dir(&root).await.expect("it can be synced");
        fails_with(disk.length(&from).await, ErrorKind::NotFound);
        replaced.append(b"late").await.expect("whoever has it open can write it");
        assert_eq!(get(&disk, &to).await, content);
    }
    fails_with(disk.replace(&from, &to).await, ErrorKind::NotFound);
    assert_eq!(get(&disk, &to).await, b"two");
    disk.remove(&to).await.expect("it exists");
    put(&disk, &from, b"free").await;
    disk.replace(&from, &to).await.expect("the target may be missing");
    assert_eq!(get(&disk, &to).await, b"free");
}

pub(super) async fn of_two_renames_to_one_name_one_wins(world: World) {
    let (disk, root) = start(&world).await;
    for round in 0..10 {
        let at = |name: &str| root.join(format!("{name}-{round}"));
        let (a, b, to) = (at("a"), at("b"), at("to"));
        put(&disk, &a, b"a").await;
        put(&disk, &b, b"b").await;
        let (first, second) = tokio::join!(disk.rename(&a, &to), disk.rename(&b, &to));
        let (winner, loser, refused) = if first.is_ok() { (b"a", b, second) } else { (b"b", a, first) };
        fails_with(refused, ErrorKind::AlreadyExists);
        assert_eq!(get(&disk, &to).await, winner);
        assert_ne!(get(&disk, &loser).await, winner);
    }
}

pub(super) async fn an_open_file_follows_its_rename(world: World) {
    let (disk, root) = start(&world).await;
    let mut file = put(&disk, &root.join("from"), b"before ").await;
    disk.rename(&root.join("from"), &root.join("to")).await.expect("the target is free");
    file.append(b"after").await.expect("it can be written");
    file.sync().await.expect("it can be synced");
    assert_eq!(get(&disk, &root.join("to")).await, b"before after");
}

pub(super) async fn a_name_is_gone_after_remove(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    put(&disk, &path, b"content").await;
    disk.remove(&path).await.expect("it exists");
    fails_with(disk.read(&path, 0, 1).await, ErrorKind::NotFound);
    assert!(disk.list(&root).await.expect("the root is there").is_empty());
    drop(disk.create_new(&path).await.expect("the name is free again"));
    assert_eq!(disk.length(&path).await.expect("it exists"), 0);
}

pub(super) async fn list_is_sorted_and_leaves_directories_out(world: World) {
    let (disk, root) = start(&world).await;
    // By bytes: capitals before small letters, `-` before `.`, umlauts last, 10 before 9.
    for name in ["ä", "b", "a.1", "B", "a-1", "9", "a", "10"] {
        drop(put(&disk, &root.join(name), b"").await);
    }
    disk.create_dir(&root.join("directory")).await.expect("it can be made");
    put(&disk, &root.join("directory").join("inside"), b"").await;
    let names = disk.list(&root).await.expect("the root is there");
    assert_eq!(names, ["10", "9", "B", "a", "a-1", "a.1", "b", "ä"]);
}

pub(super) async fn the_list_of_an_empty_directory_is_empty(world: World) {
    let (disk, root) = start(&world).await;
    assert!(disk.list(&root).await.expect("the root is there").is_empty());
}

pub(super) async fn a_lock_is_exclusive_until_dropped(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("lock");
    let held = disk.lock(&path).await.expect("nobody holds it");
    fails_with(disk.lock(&path).await, ErrorKind::WouldBlock);
    fails_with(disk.lock(&path).await, ErrorKind::WouldBlock);
    drop(held);
    let again = disk.lock(&path).await.expect("it was released");
    fails_with(disk.lock(&path).await, ErrorKind::WouldBlock);
    drop(again);
    assert_eq!(disk.list(&root).await.expect("the root is there"), ["lock"], "its file is made and stays");
}

pub(super) async fn locks_of_two_files_do_not_meet(world: World) {
    let (disk, root) = start(&world).await;
    let _one = disk.lock(&root.join("one")).await.expect("nobody holds it");
    let _two = disk.lock(&root.join("two")).await.expect("nobody holds it");
}

pub(super) async fn a_lock_leaves_the_content_as_it_is(world: World) {
    let (disk, root) = start(&world).await;
    let path = root.join("file");
    put(&disk, &path, b"content").await;
    let _held = disk.lock(&path).await.expect("nobody holds it");
    assert_eq!(get(&disk, &path).await, b"content");
}
