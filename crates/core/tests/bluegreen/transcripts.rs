//! Whole stories, compared word by word: what is decided is read here.

use crate::support::story::told;

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let script = include_str!(concat!("scripts/", stringify!($name), ".txt"));
                insta::assert_snapshot!(stringify!($name), told(script));
            }
        )*
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
    lost_status_with_green_active,
    ingress_switch,
    deletion_delay_with_a_blip,
    active_child_deleted_by_hand,
    bad_edit_while_active,
    first_deployment_fails,
}
