//! The contract of the seams (`highwater_core::env`), one claim a case, for any world that says it keeps it.
//!
//! A case sees nothing but an [`Env`], so the same list runs on the machine (`tests/contract_os.rs`) and in the
//! simulator. It holds for a world without faults: what a crash, a reset or a full disk may do is the simulator's to
//! show, and what is durable cannot be seen without one. Where the contract promises no bound ("how much later is not
//! promised"), no case asserts one.
//!
//! Adding a case is a function in the file of its seam and its name in [`for_each_case!`](crate::for_each_case).

mod clock;
mod disk;
mod executor;
mod network;

use highwater_core::env::{BoxFuture, Env};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The world that a case runs in.
#[derive(Clone)]
pub struct World {
    /// The seams under test.
    pub env: Env,
    /// A directory of this case alone; it need not exist.
    pub root: PathBuf,
    /// Gives an address to listen at, `HOST:PORT`, each time one that nobody listens at (port 0 does).
    pub listen: Arc<dyn Fn() -> String + Send + Sync>,
}

/// A claim about a world.
#[derive(Clone, Copy)]
pub struct Case {
    /// `seam::claim`.
    pub name: &'static str,
    body: fn(World) -> BoxFuture<'static, ()>,
}

/// How long a case may take on the clock of its world: far more than any needs, so that a hang has a name.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);

impl Case {
    /// Runs the case.
    ///
    /// # Panics
    /// If the claim does not hold, or does not within a minute of the world's clock.
    pub async fn run(self, world: World) {
        let clock = world.env.clock.clone();
        // Biased, here and in the cases: an unbiased choice is drawn from a source of randomness that no simulator holds.
        tokio::select! {
            biased;
            () = (self.body)(world) => {}
            () = clock.sleep(CASE_TIMEOUT) => panic!("{} did not end within {CASE_TIMEOUT:?}", self.name),
        }
    }
}

/// All cases.
pub fn cases() -> Vec<Case> {
    macro_rules! list {
        ($($seam:ident { $($claim:ident)* })*) => {
            vec![$($(Case {
                name: concat!(stringify!($seam), "::", stringify!($claim)),
                body: |world| Box::pin($seam::$claim(world)),
            }),*),*]
        };
    }
    crate::for_each_case!(list)
}

/// Calls the macro `$each` with all cases, as `seam { claim claim .. } seam { .. }`, for instance to make each a `#[test]`.
#[macro_export]
macro_rules! for_each_case {
    ($each:ident) => {
        $each! {
            clock {
                monotonic_never_goes_back
                sleep_never_completes_early
                a_deadline_in_the_past_completes
                a_long_sleep_keeps_nobody_from_running
            }
            disk {
                create_dir_makes_all_parents_and_may_be_repeated
                create_dir_refuses_a_file_in_the_way
                create_new_lets_exactly_one_caller_win
                create_new_leaves_a_file_that_exists_as_it_is
                create_new_needs_its_directory
                open_append_continues_at_the_end
                what_is_missing_is_not_found
                appends_are_read_back_in_order
                an_empty_append_changes_nothing
                a_write_to_another_length_is_refused_and_changes_nothing
                a_write_over_what_is_there_replaces_it_and_goes_on_behind_the_end
                a_dropped_file_keeps_what_was_appended
                read_returns_what_was_asked_for
                read_past_the_end_is_short
                truncate_then_append_continues_at_the_cut
                an_open_file_appends_at_the_cut_too
                truncate_never_grows_a_file
                rename_moves_the_content
                rename_never_replaces
                replace_takes_a_name_over_in_one_step
                of_two_renames_to_one_name_one_wins
                an_open_file_follows_its_rename
                a_name_is_gone_after_remove
                list_is_sorted_and_leaves_directories_out
                the_list_of_an_empty_directory_is_empty
                a_lock_is_exclusive_until_dropped
                locks_of_two_files_do_not_meet
                a_lock_leaves_the_content_as_it_is
            }
            network {
                a_refused_connection_says_so
                an_address_in_use_says_so
                what_is_no_address_is_invalid_input
                port_zero_takes_a_free_port
                a_dropped_listener_frees_its_address
                bytes_arrive_in_order
                connections_do_not_mix
                a_read_appends_no_more_than_max
                finish_is_an_orderly_end
                a_finished_side_still_reads
                dropping_both_halves_is_an_orderly_end_if_all_was_read
                dropping_both_halves_with_bytes_unread_is_a_reset
                a_dropped_read_loses_no_byte
                a_slow_reader_holds_the_writer_back
                writing_to_a_peer_that_is_gone_fails_in_the_end
            }
            executor {
                a_task_runs_beside_its_parent
                a_dropped_task_ends
                a_task_that_is_over_may_be_dropped
                compute_has_run_when_it_returns
                a_panic_in_compute_is_an_error
                an_executor_survives_a_panic
                parallel_runs_all
                parallel_may_borrow
                parallel_of_nothing_returns
                a_panic_in_parallel_is_the_callers_after_all_have_ended
                random_numbers_differ
            }
        }
    };
}
