use super::story::story;

#[test]
fn no_event_twice() {
    story("watch a; watch b; action 1; recv a = 1; recv b = 1").passes();
    story("watch a; action 1; recv a = 1; recv a = 1").breaks("once: an event twice");
    story("watch a 7; recv a = 7; recv a = 7").breaks("once: an event twice");
}

#[test]
fn no_event_that_nobody_published() {
    story("watch a; 1: action 1 ...; recv a = 1").passes();
    story("watch a; recv a = 1; action 1").breaks("once: an event that nobody published");
    story("watch a; action 1; recv a = 9").breaks("once: an event that nobody published");
    story("watch a 7; watch b; recv b = 7").breaks("once: an event that nobody published");
}

#[test]
fn no_event_that_was_given_back() {
    story("watch a; try-action 1 = full 1; recv a ...").passes();
    story("watch a; try-action 1 = full 1; recv a = 1").breaks("once: an event that was given back");
    story("watch a; 1: action 1 ...; close; 1: => refused 1; recv a = 1")
        .breaks("once: an event that was given back");
}

#[test]
fn the_event_given_back_is_the_one_brought() {
    story("close; action 1 = refused 1; try-action 2 = refused").passes();
    story("close; action 1 = refused 2").breaks("once: another event given back");
    story("try-action 1 = full 2").breaks("once: another event given back");
    story("close; watch a 7 8 = refused 7").passes();
}

#[test]
fn the_prefix_comes_first() {
    story("watch a 7 8; action 1; recv a = 7; recv a = 8; recv a = 1").passes();
    story("watch a 7 8; recv a = 8").breaks("prefix first: out of order");
    story("watch a 7; action 1; recv a = 1").breaks("prefix first: out of order");
    story("watch a 7; recv a = 7 #0").breaks("prefix first: counted in the order");
    // Which event that was is not known.
    story("watch a 7; recv a = _").passes();
}

#[test]
fn the_prefix_comes_whole() {
    story("watch a 7; stop a; recv a = 7; recv a = closed stopped").passes();
    story("watch a 7; try-recv a = empty").breaks("prefix first: not there");
    story("watch a 7; stop a; recv a = closed stopped").breaks("prefix first: cut off");
}

#[test]
fn events_without_values_are_not_checked() {
    let mut told = story("watch a; recv a = _; recv a = _; recv a = _");
    told.capabilities.values = false;
    told.passes();
}
