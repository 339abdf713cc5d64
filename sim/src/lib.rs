//! The testbed.
#[cfg(not(madsim))]
compile_error!(
    "highwater-sim needs `--cfg madsim`. The repository's .cargo/config.toml sets it for commands run inside the \
     repository; RUSTFLAGS in the environment replaces that setting, so either unset RUSTFLAGS or add `--cfg madsim` to it."
);
