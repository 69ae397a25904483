use std::collections::HashSet;

use super::super::WhenFull;
use super::*;

const CONFIG: Config = Config { incoming: 1, queue: 0, when_full: WhenFull::Wait };

fn texts(ops: usize, lanes: usize, kinds: &[OpKind]) -> Vec<String> {
    let scripts = scripts(Bounds { ops, lanes }, OpSet::of(kinds), &[CONFIG]);
    scripts
        .iter()
        .map(|script| script.to_string().lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn scripts_come_by_size_and_what_a_smaller_one_does_is_left_out() {
    let kinds = [OpKind::Watch, OpKind::Action, OpKind::Stop];
    assert_eq!(texts(1, 2, &kinds), ["lane watch a", "lane action"]);
    let two = &texts(2, 2, &kinds)[2..];
    let expected = [
        "lane watch a watch b",
        "lane watch a action",
        "lane watch a stop a",
        "lane action watch a",
        "lane action action",
        "lane watch a lane watch b",
        "lane watch a lane action",
        "lane watch a lane stop a",
        "lane action lane action",
    ];
    assert_eq!(two, expected);
}

#[test]
fn no_two_are_the_same_but_for_names_and_order() {
    let all = scripts(Bounds { ops: 4, lanes: 3 }, OpSet::ALL, &[CONFIG]);
    let mut seen = HashSet::new();
    for script in &all {
        let places: Vec<Vec<Op>> = std::iter::once(&script.setup).chain(&script.lanes).cloned().collect();
        let mut orders = Vec::new();
        permutations(&mut (1..places.len()).collect(), 0, &mut orders);
        let first = orders.iter().map(|order| named(&places, order)).min().unwrap();
        assert!(seen.insert(first), "{script}");
    }
    assert!(all.is_sorted_by_key(|script| (script.ops(), script.lanes.len())));
}

#[test]
fn a_setup_is_for_several_lanes() {
    let all = scripts(Bounds { ops: 3, lanes: 2 }, OpSet::of(&[OpKind::Action]), &[CONFIG]);
    let shape = |script: &Script| (script.setup.len(), script.lanes.iter().map(Vec::len).collect::<Vec<_>>());
    let shapes: Vec<_> = all.iter().map(shape).collect();
    let expected =
        [(0, vec![1]), (0, vec![2]), (0, vec![1, 1]), (0, vec![3]), (0, vec![2, 1]), (1, vec![1, 1])];
    assert_eq!(shapes, expected);
}

/// What of a script can do anything, in each of the ways in which its watches can come: an op that names a slot finds a watcher
/// there only after a `watch` that comes before it, or in another lane; and of several a slot has but one, the first that
/// comes, so that an execution is one of a script with just that one.
fn reduced(places: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    let all = || {
        places
            .iter()
            .enumerate()
            .flat_map(|(place, ops)| ops.iter().enumerate().map(move |(at, op)| (place, at, *op)))
    };
    let mut ways: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    for slot in (0..3).map(Slot::new) {
        let watches: Vec<(usize, usize)> = all()
            .filter(|(_, _, op)| op.kind() == OpKind::Watch && op.slot() == Some(slot))
            .map(|(place, at, _)| (place, at))
            .collect();
        if !watches.is_empty() {
            let extended = |way: &Vec<_>| {
                let way = way.clone();
                watches.iter().map(move |watch| [way.as_slice(), &[*watch]].concat()).collect::<Vec<_>>()
            };
            ways = ways.iter().flat_map(extended).collect();
        }
    }
    let of_way = |way: &Vec<(usize, usize)>| -> Vec<Vec<Op>> {
        let does = |place: usize, at: usize, op: &Op| {
            let Some(slot) = op.slot() else { return true };
            let watch = way.iter().find(|(place, at)| places[*place][*at].slot() == Some(slot));
            watch.is_some_and(|(watched_in, watched_at)| match op.kind() {
                OpKind::Watch => (place, at) == (*watched_in, *watched_at),
                _ if *watched_in == place => *watched_at < at,
                _ => place > 0,
            })
        };
        let kept = |(place, ops): (usize, &Vec<Op>)| {
            let ops = ops.iter().enumerate().filter(|(at, op)| does(place, *at, op));
            ops.map(|(_, op)| *op).collect::<Vec<Op>>()
        };
        let mut left: Vec<Vec<Op>> = places.iter().enumerate().map(kept).collect();
        let mut lanes: Vec<Vec<Op>> = left.drain(1..).filter(|ops| !ops.is_empty()).collect();
        let setup = left.remove(0);
        if lanes.len() < 2 {
            let only = setup.into_iter().chain(lanes.pop().unwrap_or_default()).collect();
            return vec![Vec::new(), only];
        }
        lanes.insert(0, setup);
        lanes
    };
    ways.iter().map(of_way).collect()
}

/// Of all that the order of lanes and the names of slots make of it, the first.
fn canonical(places: &[Vec<Op>]) -> Vec<Vec<Op>> {
    let mut orders = Vec::new();
    permutations(&mut (1..places.len()).collect(), 0, &mut orders);
    orders.iter().map(|order| named(places, order)).min().expect("there is an order")
}

#[test]
fn every_script_of_a_size_does_what_just_one_of_these_does() {
    let kinds =
        [OpKind::Watch, OpKind::Action, OpKind::Recv, OpKind::TryRecv, OpKind::Stop, OpKind::Shutdown];
    let mut enumerated = HashSet::new();
    for script in scripts(Bounds { ops: 3, lanes: 2 }, OpSet::of(&kinds), &[CONFIG]) {
        let places: Vec<Vec<Op>> = std::iter::once(script.setup).chain(script.lanes).collect();
        assert_eq!(reduced(&places), std::slice::from_ref(&places), "a smaller one does the same");
        assert!(enumerated.insert(canonical(&places)), "{places:?} is there twice");
    }
    let ops: Vec<Op> = kinds
        .into_iter()
        .flat_map(|kind| (0..if takes_slot(kind) { 3 } else { 1 }).map(move |slot| op(kind, Slot::new(slot))))
        .collect();
    let mut reached = HashSet::new();
    let mut all = vec![Vec::new()];
    for length in 1..=3 {
        all = all
            .iter()
            .flat_map(|before| ops.iter().map(move |op| [before.as_slice(), &[*op]].concat()))
            .collect();
        for sequence in &all {
            for (setup, first) in
                (0..=length).flat_map(|setup| (setup..=length).map(move |first| (setup, first)))
            {
                let places =
                    [&sequence[..setup], &sequence[setup..first], &sequence[first..]].map(<[Op]>::to_vec);
                for reduced in
                    reduced(&places).iter().filter(|places| places[1..].iter().any(|lane| !lane.is_empty()))
                {
                    let canonical = canonical(reduced);
                    assert!(enumerated.contains(&canonical), "{places:?} does what {canonical:?} does");
                    reached.insert(canonical);
                }
            }
        }
    }
    assert_eq!(reached, enumerated, "brute force has them all");
}
