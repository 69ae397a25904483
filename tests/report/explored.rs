//! What `watchmux::explore` tells of programs that go wrong.

use super::layout::without_line_numbers;
use super::programs::{self, failure};

#[track_caller]
fn assert_told(name: &str, program: fn()) {
    insta::assert_snapshot!(name, without_line_numbers(&failure(program).to_string()));
}

#[test]
fn ab_ba() {
    assert_told("explored_ab_ba", programs::ab_ba);
}

#[test]
fn a_lost_wake_up() {
    assert_told("explored_lost_wake_up", programs::a_lost_wake_up);
}

#[test]
fn a_channel_and_a_lock() {
    assert_told("explored_channel_and_lock", programs::a_channel_and_a_lock);
}

#[test]
fn a_send_on_a_closed_channel() {
    assert_told("explored_send_on_closed", programs::a_send_on_a_closed_channel);
}

#[test]
fn a_panic() {
    assert_told("explored_panic", programs::a_panic);
}
