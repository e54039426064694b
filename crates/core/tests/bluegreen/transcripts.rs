//! Whole stories, compared word by word: what is decided is read here.

use std::collections::BTreeSet;

use sluice_core::bluegreen::course::WAYS;

use crate::support::story::{played, told};

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let script = include_str!(concat!("scripts/", stringify!($name), ".txt"));
                insta::assert_snapshot!(stringify!($name), told(script));
            }
        )*

        const STORIES: &[&str] = &[$(include_str!(concat!("scripts/", stringify!($name), ".txt"))),*];
    };
}

stories! {
    first_deployment,
    stateless_upgrade,
    savepoint_upgrades_blue_green_blue,
    version_that_cannot_start,
    abort_suspend,
    abort_delete,
    abort_keep_with_ttl,
    manual_promotion,
    abort_by_command,
    retry_by_command,
    savepoint_fails_thrice,
    savepoint_never_ends,
    suspend_and_resume,
    edit_in_mid_transition,
    revert_in_mid_savepoint,
    advanced_success,
    advanced_incoming_does_not_come_up,
    advanced_incoming_failed_after_a_checkpoint,
    advanced_warm_success,
    advanced_warm_cluster_does_not_come_up,
    advanced_warm_incoming_does_not_come_up,
    advanced_warm_edits,
    advanced_warm_lost_status,
    watermark_success,
    watermark_given_up,
    watermark_edits,
    watermark_promotion,
    watermark_idle,
    watermark_past_the_cut,
    watermark_without_gates,
    watermark_sealed_by_force,
    watermark_lost_record,
    watermark_fix_of_an_unhealthy_job,
    watermark_stopped_by_someone,
    lost_status_with_green_active,
    ingress_switch,
    deletion_delay_with_a_blip,
    active_child_deleted_by_hand,
    bad_edit_while_active,
    first_deployment_fails,
}

/// What the stories do not tell, each in a few lines.
const BESIDES: &[&str] = &[
    "create savepoint\nrun\ncreation refused\nimage app:2\nwait 300",
    "creation refused\ncreate savepoint\nwait 300",
    "create savepoint\nspec transitionMode ADVANCED\nrun\ncreation refused\nimage app:2\nwait 300",
    "create savepoint\nspec transitionMode ADVANCED\nrun\nimage app:2\nuntil Stopping\nannotate abort 1\nrun",
    "create savepoint\nconfigure promotion MANUAL\nrun\nimage app:2\nuntil AwaitingPromotion\nimage app:3\nwait 90\nannotate abort 1\nrun",
    "create savepoint\nrun\nset job/state suspended\nrun\nset job/state running\nuntil InPlace\nimage app:2\nwait 300",
    "create savepoint\nrun\nset job/allowNonRestoredState true\nuntil InPlace\nimage app:2\nwait 300",
    "create stateless\nrun\nset job/allowNonRestoredState true\nuntil InPlace\nimage app:2\nwait 300",
    "create savepoint\nspec transitionMode ADVANCED\nrun\nset job/allowNonRestoredState true\nuntil InPlace\nimage app:2\nrun",
    "agent there\ncreate savepoint\nspec transitionMode ADVANCED\nrun\ncreation refused\nimage app:2\nwait 300\nannotate abort 1\nrun",
];

// The map from which the documentation's diagrams are made has no way that nobody can take.
#[test]
fn every_way_of_the_map_is_taken() {
    let mut taken = BTreeSet::new();
    for script in STORIES.iter().chain(BESIDES) {
        taken.append(&mut played(script).ways);
    }
    let never: Vec<_> = WAYS
        .iter()
        .filter(|way| !taken.contains(&(way.from, way.to)))
        .collect();
    assert!(never.is_empty(), "{never:#?}");
}
