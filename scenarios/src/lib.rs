//! scenarios
pub mod feed;
