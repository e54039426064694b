//! `spec.configuration` over the operator's defaults.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sluice_api::TransitionMode;
use sluice_api::blue_green::FailedDeploymentPolicy;
use sluice_api::settings::{BlueGreenSettings, KEYS, Promotion, RequiredGuarantee, SavepointRetention};

/// Keys without their common beginning, except the Ingress's.
fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| {
            let key = if key.starts_with("kubernetes.") {
                (*key).to_owned()
            } else {
                format!("kubernetes.operator.bluegreen.{key}")
            };
            (key, (*value).to_owned())
        })
        .collect()
}

fn read(entries: &[(&str, &str)]) -> Result<BlueGreenSettings, Vec<String>> {
    BlueGreenSettings::read(&map(entries), &BTreeMap::new(), None)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn without_configuration_the_documented_defaults_hold() {
    assert_eq!(read(&[]), Ok(BlueGreenSettings::default()));
    // The documentation's table and the code say the same: reading the table's values changes nothing.
    let documented: BTreeMap<String, String> = KEYS
        .iter()
        .filter(|key| !["none", "the grace period"].contains(&key.default))
        .map(|key| (key.name.to_owned(), key.default.to_owned()))
        .collect();
    assert_eq!(
        BlueGreenSettings::read(&documented, &BTreeMap::new(), None),
        Ok(BlueGreenSettings::default())
    );
}

#[test]
fn every_key_of_the_table_is_read() {
    let settings = read(&[
        ("abort.grace-period", "1 min"),
        ("reconciliation.reschedule-interval", "5s"),
        ("deployment-deletion.delay", "2 h"),
        ("abort.failed-deployment", "delete"),
        ("abort.failed-deployment.ttl", "1 d"),
        ("savepoint.timeout", "PT3M"),
        ("savepoint.retention", "all"),
        ("promotion", "MANUAL"),
        ("transition-mode", "ADVANCED"),
        ("handover.require", "at_least_once"),
        ("handover.max-lag", "500 ms"),
        ("kubernetes.operator.ingress.manage", "false"),
    ])
    .unwrap();
    assert_eq!(
        settings,
        BlueGreenSettings {
            abort_grace_period: SignedDuration::from_mins(1),
            reschedule_interval: SignedDuration::from_secs(5),
            deployment_deletion_delay: SignedDuration::from_hours(2),
            failed_deployment: FailedDeploymentPolicy::Delete,
            failed_deployment_ttl: Some(SignedDuration::from_hours(24)),
            savepoint_timeout: SignedDuration::from_mins(3),
            promotion: Promotion::Manual,
            transition_mode: TransitionMode::Advanced,
            savepoint_retention: SavepointRetention::All,
            handover_require: RequiredGuarantee::AtLeastOnce,
            handover_max_lag: SignedDuration::from_millis(500),
            ingress_manage: false,
        }
    );
}

#[test]
fn a_savepoint_has_as_long_as_the_grace_period_unless_it_is_said() {
    let settings = read(&[("abort.grace-period", "42 s")]).unwrap();
    assert_eq!(settings.savepoint_timeout, SignedDuration::from_secs(42));
}

#[test]
fn the_resource_wins_over_the_operators_defaults_and_those_over_the_built_in_ones() {
    let defaults = map(&[("abort.grace-period", "1 min"), ("promotion", "MANUAL")]);
    let own = map(&[("abort.grace-period", "2 min")]);
    let settings = BlueGreenSettings::read(&own, &defaults, None).unwrap();
    assert_eq!(settings.abort_grace_period, SignedDuration::from_mins(2));
    assert_eq!(settings.promotion, Promotion::Manual);
}

#[test]
fn a_bad_default_is_reported_where_it_counts_and_not_where_the_resource_overrides_it() {
    let defaults = map(&[("abort.grace-period", "soon")]);
    let own = map(&[("abort.grace-period", "2 min")]);
    assert!(BlueGreenSettings::read(&own, &defaults, None).is_ok());
    let problems = BlueGreenSettings::read(&BTreeMap::new(), &defaults, None).unwrap_err();
    assert_eq!(
        problems[0].field,
        "the operator's default of kubernetes.operator.bluegreen.abort.grace-period"
    );
}

#[test]
fn a_reschedule_interval_below_a_second_counts_as_a_second() {
    let settings = read(&[("reconciliation.reschedule-interval", "10 ms")]).unwrap();
    assert_eq!(settings.reschedule_interval, SignedDuration::from_secs(1));
}

#[test]
fn the_mode_of_the_specification_and_the_key_must_not_contradict_each_other() {
    let key = map(&[("transition-mode", "advanced")]);
    let read = |own, defaults, mode| {
        BlueGreenSettings::read(own, defaults, mode).map(|settings| settings.transition_mode)
    };
    let nothing = BTreeMap::new();
    let (basic, advanced) = (TransitionMode::Basic, TransitionMode::Advanced);
    assert_eq!(read(&key, &nothing, None), Ok(advanced));
    assert_eq!(read(&key, &nothing, Some(advanced)), Ok(advanced));
    assert_eq!(read(&nothing, &key, Some(basic)), Ok(basic));
    let problems = read(&key, &nothing, Some(basic)).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "spec.configuration[kubernetes.operator.bluegreen.transition-mode]: found `advanced`, expected the same as `spec.transitionMode`, or only one of the two"
    );
}

/// Every value that is refused, with what the message must say.
#[test]
fn a_bad_value_is_refused_with_what_would_be_right() {
    for (key, value, expected) in [
        ("abort.grace-period", "0", "above 0, such as `10 min`"),
        ("abort.grace-period", "0 s", "above 0"),
        ("abort.grace-period", "-PT1M", "above 0"),
        ("abort.grace-period", "-1 min", "does not begin with a number"),
        (
            "abort.grace-period",
            "ten minutes",
            "expected a duration such as `10 min`",
        ),
        ("abort.grace-period", "", "an empty text"),
        ("reconciliation.reschedule-interval", "0", "above 0"),
        ("reconciliation.reschedule-interval", "-PT1S", "above 0"),
        ("deployment-deletion.delay", "-PT1S", "0 or more"),
        ("deployment-deletion.delay", "25 d", "at most 24 days"),
        ("deployment-deletion.delay", "1000000000000 d", "at most 24 days"),
        (
            "abort.failed-deployment",
            "LEAVE",
            "`KEEP`, `SUSPEND` or `DELETE`",
        ),
        ("abort.failed-deployment.ttl", "0 s", "above 0"),
        ("savepoint.timeout", "0 s", "above 0"),
        ("savepoint.retention", "0", "at least 1, such as `3`, or `ALL`"),
        ("savepoint.retention", "-1", "at least 1"),
        ("savepoint.retention", "1.5", "at least 1"),
        ("savepoint.retention", "some", "at least 1"),
        ("promotion", "LATER", "`AUTO` or `MANUAL`"),
        ("transition-mode", "FANCY", "`BASIC` or `ADVANCED`"),
        (
            "handover.require",
            "ONCE",
            "`EXACTLY_ONCE`, `EXACTLY_ONCE_EXCEPT_LATE` or `AT_LEAST_ONCE`",
        ),
        ("handover.max-lag", "0 s", "above 0"),
        ("kubernetes.operator.ingress.manage", "yes", "`true` or `false`"),
    ] {
        let problems = read(&[(key, value)]).expect_err(key);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with("spec.configuration[kubernetes."),
            "{problems:?}"
        );
        assert!(
            problems[0].contains(key) && problems[0].contains(expected),
            "{problems:?}"
        );
        assert!(
            value.is_empty() || problems[0].contains(&format!("`{value}`")),
            "{problems:?}"
        );
    }
    assert!(read(&[("deployment-deletion.delay", "24 d")]).is_ok());
}

#[test]
fn a_misspelt_key_is_refused_with_the_one_that_was_meant() {
    for (wrong, meant) in [
        ("abort.graceperiod", "abort.grace-period"),
        ("promotoin", "promotion"),
        ("deployment.deletion.delay", "deployment-deletion.delay"),
        ("abort.failed-deployments", "abort.failed-deployment"),
    ] {
        let problems = read(&[(wrong, "1")]).expect_err(wrong);
        assert_eq!(
            problems,
            [format!(
                "spec.configuration[kubernetes.operator.bluegreen.{wrong}]: is not a known key; the nearest one is `kubernetes.operator.bluegreen.{meant}`"
            )]
        );
    }
    // Other keys of the operator, and of others, are not ours to judge.
    assert!(read(&[("kubernetes.operator.job.restart.failed", "true")]).is_ok());
}
