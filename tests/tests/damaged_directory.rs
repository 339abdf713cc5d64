//! A checkpoint directory that something happened to, on real files: every damage gives a clear error and leaves everything as
//! it was, or a recovery after which nothing is lost, invented or doubled.
//!
//! `workshop` makes a directory worth damaging, with two pipelines on one source, and judges what a start makes of it;
//! `image` holds its files; `damage` is what is done to them; the other files hold the claims. What a power loss leaves behind
//! is the simulator's part: here files are whole, changed, cut or gone.

#[path = "damaged_directory/damage.rs"]
mod damage;
#[path = "damaged_directory/every_file.rs"]
mod every_file;
#[path = "damaged_directory/fallback.rs"]
mod fallback;
#[path = "damaged_directory/foreign.rs"]
mod foreign;
#[path = "damaged_directory/image.rs"]
mod image;
#[path = "damaged_directory/in_use.rs"]
mod in_use;
#[path = "damaged_directory/inspected.rs"]
mod inspected;
#[path = "damaged_directory/missing.rs"]
mod missing;
#[path = "damaged_directory/workshop.rs"]
mod workshop;
