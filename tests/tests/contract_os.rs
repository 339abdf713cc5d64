//! The real world keeps the contract: every case on tokio, the file system and the loopback interface.

use highwater_core::os;
use highwater_tests::contract::{World, cases};
use std::sync::Arc;

fn run(name: &str) {
    let case = cases().into_iter().find(|case| case.name == name).expect("the case is in the list");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let world = World {
            env: os::env_with_threads(2),
            root: directory.path().join("root"),
            listen: Arc::new(|| "127.0.0.1:0".to_owned()),
        };
        case.run(world).await;
    });
}

macro_rules! test_each {
    ($($seam:ident { $($claim:ident)* })*) => {
        $(mod $seam {
            $(#[test]
            fn $claim() {
                super::run(concat!(stringify!($seam), "::", stringify!($claim)));
            })*
        })*
    };
}

highwater_tests::for_each_case!(test_each);
